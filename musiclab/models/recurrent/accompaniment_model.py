"""Encoder, decoder and sampling of one voice given others: the base of the models of lesson 09."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data.encodings.eighth_grid import BEATS, encode_eighths, replace_voice
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN
from musiclab.data.piece import Piece
from musiclab.models.recurrent.counterpoint_table import CounterpointTable
from musiclab.models.recurrent.sequence_model import SequenceModel, pad, real_steps
from musiclab.sampling.ancestral import ancestral_sampling, check_temperature, sample_categorical
from musiclab.sampling.beam_search import beam_search
from musiclab.sampling.constraints import parallel_moves

__all__ = ["AccompanimentModel"]

ROWS = tf.TensorSpec((None, None, None), tf.int32)
GENERATE = [
    ROWS,
    tf.TensorSpec(2, tf.int32),
    tf.TensorSpec((), tf.float32),
    tf.TensorSpec((), bool),
]


class AccompanimentModel(SequenceModel):
    """Probability of one voice given others: a bidirectional LSTM encoder and an LSTM decoder.

    ln p(y | x) is the sum over 8ths of ln p(y_t | y_<t, c_t), where c_t is the :meth:`context` made
    from the given voices x. The decoder's further inputs are its own last 8th and the beat. In
    training the last 8th is the true one (teacher forcing). With a table, a
    :class:`CounterpointTable` adds a logit for the move that each token makes with each given
    voice: it reads the given voices at this 8th and the one before, past any bottleneck.

    Equation: (9.2)

    Args:
      target: the voice to be generated, 0 (soprano) to 3 (bass). given: the voices it depends on.
      encoder_units: H, in each direction. decoder_units: units of the decoder.
      low, high: range of MIDI pitches, after transposing to no signature.
      dropout: share of units left out in training.
      table: whether there is a counterpoint table.

    Raises:
      ValueError: if the voices are no voices or the target is given, or on a bad size or range.
    """

    def __init__(
        self,
        target=3,
        given=(0,),
        encoder_units=48,
        decoder_units=104,
        low=29,
        high=90,
        dropout=0.4,
        table=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        given, voices = tuple(given), {*given, target}
        if not given or len(voices) <= len(given) or not voices <= {0, 1, 2, 3}:
            raise ValueError(f"voice {target} from {given}: need different voices of 0, 1, 2, 3")
        self.settings = {"target": target, "given": given, "low": low, "high": high}
        self.settings |= {"encoder_units": encoder_units, "decoder_units": decoder_units}
        self.settings |= {"dropout": dropout, "table": table}
        self.target, self.given, self.low, self.high = target, given, low, high
        self.notes = high - low + 2  # what can sound: a rest or a pitch
        self.encoder = keras.layers.Bidirectional(
            keras.layers.LSTM(encoder_units, return_sequences=True, return_state=True)
        )
        self.decoder = keras.layers.LSTM(decoder_units, return_sequences=True)
        self.out = keras.layers.Dense(self.notes + 1)  # a rest, a hold or a pitch struck
        self.counterpoint = CounterpointTable(len(given)) if table else None
        self.drop = keras.layers.Dropout(dropout)
        self(tf.zeros((1, 1, 2 * len(given) + 6), tf.int32))  # makes the weights
        self.compile_default()

    def context(self, final, states):
        """Encoder states, the final ones (B, 2H) and all (B, T, 2H), to the decoder's c (B, T, 2H)."""
        raise NotImplementedError

    def call(self, x, training=False):
        """Rows (B, T, F) of :func:`encode_eighths`, padded with -1, to ln p(y_t | y_<t, x), (B, T)."""
        loss = keras.losses.sparse_categorical_crossentropy
        logits, tokens = self.logits(x, training), ops.maximum(x[..., -1], 0)
        # ln p(y_t | y_<t, c_t); added up over t it is ln p(y | x)
        real = real_steps(x, self.compute_dtype)
        return -real * loss(tokens, logits, from_logits=True)  # Eq. (9.2)

    def logits(self, x, training=False):
        """Rows (B, T, F), padded with -1, to the logits of y_t given y_<t and x: (B, T, tokens)."""
        context, clock, moves = self._given(x, training)  # (B, T, 2H), (B, T, C), (B, T, 2, G)
        x = ops.maximum(x, 0)
        own = self._own(x[:, :-1, -2], x[:, :-1, -1])  # (B, T - 1, K): y_<t, never y_t
        own = ops.pad(own, [[0, 0], [1, 0], [0, 0]])  # (B, T, K)
        h = self.decoder(ops.concatenate([context, clock, own], axis=-1))  # (B, T, decoder_units)
        sounding = ops.pad(x[:, :-1, -2], [[0, 0], [1, 0]])  # (B, T), at t - 1
        return self.out(self.drop(h, training=training)) + self._counterpoint(sounding, moves)

    def _given(self, x, training=False):
        """What is known before the decoder starts, from rows (B, T, F), padded with -1.

        Returns:
          The context (B, T, 2H); the clock (B, T, C): beat and offbeat; int (B, T, 2, G): what the
          given voices sound at the 8th before (0 at the first) and at this one.
        """
        real, x = real_steps(x, self.compute_dtype), ops.maximum(x, 0)
        pairs = 2 * len(self.given)
        notes = [ops.one_hot(x[..., i], self.notes) for i in range(0, pairs, 2)]
        struck = ops.cast(x[..., 1:pairs:2], real.dtype)
        beat = ops.one_hot(x[..., pairs], BEATS)
        flags = ops.cast(x[..., pairs + 1 : pairs + 4], real.dtype)  # off, fermata, last phrase
        features = ops.concatenate([*notes, struck, beat, flags], axis=-1)
        states, forward, _, backward, _ = self.encoder(features, mask=real > 0, training=training)
        context = self.context(ops.concatenate([forward, backward], axis=-1), states)
        clock = ops.concatenate([beat, flags[..., :1]], axis=-1)
        now = x[..., 0:pairs:2]  # (B, T, G)
        before = ops.pad(now[:, :-1], [[0, 0], [1, 0], [0, 0]])
        return self.drop(context, training=training), clock, ops.stack([before, now], axis=2)

    def _counterpoint(self, own, moves):
        """Logits of the moves that tokens make: own (...) and moves (..., 2, G) to (..., tokens)."""
        token = ops.arange(self.notes + 1)
        own = own[..., None]
        candidates = ops.where(token == HOLD_TOKEN, own, ops.maximum(token - 1, 0))
        logits = 0.0
        if self.counterpoint is None:
            return logits
        for i, other in enumerate(self.given):
            before, now = moves[..., 0, i, None], moves[..., 1, i, None]
            voices = [(self.target, own, candidates), (other, before, now)]
            (_, *upper), (_, *lower) = sorted(voices, key=_voice)
            logits += self.counterpoint.logits(*upper, *lower, pair=i)
        return logits

    def _own(self, sounding, token):
        """The decoder's own last 8th as features: its note, and whether it rested, held or struck."""
        kind = ops.one_hot(ops.minimum(token, FIRST_PITCH_TOKEN), 3)
        return ops.concatenate([ops.one_hot(sounding, self.notes), kind], axis=-1)

    def sample(self, condition, seed: int, temperature: float = 1.0, parallels: bool = True):
        """Generate the voice, each 8th drawn given those before it.

        Args:
          condition: a piece, or a list of them; the target voice, if any, is not used.
          seed: the same gives the same.
          temperature: below 1 favours likely notes, above 1 evens out the distribution.
          parallels: False excludes parallel fifths and octaves with the given voices: see
            :mod:`musiclab.sampling.constraints`.

        Returns:
          The piece, or a list, with the target voice replaced; other voices as they were.

        Raises:
          ValueError: on a temperature that is not above 0, no piece, or one that can't be encoded.
        """
        tau, seed = tf.constant(check_temperature(temperature)), tf.constant([seed % 2**31, 0])
        pieces = [condition] if isinstance(condition, Piece) else list(condition)
        rows = pad(self._encoded([self._without_target(piece) for piece in pieces]))
        generate = self.graph(self._generate, input_signature=GENERATE)
        tokens = generate(rows, seed, tau, tf.constant(not parallels)).numpy()
        written = [self._with_target(piece, row) for piece, row in zip(pieces, tokens)]
        return written[0] if isinstance(condition, Piece) else written

    def beam_search(self, condition: Piece, width: int = 8) -> Piece:
        """Generate a likely voice by :func:`musiclab.sampling.beam_search.beam_search`.

        Args:
          condition: a piece; the target voice, if any, is not used.
          width: beginnings kept, at least 1.

        Returns:
          The piece with the target voice replaced.

        Raises:
          ValueError: if width is below 1, or the piece can't be encoded.
        """
        rows = pad(self._encoded([self._without_target(condition)]))
        given = self.graph(self._given, input_signature=[ROWS])(rows)
        graph = self.graph(self._step)

        def step(state, t):
            return graph(*(np.repeat(part[:, t], width, axis=0) for part in given), state)

        steps = rows.shape[1]
        tokens, _ = beam_search(step, self._next_state, self._initial_state, steps, width)
        return self._with_target(condition, tokens)

    def encode(self, piece) -> np.ndarray:
        """One row of integers per 8th: :func:`encode_eighths`."""
        return encode_eighths(piece, self.given, self.target, self.low, self.high)

    def _generate(self, rows, seed, tau, strict):
        """The loop of :meth:`sample`: tokens (n, T)."""
        given = self._given(rows)

        def next_token(state, t, seed):
            context, clock, moves = (part[:, t] for part in given)
            logits, state = self._step(context, clock, moves, state)  # (n, tokens)
            wrong = parallel_moves(moves[:, 0], moves[:, 1], state["sounding"], self.notes)
            forbidden = tf.pad(wrong[:, 1:], [[0, 0], [2, 0]])  # a rest and a hold never are
            logits = tf.where(strict & forbidden, -np.inf, logits / tau)
            token = sample_categorical(logits, seed)  # (n,)
            return token, self._next_state(state, token)

        n, steps = tf.shape(rows)[0], tf.shape(rows)[1]
        return ancestral_sampling(next_token, self._initial_state(n), steps, seed)[0]

    def _initial_state(self, n):
        """The decoder's state before the first 8th of n voices: zeros."""
        zeros = tf.zeros((n, self.decoder.units))
        own, sounding = tf.zeros((n, self.notes + 3)), tf.zeros(n, tf.int32)
        return {"decoder": [zeros, zeros], "sounding": sounding, "own": own}

    def _step(self, context, clock, moves, state):
        """One 8th of :meth:`_given`, (n, ...), and the state to logits (n, tokens) and the new state."""
        x = ops.concatenate([context, clock, state["own"]], axis=-1)
        h, decoder = self.decoder.cell(x, state["decoder"])
        logits = self.out(h) + self._counterpoint(state["sounding"], moves)
        return logits, {**state, "decoder": list(decoder)}

    def _next_state(self, state, token):
        """The state once a token is chosen."""
        token = tf.cast(token, tf.int32)
        struck = tf.maximum(token - FIRST_PITCH_TOKEN + 1, 0)
        sounding = tf.where(token == HOLD_TOKEN, state["sounding"], struck)
        return {**state, "sounding": sounding, "own": self._own(sounding, token)}

    def _without_target(self, piece):
        """The piece with rests in the target voice, so that it can't influence the result."""
        keep = (np.arange(piece.voices.shape[1]) != self.target)[None]
        return piece.with_(voices=np.where(keep, piece.voices, -1), onsets=piece.onsets & keep)

    def _with_target(self, piece, tokens):
        return replace_voice(piece, self.target, tokens[: -(-piece.steps // 2)], self.low)


def _voice(part):
    """The first entry: the number of the voice, lower for higher voices."""
    return part[0]
