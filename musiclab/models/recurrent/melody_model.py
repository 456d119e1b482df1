"""A recurrent network that chooses one note of a melody after another.

Lessons: 06, 07.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.markov import END, START, UNKNOWN
from musiclab.models.recurrent.recurrent_layers import CELLS, Memory
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling import ancestral, check_temperature, draw

__all__ = ["MelodyModel", "note_features", "vocabulary"]


def vocabulary(melodies: Iterable[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """All notes that occur, each once, in order: what a melody model can sing.

    Lesson: 06

    Args:
      melodies: each a list of (MIDI pitch, length in steps), as :func:`musiclab.data.melody_to_symbols` gives.

    Returns:
      The notes, lowest first.

    >>> vocabulary([[(62, 4), (60, 4)], [(60, 4)]])
    [(60, 4), (62, 4)]
    """
    return sorted({(int(pitch), int(length)) for melody in melodies for pitch, length in melody})


def note_features(notes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Each note as a vector with two ones, one for its pitch and one for its length.

    A C of four steps and a C of six then have something in common, which a network can use. Three rows follow
    that are no notes, each with a one of its own: END, UNKNOWN, START.

    Lesson: 06

    Args:
      notes: K - 2 notes, (MIDI pitch, length in steps).

    Returns:
      float32 (K + 1, D): D is the number of pitches plus that of lengths plus 3, each in rising order.

    Raises:
      ValueError: if there is no note, or one comes twice.

    >>> note_features([(60, 4), (62, 4)])[:2].astype(int).tolist()
    [[1, 0, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0]]
    """
    notes = [(int(pitch), int(length)) for pitch, length in notes]
    if not notes or len(set(notes)) < len(notes):
        raise ValueError(
            f"{len(notes)} notes: need at least one, each once; pass vocabulary(melodies)"
        )
    pitches, lengths = np.array(notes).T
    sung = np.hstack(
        [column[:, None] == np.unique(column) for column in (pitches, lengths)]
    ).astype(np.float32)
    return np.block(
        [[sung, np.zeros((len(notes), 3), np.float32)], [np.zeros((3, sung.shape[1])), np.eye(3)]]
    ).astype(np.float32)


