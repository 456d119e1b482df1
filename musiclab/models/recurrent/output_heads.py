"""Output heads for chords: independent keys (Bernoulli), or one note after another (autoregressive)."""

from __future__ import annotations

import keras
import tensorflow as tf

from musiclab.models.recurrent.counterpoint_table import CounterpointTable
from musiclab.sampling.ancestral import sample_bernoulli, sample_categorical

__all__ = ["BernoulliHead", "NotesHead"]

MAX_COUNT = 15  # notes of a chord counted up to here; later ones share the last embedding
VOICES = 4  # notes of a chord, counted in the head's order, that a counterpoint table knows


@keras.saving.register_keras_serializable(package="musiclab")
class BernoulliHead(keras.Layer):
    """Independent keys: ln p(x | c) = sum over keys of x ln y + (1 - x) ln (1 - y), y = sigmoid(z).

    Many tutorials average over keys; the sum is the log-likelihood of the whole frame. Given
    the context the keys are drawn independently, so none depends on which others sound.

    Equation: (8.1)
    Source: Boulanger-Lewandowski, Bengio and Vincent, ICML 2012.

    Args:
      keys: K.
      dropout: share of the context left out in training.
    """

    def __init__(self, keys=88, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.keys = keys
        self.drop = keras.layers.Dropout(dropout)
        few_keys_sound = keras.initializers.Constant(-3.0)
        self.out = keras.layers.Dense(keys, bias_initializer=few_keys_sound)

    def log_likelihood(self, context, frames, training=False):
        """Contexts (m, C) and frames (m, K) of 0 and 1 to nats (m,), summed over keys."""
        logits = self.out(self.drop(context, training=training))  # (m, K)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(frames, logits)  # (m, K)
        return -tf.reduce_sum(losses, axis=-1)  # Eq. (8.1)

    def sample(self, context, seed, temperature=1.0):
        """Contexts (n, C) to frames (n, K) of 0 and 1."""
        return sample_bernoulli(tf.sigmoid(self.out(context) / temperature), seed)


@keras.saving.register_keras_serializable(package="musiclab")
class NotesHead(keras.Layer):
    """Autoregressive head: the sounding notes one after another, in rising (or falling) order, then END.

    ln p(x | c) = sum over j of ln p(s_j | s_1 ... s_(j-1), c), where s_1 to s_m are the keys that
    sound and s_(m+1) is END. Each factor is a softmax over what is still allowed: the keys beyond
    the last note, and END. Every set of keys is one such sequence, so the probabilities of all 2^K
    frames sum to 1: an exact likelihood, for any number of notes.

    A frame says which keys sound and not which voice sings them. With ``previous`` the first four
    notes of a frame, in this order, count as voices: note j is taken to go on from note j of the
    frame before. A :class:`CounterpointTable` adds its logits to each candidate for note j, once
    for each note of the frame before it in order; END and further notes get none.

    Equations: (8.2), (8.3)

    Args:
      keys: K; symbol K is END.
      hidden: units of both hidden layers.
      order: "up" or "down".
      dropout: share of hidden units left out in training.
      previous: column of the context at which the K columns of the frame before start, for the
        counterpoint table; None for no table.

    Raises:
      ValueError: if order is neither.
    """

    def __init__(self, keys=88, hidden=192, order="up", dropout=0.0, previous=None, **kwargs):
        super().__init__(**kwargs)
        if order not in ("up", "down"):
            raise ValueError(f"order {order!r}: notes come 'up' or 'down'")
        self.keys, self.hidden, self.order, self.previous = keys, hidden, order, previous
        self.drop = keras.layers.Dropout(dropout)
        self.from_context = keras.layers.Dense(hidden)
        self.from_notes = keras.layers.Dense(hidden, use_bias=False)
        self.from_last = keras.layers.Embedding(keys + 1, hidden)  # 0 is: no note yet
        self.from_count = keras.layers.Embedding(MAX_COUNT + 1, hidden)
        self.deeper = keras.layers.Dense(hidden, "silu")
        self.out = keras.layers.Dense(keys + 1)
        if previous is not None:
            self.counterpoint = CounterpointTable(pairs=VOICES * (VOICES - 1) // 2)

    def log_likelihood(self, context, frames, training=False):
        """Contexts (m, C) and frames (m, K) of 0 and 1 to nats (m,): the chain rule over the notes."""
        frames = self._in_order(frames)
        with_end = tf.concat([frames, tf.ones_like(frames[:, :1])], axis=1)  # (m, K + 1)
        # all s symbols of all frames: frame after frame, the notes of each in order, then END
        where = tf.where(with_end > 0.5)  # (s, 2)
        frame, symbol = where[:, 0], tf.cast(where[:, 1], tf.int32)  # (s,) each
        is_earlier = tf.cast(tf.range(self.keys) < symbol[:, None], frames.dtype)  # (s, K)
        notes = tf.gather(frames, frame) * is_earlier  # (s, K): those before each symbol
        not_first = tf.concat([[False], frame[1:] == frame[:-1]], axis=0)
        last = tf.where(not_first, tf.roll(symbol, 1, axis=0) + 1, 0)  # (s,)
        h = self.from_context(context)  # (m, hidden)
        masks = [1.0, 1.0]
        if training:  # a mask per frame takes a third less time than one per symbol
            ones = tf.ones_like(h)
            masks = [tf.gather(self.drop(ones, training=True), frame) for _ in range(2)]
        logits = self._logits(tf.gather(h, frame), notes, last, *masks)  # (s, K + 1)
        if self.previous is not None:
            logits += self._moves(context, frames, notes, frame)
        log_p = -tf.nn.sparse_softmax_cross_entropy_with_logits(symbol, logits)  # (s,)
        return tf.math.segment_sum(log_p, frame)  # Eq. (8.2)

    def sample(self, context, seed, temperature=1.0):
        """Contexts (n, C) to frames (n, K) of 0 and 1, drawn note by note until all are at END."""
        h, n = self.from_context(context), tf.shape(context)[0]

        def next_note(count, notes, last, going):
            logits = self._logits(h, notes, last)  # (n, K + 1)
            if self.previous is not None:
                logits += self._moves(context, notes, notes, tf.range(n))
            logits /= temperature
            seed_j = tf.random.experimental.stateless_fold_in(seed, count)
            symbol = sample_categorical(logits, seed_j)  # (n,)
            going = going & (symbol < self.keys)
            notes += tf.one_hot(tf.where(going, symbol, -1), self.keys, dtype=notes.dtype)
            return count + 1, notes, tf.where(going, symbol + 1, last), going

        nothing, last = tf.zeros((n, self.keys), h.dtype), tf.zeros(n, tf.int32)
        start = (0, nothing, last, tf.ones(n, tf.bool))
        shapes = ([], [None, self.keys], [None], [None])
        shapes = tuple(tf.TensorShape(shape) for shape in shapes)
        notes = tf.while_loop(lambda *state: tf.reduce_any(state[3]), next_note, start, shapes)[1]
        return self._in_order(notes)

    def _logits(self, h, notes, last, mask1=1.0, mask2=1.0):
        """Logits (m, K + 1) of the next symbol; -1e9, so probability 0, for what is not allowed.

        Args: h (m, hidden) from the context; notes (m, K), those before; last int (m,), the last of
        them plus 1, or 0; dropout masks (m, hidden).
        """
        count = tf.minimum(tf.cast(tf.reduce_sum(notes, axis=1), tf.int32), MAX_COUNT)
        h = h + self.from_notes(notes) + self.from_last(last) + self.from_count(count)
        h = tf.nn.silu(h) * mask1
        h += self.deeper(h) * mask2
        allowed = tf.range(self.keys + 1) >= last[:, None]  # END, the highest symbol, always is
        return tf.where(allowed, self.out(h), -1e9)  # Eq. (8.3)

    def _moves(self, context, frames, notes, frame):
        """Logits (s, K + 1) of the counterpoint table for symbols of frames.

        Args: context (m, C); frames (m, K), in order; notes (s, K), those of its frame before each
        symbol; frame int (s,), which of the m frames a symbol is of.
        """
        last_frame = context[:, self.previous : self.previous + self.keys]  # (m, K)
        before, now = _first_notes(self._in_order(last_frame)), _first_notes(frames)  # (m, 4)
        before, now = tf.unstack(before[..., None], axis=1), tf.unstack(now[..., None], axis=1)
        candidates = tf.range(1, self.keys + 1)  # (K,)
        moves = [tf.zeros_like(frames)]  # the first note has no other to move with
        for j in range(1, VOICES):
            pairs = [
                self.counterpoint.logits(
                    before[j], candidates, before[i], now[i], pair=j * (j - 1) // 2 + i
                )  # (m, K)
                for i in range(j)
            ]
            moves.append(tf.add_n(pairs))
        moves = tf.stack([*moves, tf.zeros_like(frames)], axis=1)  # (m, 5, K)
        count = tf.minimum(tf.cast(tf.reduce_sum(notes, axis=1), frame.dtype), VOICES)  # (s,)
        of_symbols = tf.gather_nd(moves, tf.stack([frame, count], axis=1))  # (s, K)
        return tf.pad(of_symbols, [[0, 0], [0, 1]])  # 0 for END

    def _in_order(self, frames):
        """Falling order is rising order on a keyboard turned round."""
        return frames if self.order == "up" else tf.reverse(frames, axis=[1])


def _first_notes(frames):
    """Frames (m, K) to the keys of their first four notes, counted from 1, 0 for none: int (m, 4)."""
    keys = frames.shape[-1]
    down = tf.range(keys, 0, -1, dtype=frames.dtype)  # the first key has the largest number
    found = tf.math.top_k(frames * down, min(VOICES, keys)).values  # (m, 4)
    found = tf.pad(tf.cast(found, tf.int32), [[0, 0], [0, max(0, VOICES - keys)]])
    return tf.where(found > 0, keys + 1 - found, 0)
