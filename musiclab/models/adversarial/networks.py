"""The networks of the course's GANs: generators from noise to two bars, discriminators from two bars to one number.

Two bars are what :mod:`musiclab.data.encodings.two_bars` makes of them: each of V voices,
at each of T steps, is one of S symbols.

Lessons: 10, 11.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from musiclab.data.encodings.tokens import HOLD_TOKEN
from musiclab.data.encodings.two_bars import STEPS, SYMBOLS, VOICES
from musiclab.models.adversarial.features import (
    heard,
    intervals,
    moves,
    parallels,
    pitch_classes,
    unisons,
)
from musiclab.models.adversarial.minibatch import (
    minibatch_deviation,
    minibatch_mean,
    straight_through,
)

__all__ = ["KINDS", "Discriminator", "Generator", "check_sizes"]

KINDS = ("dense", "recurrent", "convolutional")
BEAT = 4  # steps that a recurrent network writes or reads at once
BEATS = STEPS // BEAT
CLASSES = 12  # pitch classes
PAIRS = VOICES * (VOICES - 1) // 2
FEATURES = VOICES * SYMBOLS + (VOICES + PAIRS) * CLASSES  # what a discriminator is told of a step
COUNTS = 2 * CLASSES + VOICES * CLASSES + PAIRS  # and of the whole window
HOLDS = 1.5  # bias of a new convolutional generator: it holds in about half of all cells, music in two of three
SHARPNESS = 3.0  # its logits are so many times as far apart as its last layer says
LAST = 96  # units of the discriminator's last layer but one
NEVER = -1e9  # a logit so low that its symbol is never chosen


@keras.saving.register_keras_serializable(package="musiclab")
class Generator(keras.Model):
    """From noise z to two bars: a choice of symbol for each voice and step.

    Lesson: 10, 11

    Args:
      kind: "dense", "recurrent" (LSTM, a beat at a time) or "convolutional" (from beats to 8ths to 16ths).
      latent: numbers in z. units: of each inner layer.

    Raises:
      ValueError: on an unknown kind or a size below 1.

    >>> Generator("dense", latent=3, units=4).sample(2, seed=0).shape
    (2, 32, 4)
    """

    def __init__(self, kind="convolutional", latent=64, units=128, **kwargs):
        super().__init__(**kwargs)
        check_sizes(kind, latent=latent, units=units)
        self.settings = {"kind": kind, "latent": latent, "units": units}
        self.latent = latent
        self.body = keras.Sequential(
            [*_GENERATORS[kind](units), layers.Reshape((STEPS, VOICES, SYMBOLS))]
        )
        self.body.build((None, latent))
        first = np.zeros((STEPS, 1, SYMBOLS), np.float32)
        first[0, 0, HOLD_TOKEN] = NEVER  # at the first step there is nothing to hold
        self.first = first
        self.built = True

    def call(self, z, training=False):
        """Noise (n, latent) to one-hot symbols (n, T, V, S), differentiable by :func:`straight_through`."""
        return straight_through(self.logits(z, training=training))

    def logits(self, z, training=False):
        """Noise (n, latent) to logits (n, T, V, S); a hold at the first step gets -1e9."""
        return self.body(z, training=training) + self.first

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Write n windows from noise of mean 0 and variance 1.

        Args:
          n: how many, at least 1. seed: for the noise.

        Returns:
          Symbols int8 (n, T, V).

        Raises:
          ValueError: if n is below 1.
        """
        if n < 1:
            raise ValueError(f"{n} samples: ask for at least 1")
        return self.write(np.random.default_rng(seed).standard_normal((n, self.latent)))

    def write(self, z) -> np.ndarray:
        """Noise of one's own (n, latent) to symbols int8 (n, T, V).

        Raises:
          ValueError: if the noise has another shape.
        """
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent or len(z) == 0:
            raise ValueError(
                f"noise has shape {z.shape}: this generator reads (n, {self.latent}), n at least 1"
            )
        parts = [np.argmax(self.logits(z[i : i + 256]), axis=-1) for i in range(0, len(z), 256)]
        return np.concatenate(parts).astype(np.int8)

    def get_config(self):
        """What ``.keras`` files store to build the network again."""
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable(package="musiclab")
class Discriminator(keras.Model):
    """From two bars to a logit: above 0 it takes them for real.

    What :mod:`musiclab.models.adversarial.features` makes of the symbols is told to it step by
    step, and counted over the window; the counts also as the mean of a group of windows.

    Lesson: 10, 11

    Args:
      kind: as :class:`Generator`. units: of each inner layer.
      deviation: whether it is told how windows of a batch compare: :func:`minibatch_deviation`, :func:`minibatch_mean`.

    Raises:
      ValueError: on an unknown kind or a size below 1.

    >>> Discriminator("dense", units=4)(tf.zeros((2, 32, 4, 50))).shape.as_list()
    [2]
    """

    def __init__(self, kind="convolutional", units=128, deviation=True, **kwargs):
        super().__init__(**kwargs)
        check_sizes(kind, units=units)
        self.settings = {"kind": kind, "units": units, "deviation": bool(deviation)}
        self.deviation = bool(deviation)
        self.body = keras.Sequential([*_DISCRIMINATORS[kind](units), layers.Flatten()])
        self.body.build((None, STEPS, FEATURES))
        self.head = keras.Sequential([layers.Dense(LAST), _leaky(), layers.Dense(1)])
        self.head.build((None, self.body.output_shape[-1] + COUNTS + self.deviation * (COUNTS + 2)))
        self.built = True

    def call(self, x, training=False):
        """One-hot symbols (n, T, V, S) to logits (n,)."""
        return self.of_told(self.tell(x), training=training)

    def tell(self, x):
        """What it is told of one-hot symbols (n, T, V, S): tensor (n, F), step after step, then counts."""
        sounding = heard(x)
        classes = pitch_classes(sounding)
        between, moved = intervals(classes), moves(classes)
        steps = [
            tf.reshape(part, (-1, STEPS, part.shape[2] * part.shape[3]))
            for part in (sounding, classes, between)
        ]
        counts = [
            tf.reduce_mean(classes, axis=(1, 2)),
            4
            * tf.reduce_sum(
                parallels(between, moved), axis=(1, 2)
            ),  # weighty, since one is one too many
            tf.reshape(tf.reduce_sum(moved[..., 1:], axis=1), (-1, VOICES * (CLASSES - 1))),
            tf.reduce_sum(unisons(sounding), axis=1) / BEAT,
            tf.reduce_sum(1 - tf.reduce_sum(classes, axis=3), axis=1) / BEAT,  # silence
        ]
        return tf.concat(
            [tf.reshape(tf.concat(steps, axis=2), (-1, STEPS * FEATURES)), *counts], axis=1
        )

    def of_told(self, told, training=False):
        """What :meth:`tell` returns, to logits (n,)."""
        steps = tf.reshape(told[:, : STEPS * FEATURES], (-1, STEPS, FEATURES))
        counts, h = told[:, STEPS * FEATURES :], self.body(steps, training=training)
        compared = []
        if self.deviation:
            cells = tf.reshape(steps[..., : VOICES * SYMBOLS], (-1, STEPS * VOICES * SYMBOLS))
            # of 50 symbols few ever differ: their mean is small
            compared = [
                minibatch_deviation(h),
                SYMBOLS * minibatch_deviation(cells),
                minibatch_mean(counts),
            ]
        return self.head(tf.concat([h, counts, *compared], axis=1))[:, 0]

    def get_config(self):
        """What ``.keras`` files store to build the network again."""
        return {**super().get_config(), **self.settings}


