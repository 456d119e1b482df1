"""A piano roll to draw a melody into, with the mouse or with the keyboard alone, to hear it and hand it to a model.

Lessons: 06.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from musiclab.data.piece import REST, Piece
from musiclab.show.html import as_piece

__all__ = ["Roll", "roll"]

_MAX_STEPS = 256


class Roll(anywidget.AnyWidget):
    """What :func:`roll` returns: the melody in it is :attr:`piece`, whatever the mouse has done meanwhile.

    Lesson: 06

    Attributes:
      notes: a list of [step, pitch, length], 16ths and MIDI numbers, in order of time; one note at a time.
      answer: what stands below the roll.
    """

    _esm = Path(__file__).with_name("roll.js")

    notes = traitlets.List().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)
    bar = traitlets.Int().tag(sync=True)
    beat = traitlets.Int().tag(sync=True)
    pickup = traitlets.Int().tag(sync=True)
    low = traitlets.Int().tag(sync=True)
    high = traitlets.Int().tag(sync=True)
    bpm = traitlets.Float().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    time_signature = "4/4"

    @traitlets.validate("notes")
    def _sound(self, proposal):
        """What a page sends is checked like what a program passes."""
        end = 0
        for note in proposal["value"]:
            if len(note) != 3 or not all(isinstance(number, int) for number in note):
                raise traitlets.TraitError(f"{note!r} is no note: [step, pitch, length], three whole numbers")
            step, pitch, length = note
            if step < end or length < 1 or step + length > self.steps or not self.low <= pitch <= self.high:
                raise traitlets.TraitError(
                    f"note {note!r}: one note at a time, in order, within {self.steps} steps "
                    f"and the pitches {self.low} to {self.high}"
                )
            end = step + length
        return proposal["value"]

    @property
    def piece(self) -> Piece:
        """The melody as a :class:`~musiclab.data.Piece` with one voice."""
        voice, onsets = np.full(self.steps, REST), np.zeros(self.steps, bool)
        for step, pitch, length in self.notes:
            voice[step : step + length] = pitch
            onsets[step] = True
        return Piece(voice, onsets, pickup=self.pickup, time_signature=self.time_signature, name=self.title)

    def __repr__(self):
        return f"<{self.title}: a piano roll to draw into, {len(self.notes)} notes in {self.steps} steps>"


def roll(
    x=None, ask: Callable[[Piece], object] | None = None, bars: int = 2, bpm: float = 80, title="Your melody"
) -> Roll:
    """A melody to change: click or drag, or arrow keys and the space bar; it plays in the page.

    Lesson: 06

    Args:
      x: the melody to begin with, in any form that :func:`musiclab.show.score` takes but a stream; its highest voice
        is taken. Default: ``bars`` empty bars in 4/4.
      ask: called with the melody as a piece, at once and after each change; what it returns is written below the roll.
      bars: length of an empty roll, 1 to 16.
      bpm: quarter notes per minute when played.
      title: its name.

    Returns:
      A widget: end a cell with it. ``.piece`` is the melody as it stands.

    Raises:
      ValueError: if ``x`` is no music or longer than 256 steps, or ``bars`` or ``bpm`` is out of range.

    >>> melody = roll([60, 60, 62, -1], title="Two notes")
    >>> melody.notes
    [[0, 60, 2], [2, 62, 1]]
    >>> melody.piece
    Piece('Two notes': 4 steps, 1 voice, 4/4)
    """
    if not 1 <= bars <= 16:
        raise ValueError(f"bars is {bars}: between 1 and 16")
    if not 20 <= bpm <= 300:
        raise ValueError(f"bpm is {bpm}: between 20 and 300 quarter notes per minute")
    piece = Piece(np.full(16 * bars, REST)) if x is None else as_piece(x)
    if piece.steps > _MAX_STEPS:
        raise ValueError(f"{piece.steps} steps are too many to draw into: at most {_MAX_STEPS}; cut it with excerpt")
    voice, onsets = piece.voices[:, 0], piece.onsets[:, 0]
    starts = np.flatnonzero(onsets)
    stops = [
        int(np.argmax(np.append(voice[s + 1 :] < 0, True) | np.append(onsets[s + 1 :], True))) + s + 1 for s in starts
    ]
    pitches = voice[starts] if len(starts) else np.array([60, 72])
    beats, unit = (int(number) for number in piece.time_signature.split("/"))
    widget = Roll(
        steps=piece.steps,
        beat=16 // unit,
        bar=beats * 16 // unit,
        pickup=piece.pickup,
        low=max(0, int(pitches.min()) - 5),
        high=min(127, int(pitches.max()) + 5),
        bpm=float(bpm),
        title=title,
    )
    widget.time_signature = piece.time_signature
    widget.notes = [[int(s), int(voice[s]), int(e - s)] for s, e in zip(starts, stops)]
    if ask is not None:
        widget.observe(lambda _: _answer(widget, ask), "notes")
        _answer(widget, ask)
    return widget


def _answer(widget, ask):
    """An empty or odd melody is no reason for a traceback that nobody sees."""
    try:
        widget.answer = str(ask(widget.piece))
    except ValueError as error:
        widget.answer = f"No answer: {error}"
