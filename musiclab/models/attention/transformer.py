"""Transformer of four voices: causal attention over voice-interleaved tokens, sampled with a cache."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data.encodings import conditioning
from musiclab.models.attention.attention import SLOWEST
from musiclab.models.recurrent.four_voices import AGE_CLASSES, VOICE_ORDER, VOICES, VoiceModel
from musiclab.models.recurrent.sequence_model import LONGEST, pad

__all__ = [
    "POSITIONS",
    "RandomExcerpts",
    "TransformerBlock",
    "VoiceTransformer",
    "sample_without_cache",
]

POSITIONS = ("none", "rotary", "bias")


@keras.saving.register_keras_serializable(package="musiclab")
class TransformerBlock(keras.Layer):
    """Pre-norm Transformer block: x + attention(norm(x)), then x + feed-forward(norm(x)).

    Attention is causal: a token sees itself and the ``window - 1`` tokens before it. ``call`` runs
    over whole sequences, for training; ``step`` runs one token, given the keys and values of those
    before it (the KV cache), for sampling.

    Equations: (15.1), (15.2), (15.3), (15.4), (15.5), (15.7), (15.8), (15.10)

    Args:
      units: D, a multiple of ``heads``; the heads have units / heads units each.
      heads: number of attention heads.
      window: how many tokens a token sees, itself included.
      positions: how attention knows where tokens stand: "bias", a learned number per head and
        distance added to the scores; "rotary", queries and keys rotated by angles that grow with
        the position; "none".
      kinds: the bias is learned for each kind of token; token n is of kind n modulo kinds.
      dropout: share of each residual branch left out in training.

    Raises:
      ValueError: if units is no multiple of heads, or positions is not one of the three.

    >>> block = TransformerBlock(units=8, heads=2, window=4)
    >>> block(ops.zeros((1, 6, 8))).shape
    TensorShape([1, 6, 8])
    """

    def __init__(
        self, units, heads=4, window=512, positions="bias", kinds=1, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        if heads < 1 or units % heads or positions not in POSITIONS:
            raise ValueError(
                f"{units} units, {heads} heads, positions {positions!r}: need a multiple of the"
                f" heads, and one of {', '.join(POSITIONS)}"
            )
        self.settings = {"units": units, "heads": heads, "window": window}
        self.settings |= {"positions": positions, "kinds": kinds, "dropout": dropout}
        self.units, self.heads, self.window = units, heads, window
        self.positions, self.kinds = positions, kinds
        small = keras.initializers.VarianceScaling(0.1)  # at first a block changes little
        self.norm1, self.norm2 = (keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
        self.qkv = keras.layers.Dense(3 * units, use_bias=False)
        self.join = keras.layers.Dense(units, kernel_initializer=small)
        self.wide = keras.layers.Dense(2 * units, "silu")
        self.narrow = keras.layers.Dense(units, kernel_initializer=small)
        self.drop = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """Make the weights for inputs (B, T, D)."""
        for layer in (self.norm1, self.norm2, self.qkv, self.join, self.wide):
            layer.build((None, None, self.units))
        self.narrow.build((None, None, 2 * self.units))
        if self.positions == "bias":
            shape = (self.heads, self.kinds * self.window)
            self.bias = self.add_weight(shape, "zeros", name="bias")
        self.built = True

    def call(self, x, training=False):
        """Inputs (B, T, D) to outputs (B, T, D); token n sees the tokens up to n."""
        q, k, v = self._queries_keys_values(x, ops.arange(ops.shape(x)[1]))  # (B, H, T, D/H)
        return self._rest(x, self._weights(q, k) @ v, training)  # Eq. (15.3)

    def maps(self, x):
        """Attention weights (B, H, T, T) for inputs (B, T, D): row i is what token i attends to."""
        q, k, _ = self._queries_keys_values(x, ops.arange(ops.shape(x)[1]))
        return self._weights(q, k)

    def empty_cache(self, n: int):
        """Keys and values of no token, for n sequences: two tensors (n, H, window, D/H)."""
        shape = (n, self.heads, self.window, self.units // self.heads)
        return tf.zeros(shape), tf.zeros(shape)

    def step(self, x, cache, position, kind=0):
        """One token: input (n, D), the cache before it, its position; to output (n, D) and cache.

        The newest token is the last in the cache; the oldest falls out.
        """
        q, k, v = self._queries_keys_values(x[:, None], ops.reshape(position, (1,)))
        keys = ops.concatenate([cache[0][:, :, 1:], k], axis=2)  # (n, H, window, D/H)
        values = ops.concatenate([cache[1][:, :, 1:], v], axis=2)
        distance = np.arange(self.window)[::-1]  # of each token in the cache from the newest
        scores = self._scores(q, keys)  # (n, H, 1, window)
        if self.positions == "bias":
            own = self.bias[:, kind * self.window : (kind + 1) * self.window]  # (H, window)
            scores += own[:, None, ::-1]
        weights = ops.softmax(ops.where(distance <= position, scores, -1e9))
        return self._rest(x[:, None], weights @ values, training=False)[:, 0], (keys, values)

    def _queries_keys_values(self, x, position):
        """Inputs (B, T, D) at positions (T,) to queries, keys and values (B, H, T, D/H)."""
        B, T = ops.shape(x)[:2]
        size = 3 * self.units // self.heads
        parts = ops.reshape(self.qkv(self.norm1(x)), (B, T, self.heads, size))
        q, k, v = ops.split(ops.transpose(parts, (0, 2, 1, 3)), 3, axis=-1)
        if self.positions == "rotary":
            q, k = _rotate(q, position), _rotate(k, position)
        return q, k, v

    def _scores(self, q, k):
        """Scaled dot products (B, H, Tq, Tk)."""
        return ops.matmul(q, ops.swapaxes(k, -1, -2)) / np.sqrt(q.shape[-1])  # Eq. (15.1)

    def _weights(self, q, k):
        """Causal attention weights (B, H, T, T)."""
        place, scores = ops.arange(ops.shape(q)[2]), self._scores(q, k)
        distance = place[:, None] - place  # (T, T): 0 on the diagonal, positive before it
        seen = (distance >= 0) & (distance < self.window)  # Eq. (15.4)
        if self.positions == "bias":
            near = ops.clip(distance, 0, self.window - 1)
            kind = ops.mod(place, self.kinds)[:, None] * self.window
            scores += ops.take(self.bias, kind + near, axis=1)  # Eq. (15.8)
        return ops.softmax(ops.where(seen, scores, -1e9))  # Eq. (15.2)

    def _rest(self, x, heads, training):
        """Join the heads (B, H, T, D/H), add them to x, and add the feed-forward layers' output."""
        joined = ops.reshape(ops.transpose(heads, (0, 2, 1, 3)), ops.shape(x))  # (B, T, D)
        x += self.drop(self.join(joined), training=training)  # Eq. (15.5)
        hidden = self.wide(self.norm2(x))  # (..., 2D)
        return x + self.drop(self.narrow(hidden), training=training)  # Eq. (15.10)

    def get_config(self):
        """Arguments stored in ``.keras`` files."""
        return {**super().get_config(), **self.settings}


