"""Counterpoint table: learned logits for the way two voices move from one moment to the next."""

from __future__ import annotations

import keras
from keras import ops

__all__ = ["CounterpointTable"]

OCTAVE = 12
MOTIONS = ("contrary", "oblique", "similar")
"""What the last axis of the table counts: opposite directions, one voice stays, the same direction."""


@keras.saving.register_keras_serializable(package="musiclab")
class CounterpointTable(keras.Layer):
    """Learned logit of a move of two voices, by their interval before, their interval now, and motion.

    T[pair, (a - b) mod 12, (a' - b') mod 12, motion], where an upper voice goes from a to a' and a
    lower one from b to b'. Only differences of pitches enter, so a transposed move has the same
    logit. There is a table for each pair of voices, 432 numbers each, zeros at first.

    A model adds the entry to the logit of each candidate pitch, once for each voice that it knows:
    the candidates are passed in place of one of the four pitches and broadcast against the others.
    Candidates for ``upper_now`` or ``lower_now`` ask how a voice should go on; candidates for
    ``upper_before`` or ``lower_before`` ask what should lead to a known next pitch.

    Equation: (8.8)

    Args:
      pairs: number of pairs of voices.

    Raises:
      ValueError: if pairs is not a positive integer.

    >>> table = CounterpointTable()
    >>> table.logits(8, [9, 10, 11], 1, 3).shape  # from a fifth, while the lower rises by a tone
    TensorShape([3])
    """

    def __init__(self, pairs=1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(pairs, bool) or not isinstance(pairs, int) or pairs < 1:
            raise ValueError(f"{pairs!r} pairs of voices: need a positive integer")
        self.pairs = pairs
        shape = (pairs, OCTAVE, OCTAVE, len(MOTIONS))
        self.table = self.add_weight(shape, "zeros", name="table")
        self.built = True

    def logits(self, upper_before, upper_now, lower_before, lower_now, pair=0):
        """Logits of moves, of the shape that the arguments have when broadcast together.

        Args:
          upper_before, upper_now, lower_before, lower_now: integers, 0 = nothing sounds, else
            pitches numbered by semitones from 1 (or MIDI pitches).
          pair: integer or integers, 0 to pairs - 1: which table to read.

        Returns:
          Float tensor; 0 where one of the four is silent.
        """
        pitches = (upper_before, upper_now, lower_before, lower_now)
        up, up_now, low, low_now = (ops.cast(pitch, "int32") for pitch in pitches)
        before, now = ops.mod(up - low, OCTAVE), ops.mod(up_now - low_now, OCTAVE)
        motion = ops.sign((up_now - up) * (low_now - low)) + 1  # an index into MOTIONS
        entry = ((pair * OCTAVE + before) * OCTAVE + now) * len(MOTIONS) + motion
        logits = ops.take(ops.reshape(self.table, (-1,)), entry)  # Eq. (8.8)
        silent = (up == 0) | (up_now == 0) | (low == 0) | (low_now == 0)
        return ops.where(silent, 0.0, logits)

    def get_config(self):
        """Arguments stored in ``.keras`` files."""
        return {**super().get_config(), "pairs": self.pairs}
