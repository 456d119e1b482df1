"""A GAN small enough to look at: points in a plane, drawn from eight heaps on a circle.

Whether it has collapsed can be counted: how many of the heaps does it still visit?

Lessons: 10.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from musiclab.models.adversarial.losses import LOSSES, r1_penalty

__all__ = ["CENTRES", "PointGAN", "heaps_covered", "ring"]

#: Where the heaps lie, float64 (8, 2), on the circle of radius 1.
CENTRES = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
SPREAD = 0.05  # standard deviation of a heap, in both directions


def ring(n: int, seed: int) -> np.ndarray:
    """Draw points from a mixture of eight Gaussians on a circle, each as likely as the others.

    Lesson: 10
    Source: Metz et al. 2017, Unrolled generative adversarial networks, where this toy was made to collapse.

    Args:
      n: how many, at least 1. seed: for the draw.

    Returns:
      float32 (n, 2).

    Raises:
      ValueError: if n is below 1.

    >>> ring(3, seed=0).shape
    (3, 2)
    """
    _check_number(n)
    rng = np.random.default_rng(seed)
    return (CENTRES[rng.integers(8, size=n)] + SPREAD * rng.standard_normal((n, 2))).astype(
        np.float32
    )


def heaps_covered(points: np.ndarray, share: float = 0.02) -> int:
    """Count the heaps that points visit: those with at least a share of all points within three deviations.

    Lesson: 10

    Args:
      points: float (n, 2). share: of the n points; an even generator puts 1/8 on each heap.

    Returns:
      0 to 8.

    Raises:
      ValueError: if there is no point, or the shape is another.

    >>> heaps_covered(CENTRES[[0, 0, 3]]), heaps_covered([[0.0, 0.0]])
    (2, 0)
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"points have shape {points.shape}: need (n, 2), n at least 1")
    near = np.linalg.norm(points[:, None] - CENTRES, axis=2) <= 3 * SPREAD
    return int((near.mean(axis=0) >= share).sum())


@keras.saving.register_keras_serializable(package="musiclab")
class PointGAN(keras.Model):
    """Two small dense networks against each other, alike but for what they read and say.

    Lesson: 10

    Args:
      latent: numbers of noise from which a point is made.
      units: of each of the two inner layers, on both sides.
      loss: a name of :data:`musiclab.models.adversarial.losses.LOSSES`.
      r1: weight of :func:`musiclab.models.adversarial.losses.r1_penalty` at every step; 0 is none.
      momentum: beta_1 of both Adams. learning_rate: of both.

    Raises:
      ValueError: on an unknown loss, a size below 1, r1 below 0, or a momentum outside [0, 1).

    >>> PointGAN(units=4).sample(5, seed=0).shape
    (5, 2)
    """

    def __init__(
        self,
        latent=2,
        units=64,
        loss="non_saturating",
        r1=0.0,
        momentum=0.5,
        learning_rate=1e-3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if loss not in LOSSES:
            raise ValueError(f"loss {loss!r}: there are {', '.join(LOSSES)}")
        if latent < 1 or units < 1 or r1 < 0 or not 0 <= momentum < 1:
            raise ValueError(f"latent={latent}, units={units}, r1={r1}, momentum={momentum}: sizes are at least 1, r1 "
                             "at least 0, momentum from 0 up to but not 1")  # fmt: skip
        self.settings = {"latent": latent, "units": units, "loss": loss, "r1": r1}
        self.settings |= {"momentum": momentum, "learning_rate": learning_rate}
        self.generator, self.discriminator = _network(latent, units, 2), _network(2, units, 1)
        self.dice = keras.random.SeedGenerator()  # after set_seed, training is repeatable
        self.built = True
        self.generator_optimizer = keras.optimizers.Adam(learning_rate, beta_1=momentum)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.compile(
            keras.optimizers.Adam(learning_rate, beta_1=momentum),
            jit_compile=False,
            steps_per_execution=50,
        )
        self.optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, x):
        """Keras' hook: the discriminator improves once on points (n, 2), then the generator once."""
        n, (of_discriminator, of_generator) = tf.shape(x)[0], LOSSES[self.settings["loss"]]
        fake, weights = self._fake(n), self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            loss = of_discriminator(self.discriminator(x), self.discriminator(fake))
            if self.settings["r1"]:
                loss += self.settings["r1"] * r1_penalty(self.discriminator, x)
        self.optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            generator_loss = of_generator(self.discriminator(self._fake(n)))
        self.generator_optimizer.apply(
            tape.gradient(generator_loss, [w.value for w in weights]), weights
        )
        return {"loss": loss, "generator_loss": generator_loss}

    def _fake(self, n):
        return self.generator(keras.random.normal((n, self.settings["latent"]), seed=self.dice))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Make n points, float32 (n, 2), of noise drawn with a seed; ValueError if n is below 1."""
        _check_number(n)
        noise = np.random.default_rng(seed).standard_normal(
            (n, self.settings["latent"]), np.float32
        )
        return np.asarray(self.generator(noise))

    def judge(self, points) -> np.ndarray:
        """Logits float32 (n,) of points (n, 2): above 0 where the discriminator takes them for real."""
        return np.asarray(self.discriminator(np.asarray(points, np.float32)))[:, 0]

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}


def _network(n_in, units, n_out):
    inner = [layers.Dense(units, "relu"), layers.Dense(units, "relu")]
    return keras.Sequential([keras.Input((n_in,)), *inner, layers.Dense(n_out)])


def _check_number(n):
    if n < 1:
        raise ValueError(f"{n} points: ask for at least 1")
