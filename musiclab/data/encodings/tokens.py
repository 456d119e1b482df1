"""Tokens: one rest, hold or struck pitch per voice and step, and back to a piece."""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.piano_roll import check_range
from musiclab.data.piece import REST, Piece

__all__ = [
    "decode_tokens",
    "encode_tokens",
]

REST_TOKEN, HOLD_TOKEN, FIRST_PITCH_TOKEN = 0, 1, 2


def encode_tokens(x: Piece, low: int = 21, high: int = 108) -> np.ndarray:
    """One token per voice and step: a rest, a hold, or a pitch that is struck.

    Equation: (1.3)

    Args:
      x: a piece.
      low: lowest MIDI pitch of the vocabulary.
      high: highest, inclusive; there are high - low + 3 tokens.

    Returns:
      int64 (T, V): 0 = rest, 1 = hold, pitch - low + 2 = struck.

    Raises:
      ValueError: if a note lies outside low..high.

    >>> encode_tokens(Piece([[60], [60], [-1]]), low=60, high=72)[:, 0]
    array([2, 1, 0])
    """
    check_range(x.voices, low, high)
    struck = x.voices.astype(np.int64) - low + FIRST_PITCH_TOKEN
    return np.where(x.onsets, struck, np.where(x.voices >= 0, HOLD_TOKEN, REST_TOKEN))  # Eq. (1.3)


def decode_tokens(tokens: np.ndarray, low: int = 21, high: int = 108, **attributes) -> Piece:
    """Read tokens as music. Every sequence is music: a hold with nothing to hold is a rest.

    Args:
      tokens: integers (T, V) or (T,), each 0 .. high - low + 2.
      low: as in :func:`encode_tokens`.
      high: as in :func:`encode_tokens`.
      **attributes: passed on to :class:`Piece`, such as ``name`` or ``pickup``.

    Returns:
      A piece of T steps and V voices.

    Raises:
      ValueError: if a token is no integer or not in the vocabulary; the message names it.

    >>> decode_tokens(np.array([1, 2, 1]), low=60, high=72).voices[:, 0].tolist()
    [-1, 60, 60]
    """
    tokens = np.asarray(tokens)
    if tokens.ndim == 1:
        tokens = tokens[:, None]
    top = high - low + FIRST_PITCH_TOKEN
    if tokens.ndim != 2 or not np.issubdtype(tokens.dtype, np.integer):
        raise ValueError(
            f"tokens are integers (steps, voices), not {tokens.dtype} of shape {tokens.shape}"
        )
    if tokens.size and (tokens.min() < 0 or tokens.max() > top):
        raise ValueError(
            f"tokens run from 0 to {top} for pitches {low}-{high}; found {tokens.min()} to {tokens.max()}"
        )
    steps = np.arange(len(tokens))[:, None]
    # the last step at which a voice was told anything but "hold"; -1 before the first
    told = np.maximum.accumulate(np.where(tokens == HOLD_TOKEN, -1, steps), axis=0)
    current = np.where(
        told >= 0, np.take_along_axis(tokens, np.maximum(told, 0), axis=0), REST_TOKEN
    )
    voices = np.where(current >= FIRST_PITCH_TOKEN, current - FIRST_PITCH_TOKEN + low, REST)
    return Piece(voices, tokens >= FIRST_PITCH_TOKEN, **attributes)
