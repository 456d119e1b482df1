"""A model of chord after chord: a memory of what sounded, and a head that says what sounds next.

Lessons: 08.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.recurrent.output_heads import BernoulliHead, NotesHead
from musiclab.models.recurrent.recurrent_layers import CELLS, Memory
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling import ancestral, check_temperature

__all__ = ["HEADS", "ChordModel"]

HEADS = ("bernoulli", "notes")
PERIOD = 4  # the frame's index modulo 4 is told: frames come without barlines


@keras.saving.register_keras_serializable(package="musiclab")
class ChordModel(SequenceModel):
    """Backbone x head over piano rolls: p(frame | all frames before).

    The head's context c is the memory's hidden state beside the last two frames, the frame's index modulo 4, and
    whether it is the first. With ``backbone="none"`` there is no memory: only those.

    Lesson: 08

    Args:
      backbone: "none", "rnn", "lstm", "peephole" or "gru".
      head: "bernoulli" (:class:`BernoulliHead`) or "notes" (:class:`NotesHead`).
      keys: K columns of a roll.
      units: H of each recurrent layer. layers: how many, one on another.
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
        layers=1,
        hidden=192,
        order="up",
        dropout=0.5,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if backbone not in CELLS or head not in HEADS:
            raise ValueError(
                f"backbone {backbone!r}, head {head!r}: need one of {CELLS} and one of {HEADS}"
            )
        if min(keys, units, layers, hidden) < 1:
            raise ValueError(
                f"keys={keys}, units={units}, layers={layers}, hidden={hidden}: each must be at least 1"
            )
        self.settings = {
            **{"backbone": backbone, "head": head, "keys": keys, "units": units, "layers": layers},
            **{"hidden": hidden, "order": order, "dropout": dropout},
        }
        self.keys = keys
        self.memory = Memory(backbone, units, layers, dropout)
        self.head = (
            BernoulliHead(keys, dropout)
            if head == "bernoulli"
            else NotesHead(keys, hidden, order, dropout)
        )
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once, so that the model can be saved, counted and loaded before it has seen data."""
        self.memory.build((None, None, self.keys + PERIOD + 1))
        self.head.build((None, self.memory.size + 2 * self.keys + PERIOD + 1))
        self.built = True

    def call(self, x, training=False):
        """Rolls (n, T, K), -1 past their ends, to nats (n, T), 0 past the ends."""
        x = tf.cast(x, self.compute_dtype)
        real = tf.where(x[..., 0] >= 0)
        context = self._contexts(tf.maximum(x, 0.0), training)
        scores = self.head.log_likelihood(
            tf.gather_nd(context, real), tf.gather_nd(x, real), training
        )
        return tf.scatter_nd(real, scores, tf.shape(x, tf.int64)[:2])

    def _contexts(self, x, training):
        """Rolls (n, T, K) to the context of each frame (n, T, C), made from the frames before it."""
        n, steps = tf.shape(x)[0], tf.shape(x)[1]
        late = tf.pad(x, [[0, 0], [2, 0], [0, 0]])
        before, last = late[:, :-2], late[:, 1:-1]
        clock = tf.repeat(_clock(tf.range(steps), x.dtype)[None], n, axis=0)
        h = self.memory(tf.concat([last, clock], axis=-1), training=training)
        return tf.concat([h, last, before, clock], axis=-1)

    def start(self, n: int) -> dict:
        """The state before the first frame of n pieces: the memories' states, the last two frames, the index."""
        frames = tf.zeros((n, self.keys))
        return {
            "memory": self.memory.start(n),
            "before": frames,
            "last": frames,
            "index": tf.constant(0),
        }

    def step(self, state: dict) -> tuple:
        """One step of the memory: from a state to the context of its next frame, (n, C), and the memories' states."""
        clock = tf.repeat(
            _clock(state["index"][None], state["last"].dtype), tf.shape(state["last"])[0], axis=0
        )
        h, memory = self.memory.step(tf.concat([state["last"], clock], axis=-1), state["memory"])
        return tf.concat([h, state["last"], state["before"], clock], axis=-1), memory

    def sample(
        self, n: int, seed: int, steps: int = 64, temperature: float = 1.0, primer=None
    ) -> np.ndarray:
        """Write n pieces, frame after frame, each drawn from what the model thinks comes next.

        Args:
          n: pieces. seed: the same writes the same. steps: frames to write.
          temperature: below 1 plays safer, above 1 wilder.
          primer: a roll (T, K) to go on from, or None; it is not repeated in the answer.

        Returns:
          float32 (n, steps, K) of 0 and 1.

        Raises:
          ValueError: n or steps below 1, a temperature that is not above 0, or a primer that is no such roll.
        """
        if min(n, steps) < 1:
            raise ValueError(f"{n} pieces of {steps} frames: both must be at least 1")
        tau, state = check_temperature(temperature), self.start(n)
        for frame in [] if primer is None else self.encode(primer):
            state = self._after(state, self.step(state)[1], tf.repeat(frame[None], n, axis=0))
        return self.graph(self.draw)(
            state, tf.constant(steps), tf.constant([seed % 2**31, 0]), tf.constant(tau)
        ).numpy()

    def draw(self, state, steps, seed, temperature):
        """The loop of :meth:`sample` on tensors, from any state: frames (n, steps, K)."""

        def one(state, t, seed):
            context, memory = self.step(state)
            frame = tf.ensure_shape(
                self.head.sample(context, seed, temperature), state["last"].shape
            )
            return frame, self._after(state, memory, frame)

        return ancestral(one, state, steps, seed)[0]

    def encode(self, piece) -> np.ndarray:
        """Check a roll (T, K) of 0 and 1; float32."""
        roll = np.asarray(piece, np.float32)
        if roll.ndim != 2 or len(roll) == 0 or roll.shape[1] != self.keys:
            raise ValueError(f"a roll has shape {roll.shape}: need (T, {self.keys}), T at least 1")
        if not np.isin(roll, (0, 1)).all():
            raise ValueError(
                "a roll holds other numbers than 0 and 1: threshold it first, roll >= 0.5"
            )
        return roll

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _after(self, state, memory, frame):
        return {
            "memory": memory,
            "before": state["last"],
            "last": frame,
            "index": state["index"] + 1,
        }


def _clock(index, dtype):
    """Index modulo 4 and a flag for the first frame: (T, 5)."""
    first = tf.cast(index == 0, dtype)[:, None]
    return tf.concat([tf.one_hot(index % PERIOD, PERIOD, dtype=dtype), first], axis=-1)
