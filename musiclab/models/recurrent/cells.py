"""One step of a recurrent network: the plain RNN and the LSTM with peepholes, in NumPy and as a Keras cell.

Lessons: 06, 07.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

__all__ = ["Gates", "LSTMWeights", "PeepholeLSTMCell", "RNNWeights", "lstm_step", "rnn_step"]


class RNNWeights(NamedTuple):
    """Weights of a plain RNN with H units, D inputs and, where it also answers, K outputs.

    Lesson: 06

    Attributes:
      W_hh: (H, H), from the hidden state before. W_xh: (H, D), from the input. b_h: (H,).
      W_hy: (K, H) and b_y: (K,), from the hidden state to the logits; None where only the step is wanted.
    """

    W_hh: np.ndarray
    W_xh: np.ndarray
    b_h: np.ndarray
    W_hy: np.ndarray | None = None
    b_y: np.ndarray | None = None


class LSTMWeights(NamedTuple):
    """Weights of an LSTM with H units and D inputs, gate by gate; row k of a matrix is what unit k listens to.

    Lesson: 07

    Attributes:
      W_xi, W_xf, W_xc, W_xo: (H, D), from the input to the input gate, forget gate, candidate, output gate.
      W_hi, W_hf, W_hc, W_ho: (H, H), from the hidden state before.
      W_ci, W_cf, W_co: (H,), the peepholes: diagonal, so that each gate sees only its own unit's cell.
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


class Gates(NamedTuple):
    """All that happens in one LSTM step, each (..., H).

    Lesson: 07

    Attributes:
      input, forget, output: the gates, 0 (shut) to 1 (open).
      candidate: what would be written, -1 to 1.
      cell: the new cell state c_t. hidden: the new hidden state h_t, -1 to 1.
    """

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    cell: np.ndarray
    output: np.ndarray
    hidden: np.ndarray


def rnn_step(x: np.ndarray, h_prev: np.ndarray, weights: RNNWeights) -> np.ndarray:
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h).

    Equation: (6.1)
    Lesson: 06
    Source: source article on sequence models, section 3.

    Args:
      x: input of this step, (D,) or a batch of them as rows (n, D).
      h_prev: hidden state before, (H,) or (n, H).
      weights: see :class:`RNNWeights`.

    Returns:
      The hidden state h_t, float64 (H,) or (n, H), each entry in -1..1.

    Raises:
      ValueError: if the shapes don't fit together.

    >>> w = RNNWeights(W_hh=np.array([[0.5]]), W_xh=np.array([[1.0]]), b_h=np.zeros(1))
    >>> rnn_step(np.array([0.0]), np.array([2.0]), w).round(4)
    array([0.7616])
    """
    wanted = {"W_hh": ("H", "H"), "W_xh": ("H", "D"), "b_h": ("H",)}
    x, h_prev = _checked(weights, wanted, x, h=h_prev)
    return np.tanh(h_prev @ weights.W_hh.T + x @ weights.W_xh.T + weights.b_h)  # Eq. (6.1)


def lstm_step(x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, weights: LSTMWeights) -> Gates:
    """One step of the LSTM with peepholes, every gate kept.

    The source article ends with the cell state: the output gate (7.5) and the hidden state (7.6) are
    completed here as in the literature. The input and forget gates see the old cell, the output gate the new one.

    Equations: (7.1), (7.2), (7.3), (7.4), (7.5), (7.6)
    Lesson: 07
    Source: source article on sequence models, section 3; Gers, Schraudolph and Schmidhuber, "Learning precise
      timing with LSTM recurrent networks", 2002, for the output gate.

    Args:
      x: input of this step, (D,) or (n, D).
      h_prev: hidden state before, (H,) or (n, H).
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
    shapes = {"W_x": ("H", "D"), "W_h": ("H", "H"), "W_c": ("H",), "b_": ("H",)}
    wanted = {
        name: next(shape for start, shape in shapes.items() if name.startswith(start))
        for name in weights._fields
    }
    x, h_prev, c_prev = _checked(weights, wanted, x, h=h_prev, c=c_prev)
    w = weights
    i = _sigmoid(x @ w.W_xi.T + h_prev @ w.W_hi.T + w.W_ci * c_prev + w.b_i)  # Eq. (7.1)
    f = _sigmoid(x @ w.W_xf.T + h_prev @ w.W_hf.T + w.W_cf * c_prev + w.b_f)  # Eq. (7.2)
    candidate = np.tanh(x @ w.W_xc.T + h_prev @ w.W_hc.T + w.b_c)  # Eq. (7.3)
    c = f * c_prev + i * candidate  # Eq. (7.4)
    o = _sigmoid(x @ w.W_xo.T + h_prev @ w.W_ho.T + w.W_co * c + w.b_o)  # Eq. (7.5)
    return Gates(i, f, candidate, c, o, o * np.tanh(c))  # Eq. (7.6)


