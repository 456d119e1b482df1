"""Bars of a piece, and windows of whole bars as training examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece

__all__ = [
    "bars",
    "windows",
]


def bars(piece: Piece) -> list[tuple[int, int]]:
    """Where each bar starts and stops, the pickup and a short last bar included.

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

    Args:
      pieces: one piece or several, all with as many voices; bars that are not 16 steps long, and
        all pieces not in 4/4, give no window.
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
