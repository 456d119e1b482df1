"""What a generator and a discriminator are trained with: losses on logits, and two penalties on slopes.

A logit s is what the discriminator says before the sigmoid: D = sigmoid(s) is its probability of "real". Every loss
here is written in s, since log(sigmoid(s)) computed in two steps is -inf at s = -110 and without a gradient.
Reductions: means over the batch, in nats where a logarithm is taken; penalties sum over the features of a sample.

Lessons: 10, 11.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = [
    "LOSSES",
    "discriminator_loss",
    "gradient_penalty",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "minimax_loss",
    "non_saturating_loss",
    "r1_penalty",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]


def discriminator_loss(real, fake):
    """L_D = -mean log D(x) - mean log(1 - D(G(z))), the discriminator's side of both classical games.

    The two means are added, not averaged: at D = 1/2 everywhere the loss is log 4, and it is minus the value V that
    the discriminator maximises.

    Equation: (10.1)
    Lesson: 10
    Source: Goodfellow et al. 2014; source article on GANs, section 4.1.

    Args:
      real: logits of real samples, float tensor (n,) or (n, 1).
      fake: logits of generated samples, (m,) or (m, 1).

    Returns:
      Scalar, nats, >= 0.

    Raises:
      ValueError: if either is empty or not made of floats.

    >>> float(discriminator_loss([0.0], [0.0]))  # log 4
    1.3862943649291992
    """
    real, fake = _logits(real, "real"), _logits(fake, "fake")
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(
        tf.nn.softplus(fake)
    )  # Eq. (10.1)


def minimax_loss(fake):
    """L_G = mean log(1 - D(G(z))): the generator pulls at the same value the discriminator pushes.

    Its slope in the logit is -sigmoid(s): nothing where the discriminator is sure that the sample is false.

    Equation: (10.2)
    Lesson: 10

    Args, Raises: as :func:`non_saturating_loss`.

    Returns:
      Scalar, nats, <= 0.

    >>> float(minimax_loss([0.0]))  # log 1/2
    -0.6931471824645996
    """
    return -tf.reduce_mean(tf.nn.softplus(_logits(fake, "fake")))  # Eq. (10.2)


def non_saturating_loss(fake):
    """L_G = -mean log D(G(z)): the loss the source article gives.

    Its slope in the logit is -(1 - sigmoid(s)): full where the discriminator is sure that the sample is false.

    Equation: (10.3)
    Lesson: 10
    Source: Goodfellow et al. 2014; source article on GANs, section 4.1.

    Args:
      fake: logits of generated samples, float tensor (m,) or (m, 1).

    Returns:
      Scalar, nats, >= 0.

    Raises:
      ValueError: if empty or not made of floats.

    >>> float(non_saturating_loss([-50.0]))
    50.0
    """
    return tf.reduce_mean(tf.nn.softplus(-_logits(fake, "fake")))  # Eq. (10.3)


def least_squares_discriminator_loss(real, fake):
    """(mean (s(x) - 1)^2 + mean s(G(z))^2) / 2: scores themselves are drawn to 1 for real and to 0 for generated.

    Equation: (10.8)
    Lesson: 10
    Source: Mao et al. 2017, Least squares generative adversarial networks.

    Args, Raises: as :func:`discriminator_loss`.

    Returns:
      Scalar, >= 0.

    >>> float(least_squares_discriminator_loss([3.0], [1.0]))
    2.5
    """
    real, fake = _logits(real, "real"), _logits(fake, "fake")
    return (tf.reduce_mean((real - 1) ** 2) + tf.reduce_mean(fake**2)) / 2  # Eq. (10.8)


def least_squares_generator_loss(fake):
    """mean (s(G(z)) - 1)^2 / 2.

    Equation: (10.8)
    Lesson: 10
    Source: Mao et al. 2017.

    Args, Raises: as :func:`non_saturating_loss`.

    Returns:
      Scalar, >= 0.

    >>> float(least_squares_generator_loss([3.0]))
    2.0
    """
    return tf.reduce_mean((_logits(fake, "fake") - 1) ** 2) / 2  # Eq. (10.8)


def wasserstein_critic_loss(real, fake):
    """mean s(G(z)) - mean s(x): minus the critic's estimate of the Wasserstein distance, if its slope is at most 1.

    Nothing here holds the slope: add :func:`gradient_penalty`, or the loss falls without end.

    Equation: (10.9)
    Lesson: 10
    Source: Arjovsky, Chintala and Bottou 2017, Wasserstein GAN.

    Args, Raises: as :func:`discriminator_loss`, with scores for logits.

    Returns:
      Scalar, of either sign.

    >>> float(wasserstein_critic_loss([3.0], [1.0]))
    -2.0
    """
    real, fake = _logits(real, "real"), _logits(fake, "fake")
    return tf.reduce_mean(fake) - tf.reduce_mean(real)  # Eq. (10.9)


def wasserstein_generator_loss(fake):
    """-mean s(G(z)).

    Equation: (10.9)
    Lesson: 10
    Source: Arjovsky, Chintala and Bottou 2017.

    Args, Raises: as :func:`non_saturating_loss`, with scores for logits.

    Returns:
      Scalar, of either sign; its slope never fades.

    >>> float(wasserstein_generator_loss([3.0]))
    -3.0
    """
    return -tf.reduce_mean(_logits(fake, "fake"))  # Eq. (10.9)


#: The losses of a game by its name: (discriminator's of real and fake logits, generator's of fake logits).
LOSSES = {
    "minimax": (discriminator_loss, minimax_loss),
    "non_saturating": (discriminator_loss, non_saturating_loss),
    "least_squares": (least_squares_discriminator_loss, least_squares_generator_loss),
    "wasserstein": (wasserstein_critic_loss, wasserstein_generator_loss),
}


def gradient_penalty(critic, real, fake, seed):
    """mean (|grad s(x_mix)| - 1)^2 at points x_mix drawn on the lines between real and generated samples.

    Equation: (10.9)
    Lesson: 10
    Source: Gulrajani et al. 2017, Improved training of Wasserstein GANs; they weigh it with 10.

    Args:
      critic: function of samples (n, ...) to scores (n,) or (n, 1), each score of its own sample only: with batch
        normalisation or minibatch statistics inside, the slope is not the sample's own.
      real: float tensor (n, ...).
      fake: tensor of the same shape and dtype.
      seed: two integers, for the n points.

    Returns:
      Scalar, >= 0; differentiable in the critic's weights.

    Raises:
      ValueError: if the shapes differ or there is no sample.

    >>> float(gradient_penalty(lambda x: 3 * x[:, 0], tf.zeros((4, 2)), tf.ones((4, 2)), seed=(0, 1)))
    4.0
    """
    real, fake = _samples(real), _samples(fake)
    if not real.shape.is_compatible_with(fake.shape):
        raise ValueError(
            f"real has shape {real.shape}, fake {fake.shape}: pair each real sample with a generated one"
        )
    shape = tf.concat([tf.shape(real)[:1], tf.ones(tf.rank(real) - 1, tf.int32)], axis=0)
    u = tf.random.stateless_uniform(shape, seed, dtype=real.dtype)
    squares = _squared_slopes(critic, u * real + (1 - u) * fake)
    # at slope 0 a square root has no gradient: a hair's breadth away from it
    return tf.reduce_mean((tf.sqrt(squares + 1e-12) - 1) ** 2)  # Eq. (10.9)


def r1_penalty(discriminator, real):
    """mean |grad s(x)|^2 at real samples: whoever is steep where the music is pays for it.

    Equation: (10.10)
    Lesson: 10
    Source: Mescheder, Geiger and Nowozin 2018, Which training methods for GANs do actually converge?; they weigh it
      with gamma / 2.

    Args:
      discriminator: function of samples (n, ...) to logits (n,) or (n, 1), as in :func:`gradient_penalty`.
      real: float tensor (n, ...).

    Returns:
      Scalar, >= 0, squares summed over features, averaged over samples; differentiable in the weights.

    Raises:
      ValueError: if there is no sample, or they aren't floats.

    >>> float(r1_penalty(lambda x: 3 * x[:, 0] + 4 * x[:, 1], tf.zeros((5, 2))))
    25.0
    """
    return tf.reduce_mean(_squared_slopes(discriminator, _samples(real)))  # Eq. (10.10)


def _squared_slopes(score, x):
    """Squared length (n,) of the gradient of each sample's score."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = tf.reduce_sum(score(x))
    slopes = tape.gradient(total, x)
    if slopes is None:
        raise ValueError(
            "the score does not depend on the samples: no gradient flows from one to the other"
        )
    return tf.reduce_sum(tf.reshape(slopes, (tf.shape(x)[0], -1)) ** 2, axis=1)


def _logits(logits, name):
    logits = tf.convert_to_tensor(logits)
    if not logits.dtype.is_floating:
        raise ValueError(f"{name} logits are {logits.dtype.name}: need floats, one per sample")
    if logits.shape.num_elements() == 0:
        raise ValueError(
            f"{name} logits have shape {logits.shape}: need at least one, or the mean is not a number"
        )
    return logits


def _samples(x):
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating or x.shape.rank == 0 or x.shape[0] == 0:
        raise ValueError(
            f"samples are {x.dtype.name} of shape {x.shape}: need floats (n, ...), n at least 1"
        )
    return x
