"""ABC notation read as lists of notes with exact times.

After the ABC standard, version 2.1 (https://abcnotation.com/wiki/abc:standard:v2.1), tolerant of
older files. Macros (``m:``) are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from musiclab.data.files.abc_fields import (
    AbcSource,
    Key,
    Metre,
    parse_key,
    parse_metre,
    parse_tempo,
    parse_unit,
    parse_voice,
    printable,
    split_tunes,
)
from musiclab.data.files.note_grid import MAX_VOICES
from musiclab.data.files.parsed import (
    MAX_NOTES,
    MAX_STEPS,
    Bar,
    ParsedMusic,
    ParsedNote,
    ParsedPart,
)
from musiclab.data.files.storage import DataError

__all__ = ["choose_tune", "decode", "numbered", "parse_abc", "parse_tune", "split_tunes"]

_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FIFTHS = "FCGDAEB"
_SIGNS = {"=": 0, "^": 1, "^^": 2, "_": -1, "__": -2}
_SHOWN = 30  # tunes that a message lists
_DYNAMICS = {"f", "ff", "fff", "ffff"}  # +ff+ is loud, not a chord of two f

_LENGTH = r"[ \t]*(?P<num>\d*)(?P<slashes>/*)(?P<den>\d*)"
_NOTE = r"(?P<sign>\^\^?|__?|=)?(?P<micro>\d*/\d*)?[ \t]*(?P<letter>[A-Ga-g])(?P<marks>[,']*)"
_TEXT = r'"(?:\\.|[^"\\])*"'
_DECORATION = r"![^\s!|\[\]]+!|\+[^\s+|]+\+"
_IN_CHORD = re.compile(
    rf"{_NOTE}{_LENGTH}|(?P<tie>-)|{_TEXT}|{_DECORATION}|[\s().~H-Wh-w]|z[\d/]*|\{{[^}}]*\}}"
)
_TOKEN = re.compile(
    rf"""(?P<skip>[\s`*$;?@\#\\]+|{_TEXT}|\{{[^}}]*\}}|y\d*)
    |(?P<decoration>{_DECORATION})
    |\[(?P<field>[A-Za-z]:[^\]]*)\]
    |\[(?P<chord>(?:{_TEXT}|![^!|]*!|[^\]\["|])*)\]
    |(?P<ending>\[\s*(?:\d[\d,.\-x]*|{_TEXT}))
    |(?P<bar>\.?(?::+[|\]:]*|\[?\|[|\]:]*|\[\])\s*(?:\d[\d,.\-x]*)?)
    |(?P<tuplet>\((?P<p>\d+)(?::(?P<q>\d*)(?::(?P<r>\d*))?)?)
    |(?P<note>{_NOTE})
    |(?P<rest>[zx])
    |(?P<bars>[ZX][ \t]*(?P<count>\d*))
    |(?P<broken>[<>]+)
    |(?P<tie>\.?-)
    |(?P<overlay>\(?&\)?)
    |(?P<mark>[().~H-Wh-w!])
    """,
    re.VERBOSE,
)
_LENGTHS = re.compile(_LENGTH)


def parse_abc(raw: bytes, tune: int | None = None) -> ParsedMusic:
    """Read an ABC file, or one tune of a collection.

    Args:
      raw: the file.
      tune: the tune's number (``X:``), or its place, counted from 1, where numbers are missing or
        repeated.

    Returns:
      What the tune holds.

    Raises:
      DataError: the file is a collection and ``tune`` is None, or it has no such tune (the message
        lists numbers and titles); or as in :func:`parse_tune`.

    >>> parse_abc(b"X:1\\nK:C\\nC\\n\\nX:2\\nT:Air\\nK:G\\nG", tune=2).attributes["name"]
    'Air'
    """
    return parse_tune(choose_tune(split_tunes(decode(raw)), tune))


def decode(raw: bytes) -> str:
    """The text of an ABC file: UTF-8, or else windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def choose_tune(tunes: list[AbcSource], tune: int | None) -> AbcSource:
    """The tune with a number, or the only one; see :func:`parse_abc`."""
    if not tunes:
        raise DataError("it has no key (K:), with which the music of a tune begins")
    if tune is None and len(tunes) == 1:
        return tunes[0]
    numbers = numbered(tunes)
    if tune not in numbers:
        said = (
            f"choose one, as in tune={numbers[0]}" if tune is None else f"tune={tune} is not there"
        )
        shown = [f"{n} {source.title[:40]}".strip() for n, source in zip(numbers, tunes)][:_SHOWN]
        more = f", and {len(tunes) - _SHOWN} more" if len(tunes) > _SHOWN else ""
        raise DataError(f"it holds {len(tunes)} tunes, {said}: {'; '.join(shown)}{more}")
    return tunes[numbers.index(tune)]


def numbered(tunes: list[AbcSource]) -> list[int]:
    """The number of each tune: that of its ``X:``, or its place where numbers are missing or repeated."""
    numbers = [tune.number for tune in tunes]
    if all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        found = [int(number) for number in numbers]
        if len(set(found)) == len(found):
            return found
    return list(range(1, len(tunes) + 1))


def parse_tune(source: AbcSource) -> ParsedMusic:
    """Read one tune.

    Accidentals hold to the bar line in all octaves, as the standard has it, and over ties. Repeats
    are not expanded: first and second endings follow each other. Grace notes (with their
    accidentals), chord symbols and all that is not pitch, time or a fermata are left out.

    Args:
      source: a tune of :func:`musiclab.data.files.abc_fields.split_tunes`.

    Returns:
      What the tune holds. A part is a voice, or an overlay (``&``) of one; a chord's notes start
      together.

    Raises:
      DataError: something that is not ABC, or larger than what is read; the message names the line.

    >>> tune = parse_tune(split_tunes("L:1/4\\nK:C\\n^FGFG|F4|")[0])
    >>> [(int(note.start), note.pitch) for note in tune.parts[0].notes]
    [(0, 66), (4, 67), (8, 66), (12, 67), (16, 65)]
    """
    reader = _Reader()
    for number, text in source.lines:
        try:
            reader.line(text)
        except DataError as error:
            raise DataError(f"line {number}: {error}") from None
    return reader.tune(source)


@dataclass
class _Element:
    """The note, rest or chord read last: what broken rhythm, ties and tuplets act on."""

    notes: list[int]
    start: Fraction
    length: Fraction
    keys: dict[tuple[str, int], int]


@dataclass
class _Layer:
    """One line of notes in a voice: the voice itself, or an overlay of it. Times are within the bar."""

    notes: list[tuple[int, ParsedNote, bool]] = field(default_factory=list)  # bar, tied to before
    last: _Element | None = None
    ties: dict[tuple[str, int], int] = field(default_factory=dict)
    broken: str = ""  # the > or < before the next note


class _Voice:
    """A voice while it is read."""

    def __init__(self, name: str, key: Key, metre: Metre, unit: Fraction, properties: dict):
        self.name, self.key, self.metre, self.unit = name, key, metre, unit
        self.octave = self.transpose = self.clef_octave = 0
        self.percussion = False
        self.layers, self.layer = [_Layer()], 0
        self.bars: list[Bar] = []
        self.fermatas: list[tuple[int, Fraction]] = []
        self.position, self.end = Fraction(0), Fraction(0)
        self.accidentals: dict[tuple[str, int | None], int] = {}
        self.tuplets: list[list] = []  # factor and how many notes are left
        self.fermata = False
        self.bar_metre = self.first_metre = metre
        self.set(properties)

    def set(self, properties: dict[str, str]) -> None:
        self.name = properties.get("name", self.name)
        if "clef" in properties:
            clef = properties["clef"].lower()
            self.clef_octave = (("+8" in clef) - ("-8" in clef)) * 12
            self.percussion = "perc" in clef
        for word in ("octave", "transpose"):
            if word in properties:
                found = re.fullmatch(r"[+-]?\d{1,2}", properties[word])
                if found is None:
                    raise DataError(f"{word}={printable(properties[word])} is no number")
                setattr(self, word, int(found[0]))

    @property
    def shift(self) -> int:
        """Semitones between what is written and what sounds."""
        return self.clef_octave + 12 * self.octave + self.transpose


class _Reader:
    """State of the reader between the lines of a tune."""

    def __init__(self):
        self.key: Key | None = None
        self.metre: Metre | None = None
        self.unit: Fraction | None = None
        self.first_key: Key | None = None
        self.common: dict[str, str] = {}  # properties of all voices
        self.declared: dict[str, dict[str, str]] = {}
        self.voices: dict[str, _Voice] = {}
        self.voice: _Voice | None = None
        self.scope = "pitch"
        self.fermata_signs = {"H"}
        self.bpm: float | None = None
        self.count, self.steps = 0, Fraction(0)

    # fields

    def line(self, text: str) -> None:
        if text.startswith("%%"):
            self._directive(text[2:].strip())
        elif re.match(r"[A-Za-z+]:", text) and not re.match(r"[A-Ga-gz]:[|:]", text):
            self._field(text[0], text[2:].strip())
        elif self.key is not None:
            self._music(text)
        # other lines of a header are no fields and say nothing

    def _directive(self, text: str) -> None:
        scope = re.match(r"propagate-accidentals\s+(not|octave|pitch)\b", text)
        transpose = re.match(r"MIDI\s+transpose\s+([+-]?\d{1,2})\b", text)
        if scope:
            self.scope = scope[1]
        elif re.match(r"MIDI\s+nobarlines\b", text):
            self.scope = "not"
        elif transpose and self.voice is not None:
            self.voice.set({"transpose": transpose[1]})
        elif transpose:
            self.common["transpose"] = transpose[1]

    def _field(self, letter: str, text: str) -> None:
        if letter == "K":
            self._set_key(parse_key(text))
        elif letter == "M":
            self._set("metre", parse_metre(text))
        elif letter == "L":
            self._set("unit", parse_unit(text))
        elif letter == "V":
            self._select(*parse_voice(text))
        elif letter == "I":
            self._directive(text)
        elif letter == "Q" and self.bpm is None:
            self.bpm = parse_tempo(text, self.unit)
        elif letter == "U":
            self._define(text)
        elif letter == "m" and not text.startswith("~"):
            raise DataError("a macro (m:), which is not read: write its notes out")

    def _define(self, text: str) -> None:
        found = re.match(r"([H-Wh-w~])\s*=\s*(.*)", text)
        if found:
            self.fermata_signs -= {found[1]}
            if "fermata" in found[2]:
                self.fermata_signs |= {found[1]}

    def _set_key(self, key: Key) -> None:
        if self.key is None:  # the end of the header
            key = Key({}, properties=key.properties) if key.alterations is None else key
            self.first_key = key
            self.metre = self.metre or parse_metre("none")
            if self.unit is None:
                short = self.metre.bar is not None and self.metre.bar < 3
                self.unit = Fraction(1, 4) if short else Fraction(1, 2)
        elif self.voice is not None:
            self.voice.set(key.properties)
        if key.alterations is not None:
            self._set("key", key)
        if self.voice is None:
            self.key = Key(
                self.key.alterations,
                self.key.signature,
                self.key.tonic,
                self.key.mode,
                {**self.key.properties, **key.properties},
            )

    def _set(self, name: str, value) -> None:
        """Set key, metre or unit: of the voice being read, else for the voices to come."""
        setattr(self.voice or self, name, value)
        if self.voice is not None and name == "metre" and self.voice.position == 0:
            self.voice.bar_metre = value

    def _select(self, identifier: str, properties: dict[str, str]) -> None:
        if identifier == "*":
            for voice in self.voices.values():
                voice.set(properties)
            return
        self.declared.setdefault(identifier, {}).update(properties)
        if self.key is None:
            return
        if identifier not in self.voices:
            if len(self.voices) == MAX_VOICES:
                raise DataError(f"more than {MAX_VOICES} voices")
            known = {**self.common, **self.key.properties, **self.declared[identifier]}
            self.voices[identifier] = _Voice(identifier, self.key, self.metre, self.unit, known)
        self.voice = self.voices[identifier]
        self.voice.set(properties)

    # music

    def _music(self, text: str) -> None:
        # what quoted-printable e-mail makes of a blank at the end, a long line and an equals sign
        text = re.sub(r"=(20)?$", "", text).replace("=3D", "=")
        place = 0
        opening = re.match(r"\d[\d,.\-]*", text)
        if opening and (self.voice is None or not self.voice.position):
            place = opening.end()  # the number of an ending, whose bar line ends the line before
        while place < len(text):
            token = _TOKEN.match(text, place)
            if token is None or token.end() == place:
                shown = printable(text[place : place + 12])
                if text[place] == '"':
                    raise DataError(f"a quotation mark without its partner: {shown!r}")
                raise DataError(f"{shown!r} is not ABC")
            place = token.end()
            kind = token.lastgroup
            if kind == "skip":
                continue
            if kind == "field":
                self._field(token["field"][0], token["field"][2:].strip())
                continue
            if self.voice is None:
                self._select(next(iter(self.declared), ""), {})
            length = Fraction(0)
            if kind in ("note", "rest", "chord"):
                after = _LENGTHS.match(text, place)
                place, length = after.end(), _length(after)
            self._token(kind, token, length)

    def _token(self, kind: str, token: re.Match, length: Fraction) -> None:
        voice = self.voice
        layer = voice.layers[voice.layer]
        if kind == "note":
            self._place([(token, Fraction(1), False)], length)
        elif kind == "rest":
            self._place([], length)
        elif kind == "chord":
            self._chord(token["chord"], length)
        elif kind in ("bar", "ending"):
            self._bar()
        elif kind == "bars":
            self._rest_bars(int(token["count"][:4] or 1))
        elif kind == "tuplet":
            self._tuplet(token)
        elif kind == "broken":
            if len(token["broken"]) > 3 or len(set(token["broken"])) > 1:
                raise DataError(f"{token['broken'][:8]!r} is no broken rhythm: up to three > or <")
            layer.broken = token["broken"]
        elif kind == "tie":
            if layer.last is not None:
                layer.ties = dict(layer.last.keys)
        elif kind == "overlay":
            if len(token["overlay"]) > 1:
                raise DataError("an overlay of several bars, (& ... &), which is not read")
            voice.end = max(voice.end, voice.position)
            voice.position, voice.layer = Fraction(0), voice.layer + 1
            voice.accidentals.clear()
            if voice.layer == len(voice.layers):
                if voice.layer > 4:
                    raise DataError("more than four overlays (&) in a bar")
                voice.layers.append(_Layer())
            voice.layers[voice.layer].last = None
        elif kind == "decoration":
            word = token["decoration"][1:-1]
            if token["decoration"][0] == "+" and word not in _DYNAMICS and _is_chord(word):
                self._chord(word, length or Fraction(1))
            elif word.endswith("fermata"):
                voice.fermata = True
        elif kind == "mark" and token["mark"] in self.fermata_signs:
            voice.fermata = True

    def _chord(self, content: str, length: Fraction) -> None:
        members, place = [], 0
        while place < len(content):
            token = _IN_CHORD.match(content, place)
            if token is None:
                raise DataError(f"'[{printable(content[:12])}]' is no chord")
            place = token.end()
            if token["letter"]:
                members.append([token, _length(token), False])
            elif token["tie"] and members:
                members[-1][2] = True
        if members:
            self._place(members, length)

    def _place(self, members: list, length: Fraction) -> None:
        """Add a note, chord or (without members) rest at the present position and move on."""
        voice = self.voice
        layer, bar = voice.layers[voice.layer], len(voice.bars)
        length *= voice.unit * 4 * self._next_of_tuplet()
        if members:
            length *= members[0][1]  # as the standard has it, of a chord's first note
        length = self._broken(layer, length)
        start, ties, layer.ties = voice.position, layer.ties, {}
        element = _Element([], start, length, {})
        sounding = {_pitch(letter, octave, a) for (letter, octave), a in ties.items()}
        for token, _, _ in members:
            letter, octave = token["letter"].upper(), _octave(token)
            alteration = self._alteration(token, letter, octave, ties)
            element.keys[letter, octave] = alteration
            written = _pitch(letter, octave, alteration)
            if not 0 <= written + voice.shift <= 127:
                raise DataError(f"{printable(token[0])!r} is beyond the MIDI pitches 0-127")
            spelling = _FIFTHS.index(letter) - 1 + 7 * alteration + _fifths(voice.shift)
            element.notes.append(len(layer.notes))
            note = ParsedNote(start, start + length, written + voice.shift, spelling)
            layer.notes.append((bar, note, written in sounding))
        layer.ties = {
            (token["letter"].upper(), _octave(token)): element.keys[
                token["letter"].upper(), _octave(token)
            ]
            for token, _, tie in members
            if tie
        }
        layer.last = element
        if voice.fermata:
            voice.fermatas.append((bar, start))
            voice.fermata = False
        voice.position = start + length
        self.count += len(members)
        self.steps += length
        if self.count > MAX_NOTES or self.steps > MAX_STEPS * MAX_VOICES:
            raise DataError(
                f"more than {MAX_NOTES} notes or {MAX_STEPS} 16ths: cut out a part of it"
            )

    def _alteration(self, token: re.Match, letter: str, octave: int, ties: dict) -> int:
        """Semitones from the natural note: its own accidental, a tie's, the bar's, or the key's."""
        if token["micro"]:
            raise DataError(f"{printable(token[0])!r} lies between the keys of a piano")
        in_bar = self.voice.accidentals
        place = (letter, octave if self.scope == "octave" else None)
        if token["sign"]:
            alteration = _SIGNS[token["sign"]]
            if self.scope != "not":
                in_bar[place] = alteration
            return alteration
        if (letter, octave) in ties:
            return ties[letter, octave]
        return in_bar.get(place, self.voice.key.alterations.get(letter, 0))

    def _bar(self) -> None:
        voice = self.voice
        length = max(voice.end, voice.position)
        voice.accidentals.clear()
        voice.fermata = False
        if not length:
            return
        metre = voice.bar_metre
        if not voice.bars:
            voice.first_metre = metre
        nominal = length if metre.bar is None else metre.bar * 4
        beat = max(1, int(metre.beat * 4))
        voice.bars.append(Bar(length, nominal, beat))
        if len(voice.bars) > MAX_STEPS:
            raise DataError(f"more than {MAX_STEPS} bars")
        voice.position = voice.end = Fraction(0)
        voice.layer, voice.bar_metre = 0, voice.metre
        for layer in voice.layers:
            layer.last = layer.last and _Element([], Fraction(0), Fraction(0), layer.last.keys)

    def _rest_bars(self, count: int) -> None:
        if not 1 <= count <= 999:
            raise DataError(f"Z{count}: a rest of 1 to 999 bars was expected")
        bar = self.voice.metre.bar
        for index in range(count):
            if index:
                self._bar()
            self._place([], (Fraction(4) if bar is None else bar) / self.voice.unit)

    def _tuplet(self, token: re.Match) -> None:
        p = int(token["p"][:3])
        bar = self.voice.metre.text.split("/")
        compound = int(bar[0]) % 3 == 0 and int(bar[0]) > 3
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
        q = int((token["q"] or "")[:3] or usual)
        r = int((token["r"] or "")[:3] or p)
        if not all(1 <= number <= 64 for number in (p, q, r)):
            raise DataError(f"{token[0]!r}: a tuplet of 1 to 64 notes was expected")
        self.voice.tuplets.append([Fraction(q, p), r])

    def _next_of_tuplet(self) -> Fraction:
        tuplets = self.voice.tuplets
        factor = Fraction(1)
        for tuplet in tuplets:
            factor *= tuplet[0]
            tuplet[1] -= 1
        self.voice.tuplets = [tuplet for tuplet in tuplets if tuplet[1]]
        return factor

    def _broken(self, layer: _Layer, length: Fraction) -> Fraction:
        """Broken rhythm: a>b takes half of b for a, a>>b three quarters, a<b the other way round.

        Only between notes of one length: the standard leaves others undefined, and abc2midi leaves
        them as written.
        """
        signs, last, layer.broken = layer.broken, layer.last, ""
        if not signs or last is None or last.length != length:
            return length
        short = Fraction(1, 2 ** len(signs))
        mine, yours = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        last.length *= mine
        self.voice.position = last.start + last.length
        for index in last.notes:
            bar, note, tied = layer.notes[index]
            layer.notes[index] = (bar, note._replace(stop=self.voice.position), tied)
        return length * yours

    # the tune

    def tune(self, source: AbcSource) -> ParsedMusic:
        for voice in self.voices.values():
            self.voice = voice
            self._bar()
        voices = [voice for voice in self.voices.values() if voice.bars]
        if not voices:
            raise DataError("there are no notes in it")
        # voices with as many bars as each other are laid bar under bar, even where one is too short
        together = len({len(voice.bars) for voice in voices}) == 1
        longest = max(voices, key=lambda voice: len(voice.bars))
        bars = list(longest.bars)
        if together:
            lengths = [max(bar.length for bar in row) for row in zip(*(v.bars for v in voices))]
            bars = [replace(bar, length=length) for bar, length in zip(bars, lengths)]
        music = ParsedMusic([], bars, _attributes(source, self.first_key, voices[0]), bpm=self.bpm)
        fermatas = set()
        for number, voice in enumerate(voices, 1):
            starts = _starts(bars if together else voice.bars)
            label = f"voice {voice.name or number}, " if len(voices) > 1 else ""
            fermatas |= {starts[bar] + offset for bar, offset in voice.fermatas}
            for layer in voice.layers:
                notes = _joined(layer.notes, starts, label)
                if voice.percussion:
                    music.drums += len(notes)
                else:
                    music.parts.append(ParsedPart(voice.name, notes))
        music.fermatas = sorted(fermatas)
        music.check_size()
        end = max(note.stop for part in music.parts for note in part.notes)
        bars[-1].length += max(Fraction(0), end - _starts(bars)[-1])
        return music


def _attributes(source: AbcSource, key: Key, voice: _Voice) -> dict:
    found = {"name": source.title or "untitled", "time_signature": voice.first_metre.text}
    if key.signature is None or key.tonic is None:
        return found
    moved = _fifths(voice.shift)
    signature = (
        (key.signature + moved + 5) % 12 - 5
        if abs(key.signature + moved) > 7
        else key.signature + moved
    )
    tonic = 7 * (key.tonic + moved) % 12
    return {
        **found,
        "key_signature": signature,
        "tonic": tonic,
        "mode": key.mode,
        "key_method": "file",
    }


def _joined(notes: list[tuple], starts: list[Fraction], label: str) -> list[ParsedNote]:
    """Notes at their times in the piece, tied ones as one."""
    joined: list[ParsedNote] = []
    last: dict[int, int] = {}  # where the last note of each pitch stands in the list
    for bar, note, tied in notes:
        start, stop = starts[bar] + note.start, starts[bar] + note.stop
        before = last.get(note.pitch)
        if tied and before is not None and joined[before].stop == start:
            joined[before] = joined[before]._replace(stop=stop)
        else:
            last[note.pitch] = len(joined)
            joined.append(note._replace(start=start, stop=stop, where=f"{label}bar {bar + 1}"))
    return joined


def _starts(bars: list[Bar]) -> list[Fraction]:
    starts = [Fraction(0)]
    for bar in bars:
        starts.append(starts[-1] + bar.length)
    return starts


def _length(token: re.Match) -> Fraction:
    """A note length in unit lengths: "3/2", "/", "//", "4"."""
    over, slashes, under = token["num"], token["slashes"], token["den"]
    if max(len(over), len(under)) > 3 or len(slashes) > 6:
        raise DataError(f"{printable(token[0])!r}: a note length of four or more digits")
    numerator = int(over or 1)
    denominator = int(under) if under else 2 ** len(slashes)
    if not numerator or not denominator:
        raise DataError(f"{printable(token[0])!r}: a note length of 0")
    return Fraction(numerator, denominator)


def _octave(token: re.Match) -> int:
    marks = token["marks"]
    return (5 if token["letter"].islower() else 4) + marks.count("'") - marks.count(",")


def _pitch(letter: str, octave: int, alteration: int) -> int:
    return 12 * (octave + 1) + _NATURAL[letter] + alteration


def _fifths(semitones: int) -> int:
    """How far a transposition moves along the line of fifths."""
    return (7 * semitones + 5) % 12 - 5


def _is_chord(word: str) -> bool:
    return re.fullmatch(r"(?:[_^=]*[A-Ga-g][,']*[\d/]*){2,}", word) is not None
