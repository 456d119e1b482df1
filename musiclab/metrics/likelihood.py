"""Negative log-likelihood in nats per frame, and mixtures of models.

What these functions take is what a model's ``log_likelihood`` returns: for each piece, one number
per frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["NLL", "mixture", "nll_per_frame"]


class NLL(NamedTuple):
    """A negative log-likelihood in nats per frame; lower is better.

    Attributes:
      pooled: mean over all frames of all pieces, in which long pieces count more; what papers
        print.
      per_piece: mean over pieces of each piece's own mean.
      standard_error: of ``per_piece``, from how much pieces differ; nan for a single piece or an
        infinite one.
      pieces, frames: how many there were.
    """

    pooled: float
    per_piece: float
    standard_error: float
    pieces: int
    frames: int


def nll_per_frame(log_likelihood: Sequence[np.ndarray]) -> NLL:
    """Mean negative log-likelihood per frame, pooled and per piece.

    Source: the reduction of Boulanger-Lewandowski, Bengio and Vincent, "Modeling temporal
      dependencies in high-dimensional sequences", 2012: a frame's keys are summed, frames are
      averaged.

    Args:
      log_likelihood: per piece a float array (T,): nats of each frame, summed over its keys or
        notes, the first frame scored from the model's initial state.

    Returns:
      See :class:`NLL`. One frame held impossible, -inf, makes the whole infinite: nothing is left
      out.

    Raises:
      ValueError: if there is no piece, a piece is not (T,) with T at least 1, or holds nan.

    >>> nll_per_frame([np.array([-1.0, -1.0, -1.0]), np.array([-5.0])]).pooled
    2.0
    """
    pieces = _pieces(log_likelihood)
    means = -np.array([piece.mean() for piece in pieces])
    known = len(means) > 1 and np.isfinite(means).all()
    spread = float(np.std(means, ddof=1) / np.sqrt(len(means))) if known else float("nan")
    frames = np.concatenate(pieces)
    return NLL(float(-frames.mean()), float(means.mean()), spread, len(pieces), len(frames))


def mixture(*models: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Log-likelihoods of the mixture of several models: each frame's probability is the mean of theirs.

    Averaged are probabilities, not their logarithms: at each frame the mixture is at least as good
    as the mean of the models' nats, and never worse than the best of n models by more than ln n.

    Equation: (8.4)

    Args:
      *models: of each model its log-likelihoods, as for :func:`nll_per_frame`, of the same pieces.

    Returns:
      The mixture's log-likelihoods, float64 (T,) per piece.

    Raises:
      ValueError: if there is no model, or they did not score the same frames.

    >>> mixture([np.log([0.5])], [np.log([0.1])])[0].round(4) == np.log(0.3).round(4)
    array([ True])
    """
    scored = [_pieces(model) for model in models]
    lengths = [[len(piece) for piece in model] for model in scored]
    if not scored or any(some != lengths[0] for some in lengths):
        raise ValueError(
            f"{len(scored)} models scored different frames: pass the same pieces to each"
        )
    return [_log_mean(np.stack(piece)) for piece in zip(*scored)]


def _log_mean(logs):
    """log of the mean of exp over the first axis; the largest is taken out first, so that exp can't underflow."""
    top = np.max(logs, axis=0)
    finite = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return finite + np.log(np.mean(np.exp(logs - finite), axis=0))  # Eq. (8.4)


def _pieces(log_likelihood):
    pieces = [np.asarray(piece, np.float64) for piece in log_likelihood]
    for i, piece in enumerate(pieces):
        if piece.ndim != 1 or len(piece) == 0 or np.isnan(piece).any():
            raise ValueError(
                f"piece {i} has shape {piece.shape}: need (T,), at least one frame, and no nan"
            )
    if not pieces:
        raise ValueError("no piece was scored: pass at least one")
    return pieces
