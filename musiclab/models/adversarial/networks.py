"""Generator and discriminator networks for two bars of music: dense, recurrent and convolutional.

Shapes: B windows, T = 32 steps, V = 4 voices, K = 50 symbols
(:mod:`musiclab.data.encodings.two_bars`), U units.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from musiclab.data.encodings.tokens import HOLD_TOKEN
from musiclab.data.encodings.two_bars import STEPS, SYMBOLS, VOICES
from musiclab.models.adversarial import features as musical

__all__ = ["Discriminator", "Generator", "straight_through"]

BEAT = 4  # steps that a recurrent network reads or writes at once
BEATS = STEPS // BEAT
CELLS = VOICES * SYMBOLS  # outputs per step
PAIRS = VOICES * (VOICES - 1) // 2
STEP_SIZES = CELLS, VOICES * 12, PAIRS * 12  # active symbols, pitch classes, harmonic intervals
STEP_FEATURES = sum(STEP_SIZES)  # discriminator's features of a step
WINDOW_FEATURES = (2 + VOICES) * 12 + PAIRS  # and of a whole window
# bias of a new convolutional generator: it holds in about half of all cells, music in two thirds
HOLD_BIAS = keras.initializers.Constant(1.5 * np.tile(np.eye(SYMBOLS)[HOLD_TOKEN], VOICES))


@keras.saving.register_keras_serializable(package="musiclab")
class Generator(keras.Model):
    """Generator G: noise z to two bars, one symbol per voice and step.

    Args:
      kind: "dense", "recurrent" or "convolutional". latent: numbers in z. units: U, hidden.
    """

    def __init__(self, kind, latent, units, **kwargs):
        super().__init__(**kwargs)
        if latent < 1:
            raise ValueError(f"latent={latent}: need at least 1 number of noise")
        self.settings = {"kind": kind, "latent": latent, "units": units}
        self.latent = latent
        body = [*_generator_layers(kind, units), layers.Reshape((STEPS, VOICES, SYMBOLS))]
        self.body = keras.Sequential(body)
        self.body.build((None, latent))
        self.first_step = np.zeros((STEPS, 1, SYMBOLS), np.float32)
        self.first_step[0, 0, HOLD_TOKEN] = -1e9  # nothing can be held yet
        self.built = True

    def call(self, z, training=False):
        """Noise (B, latent) to one-hot symbols (B, T, V, K) with the gradient of :func:`straight_through`."""
        return straight_through(self.logits(z, training=training))

    def logits(self, z, training=False):
        """Noise (B, latent) to logits (B, T, V, K); a hold at the first step gets -1e9."""
        return self.body(z, training=training) + self.first_step

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draw n windows, symbols int8 (n, T, V), from standard normal noise."""
        if n < 1:
            raise ValueError(f"{n} samples: ask for at least 1")
        return self.generate(np.random.default_rng(seed).standard_normal((n, self.latent)))

    def generate(self, z) -> np.ndarray:
        """Symbols int8 (n, T, V) from given noise (n, latent); ValueError if the shape is another."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent or len(z) == 0:
            raise ValueError(f"noise has shape {z.shape}: need (n, {self.latent}), n at least 1")
        chunks = [z[i : i + 256] for i in range(0, len(z), 256)]
        return np.concatenate([np.argmax(self.logits(c), axis=-1) for c in chunks]).astype(np.int8)

    def get_config(self):
        """What ``.keras`` files store to build the network again."""
        return {**super().get_config(), **self.settings}


def straight_through(logits):
    """Straight-through estimator: one-hot choice of the highest logit (..., K), with a softmax's gradient.

    y = p + stop(h - p): forward the one-hot h (up to rounding), backward p.

    Equations: (11.1), (11.2)
    Source: Bengio, Léonard and Courville 2013, Estimating or propagating gradients through
      stochastic neurons.

    >>> straight_through(tf.constant([[1.0, 3.0, 2.0]])).numpy().round(6).tolist()
    [[0.0, 1.0, 0.0]]
    """
    p = tf.nn.softmax(logits)  # Eq. (11.1)
    h = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1], dtype=p.dtype)
    return p + tf.stop_gradient(h - p)  # Eq. (11.2)


class Discriminator(keras.Model):
    """Discriminator: two bars to a logit, above 0 for "real".

    Args:
      kind, units: as :class:`Generator`. minibatch_deviation: whether it sees how windows compare.
      musical_features: whether it sees intervals and counts beside the active pitches.
    """

    def __init__(self, kind, units, minibatch_deviation, musical_features, **kwargs):
        super().__init__(**kwargs)
        self.minibatch_deviation, self.musical_features = minibatch_deviation, musical_features
        self.step_features = STEP_FEATURES if musical_features else CELLS
        of_window = WINDOW_FEATURES if musical_features else 0
        self.body = keras.Sequential([*_discriminator_layers(kind, units), layers.Flatten()])
        self.body.build((None, STEPS, self.step_features))
        statistics = of_window + 2 if minibatch_deviation else 0
        self.head = keras.Sequential([layers.Dense(96, "leaky_relu"), layers.Dense(1)])
        self.head.build((None, self.body.output_shape[-1] + of_window + statistics))
        self.built = True

    def call(self, x, training=False):
        """One-hot symbols (B, T, V, K) to logits (B,)."""
        return self.from_features(self.features(x), training=training)

    def features(self, x):
        """Features (B, F) of one-hot symbols (B, T, V, K): of each step, then of the window, if asked."""
        active = musical.active_pitches(x)  # (B, T, V, K)
        if not self.musical_features:
            return tf.reshape(active, (-1, STEPS * CELLS))
        classes = musical.pitch_classes(active)  # (B, T, V, 12)
        harmonic = musical.harmonic_intervals(classes)  # (B, T, P, 12)
        melodic = musical.melodic_intervals(classes)  # (B, T - 1, V, 12)
        parallels = musical.parallel_intervals(harmonic, melodic)  # (B, T - 1, P, 12)
        silence = 1 - tf.reduce_sum(classes, axis=3)  # (B, T, V)
        by_step = zip((active, classes, harmonic), STEP_SIZES)
        steps = tf.concat([tf.reshape(part, (-1, STEPS, n)) for part, n in by_step], axis=2)
        parts = [
            tf.reshape(steps, (-1, STEPS * STEP_FEATURES)),
            tf.reduce_mean(classes, axis=(1, 2)),  # (B, 12)
            4 * tf.reduce_sum(parallels, axis=(1, 2)),  # (B, 12), weighted: even one is too many
            tf.reshape(tf.reduce_sum(melodic[..., 1:], axis=1), (-1, VOICES * 11)),
            tf.reduce_sum(musical.unisons(active), axis=1) / BEAT,  # (B, P)
            tf.reduce_sum(silence, axis=1) / BEAT,  # (B, V)
        ]
        return tf.concat(parts, axis=1)

    def from_features(self, features, training=False):
        """Features (B, F), as :meth:`features` returns them, to logits (B,)."""
        n = STEPS * self.step_features
        steps = tf.reshape(features[:, :n], (-1, STEPS, self.step_features))
        window = features[:, n:]  # (B, W), W = 0 without musical features
        h = self.body(steps, training=training)  # (B, H)
        parts = [h, window]
        if self.minibatch_deviation:
            cells = tf.reshape(steps[..., :CELLS], (-1, STEPS * CELLS))  # active symbols
            parts.append(musical.minibatch_deviation(h))  # (B, 1)
            parts.append(SYMBOLS * musical.minibatch_deviation(cells))  # of 50 few ever differ
            parts.append(musical.minibatch_mean(window))  # (B, W)
        return self.head(tf.concat(parts, axis=1))[:, 0]


def _generator_layers(kind, units):
    if kind == "dense":
        return [
            *_normalised(layers.Dense(units)),  # (B, U)
            *_normalised(layers.Dense(units)),  # (B, U)
            layers.Dense(STEPS * CELLS),  # (B, T V K)
        ]
    if kind == "recurrent":
        return [
            *_normalised(layers.Dense(units)),  # (B, U)
            layers.RepeatVector(BEATS),  # (B, 8, U)
            # unrolled: as a loop in the graph it takes three times as long
            *_normalised(layers.LSTM(units, return_sequences=True, unroll=True)),  # (B, 8, U)
            layers.Dense(BEAT * CELLS),  # (B, 8, 4 V K): the four 16ths of each beat
        ]
    if kind == "convolutional":
        return [
            *_normalised(layers.Dense(BEATS * units), layers.Reshape((BEATS, units))),  # (B, 8, U)
            *_normalised(layers.Conv1D(units, 3, padding="same")),  # each beat and its neighbours
            *_normalised(layers.Conv1DTranspose(units, 4, 2, "same")),  # (B, 16, U): beats to 8ths
            *_normalised(layers.Conv1DTranspose(units, 4, 2, "same")),  # (B, T, U): 8ths to 16ths
            layers.Dense(CELLS, bias_initializer=HOLD_BIAS),  # (B, T, V K)
            layers.Rescaling(3.0),  # logits further apart: a clearer choice
        ]
    raise ValueError(f"kind {kind!r}: there are dense, recurrent, convolutional")


def _discriminator_layers(kind, units):
    if kind == "dense":
        hidden = [layers.Dense(units, "leaky_relu") for _ in range(2)]  # (B, U)
        return [layers.Flatten(), *hidden]
    if kind == "recurrent":
        return [
            layers.Dense(units, "leaky_relu"),  # (B, T, U)
            layers.Reshape((BEATS, BEAT * units)),  # (B, 8, 4 U)
            layers.LSTM(units, return_sequences=True, unroll=True),  # (B, 8, U)
            layers.Dense(units, "leaky_relu"),
        ]
    if kind == "convolutional":
        return [
            layers.Dense(units, "leaky_relu"),  # (B, T, U)
            layers.Conv1D(units, 4, 2, "same", activation="leaky_relu"),  # (B, 16, U)
            layers.Conv1D(units, 4, 2, "same", activation="leaky_relu"),  # (B, 8, U)
            layers.Conv1D(units, 3, padding="same", activation="leaky_relu"),
        ]
    raise ValueError(f"kind {kind!r}: there are dense, recurrent, convolutional")


def _normalised(*inner):
    """Layers, then batch normalisation, which keeps the windows of a batch apart, and ReLU."""
    return [*inner, layers.BatchNormalization(momentum=0.8), layers.ReLU()]
