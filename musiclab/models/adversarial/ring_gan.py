"""GAN in the plane on a ring of eight Gaussians, where mode collapse can be counted."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from musiclab.models.adversarial.loss_variants import LOSSES, gradient_penalty
from musiclab.models.adversarial.losses import r1_penalty

__all__ = ["CENTRES", "PointGAN", "modes_covered", "ring"]

#: Centres of the modes, float64 (8, 2), on the circle of radius 1.
CENTRES = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
SPREAD = 0.05  # standard deviation of a mode, in both directions
LATENT, UNITS = 2, 64  # numbers of noise; units of the two hidden layers of either network
LEARNING_RATE = 1e-3


def ring(n: int, seed: int) -> np.ndarray:
    """Draw n points, float32 (n, 2), from a mixture of eight Gaussians on a circle, all equally likely.

    Source: Metz et al. 2017, Unrolled generative adversarial networks.

    Raises:
      ValueError: if n is below 1.

    >>> ring(3, seed=0).shape
    (3, 2)
    """
    _check_number(n)
    rng = np.random.default_rng(seed)
    points = CENTRES[rng.integers(8, size=n)] + SPREAD * rng.standard_normal((n, 2))
    return points.astype(np.float32)


def modes_covered(points: np.ndarray) -> int:
    """Number of modes, 0 to 8, with at least 2% of the points (n, 2) within three standard deviations.

    Raises:
      ValueError: if there is no point, or the shape is another.

    >>> modes_covered(CENTRES[[0, 0, 3]]), modes_covered([[0.0, 0.0]])
    (2, 0)
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"points have shape {points.shape}: need (n, 2), n at least 1")
    near = np.linalg.norm(points[:, None] - CENTRES, axis=2) <= 3 * SPREAD  # (n, 8)
    return int((near.mean(axis=0) >= 0.02).sum())  # an even generator puts 1/8 on each


@keras.saving.register_keras_serializable(package="musiclab")
class PointGAN(keras.Model):
    """GAN of two small dense networks that makes points in the plane.

    Args:
      loss: a name in :data:`musiclab.models.adversarial.loss_variants.LOSSES`.
      r1: weight of the R1 penalty, Eq. (10.10), at every step; 0 is none.
      gradient_penalty: weight of the gradient penalty of Eq. (10.9); 0 is none.
      momentum: beta_1 of both Adams.

    Raises:
      ValueError: on an unknown loss, a weight below 0, or a momentum outside [0, 1).

    >>> PointGAN().sample(5, seed=0).shape
    (5, 2)
    """

    def __init__(self, loss="non_saturating", r1=0.0, gradient_penalty=0.0, momentum=0.5, **kwargs):
        super().__init__(**kwargs)
        if loss not in LOSSES:
            raise ValueError(f"loss {loss!r}: there are {', '.join(LOSSES)}")
        if not (r1 >= 0 and gradient_penalty >= 0 and 0 <= momentum < 1):
            raise ValueError(
                f"{r1=}, {gradient_penalty=}, {momentum=}: need weights >= 0, 0 <= momentum < 1"
            )
        self.settings = {"loss": loss, "r1": r1, "momentum": momentum}
        self.settings["gradient_penalty"] = gradient_penalty
        self.discriminator_loss, self.generator_loss = LOSSES[loss]
        self.generator, self.discriminator = _network(LATENT, 2), _network(2, 1)
        self.seed_generator = keras.random.SeedGenerator()  # repeatable after set_seed
        self.built = True
        self.generator_optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=momentum)
        self.generator_optimizer.build(self.generator.trainable_variables)
        optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=momentum)
        optimizer.build(self.discriminator.trainable_variables)
        self.compile(optimizer, jit_compile=False, steps_per_execution=50)

    def train_step(self, x):
        """One update of the discriminator on points x (B, 2), then one of the generator."""
        n, D = tf.shape(x)[0], self.discriminator
        # 1. The discriminator learns; the generator only supplies points.
        fake = self.generate(n)  # (B, 2)
        with tf.GradientTape() as tape:
            loss = self.discriminator_loss(D(x), D(fake)) + self.penalty(x, fake)
        gradients = tape.gradient(loss, D.trainable_variables)
        self.optimizer.apply(gradients, D.trainable_variables)
        # 2. The generator learns: its gradient comes through the discriminator, which stays as it is.
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            generator_loss = self.generator_loss(D(self.generate(n)))
        self.generator_optimizer.apply(tape.gradient(generator_loss, weights), weights)
        return {"loss": loss, "generator_loss": generator_loss}

    def penalty(self, x, fake):
        """Weighted penalties on the discriminator's gradient at real points and between the two kinds."""
        total = 0.0
        if self.settings["r1"]:
            total += self.settings["r1"] * r1_penalty(self.discriminator, x)
        if self.settings["gradient_penalty"]:
            seed = tf.cast(self.seed_generator.next(), tf.int32)
            found = gradient_penalty(self.discriminator, x, fake, seed)
            total += self.settings["gradient_penalty"] * found
        return total

    def generate(self, n):
        """Points (n, 2) from fresh noise, for training."""
        z = keras.random.normal((n, LATENT), seed=self.seed_generator)  # (n, 2)
        return self.generator(z)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Make n points, float32 (n, 2), of noise drawn with a seed; ValueError if n is below 1."""
        _check_number(n)
        noise = np.random.default_rng(seed).standard_normal((n, LATENT), np.float32)
        return np.asarray(self.generator(noise))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}


def _network(n_in, n_out):
    hidden = [layers.Dense(UNITS, "relu"), layers.Dense(UNITS, "relu")]
    return keras.Sequential([keras.Input((n_in,)), *hidden, layers.Dense(n_out)])


def _check_number(n):
    if n < 1:
        raise ValueError(f"{n} points: ask for at least 1")
