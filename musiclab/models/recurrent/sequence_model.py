"""Base class of the sequence models: padding, mini-batches, training and log-likelihoods."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.training import GraphCache, WarmUpCosineDecay

__all__ = ["LengthBuckets", "SequenceModel", "pad", "real_steps", "split_long"]

LONGEST = 256  # steps of a training sequence; longer pieces are split, which bounds memory


class SequenceModel(GraphCache, keras.Model):
    """A model with the chain-rule likelihood ln p(x) = sum over t of ln p(x_t | x_<t).

    A subclass makes its layers, runs them once on one step, calls :meth:`compile_default` and
    defines

    - ``encode(piece)``: a piece as an array (T, ...) of numbers that are never negative;
    - ``call(x, training)``: a batch (B, T, ...), padded with -1, to ln p(x_t | x_<t) in nats,
      (B, T), 0 at padded steps;
    - ``settings``: its arguments, which ``.keras`` files store.
    """

    scored_steps = 4096  # padded steps scored at once

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mean_loss = keras.metrics.Mean(name="loss")

    def compile_default(self, learning_rate=6e-3, weight_decay=1e-3):
        """Compile with AdamW, gradients clipped to norm 1, and an average of the weights over steps.

        After ``fit`` the model holds the averaged weights. Biases do not decay.
        """
        average = {"use_ema": True, "ema_momentum": 0.98}
        optimizer = keras.optimizers.AdamW(
            learning_rate, weight_decay, beta_2=0.99, global_clipnorm=1.0, **average
        )
        biases = [v for v in self.trainable_variables if len(v.shape) < 2]
        optimizer.exclude_from_weight_decay(biases)
        self.compile(optimizer=optimizer, jit_compile=False)  # on a CPU XLA is slower here

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Minus the mean log-likelihood over the real steps of a batch.

        Equation: (9.3)
        """
        return -ops.sum(y_pred) / ops.sum(real_steps(x, y_pred.dtype))  # Eq. (9.3)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss pooled over all real steps of an epoch."""
        steps = ops.sum(real_steps(x, y_pred.dtype))
        self.mean_loss.update_state(-ops.sum(y_pred) / steps, sample_weight=steps)
        return {"loss": self.mean_loss.result()}

    def fit(self, x, y=None, validation_data=None, batch_size=16, seed=0, callbacks=(), **kwargs):
        """Train on whole pieces, with :class:`musiclab.training.WarmUpCosineDecay` over all epochs.

        Args:
          x: pieces. validation_data: held-out pieces, scored with the averaged weights, or None.
          batch_size, seed: as :class:`LengthBuckets`.
          callbacks, **kwargs: as Keras, such as ``epochs``.

        Returns:
          Keras' history; "loss" in nats per step.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        if y is not None:
            raise ValueError("a sequence model learns the pieces themselves: pass no y")
        batches = self.batches(self._encoded(x), batch_size, seed)
        held_out = validation_data and LengthBuckets(self._encoded(validation_data), batch_size)
        callbacks = [*callbacks, WarmUpCosineDecay(), keras.callbacks.SwapEMAWeights()]
        return super().fit(batches, validation_data=held_out, callbacks=callbacks, **kwargs)

    def batches(self, encoded, batch_size, seed):
        """Mini-batches of encoded pieces for one training."""
        return LengthBuckets(split_long(encoded), batch_size, seed)

    def log_likelihood(self, x) -> list[np.ndarray]:
        """ln p(x_t | x_<t) of every step of every piece.

        Args:
          x: pieces.

        Returns:
          Per piece float64 (T,), nats; the first step is given the initial state alone.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        return self._log_likelihood(self._encoded(x))

    def _log_likelihood(self, encoded):
        """As :meth:`log_likelihood`, of encoded pieces."""
        shape = tf.TensorSpec((None, None, *encoded[0].shape[1:]), encoded[0].dtype)
        score = self.graph(self._score, input_signature=[shape])
        scores = [None] * len(encoded)
        for group in _groups([len(one) for one in encoded], self.scored_steps):
            log_p = np.asarray(score(pad([encoded[i] for i in group])), np.float64)  # (B, T)
            for i, row in zip(group, log_p):
                scores[i] = row[: len(encoded[i])]
        return scores

    def build(self, input_shape=None):
        """Nothing: a subclass makes its weights in ``__init__``, by running once on one step."""
        self.built = True

    def get_config(self):
        """Arguments stored in ``.keras`` files."""
        return {**super().get_config(), **self.settings}

    def _score(self, x):
        return self(x, training=False)

    def _encoded(self, x):
        pieces = [self.encode(piece) for piece in (x if isinstance(x, Sequence) else [x])]
        if not pieces:
            raise ValueError("no piece: pass at least one")
        return pieces


