"""Exact variational bound of two stacked RBMs, which training the upper one can raise."""

from __future__ import annotations

import numpy as np

from musiclab.models.energy.partition_function import MOST_UNITS, binary_states
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.softmax_rbm import SoftmaxRBM

__all__ = ["transposed", "variational_bound"]


def transposed(rbm: RBM) -> RBM:
    """Transposed RBM, the start of the next layer at which stacking changes nothing yet.

    Its visible units are the hidden units of the first RBM, with their biases; W is transposed.
    Then p2(h1) is the marginal p(h1) of the lower RBM, and the bound starts at the log-likelihood
    of the lower RBM.

    Equation: (13.5)

    Args:
      rbm: V visible and H hidden units, each 0 or 1.

    Returns:
      A new RBM with H visible and V hidden units.

    Raises:
      ValueError: if its visible units are softmax units, which no hidden layer can stand for.

    >>> below = RBM(3, 2).assign(np.ones((3, 2)), np.zeros(3), np.ones(2))
    >>> transposed(below).a.numpy().tolist()
    [1.0, 1.0]
    """
    if isinstance(rbm, SoftmaxRBM):
        raise ValueError("visible units are symbols: binary hidden units can't stand for them")
    W, a, b = rbm.weights64()
    return RBM(rbm.hidden, rbm.visible).assign(W.T, b, a)  # Eq. (13.5)


def variational_bound(x, below: RBM, above: RBM) -> np.ndarray:
    """Lower bound of ln p(v) under two stacked RBMs, all states of h1 enumerated.

    Sum over h of q(h | v) (ln p1(v | h) + ln p2(h) - ln q(h | v)), where q(h | v) is p(h | v) of
    the lower RBM.

    Equation: (13.4)

    Args:
      x: rows (n, V) of 0 and 1. below: V visible, H hidden units, H at most 20.
      above: H visible units; at most 20 units in its smaller layer.

    Returns:
      float64 (n,), nats per row; exactly ln p(v) where q is the true posterior.

    Raises:
      ValueError: if the RBMs don't fit together or are too large to enumerate, or a number in x is
        neither 0 nor 1.

    >>> below, above = RBM(3, 2), RBM(2, 1)
    >>> zeros = [m.assign(*(np.zeros(w.shape) for w in (m.W, m.a, m.b))) for m in (below, above)]
    >>> (variational_bound(np.ones((1, 3)), below, above) / np.log(2)).round(4)
    array([-3.])
    """
    x = below.check_binary(x)
    if below.hidden != above.visible or below.hidden > MOST_UNITS or isinstance(below, SoftmaxRBM):
        raise ValueError(
            f"{below.hidden} hidden units below, {above.visible} visible above: need as many, "
            f"at most {MOST_UNITS}, and binary visible units below"
        )
    W, a, b = below.weights64()
    h = binary_states(below.hidden)  # (S, H)
    to_h, to_v = x @ W + b, h @ W.T + a  # (n, H), (S, V)
    log_q = to_h @ h.T - np.logaddexp(0, to_h).sum(axis=1, keepdims=True)  # (n, S)
    log_p_v = x @ to_v.T - np.logaddexp(0, to_v).sum(axis=1)  # (n, S)
    log_p_h = above.log_likelihood(h)  # (S,)
    return np.sum(np.exp(log_q) * (log_p_v + log_p_h - log_q), axis=1)  # Eq. (13.4)