@keras.saving.register_keras_serializable(package="musiclab")
class MelodyModel(SequenceModel):
    """Recurrent layers and a softmax: p(note | all notes before), with the end of the melody as a last note.

    It answers in the same symbols as :class:`musiclab.models.markov.MarkovChain`: the notes it was built with, END, and
    UNKNOWN for any other note, K in all. So the likelihoods of both can be compared. What it reads are
    :func:`note_features`; a symbol's logit is the sum of its own and those of its pitch and its length. A share
    ``floor`` of all probability is spread evenly over the K symbols, as the chain's last resort is 1 / K: else a
    note never heard in training would cost more than all others together.

    Lesson: 06, 07

    Args:
      notes: K - 2 notes, (MIDI pitch, length in steps), from :func:`vocabulary`.
      cell: "rnn", "lstm", "peephole" or "gru".
      units: H of each recurrent layer. layers: how many, one on another.
      dropout: share of hidden units left out in training.
      floor: share of probability spread evenly, 0 to less than 1.

    Raises:
      ValueError: without notes, on an unknown cell, or a number out of range.

    >>> model = MelodyModel([(60, 4), (62, 4)], units=3)
    >>> len(model.sample(2, seed=0, max_length=5))
    2
    """

    def __init__(self, notes, cell="rnn", units=96, layers=1, dropout=0.3, floor=1e-3, **kwargs):
        super().__init__(**kwargs)
        if cell not in CELLS[1:] or units < 1:
            raise ValueError(
                f"cell {cell!r} with {units} units: need one of {', '.join(CELLS[1:])}, units at least 1"
            )
        if not 0 <= dropout < 1 or not 0 <= floor < 1:
            raise ValueError(f"dropout={dropout} and floor={floor} must be from 0 to below 1")
        self.notes = [(int(pitch), int(length)) for pitch, length in notes]
        self._features = note_features(self.notes)
        self.settings = {
            **{
                "notes": [list(note) for note in self.notes],
                "cell": cell,
                "units": units,
                "layers": layers,
            },
            **{"dropout": dropout, "floor": floor},
        }
        self.symbols = [*self.notes, END, UNKNOWN]
        self._index = {symbol: i for i, symbol in enumerate([*self.symbols, START])}
        self.memory = Memory(cell, units, layers, dropout)
        self.own = keras.layers.Dense(len(self.symbols))
        self.shared = keras.layers.Dense(self._features.shape[1], use_bias=False)
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once, so that the model can be saved, counted and loaded before it has seen data."""
        self.memory.build((None, None, self._features.shape[1]))
        for layer in (self.own, self.shared):
            layer.build((None, self.memory.size))
        self.built = True

    def call(self, x, training=False):
        """Symbols (n, T), -1 past their ends, to nats (n, T), 0 past the ends."""
        first = tf.fill([tf.shape(x)[0], 1], self._index[START])
        before = tf.concat([first, tf.maximum(x[:, :-1], 0)], axis=1)
        h = self.memory(tf.gather(self._features, before), training=training)
        nats = tf.gather(self._log_probs(h), tf.maximum(x, 0), axis=2, batch_dims=2)
        return tf.where(x >= 0, nats, 0.0)

    def nll(self, melodies) -> float:
        """How surprised the model is by a note, on average: nats per symbol, ends counted as symbols.

        Pooled, as :meth:`musiclab.models.markov.MarkovChain.nll`.

        Args:
          melodies: lists of (MIDI pitch, length in steps).

        Returns:
          Nats per symbol, >= 0.
        """
        return float(-np.concatenate(self.log_likelihood(melodies)).mean())

    def sample(
        self, n: int, seed: int, temperature: float = 1.0, max_length: int = 200
    ) -> list[list]:
        """Write n melodies, each note drawn given those before it, until the model ends them.

        Args:
          n: how many. seed: the same gives the same melodies.
          temperature: below 1 plays safer, above 1 wilder.
          max_length: a melody still going on after so many notes is cut.

        Returns:
          n lists of notes; one may be empty.

        Raises:
          ValueError: n or max_length below 1, or a temperature that is not above 0.
        """
        if min(n, max_length) < 1:
            raise ValueError(
                f"n={n}, max_length={max_length}: draw at least one melody of at least one note"
            )
        tau = tf.constant(check_temperature(temperature))
        drawn = self.graph(self._draw)(
            self.start(n), tf.constant(max_length), tf.constant([seed % 2**31, 0]), tau
        ).numpy()
        end = self._index[END]
        rows = [row[: row.index(end)] if end in row else row for row in drawn.tolist()]
        return [[self.notes[i] for i in row] for row in rows]

    def start(self, n: int) -> dict:
        """The state before the first note of n melodies: the symbol START, and the memory's zeros."""
        return {"memory": self.memory.start(n), "last": tf.fill([n], self._index[START])}

    def step(self, state: dict) -> tuple:
        """One step: from a state to the log-probabilities of the next symbol, (n, K), and the memory after it."""
        h, memory = self.memory.step(tf.gather(self._features, state["last"]), state["memory"])
        return self._log_probs(h), memory

    def encode(self, piece) -> np.ndarray:
        """A melody as int32 indices (T + 1,), the last one END; a note the model doesn't know is UNKNOWN."""
        if isinstance(piece, str | tuple) or not isinstance(piece, Sequence | np.ndarray):
            raise ValueError(
                f"found {piece!r} where a melody should be: pass a list of melodies, lists of notes"
            )
        unknown = self._index[UNKNOWN]
        return np.array(
            [*(self._index.get(tuple(note), unknown) for note in piece), self._index[END]], np.int32
        )

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _log_probs(self, h):
        logits = self.own(h) + tf.matmul(
            self.shared(h), self._features[:-1], transpose_b=True
        )  # START never comes
        floor = self.settings["floor"]
        return tf.math.log((1 - floor) * tf.nn.softmax(logits) + floor / len(self.symbols))

    def _draw(self, state, steps, seed, tau):
        sung = tf.range(len(self.symbols)) != self._index[UNKNOWN]  # UNKNOWN has no pitch

        def one(state, t, seed):
            log_probs, memory = self.step(state)
            symbol = draw(tf.where(sung, log_probs, -np.inf) / tau, seed)
            return tf.ensure_shape(symbol, state["last"].shape), {"memory": memory, "last": symbol}

        return ancestral(one, state, steps, seed)[0]