def _rotate(x, position):
    """Rotary positions of queries or keys (B, H, T, d) at positions (T,)."""
    half = x.shape[-1] // 2
    speed = (SLOWEST ** (-np.arange(half) / half)).astype("float32")
    angle = ops.cast(position, x.dtype)[:, None] * speed  # (T, d/2)
    a, b = x[..., :half], x[..., half:]
    cos, sin = ops.cos(angle), ops.sin(angle)
    return ops.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)  # Eq. (15.7)


@keras.saving.register_keras_serializable(package="musiclab")
class VoiceTransformer(VoiceModel):
    """Decoder over voice-interleaved tokens: soprano, bass, alto, tenor of step 1, then of step 2 ...

    The input at the place of a token says all that is known before it: what every voice sounds and
    for how long, metre, fermatas, mode and last phrase, and the tokens of this step already
    written. The block outputs, normalised, join a second projection of these inputs, which bypasses
    the blocks, in a hidden layer; this gives the token's logits, to which a
    :class:`CounterpointTable` adds its own.

    Equation: (15.11)

    Args:
      units: D. heads: of each block. layers: number of blocks.
      hidden: units between the blocks and the voices' logits.
      steps: how far back attention reaches, in 16ths; also the length of training excerpts.
      low, high: lowest and highest MIDI pitch.
      dropout: share of units left out in training; of the inputs a tenth as much.

    Raises:
      ValueError: on a size below 1, or a range without a pitch.
    """

    scored_steps = 512  # attention weights of 2048 tokens at once

    def __init__(
        self,
        units=64,
        heads=4,
        layers=1,
        hidden=64,
        steps=52,
        low=31,
        high=86,
        dropout=0.4,
        **kwargs,
    ):
        super().__init__(low, high, **kwargs)
        if layers < 1 or steps < 1:
            raise ValueError(f"{layers} layers, {steps} steps: need at least 1 of each")
        self.settings = {"units": units, "heads": heads, "layers": layers, "hidden": hidden}
        self.settings |= {"steps": steps, "low": low, "high": high, "dropout": dropout}
        self.units, self.steps = units, steps
        both = units + hidden  # for the blocks, and past them
        self.from_step = keras.layers.Dense(both)
        self.from_own = [keras.layers.Dense(units) for _ in range(VOICES)]
        self.from_voice = [keras.layers.Dense(both, use_bias=False) for _ in VOICE_ORDER[:-1]]
        window = VOICES * steps
        self.blocks = [
            TransformerBlock(units, heads, window, "bias", VOICES, dropout) for _ in range(layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.from_blocks = keras.layers.Dense(hidden)
        self.deeper = [keras.layers.Dense(hidden, "silu") for _ in range(VOICES)]
        self.out = [keras.layers.Dense(self.tokens) for _ in range(VOICES)]
        self.drop = keras.layers.Dropout(dropout)
        self.drop_inputs = keras.layers.Dropout(dropout / 10)
        columns = 3 * VOICES + len(conditioning.FEATURE_SIZES)
        self(tf.zeros((1, 1, columns), tf.int32))  # makes the weights
        self.compile_default()

    def call(self, x, training=False):
        """Encoded pieces (B, T, 19), padded with -1, to ln p of each step in nats, (B, T)."""
        real = tf.cast(x[..., 0] >= 0, self.compute_dtype)  # (B, T)
        targets = tf.reshape(tf.maximum(x[..., :VOICES], 0), (-1, VOICES))  # (B * T, 4)
        nats, z = 0.0, self._through_blocks(x, training)
        for voice, logits in zip(VOICE_ORDER, self._all_logits(*z, x, training)):
            nats -= tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, voice], logits)
        return tf.reshape(nats, tf.shape(real)) * real  # Eq. (15.11)

    def _log_likelihood(self, encoded):
        """As the base class, long pieces part by part: attention of all tokens to all grows as T^2.

        The result is the same: each part comes with all that its tokens can see.
        """
        reach = len(self.blocks) * self.steps  # steps back that a token can depend on
        parts = [
            (x[max(start - reach, 0) : start + LONGEST], min(start, reach))
            for x in encoded
            for start in range(0, len(x), LONGEST)
        ]
        scores = super()._log_likelihood([x for x, _ in parts])
        new = iter([score[before:] for score, (_, before) in zip(scores, parts)])
        return [np.concatenate([next(new) for _ in range(0, len(x), LONGEST)]) for x in encoded]

    def last_logits(self, x):
        """Encoded pieces (B, T, 19) to the logits of the four tokens of step T, each (B, tokens)."""
        z, past = self._through_blocks(x)
        return self._all_logits(z[:, -VOICES:], past[:, -VOICES:], x[:, -1:])

    def _through_blocks(self, x, training=False):
        """Encoded pieces (B, T, 19) to the blocks' outputs (B, 4T, D) and what bypassed them."""
        z, past = self.embed(x, training)
        for block in self.blocks:
            z = block(z, training=training)
        return z, past

    def _all_logits(self, z, past, x, training=False):
        """Of the four tokens of each step of encoded pieces (B, T, 19), each (B * T, tokens)."""
        z, past = (tf.reshape(a, (-1, VOICES, a.shape[-1])) for a in (z, past))  # (B * T, 4, ...)
        tokens, sounding, _, _ = self._columns(tf.reshape(tf.maximum(x, 0), (-1, x.shape[-1])))
        return [
            self._logits(voice, z[:, i], past[:, i], tokens, sounding, training)
            for i, voice in enumerate(VOICE_ORDER)
        ]

    def _logits(self, voice, z, past, tokens, sounding, training=False):
        """Logits (m, tokens) of one voice from block outputs (m, D) and what bypassed the blocks."""
        found = self.from_blocks(self.drop(self.norm(z), training=training))  # (m, hidden)
        h = self.drop(tf.nn.silu(found + past), training=training)
        logits = self.out[voice](h + self.drop(self.deeper[voice](h), training=training))
        return self._adjusted(voice, logits, tokens, sounding)

    def embed(self, x, training=False):
        """Encoded pieces (B, T, 19) to inputs of blocks (B, 4T, D) and past them (B, 4T, hidden)."""
        tokens, sounding, age, metre = self._columns(tf.maximum(x, 0))
        features = self._features(sounding, age, metre)  # (B, T, D_in)
        known = self.from_step(self.drop_inputs(features, training=training))
        inside, past = [], []
        for i, voice in enumerate(VOICE_ORDER):
            inside.append(known[..., : self.units] + self._own(voice, sounding, age))
            past.append(known[..., self.units :])
            if i + 1 < VOICES:
                known += self.from_voice[i](self._written(voice, tokens, sounding))
        rows = (tf.shape(x)[0], VOICES * tf.shape(x)[1])  # B, 4T
        both = (tf.stack(inside, axis=2), tf.stack(past, axis=2))  # (B, T, 4, ...)
        return [tf.reshape(one, (*rows, one.shape[-1])) for one in both]

    def maps(self, piece, steps=None) -> np.ndarray:
        """Attention weights of every layer and head over the first T steps of a piece.

        Args:
          piece: a piece.
          steps: T; None for all. No token sees what comes after it, so the weights are the same.

        Returns:
          float32 (L, H, 4T, 4T).
        """
        z, _ = self.embed(self.encode(piece)[None, :steps])  # (1, 4T, D)
        shape = (len(self.blocks), self.blocks[0].heads, z.shape[1], z.shape[1])
        found = np.empty(shape, np.float32)  # filled block by block: they are large
        for number, block in enumerate(self.blocks):
            found[number] = block.maps(z)[0]
            z = block(z)
        return found

    def compile_default(self, learning_rate=6e-3, weight_decay=5e-2):
        """As :meth:`SequenceModel.compile_default`."""
        super().compile_default(learning_rate, weight_decay)

    def batches(self, encoded, batch_size, seed):
        """Excerpts from random places, as many steps in an epoch as the pieces have."""
        return RandomExcerpts(encoded, self.steps, batch_size, seed)

    def _initial_state(self, n):
        """Before the first step of n pieces."""
        silence, caches = tf.zeros((n, VOICES), tf.int32), [b.empty_cache(n) for b in self.blocks]
        return {"caches": caches, "sounding": silence, "age": silence}

    def _step(self, state, t, metre, seed, temperature, parallels):
        """Draw one step: state and metre (n, 7) to tokens (n, 4) and the new state."""
        sounding, age, caches = state["sounding"], state["age"], list(state["caches"])
        known = self.from_step(self._features(sounding, age, metre))  # (n, D + hidden)
        tokens = tf.zeros_like(sounding)
        for i, voice in enumerate(VOICE_ORDER):
            z = known[:, : self.units] + self._own(voice, sounding, age)  # (n, D)
            for layer, block in enumerate(self.blocks):
                z, caches[layer] = block.step(z, caches[layer], VOICES * t + i, kind=i)
            logits = self._logits(voice, z, known[:, self.units :], tokens, sounding)
            tokens = self._draw(i, logits / temperature, tokens, sounding, seed, parallels)
            if i + 1 < VOICES:
                known += self.from_voice[i](self._written(voice, tokens, sounding))
        sounding, age = conditioning.next_sounding(tokens, sounding, age, tf.where)
        return tokens, {"caches": caches, "sounding": sounding, "age": age}

    def _own(self, voice, sounding, age):
        """What the voice itself sounds, and for how long, embedded: (..., D)."""
        note = tf.one_hot(sounding[..., voice], self.tokens - 1, dtype=self.compute_dtype)
        held = tf.one_hot(self._age_class(age[..., voice]), AGE_CLASSES, dtype=self.compute_dtype)
        return self.from_own[voice](tf.concat([note, held], axis=-1))


