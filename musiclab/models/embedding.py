"""Embedding of pieces for recommendation: windows of four bars, contrastive learning, late interaction.

Shapes: B windows, T = 32 8ths, 12 pitch classes, P planes, E numbers in an embedding.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.eighth_grid import STEPS_PER_FRAME, on_eighths
from musiclab.data.piece import REST, Piece
from musiclab.training import in_batches

__all__ = [
    "FRAMES",
    "PieceEmbedding",
    "WindowPairs",
    "held_out_families",
    "info_nce",
    "late_interaction",
    "pitch_planes",
]

FRAMES = 32  # 8ths in a window: four bars of 4/4
STRIDE = 4  # 8ths from one window of a piece to the next
LEAST = 12  # quarters that two settings of a melody must share to be aligned


def pitch_planes(piece: Piece, voices: tuple[int, ...] = (0, 1, 2, 3)) -> np.ndarray:
    """Pitch classes of the soprano, the inner voices and the bass, on 8ths: sounding, and struck.

    Args:
      piece: four voices. voices: those that are taken; 0 is the soprano, 3 the bass.

    Returns:
      bool (frames, 12, P): two planes, what sounds and what is struck, for each of the three groups
      that has a voice.

    >>> pitch_planes(Piece([[67, 64, 60, 48]] * 4)).sum(axis=(0, 1)).tolist()
    [2, 1, 4, 2, 2, 1]
    """
    grid = on_eighths(piece)
    sound, struck = grid.voices[::STEPS_PER_FRAME], grid.onsets[::STEPS_PER_FRAME]
    groups = [[v for v in group if v in voices] for group in ((0,), (1, 2), (3,))]
    planes = []
    for group in filter(None, groups):
        for shown in (sound[:, group] != REST, struck[:, group]):
            plane = np.zeros((len(sound), 12), bool)
            frame, voice = np.nonzero(shown)
            plane[frame, sound[frame, np.array(group)[voice]] % 12] = True
            planes.append(plane)
    return np.stack(planes, axis=-1)


def info_nce(a, b, scale):
    """InfoNCE: cross-entropy of finding, among all windows of the batch, the one that belongs.

    Row i of ``a`` belongs to row i of ``b``; the others are the wrong answers. The mean of both
    directions and of all rows, in nats; guessing gives ln B.

    Equation: (16.14)
    Source: van den Oord, Li and Vinyals, "Representation learning with contrastive predictive
      coding", 2018.

    Args:
      a, b: unit vectors, float tensors (B, E). scale: what cosines are multiplied by, a scalar.

    Returns:
      Scalar tensor.

    >>> round(float(info_nce(np.eye(2, dtype="float32"), np.eye(2, dtype="float32"), 3.0)), 4)
    0.0486
    """
    logits = scale * tf.matmul(a, b, transpose_b=True)  # (B, B)
    which = tf.range(tf.shape(logits)[0])
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    rows, columns = cross_entropy(which, logits), cross_entropy(which, tf.transpose(logits))
    return tf.reduce_mean(rows + columns) / 2  # Eq. (16.14)


def late_interaction(query: np.ndarray, piece: np.ndarray) -> float:
    """Mean over the query's windows of the cosine with the most similar window of the piece.

    Not symmetric: each window of the query looks for its like, wherever in the piece that is.

    Equation: (16.15)
    Source: Khattab and Zaharia, "ColBERT", 2020.

    Args:
      query: unit vectors (n, E). piece: unit vectors (m, E).

    Returns:
      -1 to 1.

    >>> late_interaction(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0]]))
    0.5
    """
    return float(np.mean(np.max(query @ piece.T, axis=1)))  # Eq. (16.15)


@keras.saving.register_keras_serializable(package="musiclab")
class PieceEmbedding(keras.Model):
    """Windows of four bars as unit vectors; windows of one melody family come to lie together.

    Two convolutions over time and over the circle of pitch classes, whose 12 rotations are the 12
    transpositions; the maximum and the mean over the circle forget the key.

    Args:
      voices: those that are read. channels: of a convolution. size: E.

    >>> model = PieceEmbedding(channels=2, size=5)
    >>> model.embed(Piece([[67, 64, 60, 48]] * 80)).shape
    (6, 5)
    """

    def __init__(self, voices=(0, 1, 2, 3), channels=32, size=64, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"voices": tuple(voices), "channels": channels, "size": size}
        planes = 2 * len({min(v, 1) + v // 3 for v in voices})
        kernel = {"kernel_size": (4, 12), "strides": (2, 1), "activation": "relu"}
        self.first, self.second = [keras.layers.Conv2D(channels, **kernel) for _ in range(2)]
        self.dropout = keras.layers.Dropout(0.2)
        self.last = keras.layers.Dense(size, use_bias=False)
        self.scale = self.add_weight(name="scale", initializer=keras.initializers.Constant(2.5))
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self(np.zeros((1, FRAMES, 12, planes), "float32"))

    def call(self, x, training=False):
        """Planes (B, T, 12, P) to unit vectors (B, E)."""
        h = self.first(_round(tf.cast(x, self.compute_dtype)))  # (B, T/2, 12, channels)
        h = self.second(_round(h))  # (B, T/4, 12, channels)
        h = tf.concat([tf.reduce_max(h, axis=2), tf.reduce_mean(h, axis=2)], axis=-1)
        h = tf.reshape(h, (-1, FRAMES // 4 * h.shape[-1]))
        return tf.math.l2_normalize(self.last(self.dropout(h, training=training)), axis=-1)

    def compile_default(self, learning_rate=3e-3):
        """Adam; the loss is :func:`info_nce`."""
        self.compile(optimizer=keras.optimizers.Adam(learning_rate, beta_2=0.99))

    def train_step(self, pairs):
        """One step on pairs of windows that belong together: two arrays (B, T, 12, P)."""
        a, b = pairs[0]
        with tf.GradientTape() as tape:
            loss = info_nce(self(a, training=True), self(b, training=True), tf.exp(self.scale))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    def embed(self, piece: Piece) -> np.ndarray:
        """Unit vectors (windows, E) of a piece: a window every half bar of 4/4."""
        planes = pitch_planes(piece, self.settings["voices"])
        starts = range(0, max(1, len(planes) - FRAMES // 2), STRIDE)
        return in_batches(self, np.stack([window(planes, start) for start in starts]), size=256)

    def similarity(self, queries: list[Piece], pieces: list[Piece]) -> np.ndarray:
        """:func:`late_interaction` of each query with each piece: float (Q, N)."""
        a, b = [self.embed(one) for one in queries], [self.embed(one) for one in pieces]
        return np.array([[late_interaction(one, two) for two in b] for one in a])

    def get_config(self):
        """What ``.keras`` files store to build the network again."""
        return {**super().get_config(), **self.settings}


class WindowPairs(keras.utils.PyDataset):
    """Mini-batches of pairs of windows that belong together, no two pairs of one melody family.

    Half of the pairs are the same place of two settings of one melody, aligned by the soprano; the
    others are one window twice. Notes are hidden at random, and windows moved by up to an 8th.

    Args:
      pieces: chorales with their ``melody`` families. steps: mini-batches of a pass.
      voices: as for :class:`PieceEmbedding`. batch: pairs in a mini-batch.
      hidden: share of cells that are hidden. seed: of all draws.
    """

    def __init__(self, pieces, steps, voices=(0, 1, 2, 3), batch=48, hidden=0.15, seed=0):
        super().__init__()
        self.planes = [pitch_planes(piece, voices) for piece in pieces]
        self.families = [piece.melody for piece in pieces]
        self.siblings = aligned_settings(pieces)
        self.steps, self.batch, self.hidden, self.seed = steps, batch, hidden, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        """Two bool arrays (B, T, 12, P)."""
        rng, used, pairs = np.random.default_rng((self.seed, index)), set(), []
        while len(pairs) < self.batch:
            if self.siblings and rng.random() < 0.5:
                i, j, shift = self.siblings[rng.integers(len(self.siblings))]
            else:
                i, shift = int(rng.integers(len(self.planes))), 0
                j = i
            low = max(0, shift)
            high = min(len(self.planes[i]), len(self.planes[j]) + shift) - FRAMES
            if self.families[i] not in used and (high > low or i == j):
                used.add(self.families[i])
                start = int(rng.integers(low, max(high, low + 1)))
                places = ((i, start), (j, start - shift))
                pairs.append([self._noisy(window(self.planes[k], at), rng) for k, at in places])
        return (tuple(np.stack(side) for side in zip(*pairs)),)

    def _noisy(self, x, rng):
        x = np.roll(x, int(rng.integers(-1, 2)), axis=0)
        kept = rng.random((FRAMES, 1, x.shape[-1] // 2)) > self.hidden
        return x & kept.repeat(2, axis=-1)  # what sounds and what is struck together


def held_out_families(pieces, seed: int = 3) -> set[str]:
    """A third of the melody families that have more than one piece: for queries, not for training."""
    names, counts = np.unique([piece.melody for piece in pieces], return_counts=True)
    several = np.random.default_rng(seed).permutation(names[counts > 1])
    return set(several[: len(several) // 3].tolist())


def aligned_settings(pieces) -> list[tuple[int, int, int]]:
    """(i, j, 8ths by which piece i is later) of pieces of one family whose sopranos mostly agree."""
    steps = [np.diff(p.voices[::4, 0].astype(int)) for p in pieces]  # from quarter to quarter
    found = []
    for i, piece in enumerate(pieces):
        for j in range(i):
            if pieces[j].melody == piece.melody:
                share, shift = _best_shift(steps[i], steps[j])
                if share > 0.5:
                    found.append((i, j, 2 * shift))
    return found


def _best_shift(a, b):
    """Share of equal intervals at the best shift of b, and the shift, in quarters."""
    best = (0.0, 0)
    for shift in range(LEAST - len(b), len(a) - LEAST + 1):
        low, high = max(0, shift), min(len(a), len(b) + shift)
        share = np.mean(a[low:high] == b[low - shift : high - shift])
        best = max(best, (float(share) * min(1, (high - low) / (2 * LEAST)), shift))
    return best


def window(planes: np.ndarray, start: int) -> np.ndarray:
    """FRAMES rows from a start on, silent beyond the end."""
    part = planes[start : start + FRAMES]
    return np.pad(part, ((0, FRAMES - len(part)), (0, 0), (0, 0)))


def _round(x):
    """One 8th of silence before and after, and the circle of pitch classes once around."""
    return tf.concat([tf.pad(x, [[0, 0], [1, 1], [0, 0], [0, 0]])] * 2, axis=2)[:, :, :23]
