"""Generative adversarial networks on two bars of music: one training step, three kinds of network.

Lessons: 10, 11.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.two_bars import STEPS, SYMBOLS, VOICES, check_symbols
from musiclab.models.adversarial.losses import LOSSES, gradient_penalty, r1_penalty
from musiclab.models.adversarial.networks import Discriminator, Generator

__all__ = ["GAN", "ConvGAN", "DenseGAN", "RecurrentGAN"]

R1_EVERY = 4  # steps: the penalty costs as much as a step without it, and one in four is enough
PENALTY = 10.0  # weight of the gradient penalty of the Wasserstein loss
SETTLING = 20  # batches of noise on which the averaged generator measures its batch statistics
AVERAGED = 0.995  # share of its past that the averaged generator keeps at each step


class GAN(keras.Model):
    """A generator and a discriminator, trained against each other on windows of symbols.

    Each step improves the discriminator once and then the generator once. What samples is a third network, the
    generator's weights averaged over the last few hundred steps: the game circles, its average circles less.

    Equations: (11.5), (11.6)
    Lesson: 10, 11

    Args:
      latent: numbers of noise from which a window is made.
      units: of each inner layer of the generator. judge: of the discriminator.
      loss: "minimax", "non_saturating", "least_squares" or "wasserstein" (with its gradient penalty).
      minibatch_deviation: whether the discriminator is told how the windows of a batch compare.
      r1: weight of the R1 penalty on slopes in what the discriminator is told, at every fourth step; 0 is none.
      learning_rate: see :meth:`recipe`.

    Raises:
      ValueError: on an unknown loss, a size below 1, a weight below 0 or a learning rate that is not above 0.
    """

    kind = "dense"
    pace = 1.0

    def __init__(
        self,
        latent=64,
        units=128,
        judge=128,
        loss="non_saturating",
        minibatch_deviation=True,
        r1=1.0,
        learning_rate=4e-4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if loss not in LOSSES:
            raise ValueError(f"loss {loss!r}: there are {', '.join(LOSSES)}")
        if not (r1 >= 0 and learning_rate > 0):
            raise ValueError(
                f"r1={r1}, learning_rate={learning_rate}: a weight is at least 0, a rate above 0"
            )
        self.settings = {
            **{"latent": latent, "units": units, "judge": judge, "loss": loss},
            **{
                "minibatch_deviation": minibatch_deviation,
                "r1": r1,
                "learning_rate": learning_rate,
            },
        }
        self.latent = latent
        self.generator = Generator(self.kind, latent, units)
        self.average = Generator(self.kind, latent, units, trainable=False)
        self.average.set_weights(self.generator.get_weights())
        self.discriminator = Discriminator(self.kind, judge, minibatch_deviation)
        self.dice = keras.random.SeedGenerator()  # after set_seed, training is repeatable
        self.means = [
            keras.metrics.Mean(name=name) for name in ("loss", "told_apart", "generator_loss")
        ]
        self.built = True
        self.recipe(learning_rate)

    def recipe(self, learning_rate: float = 4e-4, calm_after: int | None = None) -> None:
        """Compile with what proved good: an Adam for each side, with little momentum, which would feed the circling.

        Args:
          learning_rate: of the discriminator; the generator's is ``pace`` times as much.
          calm_after: steps after which both rates are a quarter of that; None is never.

        Raises:
          ValueError: if the rate is not above 0, or the steps below 1.
        """
        if not learning_rate > 0 or (calm_after is not None and calm_after < 1):
            raise ValueError(
                f"learning_rate={learning_rate}, calm_after={calm_after}: a rate above 0, a step or more"
            )
        rates = [learning_rate, self.pace * learning_rate]
        if calm_after is not None:
            rates = [
                keras.optimizers.schedules.PiecewiseConstantDecay([calm_after], [r, r / 4])
                for r in rates
            ]
        optimizer, self.generator_optimizer = (
            keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99) for rate in rates
        )
        self.generator_optimizer.build(self.generator.trainable_variables)
        optimizer.build(self.discriminator.trainable_variables)
        self.compile(optimizer, jit_compile=False, steps_per_execution=16)

    @property
    def metrics(self):
        """Keras' hook: what is averaged over each pass."""
        return self.means

    def fit(self, x, y=None, validation_data=None, epochs=1, batch_size=64, **kwargs):
        """Train on windows, shuffled anew in each pass; the last batch, if incomplete, is left out.

        Args:
          x: symbols int (N, 32, 4), N at least ``batch_size``.
          epochs, batch_size, **kwargs: as Keras.

        Returns:
          Keras' history: "loss" of the discriminator, "generator_loss", and "told_apart", the share of windows it
          takes for what they are. None of them says how good the music is.

        Raises:
          ValueError: if x is no such array, there are fewer windows than a batch has, or anything is to be held out.
        """
        if y is not None or validation_data is not None:
            raise ValueError(
                "a GAN learns the windows themselves and has no loss to hold out: pass x alone, then judge "
                "what it samples"
            )
        x = _windows(x)
        if not 2 <= batch_size <= len(x):
            raise ValueError(
                f"batches of {batch_size} from {len(x)} windows: need at least 2, and as many windows"
            )
        data = (
            tf.data.Dataset.from_tensor_slices(x)
            .shuffle(len(x))
            .batch(batch_size, drop_remainder=True)
        )
        history = super().fit(data, epochs=epochs, shuffle=False, **kwargs)
        self._settle()
        return history

    def _settle(self):
        """Averaged weights have batch statistics of their own, which are not the average of those on the way."""
        self.average.trainable = (
            True  # or Keras' batch normalisation would only use statistics, and measure none
        )
        for _ in range(SETTLING):
            self.average(keras.random.normal((256, self.latent), seed=self.dice), training=True)
        self.average.trainable = False

    def train_step(self, symbols):
        """Keras' hook: one step of the discriminator, one of the generator; then its average follows."""
        results = self._one_step(tf.one_hot(tf.cast(symbols, tf.int32), SYMBOLS))
        for mean, value in zip(self.means, results):
            mean.update_state(value)
        for mean, new in zip(self.average.weights, self.generator.weights):
            mean.assign(AVERAGED * mean + (1 - AVERAGED) * new)  # Eq. (11.6)
        return {mean.name: mean.result() for mean in self.means}

    def _one_step(self, x):
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            fake = self._fake(x.shape[0])
            told = self.discriminator.tell(fake)
            with tape.stop_recording():
                loss, told_apart = self._improve_discriminator(x, fake, told)
            generator_loss = LOSSES[self.settings["loss"]][1](
                self.discriminator.of_told(told, training=True)
            )
        self.generator_optimizer.apply(
            tape.gradient(generator_loss, [w.value for w in weights]), weights
        )
        return loss, told_apart, generator_loss

    def _improve_discriminator(self, x, fake, told):
        n, judge, settings = x.shape[0], self.discriminator, self.settings
        weights, real = judge.trainable_variables, judge.tell(x)
        with tf.GradientTape() as tape:
            logits = judge.of_told(
                tf.concat([real, told], axis=0), training=True
            )  # groups don't mix the two
            total = loss = LOSSES[settings["loss"]][0](logits[:n], logits[n:])
            if settings["r1"]:
                due = self.optimizer.iterations % R1_EVERY == 0
                r1 = tf.cond(due, lambda: r1_penalty(judge.of_told, real), lambda: 0.0)
                total += settings["r1"] * r1  # Eq. (11.5)
            if settings["loss"] == "wasserstein":
                seed = tf.cast(self.dice.next(), tf.int32)
                total += PENALTY * gradient_penalty(judge, x, fake, seed)
        self.optimizer.apply(tape.gradient(total, [w.value for w in weights]), weights)
        right = tf.concat([logits[:n] > 0, logits[n:] <= 0], axis=0)
        return loss, tf.reduce_mean(tf.cast(right, tf.float32))

    def _fake(self, n):
        return self.generator(keras.random.normal((n, self.latent), seed=self.dice), training=True)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Write n windows with the averaged generator.

        Args:
          n: how many, at least 1. seed: for the noise.

        Returns:
          Symbols int8 (n, 32, 4), as ``musiclab.data.encodings.two_bars`` reads them.

        Raises:
          ValueError: if n is below 1.
        """
        return self.average.sample(n, seed)

    def judge(self, x) -> np.ndarray:
        """What the discriminator says of windows: logits float32 (n,), above 0 where it takes them for real.

        Args:
          x: symbols int (n, 32, 4); with the minibatch deviation, a window's logit depends on the others.

        Raises:
          ValueError: if x is no such array.
        """
        return np.asarray(self.discriminator(tf.one_hot(_windows(x).astype(np.int32), SYMBOLS)))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable(package="musiclab")
class DenseGAN(GAN):
    """Dense layers on both sides: every cell is tied to every other, and nothing knows that time passes.

    Lesson: 10
    Source: source article on GANs, section 4.3, whose generator was compiled without a loss and trained alone.

    >>> DenseGAN(latent=2, units=3, judge=3).sample(5, seed=0).shape
    (5, 32, 4)
    """


@keras.saving.register_keras_serializable(package="musiclab")
class RecurrentGAN(GAN):
    """LSTMs on both sides, a beat at a time: the generator is told its noise again at each beat.

    The generator learns at half the discriminator's rate: as fast as its judge, it runs ahead and loses its variety.

    Lesson: 11
    Source: source article on GANs, section 5.2, whose generator never heard of the discriminator.

    >>> RecurrentGAN(latent=2, units=3, judge=3).sample(5, seed=0).shape
    (5, 32, 4)
    """

    kind = "recurrent"
    pace = 0.5


@keras.saving.register_keras_serializable(package="musiclab")
class ConvGAN(GAN):
    """Convolutions on both sides: the generator goes from beats to 8ths to 16ths, the discriminator back.

    The generator learns at half the discriminator's rate: as fast as its judge, it runs ahead and loses its variety.

    Lesson: 11
    Source: Radford, Metz and Chintala 2016, Unsupervised representation learning with deep convolutional GANs.

    >>> ConvGAN(latent=2, units=3, judge=3).sample(5, seed=0).shape
    (5, 32, 4)
    """

    kind = "convolutional"
    pace = 0.5


def _windows(x):
    x = check_symbols(x)
    if x.shape[1:] != (STEPS, VOICES):
        raise ValueError(
            f"windows have shape {x.shape}: need (N, {STEPS}, {VOICES}) symbols, as load_bars gives them"
        )
    return x
