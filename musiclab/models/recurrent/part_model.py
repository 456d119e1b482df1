"""A model that writes one voice to others that are given: what the models of lesson 09 share.

Lessons: 09.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data import Piece
from musiclab.data.encodings.eighth_grid import BEATS, part_rows, with_part
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN
from musiclab.models.recurrent.minibatches import pad
from musiclab.models.recurrent.sequence_model import SequenceModel, real_steps
from musiclab.sampling import ancestral, check_temperature, draw
from musiclab.sampling.beam_search import beam_search
from musiclab.sampling.constraints import parallel_moves

__all__ = ["PartModel"]

ROWS = tf.TensorSpec((None, None, None), tf.int32)
CLOCK = BEATS + 1  # beat and off the beat: what the writer is told of the metre


class PartModel(SequenceModel):
    """Probability of one voice given others: what both models of the lesson share.

    ln p(y | x) is the sum over 8ths of ln p(y_t | y_<t, c_t), where c_t is what :meth:`context` tells of the given
    voices x. Besides, the writer hears its own last 8th and the beat. The loss is minus that, averaged over all 8ths
    of a batch, each written after the true ones before it (teacher forcing).

    Equations: (9.2), (9.3)
    Lesson: 09

    Args:
      target: the voice to be written, 0 (soprano) to 3 (bass). given: the voices it is written to.
      units: H of the encoder, in each direction. writer: units of the decoder.
      low, high: pitches that can be told and written, after transposing to no signature.
      dropout: share of units left out in training.

    Raises:
      ValueError: if the voices are no voices or the target is given, a size is below 1, or low is above high.
    """

    def __init__(
        self, target=3, given=(0,), units=48, writer=104, low=29, high=90, dropout=0.4, **kwargs
    ):
        super().__init__(**kwargs)
        given = tuple(given)
        if not given or len({*given, target}) <= len(given) or not {*given, target} <= {0, 1, 2, 3}:
            raise ValueError(
                f"voice {target} from voices {given}: need different voices of 0, 1, 2, 3"
            )
        if min(units, writer) < 1 or low > high:
            raise ValueError(
                f"units={units}, writer={writer}, pitches {low}-{high}: sizes at least 1, low at most high"
            )
        self.settings = {"target": target, "given": given, "units": units, "writer": writer}
        self.settings |= {"low": low, "high": high, "dropout": dropout}
        self.target, self.given, self.low, self.high = target, given, low, high
        self.keys = high - low + 2  # what can sound: a rest or a pitch
        self.encoder = keras.layers.Bidirectional(
            keras.layers.LSTM(units, return_sequences=True, return_state=True)
        )
        self.decoder = keras.layers.LSTM(writer, return_sequences=True)
        self.out = keras.layers.Dense(self.keys + 1)
        self.drop = keras.layers.Dropout(dropout)
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once, so that the model can be saved and loaded before it has seen data."""
        units, writer = self.settings["units"], self.settings["writer"]
        self.encoder.build((None, None, len(self.given) * (self.keys + 1) + CLOCK + 1))
        self.decoder.build((None, None, 2 * units + CLOCK + self.keys + 3))
        self.out.build((None, None, writer))
        self.built = True

    def context(self, ends, every):
        """From the encoder's last states ``ends`` (n, 2H) and all its states ``every`` (n, T, 2H) to c (n, T, 2H)."""
        raise NotImplementedError

    def call(self, x, training=False):
        """Rows (n, T, F) as :func:`part_rows` makes them, -1 past their ends, to nats (n, T), 0 past the ends."""
        real = real_steps(x, self.compute_dtype)
        x = ops.maximum(x, 0)
        told = ops.pad(
            self._heard(x[:, :-1, -2], x[:, :-1, -1]), [[0, 0], [1, 0], [0, 0]]
        )  # y_<t, never y_t
        h = self.decoder(self._inputs(*self._read(x, real, training), told))
        logits = self.out(self.drop(h, training=training))
        # ln p(y_t | y_<t, c_t); added up over t it is ln p(y | x)
        return -real * keras.losses.sparse_categorical_crossentropy(
            x[..., -1], logits, from_logits=True
        )  # Eq. (9.2)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: minus the log-likelihood, averaged over all 8ths of the batch."""
        return -ops.sum(y_pred) / ops.sum(real_steps(x, y_pred.dtype))  # Eq. (9.3)

    def sample(self, condition, seed: int, temperature: float = 1.0, parallels: bool = True):
        """Write the voice, each 8th drawn from what the model thinks comes next.

        Args:
          condition: a piece, or a list of them; the target voice, if any, is not looked at.
          seed: the same writes the same.
          temperature: below 1 plays safer, above 1 wilder.
          parallels: False forbids parallel fifths and octaves with the given voices: see
            :mod:`musiclab.sampling.constraints`.

        Returns:
          The piece, or a list, with the target voice written; other voices as they were.

        Raises:
          ValueError: on a temperature that is not above 0, no piece, or one that can't be encoded.
        """
        tau = check_temperature(temperature)
        pieces = [condition] if isinstance(condition, Piece) else list(condition)
        rows = pad(self._encoded([self._blank(piece) for piece in pieces]))
        one, two = tf.TensorSpec((), tf.float32), tf.TensorSpec((2,), tf.int32)
        graph = self.graph(self._draw, input_signature=[ROWS, two, one, tf.TensorSpec((), tf.bool)])
        tokens = graph(
            rows, tf.constant([seed % 2**31, 0]), tf.constant(tau), tf.constant(not parallels)
        ).numpy()
        written = [self._written(piece, row) for piece, row in zip(pieces, tokens)]
        return written[0] if isinstance(condition, Piece) else written

    def beam_search(self, condition: Piece, width: int = 8) -> Piece:
        """Write a likely voice: keep the ``width`` likeliest beginnings, 8th after 8th.

        See :func:`musiclab.sampling.beam_search.beam_search`.

        Args:
          condition: a piece; the target voice, if any, is not looked at.
          width: beginnings kept, at least 1.

        Returns:
          The piece with the target voice written.

        Raises:
          ValueError: if width is below 1, or the piece can't be encoded.
        """
        rows = pad(self._encoded([self._blank(condition)]))
        context, clock = self.graph(self._read_all, input_signature=[ROWS])(rows)
        context, clock = (np.repeat(part, max(width, 1), axis=0) for part in (context, clock))
        step = self.graph(self._step)
        tokens, _ = beam_search(
            lambda state, t: step(context[:, t], clock[:, t], state),
            self._told,
            self._start,
            rows.shape[1],
            width,
        )
        return self._written(condition, tokens)

    def encode(self, piece) -> np.ndarray:
        """One row of integers per 8th: :func:`part_rows`."""
        return part_rows(piece, self.given, self.target, self.low, self.high)

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _read(self, x, real, training=False):
        """Rows (n, T, F) to what the writer is told: c (n, T, 2H) and the clock (n, T, C)."""
        pairs = 2 * len(self.given)
        voices = [ops.one_hot(x[..., i], self.keys) for i in range(0, pairs, 2)]
        struck, rest = (
            ops.cast(x[..., 1:pairs:2], real.dtype),
            ops.cast(x[..., pairs + 1 : pairs + 3], real.dtype),
        )
        beat = ops.one_hot(x[..., pairs], BEATS)
        seen = ops.concatenate([*voices, struck, beat, rest], axis=-1)
        every, forward, _, backward, _ = self.encoder(seen, mask=real > 0, training=training)
        context = self.context(ops.concatenate([forward, backward], axis=-1), every)
        return self.drop(context, training=training), ops.concatenate(
            [beat, rest[..., :1]], axis=-1
        )

    def _heard(self, sounding, token):
        """What the writer hears of an 8th of its own: the pitch, and whether it rested, held or struck."""
        kind = ops.one_hot(ops.minimum(token, FIRST_PITCH_TOKEN), 3)
        return ops.concatenate([ops.one_hot(sounding, self.keys), kind], axis=-1)

    def _inputs(self, context, clock, told):
        return ops.concatenate([context, clock, told], axis=-1)

    def _start(self, n):
        """The writer's state before the first 8th of n voices: nothing told, nothing remembered."""
        writer = self.settings["writer"]
        memory = [tf.zeros((n, writer)), tf.zeros((n, writer))]
        return {
            "memory": memory,
            "sounding": tf.zeros(n, tf.int32),
            "told": tf.zeros((n, self.keys + 3)),
        }

    def _step(self, context, clock, state):
        """One 8th: c_t (n, 2H), the clock (n, C) and the state to logits (n, K) and the state with a new memory."""
        h, memory = self.decoder.cell(self._inputs(context, clock, state["told"]), state["memory"])
        return self.out(h), {**state, "memory": list(memory)}

    def _told(self, state, token):
        """The state after a token was written."""
        token = tf.cast(token, tf.int32)
        sounding = tf.where(
            token == HOLD_TOKEN, state["sounding"], tf.maximum(token - FIRST_PITCH_TOKEN + 1, 0)
        )
        return {**state, "sounding": sounding, "told": self._heard(sounding, token)}

    def _read_all(self, rows):
        return self._read(tf.maximum(rows, 0), real_steps(rows, self.compute_dtype))

    def _draw(self, rows, seed, tau, strict):
        context, clock = self._read_all(rows)
        n, steps, given = (
            tf.shape(rows)[0],
            tf.shape(rows)[1],
            rows[..., 0 : 2 * len(self.given) : 2],
        )

        def one(state, t, seed):
            logits, state = self._step(context[:, t], clock[:, t], state)
            moves = parallel_moves(
                given[:, tf.maximum(t - 1, 0)], given[:, t], state["sounding"], self.keys
            )
            forbidden = strict & tf.pad(
                moves[:, 1:], [[0, 0], [2, 0]]
            )  # a rest and a hold always may
            token = draw(tf.where(forbidden, -np.inf, logits / tau), seed)
            return token, self._told(state, token)

        return ancestral(one, self._start(n), steps, seed)[0]

    def _blank(self, piece):
        """The piece with a rest for its target voice: what is to be written can't be seen."""
        keep = (np.arange(piece.voices.shape[1]) != self.target)[None]
        return piece.with_(voices=np.where(keep, piece.voices, -1), onsets=piece.onsets & keep)

    def _written(self, piece, tokens):
        return with_part(piece, self.target, tokens[: -(-piece.steps // 2)], self.low)
