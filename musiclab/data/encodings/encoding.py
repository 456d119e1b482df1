"""Between pieces and the arrays that models read: piano rolls, tokens, windows, keys, numbers on a grid.

Lessons: 01, and every lesson after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import NO_SPELLING, REST, STEPS_PER_QUARTER, Piece

__all__ = [
    "bars",
    "decode_tokens",
    "denormalise",
    "dequantise",
    "encode_tokens",
    "from_piano_roll",
    "normalise",
    "piano_roll",
    "quantise",
    "spell",
    "to_common_key",
    "transpose",
    "windows",
]

REST_TOKEN, HOLD_TOKEN, FIRST_PITCH_TOKEN = 0, 1, 2


def piano_roll(x: Piece | np.ndarray, low: int = 21, high: int = 108) -> np.ndarray:
    """Which keys sound at each step, on the 88 keys of a piano unless told otherwise.

    A roll forgets who sings a note and whether it is struck again: unisons fall together and repeated
    notes look held. Tokens (:func:`encode_tokens`) keep both.

    Equation: (1.2)
    Lesson: 01

    Args:
      x: a piece, or voices int (T, V) in MIDI pitches with -1 for rests; leading batch axes are kept.
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
    _check_range(voices, low, high)
    keys = np.arange(low, high + 1)
    roll = np.zeros((*voices.shape[:-1], len(keys)), np.float32)
    for voice in np.moveaxis(voices, -1, 0):
        roll[voice[..., None] == keys] = 1.0  # Eq. (1.2)
    return roll


