"""Recurrent layers, one on another: over a whole sequence to train, one step at a time to write.

Lessons: 06, 07, 08.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from musiclab.models.recurrent.cells import PeepholeLSTMCell

__all__ = ["CELLS", "Memory", "recurrent_layer"]

CELLS = ("none", "rnn", "lstm", "peephole", "gru")


def recurrent_layer(cell: str, units: int) -> keras.layers.Layer:
    """A Keras layer over time that returns every step's hidden state.

    Lesson: 07

    Args:
      cell: "rnn", "lstm", "peephole" or "gru".
      units: H, at least 1.

    Returns:
      The layer; its ``cell`` makes one step at a time.

    Raises:
      ValueError: on another name, or units below 1.

    >>> recurrent_layer("gru", 3)(keras.ops.zeros((2, 5, 4))).shape
    TensorShape([2, 5, 3])
    """
    kinds = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    if cell not in CELLS[1:] or units < 1:
        raise ValueError(
            f"cell {cell!r} with {units} units: a cell is one of {', '.join(CELLS[1:])}, units at least 1"
        )
    if cell == "peephole":
        return keras.layers.RNN(PeepholeLSTMCell(units), return_sequences=True)
    return kinds[cell](units, return_sequences=True)


@keras.saving.register_keras_serializable(package="musiclab")
class Memory(keras.Layer):
    """What a model remembers of a sequence: recurrent layers with dropout between them, or nothing at all.

    Its state is passed explicitly: it comes in and goes out, and nothing is kept inside.

    Lesson: 07, 08

    Args:
      cell: as :func:`recurrent_layer`, or "none", which remembers nothing: its output has no features.
      units: H of each layer. layers: how many.
      dropout: share of each layer's output, and a fifth of it of the input, left out in training.

    Raises:
      ValueError: on an unknown cell, or a size below 1.

    >>> memory = Memory("lstm", units=3, layers=2)
    >>> memory(keras.ops.zeros((2, 5, 4))).shape, len(memory.start(2))
    (TensorShape([2, 5, 3]), 2)
    """

    def __init__(self, cell, units, layers=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"{layers} layers: need at least 1")
        self.layers = (
            [] if cell == "none" else [recurrent_layer(cell, units) for _ in range(layers)]
        )
        self.size = units if self.layers else 0
        self.input_drop, self.drop = (
            keras.layers.Dropout(0.2 * dropout),
            keras.layers.Dropout(dropout),
        )

    def build(self, input_shape):
        """Make the weights for inputs (n, T, D)."""
        size = input_shape[-1]
        for layer in self.layers:
            layer.build((None, None, size))
            size = self.size
        self.built = True

    def call(self, x, training=False):
        """Inputs (n, T, D) to the last layer's hidden states (n, T, H), each step told of itself and those before."""
        h = self.input_drop(x, training=training)
        for layer in self.layers:
            h = self.drop(layer(h, training=training), training=training)
        return h[..., : self.size]

    def start(self, n: int) -> list:
        """The state before the first step of n sequences: zeros, a list of tensors (n, H) for each layer."""
        return [[tf.zeros((n, size)) for size in _sizes(layer.cell)] for layer in self.layers]

    def step(self, x, state: list) -> tuple:
        """Input (n, D) of one step and the state before it, to the hidden state (n, H) and the state after it."""
        after = []
        for layer, before in zip(self.layers, state):
            x, states = layer.cell(x, before)
            after.append(list(states) if isinstance(states, list | tuple) else [states])
        return x[..., : self.size], after


def _sizes(cell):
    sizes = cell.state_size
    return sizes if isinstance(sizes, list | tuple) else [sizes]
