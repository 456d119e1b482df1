"""Model of four voices on a grid of 16ths: at each step one voice after another."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings import conditioning
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN, encode_tokens
from musiclab.data.piece import Piece
from musiclab.models.recurrent.counterpoint_table import CounterpointTable
from musiclab.models.recurrent.recurrent_stack import RecurrentStack
from musiclab.models.recurrent.sequence_model import SequenceModel, pad
from musiclab.sampling.ancestral import ancestral_sampling, check_temperature, sample_categorical
from musiclab.sampling.constraints import parallel_moves

__all__ = ["FourVoices", "VoiceModel"]

VOICES = 4
VOICE_ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor: the outer voices first
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # upper and lower voice
AGES = (1, 2, 3, 4, 5, 9, 17)  # lower ends of the classes of a note's age in steps
AGE_CLASSES = len(AGES) + 1


class VoiceModel(SequenceModel):
    """Base class of models of four voices: encoding, conditioning, counterpoint table, sampling.

    Each voice holds, rests or strikes a note, so that unisons, crossings and repeated notes can be
    expressed, which a piano roll can't. A model does not transpose: pass pieces in the common key
    (:func:`musiclab.data.to_common_key`).

    A subclass defines ``call``, and for sampling ``_initial_state(n)`` and ``_step(state, t,
    metre, seed, temperature, parallels)``.

    Args:
      low, high: lowest and highest MIDI pitch.

    Raises:
      ValueError: on a range without a pitch.
    """

    def __init__(self, low, high, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= low <= high <= 127:
            raise ValueError(f"pitches {low}-{high}: need a range within 0-127")
        self.low, self.high, self.tokens = low, high, high - low + 1 + FIRST_PITCH_TOKEN
        self.counterpoint = CounterpointTable(len(PAIRS))

    def encode(self, piece) -> np.ndarray:
        """A piece of four voices as int32 (T, 19): tokens, sounding notes, their ages, metre."""
        found = (
            f"{piece.voices.shape[1]} voices" if isinstance(piece, Piece) else type(piece).__name__
        )
        if found != f"{VOICES} voices":
            raise ValueError(f"need pieces of {VOICES} voices, found {found}")
        tokens = encode_tokens(piece, self.low, self.high)
        columns = [
            tokens,
            *conditioning.sounding_and_age(tokens),
            conditioning.conditioning_features(piece),
        ]
        return np.concatenate(columns, axis=1).astype(np.int32)

    def sample(self, condition, seed: int, temperature: float = 1.0, parallels: bool = True):
        """Generate a piece for each given one, with its length, metre, fermatas and mode.

        Args:
          condition: a piece or several; their notes are not used.
          seed: the same gives the same pieces.
          temperature: below 1 favours likely notes, above 1 evens out the distribution.
          parallels: False excludes parallel fifths, octaves and unisons while sampling.

        Returns:
          A list of as many pieces, in C major or A minor, spelled accordingly.

        Raises:
          ValueError: no piece, or a temperature that is not above 0.
        """
        tau, seed = tf.constant(check_temperature(temperature)), tf.constant([seed % 2**31, 0])
        pieces = [condition] if isinstance(condition, Piece) else list(condition)
        if not pieces:
            raise ValueError("no form: pass at least one piece whose length and metre to use")
        metre = pad([conditioning.conditioning_features(piece) for piece in pieces])  # (n, T, 7)
        generate = self.graph(self._generate)
        tokens = generate(tf.constant(metre), seed, tau, bool(parallels)).numpy()  # (n, T, 4)
        decode = conditioning.tokens_to_piece
        return [decode(row, piece, self.low, self.high) for row, piece in zip(tokens, pieces)]

    def _generate(self, metre, seed, temperature, parallels=True):
        """The loop of :meth:`sample`: tokens (n, T, 4)."""
        n, steps = metre.shape[:2]

        def next_step(state, t, seed):
            return self._step(state, t, metre[:, t], seed, temperature, parallels)

        return ancestral_sampling(next_step, self._initial_state(n), steps, seed)[0]

    def _columns(self, x):
        """Encoded pieces (..., 19) to tokens, sounding notes, their ages (..., 4) and metre (..., 7)."""
        sizes = [VOICES, VOICES, VOICES, len(conditioning.FEATURE_SIZES)]
        return tf.split(x, sizes, axis=-1)

    def _features(self, sounding, age, metre):
        """One-hot features (..., D): each voice's note and its age, metre, fermatas and mode."""
        classes = self._age_class(age)
        columns = [(sounding[..., v], self.tokens - 1) for v in range(VOICES)]
        columns += [(classes[..., v], AGE_CLASSES) for v in range(VOICES)]
        columns += [(metre[..., i], size) for i, size in enumerate(conditioning.FEATURE_SIZES)]
        one_hots = [tf.one_hot(part, size, dtype=self.compute_dtype) for part, size in columns]
        return tf.concat(one_hots, axis=-1)

    def _age_class(self, age):
        """Class of each age in steps, 0 to AGE_CLASSES - 1: an integer tensor of that shape."""
        classes = tf.searchsorted(tf.constant(AGES), tf.reshape(age, [-1]), side="right")
        return tf.reshape(classes, tf.shape(age))

    def _adjusted(self, voice, logits, tokens, sounding):
        """Logits (m, tokens) with the table's; where nothing sounds there is nothing to hold."""
        logits += self._counterpoint(voice, tokens, sounding)
        impossible = (sounding[:, voice, None] == 0) & (tf.range(self.tokens) == HOLD_TOKEN)
        return tf.where(impossible, -1e9, logits)

    def _written(self, voice, tokens, sounding):
        """What a voice does in this step, one-hot (m, D): its token, and the note that then sounds."""
        now = conditioning.next_sounding(tokens, sounding, sounding, tf.where)[0]
        token = tf.one_hot(tokens[..., voice], self.tokens, dtype=self.compute_dtype)
        note = tf.one_hot(now[..., voice], self.tokens - 1, dtype=self.compute_dtype)
        return tf.concat([token, note], axis=-1)

    def _draw(self, i, logits, tokens, sounding, seed, parallels):
        """Tokens (n, 4) of a step with the one of the i-th voice drawn from its logits."""
        voice = VOICE_ORDER[i]
        if i and not parallels:
            forbidden = self._parallels(voice, VOICE_ORDER[:i], tokens, sounding)
            logits = tf.where(forbidden, -1e9, logits)
        seed_v = tf.random.experimental.stateless_fold_in(seed, voice)
        token = sample_categorical(logits, seed_v)  # (n,)
        return tokens + token[:, None] * tf.one_hot(voice, VOICES, dtype=tf.int32)

    def _counterpoint(self, voice, tokens, sounding):
        """Sum of the table's logits (m, tokens) for a voice's tokens, over the voices before it."""
        others = VOICE_ORDER[: VOICE_ORDER.index(voice)]
        token, own = tf.range(self.tokens), sounding[:, voice, None]
        candidates = tf.where(token == HOLD_TOKEN, own, tf.maximum(token - 1, 0))  # (m, tokens)
        now = conditioning.next_sounding(tokens, sounding, sounding, tf.where)[0]  # (m, 4)
        logits = tf.zeros_like(candidates, self.compute_dtype)
        for other in others:
            moves = {
                voice: (own, candidates),
                other: (sounding[:, other, None], now[:, other, None]),
            }
            pair = (min(voice, other), max(voice, other))
            upper, lower, index = moves[pair[0]], moves[pair[1]], PAIRS.index(pair)
            logits += self.counterpoint.logits(*upper, *lower, index)  # Eq. (8.8)
        return logits

    def _parallels(self, voice, others, tokens, sounding):
        """Tokens (m, tokens) of a voice that would run parallel to others; a rest or hold never does."""
        now = conditioning.next_sounding(tokens, sounding, sounding, tf.where)[0]
        given = [tf.gather(notes, others, axis=1) for notes in (sounding, now)]
        moves = parallel_moves(
            *given, sounding[:, voice], self.tokens - 1
        )  # pitch k is token k + 1
        return tf.pad(moves, [[0, 0], [1, 0]])


