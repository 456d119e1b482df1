"""Negative log-likelihood in nats per frame, and mixtures of models.

What these functions take is what a model's ``log_likelihood`` returns: for each piece, one number
per frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["NLL", "mixture", "mixture_weights", "nll_per_frame"]


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


def mixture(*models: Sequence[np.ndarray], weights=None) -> list[np.ndarray]:
    """Log-likelihoods of the mixture of several models: each frame's probability is the mean of theirs.

    Averaged are probabilities, not their logarithms: at each frame the mixture is at least as good
    as the mean of the models' nats, and never worse than the best of n models by more than ln n.

    Equation: (8.4)

    Args:
      *models: of each model its log-likelihoods, as for :func:`nll_per_frame`, of the same pieces.
      weights: of each model, from 0 to 1, with sum 1, for a weighted mean; None for equal weights.

    Returns:
      The mixture's log-likelihoods, float64 (T,) per piece.

    Raises:
      ValueError: if there is no model, they did not score the same frames, or the weights are no
        distribution over the models.

    >>> mixture([np.log([0.5])], [np.log([0.1])])[0].round(4) == np.log(0.3).round(4)
    array([ True])
    """
    scored = _same_pieces(models)
    weights = np.full(len(scored), 1 / len(scored)) if weights is None else np.asarray(weights)
    if weights.shape != (len(scored),) or not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(
            f"weights {weights.tolist()} of {len(scored)} models: need one of each, at least 0, of sum 1"
        )
    return [_log_mean(np.stack(piece), weights) for piece in zip(*scored)]


def mixture_weights(*models: Sequence[np.ndarray], steps: int = 300) -> np.ndarray:
    """Weights of a mixture that make given frames likeliest, by expectation maximisation (EM).

    Fit them on validation pieces, and score test pieces with them. At each step a model's weight
    becomes its mean share of the mixture's probability of a frame. The likelihood of the frames
    never falls from step to step, and it has no maximum but the global one.

    Source: Bishop, "Pattern Recognition and Machine Learning", section 9.3, with fixed components.

    Args:
      *models: as for :func:`mixture`. steps: of EM, from equal weights.

    Returns:
      float64, a weight for each model, with sum 1.

    Raises:
      ValueError: as :func:`mixture`, or if all models hold a frame impossible.

    >>> mixture_weights([np.log([0.5, 0.5])], [np.log([0.1, 0.1])]).round(3)
    array([1., 0.])
    """
    logs = np.stack([np.concatenate(model) for model in _same_pieces(models)])  # (models, frames)
    if not np.isfinite(logs.max(axis=0)).all():
        raise ValueError("a frame is impossible for every model: no weights make it likely")
    probs = np.exp(logs - logs.max(axis=0))
    weights = np.full(len(logs), 1 / len(logs))
    for _ in range(steps):
        shares = weights[:, None] * probs  # (models, frames)
        weights = (shares / shares.sum(axis=0)).mean(axis=1)
    return weights


def _log_mean(logs, weights):
    """log of the mean of exp over the first axis; the largest is taken out first, so that exp can't underflow."""
    top = np.max(logs, axis=0)
    finite = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return finite + np.log(weights @ np.exp(logs - finite))  # Eq. (8.4)


def _same_pieces(models):
    """The models' log-likelihoods as arrays, of the same pieces."""
    scored = [_pieces(model) for model in models]
    lengths = [[len(piece) for piece in model] for model in scored]
    if not scored or any(some != lengths[0] for some in lengths):
        raise ValueError(
            f"{len(scored)} models scored different frames: pass the same pieces to each"
        )
    return scored


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