def from_piano_roll(
    roll: np.ndarray, low: int = 21, threshold: float = 0.5, n_voices: int = 4, **attributes
) -> Piece:
    """Read a roll, or a model's probabilities for one, as voices.

    At each step the up to ``n_voices`` strongest cells at or above ``threshold`` sound, highest pitch
    in the first voice. A pitch that its voice already had is held: a roll does not say more.

    Lesson: 01

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


def transpose(piece: Piece, semitones: int) -> Piece:
    """Move every note of a piece up (or down) by semitones, and its key and spelling with it.

    Lesson: 01

    Args:
      piece: any piece.
      semitones: -127 to 127, positive is up.

    Returns:
      A piece of the same type.

    Raises:
      ValueError: if a note would leave MIDI's 0-127.

    >>> up = transpose(Piece([[60]], spelling=[[0]]), 2)
    >>> int(up.voices[0, 0]), int(up.spelling[0, 0]), up.tonic, up.key_signature
    (62, 2, 2, 2)
    """
    sounding = piece.voices >= 0
    voices = np.where(sounding, piece.voices.astype(int) + semitones, REST)
    if (voices[sounding] < 0).any() or (voices > 127).any():
        raise ValueError(
            f"{semitones:+d} semitones moves a note of {piece.name!r} outside MIDI's 0-127"
        )
    fifths = _fifths(semitones, piece.key_signature)
    spelled = piece.spelling != NO_SPELLING
    return piece.with_(
        voices=voices,
        spelling=np.where(spelled, piece.spelling + fifths, NO_SPELLING),
        tonic=(piece.tonic + semitones) % 12,
        key_signature=piece.key_signature + fifths,
    )


def to_common_key(piece: Piece) -> Piece:
    """Transpose to C major or A minor by the shorter way, at most six semitones.

    Lesson: 01

    Args:
      piece: a piece whose ``tonic`` and ``mode`` are known.

    Returns:
      A piece of the same type; the mode is kept. A key six semitones off goes down.

    Raises:
      ValueError: as :func:`transpose`.

    >>> to_common_key(Piece([[62]], tonic=2)).voices.tolist()
    [[60]]
    """
    home = {"major": 0, "minor": 9}[piece.mode]
    return transpose(piece, (home - piece.tonic + 6) % 12 - 6)


def bars(piece: Piece) -> list[tuple[int, int]]:
    """Where each bar starts and stops, the pickup and a short last bar included.

    Lesson: 01

    Args:
      piece: any piece.

    Returns:
      (start, stop) in steps, stop exclusive; together they cover the piece.

    >>> bars(Piece([[60]] * 20, pickup=4))
    [(0, 4), (4, 20)]
    """
    starts = np.flatnonzero(piece.downbeats).tolist()
    edges = sorted({0, *starts, piece.steps})
    return list(itertools.pairwise(edges))


def windows(pieces: Piece | Iterable[Piece], n_bars: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """All stretches of ``n_bars`` whole bars of 4/4, one starting on each downbeat.

    A note held into a window counts as struck at its first step: there is nothing before to hold.

    Lesson: 01

    Args:
      pieces: one piece or several, all with as many voices; bars that are not 16 steps long, and all
        pieces not in 4/4, give no window.
      n_bars: bars in a window.

    Returns:
      voices int16 (N, 16 n_bars, V) and onsets bool of that shape; N may be 0.

    Raises:
      ValueError: if ``n_bars`` < 1, there is no piece, or the numbers of voices differ.

    >>> voices, onsets = windows(Piece([[60]] * 52, pickup=4))
    >>> voices.shape, int(onsets.sum())
    ((2, 32, 1), 2)
    """
    pieces = [pieces] if isinstance(pieces, Piece) else list(pieces)
    counts = {piece.voices.shape[1] for piece in pieces}
    if n_bars < 1 or len(counts) != 1:
        raise ValueError(
            f"need n_bars >= 1 and pieces with one number of voices, not n_bars={n_bars}, voices {sorted(counts)}"
        )
    length = 16 * n_bars
    cut = []
    for piece in pieces:
        if piece.time_signature != "4/4":
            continue
        starts = [
            start for start, stop in bars(piece) if piece.downbeats[start] and stop - start == 16
        ]
        whole = set(starts)
        good = [s for s in starts if all(s + 16 * k in whole for k in range(n_bars))]
        cut += [(piece.voices[s : s + length], piece.onsets[s : s + length]) for s in good]
    shape = (len(cut), length, counts.pop())
    voices = np.array([v for v, _ in cut], np.int16).reshape(shape)
    onsets = np.array([o for _, o in cut], bool).reshape(shape)
    onsets[:, 0] = voices[:, 0] >= 0
    return voices, onsets


def encode_tokens(x: Piece, low: int = 21, high: int = 108) -> np.ndarray:
    """One token per voice and step: a rest, a hold, or a pitch that is struck.

    Equation: (1.3)
    Lesson: 01

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
    _check_range(x.voices, low, high)
    struck = x.voices.astype(np.int64) - low + FIRST_PITCH_TOKEN
    return np.where(x.onsets, struck, np.where(x.voices >= 0, HOLD_TOKEN, REST_TOKEN))  # Eq. (1.3)


