"""Model of a sequence of chords: recurrent layers and an output head over piano-roll frames."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.piano_roll import binary_roll
from musiclab.models.recurrent.output_heads import BernoulliHead, NotesHead
from musiclab.models.recurrent.recurrent_stack import CELLS, RecurrentStack
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling.ancestral import ancestral_sampling, check_temperature

__all__ = ["HEADS", "ChordModel"]

HEADS = ("bernoulli", "notes", "counterpoint")
PERIOD = 4  # frames come without barlines: the model is given their index modulo 4


@keras.saving.register_keras_serializable(package="musiclab")
class ChordModel(SequenceModel):
    """Recurrent layers (backbone) and an output head over piano rolls: p(frame | all frames before).

    The head's context c is the hidden state, the last two frames, the frame's index modulo 4, and
    whether it is the first. With ``backbone="none"`` there is no hidden state.

    Args:
      backbone: "none", "rnn", "lstm", "peephole" or "gru".
      head: "bernoulli" (:class:`BernoulliHead`), "notes" (:class:`NotesHead`), or "counterpoint"
        (:class:`NotesHead` with a counterpoint table).
      keys: K columns of a roll.
      units: H of the recurrent layer. layers: number of recurrent layers.
      hidden: units inside the notes head. order: its order, "up" or "down".
      dropout: share of hidden units left out in training.

    Raises:
      ValueError: on an unknown backbone, head or order, or a size below 1.

    >>> model = ChordModel("gru", "notes", keys=6, units=4, hidden=4)
    >>> model.sample(2, seed=0, steps=5).shape
    (2, 5, 6)
    """

    def __init__(
        self,
        backbone="gru",
        head="notes",
        keys=88,
        units=160,
        hidden=192,
        order="up",
        dropout=0.5,
        layers=1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if head not in HEADS:
            raise ValueError(f"head {head!r}: need one of {', '.join(HEADS)}")
        self.settings = {"backbone": backbone, "head": head, "keys": keys, "units": units}
        self.settings |= {"hidden": hidden, "order": order, "dropout": dropout, "layers": layers}
        self.keys = keys
        self.recurrent = self.make_backbone(backbone, units, layers, dropout)
        if head == "bernoulli":
            self.head = BernoulliHead(keys, dropout)
        else:
            last = self.recurrent.size if head == "counterpoint" else None  # column of the context
            self.head = NotesHead(keys, hidden, order, dropout, previous=last)
        self(tf.zeros((1, 1, keys)))  # makes the weights
        self.compile_default()

    def make_backbone(self, backbone, units, layers, dropout):
        """The layers that make hidden states of the frames."""
        if backbone not in CELLS:
            raise ValueError(f"backbone {backbone!r}: need one of {', '.join(CELLS)}")
        return RecurrentStack(backbone, units, layers, dropout)

    def call(self, x, training=False):
        """Rolls (B, T, K), padded with -1, to ln p of each frame in nats, (B, T), 0 at padded steps."""
        x = tf.cast(x, self.compute_dtype)
        real = tf.where(x[..., 0] >= 0)  # (m, 2): batch and time index of the m real frames
        context = self._contexts(tf.maximum(x, 0.0), training)  # (B, T, C)
        context, frames = tf.gather_nd(context, real), tf.gather_nd(x, real)  # (m, C), (m, K)
        log_p = self.head.log_likelihood(context, frames, training)  # (m,)
        return tf.scatter_nd(real, log_p, tf.shape(x, tf.int64)[:2])

    def _contexts(self, x, training):
        """Rolls (B, T, K) to the context of each frame (B, T, C), made from the frames before it."""
        late = tf.pad(x, [[0, 0], [2, 0], [0, 0]])  # (B, T + 2, K)
        before, last = late[:, :-2], late[:, 1:-1]  # (B, T, K) each
        index = tf.repeat(tf.range(tf.shape(x)[1])[None], tf.shape(x)[0], axis=0)  # (B, T)
        clock = _clock(index, x.dtype)  # (B, T, 5)
        h = self.recurrent(tf.concat([last, clock], axis=-1), training=training)  # (B, T, H)
        return tf.concat([h, last, before, clock], axis=-1)

    def initial_state(self, n: int) -> dict:
        """The state before the first frame of n pieces: two silent frames, index 0."""
        silence, recurrent = tf.zeros((n, self.keys)), self.recurrent.initial_state(n)
        return {"recurrent": recurrent, "before": silence, "last": silence, "index": tf.constant(0)}

    def step(self, state: dict) -> tuple:
        """The context of the next frame, (n, C), and the new state of the recurrent layer."""
        last, before = state["last"], state["before"]  # (n, K) each
        clock = _clock(tf.repeat(state["index"], tf.shape(last)[0]), last.dtype)  # (n, 5)
        h, recurrent = self.recurrent.step(tf.concat([last, clock], axis=-1), state["recurrent"])
        return tf.concat([h, last, before, clock], axis=-1), recurrent

    def sample(self, n: int, seed: int, steps: int = 64, temperature: float = 1.0) -> np.ndarray:
        """Generate pieces frame by frame, each frame drawn given those before it.

        Args:
          n: pieces. seed: the same gives the same pieces. steps: frames to generate.
          temperature: below 1 favours likely frames, above 1 evens out the distribution.

        Returns:
          float32 (n, steps, K) of 0 and 1.

        Raises:
          ValueError: n or steps below 1, or a temperature that is not above 0.
        """
        if min(n, steps) < 1:
            raise ValueError(f"{n} pieces of {steps} frames: both must be at least 1")
        tau, seed = tf.constant(check_temperature(temperature)), tf.constant([seed % 2**31, 0])
        state = self.initial_state(n)
        return self.graph(self.generate)(state, tf.constant(steps), seed, tau).numpy()

    def generate(self, state, steps, seed, temperature):
        """The loop of :meth:`sample` on tensors, from any state: frames (n, steps, K)."""

        def next_frame(state, t, seed):
            context, recurrent = self.step(state)
            frame = self.head.sample(context, seed, temperature)  # (n, K)
            frame = tf.ensure_shape(frame, state["last"].shape)
            return frame, _next_state(state, recurrent, frame)

        return ancestral_sampling(next_frame, state, steps, seed)[0]

    def encode(self, piece) -> np.ndarray:
        """A roll (T, K) of 0 and 1, checked; float32."""
        return binary_roll(piece, self.keys)


def _next_state(state, recurrent, frame):
    index = state["index"] + 1
    return {"recurrent": recurrent, "before": state["last"], "last": frame, "index": index}


def _clock(index, dtype):
    """Indices (...,) to their place modulo 4 and a flag for the first frame: (..., 5)."""
    first = tf.cast(index == 0, dtype)[..., None]
    return tf.concat([tf.one_hot(index % PERIOD, PERIOD, dtype=dtype), first], axis=-1)
