"""Measures of pitches: scale, range, motion, and how many sound at once.

Key and range belong to a piece, so over a list of pieces they are averaged; shares are pooled:
all moves or steps count alike.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import as_pieces, pooled_share, same_voices

__all__ = [
    "distinct_pitches",
    "histogram_distance",
    "pitch_range",
    "polyphony",
    "rising_leaps",
    "scale_consistency",
    "stepwise_motion",
    "wide_leaps",
]

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
FOURTH, FIFTH = 5, 7  # semitones
STEP = 2  # a whole tone, the widest melodic move that still counts as a step


def scale_consistency(x: Piece | Iterable[Piece]) -> float:
    """Largest share of a piece's notes that lie in one of the 24 major and natural minor scales.

    As MusPy defines it: notes are counted by their onsets, whatever their length. Each minor scale
    has the notes of its relative major, so twelve scales are enough. A held chord scores 1.

    Args:
      x: one piece, or several: then the mean over those that have a note.

    Returns:
      7/12 to 1; nan if there is no note.

    Raises:
      ValueError: if x holds no piece.

    >>> scale_consistency(Piece([[60], [62], [64], [66]]))
    1.0
    """
    return _mean(x, _scale_consistency)


def pitch_range(x: Piece | Iterable[Piece]) -> float:
    """Semitones from the lowest note of a piece to its highest.

    Args:
      x: one piece, or several: then the mean.

    Returns:
      0 to 127; 0 for silence.

    Raises:
      ValueError: if x holds no piece.

    >>> pitch_range(Piece([[60, 48], [67, -1]]))
    19.0
    """
    return _mean(x, lambda p: np.ptp(p.voices[p.voices >= 0]) if p.onsets.any() else 0)


def distinct_pitches(x: Piece | Iterable[Piece]) -> float:
    """Number of different MIDI pitches in a piece; each octave counts separately.

    Args:
      x: one piece, or several: then the mean.

    Returns:
      0 to 128.

    Raises:
      ValueError: if x holds no piece.

    >>> distinct_pitches(Piece([[60, 48], [67, 48]]))
    3.0
    """
    return _mean(x, lambda p: np.unique(p.voices[p.voices >= 0]).size)


def stepwise_motion(x: Piece | Iterable[Piece]) -> float:
    """Share of melodic moves, from one note of a voice to its next, of a whole tone or less.

    Repeated notes count as moves of 0; a rest between two notes is skipped over. Melodies mostly
    move by step; notes drawn independently of one another leap.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if no voice has two notes.

    Raises:
      ValueError: if x holds no piece.

    >>> stepwise_motion(Piece([[60], [62], [69], [67]]))
    0.6666666666666666
    """
    return pooled_share(x, _steps_and_moves)


def wide_leaps(x: Piece | Iterable[Piece]) -> np.ndarray:
    """Share of each voice's melodic moves that are wider than a perfect fifth.

    Moves are those of :func:`stepwise_motion`; a voice without any has nan.

    Source: the limits of melodic leaps in four-part writing, as in Aldwell, Schachter and
      Cadwallader, "Harmony and Voice Leading", unit 5.

    Args:
      x: one piece or several with as many voices V, pooled.

    Returns:
      float64 (V,), each 0 to 1; the highest voice first.

    Raises:
      ValueError: if x holds no piece, or the numbers of voices differ.

    >>> wide_leaps(Piece([[60, 48], [67, 57], [68, 48]]))
    array([0., 1.])
    """
    pieces = as_pieces(x)
    same_voices(pieces)
    wide, moves = np.sum([_wide_and_moves(piece) for piece in pieces], axis=0)
    return np.divide(wide, moves, out=np.full(len(wide), np.nan), where=moves > 0)


def rising_leaps(x: Piece | Iterable[Piece]) -> float:
    """Share of melodic leaps of a fourth or more that rise: a measure of melodic direction.

    Melodies tend to leap up and to come down by step. Played backwards or upside down, a melody
    with share p has 1 - p.

    Source: Vos and Troost, "Ascending and descending melodic intervals", Music Perception, 1989.

    Args:
      x: one piece or several, all voices pooled.

    Returns:
      0 to 1; nan if there is no such leap.

    Raises:
      ValueError: if x holds no piece.

    >>> rising_leaps(Piece([60, 65, 64, 62, 60, 67, 60]))
    0.6666666666666666
    """
    return pooled_share(x, _rising_and_leaps)


def polyphony(x: Piece | Iterable[Piece]) -> np.ndarray:
    """Histogram of the number of distinct pitches that sound at once.

    Unisons count once. Steps of all pieces are pooled. MusPy's ``polyphony`` is one number instead:
    the mean number of pitches over the steps that are not silent.

    Args:
      x: one piece or several with as many voices V.

    Returns:
      float64 (V + 1,), shares that sum to 1; entry n is the share of steps with n distinct pitches.

    Raises:
      ValueError: if x holds no piece, or the numbers of voices differ.

    >>> polyphony(Piece([[60, 48], [60, 60], [-1, -1], [60, -1]]))
    array([0.25, 0.5 , 0.25])
    """
    pieces = as_pieces(x)
    n_voices = same_voices(pieces)
    ordered = np.sort(np.concatenate([piece.voices for piece in pieces]), axis=1)
    # a pitch is new where it differs from the next lower one; rests sort first and never count
    new = np.diff(ordered, axis=1, prepend=-1) > 0
    return np.bincount(new.sum(axis=1), minlength=n_voices + 1) / len(ordered)


def histogram_distance(p: np.ndarray, q: np.ndarray) -> float:
    """Sum of absolute differences (L1 distance) of two distributions over the same bins.

    Args:
      p: shares (n,), not negative, summing to 1.
      q: same.

    Returns:
      0 (equal) to 2 (no bin in common).

    Raises:
      ValueError: if the shapes differ or one is no distribution.

    >>> histogram_distance([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    1.0
    """
    p, q = np.asarray(p, float), np.asarray(q, float)
    if p.shape != q.shape or p.ndim != 1:
        raise ValueError(
            f"histograms have shapes {p.shape} and {q.shape}: need the same bins, one axis"
        )
    for h in (p, q):
        if not (h >= 0).all() or abs(h.sum() - 1) > 1e-6:
            raise ValueError(
                f"{h} is no distribution: shares are not negative and sum to 1; divide counts by their sum"
            )
    return float(np.abs(p - q).sum())


def _mean(x, value):
    values = [float(value(piece)) for piece in as_pieces(x)]
    values = [v for v in values if not np.isnan(v)]
    return float(np.mean(values)) if values else float("nan")


def _scale_consistency(piece):
    if not piece.onsets.any():
        return float("nan")
    classes = np.bincount(piece.voices[piece.onsets] % 12, minlength=12)
    scales = (np.arange(12)[:, None] + MAJOR_SCALE) % 12
    return classes[scales].sum(axis=1).max() / classes.sum()


def _moves(piece):
    """Of each voice the semitones from each note to its next."""
    return [np.diff(v[o].astype(int)) for v, o in zip(piece.voices.T, piece.onsets.T)]


def _steps_and_moves(piece):
    moves = np.concatenate(_moves(piece))
    return np.sum(np.abs(moves) <= STEP), moves.size


def _wide_and_moves(piece):
    moves = _moves(piece)
    return [[np.sum(np.abs(move) > FIFTH) for move in moves], [move.size for move in moves]]


def _rising_and_leaps(piece):
    moves = np.concatenate(_moves(piece))
    return np.sum(moves >= FOURTH), np.sum(np.abs(moves) >= FOURTH)