def decode_tokens(tokens: np.ndarray, low: int = 21, high: int = 108, **attributes) -> Piece:
    """Read tokens as music. Every sequence is music: a hold with nothing to hold is a rest.

    Lesson: 01

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


def spell(voices: np.ndarray, key_signature: int) -> np.ndarray:
    """Name pitches the way a score in this key would: the twelve names nearest to it on the line of fifths.

    A rule of thumb for music that comes without spelling, such as a model's. In C major it writes
    E flat, B flat, F sharp, C sharp and G sharp; it knows nothing of the harmony.

    Lesson: 01

    Args:
      voices: int (..., V), MIDI pitches, -1 for rests.
      key_signature: sharps, or flats below 0.

    Returns:
      int8 of the same shape, line of fifths (C = 0, G = 1, F = -1); -128 for rests.

    >>> spell(np.array([[61, 70, -1]]), key_signature=0)
    array([[   7,   -2, -128]], dtype=int8)
    """
    voices = np.asarray(voices)
    lowest = key_signature - 3
    fifths = (voices * 7 - lowest) % 12 + lowest
    return np.where(voices >= 0, fifths, NO_SPELLING).astype(np.int8)


def quantise(
    times: np.ndarray, steps_per_quarter: int = STEPS_PER_QUARTER
) -> tuple[np.ndarray, np.ndarray]:
    """Round times to the nearest step of a grid.

    Equation: (1.1)
    Lesson: 01

    Args:
      times: in quarter notes, any shape, finite.
      steps_per_quarter: 4 for a grid of 16ths.

    Returns:
      steps int64 of that shape (halves round up), and the deviation float64, time minus grid, in
      quarter notes: at most half a step.

    Raises:
      ValueError: on a time that is not finite, or a grid of less than one step.

    >>> steps, deviation = quantise(np.array([0.0, 0.3]))
    >>> steps, deviation.round(2)
    (array([0, 1]), array([0.  , 0.05]))
    """
    times = np.asarray(times, float)
    if steps_per_quarter < 1 or not np.isfinite(times).all():
        raise ValueError(
            "times are finite numbers of quarter notes, on a grid of at least one step per quarter"
        )
    steps = np.floor(times * steps_per_quarter + 0.5).astype(np.int64)  # Eq. (1.1)
    return steps, times - dequantise(steps, steps_per_quarter)


def dequantise(steps: np.ndarray, steps_per_quarter: int = STEPS_PER_QUARTER) -> np.ndarray:
    """Steps back to quarter notes: the inverse of :func:`quantise` up to its deviation.

    Lesson: 01

    Args:
      steps: integers, any shape.
      steps_per_quarter: as in :func:`quantise`.

    Returns:
      float64, quarter notes.

    >>> dequantise(np.array([6]))
    array([1.5])
    """
    return np.asarray(steps) / steps_per_quarter


def normalise(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scale numbers from low..high to 0..1, which is what a network's inputs should be near.

    Equation: (1.4)
    Lesson: 01

    Args:
      x: any shape.
      low: what becomes 0.
      high: what becomes 1; above ``low``.

    Returns:
      float64 of that shape; values outside low..high land outside 0..1.

    Raises:
      ValueError: if high <= low.

    >>> normalise(np.array([36, 60, 84]), 36, 84)
    array([0. , 0.5, 1. ])
    """
    _check_interval(low, high)
    return (np.asarray(x, float) - low) / (high - low)  # Eq. (1.4)


def denormalise(y: np.ndarray, low: float, high: float) -> np.ndarray:
    """The inverse of :func:`normalise`.

    Lesson: 01

    Args:
      y: any shape.
      low: what 0 stands for.
      high: what 1 stands for.

    Returns:
      float64 of that shape.

    Raises:
      ValueError: if high <= low.

    >>> denormalise(np.array([0.5]), 36, 84)
    array([60.])
    """
    _check_interval(low, high)
    return np.asarray(y, float) * (high - low) + low


def _check_interval(low, high):
    if not low < high:
        raise ValueError(f"an interval from {low} to {high} has no width: high must be above low")


def _voices(x):
    voices = x.voices if isinstance(x, Piece) else np.asarray(x)
    if voices.ndim < 2 or not np.issubdtype(voices.dtype, np.integer):
        raise ValueError(
            f"voices are integers (steps, voices), not {voices.dtype} of shape {voices.shape}"
        )
    return voices


def _check_range(voices, low, high):
    sounding = voices[voices != REST]
    if sounding.size and not (low <= sounding.min() and sounding.max() <= high):
        outside = sounding.min() if sounding.min() < low else sounding.max()
        raise ValueError(
            f"MIDI pitch {outside} is outside {low}-{high}: transpose the piece or widen the range"
        )


def _fifths(semitones, key_signature):
    """Steps on the line of fifths for a transposition, keeping the new signature within 6 flats to 6 sharps."""
    fifths = (semitones * 7) % 12  # 0..11: the same pitch class move as fifths upward
    return min((fifths, fifths - 12), key=lambda f: (abs(key_signature + f), -f))
