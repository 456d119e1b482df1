"""Input checks and pooling shared by the measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from musiclab.data.piece import Piece


def as_pieces(x: Piece | Iterable[Piece], what: str = "pieces") -> list[Piece]:
    """One piece or several as a list of at least one; ValueError on anything else."""
    pieces = [x] if isinstance(x, Piece) else list(x)
    wrong = [type(piece).__name__ for piece in pieces if not isinstance(piece, Piece)]
    if wrong:
        raise ValueError(
            f"{what}: need Piece objects, found {wrong[0]}; wrap an array of voices as Piece(voices)"
        )
    if not pieces:
        raise ValueError(f"{what}: there is none; pass at least one piece")
    return pieces


def same_voices(*groups: list[Piece]) -> int:
    """The one number of voices all pieces have; ValueError if they differ."""
    counts = sorted({piece.voices.shape[1] for group in groups for piece in group})
    if len(counts) > 1:
        raise ValueError(
            f"pieces have {' and '.join(map(str, counts))} voices: compare pieces with as many voices"
        )
    return counts[0]


def pooled_share(x: Piece | Iterable[Piece], count: Callable[[Piece], tuple[int, int]]) -> float:
    """Sum of (part, whole) over pieces, as a share; nan if the whole is 0."""
    part, whole = np.sum([count(piece) for piece in as_pieces(x)], axis=0)
    return float(part / whole) if whole else float("nan")
