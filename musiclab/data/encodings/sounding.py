"""Symbols said again at each step: what sounds, and whether it is struck just then.

Lessons: 05.
"""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN, REST_TOKEN
from musiclab.data.encodings.two_bars import HIGH, LOW, end_to_end

__all__ = ["SOUNDS", "from_sounding", "to_sounding"]

SOUNDS = HIGH - LOW + 2  # silence and 48 pitches


def to_sounding(symbols: np.ndarray) -> np.ndarray:
    """The same music said again at each step: what sounds, and whether it is struck just then.

    A lost pitch spoils one step instead of a whole note: easier to learn. Only where a pitch stays does "struck" tell
    anything; a new pitch is always struck, a rest never.

    Lesson: 05

    Args:
      symbols: int (N, T, V).

    Returns:
      int8 (N, T, V, 2): 0 for a rest or 1 to 48 for the pitch that sounds; 1 where it is struck, else 0.

    Raises:
      ValueError: if these are no symbols.

    >>> to_sounding([[[2], [1], [2], [0]]])[0, :, 0].tolist()
    [[1, 1], [1, 0], [1, 1], [0, 0]]
    """
    piece, shape = end_to_end(symbols), np.shape(symbols)
    pitch = np.where(piece.voices >= 0, piece.voices - LOW + 1, 0)
    return np.stack([pitch, piece.onsets], axis=-1).reshape(*shape, 2).astype(np.int8)


def from_sounding(sounding: np.ndarray) -> np.ndarray:
    """The inverse of :func:`to_sounding`; a pitch that is new is struck, whatever was said.

    Lesson: 05

    Args:
      sounding: int (N, T, V, 2), 0 to 48 and 0 or 1.

    Returns:
      Symbols, int8 (N, T, V).

    Raises:
      ValueError: on another shape or other numbers.

    >>> from_sounding([[[[1, 0]], [[1, 0]], [[1, 1]], [[0, 1]]]])[0, :, 0].tolist()
    [2, 1, 2, 0]
    """
    sounding = np.asarray(sounding)
    if sounding.ndim != 4 or sounding.shape[3] != 2:
        raise ValueError(
            f"got shape {sounding.shape}: need (windows, steps, voices, 2), what sounds and whether struck"
        )
    pitch, struck = np.moveaxis(sounding.astype(int), 3, 0)
    if ((pitch < 0) | (pitch >= SOUNDS) | (struck < 0) | (struck > 1)).any():
        raise ValueError(f"what sounds is 0 to {SOUNDS - 1}, struck 0 or 1; found other numbers")
    new = np.diff(pitch, axis=1, prepend=-1) != 0
    held = np.where(struck.astype(bool) | new, pitch + FIRST_PITCH_TOKEN - 1, HOLD_TOKEN)
    return np.where(pitch > 0, held, REST_TOKEN).astype(np.int8)