@keras.saving.register_keras_serializable(package="musiclab")
class FourVoices(VoiceModel):
    """GRU and four softmaxes: p(step | all before, metre), each voice given those before it in the step.

    To the logits of a voice a :class:`CounterpointTable` adds a number for each voice before it.

    Equation: (8.8)

    Args:
      units: H of the GRU. hidden: units between it and the voices.
      low, high: lowest and highest MIDI pitch.
      dropout: share of hidden units left out in training.

    Raises:
      ValueError: on a size below 1, or a range without a pitch.

    >>> model = FourVoices(units=4, hidden=4)
    >>> model.sample(Piece(np.full((8, 4), 60)), seed=0)[0].voices.shape
    (8, 4)
    """

    def __init__(self, units=160, hidden=160, low=36, high=84, dropout=0.3, **kwargs):
        super().__init__(low, high, **kwargs)
        self.settings = {"units": units, "hidden": hidden, "low": low, "high": high}
        self.settings |= {"dropout": dropout}
        self.recurrent = RecurrentStack("gru", units, dropout=dropout)
        self.from_context = keras.layers.Dense(hidden)
        self.from_voice = [keras.layers.Dense(hidden) for _ in VOICE_ORDER[:-1]]
        self.deeper = [keras.layers.Dense(hidden, "silu") for _ in range(VOICES)]
        self.out = [keras.layers.Dense(self.tokens) for _ in range(VOICES)]
        self.drop = keras.layers.Dropout(dropout)
        columns = 3 * VOICES + len(conditioning.FEATURE_SIZES)
        self(tf.zeros((1, 1, columns), tf.int32))  # makes the weights
        self.compile_default()

    def call(self, x, training=False):
        """Encoded pieces (B, T, 19), padded with -1, to ln p of each step in nats, (B, T)."""
        real = tf.where(x[..., 0] >= 0)  # (m, 2): batch and time index of the m real steps
        tokens, sounding, age, metre = self._columns(x)
        features = self._features(sounding, age, metre)  # (B, T, D)
        h = self.recurrent(features, training=training)  # (B, T, H)
        context = tf.gather_nd(tf.concat([h, features], axis=-1), real)  # (m, H + D)
        tokens, sounding = tf.gather_nd(tokens, real), tf.gather_nd(sounding, real)  # (m, 4)
        z = self.from_context(context)  # (m, hidden)
        masks = [1.0, 1.0]
        if training:
            masks = [self.drop(tf.ones_like(z), training=True) for _ in range(2)]
        nats = 0.0
        for voice in VOICE_ORDER:
            logits = self._logits(voice, z, tokens, sounding, *masks)  # (m, tokens)
            nats -= tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, voice], logits)
            z += self._from_voice(voice, tokens, sounding)
        return tf.scatter_nd(real, nats, tf.shape(x, tf.int64)[:2])

    def _initial_state(self, n):
        """Before the first step of n pieces."""
        silence = tf.zeros((n, VOICES), tf.int32)
        return {"recurrent": self.recurrent.initial_state(n), "sounding": silence, "age": silence}

    def _step(self, state, t, metre, seed, temperature, parallels):
        """Draw one step: state and metre (n, 7) to tokens (n, 4) and the new state."""
        sounding, age = state["sounding"], state["age"]  # (n, 4) each
        features = self._features(sounding, age, metre)  # (n, D)
        h, recurrent = self.recurrent.step(features, state["recurrent"])  # (n, H)
        z = self.from_context(tf.concat([h, features], axis=-1))  # (n, hidden)
        tokens = tf.zeros_like(sounding)
        for i, voice in enumerate(VOICE_ORDER):
            logits = self._logits(voice, z, tokens, sounding) / temperature  # (n, tokens)
            tokens = self._draw(i, logits, tokens, sounding, seed, parallels)
            z += self._from_voice(voice, tokens, sounding)
        sounding, age = conditioning.next_sounding(tokens, sounding, age, tf.where)
        return tokens, {"recurrent": recurrent, "sounding": sounding, "age": age}

    def _logits(self, voice, z, tokens, sounding, mask1=1.0, mask2=1.0):
        """Logits (m, tokens) of one voice."""
        h = tf.nn.silu(z) * mask1
        logits = self.out[voice](h + self.deeper[voice](h) * mask2)
        return self._adjusted(voice, logits, tokens, sounding)

    def _from_voice(self, voice, tokens, sounding):
        """What a voice does in this step, for the voices after it: (m, hidden)."""
        if voice == VOICE_ORDER[-1]:
            return 0.0
        return self.from_voice[VOICE_ORDER.index(voice)](self._written(voice, tokens, sounding))
