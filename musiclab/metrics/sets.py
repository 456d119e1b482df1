"""Scores of a set of equally long windows: one row of a table per set."""

from __future__ import annotations

from collections.abc import Iterable

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import as_pieces
from musiclab.metrics.counterpoint import parallel_perfects
from musiclab.metrics.pitch import histogram_distance, polyphony, scale_consistency
from musiclab.metrics.rhythm import empty_bars, hold_rate
from musiclab.metrics.similarity import diversity, nearest_distances

__all__ = ["set_scores"]


def set_scores(
    pieces: Iterable[Piece], real: Iterable[Piece], training: Iterable[Piece] | None = None
) -> dict[str, float]:
    """Seven measures of a set of equally long pieces, by name.

    Each can be fooled: noise scores well on one, a copy of the training set on nearly all.

    Args:
      pieces: two or more, equally long. real: held-out pieces, for the polyphony distance.
      training: what may have been copied; None leaves out "nearest".

    Returns:
      By name: "hold" (:func:`hold_rate`), "scale" (:func:`scale_consistency`), "polyphony"
      (distance of its histogram from that of ``real``, 0 to 2), "diversity", "empty_bars",
      "parallels" (per 100 chord changes), and "nearest" (mean distance of a piece to the nearest
      training fragment in any key, 0 to 1).

    Raises:
      ValueError: too few pieces, different lengths or numbers of voices.

    >>> two = [Piece([60, 60, 62, 62]), Piece([60, 64, 64, 64])]
    >>> row = set_scores(two, two, training=two)
    >>> row["hold"], row["polyphony"], row["nearest"]
    (0.5, 0.0, 0.0)
    """
    pieces, real = as_pieces(pieces), as_pieces(real, "real")
    row = {
        "hold": hold_rate(pieces),
        "scale": scale_consistency(pieces),
        "polyphony": histogram_distance(polyphony(pieces), polyphony(real)),
        "diversity": diversity(pieces),
        "empty_bars": empty_bars(pieces),
        "parallels": parallel_perfects(pieces),
    }
    if training is None:
        return row
    nearest = nearest_distances(pieces, training, pieces[0].steps)
    return row | {"nearest": float(nearest.mean())}
