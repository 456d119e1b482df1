"""Fields of ABC notation: tunes of a collection, keys, metres and unit note lengths.

After the ABC standard, version 2.1 (https://abcnotation.com/wiki/abc:standard:v2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from musiclab.data.files.storage import DataError

__all__ = [
    "AbcSource",
    "Key",
    "Metre",
    "parse_key",
    "parse_metre",
    "parse_tempo",
    "parse_unit",
    "parse_voice",
    "printable",
    "split_tunes",
]

_ORDER = "FCGDAEB"  # the order in which sharps enter a key signature; flats, from its end
_MODES = {  # sharps beyond those of the major key on the same tonic
    **{"": 0, "maj": 0, "ion": 0, "m": -3, "min": -3, "aeo": -3},
    **{"lyd": 1, "mix": -1, "dor": -2, "phr": -4, "loc": -5},
}
_MINOR = {"m", "min", "aeo", "dor", "phr", "loc"}
_ALTERATIONS = {"": None, "=": 0, "^": 1, "^^": 2, "_": -1, "__": -2}
_PROPERTY = re.compile(r"(?<!\S)([a-z]+)\s*=\s*(\"[^\"]*\"|[^\s\"]+)")
_MAX_NUMBER = 64


class AbcSource(NamedTuple):
    """The text of one tune: reference number, title, rhythm, lines with their numbers in the file."""

    number: str
    title: str
    rhythm: str
    lines: list[tuple[int, str]]


@dataclass(frozen=True)
class Key:
    """What a ``K:`` field says; None where it says nothing.

    Attributes:
      alterations: semitones up or down for each altered letter; None if the field names no key.
      signature: sharps, or flats below 0. tonic: line of fifths (C = 0, G = 1). mode: "major" or
        "minor".
      properties: clef, transposition and name of the voice, as in a ``V:`` field.
    """

    alterations: dict[str, int] | None = None
    signature: int | None = None
    tonic: int | None = None
    mode: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


class Metre(NamedTuple):
    """A time signature: as text, length of a bar and of a beat in quarter notes; a bar of None is free."""

    text: str
    bar: Fraction | None
    beat: Fraction


def split_tunes(text: str) -> list[AbcSource]:
    """Cut an ABC file into its tunes.

    A tune starts at its ``X:`` and ends at an empty line after its music, or at the next ``X:``.
    Fields before the first tune hold for all. A file without any ``X:`` is one tune.

    Args:
      text: the file.

    Returns:
      The tunes in the file's order; those without music are left out.

    >>> [(tune.number, tune.title) for tune in split_tunes("X:7\\nT:Air\\nK:C\\nCDE")]
    [('7', 'Air')]
    """
    shared: list[tuple[int, str]] = []
    tunes: list[list[tuple[int, str]]] = []
    current, begun, has_key = shared, False, False
    for number, line in _lines(text):
        if line.startswith("X:"):
            current, begun, has_key = [], False, False
            tunes.append(current)
        if not line:
            if begun and tunes:  # what follows is text between tunes
                current, has_key = [], False
            continue
        current.append((number, line))
        has_key = has_key or line.startswith("K:")
        begun = has_key and (begun or not re.match(r"[A-Za-z+]:(?![|:])", line))
    defaults = [(n, line) for n, line in shared if re.match(r"[LMUmI]:|%%", line)]
    with_keys = [lines for lines in tunes or [shared] if any(s.startswith("K:") for _, s in lines)]
    return [_source(lines, defaults if tunes else []) for lines in with_keys]


def parse_key(text: str) -> Key:
    """Read what follows ``K:``.

    Args:
      text: such as "D", "F# minor", "Dmix=c", "D exp _b _e ^f", "none" or "C bass transpose=-2".

    Returns:
      The key, with explicit accidentals in it.

    Raises:
      DataError: the text names no key.

    >>> parse_key("Edor").alterations
    {'F': 1, 'C': 1}
    """
    properties, rest = _properties(text)
    word = re.match(r"([A-Ga-g])([#b]?)[ \t]*([A-Za-z]*)", rest)
    mode = word[3].lower() if word else ""
    if word and mode and not (mode in _MODES or (len(mode) > 2 and mode[:3] in _MODES)):
        known = mode == "exp"
        word = word if known else re.match(r"([A-Ga-g])([#b]?)(?![A-Za-z])()", rest)
        mode = "exp" if known else ""
    if not rest:
        return Key(properties=properties)
    if rest.lower().startswith("none"):
        alterations, found, tail = {}, (None, None, None), rest[4:]
    elif rest[:2] in ("HP", "Hp"):
        alterations, found, tail = {"F": 1, "C": 1}, (2, 4, "major"), rest[2:]
    elif word and mode == "exp":
        alterations, found, tail = {}, (None, None, None), rest[word.end() :]
    elif word:
        tonic = _ORDER.index(word[1].upper()) - 1 + {"": 0, "#": 7, "b": -7}[word[2]]
        signature = tonic + _MODES[mode if mode in _MODES else mode[:3]]
        alterations = _alterations(signature)
        found = (signature, tonic, "minor" if mode[:3] in _MINOR else "major")
        tail = rest[word.end() :]
    elif re.match(r"(\^\^?|__?|=)[A-Ga-g]", rest):
        alterations, found, tail = {}, (None, None, None), rest
    else:
        raise DataError(f"K:{printable(text)} names no key: write it like K:D, K:Em or K:A mix")
    given = re.findall(r"(\^\^|\^|__|_|=)[ \t]*([A-Ga-g])", tail)
    if given:
        changed = {letter.upper(): _ALTERATIONS[sign] for sign, letter in given}
        alterations = {k: v for k, v in {**alterations, **changed}.items() if v}
        standard = [n for n in range(-7, 8) if _alterations(n) == alterations]
        found = (standard[0] if standard else found[0], *found[1:])
    return Key(alterations, *found, properties)


def parse_metre(text: str) -> Metre:
    """Read what follows ``M:``.

    Args:
      text: such as "4/4", "C|", "2+3/8", "(2+3)/8" or "none".

    Returns:
      The metre; "none" has the text "4/4" and no bar length.

    Raises:
      DataError: the text is no metre, or a number in it is 0 or above 64.

    >>> parse_metre("2+3/8")
    Metre(text='5/8', bar=Fraction(5, 2), beat=Fraction(1, 2))
    """
    written = re.sub(r"[\s()]", "", text)
    known = {"C": "4/4", "C|": "2/2", "c": "4/4", "c|": "2/2"}
    written = known.get(written, written)
    if written.lower() in ("", "none"):
        return Metre("4/4", None, Fraction(1))
    found = re.fullmatch(r"(\d{1,3}(?:\+\d{1,3})*)/(\d{1,3})", written)
    if found is None:
        raise DataError(
            f"M:{printable(text)} is no metre: write it like M:4/4, M:2+3/8, M:C or M:none"
        )
    upper, lower = sum(int(number) for number in found[1].split("+")), int(found[2])
    if not (1 <= upper <= _MAX_NUMBER and 1 <= lower <= _MAX_NUMBER):
        raise DataError(f"M:{printable(text)}: a number above {_MAX_NUMBER}, or 0")
    if 16 % lower:
        raise DataError(
            f"M:{printable(text)}: the beat is 1, 1/2, 1/4, 1/8 or 1/16 of a whole note"
        )
    return Metre(f"{upper}/{lower}", Fraction(4 * upper, lower), Fraction(4, lower))


def parse_unit(text: str) -> Fraction:
    """Read what follows ``L:``, in quarter notes.

    Raises:
      DataError: the text is no note length, or a number in it is 0 or above 64.

    >>> parse_unit("1/8")
    Fraction(1, 2)
    """
    found = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", re.sub(r"\s", "", text))
    if found is None:
        raise DataError(f"L:{printable(text)} is no note length: write it like L:1/8")
    numbers = int(found[1]), int(found[2] or 1)
    if not all(1 <= number <= _MAX_NUMBER for number in numbers):
        raise DataError(f"L:{printable(text)}: a number above {_MAX_NUMBER}, or 0")
    return Fraction(4 * numbers[0], numbers[1])


def parse_tempo(text: str, unit: Fraction | None) -> float | None:
    """Quarter notes per minute of what follows ``Q:``, None where it gives no number.

    >>> parse_tempo("3/8=40", None)
    60.0
    """
    beats, _, rate = re.sub(r'"[^"]*"', "", text).rpartition("=")
    number = re.fullmatch(r"\s*(\d{1,3})\s*", rate)
    if number is None or not int(number[1]):
        return None
    notes = re.findall(r"(\d{1,2})/(\d{1,2})", beats)
    quarters = sum(Fraction(4 * int(a), int(b)) for a, b in notes if int(b)) or unit or Fraction(1)
    return float(quarters * int(number[1]))


def parse_voice(text: str) -> tuple[str, dict[str, str]]:
    """Read what follows ``V:``: the voice's identifier and its properties.

    >>> parse_voice('T1 clef=treble-8 name="Tenor"')
    ('T1', {'clef': 'treble-8', 'name': 'Tenor'})
    """
    identifier, _, rest = text.strip().partition(" ")
    return identifier, _properties(rest)[0]


def _properties(text: str) -> tuple[dict[str, str], str]:
    """Properties of a voice in a ``K:`` or ``V:`` field, and what is left of the text without them."""
    found = {name.lower(): value.strip('"') for name, value in _PROPERTY.findall(text)}
    rest = _PROPERTY.sub(" ", text).strip()
    clef = re.search(r"(?<!\S)(treble|bass|alto|tenor|perc|[cC]lef)\S*", rest)
    if clef:
        found.setdefault("clef", clef[0])
        rest = (rest[: clef.start()] + rest[clef.end() :]).strip()
    if "nm" in found:
        found.setdefault("name", found["nm"])
    return found, rest


def _alterations(signature: int) -> dict[str, int]:
    """Semitones per letter for a number of sharps, or flats below 0; beyond 7, double ones."""
    each = {letter: (signature - place + 6) // 7 for place, letter in enumerate(_ORDER)}
    return {letter: semitones for letter, semitones in each.items() if semitones}


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, stripped; blocks of text and PostScript are left out, directives are kept."""
    block = None
    for number, line in enumerate(re.sub(r"\r+\n?", "\n", text.lstrip("\ufeff")).split("\n"), 1):
        line = line.strip(" \t")
        opened = re.match(r"%%begin(\w+)", line)
        if block is not None:
            block = None if line.startswith(f"%%end{block}") else block
        elif opened:
            block = opened[1]
        elif line.startswith("%%") or not line:
            yield number, line
        else:
            line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
            if line:
                yield number, line


def _source(lines: list[tuple[int, str]], defaults: list[tuple[int, str]]) -> AbcSource:
    def first(letter):
        return next((s[2:].strip() for _, s in lines if s.startswith(letter)), "")

    title = "".join(character for character in first("T:") if character.isprintable())
    return AbcSource(first("X:"), title, first("R:"), [*defaults, *lines])


def printable(text: str) -> str:
    """The beginning of a text from a file, safe to print."""
    return "".join(c if c.isprintable() else "?" for c in text.strip()[:30])
