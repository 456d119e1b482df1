"""Two bars of four voices as one choice of 50 symbols per voice and step: what lessons 05, 10 and 11 learn from.

The symbols are the tokens of lesson 01 (Eq. 1.3): 0 is a rest, 1 a hold, 2 to 49 a pitch that is struck. So
whatever a model emits is music with its attacks.

Lessons: 05, 10, 11.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.corpora.chorales import load_chorales
from musiclab.data.encodings.piano_roll import piano_roll
from musiclab.data.encodings.tokens import (
    FIRST_PITCH_TOKEN,
    HOLD_TOKEN,
    REST_TOKEN,
    decode_tokens,
    encode_tokens,
)
from musiclab.data.encodings.transposition import to_common_key
from musiclab.data.encodings.windows import windows
from musiclab.data.piece import Piece

__all__ = [
    "HIGH",
    "LOW",
    "STEPS",
    "SYMBOLS",
    "VOICES",
    "check_symbols",
    "choose",
    "end_to_end",
    "in_all_keys",
    "load_bars",
    "one_hot",
    "rolls",
    "to_pieces",
    "to_symbols",
]

LOW, HIGH = 36, 83  # lowest and highest MIDI pitch: 48 of them
STEPS, VOICES = 32, 4
SYMBOLS = HIGH - LOW + 1 + FIRST_PITCH_TOKEN


def to_symbols(voices: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Windows as :func:`musiclab.data.windows` cuts them, in symbols; those that leave the range are left out.

    Lesson: 05

    Args:
      voices: int (N, T, V), MIDI pitches, -1 for rests. onsets: bool, same shape; each window's first notes are struck.

    Returns:
      int8 (n, T, V), n at most N.

    Raises:
      ValueError: if the shapes differ or have no three axes.

    >>> voices = np.array([[[60], [60], [-1]], [[20], [20], [20]]])
    >>> to_symbols(voices, np.array([[[1], [0], [0]], [[1], [0], [0]]], bool))[..., 0]
    array([[26,  1,  0]], dtype=int8)
    """
    voices, onsets = np.asarray(voices), np.asarray(onsets)
    if voices.ndim != 3 or voices.shape != onsets.shape:
        raise ValueError(
            f"voices have shape {voices.shape}, onsets {onsets.shape}: need both (windows, steps, voices)"
        )
    fits = ((voices < 0) | ((voices >= LOW) & (voices <= HIGH))).all(axis=(1, 2))
    shape = voices[fits].shape
    if not fits.any():
        return np.zeros(shape, np.int8)
    end_to_end = Piece(voices[fits].reshape(-1, shape[2]), onsets[fits].reshape(-1, shape[2]))
    return encode_tokens(end_to_end, LOW, HIGH).reshape(shape).astype(np.int8)


