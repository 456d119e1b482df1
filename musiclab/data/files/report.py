"""The reading report: what was changed to put a music file onto the 16th grid."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReadingReport"]


@dataclass(frozen=True)
class ReadingReport:
    """What :func:`musiclab.data.read_music` changed in a file's notes.

    Attributes:
      notes: notes in the file, drums not counted.
      moved: notes whose onset was rounded to the grid.
      median, largest: how far those moved, in 16ths; at most half a 16th.
      resized: other notes whose end was rounded, or shortened where it overlapped the next note.
      cut: notes that a pedal or a lower note held, cut because another note needed the voice.
      merged: notes that doubled another of the same pitch and onset.
      dropped: notes left out: too fast for the grid, or not the highest (``chords="top"``).
      drums: drum notes left out.
      retuned: microtonal notes moved to the nearest key of the piano.
      parts: tracks, or voices of staves, in the file. voices: those of the piece.
      bpm: tempo at the start, quarter notes per minute, None where the file has none: a piece has
        no tempo.
      tempo_changes: tempo changes that were ignored.

    >>> print(ReadingReport(notes=8, parts=1, voices=3, moved=2, median=0.25, largest=0.33))
    8 notes in 1 part, read as 3 voices.
    2 onsets rounded to the grid of 16ths: median 0.25, largest 0.33 of a 16th.
    """

    notes: int = 0
    moved: int = 0
    median: float = 0.0
    largest: float = 0.0
    resized: int = 0
    cut: int = 0
    merged: int = 0
    dropped: int = 0
    drums: int = 0
    retuned: int = 0
    parts: int = 0
    voices: int = 0
    bpm: float | None = None
    tempo_changes: int = 0

    @property
    def unchanged(self) -> bool:
        """Whether every pitch, onset and end is as it was in the file."""
        changes = (self.moved, self.resized, self.cut, self.merged, self.dropped, self.drums)
        return not any(changes) and not self.retuned

    def __str__(self):
        lines = [
            f"{_count(self.notes, 'note')} in {_count(self.parts, 'part')}, "
            f"read as {_count(self.voices, 'voice')}."
        ]
        if self.moved:
            lines.append(
                f"{_count(self.moved, 'onset')} rounded to the grid of 16ths: median "
                f"{self.median:.2f}, largest {self.largest:.2f} of a 16th."
            )
        if self.resized:
            lines.append(f"{_count(self.resized, 'note')} shortened or lengthened to fit the grid.")
        if self.cut:
            lines.append(f"{_count(self.cut, 'held note')} cut where the voice's next note starts.")
        if self.merged:
            lines.append(f"{_count(self.merged, 'doubled note')} merged.")
        if self.dropped:
            lines.append(f"{_count(self.dropped, 'note')} left out.")
        if self.drums:
            lines.append(f"{_count(self.drums, 'drum note')} left out.")
        if self.retuned:
            lines.append(f"{_count(self.retuned, 'microtonal note')} moved to the nearest key.")
        if self.bpm is not None:
            after = (
                f", {_count(self.tempo_changes, 'change')} ignored" if self.tempo_changes else ""
            )
            lines.append(f"Tempo in the file: {self.bpm:.4g} quarter notes per minute{after}.")
        return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
