"""Melody LSTM (or RNN, GRU): a recurrent network that generates a melody note by note."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.note_sequence import END, START, UNKNOWN, note_features
from musiclab.models.recurrent.recurrent_stack import CELLS, RecurrentStack
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling.ancestral import ancestral_sampling, check_temperature, sample_categorical

__all__ = ["MelodyModel"]

UNIFORM_SHARE = 1e-3
"""Share of probability spread evenly over all symbols, so that a note never seen in training does
not cost more than all others together; the Markov chain's 1 / K does the same."""


@keras.saving.register_keras_serializable(package="musiclab")
class MelodyModel(SequenceModel):
    """Recurrent layers and a softmax over notes: p(note | all notes before).

    Its K symbols are those of :class:`musiclab.models.markov.MarkovChain`: the notes it was built
    with, END, and UNKNOWN for any other note; so the likelihoods of both can be compared. It reads
    notes as :func:`note_features`. A symbol's logit is the sum of its own and those of its
    features.

    Args:
      notes: K - 2 notes, (MIDI pitch, length in steps), from :func:`note_vocabulary`.
      cell: "rnn", "lstm", "peephole" or "gru".
      units: H of each recurrent layer. layers: how many, on top of one another.
      dropout: share of hidden units left out in training.

    Raises:
      ValueError: without notes, on an unknown cell, or a number out of range.

    >>> model = MelodyModel([(60, 4), (62, 4)], units=3)
    >>> len(model.sample(2, seed=0, max_length=5))
    2
    """

    # layers

    def __init__(self, notes, cell="rnn", units=96, layers=1, dropout=0.3, **kwargs):
        super().__init__(**kwargs)
        if cell not in CELLS[1:]:
            raise ValueError(f"cell {cell!r}: need one of {', '.join(CELLS[1:])}")
        self.notes = [(int(pitch), int(length)) for pitch, length in notes]
        self.settings = {"notes": [list(note) for note in self.notes], "cell": cell}
        self.settings |= {"units": units, "layers": layers, "dropout": dropout}
        self.symbols = [*self.notes, END, UNKNOWN]
        self._index = {symbol: i for i, symbol in enumerate([*self.symbols, START])}
        self._features = note_features(self.notes)  # (K + 1, D)
        self.recurrent = RecurrentStack(cell, units, layers, dropout)  # (B, T, D) to (B, T, H)
        self.symbol_logits = keras.layers.Dense(len(self.symbols))  # (..., H) to (..., K)
        self.feature_logits = keras.layers.Dense(self._features.shape[1], use_bias=False)  # to D
        self(tf.zeros((1, 1), tf.int32))  # makes the weights
        self.compile_default()

    # log-likelihood, loss and training step

    def call(self, x, training=False):
        """Symbols (B, T), padded with -1, to ln p(x_t | x_<t) in nats, (B, T), 0 at padded steps."""
        start = tf.fill([tf.shape(x)[0], 1], self._index[START])
        symbols = tf.maximum(x, 0)  # (B, T); padding becomes any symbol
        before = tf.concat([start, symbols[:, :-1]], axis=1)  # (B, T): the input is one note late
        h = self.recurrent(tf.gather(self._features, before), training=training)  # (B, T, H)
        log_p = tf.gather(self._log_probs(h), symbols, axis=2, batch_dims=2)  # (B, T)
        return tf.where(x >= 0, log_p, 0.0)

    def train_step(self, data):
        """One update of the weights from a batch; Keras' own step, written out."""
        (x,) = data  # int32 (B, T)
        with tf.GradientTape() as tape:
            log_p = self(x, training=True)  # (B, T)
            loss = self.compute_loss(x, y_pred=log_p)  # minus the mean of log_p over real notes
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return self.compute_metrics(x, None, log_p)

    def nll(self, melodies) -> float:
        """Cross-entropy in nats per symbol, pooled over all symbols, ends included."""
        return float(-np.concatenate(self.log_likelihood(melodies)).mean())

    def _log_probs(self, h):
        """Hidden states (..., H) to log-probabilities of the next symbol (..., K)."""
        features = self._features[:-1]  # (K, D), without START, which is never next
        shared = tf.matmul(self.feature_logits(h), features, transpose_b=True)  # (..., K)
        probs = tf.nn.softmax(self.symbol_logits(h) + shared)
        return tf.math.log((1 - UNIFORM_SHARE) * probs + UNIFORM_SHARE / len(self.symbols))

    # sampling

    def sample(
        self, n: int, seed: int, temperature: float = 1.0, max_length: int = 200
    ) -> list[list]:
        """Generate melodies, each note drawn given those before it, until END.

        Args:
          n: how many. seed: the same gives the same melodies.
          temperature: below 1 favours likely notes, above 1 evens out the distribution.
          max_length: a melody without END after so many notes is cut there.

        Returns:
          n lists of notes; one may be empty.

        Raises:
          ValueError: n or max_length below 1, or a temperature that is not above 0.
        """
        if min(n, max_length) < 1:
            raise ValueError(f"n={n}, max_length={max_length}: both must be at least 1")
        tau, seed = tf.constant(check_temperature(temperature)), tf.constant([seed % 2**31, 0])
        state, steps = self.initial_state(n), tf.constant(max_length)
        drawn = self.graph(self._generate)(state, steps, seed, tau).numpy()  # (n, max_length)
        end = self._index[END]
        rows = [row[: row.index(end)] if end in row else row for row in drawn.tolist()]
        return [[self.notes[i] for i in row] for row in rows]

    def initial_state(self, n: int) -> dict:
        """The state before the first note of n melodies: START, and zeros in the recurrent layers."""
        return {
            "recurrent": self.recurrent.initial_state(n),
            "last": tf.fill([n], self._index[START]),
        }

    def step(self, state: dict) -> tuple:
        """The log-probabilities of the next symbol, (n, K), and the new state of the layers."""
        x = tf.gather(self._features, state["last"])  # (n, D)
        h, recurrent = self.recurrent.step(x, state["recurrent"])  # (n, H)
        return self._log_probs(h), recurrent

    def _generate(self, state, steps, seed, tau):
        """The loop of :meth:`sample`: symbols (n, steps)."""
        is_known = tf.range(len(self.symbols)) != self._index[UNKNOWN]  # UNKNOWN has no pitch

        def next_symbol(state, t, seed):
            log_probs, recurrent = self.step(state)
            symbol = sample_categorical(tf.where(is_known, log_probs, -np.inf) / tau, seed)  # (n,)
            symbol = tf.ensure_shape(symbol, state["last"].shape)
            return symbol, {"recurrent": recurrent, "last": symbol}

        return ancestral_sampling(next_symbol, state, steps, seed)[0]

    # encoding

    def encode(self, piece) -> np.ndarray:
        """A melody as int32 indices of its symbols (T + 1,), END last."""
        if isinstance(piece, str | tuple) or not isinstance(piece, Sequence | np.ndarray):
            raise ValueError(f"found {piece!r} instead of a melody: pass a list of lists of notes")
        indices = [self._index.get(tuple(note), self._index[UNKNOWN]) for note in piece]
        return np.array([*indices, self._index[END]], np.int32)
