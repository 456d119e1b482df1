"""Measures of counterpoint: parallels, crossings, dissonance and its resolution.

All are 0 for a single voice, or nan where there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import pooled_share
from musiclab.metrics.pitch import STEP

__all__ = [
    "dissonance",
    "parallel_perfects",
    "resolved_dissonances",
    "suspensions",
    "voice_crossings",
]

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


def resolved_dissonances(x: Piece | Iterable[Piece]) -> float:
    """Share of dissonances that a voice leaves by step.

    A dissonance is a stretch of steps over which a pair of voices stands at a second, seventh or
    tritone. It is resolved if both voices sound on the step after it and one of the two has moved
    there by one or two semitones. One that ends in a rest or at the end of the piece is not.

    Source: the treatment of dissonance in Fux, "Gradus ad Parnassum", 1725, species two to four.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if there is no dissonance.

    Raises:
      ValueError: if x holds no piece.

    >>> resolved_dissonances(Piece([[72, 60], [71, 60], [72, 60], [71, 60], [76, 60]]))
    0.5
    """
    return pooled_share(x, lambda piece: _resolutions(piece)[:2])


def suspensions(x: Piece | Iterable[Piece]) -> float:
    """Share of dissonances that are suspensions: prepared, then resolved downwards by step.

    One voice of a consonant pair stays while the other moves onto a dissonance with it (dissonances
    as in :func:`resolved_dissonances`); then the voice that stayed falls by one or two semitones to
    a consonance while the other stays. A measure of direction: backwards, its resolution would have
    to come first.

    Source: Fux's fourth species.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if there is no dissonance.

    Raises:
      ValueError: if x holds no piece.

    >>> suspensions(Piece([[72, 64], [72, 62], [71, 62], [72, 62], [74, 62]]))
    0.5
    """
    return pooled_share(x, lambda piece: _resolutions(piece)[:0:-1])


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


def _resolutions(piece):
    """Numbers of resolved dissonances, of all dissonances, and of suspensions."""
    upper, lower, both = (pairs.T for pairs in _pairs(piece.voices))  # (pairs, T)
    dissonant = DISSONANT[np.abs(upper - lower) % 12] & both
    edges = np.diff(dissonant, axis=1, prepend=False, append=False)
    pair, edge = np.nonzero(edges)  # each dissonance begins at one edge and ends at the next
    pair, start, after = pair[::2], edge[::2], edge[1::2]
    goes_on = after < piece.steps
    goes_on[goes_on] = both[pair[goes_on], after[goes_on]]
    pair_on, last, then = pair[goes_on], after[goes_on] - 1, after[goes_on]
    moves = [voice[pair_on, then] - voice[pair_on, last] for voice in (upper, lower)]
    by_step = [(np.abs(move) <= STEP) & (move != 0) for move in moves]
    before = start[goes_on] - 1
    prepared = (before >= 0) & both[pair_on, before]
    stays = [
        (voice[pair_on, before] == voice[pair_on, last]) & prepared for voice in (upper, lower)
    ]
    suspended = [
        stays[i] & ~stays[1 - i] & by_step[i] & (moves[i] < 0) & (moves[1 - i] == 0) for i in (0, 1)
    ]
    return np.sum(by_step[0] | by_step[1]), len(pair), np.sum(suspended[0] | suspended[1])