def sample_without_cache(model, piece, seed: int):
    """The piece that ``model.sample(piece, seed)`` draws, computed without a cache: slowly.

    For each token the blocks run again over all tokens before it.

    Args:
      model: a :class:`VoiceTransformer`.
      piece: a piece with the length, metre, fermatas and mode wanted.
      seed: as for ``sample``.

    Returns:
      A piece.
    """
    metre = conditioning.conditioning_features(piece)  # (T, 7)
    x = np.zeros((1, len(metre), 3 * VOICES + metre.shape[1]), np.int32)
    x[0, :, 3 * VOICES :] = metre
    tokens, sounding, age = x[..., :4], x[..., 4:8], x[..., 8:12]  # views, filled step by step
    row = tf.TensorSpec((1, None, x.shape[2]), tf.int32)
    last_logits = model.graph(model.last_logits, input_signature=[row])
    fold = tf.random.experimental.stateless_fold_in
    for t in range(len(metre)):
        seed_t = fold(tf.constant([seed % 2**31, 0]), t)
        for i in range(VOICES):
            logits = last_logits(x[:, : t + 1])[i]  # (1, tokens)
            tokens[:, t] = model._draw(i, logits, tokens[:, t], sounding[:, t], seed_t, True)
        if t + 1 < len(metre):
            after = conditioning.next_sounding(tokens[:, t], sounding[:, t], age[:, t])
            sounding[:, t + 1], age[:, t + 1] = after
    return conditioning.tokens_to_piece(tokens[0], piece, model.low, model.high)


