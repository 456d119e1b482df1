"""Two-bar windows of four voices as symbols, one per voice and time step.

Three encodings of the same windows:

- symbols on the 16th-note grid, (N, 32, 4): the tokens of lesson 01 (Eq. 1.3), where 0 is a rest,
  1 a hold and 2 to 49 the onset of a pitch; for the VAE and the GANs;
- pitch and onset at every step, (N, 32, 4, 2): what the VAE's networks read and write;
- symbols on an eighth-note grid, (N, 16, 4), and as rows of binary units: for the deep belief
  network. Pitches are counted from the lowest of each voice.
"""

from __future__ import annotations

import numpy as np

from musiclab.data.corpora.chorales import load_chorales
from musiclab.data.encodings.eighth_grid import STEPS_PER_FRAME, on_eighths
from musiclab.data.encodings.piano_roll import piano_roll
from musiclab.data.encodings.tokens import (
    FIRST_PITCH_TOKEN,
    HOLD_TOKEN,
    REST_TOKEN,
    decode_tokens,
)
from musiclab.data.encodings.transposition import to_common_key
from musiclab.data.encodings.windows import windows
from musiclab.data.piece import Piece

__all__ = [
    "EIGHTHS",
    "EIGHTH_LOWEST",
    "EIGHTH_SYMBOLS",
    "HIGH",
    "LOW",
    "PITCHES",
    "STEPS",
    "SYMBOLS",
    "VOICES",
    "check_symbols",
    "eighths_to_pieces",
    "eighths_to_rows",
    "from_one_hot",
    "from_pitch_and_onset",
    "in_all_keys",
    "load_bars",
    "load_eighths",
    "one_hot",
    "piano_rolls",
    "rows_to_eighths",
    "to_eighth_symbols",
    "to_pieces",
    "to_pitch_and_onset",
    "to_symbols",
]

STEPS, VOICES = 32, 4
LOW, HIGH = 36, 83  # lowest and highest MIDI pitch: 48 of them
SYMBOLS = HIGH - LOW + 1 + FIRST_PITCH_TOKEN
PITCHES = HIGH - LOW + 2  # a rest and 48 pitches, where pitch and onset are told apart

EIGHTHS = STEPS // STEPS_PER_FRAME
EIGHTH_LOWEST = (59, 55, 47, 39)  # soprano to bass: two octaves from here hold most of the music
EIGHTH_SYMBOLS = 24 + FIRST_PITCH_TOKEN


# Symbols on the 16th-note grid


def load_bars(split: str, music: str = "chorales.npz", common_key: bool = False) -> np.ndarray:
    """Symbols of all two-bar windows of a split, one starting on each downbeat of 4/4.

    Args:
      split: "train", "valid" or "test" of the published split.
      music: the file.
      common_key: whether each chorale is transposed to C major or A minor first.

    Returns:
      int8 (N, 32, 4).

    Raises:
      ValueError: on an unknown split. DataError: if the file is missing or damaged.
    """
    pieces = load_chorales(split, music=music)
    return to_symbols(*windows([to_common_key(p) for p in pieces] if common_key else pieces))


