"""Four voices on the 16th grid, written voice by voice within each step.

Lessons: 08.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.conditioning import FORM_SIZES, after_step, form, heard, written
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN, encode_tokens
from musiclab.data.piece import Piece
from musiclab.models.recurrent.recurrent_layers import Memory
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling import ancestral, check_temperature, draw
from musiclab.sampling.constraints import parallel_moves

__all__ = ["ORDER", "FourVoices"]

VOICES = 4
ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor: the outer voices first, as a composer would
AGES = (1, 2, 3, 4, 5, 9, 17)  # steps a note has lasted, told apart from these on


@keras.saving.register_keras_serializable(package="musiclab")
class FourVoices(SequenceModel):
    """p(step | all before, form) as four softmaxes: each voice holds, rests or strikes, given those written already.

    Voices are told apart, so unisons, crossings and repeated notes live, which a piano roll can't say. Pass pieces
    in the common key (:func:`musiclab.data.to_common_key`), or the model must learn each key by itself.

    Lesson: 08

    Args:
      cell: "rnn", "lstm", "peephole" or "gru".
      units: H of each recurrent layer. layers: how many. hidden: units between them and the voices.
      low, high: lowest and highest MIDI pitch.
      dropout: share of hidden units left out in training.

    Raises:
      ValueError: on an unknown cell, a size below 1, or a range without a pitch.

    >>> model = FourVoices(units=4, hidden=4)
    >>> model.sample(Piece(np.full((8, 4), 60)), seed=0)[0].voices.shape
    (8, 4)
    """

    def __init__(
        self, cell="gru", units=160, layers=1, hidden=160, low=36, high=84, dropout=0.3, **kwargs
    ):
        super().__init__(**kwargs)
        if hidden < 1 or not 0 <= low <= high <= 127:
            raise ValueError(
                f"hidden={hidden}, pitches {low}-{high}: need hidden units and a range within 0-127"
            )
        self.settings = {"cell": cell, "units": units, "layers": layers, "hidden": hidden}
        self.settings |= {"low": low, "high": high, "dropout": dropout}
        self.low, self.high, self.tokens = low, high, high - low + 1 + FIRST_PITCH_TOKEN
        self.memory = Memory(cell, units, layers, dropout)
        self.from_context = keras.layers.Dense(hidden)
        self.from_voice = [keras.layers.Dense(hidden) for _ in ORDER[:-1]]  # what a voice just did
        self.deeper = [keras.layers.Dense(hidden, "silu") for _ in range(VOICES)]
        self.out = [keras.layers.Dense(self.tokens) for _ in range(VOICES)]
        self.drop = keras.layers.Dropout(dropout)
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once, so that the model can be saved, counted and loaded before it has seen data."""
        told = VOICES * (self.tokens - 1 + len(AGES) + 1) + sum(FORM_SIZES)
        self.memory.build((None, None, told))
        self.from_context.build((None, self.memory.size + told))
        for layer in self.from_voice:
            layer.build((None, self.tokens - 1 + self.tokens))
        for deeper, out in zip(self.deeper, self.out):
            deeper.build((None, self.settings["hidden"]))
            out.build((None, self.settings["hidden"]))
        self.built = True

    def call(self, x, training=False):
        """Encoded pieces (n, T, 18), -1 past their ends, to nats (n, T), 0 past the ends; summed over voices."""
        real = tf.where(x[..., 0] >= 0)
        tokens, before, age, plan = tf.split(x, [VOICES, VOICES, VOICES, len(FORM_SIZES)], axis=-1)
        told = self._told(before, age, plan)
        h = self.memory(told, training=training)
        context = tf.gather_nd(tf.concat([h, told], axis=-1), real)
        tokens, before = tf.gather_nd(tokens, real), tf.gather_nd(before, real)
        known = self.from_context(context)
        masks = (
            [self.drop(tf.ones_like(known), training=True) for _ in range(2)]
            if training
            else [1.0, 1.0]
        )
        nats = 0.0
        for voice in ORDER:
            logits = self._logits(voice, known, before, *masks)
            nats -= tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[:, voice], logits)
            known += self._done(voice, tokens, before)
        return tf.scatter_nd(real, nats, tf.shape(x, tf.int64)[:2])

    def encode(self, piece) -> np.ndarray:
        """A piece of four voices as int32 (T, 18): tokens, what sounded before, for how long, the form."""
        if not isinstance(piece, Piece) or piece.voices.shape[1] != VOICES:
            found = (
                f"{piece.voices.shape[1]} voices"
                if isinstance(piece, Piece)
                else type(piece).__name__
            )
            raise ValueError(f"need pieces of {VOICES} voices, found {found}")
        tokens = encode_tokens(piece, self.low, self.high)
        return np.concatenate([tokens, *heard(tokens), form(piece)], axis=1).astype(np.int32)

    def start(self, n: int) -> dict:
        """The state before the first step of n pieces: the memory's zeros, and silence in every voice."""
        silence = tf.zeros((n, VOICES), tf.int32)
        return {"memory": self.memory.start(n), "before": silence, "age": silence}

    def step(self, state: dict, plan, seed, temperature=1.0, fixed=-1, parallels=True) -> tuple:
        """Write one step: state and form (n, 6) to tokens (n, 4) and the state after; ``fixed`` ones >= 0 are kept."""
        told = self._told(state["before"], state["age"], plan)
        h, memory = self.memory.step(told, state["memory"])
        known, tokens = (
            self.from_context(tf.concat([h, told], axis=-1)),
            tf.zeros_like(state["before"]),
        )
        for i, voice in enumerate(ORDER):
            logits = self._logits(voice, known, state["before"]) / temperature
            if i and not parallels:
                logits = tf.where(
                    self._parallel(voice, ORDER[:i], tokens, state["before"]), -1e9, logits
                )
            drawn = draw(logits, tf.random.experimental.stateless_fold_in(seed, voice))
            tokens += drawn[:, None] * tf.one_hot(voice, VOICES, dtype=tf.int32)
            tokens = tf.where(fixed >= 0, fixed, tokens)
            known += self._done(voice, tokens, state["before"])
        before, age = after_step(tokens, state["before"], state["age"], tf.where)
        return tokens, {"memory": memory, "before": before, "age": age}

    def sample(
        self,
        forms,
        seed: int,
        temperature: float = 1.0,
        primer: Piece | None = None,
        parallels: bool = True,
    ) -> list[Piece]:
        """Write a piece on each form: its length, metre, fermatas and mode are taken, its notes are not looked at.

        Args:
          forms: a piece or several. seed: the same writes the same.
          temperature: below 1 plays safer, above 1 wilder.
          primer: how every piece begins, four voices in the model's range, no longer than the shortest form; or None.
          parallels: False forbids parallel fifths, octaves and unisons while drawing, which the model does not know of.

        Returns:
          As many pieces, in C major or A minor, spelled accordingly.

        Raises:
          ValueError: no form, a temperature that is not above 0, or a primer of other voices, range or length.
        """
        forms, tau = (
            [forms] if isinstance(forms, Piece) else list(forms),
            check_temperature(temperature),
        )
        if not forms:
            raise ValueError("no form: pass at least one piece whose length and metre to use")
        steps = max(piece.steps for piece in forms)
        plans = np.stack(
            [np.pad(form(piece), ((0, steps - piece.steps), (0, 0)), "edge") for piece in forms]
        )
        fixed = np.full((len(forms), steps, VOICES), -1, np.int32)
        if primer is not None:
            shortest = min(piece.steps for piece in forms)
            if primer.steps > shortest:
                raise ValueError(
                    f"the primer has {primer.steps} steps, the shortest form {shortest}: cut the primer"
                )
            fixed[:, : primer.steps] = self.encode(primer)[:, :VOICES]
        seeds, start = tf.constant([seed % 2**31, 0]), self.start(len(forms))
        tau = tf.constant(tau, tf.float32)
        drawn = self.graph(self.draw)(
            start, tf.constant(plans), tf.constant(fixed), seeds, tau, bool(parallels)
        ).numpy()
        return [written(tokens, piece, self.low, self.high) for tokens, piece in zip(drawn, forms)]

    def draw(self, state, plans, fixed, seed, temperature, parallels=True):
        """The loop of :meth:`sample` on tensors, from any state: tokens (n, T, 4)."""

        def one(state, t, seed):
            tokens, after = self.step(state, plans[:, t], seed, temperature, fixed[:, t], parallels)
            return tf.ensure_shape(tokens, state["before"].shape), after

        return ancestral(one, state, tf.shape(plans)[1], seed)[0]

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _told(self, before, age, plan):
        """One-hot: what sounds in each voice, for how long, and the form."""
        kind = self.compute_dtype
        ages = tf.searchsorted(tf.constant(AGES), tf.reshape(age, [-1]), side="right")
        sizes = [(before, self.tokens - 1), (tf.reshape(ages, tf.shape(age)), len(AGES) + 1)]
        columns = [
            tf.one_hot(part[..., v], size, dtype=kind)
            for part, size in sizes
            for v in range(VOICES)
        ]
        columns += [tf.one_hot(plan[..., i], size, dtype=kind) for i, size in enumerate(FORM_SIZES)]
        return tf.concat(columns, axis=-1)

    def _logits(self, voice, known, before, mask1=1.0, mask2=1.0):
        """Logits (m, tokens) of one voice; where nothing sounds there is nothing to hold."""
        h = tf.nn.silu(known) * mask1
        logits = self.out[voice](h + self.deeper[voice](h) * mask2)
        impossible = (before[:, voice, None] == 0) & (tf.range(self.tokens) == HOLD_TOKEN)
        return tf.where(impossible, -1e9, logits)

    def _parallel(self, voice, written_already, tokens, before):
        """Tokens (m, tokens) of one voice that would run parallel to voices of this step; a rest or hold never does."""
        sounding = after_step(tokens, before, before, tf.where)[0]
        given = [tf.gather(part, written_already, axis=1) for part in (before, sounding)]
        moves = parallel_moves(*given, before[:, voice], self.tokens - 1)  # pitch k is token k + 1
        return tf.pad(moves, [[0, 0], [1, 0]])

    def _done(self, voice, tokens, before):
        """What a voice has just done, for the voices still to come: its token, and what sounds now."""
        if voice == ORDER[-1]:
            return 0.0
        sounding = after_step(tokens, before, before, tf.where)[0]
        parts = ((tokens, self.tokens), (sounding, self.tokens - 1))
        told = tf.concat(
            [tf.one_hot(part[:, voice], size, dtype=self.compute_dtype) for part, size in parts],
            axis=-1,
        )
        return self.from_voice[ORDER.index(voice)](told)
