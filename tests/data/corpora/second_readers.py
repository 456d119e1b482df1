"""Second, independent readers of the shipped music, and where they disagree with the first.

Tunes: Debian's ``abc2midi``, of all 1,059 files of the collection. Chorales: the standard library's
XML parser on the corpus's MusicXML. ``python -m tests.data.corpora.second_readers`` prints the
agreement; ``second_readers.toml`` lists every disagreement with who is right.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ElementTree
import zipfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np

from musiclab.data import Piece, load_tunes
from musiclab.data.corpora import build
from musiclab.data.corpora.chorales import Chorale, unpack
from musiclab.data.files.abc import parse_tune, split_tunes
from musiclab.data.files.storage import DataError

LISTED = Path(__file__).with_suffix(".toml")
TICKS = Fraction(1, 16)  # abc2midi starts a note one tick late, and rounds thirds to ticks

_MUSIC = re.compile(
    r"""(?P<kept>"[^"]*"|%.*|![^\s!|]+!|\[[A-Za-z]:[^\]]*\])
    |(?P<played>[MOPRST~])  # mordent, coda, pralltriller, roll, segno, trill, roll
    |(?P<staccato>\.)
    |(?P<ending>\[\d[\d,]*)
    |(?P<bar>(?:\[?\|\]:?\|?|:+\|*:*|\[?\|+:*)[\]|:]*\s*(?:\[?\d[\d,]*)?)""",
    re.VERBOSE,
)

Notes = list[tuple[Fraction, Fraction, int]]
"""Start and stop in 16ths, and MIDI pitch."""


def plain(text: str, staccato: bool = False) -> str:
    """A tune as abc2midi is to read it: without repeats, and without what it performs.

    Repeats and endings become bar lines. It plays trills and rolls note by note, shortens staccato
    notes and swings hornpipes (``R:``). E-mail's marks at the ends of lines (``=20``) are taken
    away, as the first reader does.
    """
    lines = []
    for line in text.splitlines():
        if re.match(r"[RPQ]:", line) or not line.strip():
            continue
        if not re.match(r"[A-Za-z]:(?![|:])|%", line):
            line = re.sub(r"=(20)?$", "", line.rstrip()).replace("=3D", "=")
            line = re.sub(r'\["[^"]*"(?=[^\]]*(?:\||$))', "", line)  # an ending with a name
            line = _MUSIC.sub(lambda token: _plain_token(token, staccato), line)
            line = re.sub(r"^\d[\d,]*", "|", line)
        lines.append(line)
    return "\n".join(lines)


def _plain_token(token: re.Match, staccato: bool) -> str:
    if token["kept"]:
        return token[0]
    if token["staccato"]:
        return "." if staccato else ""
    return "" if token["played"] else "|"


def abc2midi_notes(texts: list[str]) -> list[Notes]:
    """What abc2midi makes of each text, a tune each; grace notes and chord symbols left out."""
    program = shutil.which("abc2midi")
    words = ["-NGRA", "-NFER", "-NGUI", "-NFNP"]

    with tempfile.TemporaryDirectory() as folder:

        def run(number: int) -> Notes:
            file = Path(folder) / f"{number}.abc"
            head, music = texts[number].split("\n", 1)
            file.write_text(f"{head}\n%%MIDI chordattack 0\n{music}\n", encoding="latin-1")
            out = file.with_suffix(".mid")
            command = [program, file.name, "-o", out.name, *words]
            subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=20)
            return _midi_notes(out) if out.is_file() else []

        with ThreadPoolExecutor() as pool:
            return list(pool.map(run, range(len(texts))))


def _midi_notes(file: Path) -> Notes:
    midi, notes = mido.MidiFile(file), []
    for track in midi.tracks:
        now, open_notes = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                open_notes.setdefault(message.note, []).append(now)
            elif message.type in ("note_on", "note_off"):
                start = open_notes[message.note].pop(0)
                unit = midi.ticks_per_beat
                notes.append((Fraction(4 * start, unit), Fraction(4 * now, unit), message.note))
    return sorted(notes)


def same(mine: Notes, theirs: Notes, lengths: bool = True) -> bool:
    """Whether two readings agree note for note, to a few MIDI ticks."""
    return len(mine) == len(theirs) and all(
        a[2] == b[2] and abs(a[0] - b[0]) < TICKS and (not lengths or abs(a[1] - b[1]) < 2 * TICKS)
        for a, b in zip(sorted(mine, key=_order), sorted(theirs, key=_order))
    )


def _order(note) -> tuple[int, int]:
    return round(note[0] * 4), note[2]


def tune_files() -> dict[str, str]:
    """The text of each tune of the collection."""
    files = sorted(build._corpus("ryansMammoth"), key=lambda file: file.name)
    return {file.stem: file.read_bytes().decode("latin-1") for file in files}


def read_first(text: str) -> Notes | None:
    """What the course's reader makes of a tune, None where it refuses."""
    try:
        parts = parse_tune(split_tunes(text)[0]).parts
    except DataError:
        return None
    return [(note.start, note.stop, note.pitch) for part in parts for note in part.notes]


def piece_notes(piece: Piece) -> list[Notes]:
    """The notes of each voice of a piece."""
    voices = []
    for pitches, onsets in zip(piece.voices.T, piece.onsets.T):
        starts = np.flatnonzero(onsets)
        ends = np.flatnonzero(onsets | (pitches < 0))
        ends = [*ends.tolist(), piece.steps]
        voices.append([(int(s), next(e for e in ends if e > s), int(pitches[s])) for s in starts])
    return voices


def tune_disagreements() -> tuple[int, dict[str, list[str]]]:
    """Tunes compared, and by kind the names of those on which the readers disagree.

    "refused": the first reader refuses the tune. "notes": pitches, onsets or lengths differ.
    "staccato": onsets differ if abc2midi is left its staccato dots. "shipped": an array that is not
    what abc2midi read, rounded.
    """
    texts = tune_files()
    theirs = dict(zip(texts, abc2midi_notes([plain(text) for text in texts.values()])))
    dotted = [name for name, text in texts.items() if "." in text]
    with_dots = abc2midi_notes([plain(texts[name], staccato=True) for name in dotted])
    mine = {name: read_first(text) for name, text in texts.items()}
    found = {"refused": [name for name in texts if mine[name] is None]}
    read = [name for name in texts if mine[name] is not None]
    found["notes"] = [name for name in read if not same(mine[name], theirs[name])]
    found["staccato"] = [
        name
        for name, notes in zip(dotted, with_dots)
        if mine[name] and name not in found["notes"] and not same(mine[name], notes, lengths=False)
    ]
    shipped = {tune.name: piece_notes(tune)[0] for tune in load_tunes()}
    rounded = {
        name: [(round(float(a)), round(float(b)), pitch) for a, b, pitch in theirs[name]]
        for name in shipped
    }
    found["shipped"] = [name for name in shipped if shipped[name] != rounded[name]]
    return len(texts), found


def musicxml_voices(file: Path) -> list[Notes]:
    """Soprano, alto, tenor and bass of a MusicXML file, bars in which all are silent cut."""
    root = ElementTree.fromstring(_musicxml(file))
    names = {part.get("id"): (part.findtext("part-name") or "") for part in root.iter("score-part")}
    parts = root.findall("part")
    first = [(names[part.get("id")].split() or [""])[0].lower() for part in parts]
    satb = ["soprano", "alto", "tenor", "bass"]
    if all(name in first for name in satb):
        parts = [parts[first.index(name)] for name in satb]
    measured = [_part_measures(part) for part in parts]
    voices, base = [[] for _ in parts], Fraction(0)
    for row in zip(*measured):
        lasts = max(measure.length for measure in row)
        if any(measure.notes for measure in row) or lasts < row[0].nominal:
            for voice, measure in zip(voices, row):
                _append(voice, measure.notes, base)
            base += lasts
    return voices


def _musicxml(file: Path) -> bytes:
    if file.suffix != ".mxl":
        return file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.endswith(("xml", "musicxml"))]
        return archive.read(next(name for name in names if not name.startswith("META-INF")))


class _Measure(NamedTuple):
    """A measure: its length and that of a whole bar in 16ths, notes as start, stop, pitch, tied to the one before."""

    length: Fraction
    nominal: Fraction
    notes: list


def _part_measures(part: ElementTree.Element) -> list[_Measure]:
    measures, divisions, nominal = [], 1, Fraction(16)
    for measure in part.findall("measure"):
        now = end = Fraction(0)
        notes = []
        for element in measure:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions") or divisions)
                if element.find("time") is not None:
                    beats, unit = (
                        element.findtext(f"time/{tag}") for tag in ("beats", "beat-type")
                    )
                    nominal = Fraction(16 * int(beats), int(unit))
            length = Fraction(4 * int(element.findtext("duration") or 0), divisions)
            if element.tag == "backup":
                now -= length
            elif element.tag == "forward":
                now += length
            elif element.tag == "note" and element.find("grace") is None:
                start = now - length if element.find("chord") is not None else now
                pitch = element.find("pitch")
                if pitch is not None:
                    tied = any(tie.get("type") == "stop" for tie in element.findall("tie"))
                    notes.append((start, start + length, _midi_pitch(pitch), tied))
                now = start + length
            end = max(end, now)
        measures.append(_Measure(end, nominal, notes))
    return measures


def _midi_pitch(pitch: ElementTree.Element) -> int:
    natural = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11)))[pitch.findtext("step")]
    alter = int(pitch.findtext("alter") or 0)
    return 12 * (int(pitch.findtext("octave")) + 1) + natural + alter


