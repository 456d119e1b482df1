"""Stacked recurrent layers (RNN, LSTM, LSTM with peepholes, GRU), for training and for sampling."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

__all__ = ["CELLS", "PeepholeLSTMCell", "RecurrentStack", "recurrent_layer"]

CELLS = ("none", "rnn", "lstm", "peephole", "gru")


@keras.saving.register_keras_serializable(package="musiclab")
class PeepholeLSTMCell(keras.Layer):
    """One step of an LSTM with peepholes, for ``keras.layers.RNN``; without them it is Keras' LSTM.

    Kernels are laid out as in ``keras.layers.LSTMCell``: input gate, forget gate, candidate and
    output gate side by side; ``peepholes`` (3, H) are those of input, forget and output gate.

    Equations: (7.1), (7.2), (7.3), (7.4), (7.5), (7.6)

    Args:
      units: H, at least 1.

    >>> h, states = PeepholeLSTMCell(3)(ops.zeros((2, 5)), [ops.zeros((2, 3)), ops.zeros((2, 3))])
    >>> h.shape, len(states)
    (TensorShape([2, 3]), 2)
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.output_size = int(units)
        self.state_size = [self.units, self.units]

    def build(self, input_shape):
        """Make the weights for inputs (B, D); the forget gates start open."""
        H = self.units
        open_forget_gates = np.repeat([0.0, 1.0, 0.0, 0.0], H)
        self.kernel = self.add_weight((input_shape[-1], 4 * H), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((H, 4 * H), "orthogonal", name="recurrent_kernel")
        self.peepholes = self.add_weight((3, H), "zeros", name="peepholes")
        self.bias = self.add_weight(
            (4 * H,), keras.initializers.Constant(open_forget_gates), name="bias"
        )
        self.built = True

    def call(self, inputs, states, training=False):
        """Inputs (B, D) and states [h, c], each (B, H), to h and the new states."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        z_i, z_f, z_c, z_o = ops.split(z, 4, axis=1)  # (B, H) each
        W_ci, W_cf, W_co = ops.unstack(self.peepholes, 3)  # (H,) each
        i = ops.sigmoid(z_i + W_ci * c)  # Eq. (7.1)
        f = ops.sigmoid(z_f + W_cf * c)  # Eq. (7.2)
        candidate = ops.tanh(z_c)  # Eq. (7.3)
        c = f * c + i * candidate  # Eq. (7.4)
        o = ops.sigmoid(z_o + W_co * c)  # Eq. (7.5)
        h = o * ops.tanh(c)  # Eq. (7.6)
        return h, [h, c]

    def get_config(self):
        """Arguments stored in ``.keras`` files."""
        return {**super().get_config(), "units": self.units}


def recurrent_layer(cell: str, units: int) -> keras.layers.Layer:
    """A Keras layer over time that returns the hidden state of every step.

    Args:
      cell: "rnn", "lstm", "peephole" or "gru".
      units: H, at least 1.

    Returns:
      The layer; its ``cell`` computes one step at a time.

    Raises:
      ValueError: on another name, or units below 1.

    >>> recurrent_layer("gru", 3)(ops.zeros((2, 5, 4))).shape
    TensorShape([2, 5, 3])
    """
    if cell not in CELLS[1:] or units < 1:
        names = ", ".join(CELLS[1:])
        raise ValueError(f"cell {cell!r} with {units} units: need one of {names}, units at least 1")
    if cell == "peephole":
        return keras.layers.RNN(PeepholeLSTMCell(units), return_sequences=True)
    kinds = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    return kinds[cell](units, return_sequences=True)


@keras.saving.register_keras_serializable(package="musiclab")
class RecurrentStack(keras.Layer):
    """Recurrent layers on top of one another, with dropout between them.

    ``call`` runs over whole sequences, for training. ``step`` runs one step, for sampling: the
    state is passed in and returned; the layer itself keeps none.

    Args:
      cell: as :func:`recurrent_layer`; or "none" for no layer at all, an output without features.
      units: H of each layer.
      layers: how many, at least 1.
      dropout: share of each layer's output left out in training, and a fifth of it of the input.

    >>> stack = RecurrentStack("lstm", units=3, layers=2)
    >>> stack(ops.zeros((2, 5, 4))).shape, len(stack.initial_state(2))
    (TensorShape([2, 5, 3]), 2)
    """

    def __init__(self, cell, units, layers=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"{layers} recurrent layers: need at least 1")
        count = 0 if cell == "none" else layers
        self.layers = [recurrent_layer(cell, units) for _ in range(count)]
        self.size = units if count else 0
        self.input_drop = keras.layers.Dropout(0.2 * dropout)
        self.drop = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """Make the weights for inputs (B, T, D)."""
        size = input_shape[-1]
        for layer in self.layers:
            layer.build((None, None, size))
            size = self.size
        self.built = True

    def call(self, x, training=False):
        """Inputs (B, T, D) to hidden states (B, T, H); step t sees the inputs up to t."""
        h = self.input_drop(x, training=training)  # (B, T, D)
        for layer in self.layers:
            h = self.drop(layer(h, training=training), training=training)  # (B, T, H)
        return h[..., : self.size]

    def initial_state(self, n: int) -> list:
        """Zeros for n sequences: for each layer a list of tensors (n, H)."""
        sizes = [tf.nest.flatten(layer.cell.state_size) for layer in self.layers]
        return [[tf.zeros((n, H)) for H in layer] for layer in sizes]

    def step(self, x, state: list) -> tuple:
        """Input (n, D) of one step and the state before it to (n, H) and the state after it."""
        new_state = []
        for layer, before in zip(self.layers, state):
            x, after = layer.cell(x, before)
            new_state.append(tf.nest.flatten(after))
        return x[..., : self.size], new_state
