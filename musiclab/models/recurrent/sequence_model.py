"""What all sequence models share: the training recipe, and likelihoods piece by piece.

Lessons: 06, 07, 08, 09.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.models.recurrent.minibatches import Batches, cut, pad
from musiclab.training import GraphCache, WarmUpCosineDecay

__all__ = ["SequenceModel", "real_steps"]

FRAMES = 4096  # frames scored at once


class SequenceModel(GraphCache, keras.Model):
    """A model that says of each step of a sequence how likely it was, given the steps before.

    A subclass builds its layers, calls :meth:`recipe`, and has ``call(x, training)``: sequences (n, T, ...), -1
    past their ends, to log-likelihoods (n, T) in nats, 0 past the ends. ``encode(piece)`` makes one such sequence.

    Lesson: 06, 07, 08, 09
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pooled = keras.metrics.Mean(name="loss")

    def recipe(self, learning_rate=6e-3, weight_decay=1e-3):
        """Compile with what proved good: AdamW, gradients clipped to length 1, weights averaged over steps.

        The average is what remains after ``fit``. No XLA: on a CPU it is slower here.
        """
        optimizer = keras.optimizers.AdamW(
            learning_rate,
            weight_decay=weight_decay,
            beta_2=0.99,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=0.98,
        )
        optimizer.exclude_from_weight_decay(
            [v for v in self.trainable_variables if len(v.shape) < 2]
        )
        self.compile(optimizer=optimizer, jit_compile=False)

    def encode(self, piece) -> np.ndarray:
        """One piece as an array (T, ...) of numbers that are never negative."""
        raise NotImplementedError

    def fit(
        self,
        x,
        y=None,
        validation_data=None,
        epochs=1,
        batch_size=16,
        seed=0,
        callbacks=None,
        **kwargs,
    ):
        """Train on whole pieces; after each pass the averaged weights are measured on ``validation_data``.

        The learning rate follows :class:`musiclab.training.WarmUpCosineDecay` over
        exactly this many ``epochs``; a fit is meant to be the whole training.

        Args:
          x: pieces. validation_data: pieces held out, or None.
          epochs, callbacks, **kwargs: as Keras.
          batch_size, seed: as :class:`Batches`.

        Returns:
          Keras' history; "loss" in nats per frame over all frames.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        if y is not None:
            raise ValueError("a sequence model learns the pieces themselves: pass no y")
        data = Batches(cut(self._encoded(x)), batch_size, seed)
        held_out = validation_data and Batches(self._encoded(validation_data), batch_size)
        callbacks = [*(callbacks or []), WarmUpCosineDecay(), keras.callbacks.SwapEMAWeights()]
        return super().fit(
            data, validation_data=held_out, epochs=epochs, callbacks=callbacks, **kwargs
        )

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: minus the log-likelihood, averaged over the frames of the batch."""
        return -ops.sum(y_pred) / ops.sum(real_steps(x, y_pred.dtype))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Keras' hook: the same average over all frames of a pass."""
        frames = ops.sum(real_steps(x, y_pred.dtype))
        self.pooled.update_state(-ops.sum(y_pred) / frames, sample_weight=frames)
        return {"loss": self.pooled.result()}

    def log_likelihood(self, x) -> list[np.ndarray]:
        """How likely each frame of each piece was, given the frames before.

        Args:
          x: pieces.

        Returns:
          Per piece float64 (T,), nats per frame; the first from the initial state.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        encoded = self._encoded(x)
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        scored = [None] * len(encoded)
        for group in _groups(order, [len(one) for one in encoded]):
            values = np.asarray(self._scores(pad([encoded[i] for i in group])), np.float64)
            for i, row in zip(group, values):
                scored[i] = row[: len(encoded[i])]
        return scored

    def _encoded(self, x):
        pieces = [self.encode(piece) for piece in ([x] if not isinstance(x, Sequence) else x)]
        if not pieces:
            raise ValueError("no piece: pass at least one")
        return pieces

    def _scores(self, batch):
        shape = tf.TensorSpec((None, None, *batch.shape[2:]), batch.dtype)
        return self.graph(self._score, input_signature=[shape])(tf.convert_to_tensor(batch))

    def _score(self, x):
        return self(x, training=False)


def real_steps(x, dtype):
    """1 for each step of padded sequences (n, T, ...) that is music, 0 past the ends: tensor (n, T)."""
    flat = ops.reshape(x, (*ops.shape(x)[:2], -1))
    return ops.cast(flat[..., 0] >= 0, dtype)


def _groups(order, lengths):
    """Indices in batches of at most FRAMES padded frames, at least one index each; ``order`` is by length."""
    group = []
    for i in order:
        if group and (len(group) + 1) * lengths[i] > FRAMES:
            yield group
            group = []
        group.append(i)
    yield group
