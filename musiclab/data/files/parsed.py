"""A parsed music file: parts of notes at exact times, bars and signatures, before the 16th grid.

Every reader (MIDI, MusicXML, ABC) returns a :class:`ParsedMusic`;
:func:`musiclab.data.files.note_grid.to_grid` makes a piece of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from musiclab.data.files.storage import DataError
from musiclab.data.piece import NO_SPELLING

__all__ = ["MAX_NOTES", "MAX_STEPS", "Bar", "Note", "ParsedMusic", "ParsedNote", "ParsedPart"]

MAX_STEPS = 65_536
"""The longest piece that is read: 4,096 bars of 4/4."""

MAX_NOTES = 50_000
"""The most notes in one file: two hours of piano music."""


class ParsedNote(NamedTuple):
    """A note at its exact time, in steps of a 16th from the beginning of the piece.

    Attributes:
      start, stop: exact, on the grid or off it.
      pitch: MIDI 0-127.
      spelling: line of fifths, -128 where the file does not say.
      velocity: MIDI 1-127, 0 where the file does not say.
      ring: when the sound ends if a pedal holds it beyond ``stop``, else None.
      where: the place in the file, for messages: "Alto, bar 7".
    """

    start: Fraction
    stop: Fraction
    pitch: int
    spelling: int = NO_SPELLING
    velocity: int = 0
    ring: Fraction | None = None
    where: str = ""


class Note(NamedTuple):
    """A note on the grid: steps [start, stop), MIDI pitch, and what it was in the file."""

    start: int
    stop: int
    pitch: int
    source: ParsedNote


@dataclass
class ParsedPart:
    """The notes of a track, or of one voice of a staff, tied notes joined, in any order.

    Attributes:
      name: as the file gives it, "" for none.
      notes: chords are notes at one time.
    """

    name: str
    notes: list[ParsedNote]


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


@dataclass
class ParsedMusic:
    """What a music file holds.

    Attributes:
      parts: drums left out.
      bars: they cover the whole piece.
      attributes: ``name``, ``time_signature``, ``tonic``, ``mode``, ``key_method`` and
        ``key_signature`` of the piece, as far as the file says.
      literal: each bar is what it is; False where editors cut bars in two.
      ordered: the parts stand in the order wanted, which is else found by name and pitch.
      fermatas: exact times, in steps.
      played: onsets may be a little early or late and ends are not exact, as in MIDI.
      drums: drum notes left out. retuned: microtonal notes moved to the nearest key.
      bpm: tempo at the start, quarter notes per minute, None where unknown.
      tempo_changes: how many different tempos follow.
    """

    parts: list[ParsedPart]
    bars: list[Bar]
    attributes: dict = field(default_factory=dict)
    literal: bool = False
    ordered: bool = False
    fermatas: list[Fraction] = field(default_factory=list)
    played: bool = False
    drums: int = 0
    retuned: int = 0
    bpm: float | None = None
    tempo_changes: int = 0

    def check_size(self) -> None:
        """Refuse what is empty or would fill the memory."""
        steps = sum(bar.length for bar in self.bars)
        if steps > MAX_STEPS:
            raise DataError(
                f"it lasts {float(steps):.0f} steps of a 16th: the most that is read is {MAX_STEPS}; "
                "cut out a part of it"
            )
        count = sum(len(part.notes) for part in self.parts)
        if not count and self.drums:
            raise DataError("all its notes are drums: there is no pitch to read")
        if not count:
            raise DataError("there are no notes in it")
        if count > MAX_NOTES:
            raise DataError(
                f"it has {count} notes: the most that is read is {MAX_NOTES}; cut out a part of it"
            )
