"""Two bars of four voices as the deep belief network reads them: quantised, encoded, normalised.

Quantised to 8ths; encoded as one of 26 symbols per voice and 8th: 0 a rest, 1 a hold, 2 to 25 a pitch that is struck,
counted from the voice's own lowest; normalised to a common key and to units that are 0 or 1, one 1 per cell.

Lessons: 13.
"""

from __future__ import annotations

import numpy as np

from musiclab.data import Piece, load_chorales, to_common_key, windows
from musiclab.data.encodings import two_bars
from musiclab.data.encodings.eighth_grid import STEPS_PER_FRAME, on_eighths
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, REST_TOKEN

__all__ = [
    "FRAMES",
    "LOWEST",
    "SYMBOLS",
    "from_rows",
    "from_windows",
    "load_eighth_bars",
    "to_pieces",
    "to_rows",
]

FRAMES, VOICES = 16, 4  # 8ths in two bars
LOWEST = (
    59,
    55,
    47,
    39,
)  # soprano to bass: the two octaves from here hold most of the music in a common key
SYMBOLS = 24 + FIRST_PITCH_TOKEN


def load_eighth_bars(split: str, by: str = "melody", music: str = "chorales.npz") -> np.ndarray:
    """All two-bar windows of a split, in C major or A minor, on 8ths; those that leave a voice's range are left out.

    Lesson: 13

    Args:
      split, by, music: as :func:`musiclab.data.load_chorales`.

    Returns:
      int64 (N, 16, 4), 0 to 25.

    Raises:
      ValueError: on an unknown split. DataError: if the file is missing or damaged.
    """
    return from_windows(
        *windows([on_eighths(to_common_key(p)) for p in load_chorales(split, by=by, music=music)])
    )


def from_windows(voices: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Windows on 8ths, as :func:`musiclab.data.windows` cuts them, in symbols; those that leave a range are left out.

    Lesson: 13

    Args:
      voices: int (N, 32, 4), MIDI pitches, -1 for rests. onsets: bool, same shape.

    Returns:
      int64 (n, 16, 4), n at most N.

    Raises:
      ValueError: if the shapes are others.

    >>> from_windows(np.full((1, 32, 4), 60), np.eye(32, dtype=bool)[:1].T[None].repeat(4, axis=2))[0, :2].tolist()
    [[3, 7, 15, 23], [1, 1, 1, 1]]
    """
    voices, onsets = np.asarray(voices), np.asarray(onsets)
    if voices.shape[1:] != (STEPS_PER_FRAME * FRAMES, VOICES) or voices.shape != onsets.shape:
        raise ValueError(
            f"voices have shape {voices.shape}, onsets {onsets.shape}: need both (N, 32, {VOICES})"
        )
    voices, onsets = voices[:, ::STEPS_PER_FRAME].astype(int), onsets[:, ::STEPS_PER_FRAME]
    struck = voices - np.array(LOWEST) + FIRST_PITCH_TOKEN
    fits = (voices < 0) | ((struck >= FIRST_PITCH_TOKEN) & (struck < SYMBOLS))
    return np.where(onsets, struck, (voices >= 0).astype(int))[fits.all(axis=(1, 2))]


def to_rows(symbols: np.ndarray) -> np.ndarray:
    """Symbols (N, 16, 4) to visible units: float32 (N, 1664), one-hot in each cell.

    Lesson: 13

    Raises:
      ValueError: if these are no such symbols.

    >>> to_rows(np.zeros((2, 16, 4), int)).sum(axis=1)
    array([64., 64.], dtype=float32)
    """
    symbols = _checked(symbols)
    return np.eye(SYMBOLS, dtype=np.float32)[symbols].reshape(len(symbols), -1)


def from_rows(rows: np.ndarray) -> np.ndarray:
    """Visible units, or a model's probabilities for them, to the likeliest symbols: int64 (N, 16, 4).

    Lesson: 13

    Raises:
      ValueError: if the rows have another width.

    >>> int(from_rows(to_rows(np.full((1, 16, 4), 7))).min())
    7
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != FRAMES * VOICES * SYMBOLS:
        raise ValueError(f"rows have shape {rows.shape}: need (N, {FRAMES * VOICES * SYMBOLS})")
    return rows.reshape(-1, FRAMES, VOICES, SYMBOLS).argmax(axis=3)


def to_pieces(symbols: np.ndarray, name: str = "two bars") -> list[Piece]:
    """Symbols as pieces of 32 steps, each 8th two steps long; a hold with nothing to hold is a rest.

    Lesson: 13

    Args:
      symbols: int (N, 16, 4). name: of each piece.

    Returns:
      N pieces in C major (nothing here says where minor is meant).

    Raises:
      ValueError: if these are no such symbols.

    >>> to_pieces(np.full((1, 16, 4), 2))[0].voices[0].tolist()
    [59, 55, 47, 39]
    """
    symbols = _checked(symbols)
    shift = np.array(LOWEST) - two_bars.LOW
    steps = np.repeat(
        np.where(symbols >= FIRST_PITCH_TOKEN, symbols + shift, symbols), STEPS_PER_FRAME, axis=1
    )
    steps[:, 1::STEPS_PER_FRAME] = (
        symbols != REST_TOKEN
    )  # the second half of an 8th is held, or silent
    return two_bars.to_pieces(steps, name)


def _checked(symbols):
    symbols = np.asarray(symbols)
    if (
        symbols.ndim != 3
        or symbols.shape[1:] != (FRAMES, VOICES)
        or not np.issubdtype(symbols.dtype, np.integer)
    ):
        raise ValueError(
            f"symbols {symbols.dtype} of shape {symbols.shape}: need integers (N, {FRAMES}, {VOICES})"
        )
    if len(symbols) == 0 or symbols.min() < 0 or symbols.max() >= SYMBOLS:
        raise ValueError(f"need at least one window of symbols from 0 to {SYMBOLS - 1}")
    return symbols