def to_symbols(voices: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Encode windows as symbols; windows with pitches out of range are left out.

    Args:
      voices: int (N, T, V), MIDI pitches, -1 for rests.
      onsets: bool, same shape, as :func:`musiclab.data.windows` returns them.

    Returns:
      int8 (n, T, V), n at most N.

    Raises:
      ValueError: if the shapes differ or are not (N, T, V).

    >>> voices = np.array([[[60], [60], [-1]], [[20], [20], [20]]])
    >>> to_symbols(voices, np.array([[[1], [0], [0]], [[1], [0], [0]]], bool))[..., 0]
    array([[26,  1,  0]], dtype=int8)
    """
    return _encode(voices, onsets, LOW, SYMBOLS).astype(np.int8)


def in_all_keys(symbols: np.ndarray) -> np.ndarray:
    """Transpose each window by -5 to 6 semitones, and keep what stays within the range.

    Args:
      symbols: int (N, T, V).

    Returns:
      int8 (n, T, V): all windows that fit 5 semitones lower, then 4 lower, and so on.

    Raises:
      ValueError: if these are no symbols.

    >>> in_all_keys([[[2], [1], [0]]])[:2, :, 0]  # lower than the original is out of range
    array([[2, 1, 0],
           [3, 1, 0]], dtype=int8)
    """
    symbols = check_symbols(symbols)
    is_pitch = symbols >= FIRST_PITCH_TOKEN
    transposed = []
    for semitones in range(-5, 7):
        moved = np.where(is_pitch, symbols.astype(int) + semitones, symbols)
        fits = ~is_pitch | ((moved >= FIRST_PITCH_TOKEN) & (moved < SYMBOLS))
        transposed.append(moved[fits.all(axis=(1, 2))].astype(np.int8))
    return np.concatenate(transposed)


def one_hot(symbols: np.ndarray) -> np.ndarray:
    """One-hot vectors of 50 for symbols: int (N, T, V) to float32 (N, T, V, 50).

    Raises:
      ValueError: if these are no symbols.

    >>> one_hot([[[1]]])[0, 0, 0, :3]
    array([0., 1., 0.], dtype=float32)
    """
    return np.eye(SYMBOLS, dtype=np.float32)[check_symbols(symbols)]


def from_one_hot(scores: np.ndarray) -> np.ndarray:
    """The most likely symbol of each voice and step; the inverse of :func:`one_hot`.

    Args:
      scores: float (N, T, V, 50): one-hot vectors, probabilities or logits.

    Returns:
      int8 (N, T, V).

    >>> from_one_hot(one_hot([[[2, 1, 0]]])).tolist()
    [[[2, 1, 0]]]
    """
    return np.argmax(scores, axis=3).astype(np.int8)


def to_pieces(symbols: np.ndarray, name: str = "two bars") -> list[Piece]:
    """Decode each window to a piece; a hold with nothing before it is a rest.

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


def piano_rolls(symbols: np.ndarray) -> np.ndarray:
    """Piano rolls of the 48 pitches, as in lesson 04: int (N, T, V) to float32 (N, T, 48).

    Raises:
      ValueError: if these are no symbols.

    >>> piano_rolls([[[2], [1], [0]]])[0, :, 0]
    array([1., 1., 0.], dtype=float32)
    """
    return piano_roll(_one_piece(symbols), LOW, HIGH).reshape(*np.shape(symbols)[:2], -1)


def check_symbols(symbols, count: int = SYMBOLS) -> np.ndarray:
    """Refuse what is not a batch of windows of symbols.

    Args:
      symbols: int (N, T, V), each from 0 to count - 1, N at least 1.

    Returns:
      The same as an array.

    Raises:
      ValueError: on a wrong shape, type or number; the message names it.

    >>> check_symbols([[[0, 49]]]).shape
    (1, 1, 2)
    """
    symbols = np.asarray(symbols)
    if symbols.ndim != 3 or 0 in symbols.shape or not np.issubdtype(symbols.dtype, np.integer):
        raise ValueError(
            "symbols are integers (windows, steps, voices), at least one window, "
            f"not {symbols.dtype} of shape {symbols.shape}"
        )
    if symbols.min() < 0 or symbols.max() >= count:
        raise ValueError(
            f"symbols run from 0 to {count - 1}; found {symbols.min()} to {symbols.max()}"
        )
    return symbols


# Pitch and onset at every step


def to_pitch_and_onset(symbols: np.ndarray) -> np.ndarray:
    """Pitch and onset at every step, in place of holds: int (N, T, V) to int8 (N, T, V, 2).

    A wrong pitch then spoils one step instead of a whole note, which is easier to learn. The onset
    carries information only where a pitch is repeated: a new pitch always has one, a rest never.

    Returns:
      0 for a rest or 1 to 48 for the pitch; 1 where the note begins, else 0.

    Raises:
      ValueError: if these are no symbols.

    >>> to_pitch_and_onset([[[2], [1], [2], [0]]])[0, :, 0].tolist()
    [[1, 1], [1, 0], [1, 1], [0, 0]]
    """
    piece = _one_piece(symbols)
    pitch = np.where(piece.voices >= 0, piece.voices - LOW + 1, 0)
    pairs = np.stack([pitch, piece.onsets], axis=-1)
    return pairs.reshape(*np.shape(symbols), 2).astype(np.int8)


def from_pitch_and_onset(pairs: np.ndarray) -> np.ndarray:
    """The inverse of :func:`to_pitch_and_onset`: int (N, T, V, 2) to int8 (N, T, V).

    A new pitch becomes an onset and a rest does not, whatever their onset says.

    >>> from_pitch_and_onset([[[[1, 0]], [[1, 0]], [[1, 1]], [[0, 1]]]])[0, :, 0].tolist()
    [2, 1, 2, 0]
    """
    pitch, onset = np.moveaxis(np.asarray(pairs, int), 3, 0)
    is_new = np.diff(pitch, axis=1, prepend=-1) != 0
    symbols = np.where((onset == 1) | is_new, pitch + FIRST_PITCH_TOKEN - 1, HOLD_TOKEN)
    return np.where(pitch > 0, symbols, REST_TOKEN).astype(np.int8)


# Symbols on the eighth-note grid


def load_eighths(split: str, music: str = "chorales.npz") -> np.ndarray:
    """Eighth-note symbols of all two-bar windows of a split, in C major or A minor.

    Args:
      split: "train", "valid" or "test" of the split that keeps melody families together.
      music: the file.

    Returns:
      int64 (N, 16, 4), 0 to 25; windows with pitches out of range are left out.

    Raises:
      ValueError: on an unknown split. DataError: if the file is missing or damaged.
    """
    pieces = load_chorales(split, by="melody", music=music)
    return to_eighth_symbols(*windows([on_eighths(to_common_key(p)) for p in pieces]))


def to_eighth_symbols(voices: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Encode windows on the eighth-note grid; windows with pitches out of range are left out.

    Args:
      voices: int (N, 32, 4), MIDI pitches, -1 for rests, as
        :func:`musiclab.data.encodings.eighth_grid.on_eighths` rounds them.
      onsets: bool, same shape.

    Returns:
      int64 (n, 16, 4), n at most N: 0 a rest, 1 a hold, 2 to 25 the onset of a pitch, counted from
      the lowest pitch of the voice.

    Raises:
      ValueError: if the shapes differ or are not (N, T, V).

    >>> voices, onsets = np.full((1, 32, 4), 60), np.zeros((1, 32, 4), bool)
    >>> onsets[:, 0] = True
    >>> to_eighth_symbols(voices, onsets)[0, :2].tolist()
    [[3, 7, 15, 23], [1, 1, 1, 1]]
    """
    voices, onsets = np.asarray(voices), np.asarray(onsets)
    every = slice(None, None, STEPS_PER_FRAME)
    return _encode(voices[:, every], onsets[:, every], np.array(EIGHTH_LOWEST), EIGHTH_SYMBOLS)


def eighths_to_rows(symbols: np.ndarray) -> np.ndarray:
    """Visible units, one-hot for each voice and step: int (N, 16, 4) to float32 (N, 1664).

    Raises:
      ValueError: if these are no such symbols.

    >>> eighths_to_rows(np.zeros((2, 16, 4), int)).sum(axis=1)
    array([64., 64.], dtype=float32)
    """
    symbols = check_symbols(symbols, EIGHTH_SYMBOLS)
    return np.eye(EIGHTH_SYMBOLS, dtype=np.float32)[symbols].reshape(len(symbols), -1)


def rows_to_eighths(rows: np.ndarray) -> np.ndarray:
    """The most likely symbols of visible units or their probabilities: (N, 1664) to int (N, 16, 4).

    >>> int(rows_to_eighths(eighths_to_rows(np.full((1, 16, 4), 7))).min())
    7
    """
    return np.reshape(rows, (-1, EIGHTHS, VOICES, EIGHTH_SYMBOLS)).argmax(axis=3)


def eighths_to_pieces(symbols: np.ndarray, name: str = "two bars") -> list[Piece]:
    """Decode each window to a piece of 32 steps; a hold with nothing before it is a rest.

    Args:
      symbols: int (N, 16, 4). name: of each piece.

    Returns:
      N pieces, named in C major (the symbols do not say where minor is meant).

    Raises:
      ValueError: if these are no such symbols.

    >>> eighths_to_pieces(np.full((1, 16, 4), 2))[0].voices[0].tolist()
    [59, 55, 47, 39]
    """
    symbols = check_symbols(symbols, EIGHTH_SYMBOLS)
    moved = symbols + np.array(EIGHTH_LOWEST) - LOW
    first = np.where(symbols >= FIRST_PITCH_TOKEN, moved, symbols)
    steps = np.repeat(first, STEPS_PER_FRAME, axis=1)
    steps[:, 1::STEPS_PER_FRAME] = np.where(symbols == REST_TOKEN, REST_TOKEN, HOLD_TOKEN)
    return to_pieces(steps, name)


def _encode(voices, onsets, lowest, symbols):
    voices, onsets = np.asarray(voices, int), np.asarray(onsets)
    if voices.ndim != 3 or voices.shape != onsets.shape:
        raise ValueError(
            f"voices have shape {voices.shape}, onsets {onsets.shape}: "
            "need both (windows, steps, voices)"
        )
    pitch = voices - lowest + FIRST_PITCH_TOKEN
    fits = (voices < 0) | ((pitch >= FIRST_PITCH_TOKEN) & (pitch < symbols))
    held = np.where(onsets, pitch, HOLD_TOKEN)
    return np.where(voices < 0, REST_TOKEN, held)[fits.all(axis=(1, 2))]


def _one_piece(symbols):
    # all windows one after another as one piece, none held into the next: much faster to decode
    symbols = check_symbols(symbols).astype(int)
    first = symbols[:, 0]
    first[first == HOLD_TOKEN] = REST_TOKEN
    return decode_tokens(symbols.reshape(-1, symbols.shape[2]), LOW, HIGH)
