"""Steps of a plain RNN and of an LSTM with peepholes, in NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Gates", "LSTMWeights", "RNNWeights", "lstm_step", "lstm_unroll", "rnn_step"]


class RNNWeights(NamedTuple):
    """Weights of a plain RNN with H units, D inputs and K outputs.


    Attributes:
      W_hh: (H, H), from the previous hidden state. W_xh: (H, D), from the input. b_h: (H,).
      W_hy: (K, H) and b_y: (K,), from the hidden state to the logits; None if there are no outputs.
    """

    W_hh: np.ndarray
    W_xh: np.ndarray
    b_h: np.ndarray
    W_hy: np.ndarray | None = None
    b_y: np.ndarray | None = None


class LSTMWeights(NamedTuple):
    """Weights of an LSTM with H units and D inputs, gate by gate; row k of a matrix belongs to unit k.


    Attributes:
      W_xi, W_xf, W_xc, W_xo: (H, D), from the input to input gate, forget gate, candidate and
        output gate.
      W_hi, W_hf, W_hc, W_ho: (H, H), from the previous hidden state.
      W_ci, W_cf, W_co: (H,), the peepholes: each gate sees only the cell of its own unit.
      b_i, b_f, b_c, b_o: (H,).
    """

    W_xi: np.ndarray
    W_hi: np.ndarray
    W_ci: np.ndarray
    b_i: np.ndarray
    W_xf: np.ndarray
    W_hf: np.ndarray
    W_cf: np.ndarray
    b_f: np.ndarray
    W_xc: np.ndarray
    W_hc: np.ndarray
    b_c: np.ndarray
    W_xo: np.ndarray
    W_ho: np.ndarray
    W_co: np.ndarray
    b_o: np.ndarray

    @classmethod
    def from_keras(cls, cell) -> LSTMWeights:
        """The weights of a :class:`PeepholeLSTMCell`, float64."""
        W_x, W_h, peepholes, b = (np.array(v, np.float64) for v in cell.get_weights())
        W_xi, W_xf, W_xc, W_xo = np.split(W_x.T, 4)
        W_hi, W_hf, W_hc, W_ho = np.split(W_h.T, 4)
        W_ci, W_cf, W_co = peepholes
        b_i, b_f, b_c, b_o = np.split(b, 4)
        return cls(
            W_xi, W_hi, W_ci, b_i, W_xf, W_hf, W_cf, b_f, W_xc, W_hc, b_c, W_xo, W_ho, W_co, b_o
        )


class Gates(NamedTuple):
    """Every value computed in one LSTM step, each (..., H).


    Attributes:
      input, forget, output: the gates, 0 (closed) to 1 (open).
      candidate: the update proposed for the cell, -1 to 1.
      cell: the new cell state c_t. hidden: the new hidden state h_t, -1 to 1.
    """

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    cell: np.ndarray
    output: np.ndarray
    hidden: np.ndarray


def rnn_step(x: np.ndarray, h_prev: np.ndarray, weights: RNNWeights) -> np.ndarray:
    """One step of a plain RNN: h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h).

    Equation: (6.1)
    Source: Elman, "Finding structure in time", Cognitive Science 14, 1990.

    Args:
      x: input of this step, (D,) or a batch of them as rows (n, D).
      h_prev: previous hidden state, (H,) or (n, H).
      weights: see :class:`RNNWeights`.

    Returns:
      The hidden state h_t, float64 (H,) or (n, H), each entry in -1..1.

    Raises:
      ValueError: if the shapes don't fit together.

    >>> w = RNNWeights(W_hh=np.array([[0.5]]), W_xh=np.array([[1.0]]), b_h=np.zeros(1))
    >>> rnn_step(np.array([0.0]), np.array([2.0]), w).round(4)
    array([0.7616])
    """
    x, h_prev = _checked(x, weights.W_xh, weights, h=h_prev)
    return np.tanh(h_prev @ weights.W_hh.T + x @ weights.W_xh.T + weights.b_h)  # Eq. (6.1)


def lstm_step(x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, weights: LSTMWeights) -> Gates:
    """One step of the LSTM with peepholes.

    Input and forget gate see the old cell, the output gate the new one.

    Equations: (7.1), (7.2), (7.3), (7.4), (7.5), (7.6)
    Source: Gers, Schraudolph and Schmidhuber, "Learning precise timing with LSTM recurrent
      networks", 2002.

    Args:
      x: input of this step, (D,) or (n, D).
      h_prev: previous hidden state, (H,) or (n, H).
      c_prev: cell state before, likewise.
      weights: see :class:`LSTMWeights`.

    Returns:
      The gates, the candidate and both new states, float64.

    Raises:
      ValueError: if the shapes don't fit together.

    >>> zero = {name: np.zeros((1, 1) if name[:3] in ("W_x", "W_h") else 1) for name in LSTMWeights._fields}
    >>> lstm_step(np.ones(1), np.zeros(1), np.array([2.0]), LSTMWeights(**zero)).cell
    array([1.])
    """
    x, h_prev, c_prev = _checked(x, weights.W_xi, weights, h=h_prev, c=c_prev)
    w = weights
    i = _sigmoid(x @ w.W_xi.T + h_prev @ w.W_hi.T + w.W_ci * c_prev + w.b_i)  # Eq. (7.1)
    f = _sigmoid(x @ w.W_xf.T + h_prev @ w.W_hf.T + w.W_cf * c_prev + w.b_f)  # Eq. (7.2)
    candidate = np.tanh(x @ w.W_xc.T + h_prev @ w.W_hc.T + w.b_c)  # Eq. (7.3)
    c = f * c_prev + i * candidate  # Eq. (7.4)
    o = _sigmoid(x @ w.W_xo.T + h_prev @ w.W_ho.T + w.W_co * c + w.b_o)  # Eq. (7.5)
    return Gates(i, f, candidate, c, o, o * np.tanh(c))  # Eq. (7.6)


def lstm_unroll(x: np.ndarray, weights: LSTMWeights, h0=None, c0=None) -> Gates:
    """Run :func:`lstm_step` over a sequence.

    Args:
      x: inputs (T, D), T at least 1.
      weights: see :class:`LSTMWeights`.
      h0, c0: hidden state and cell state before the first step, (H,) each; None for zeros.

    Returns:
      Gates, candidates and states of every step, float64 (T, H) each.

    Raises:
      ValueError: if there is no step, or the shapes don't fit together.

    >>> zero = {name: np.zeros((1, 1) if name[:3] in ("W_x", "W_h") else 1) for name in LSTMWeights._fields}
    >>> lstm_unroll(np.ones((3, 1)), LSTMWeights(**zero), c0=np.array([2.0])).cell.tolist()
    [[1.0], [0.5], [0.25]]
    """
    if len(x) == 0:
        raise ValueError("x has no step: need at least one")
    zeros = np.zeros(len(weights.b_i))
    h, c = zeros if h0 is None else h0, zeros if c0 is None else c0
    steps = []
    for x_t in x:
        steps.append(lstm_step(x_t, h, c, weights))
        h, c = steps[-1].hidden, steps[-1].cell
    return Gates(*(np.array(values) for values in zip(*steps)))


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _checked(x, W_x, weights, **states):
    """x and states as float64; every shape is checked, since NumPy broadcasts some wrong ones."""
    x, *given = (np.asarray(a, np.float64) for a in (x, *states.values()))
    H, D = np.shape(W_x)[0], x.shape[-1] if x.ndim else 0
    matrices = {"W_x": (H, D), "W_h": (H, H)}
    for name, a in [*weights._asdict().items(), *zip(states, given)]:
        need = (*x.shape[:-1], H) if name in states else matrices.get(name[:3], (H,))
        if np.shape(a) != need and not name.endswith("y"):
            raise ValueError(
                f"{name} has shape {np.shape(a)}: for x of shape {x.shape} need {need}"
            )
    return [x, *given]