class RandomExcerpts(keras.utils.PyDataset):
    """Mini-batches of excerpts of T steps from random places of sequences, anew for each epoch.

    A place is as likely as any other; an epoch has about as many steps as all sequences.

    Args:
      sequences: arrays (T, ...). length: steps of an excerpt; a shorter sequence is padded with -1.
      size: excerpts in a batch.
      seed: for the places.
    """

    def __init__(self, sequences, length, size, seed, **kwargs):
        super().__init__(**kwargs)
        self.sequences, self.length, self.size = sequences, length, size
        self.rng = np.random.default_rng(seed)
        lengths = np.array([len(one) for one in sequences])
        self.count = -(-int(lengths.sum()) // (length * size))
        self.share = (lengths + length) / (lengths + length).sum()

    def __len__(self):
        """Batches in an epoch."""
        return self.count

    def __getitem__(self, i):
        """A batch (size, length, ...), in a tuple as Keras expects it."""
        excerpts = []
        for k in self.rng.choice(len(self.sequences), self.size, p=self.share):
            sequence = self.sequences[k]
            last = max(len(sequence) - self.length, 0)
            # from before the start to after the end, so that the ends are as likely as the middle
            start = np.clip(self.rng.integers(-self.length, len(sequence) + 1), 0, last)
            excerpts.append(sequence[start : start + self.length])
        filler = np.full_like(self.sequences[0][:1], -1).repeat(self.length, axis=0)
        return (pad([*excerpts, filler])[:-1],)