def load_bars(
    split: str, by: str = "benchmark", music: str = "chorales.npz", common_key: bool = False
) -> np.ndarray:
    """All two-bar windows of the chorales of a split, one starting on each downbeat of 4/4, in symbols.

    Lesson: 05

    Args:
      split: "train", "valid" or "test". by: "benchmark" or "melody", as in :func:`musiclab.data.load_chorales`.
      music: the file.
      common_key: whether each chorale is moved to C major or A minor first.

    Returns:
      int8 (N, 32, 4).

    Raises:
      ValueError: on an unknown split. DataError: if the file is missing or damaged.
    """
    pieces = load_chorales(split, by=by, music=music)
    return to_symbols(
        *windows([to_common_key(p) for p in pieces] if common_key else pieces, STEPS // 16)
    )


def in_all_keys(symbols: np.ndarray, shifts: Iterable[int] = range(-5, 7)) -> np.ndarray:
    """Each window moved by each number of semitones that keeps all its notes within the range.

    To draw from these at random is random transposition, without a window that does not fit.

    Lesson: 05

    Args:
      symbols: int (N, T, V). shifts: semitones, positive is up.

    Returns:
      int8 (n, T, V): all windows that fit under the first shift, then the second, and so on.

    Raises:
      ValueError: if these are no symbols.

    >>> in_all_keys([[[2], [1], [0]]], shifts=(-1, 0, 3))[..., 0]
    array([[2, 1, 0],
           [5, 1, 0]], dtype=int8)
    """
    symbols = check_symbols(symbols)
    struck = symbols >= FIRST_PITCH_TOKEN
    moved = []
    for semitones in shifts:
        here = np.where(struck, symbols.astype(int) + semitones, symbols)
        fits = ~struck | ((here >= FIRST_PITCH_TOKEN) & (here < SYMBOLS))
        moved.append(here[fits.all(axis=(1, 2))].astype(np.int8))
    return np.concatenate(moved)


def one_hot(symbols: np.ndarray) -> np.ndarray:
    """A vector of 50 for each symbol, 1 at its place.

    Lesson: 05

    Args:
      symbols: int (N, T, V).

    Returns:
      float32 (N, T, V, 50).

    Raises:
      ValueError: if these are no symbols.

    >>> one_hot([[[1]]])[0, 0, 0, :3]
    array([0., 1., 0.], dtype=float32)
    """
    return np.eye(SYMBOLS, dtype=np.float32)[check_symbols(symbols)]


def choose(scores: np.ndarray) -> np.ndarray:
    """The likeliest symbol of each voice and step; the inverse of :func:`one_hot`.

    Lesson: 05

    Args:
      scores: float (N, T, V, 50): logits, probabilities or one-hot vectors.

    Returns:
      int8 (N, T, V).

    Raises:
      ValueError: if the shape is another, or a score is nan.

    >>> choose(one_hot([[[2, 1, 0]]])).tolist()
    [[[2, 1, 0]]]
    """
    scores = np.asarray(scores)
    if scores.ndim != 4 or scores.shape[3] != SYMBOLS or np.isnan(scores).any():
        raise ValueError(
            f"scores have shape {scores.shape}: need (windows, steps, voices, {SYMBOLS}), none of them nan"
        )
    return scores.argmax(axis=3).astype(np.int8)


def to_pieces(symbols: np.ndarray, name: str = "two bars") -> list[Piece]:
    """Each window as a piece. All symbols are music: a hold with nothing to hold is a rest.

    Lesson: 05

    Args:
      symbols: int (N, T, V). name: of each piece.

    Returns:
      N pieces of T steps.

    Raises:
      ValueError: if these are no symbols.

    >>> to_pieces([[[26], [1]], [[1], [27]]])[1].voices[:, 0].tolist()
    [-1, 61]
    """
    return [
        decode_tokens(window.astype(int), LOW, HIGH, name=name) for window in check_symbols(symbols)
    ]


def rolls(symbols: np.ndarray) -> np.ndarray:
    """Which of the 48 pitches sound, as in lesson 04: what reconstructions are compared by.

    Lesson: 05

    Args:
      symbols: int (N, T, V).

    Returns:
      float32 (N, T, 48) of 0 and 1.

    Raises:
      ValueError: if these are no symbols.

    >>> rolls([[[2], [1], [0]]])[0, :, 0]
    array([1., 1., 0.], dtype=float32)
    """
    return piano_roll(end_to_end(symbols), LOW, HIGH).reshape(*np.shape(symbols)[:2], -1)


def check_symbols(symbols) -> np.ndarray:
    """Refuse what are no windows of symbols.

    Lesson: 05

    Args:
      symbols: int (N, T, V), each 0 to 49, N at least 1.

    Returns:
      The same as an array.

    Raises:
      ValueError: wrong shape or type, no window, or a number that is no symbol; the message names it.

    >>> check_symbols([[[0, 49]]]).shape
    (1, 1, 2)
    """
    symbols = np.asarray(symbols)
    if symbols.ndim != 3 or 0 in symbols.shape or not np.issubdtype(symbols.dtype, np.integer):
        raise ValueError(
            f"symbols are integers (windows, steps, voices), at least one window, not {symbols.dtype} of shape "
            f"{symbols.shape}"
        )
    if symbols.min() < 0 or symbols.max() >= SYMBOLS:
        raise ValueError(
            f"symbols run from 0 to {SYMBOLS - 1}; found {symbols.min()} to {symbols.max()}"
        )
    return symbols


def end_to_end(symbols: np.ndarray) -> Piece:
    """All windows as one piece, none held into the next: much faster to read than one by one.

    Lesson: 05

    Args:
      symbols: int (N, T, V).

    Returns:
      A piece of N T steps.

    Raises:
      ValueError: if these are no symbols.

    >>> end_to_end([[[26], [1]], [[1], [27]]]).voices[:, 0].tolist()
    [60, 60, -1, 61]
    """
    symbols = check_symbols(symbols).astype(int)
    first = symbols[:, 0]
    first[first == HOLD_TOKEN] = REST_TOKEN  # or it would go on with the window before
    return decode_tokens(symbols.reshape(-1, symbols.shape[2]), LOW, HIGH)
