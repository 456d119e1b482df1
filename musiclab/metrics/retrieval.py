"""Similarity of pieces by counted features, and how high a ranking puts what was looked for."""

from __future__ import annotations

from collections import Counter

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["interval_trigrams", "mean_reciprocal_rank", "pitch_class_similarity"]


def mean_reciprocal_rank(similarity: np.ndarray, relevant: np.ndarray) -> float:
    """Mean over the queries of 1 / rank of the first relevant piece: 1 if it always comes first.

    Equation: (16.16)

    Args:
      similarity: float (Q, N), of each query to each piece; -inf takes a piece out, such as the
        query itself.
      relevant: bool (Q, N), at least one in each row.

    Returns:
      Above 0, at most 1. Equally similar pieces count as ranked before the relevant one.

    Raises:
      ValueError: if the shapes differ, or a query has no relevant piece.

    >>> mean_reciprocal_rank([[0.9, 0.5, 0.1], [0.2, 0.3, 0.8]], [[0, 1, 1], [0, 0, 1]])
    0.75
    """
    similarity, relevant = np.asarray(similarity, float), np.asarray(relevant, bool)
    if similarity.shape != relevant.shape or similarity.ndim != 2:
        raise ValueError(
            f"similarity has shape {similarity.shape}, relevant {relevant.shape}: need the same"
        )
    if not relevant.any(axis=1).all():
        raise ValueError(f"query {np.argmin(relevant.any(axis=1))} has no relevant piece")
    best = np.where(relevant, similarity, -np.inf).max(axis=1, keepdims=True)
    rank = 1 + ((similarity >= best) & ~relevant).sum(axis=1)
    return float(np.mean(1 / rank))  # Eq. (16.16)


def pitch_class_similarity(pieces: list[Piece], others: list[Piece]) -> np.ndarray:
    """Cosine of pitch-class histograms, the best of the twelve transpositions: float (P, N).

    A histogram counts for how many steps each of the twelve pitch classes sounds.

    >>> pitch_class_similarity([Piece([60, 64])], [Piece([62, 66]), Piece([60, 61])]).round(2).tolist()
    [[1.0, 0.5]]
    """

    def histograms(group):
        sounding = [piece.voices[piece.voices != REST] % 12 for piece in group]
        counts = np.array([np.bincount(one, minlength=12) for one in sounding], float)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)

    a, b = histograms(pieces), histograms(others)
    return np.max([a @ np.roll(b, shift, axis=1).T for shift in range(12)], axis=0)


def interval_trigrams(pieces: list[Piece], others: list[Piece], voice: int = 0) -> np.ndarray:
    """Share of three successive melodic intervals that two voices have in common: float (P, N).

    With a(g) and b(g) how often trigram g occurs, the sum over g of sqrt(a(g) b(g)), divided by
    the square root of the product of both totals: 1 for equal counts, in any key and rhythm.

    >>> tune, other = Piece([60, 62, 64, 65]), Piece([67, 69, 71, 72])
    >>> interval_trigrams([tune], [other, Piece([60, 61, 62, 63])]).tolist()
    [[1.0, 0.0]]
    """
    a, b = [[_trigrams(piece, voice) for piece in group] for group in (pieces, others)]
    return np.array([[_common(one, two) for two in b] for one in a])


def _trigrams(piece, voice):
    notes = piece.voices[piece.onsets[:, voice], voice].astype(int)
    steps = np.diff(notes).tolist()
    return Counter(zip(steps, steps[1:], steps[2:]))


def _common(a, b):
    both = sum(np.sqrt(count * b[gram]) for gram, count in a.items() if gram in b)
    return float(both / np.sqrt(max(a.total(), 1) * max(b.total(), 1)))