def _append(voice: list, notes: list, base: Fraction) -> None:
    for start, stop, pitch, tied in notes:
        if tied and voice and voice[-1][1:] == (base + start, pitch):
            voice[-1] = (voice[-1][0], base + stop, pitch)
        else:
            voice.append((base + start, base + stop, pitch))


def chorale_disagreements() -> tuple[int, list[str]]:
    """Chorales compared, and the names of those whose arrays are not what the second reader finds."""
    text = ("bwv", "split", "melody", "split_melody")
    chorales = unpack("chorales.npz", Chorale, text, n_voices=4)
    files = build.chorale_files()
    with_differences = [
        chorale.bwv
        for chorale in chorales
        if piece_notes(chorale) != musicxml_voices(files[chorale.bwv])
    ]
    return len(chorales), with_differences


def listed() -> dict[str, dict[str, dict]]:
    """The committed list: by kind and name, who is right and why."""
    entries = tomllib.loads(LISTED.read_text(encoding="utf-8"))["disagreement"]
    kinds: dict[str, dict[str, dict]] = {}
    for entry in entries:
        kinds.setdefault(entry["kind"], {}).update(dict.fromkeys(entry["names"], entry))
    return kinds


def main() -> int:
    """Print the agreement and every disagreement; 1 if one is not listed."""
    known, status = listed(), 0
    if shutil.which("abc2midi"):
        count, found = tune_disagreements()
        differing = len(found["refused"]) + len(found["notes"])
        print(f"tunes: {count - differing} of {count} agree with abc2midi note for note")
        print(f"shipped tunes that it confirms: {len(load_tunes()) - len(found['shipped'])}")
    else:
        found, status = {}, 1
        print("tunes: abc2midi is not installed (Debian package abcmidi)")
    count, found["chorales"] = chorale_disagreements()
    print(f"chorales: {count - len(found['chorales'])} of {count} agree with the XML note for note")
    for kind, names in found.items():
        for name in names:
            entry = known.get(kind, {}).get(name)
            status = status if entry else 1
            print(f"  {kind}: {name}:", f"{entry['right']} is right" if entry else "NOT LISTED")
    return status


if __name__ == "__main__":
    sys.exit(main())
