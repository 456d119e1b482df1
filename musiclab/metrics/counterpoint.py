"""Measures of voices against one another: the rules that four-part writing is taught by.

All are 0 for a single voice, or nan where there is nothing to count.

Lessons: 02, 08, 09, 17.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import pooled_share

__all__ = ["dissonance", "parallel_perfects", "voice_crossings"]

# by interval in semitones modulo 12
PERFECT = np.isin(np.arange(12), (0, 7))  # unison or octave, and fifth
DISSONANT = np.isin(
    np.arange(12), (1, 2, 6, 10, 11)
)  # seconds, tritone, sevenths; the fourth is left in peace


def parallel_perfects(x: Piece | Iterable[Piece]) -> float:
    """Parallel perfect fifths and octaves per 100 chord changes.

    A chord change is a step, other than the first that has an onset, at which any voice strikes a
    note. A pair of voices that sounds before and after it moves in parallel perfects if both change
    pitch in the same direction and the interval between them, modulo the octave, is a perfect fifth
    both times or a unison or octave both times. Each such pair counts. What sounds "before" is the
    frame of the chord change before, so a quick passing note in between does hide parallels.

    Lesson: 02

    Args:
      x: one piece or several, pooled.

    Returns:
      Pairs per 100 chord changes, from 0 (the rule) upward; nan if there is no chord change.

    Raises:
      ValueError: if x holds no piece.

    >>> parallel_perfects(Piece([[67, 60], [69, 62], [67, 64]]))
    50.0
    """
    return 100 * pooled_share(x, _parallels)


def voice_crossings(x: Piece | Iterable[Piece]) -> float:
    """Share of steps at which some lower voice sounds above a higher one. Unisons don't cross.

    Lesson: 02

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1.

    Raises:
      ValueError: if x holds no piece.

    >>> voice_crossings(Piece([[60, 62], [60, 60], [60, 48], [-1, 62]]))
    0.25
    """
    return pooled_share(x, _crossings)


def dissonance(x: Piece | Iterable[Piece]) -> float:
    """Share of sounding pairs of voices, step by step, at a second, seventh or tritone.

    Lesson: 02

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if no two voices ever sound together.

    Raises:
      ValueError: if x holds no piece.

    >>> dissonance(Piece([[67, 60], [66, 60]]))
    0.5
    """
    return pooled_share(x, _dissonant_pairs)


def _pairs(voices):
    """All pairs of voices side by side: upper and lower pitches, int (T, pairs), and where both sound."""
    first, second = np.triu_indices(voices.shape[1], 1)
    upper, lower = voices[:, first].astype(int), voices[:, second].astype(int)
    return upper, lower, (upper >= 0) & (lower >= 0)


def _parallels(piece):
    chords = piece.voices[piece.onsets.any(axis=1)]
    upper, lower, both = _pairs(chords)
    interval = np.abs(upper - lower) % 12
    same = PERFECT[interval[1:]] & (interval[1:] == interval[:-1])
    together = (upper[1:] - upper[:-1]) * (lower[1:] - lower[:-1]) > 0
    return np.sum(same & together & both[1:] & both[:-1]), max(len(chords) - 1, 0)


def _crossings(piece):
    upper, lower, both = _pairs(piece.voices)
    return np.sum((both & (lower > upper)).any(axis=1)), piece.steps


def _dissonant_pairs(piece):
    upper, lower, both = _pairs(piece.voices)
    return np.sum(DISSONANT[np.abs(upper - lower) % 12] & both), np.sum(both)
