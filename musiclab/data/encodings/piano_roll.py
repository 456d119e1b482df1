"""Piano rolls: which keys sound at each step, and back to voices."""

from __future__ import annotations

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["binary_roll", "from_piano_roll", "piano_roll"]


def piano_roll(x: Piece | np.ndarray, low: int = 21, high: int = 108) -> np.ndarray:
    """Which keys sound at each step, on the 88 keys of a piano unless told otherwise.

    A roll forgets who sings a note and whether it is struck again: unisons fall together and
    repeated notes look held. Tokens (:func:`encode_tokens`) keep both.

    Equation: (1.2)

    Args:
      x: a piece, or voices int (T, V) in MIDI pitches with -1 for rests; leading batch axes are
        kept.
      low: lowest MIDI pitch of the roll.
      high: highest, inclusive.

    Returns:
      float32 (T, high - low + 1), 1 where a key sounds, else 0.

    Raises:
      ValueError: if a note lies outside low..high; the message names the pitch.

    >>> piano_roll(np.array([[60, 57], [-1, 57]]), low=57, high=60)
    array([[1., 0., 0., 1.],
           [1., 0., 0., 0.]], dtype=float32)
    """
    voices = _voices(x)
    check_range(voices, low, high)
    keys = np.arange(low, high + 1)
    roll = np.zeros((*voices.shape[:-1], len(keys)), np.float32)
    for voice in np.moveaxis(voices, -1, 0):
        roll[voice[..., None] == keys] = 1.0  # Eq. (1.2)
    return roll


def binary_roll(roll: np.ndarray, keys: int) -> np.ndarray:
    """Check that a roll has a given number of keys and holds only 0 and 1.

    Args:
      roll: (T, keys).
      keys: columns expected.

    Returns:
      float32 (T, keys).

    Raises:
      ValueError: on another shape, no step, or other numbers.

    >>> binary_roll(np.array([[0, 1]]), keys=2)
    array([[0., 1.]], dtype=float32)
    """
    roll = np.asarray(roll, np.float32)
    if roll.ndim != 2 or len(roll) == 0 or roll.shape[1] != keys:
        raise ValueError(f"a roll has shape {roll.shape}: need (T, {keys}), T at least 1")
    if not np.isin(roll, (0, 1)).all():
        raise ValueError("a roll has entries other than 0 and 1: threshold it first, roll >= 0.5")
    return roll


def from_piano_roll(
    roll: np.ndarray, low: int = 21, threshold: float = 0.5, n_voices: int = 4, **attributes
) -> Piece:
    """Read a roll, or a model's probabilities for one, as voices.

    At each step the up to ``n_voices`` strongest cells at or above ``threshold`` sound, highest
    pitch in the first voice. A pitch that its voice already had is held: a roll does not say more.

    Args:
      roll: float (T, K), cell k is MIDI pitch low + k.
      low: MIDI pitch of the first column.
      threshold: the weakest cell that still sounds.
      n_voices: voices of the piece; with fewer cells sounding, the lower voices rest.
      **attributes: passed on to :class:`Piece`, such as ``name`` or ``tonic``.

    Returns:
      A piece of T steps.

    Raises:
      ValueError: if the roll is not (T, K) of finite numbers, or reaches past MIDI pitch 127.

    >>> from_piano_roll(np.array([[0.9, 0.2, 0.8]]), low=60, n_voices=2).voices.tolist()
    [[62, 60]]
    """
    roll = np.asarray(roll, float)
    if roll.ndim != 2 or 0 in roll.shape or not np.isfinite(roll).all():
        raise ValueError(
            f"a roll is (steps, keys) of finite numbers, not {roll.dtype} of shape {roll.shape}"
        )
    if low < 0 or low + roll.shape[1] - 1 > 127:
        raise ValueError(f"{roll.shape[1]} keys from {low} up reach past MIDI pitch 127")
    n = min(n_voices, roll.shape[1])
    strongest = np.argsort(-roll, axis=1, kind="stable")[:, :n]
    sounding = np.take_along_axis(roll, strongest, axis=1) >= threshold
    pitches = np.where(sounding, strongest + low, REST)
    voices = np.full((len(roll), n_voices), REST)
    voices[:, :n] = -np.sort(-pitches, axis=1)
    return Piece(voices, **attributes)


def check_range(voices, low, high):
    sounding = voices[voices != REST]
    if sounding.size and not (low <= sounding.min() and sounding.max() <= high):
        outside = sounding.min() if sounding.min() < low else sounding.max()
        raise ValueError(
            f"MIDI pitch {outside} is outside {low}-{high}: transpose the piece or widen the range"
        )


def _voices(x):
    voices = x.voices if isinstance(x, Piece) else np.asarray(x)
    if voices.ndim < 2 or not np.issubdtype(voices.dtype, np.integer):
        raise ValueError(
            f"voices are integers (steps, voices), not {voices.dtype} of shape {voices.shape}"
        )
    return voices
