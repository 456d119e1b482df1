"""Minimax, least-squares and Wasserstein losses, the gradient penalty, and a table of losses by name."""

from __future__ import annotations

import tensorflow as tf

from musiclab.models.adversarial import losses

__all__ = [
    "LOSSES",
    "gradient_penalty",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "minimax_loss",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]


def minimax_loss(fake):
    """Minimax loss of the generator, L_G = mean ln(1 - D(G(z))).

    Its derivative in a logit is -sigmoid(s): it vanishes where the discriminator is sure of "fake".

    Equation: (10.2)

    Args, Raises: as :func:`musiclab.models.adversarial.losses.non_saturating_loss`.

    Returns:
      Scalar, nats, <= 0.

    >>> float(minimax_loss([0.0]))  # ln 1/2
    -0.6931471824645996
    """
    return -tf.reduce_mean(tf.nn.softplus(losses.check_floats(fake, "fake logits")))  # Eq. (10.2)


def least_squares_discriminator_loss(real, fake):
    """Least-squares loss of the discriminator, (mean (s(x) - 1)^2 + mean s(G(z))^2) / 2.

    Equation: (10.8)
    Source: Mao et al. 2017, Least squares generative adversarial networks.

    Args, Raises: as :func:`musiclab.models.adversarial.losses.discriminator_loss`.

    Returns:
      Scalar, >= 0.

    >>> float(least_squares_discriminator_loss([3.0], [1.0]))
    2.5
    """
    real, fake = losses.check_floats(real, "real logits"), losses.check_floats(fake, "fake logits")
    return (tf.reduce_mean((real - 1) ** 2) + tf.reduce_mean(fake**2)) / 2  # Eq. (10.8)


def least_squares_generator_loss(fake):
    """Least-squares loss of the generator, mean (s(G(z)) - 1)^2 / 2.

    Equation: (10.8)
    Source: Mao et al. 2017.

    Args, Raises: as :func:`musiclab.models.adversarial.losses.non_saturating_loss`.

    Returns:
      Scalar, >= 0.

    >>> float(least_squares_generator_loss([3.0]))
    2.0
    """
    return tf.reduce_mean((losses.check_floats(fake, "fake logits") - 1) ** 2) / 2  # Eq. (10.8)


def wasserstein_critic_loss(real, fake):
    """Wasserstein loss of the critic, mean s(G(z)) - mean s(x).

    It estimates minus the Wasserstein distance if the gradient of s has length at most 1. Nothing
    here bounds that length: add :func:`gradient_penalty`, or the loss falls without end.

    Equation: (10.9)
    Source: Arjovsky, Chintala and Bottou 2017, Wasserstein GAN.

    Args, Raises: as :func:`musiclab.models.adversarial.losses.discriminator_loss`, with scores for
      logits.

    Returns:
      Scalar, of either sign.

    >>> float(wasserstein_critic_loss([3.0], [1.0]))
    -2.0
    """
    real, fake = losses.check_floats(real, "real logits"), losses.check_floats(fake, "fake logits")
    return tf.reduce_mean(fake) - tf.reduce_mean(real)  # Eq. (10.9)


def wasserstein_generator_loss(fake):
    """Wasserstein loss of the generator, -mean s(G(z)).

    Equation: (10.9)
    Source: Arjovsky, Chintala and Bottou 2017.

    Args, Raises: as :func:`musiclab.models.adversarial.losses.non_saturating_loss`, with scores for
      logits.

    Returns:
      Scalar, of either sign.

    >>> float(wasserstein_generator_loss([3.0]))
    -3.0
    """
    return -tf.reduce_mean(losses.check_floats(fake, "fake logits"))  # Eq. (10.9)


#: By name: (discriminator's loss of real and fake logits, generator's loss of fake logits).
LOSSES = {
    "minimax": (losses.discriminator_loss, minimax_loss),
    "non_saturating": (losses.discriminator_loss, losses.non_saturating_loss),
    "least_squares": (least_squares_discriminator_loss, least_squares_generator_loss),
    "wasserstein": (wasserstein_critic_loss, wasserstein_generator_loss),
}


def gradient_penalty(critic, real, fake, seed):
    """Gradient penalty, mean (|grad s(x_mix)| - 1)^2, with x_mix drawn between real and generated samples.

    Equation: (10.9)
    Source: Gulrajani et al. 2017, Improved training of Wasserstein GANs; their weight is 10.

    Args:
      critic: function of samples (n, ...) to scores (n,) or (n, 1), each score of its own sample
        only: batch normalisation or minibatch statistics would mix the samples' gradients.
      real: float tensor (n, ...).
      fake: tensor of the same shape and dtype.
      seed: two integers, for the n points.

    Returns:
      Scalar, >= 0; differentiable in the critic's weights.

    Raises:
      ValueError: if the shapes differ, there is no sample, or the scores don't depend on them.

    >>> float(gradient_penalty(lambda x: 3 * x[:, 0], tf.zeros((4, 2)), tf.ones((4, 2)), seed=(0, 1)))
    4.0
    """
    real, fake = losses.check_floats(real, "samples"), losses.check_floats(fake, "samples")
    if not real.shape.is_compatible_with(fake.shape):
        raise ValueError(
            f"real has shape {real.shape}, fake {fake.shape}: pair each real sample with a generated one"
        )
    shape = tf.concat([tf.shape(real)[:1], tf.ones(tf.rank(real) - 1, tf.int32)], axis=0)
    u = tf.random.stateless_uniform(shape, seed, dtype=real.dtype)  # (n, 1, ...)
    squares = losses.squared_gradient_norms(critic, u * real + (1 - u) * fake)  # (n,)
    # the square root has no derivative at 0, so keep a little away from it
    return tf.reduce_mean((tf.sqrt(squares + 1e-12) - 1) ** 2)  # Eq. (10.9)