class LengthBuckets(keras.utils.PyDataset):
    """Mini-batches of padded sequences in two buckets by length, shuffled anew for each epoch.

    The boundary between the buckets is the one that leaves the least padding.

    Args:
      sequences: arrays (T, ...), as :func:`pad`.
      size: sequences in a batch of short ones; fewer of long ones, for about as many steps.
      seed: for the shuffling; None keeps the order by length.

    Raises:
      ValueError: if there is no sequence or size is below 1.
    """

    def __init__(self, sequences, size=16, seed=None, **kwargs):
        super().__init__(**kwargs)
        if len(sequences) == 0 or size < 1:
            raise ValueError(f"{len(sequences)} pieces in batches of {size}: need at least 1")
        self.sequences = sequences
        self.rng = None if seed is None else np.random.default_rng(seed)
        lengths = np.array([len(one) for one in sequences])
        order, edges = np.argsort(lengths, kind="stable"), np.unique(lengths)
        below = np.searchsorted(lengths[order], edges, side="right")  # sequences up to each length
        best = np.argmin(below * edges + (len(lengths) - below) * edges[-1])
        short, few = below[best], max(1, round(size * edges[best] / edges[-1]))
        self.buckets = [(order[:short], size), (order[short:], few)]
        self.on_epoch_end()

    def __len__(self):
        """Batches in an epoch."""
        return len(self.batches)

    def __getitem__(self, i):
        """Batch i, padded, in a tuple as Keras expects it."""
        return (pad([self.sequences[k] for k in self.batches[i]]),)

    def on_epoch_end(self):
        """Shuffle for the next epoch."""
        shuffled = [
            (b if self.rng is None else self.rng.permutation(b), n) for b, n in self.buckets
        ]
        self.batches = [b[i : i + n] for b, n in shuffled for i in range(0, len(b), n)]
        if self.rng is not None:
            self.rng.shuffle(self.batches)
        # Keras takes a length that the first two batches share for that of all: let them differ
        longest = [max(len(self.sequences[k]) for k in batch) for batch in self.batches]
        other = next((i for i, length in enumerate(longest) if length != longest[0]), 0)
        if other > 1:
            self.batches[1], self.batches[other] = self.batches[other], self.batches[1]


def pad(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences (T, ...) of different lengths as one array (B, longest T, ...), padded with -1.

    >>> pad([np.array([5, 6, 7]), np.array([8])])
    array([[ 5,  6,  7],
           [ 8, -1, -1]])
    """
    return keras.utils.pad_sequences(sequences, dtype=sequences[0].dtype, padding="post", value=-1)


def real_steps(x, dtype):
    """1 for each real step of padded sequences (B, T, ...), 0 for padding: tensor (B, T)."""
    return ops.cast(ops.reshape(x, (*ops.shape(x)[:2], -1))[..., 0] >= 0, dtype)


def split_long(sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Split sequences longer than LONGEST into equal parts, each treated as a piece of its own."""
    return [part for one in sequences for part in np.array_split(one, -(-len(one) // LONGEST))]


def _groups(lengths, most):
    """Indices by length, in batches of at most so many padded steps, at least one index each."""
    group = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if group and (len(group) + 1) * lengths[i] > most:
            yield group
            group = []
        group.append(i)
    yield group
