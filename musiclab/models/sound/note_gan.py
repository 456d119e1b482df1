"""Conditional GAN of single notes: a spectrogram from noise and a key, as channels over time."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.note_sound import BINS, FRAMES
from musiclab.models.adversarial.losses import discriminator_loss, non_saturating_loss, r1_penalty
from musiclab.models.sound.note_vae import key_input, to_db, to_unit

__all__ = ["NoteGAN", "NoteGenerator"]

AVERAGE_DECAY = 0.995
STATISTICS_OF = 4  # samples whose spread the discriminator sees
GAMMA = 1.0  # weight of the R1 penalty


@keras.saving.register_keras_serializable(package="musiclab")
class NoteGenerator(keras.Model):
    """Noise (B, Z) and key (B, 1) to a spectrogram (B, FRAMES, BINS) from -1 to 1.

    Args:
      latent: Z, numbers of noise. units: of each layer.

    >>> NoteGenerator(latent=3, units=4).sample([60, 72], seed=0).shape
    (2, 16, 256)
    """

    def __init__(self, latent=8, units=64, **kwargs):
        super().__init__(**kwargs)
        self.sizes = {"latent": latent, "units": units}
        z, key = keras.Input((latent,)), keras.Input((1,))
        wide = _key_features(key)
        h = _active(2 * units)(keras.layers.Concatenate()([z, wide]))
        h = _active(FRAMES // 4 * units)(h)
        h = keras.layers.Reshape((FRAMES // 4, units))(h)  # (B, 4, units)
        for _ in range(2):  # 4, 8, 16 frames
            h = keras.layers.Conv1DTranspose(units, 4, 2, "same")(h)
            h = keras.layers.LeakyReLU(0.2)(h)
        h = keras.layers.Concatenate()([h, keras.layers.RepeatVector(FRAMES)(wide)])
        h = _active(2 * units)(h)
        self.network = keras.Model([z, key], keras.layers.Dense(BINS)(h))
        self.built = True

    def call(self, inputs):
        """Noise and key to spectrograms."""
        return self.network(inputs)

    def sample(self, key, seed: int) -> np.ndarray:
        """A spectrogram in dB for each MIDI pitch (n,): float (n, FRAMES, BINS)."""
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((len(key), self.sizes["latent"]), np.float32)
        return to_db(self.network([z, key_input(key)]))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.sizes}


class NoteGAN(keras.Model):
    """A generator and a discriminator of notes, trained against each other.

    Non-saturating loss with R1 penalty (10.10), as in lesson 11; the generator that writes is the
    average of those of the last steps.

    Args:
      latent, units: as :class:`NoteGenerator`. learning_rate: of both.
    """

    def __init__(self, latent=8, units=64, learning_rate=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.generator = NoteGenerator(latent, units)
        self.average = NoteGenerator(latent, units)
        self.average.set_weights(self.generator.get_weights())
        self.discriminator, self.head = _discriminator(units)
        self.generator_optimizer = keras.optimizers.Adam(learning_rate, 0.5, 0.99)
        self.noise = keras.random.SeedGenerator(0)
        self.means = [keras.metrics.Mean("loss"), keras.metrics.Mean("generator_loss")]
        self.built = True
        self.compile(optimizer=keras.optimizers.Adam(learning_rate, 0.5, 0.99))

    @property
    def metrics(self):
        """Means: "loss" of the discriminator and "generator_loss"."""
        return self.means

    def score(self, x, key):
        """Logits of spectrograms (B, T, F): their features, and the spread within groups of four."""
        pair = [tf.convert_to_tensor(x), tf.convert_to_tensor(key)]
        features = self.discriminator(pair)  # (B, D)
        groups = tf.reshape(features, (STATISTICS_OF, -1, features.shape[-1]))
        spread = tf.sqrt(tf.math.reduce_variance(groups, axis=0) + 1e-8)
        spread = tf.tile(tf.reduce_mean(spread, axis=1, keepdims=True), (STATISTICS_OF, 1))
        return self.head(tf.concat([features, spread], axis=1))  # (B, 1)

    def train_step(self, data):
        """One update of the discriminator, one of the generator, one of the average."""
        (real, key), _, _ = keras.utils.unpack_x_y_sample_weight(data)
        noise_shape = (tf.shape(real)[0], self.generator.sizes["latent"])
        z = keras.random.normal(noise_shape, seed=self.noise)
        critics = self.discriminator.trainable_weights + self.head.trainable_weights
        with tf.GradientTape() as tape:
            fake = self.generator([z, key])
            loss = discriminator_loss(self.score(real, key), self.score(fake, key))
            loss += 0.5 * GAMMA * r1_penalty(lambda x: self.score(x, key), real)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, critics), critics))
        writers = self.generator.trainable_weights
        with tf.GradientTape() as tape:
            generator_loss = non_saturating_loss(self.score(self.generator([z, key]), key))
        gradients = tape.gradient(generator_loss, writers)
        self.generator_optimizer.apply_gradients(zip(gradients, writers))
        for mean, new in zip(self.average.weights, self.generator.weights):
            mean.assign(AVERAGE_DECAY * mean + (1 - AVERAGE_DECAY) * new)
        for metric, value in zip(self.means, (loss, generator_loss)):
            metric.update_state(value)
        return self.get_metrics_result()

    def fit(self, x, y, epochs=1, batch_size=32, **kwargs):
        """Train on spectrograms in dB (n, FRAMES, BINS) of keys y (n,); as Keras' ``fit``."""
        arrays = tf.data.Dataset.from_tensor_slices((to_unit(x), key_input(y)))
        batches = arrays.shuffle(len(x), seed=0).batch(batch_size, drop_remainder=True)
        return super().fit(
            batches.map(lambda *pair: (pair,)), epochs=epochs, shuffle=False, **kwargs
        )

    def sample(self, key, seed: int) -> np.ndarray:
        """Spectrograms in dB of the averaged generator: float (n, FRAMES, BINS)."""
        return self.average.sample(key, seed)


def _discriminator(units):
    x, key = keras.Input((FRAMES, BINS)), keras.Input((1,))
    wide = _key_features(key)
    h = keras.layers.Concatenate()([x, keras.layers.RepeatVector(FRAMES)(wide)])
    h = _active(units)(h)  # (B, 16, units)
    for _ in range(2):
        h = keras.layers.LeakyReLU(0.2)(keras.layers.Conv1D(units, 4, 2, "same")(h))
    h = keras.layers.Concatenate()([keras.layers.Flatten()(h), wide])
    head = keras.layers.Dense(1)
    head.build((None, units + 1))
    return keras.Model([x, key], _active(units)(h)), head


def _active(units):
    return keras.layers.Dense(units, keras.layers.LeakyReLU(0.2))


def _key_features(key):
    """One bump per semitone from C3 to C5: a key as a network can tell it from its neighbours."""
    centres = (np.arange(48, 73, dtype=np.float32) - 60) / 12
    return keras.ops.exp(-0.5 * ((key - centres) * 24) ** 2)
