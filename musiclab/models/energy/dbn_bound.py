"""Why a layer may be put on top of another: the variational bound of two stacked machines, computed exactly.

Lessons: 13.
"""

from __future__ import annotations

import numpy as np

from musiclab.models.energy.partition_function import MOST_UNITS
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.softmax_rbm import SymbolRBM

__all__ = ["transposed", "variational_bound"]


def transposed(machine: RBM) -> RBM:
    """The machine upside down: where to start the next layer, so that stacking it changes nothing yet.

    Its visible units are the old one's hidden units, with their biases; W is transposed. Then p2(h1) is what the lower
    machine thinks of h1, and the bound starts at the lower machine's log-likelihood.

    Equation: (13.5)
    Lesson: 13

    Args:
      machine: V visible and H hidden units, each 0 or 1.

    Returns:
      A new RBM with H visible and V hidden units.

    Raises:
      ValueError: if its visible units are symbols: a layer of coins can't stand for them.

    >>> below = RBM(3, 2).assign(np.ones((3, 2)), np.zeros(3), np.ones(2))
    >>> transposed(below).a.numpy().tolist()
    [1.0, 1.0]
    """
    if isinstance(machine, SymbolRBM):
        raise ValueError("visible units are symbols, which coins in an upper layer can't stand for")
    W, a, b = (variable.numpy() for variable in (machine.W, machine.a, machine.b))
    return RBM(machine.hidden, machine.visible).assign(W.T, b, a)  # Eq. (13.5)


def variational_bound(x, below: RBM, above: RBM) -> np.ndarray:
    """What two stacked machines give a row at least: a lower bound of ln p(v), all states of h1 enumerated.

    Sum over h of q(h | v) (ln p1(v | h) + ln p2(h) - ln q(h | v)), with q(h | v) the lower machine's p(h | v).

    Equation: (13.4)
    Lesson: 13

    Args:
      x: rows (n, V) of 0 and 1. below: V visible, H hidden units, H at most 20.
      above: H visible units; 20 units at most in its smaller layer.

    Returns:
      float64 (n,), nats per row; exactly ln p(v) where q is the true posterior.

    Raises:
      ValueError: if the machines don't fit on one another or are too large to enumerate, or a number is not 0 or 1.

    >>> below, above = RBM(3, 2), RBM(2, 1)
    >>> zeros = [m.assign(*(np.zeros(w.shape) for w in (m.W, m.a, m.b))) for m in (below, above)]
    >>> (variational_bound(np.ones((1, 3)), below, above) / np.log(2)).round(4)
    array([-3.])
    """
    x = below._rows(x)
    if not np.isin(x, (0, 1)).all():
        raise ValueError("only rows of 0 and 1 have a probability: threshold them first, x >= 0.5")
    if below.hidden != above.visible or below.hidden > MOST_UNITS or isinstance(below, SymbolRBM):
        raise ValueError(
            f"{below.hidden} hidden units below, {above.visible} visible above: need as many, at most {MOST_UNITS}, "
            "and visible units that are each 0 or 1"
        )
    h = ((np.arange(2**below.hidden)[:, None] >> np.arange(below.hidden)) & 1).astype(np.float64)
    W, a, b = (variable.numpy().astype(np.float64) for variable in (below.W, below.a, below.b))
    to_h, to_v = x @ W + b, h @ W.T + a
    log_q = to_h @ h.T - np.logaddexp(0, to_h).sum(axis=1, keepdims=True)
    log_p_v = x @ to_v.T - np.logaddexp(0, to_v).sum(axis=1)
    log_p_h = above.log_likelihood(h)
    return np.sum(np.exp(log_q) * (log_p_v + log_p_h - log_q), axis=1)  # Eq. (13.4)
