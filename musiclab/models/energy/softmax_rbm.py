"""Restricted Boltzmann machine with softmax visible units: one of K symbols in each cell.

A row v (n, V) is one-hot cell by cell: V = cells x K, and exactly one unit of each cell is 1. The
energy is that of :mod:`musiclab.models.energy.rbm_functions`. Since all units of a cell but one are
0, the visible conditional is a softmax over each cell instead of independent Bernoulli units, and
no voice of a drawn row has two notes at a time.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.partition_function import MOST_UNITS, binary_states
from musiclab.models.energy.rbm import RBM, probabilities
from musiclab.sampling import sample_categorical

__all__ = ["SoftmaxRBM", "cross_entropy", "draw_symbols", "softmax_probs"]


def softmax_probs(h, W, a, symbols: int):
    """Conditional p(v_ck = 1 | h): exp(a_ck + W_ck.h), normalised over the symbols k of cell c.

    Equation: (13.1)
    Source: Salakhutdinov, Mnih and Hinton, "Restricted Boltzmann machines for collaborative
      filtering", 2007.

    Args:
      h: (n, H), 0 to 1. W: (V, H). a: (V,). symbols: K, a divisor of V.

    Returns:
      Float tensor (n, V); the K numbers of each cell sum to 1.

    >>> softmax_probs([[1.]], np.log([[1.], [3.]]), [0., 0.], symbols=2).numpy().round(2).tolist()
    [[0.25, 0.75]]
    """
    W = tf.convert_to_tensor(W)
    inputs = tf.matmul(tf.cast(h, W.dtype), W, transpose_b=True) + tf.cast(a, W.dtype)  # (n, V)
    cells = tf.reshape(inputs, (-1, W.shape[0] // symbols, symbols))  # (n, cells, K)
    return tf.reshape(tf.nn.softmax(cells, axis=-1), tf.shape(inputs))  # Eq. (13.1)


def draw_symbols(probs, symbols: int, seed, temperature=1.0):
    """Draw one symbol per cell by its probability.

    Args:
      probs: float (n, V). symbols: K. seed: two integers. temperature: above 0.

    Returns:
      Float tensor (n, V) of 0 and 1, one 1 per cell.

    >>> draw_symbols(tf.constant([[0., 1., 1., 0.]]), symbols=2, seed=(0, 0)).numpy().tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """
    chosen = sample_categorical(tf.math.log(tf.reshape(probs, (-1, symbols))) / temperature, seed)
    return tf.reshape(tf.one_hot(chosen, symbols, dtype=probs.dtype), tf.shape(probs))


def cross_entropy(v, probs):
    """Cross-entropy of a reconstruction, summed over cells: - sum of v ln probs, in nats per row.

    Equation: (13.6)

    Args:
      v: (n, V), one-hot per cell. probs: (n, V), the reconstruction.

    Returns:
      Float tensor (n,), at least 0.

    >>> float(cross_entropy([[1., 0.]], np.array([[0.5, 0.5]]))[0].numpy().round(4))
    0.6931
    """
    probs = tf.convert_to_tensor(probs)
    log_probs = tf.math.log(probs + 1e-9)
    return -tf.reduce_sum(tf.cast(v, probs.dtype) * log_probs, axis=-1)  # Eq. (13.6)


@keras.saving.register_keras_serializable(package="musiclab")
class SoftmaxRBM(RBM):
    """RBM over rows that are one-hot per cell.

    Its "loss" is the cross-entropy of one step up and down, by probabilities.

    Args:
      visible: V = cells x symbols. hidden: H. symbols: K, at least 2.

    Raises:
      ValueError: if a size is below 1, or V is no multiple of K.

    >>> rbm = SoftmaxRBM(6, 2, symbols=3).assign(np.zeros((6, 2)), np.zeros(6), np.zeros(2))
    >>> int(rbm.sample(1, seed=0).sum())
    2
    """

    test_draws = 1  # nothing is drawn in the loss

    def __init__(self, visible, hidden, symbols, **kwargs):
        super().__init__(visible, hidden, **kwargs)
        if symbols < 2 or visible % symbols:
            raise ValueError(
                f"{visible} visible units of {symbols} symbols: "
                "need cells x symbols, symbols at least 2"
            )
        self.symbols = int(symbols)

    def draw_visible(self, h, W, a, seed):
        """Draw one symbol per cell given hidden units: (n, H) to (n, V)."""
        return draw_symbols(softmax_probs(h, W, a, self.symbols), self.symbols, seed)

    def proxy_loss(self, v, seed):
        """Cross-entropy of rows (n, V) against their reconstruction, averaged; nothing is drawn."""
        h = rbm_functions.hidden_probs(v, self.W, self.b)  # (n, H)
        return tf.reduce_mean(cross_entropy(v, softmax_probs(h, self.W, self.a, self.symbols)))

    def visible_probs(self, h) -> np.ndarray:
        """Hidden units (n, H), 0 to 1, to p(v = 1 | h), float32 (n, V)."""
        h = probabilities(h, self.hidden)
        return softmax_probs(h, self.W, self.a, self.symbols).numpy()

    def log_partition(self) -> float:
        """ln Z over one-hot rows, hidden states enumerated; ValueError above 20 hidden units."""
        if self.hidden > MOST_UNITS:
            raise ValueError(f"{self.hidden} hidden units: at most {MOST_UNITS} can be enumerated")
        W, a, b = self.weights64()
        h = binary_states(self.hidden)  # (S, H)
        cells = (a + h @ W.T).reshape(len(h), -1, self.symbols)  # (S, cells, K)
        return np.logaddexp.reduce(h @ b + np.logaddexp.reduce(cells, axis=2).sum(axis=1))

    def random_rows(self, n: int, seed: int) -> np.ndarray:
        """Random symbols (n, V), to start Gibbs chains from."""
        cells = self.visible // self.symbols
        chosen = np.random.default_rng(seed).integers(self.symbols, size=(max(n, 0), cells))
        return np.eye(self.symbols)[chosen].reshape(-1, self.visible)

    def get_config(self):
        """Constructor arguments, stored in ``.keras`` files."""
        return {**super().get_config(), "symbols": self.symbols}

    def check_rows(self, x) -> np.ndarray:
        """Rows of visible units as float32 (n, V); ValueError if they are not one-hot per cell."""
        x = super().check_rows(x)
        cells = x.reshape(-1, self.symbols)
        if (cells.sum(axis=1) != 1).any() or (cells.max(axis=1) != 1).any():
            raise ValueError(
                f"a row is not one-hot: exactly one of each {self.symbols} symbols must be 1"
            )
        return x

    def check_known(self, known, x, steps) -> np.ndarray:
        """As ``RBM.check_known``; ValueError also if a cell is known in part."""
        known = super().check_known(known, x, steps)
        cells = known.reshape(-1, self.symbols)
        if (cells != cells[:, :1]).any():
            raise ValueError(
                f"a cell is known in part: its {self.symbols} units are known together or not"
            )
        return known