@keras.saving.register_keras_serializable(package="musiclab")
class PeepholeLSTMCell(keras.Layer):
    """The step of :func:`lstm_step` for ``keras.layers.RNN``; with peepholes at zero it is Keras' LSTM.

    Kernels are laid out as in ``keras.layers.LSTMCell``: input gate, forget gate, candidate, output gate side
    by side. The forget gate's bias begins at 1, so that a new cell remembers.

    Equations: (7.1), (7.2), (7.3), (7.4), (7.5), (7.6)
    Lesson: 07

    Args:
      units: H, at least 1.

    Raises:
      ValueError: if units is below 1.

    >>> keras.layers.RNN(PeepholeLSTMCell(3), return_sequences=True)(np.zeros((2, 5, 4))).shape
    TensorShape([2, 5, 3])
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"{units} units: a cell needs at least 1")
        self.units = self.output_size = int(units)
        self.state_size = [self.units, self.units]

    def build(self, input_shape):
        """Make the weights for inputs (n, D)."""
        H = self.units
        self.kernel = self.add_weight((input_shape[-1], 4 * H), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((H, 4 * H), "orthogonal", name="recurrent_kernel")
        self.peepholes = self.add_weight((3, H), "zeros", name="peepholes")
        start = np.repeat([0.0, 1.0, 0.0, 0.0], H)
        self.bias = self.add_weight(
            (4 * H,), lambda shape, dtype: ops.convert_to_tensor(start, dtype), name="bias"
        )
        self.built = True

    def call(self, inputs, states, training=False):
        """Inputs (n, D) and states [h, c], each (n, H), to h and the new states."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        z_i, z_f, z_c, z_o = ops.split(z, 4, axis=1)
        W_ci, W_cf, W_co = ops.unstack(self.peepholes, 3)
        i = ops.sigmoid(z_i + W_ci * c)  # Eq. (7.1)
        f = ops.sigmoid(z_f + W_cf * c)  # Eq. (7.2)
        candidate = ops.tanh(z_c)  # Eq. (7.3)
        c = f * c + i * candidate  # Eq. (7.4)
        o = ops.sigmoid(z_o + W_co * c)  # Eq. (7.5)
        h = o * ops.tanh(c)  # Eq. (7.6)
        return h, [h, c]

    def numpy_weights(self) -> LSTMWeights:
        """The weights as :func:`lstm_step` wants them, float64."""
        W_x, W_h, P, b = (np.array(v, np.float64) for v in self.get_weights())
        x_i, x_f, x_c, x_o = np.split(W_x.T, 4)
        h_i, h_f, h_c, h_o = np.split(W_h.T, 4)
        b_i, b_f, b_c, b_o = np.split(b, 4)
        return LSTMWeights(
            x_i, h_i, P[0], b_i, x_f, h_f, P[1], b_f, x_c, h_c, b_c, x_o, h_o, P[2], b_o
        )

    def get_config(self):
        """What ``.keras`` files store to build the cell again."""
        return {**super().get_config(), "units": self.units}


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _checked(weights, wanted, x, **states):
    """x and states as float64, after checking every shape against its letters."""
    x, *given = (np.asarray(a, np.float64) for a in (x, *states.values()))
    sizes = {
        "H": len(weights.b_h if hasattr(weights, "b_h") else weights.b_i),
        "D": x.shape[-1] if x.ndim else 0,
    }
    for name, letters in wanted.items():
        shape, right = np.shape(getattr(weights, name)), tuple(sizes[letter] for letter in letters)
        if shape != right:
            raise ValueError(
                f"{name} has shape {shape}: with {sizes['H']} units and {sizes['D']} inputs, need {right}"
            )
    right = (*x.shape[:-1], sizes["H"])
    for name, state in zip(states, given):
        if state.shape != right:
            raise ValueError(
                f"state {name} has shape {state.shape}: for x of shape {x.shape}, need {right}"
            )
    return [x, *given]
