"""Generative adversarial networks on two bars of music: dense, recurrent and convolutional.

Shapes: B windows in a batch, T = 32 steps, V = 4 voices, K = 50 symbols, F features.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from musiclab.data.encodings.two_bars import STEPS, SYMBOLS, VOICES, check_symbols
from musiclab.models.adversarial.losses import discriminator_loss, non_saturating_loss, r1_penalty
from musiclab.models.adversarial.networks import Discriminator, Generator

__all__ = ["GAN", "ConvGAN", "DenseGAN", "RecurrentGAN"]

R1_INTERVAL = 4  # steps: the penalty costs as much as a step without it, and one in four is enough
WARM_UP = 0.03  # share of all steps in which the learning rate rises
AVERAGE_DECAY = 0.995  # share of its past that the averaged generator keeps at each step
STATISTICS_BATCHES = 20  # of noise, to measure the averaged generator's batch statistics


class GAN(keras.Model):
    """Generator and discriminator trained against each other, with R1 penalty and weight averaging.

    Samples come from ``average``, a third network with the generator's averaged weights.

    Equations: (11.5), (11.6)

    Args:
      latent: numbers in the noise z.
      units, discriminator_units: of each hidden layer of the generator and of the discriminator.
      minibatch_deviation: whether the discriminator sees how the windows of a batch compare.
      r1: weight of the R1 penalty on the discriminator's features, at every fourth step; 0 is none.

    Raises:
      ValueError: on a size below 1 or a weight below 0.
    """

    kind = "dense"
    musical_features = False  # whether the discriminator sees intervals and counts

    def __init__(
        self, latent=64, units=128, discriminator_units=128, minibatch_deviation=True, r1=1.0, **kw
    ):
        super().__init__(**kw)
        if not r1 >= 0:
            raise ValueError(f"r1={r1}: a weight is at least 0")
        self.settings = {"latent": latent, "units": units, "r1": r1}
        self.settings["discriminator_units"] = discriminator_units
        self.settings["minibatch_deviation"] = minibatch_deviation
        self.latent, self.r1 = latent, r1
        self.generator = Generator(self.kind, latent, units)
        self.average = Generator(self.kind, latent, units, trainable=False)
        self.average.set_weights(self.generator.get_weights())
        self.discriminator = Discriminator(
            self.kind, discriminator_units, minibatch_deviation, self.musical_features
        )
        self.seed_generator = keras.random.SeedGenerator()  # repeatable after set_seed
        names = "loss", "discriminator_accuracy", "generator_loss"
        self.means = [keras.metrics.Mean(name=name) for name in names]
        self.built = True
        self.compile_default()

    def compile_default(self, learning_rate: float = 4e-4, steps: int | None = None) -> None:
        """Compile with an Adam for each network, of low momentum: more would feed the oscillation.

        Over ``steps``, those of the whole training, the learning rate rises in a short warm-up and
        falls along a cosine; None keeps it constant.
        """
        if not learning_rate > 0 or (steps is not None and steps < 2):
            raise ValueError(f"{learning_rate=}, {steps=}: need a rate > 0, 2 steps or more")

        def adam(rate):
            if steps is not None:
                n = max(round(WARM_UP * steps), 1)
                rate = CosineDecay(0.0, steps - n, alpha=0.02, warmup_target=rate, warmup_steps=n)
            return keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99)

        self.compile(adam(learning_rate), jit_compile=False, steps_per_execution=16)
        self.optimizer.build(self.discriminator.trainable_variables)
        self.generator_optimizer = adam(learning_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)

    def train_step(self, symbols):
        """One update of the discriminator, one of the generator, one of the averaged weights."""
        real = tf.one_hot(tf.cast(symbols, tf.int32), SYMBOLS)  # (B, T, V, K)
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            z = keras.random.normal((real.shape[0], self.latent), seed=self.seed_generator)
            fake = self.generator(z, training=True)  # (B, T, V, K)
            features = self.discriminator.features(fake)  # (B, F)
            # 1. The discriminator learns; no gradient reaches the generator.
            with tape.stop_recording():
                loss, accuracy = self.update_discriminator(real, features)
            # 2. The generator learns from the discriminator as it now is.
            logits = self.discriminator.from_features(features, training=True)  # (B,)
            generator_loss = non_saturating_loss(logits)
        self.generator_optimizer.apply(tape.gradient(generator_loss, weights), weights)
        # 3. The averaged generator follows.
        for mean, new in zip(self.average.weights, self.generator.weights):
            mean.assign(AVERAGE_DECAY * mean + (1 - AVERAGE_DECAY) * new)  # Eq. (11.6)
        for metric, value in zip(self.means, (loss, accuracy, generator_loss)):
            metric.update_state(value)
        return {metric.name: metric.result() for metric in self.means}

    def update_discriminator(self, real, fake_features):
        """One step on real windows (B, T, V, K) and generated features (B, F): its loss and accuracy."""
        weights = self.discriminator.trainable_variables
        real_features = self.discriminator.features(real)  # (B, F)
        with tf.GradientTape() as tape:
            # one after the other: no group of compared windows mixes real and generated ones
            s_real = self.discriminator.from_features(real_features, training=True)  # (B,)
            s_fake = self.discriminator.from_features(fake_features, training=True)  # (B,)
            loss = objective = discriminator_loss(s_real, s_fake)
            if self.r1:
                r1 = tf.cond(
                    self.optimizer.iterations % R1_INTERVAL == 0,
                    lambda: r1_penalty(self.discriminator.from_features, real_features),
                    lambda: 0.0,
                )
                objective = loss + self.r1 * r1  # Eq. (11.5)
        self.optimizer.apply(tape.gradient(objective, weights), weights)
        correct = tf.concat([s_real > 0, s_fake <= 0], axis=0)  # (2 B,)
        return loss, tf.reduce_mean(tf.cast(correct, tf.float32))

    def fit(self, x, y=None, validation_data=None, epochs=1, batch_size=64, **kwargs):
        """Train on symbols int (N, 32, 4), shuffled anew in each pass; an incomplete last batch is left out.

        The history has "loss" (the discriminator's), "generator_loss", and
        "discriminator_accuracy", the share of windows classified correctly; none of them measures
        the music.
        """
        if y is not None or validation_data is not None:
            raise ValueError("a GAN has no held-out loss: pass x alone, then evaluate its samples")
        x = check_symbols(x)
        if x.shape[1:] != (STEPS, VOICES):
            raise ValueError(f"windows have shape {x.shape}: need (N, {STEPS}, {VOICES}) symbols")
        if not 2 <= batch_size <= len(x):
            raise ValueError(f"batch_size={batch_size}: need 2 up to the {len(x)} windows given")
        data = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x))
        data = data.batch(batch_size, drop_remainder=True)
        history = super().fit(data, epochs=epochs, shuffle=False, **kwargs)
        # The averaged generator needs batch statistics of its own: measure them.
        self.average.trainable = True  # else batch normalisation measures nothing
        for _ in range(STATISTICS_BATCHES):
            z = keras.random.normal((256, self.latent), seed=self.seed_generator)
            self.average(z, training=True)
        self.average.trainable = False
        return history

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draw n windows from the averaged generator: symbols int8 (n, 32, 4)."""
        return self.average.sample(n, seed)

    @property
    def metrics(self):
        """Keras' hook: means over each pass."""
        return self.means

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable(package="musiclab")
class DenseGAN(GAN):
    """GAN of dense layers.

    >>> DenseGAN(latent=2, units=3, discriminator_units=3).sample(5, seed=0).shape
    (5, 32, 4)
    """

    musical_features = True


@keras.saving.register_keras_serializable(package="musiclab")
class RecurrentGAN(GAN):
    """GAN of LSTMs, a beat at a time."""

    kind = "recurrent"


@keras.saving.register_keras_serializable(package="musiclab")
class ConvGAN(GAN):
    """GAN of convolutions, beats to 8ths to 16ths and back, after Radford, Metz and Chintala 2016."""

    kind = "convolutional"
