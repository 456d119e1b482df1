"""A restricted Boltzmann machine whose visible units say one of K symbols in each cell: a rest, a hold, a pitch.

A row v (n, V) is one-hot cell by cell: V = cells x symbols, and exactly one unit of each cell is 1. The energy is that
of :mod:`musiclab.models.energy.rbm_functions`; only, where all units of a cell but one must be 0,
the visible conditional is a softmax instead of independent coins. So whatever is
drawn is music: no voice sings two notes at a time.

Lessons: 13.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.partition_function import MOST_UNITS
from musiclab.models.energy.rbm import RBM
from musiclab.sampling import draw

__all__ = ["SymbolRBM", "draw_symbols", "surprise", "symbol_gibbs", "symbol_probs"]


def symbol_probs(h, W, a, symbols: int):
    """p(v_ck = 1 | h) = exp(a_ck + W_ck.h) over the sum of that over all symbols k of cell c.

    Equation: (13.1)
    Lesson: 13
    Source: Salakhutdinov, Mnih and Hinton, "Restricted Boltzmann machines for collaborative filtering", 2007.

    Args:
      h: (n, H), 0 to 1. W: (V, H). a: (V,). symbols: K, a divisor of V.

    Returns:
      Float tensor (n, V); the K numbers of each cell sum to 1.

    >>> symbol_probs([[1.]], np.log([[1.], [3.]]), [0., 0.], symbols=2).numpy().round(2).tolist()
    [[0.25, 0.75]]
    """
    W = tf.convert_to_tensor(W)
    inputs = tf.matmul(tf.cast(h, W.dtype), W, transpose_b=True) + tf.cast(a, W.dtype)
    cells = tf.reshape(inputs, (-1, W.shape[0] // symbols, symbols))
    return tf.reshape(tf.nn.softmax(cells, axis=-1), tf.shape(inputs))  # Eq. (13.1)


def draw_symbols(probs, symbols: int, seed, temperature=1.0):
    """One symbol per cell, each as often as its probability says.

    Lesson: 13

    Args:
      probs: float (n, V). symbols: K. seed: two integers. temperature: above 0; below 1 plays safer.

    Returns:
      Float tensor (n, V) of 0 and 1, one 1 per cell.

    >>> draw_symbols(tf.constant([[0., 1., 1., 0.]]), symbols=2, seed=(0, 0)).numpy().tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """
    chosen = draw(tf.math.log(tf.reshape(probs, (-1, symbols))) / temperature, seed)
    return tf.reshape(tf.one_hot(chosen, symbols, dtype=probs.dtype), tf.shape(probs))


def symbol_gibbs(v, W, a, b, k, seed, symbols: int, known=None):
    """k steps of block Gibbs sampling with softmax (one-of-K) visible units.

    Lesson: 13

    Args:
      v: (n, V), where to start. W: (V, H), a: (V,), b: (H,). k: steps. seed: two integers, or an int tensor (2,).
      symbols: K. known: bool (V,) or (n, V), whole cells that stay as they are in v; None leaves all free.

    Returns:
      Float tensor (n, V) of 0 and 1.

    >>> symbol_gibbs(np.zeros((1, 2)), np.zeros((2, 3)), [99., -99.], np.zeros(3), 1, (0, 0), symbols=2).numpy()
    array([[1., 0.]])
    """
    W = tf.convert_to_tensor(W)
    v, a, b = (tf.cast(part, W.dtype) for part in (v, a, b))
    seed = tf.convert_to_tensor(seed, tf.int32)

    def step(t, now):
        one = tf.random.experimental.stateless_fold_in(seed, t)
        probs = rbm_functions.hidden_probs(now, W, b)
        h = tf.cast(
            tf.random.stateless_uniform(tf.shape(probs), one, dtype=W.dtype) < probs, W.dtype
        )
        new = draw_symbols(symbol_probs(h, W, a, symbols), symbols, one + 1)
        return t + 1, tf.ensure_shape(new if known is None else tf.where(known, v, new), v.shape)

    return rbm_functions.steps(step, v, k)


def surprise(v, probs):
    """Minus the log-probability of what is there, summed over cells: how badly a reconstruction fits, in nats per row.

    Equation: (13.6)
    Lesson: 13

    Args:
      v: (n, V), one-hot per cell. probs: (n, V), what was reconstructed.

    Returns:
      Float tensor (n,), at least 0.

    >>> float(surprise([[1., 0.]], np.array([[0.5, 0.5]]))[0].numpy().round(4))
    0.6931
    """
    probs = tf.convert_to_tensor(probs)
    log_probs = tf.math.log(probs + 1e-9)
    return -tf.reduce_sum(tf.cast(v, probs.dtype) * log_probs, axis=-1)  # Eq. (13.6)


@keras.saving.register_keras_serializable(package="musiclab")
class SymbolRBM(RBM):
    """An RBM over rows that are one-hot cell by cell. Its "loss" is :func:`surprise` of one step up and down.

    Lesson: 13

    Args:
      visible: V = cells x symbols. hidden: H. symbols: K, at least 2.

    Raises:
      ValueError: if a size is below 1, or V is no multiple of K.

    >>> int(SymbolRBM(6, 2, symbols=3).assign(np.zeros((6, 2)), np.zeros(6), np.zeros(2)).sample(1, seed=0).sum())
    2
    """

    def __init__(self, visible, hidden, symbols, **kwargs):
        if symbols < 2 or visible % symbols:
            raise ValueError(
                f"{visible} visible units of {symbols} symbols: need cells x symbols, symbols at least 2"
            )
        self.__dict__["symbols"] = int(symbols)  # before Keras is set up
        super().__init__(visible, hidden, **kwargs)

    def measure(self, v, seed):
        """What training shows: how badly rows (n, V) are rebuilt, averaged; nothing is drawn."""
        rebuilt = symbol_probs(
            rbm_functions.hidden_probs(v, self.W, self.b), self.W, self.a, self.symbols
        )
        return tf.reduce_mean(surprise(v, rebuilt))

    def visible_probs(self, h) -> np.ndarray:
        """Hidden units (n, H), 0 to 1, to p(v = 1 | h), float32 (n, V)."""
        return symbol_probs(self._rows(h, self.hidden), self.W, self.a, self.symbols).numpy()

    def log_likelihood(self, x, log_z=None) -> np.ndarray:
        """ln p(v) in nats per row: - F(v) - ln Z, where only rows of whole symbols count for Z.

        Args:
          x: rows (n, V), one-hot per cell. log_z: ln Z, if known; else all hidden states are enumerated.

        Returns:
          float64 (n,).

        Raises:
          ValueError: if a row is not one-hot per cell, there are too many hidden units to enumerate, or the model
            has learnt nothing yet.
        """
        x = self._rows(x)
        self._check_trained()
        W, a, b = (np.asarray(part, np.float64) for part in (self.W, self.a, self.b))
        if log_z is None:
            if self.hidden > MOST_UNITS:
                raise ValueError(
                    f"{self.hidden} hidden units: at most {MOST_UNITS} can be enumerated; pass log_z"
                )
            h = (np.arange(2**self.hidden)[:, None] >> np.arange(self.hidden)) & 1
            cells = (a + h @ W.T).reshape(len(h), -1, self.symbols)
            log_z = np.logaddexp.reduce(h @ b + np.logaddexp.reduce(cells, axis=2).sum(axis=1))
        return -rbm_functions.free_energy(x, W, a, b).numpy() - log_z

    def sample(self, n: int, seed: int, steps: int = 100) -> np.ndarray:
        """Draw n rows, each from a Gibbs chain of its own that starts with random symbols.

        Args, returns and raises as :meth:`musiclab.models.energy.rbm.RBM.sample`.
        """
        chosen = np.random.default_rng(seed).integers(
            self.symbols, size=(max(n, 0), self.visible // self.symbols)
        )
        start = np.eye(self.symbols, dtype=np.float32)[chosen].reshape(-1, self.visible)
        return self.complete(start, np.zeros(self.visible, bool), seed, steps)

    def complete(self, x, known, seed: int, steps: int = 100) -> np.ndarray:
        """Draw what is unknown given what is known, cell by cell: a cell is known whole or not at all.

        Args, returns and raises as :meth:`musiclab.models.energy.rbm.RBM.complete`.
        """
        cells = (
            np.reshape(known, (-1, self.symbols))
            if np.size(known) % self.visible == 0
            else np.zeros((1, 1), bool)
        )
        if (cells != cells[:, :1]).any():
            raise ValueError(
                f"a cell is known in part: its {self.symbols} units are known together or not at all"
            )
        return super().complete(x, known, seed, steps)

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), "symbols": self.symbols}

    def _rows(self, x, width=None):
        x = super()._rows(x, width)
        cells = x.reshape(-1, self.symbols) if width is None else np.ones((1, 1))
        if (cells.sum(axis=1) != 1).any() or (cells.max(axis=1) != 1).any():
            raise ValueError(
                f"a row is not one-hot: exactly one of each {self.symbols} symbols must be 1"
            )
        return x

    def _gibbs(self, v, W, a, b, k, seed, known=None):
        return symbol_gibbs(v, W, a, b, k, seed, self.symbols, known)
