"""Lists of notes laid onto the 16th grid: what every reader of music files shares.

Lessons: 01.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from musiclab.data.piece import NO_SPELLING, REST
from musiclab.data.store import DataError

__all__ = ["MAX_NOTES", "MAX_STEPS", "MAX_VOICES", "SOFTWARE", "Note", "lay_out", "voice_order"]

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
            held = note.tied and before is not None and before.stop == note.start and before.pitch == note.pitch
            onsets[note.start, voice] = not held
            pitches[note.start : note.stop, voice] = note.pitch
            # a tie is one note, so it has one name
            spelling[note.start : note.stop, voice] = spelling[note.start - 1, voice] if held else note.spelling
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