def check_sizes(kind: str, **sizes: int) -> None:
    """Refuse an unknown kind of network, and sizes below 1: ValueError says which."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}: there are {', '.join(KINDS)}")
    if any(isinstance(size, bool) or size != int(size) or size < 1 for size in sizes.values()):
        given = ", ".join(f"{name}={size!r}" for name, size in sizes.items())
        raise ValueError(f"{given}: sizes are whole numbers, at least 1")


def _leaky():
    return layers.LeakyReLU(0.2)


def _normed():
    """Over the batch, which also keeps its windows apart."""
    return [layers.BatchNormalization(momentum=0.8), layers.ReLU()]


def _choosing(size):
    """The last layer: with a bias towards holding, and logits far enough apart that a choice is one."""

    def bias(shape, dtype=None):
        favoured = np.arange(shape[0]) % SYMBOLS == HOLD_TOKEN
        return tf.constant(HOLDS * favoured, dtype or "float32")

    return [layers.Dense(size, bias_initializer=bias), layers.Rescaling(SHARPNESS)]


def _lstm(units):
    """Unrolled: a loop in the graph takes three times as long, above all where a slope's slope is needed."""
    return layers.LSTM(units, return_sequences=True, unroll=True)


def _upward(units, steps):
    """Twice as many steps: a transposed convolution whose kernel is as long as its stride, as the matrix it is."""
    return [layers.Dense(2 * units), layers.Reshape((2 * steps, units)), *_normed()]


def _downward(units, steps):
    """Half as many steps: the same the other way round. Keras' own convolution takes twice the time on a CPU."""
    return [layers.Reshape((steps // 2, 2 * units)), layers.Dense(units), _leaky()]


def _across(units):
    """From each beat to its neighbours."""
    return layers.Conv1D(units, 3, padding="same")


_GENERATORS = {
    "dense": lambda units: [
        *[layers.Dense(units), *_normed(), layers.Dense(units), *_normed()],
        layers.Dense(STEPS * VOICES * SYMBOLS),
    ],
    "recurrent": lambda units: [
        *[layers.Dense(units), *_normed(), layers.RepeatVector(BEATS), _lstm(units), *_normed()],
        layers.Dense(BEAT * VOICES * SYMBOLS),
    ],
    "convolutional": lambda units: [
        *[
            layers.Dense(BEATS * units),
            layers.Reshape((BEATS, units)),
            *_normed(),
            _across(units),
            *_normed(),
        ],
        *[*_upward(units, BEATS), *_upward(units, 2 * BEATS), *_choosing(VOICES * SYMBOLS)],
    ],
}
_DISCRIMINATORS = {
    "dense": lambda units: [
        layers.Flatten(),
        layers.Dense(units),
        _leaky(),
        layers.Dense(units),
        _leaky(),
    ],
    "recurrent": lambda units: [
        *[layers.Dense(units), _leaky(), layers.Reshape((BEATS, BEAT * units)), _lstm(units)],
        *[layers.Dense(units), _leaky()],
    ],
    "convolutional": lambda units: [
        *[layers.Dense(units), _leaky()],
        *[*_downward(units, STEPS), *_downward(units, STEPS // 2), _across(units), _leaky()],
    ],
}
