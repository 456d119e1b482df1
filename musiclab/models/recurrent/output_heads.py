"""Two ways to say which keys sound: each key on its own, or one note after another.

Lessons: 08.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from musiclab.sampling import draw

__all__ = ["BernoulliHead", "NotesHead"]

COUNTED = 15  # notes told apart by their place in the chord; later ones share the last


@keras.saving.register_keras_serializable(package="musiclab")
class BernoulliHead(keras.Layer):
    """K independent coins: ln p(x | c) = sum over keys of x ln y + (1 - x) ln (1 - y), y = sigmoid(z).

    The source article averages this over keys; summed, it is the likelihood of the whole frame. However good
    the context, the keys are thrown apart: no coin knows how the others fell.

    Equation: (8.1)
    Lesson: 08
    Source: source article on sequence models, section 3, cross-entropy.

    Args:
      keys: K.
      dropout: share of the context left out in training.
    """

    def __init__(self, keys=88, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.keys = keys
        self.drop = keras.layers.Dropout(dropout)
        self.out = keras.layers.Dense(
            keys, bias_initializer=keras.initializers.Constant(-3.0)
        )  # few keys sound

    def build(self, input_shape):
        """Make the weights for contexts (..., C)."""
        self.out.build((None, input_shape[-1]))
        self.built = True

    def log_likelihood(self, context, frames, training=False):
        """Contexts (m, C) and frames (m, K) of 0 and 1 to nats (m,), summed over keys."""
        logits = self.out(self.drop(context, training=training))
        losses = tf.nn.sigmoid_cross_entropy_with_logits(frames, logits)
        return -tf.reduce_sum(losses, axis=-1)  # Eq. (8.1)

    def sample(self, context, seed, temperature=1.0):
        """Contexts (n, C) to frames (n, K) of 0 and 1."""
        probs = tf.sigmoid(self.out(context) / temperature)
        return tf.cast(tf.random.stateless_uniform(tf.shape(probs), seed) < probs, probs.dtype)


@keras.saving.register_keras_serializable(package="musiclab")
class NotesHead(keras.Layer):
    """The sounding notes one after another, in strictly rising (or falling) order, and then END.

    ln p(x | c) = sum over j of ln p(s_j | s_1 ... s_(j-1), c), where s_1 to s_m are the m keys that sound and s_(m+1)
    is END. Each factor is a softmax over what is still allowed: the keys beyond the note before, and END. Every set of
    keys can be said in exactly one way, so the probabilities of all 2^K frames sum to 1: an exact likelihood, for any
    number of notes.

    Equations: (8.2), (8.3)
    Lesson: 08

    Args:
      keys: K; symbol K is END.
      hidden: units of both hidden layers.
      order: "up" or "down".
      dropout: share left out in training.

    Raises:
      ValueError: if order is neither.
    """

    def __init__(self, keys=88, hidden=192, order="up", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if order not in ("up", "down"):
            raise ValueError(f"order {order!r}: notes come 'up' or 'down'")
        self.keys, self.hidden, self.order = keys, hidden, order
        self.drop = keras.layers.Dropout(dropout)
        self.from_context = keras.layers.Dense(hidden)
        self.from_notes = keras.layers.Dense(hidden, use_bias=False)
        self.from_last = keras.layers.Embedding(keys + 1, hidden)  # 0 is: no note yet
        self.from_count = keras.layers.Embedding(COUNTED + 1, hidden)
        self.deeper = keras.layers.Dense(hidden, "silu")
        self.out = keras.layers.Dense(keys + 1)

    def build(self, input_shape):
        """Make the weights for contexts (..., C)."""
        sizes = (
            (self.from_context, input_shape[-1]),
            (self.from_notes, self.keys),
            (self.deeper, self.hidden),
        )
        for layer, size in (*sizes, (self.out, self.hidden)):
            layer.build((None, size))
        self.from_last.build(None)
        self.from_count.build(None)
        self.built = True

    def log_likelihood(self, context, frames, training=False):
        """Contexts (m, C) and frames (m, K) of 0 and 1 to nats (m,): the chain rule over the notes."""
        frames = self._turned(frames)
        said = tf.concat([frames, tf.ones_like(frames[:, :1])], axis=1)
        where = tf.where(
            said > 0.5
        )  # all that is said, frame after frame, each frame's notes rising, then END
        frame, symbol = where[:, 0], tf.cast(where[:, 1], tf.int32)
        before = tf.gather(frames, frame) * tf.cast(
            tf.range(self.keys) < symbol[:, None], frames.dtype
        )
        same = tf.concat([[False], frame[1:] == frame[:-1]], axis=0)
        last = tf.where(same, tf.roll(symbol, 1, axis=0) + 1, 0)
        known = self.from_context(context)
        # one mask per chord: fewer dice to throw than one per note, which would take a third of the time
        masks = [
            tf.gather(self.drop(tf.ones_like(known), training=True), frame)
            for _ in range(2 * training)
        ]
        logits = self._logits(tf.gather(known, frame), before, last, *masks)
        chosen = -tf.nn.sparse_softmax_cross_entropy_with_logits(symbol, logits)
        return tf.math.segment_sum(chosen, frame)  # Eq. (8.2)

    def sample(self, context, seed, temperature=1.0):
        """Contexts (n, C) to frames (n, K) of 0 and 1, drawn note by note until all have said END."""
        known, n = self.from_context(context), tf.shape(context)[0]

        def say(count, notes, last, going):
            logits = self._logits(known, notes, last) / temperature
            symbol = draw(logits, tf.random.experimental.stateless_fold_in(seed, count))
            going = going & (symbol < self.keys)
            notes += tf.one_hot(tf.where(going, symbol, -1), self.keys, dtype=notes.dtype)
            return count + 1, notes, tf.where(going, symbol + 1, last), going

        start = (
            0,
            tf.zeros((n, self.keys), known.dtype),
            tf.zeros(n, tf.int32),
            tf.ones(n, tf.bool),
        )
        shapes = (
            tf.TensorShape([]),
            tf.TensorShape([None, self.keys]),
            tf.TensorShape([None]),
            tf.TensorShape([None]),
        )
        notes = tf.while_loop(lambda *state: tf.reduce_any(state[3]), say, start, shapes)[1]
        return self._turned(notes)

    def _logits(self, known, notes, last, mask1=1.0, mask2=1.0):
        """Logits (m, K + 1) of what is said next; -1e9 for what is not allowed, whose probability is then exactly 0.

        Args: known (m, hidden) from the context; notes (m, K), those said so far; last int (m,), the last of
        them plus 1, or 0; masks (m, hidden) of dropout.
        """
        count = tf.minimum(tf.cast(tf.reduce_sum(notes, axis=1), tf.int32), COUNTED)
        h = known + self.from_notes(notes) + self.from_last(last) + self.from_count(count)
        h = tf.nn.silu(h) * mask1
        h += self.deeper(h) * mask2
        allowed = tf.range(self.keys + 1) >= last[:, None]  # END, the highest symbol, always is
        return tf.where(allowed, self.out(h), -1e9)  # Eq. (8.3)

    def _turned(self, frames):
        """Falling order is rising order on a keyboard turned round."""
        return frames if self.order == "up" else tf.reverse(frames, axis=[1])
