"""The widget behind :func:`musiclab.show.roll`; apart from it, since importing a widget imports IPython."""

from __future__ import annotations

import anywidget
import numpy as np
import traitlets

from musiclab.data.piece import REST, Piece
from musiclab.show import web

__all__ = ["Roll"]


class Roll(anywidget.AnyWidget):
    """Widget that :func:`roll` returns: the melody in it is :attr:`piece`, whatever the mouse has done meanwhile.

    Attributes:
      notes: a list of [step, pitch, length], 16ths and MIDI numbers, in order of time; one note at
        a time.
      answer: what stands below the roll.
    """

    _esm = web.bundle("roll")

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
                raise traitlets.TraitError(
                    f"{note!r} is no note: [step, pitch, length], three whole numbers"
                )
            step, pitch, length = note
            if (
                step < end
                or length < 1
                or step + length > self.steps
                or not self.low <= pitch <= self.high
            ):
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
        return Piece(
            voice, onsets, pickup=self.pickup, time_signature=self.time_signature, name=self.title
        )

    def __repr__(self):
        return f"<{self.title}: a piano roll to draw into, {len(self.notes)} notes in {self.steps} steps>"
