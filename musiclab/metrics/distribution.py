"""Fréchet distance between two sets of pieces, on an embedding of their bars."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.encodings.windows import bars
from musiclab.data.piece import STEPS_PER_QUARTER, Piece
from musiclab.metrics._pieces import as_pieces

__all__ = ["bar_embedding", "frechet_distance"]

WIDEST = 6  # semitones; wider melodic moves count as this


def bar_embedding(piece: Piece) -> np.ndarray:
    """Each bar of a piece as 29 shares: intervals between voices, melodic moves, positions of onsets.

    Columns 0 to 11 are the intervals of all pairs of voices modulo the octave, weighted by their
    steps; 12 to 24 the melodic moves from -6 to 6 semitones, wider ones at the ends, by the bar in
    which they arrive; 25 to 28 the onsets by their 16th within the quarter. No column depends on
    the key. A group that a bar lacks is 0.

    Args:
      piece: any piece.

    Returns:
      float64 (bars, 29), pickup and a short last bar included.

    >>> bar_embedding(Piece([[67, 60]] * 16))[0].nonzero()[0]
    array([ 7, 25])
    """
    first, second = np.triu_indices(piece.voices.shape[1], 1)
    upper, lower = piece.voices[:, first].astype(int), piece.voices[:, second].astype(int)
    both = (upper >= 0) & (lower >= 0)
    harmonic = _counts(np.abs(upper - lower) % 12, both, 12)
    melodic = _counts(*_arrivals(piece), 2 * WIDEST + 1)
    position = (np.arange(piece.steps) - np.argmax(piece.downbeats)) % STEPS_PER_QUARTER
    rhythm = _counts(np.broadcast_to(position[:, None], piece.onsets.shape), piece.onsets, 4)
    starts = [start for start, _ in bars(piece)]
    groups = [np.add.reduceat(group, starts) for group in (harmonic, melodic, rhythm)]
    return np.hstack([g / np.maximum(g.sum(axis=1, keepdims=True), 1) for g in groups])


def frechet_distance(pieces: Piece | Iterable[Piece], real: Piece | Iterable[Piece]) -> float:
    """Fréchet distance of the bars of two sets of pieces, each taken as a normal distribution.

    |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)), with means m and covariances C of :func:`bar_embedding`.

    Its limits: it sees the mean and covariance of single bars only, so a piece with its bars
    shuffled scores 0; it depends on the embedding, so values from other embeddings (Fréchet Music
    Distance uses a trained network) can't be compared with it; it is biased upwards for few bars (C
    has rank below 29 with fewer than 30), so compare sets of like size and hold it against the
    distance of two real sets; and copies of ``real`` score 0.

    Source: Heusel et al., "GANs trained by a two time-scale update rule", 2017 (images); Retkowski,
      Stępniak and Modrzejewski, "Frechet music distance", 2024 (symbolic music).

    Args:
      pieces: one piece or several, with two bars or more in all.
      real: same; the distance is symmetric.

    Returns:
      0 (same mean and covariance) upward; at most 3 between means, and 6 in all.

    Raises:
      ValueError: if a set holds no piece or a single bar.

    >>> frechet_distance(Piece([60, 62] * 32), Piece([60, 62] * 32))
    0.0
    """
    sets = [
        [bar_embedding(piece) for piece in as_pieces(x, name)]
        for x, name in ((pieces, "pieces"), (real, "real"))
    ]
    if any(sum(map(len, bars_of)) < 2 for bars_of in sets):
        raise ValueError("a single bar has no covariance: pass two bars or more on either side")
    return float(frechet(*moments(sets[0]), *moments(sets[1]))[0])


def moments(
    bars_of: list[np.ndarray], weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the bars of several groups of pieces.

    Args:
      bars_of: of each piece its bars, float (bars, d).
      weights: int (groups, n), how often each piece is in each group; None is one group of all.

    Returns:
      Means (groups, d) and covariances (groups, d, d) with divisor bars - 1.
    """
    weights = np.ones((1, len(bars_of))) if weights is None else weights
    n = (weights @ [len(b) for b in bars_of])[:, None]
    mean = weights @ np.array([b.sum(axis=0) for b in bars_of]) / n
    squares = np.tensordot(weights, np.array([b.T @ b for b in bars_of]), 1)
    outer = mean[:, :, None] * mean[:, None, :]
    return mean, (squares - n[..., None] * outer) / (n[..., None] - 1)


def frechet(mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> np.ndarray:
    """Fréchet distances of normal distributions with means (groups, d) and covariances (groups, d, d)."""
    values, vectors = np.linalg.eigh(cov1)
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None]) @ vectors.swapaxes(1, 2)
    # C1^(1/2) C2 C1^(1/2) is symmetric and has the eigenvalues of C1 C2
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov2 @ root), 0)).sum(axis=1)
    traces = np.trace(cov1, axis1=1, axis2=2) + np.trace(cov2, axis1=1, axis2=2)
    distance = ((mean1 - mean2) ** 2).sum(axis=1) + traces - 2 * shared
    return np.where(distance > 1e-9, distance, 0.0)  # rounding leaves a little, also below 0


def _counts(values, counted, n):
    """How often each of the values 0 .. n - 1 stands in each row where it is counted: float (T, n)."""
    step = np.broadcast_to(np.arange(len(values))[:, None], values.shape)[counted]
    table = np.bincount(step * n + values[counted], minlength=len(values) * n)
    return table.reshape(len(values), n).astype(float)


def _arrivals(piece):
    """Melodic moves, from 0 to 12, at the onset that each leads to; and where there is one."""
    moves = np.zeros(piece.voices.shape, int)
    arrives = np.zeros(piece.voices.shape, bool)
    for v, onsets in enumerate(piece.onsets.T):
        steps = np.flatnonzero(onsets)
        pitches = piece.voices[steps, v].astype(int)
        moves[steps[1:], v] = np.clip(np.diff(pitches), -WIDEST, WIDEST) + WIDEST
        arrives[steps[1:], v] = True
    return moves, arrives
