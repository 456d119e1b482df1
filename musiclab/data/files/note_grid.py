"""Lists of notes laid onto the 16th grid: what every reader of music files shares.

Lessons: 01.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from musiclab.data.files.storage import DataError
from musiclab.data.piece import NO_SPELLING, REST, Piece

__all__ = [
    "MAX_NOTES",
    "MAX_STEPS",
    "MAX_VOICES",
    "SOFTWARE",
    "Bar",
    "Note",
    "bars_of",
    "lay_out",
    "metre_of",
    "round_step",
    "voice_order",
]

MAX_STEPS = 65_536
"""The longest piece that is read: 4,096 bars of 4/4."""

MAX_NOTES = 20_000
"""The most notes in one file: some eighty chorales."""

MAX_VOICES = 32

SOFTWARE = "musiclab"
"""How files written here say so; in them a short bar is what it seems."""

_RANKS = {"soprano": 0, "alto": 1, "tenor": 2, "bass": 3, "melody": 0}


class Note(NamedTuple):
    """A note on the grid: steps [start, stop), MIDI pitch, line-of-fifths spelling, tied to the note before, where."""

    start: int
    stop: int
    pitch: int
    spelling: int = NO_SPELLING
    tied: bool = False
    where: str = ""


@dataclass
class Bar:
    """One bar of a file, in steps; a length is exact even where it is off the grid.

    Attributes:
      length: how long it lasts.
      nominal: how long the time signature asks it to last.
      beat: length of its beat.
      unnumbered: whether the file numbers it 0 or hides its number, as pickups are.
    """

    length: Fraction
    nominal: Fraction
    beat: int
    unnumbered: bool = False


def metre_of(bars: list[Bar], starts: list[int], literal: bool) -> dict:
    """Downbeats, beats and pickup of a piece from the bars in its file.

    A short first bar is a pickup; two short bars in a row that together fill a bar count as one, since editors
    cut a bar in two at a repeat or at a line's end.

    Lesson: 01

    Args:
      bars: the file's bars.
      starts: step where each starts, and where the last stops.
      literal: take each bar for what it is; only an unnumbered first one is a pickup.

    Returns:
      ``downbeats``, ``beat`` and ``pickup`` as :class:`Piece` wants them.

    >>> three_one = [Bar(12, 16, 4), Bar(16, 16, 4)]
    >>> metre_of(three_one, [0, 12, 28], literal=False)["pickup"]
    12
    """
    first, steps = bars[0], starts[-1]
    pickup = first.unnumbered if literal else first.length < first.nominal and len(bars) > 1
    downbeats, beat = np.zeros(steps, bool), np.zeros(steps, np.int8)
    open_since, filled = 0, Fraction(0)
    for index, bar in enumerate(bars):
        start, stop = starts[index], starts[index + 1]
        position = np.arange(start, stop)
        if index == 0 and pickup:
            beat[:stop] = (position - stop) % round_step(bar.nominal) // bar.beat
            continue
        if not literal and 0 < filled == bar.nominal - bar.length:
            filled = bar.nominal  # the second half of a bar
        else:
            open_since, filled = start, bar.length
            downbeats[start:stop][:1] = True
        beat[start:stop] = (position - open_since) // bar.beat
    return {"downbeats": downbeats, "beat": beat, "pickup": starts[1] if pickup else 0}


def bars_of(piece: Piece) -> list[tuple[int, int, int]]:
    """Start, stop and beat length of each bar, its pickup included, in steps.

    The beat length is that of the bar before (at first: of the time signature) unless the bar's ``beat`` contradicts
    it, as it does where the metre changes from 4/4 to 3/2.

    Lesson: 01

    >>> bars_of(Piece([60] * 20, pickup=4))
    [(0, 4, 4), (4, 20, 4)]
    """
    own = 16 // int(piece.time_signature.split("/")[1])
    bars, unit = [], own
    for start, stop in pairwise(
        sorted({0, *np.flatnonzero(piece.downbeats).tolist(), piece.steps})
    ):
        if piece.downbeats[start]:
            position, beat = np.arange(stop - start), piece.beat[start:stop]
            fitting = (
                u for u in (unit, own, 1, 2, 4, 8, 16) if np.array_equal(position // u, beat)
            )
            unit = next(fitting, own)
        bars.append((start, stop, unit))
    return bars


def round_step(steps: Fraction) -> int:
    """The nearest step; halfway is rounded up.

    >>> round_step(Fraction(5, 2))
    3
    """
    return math.floor(steps + Fraction(1, 2))


def lay_out(voices: list[list[Note]], steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write notes into arrays, one column per voice.

    Lesson: 01

    Args:
      voices: the notes of each voice, in any order.
      steps: length T of the piece.

    Returns:
      voices int16 (T, V), onsets bool (T, V) and spelling int8 (T, V) as :class:`Piece` wants them.

    Raises:
      DataError: too long, no notes, too many notes or voices, or two notes at once in one voice.

    >>> lay_out([[Note(0, 2, 60), Note(2, 3, 62)]], 4)[0][:, 0].tolist()
    [60, 60, 62, -1]
    """
    count = sum(len(notes) for notes in voices)
    if not count:
        raise DataError("there are no notes in it")
    if steps > MAX_STEPS or count > MAX_NOTES or len(voices) > MAX_VOICES:
        raise DataError(
            f"{steps} steps of a 16th, {count} notes, {len(voices)} voices: the most that is read is "
            f"{MAX_STEPS} steps, {MAX_NOTES} notes, {MAX_VOICES} voices; cut out a part of it"
        )
    shape = (steps, len(voices))
    pitches, onsets = np.full(shape, REST, np.int16), np.zeros(shape, bool)
    spelling = np.full(shape, NO_SPELLING, np.int8)
    for voice, notes in enumerate(voices):
        before = None
        for note in sorted(notes):
            if before is not None and note.start < before.stop:
                raise DataError(
                    f"{note.where}: two notes at once in one voice; give each a voice (track, part) of its own"
                )
            held = (
                note.tied
                and before is not None
                and before.stop == note.start
                and before.pitch == note.pitch
            )
            onsets[note.start, voice] = not held
            pitches[note.start : note.stop, voice] = note.pitch
            # a tie is one note, so it has one name
            spelling[note.start : note.stop, voice] = (
                spelling[note.start - 1, voice] if held else note.spelling
            )
            before = note
    return pitches, onsets, spelling


def voice_order(names: list[str], voices: list[list[Note]]) -> list[int]:
    """Which voices to keep, highest first.

    Voices called soprano, alto, tenor, bass, melody or "Voice 2" are all kept, in that order, silent or not.
    Otherwise silent ones are dropped and the rest ordered by median pitch; equal ones stay as they are.

    Lesson: 01

    >>> voice_order(["Flute", "Cello", "Oboe"], [[Note(0, 1, 80)], [], [Note(0, 1, 90)]])
    [2, 0]
    """
    ranks = [_rank(name) for name in names]
    if None not in ranks and len(set(ranks)) == len(ranks):
        return sorted(range(len(names)), key=ranks.__getitem__)
    sounding = [index for index, notes in enumerate(voices) if notes]
    return sorted(sounding, key=lambda index: -np.median([note.pitch for note in voices[index]]))


def _rank(name: str) -> int | None:
    numbered = re.fullmatch(r"voice (\d{1,3})", name.strip().lower())
    return int(numbered[1]) if numbered else _RANKS.get(name.strip().lower())
