"""Losses of the classical GAN, on logits, and the R1 gradient penalty.

A logit s is the discriminator's output before the sigmoid, D = sigmoid(s) its probability of
"real". Losses are written in s, since ln(sigmoid(s)) in two steps is -inf, without a gradient, at
s = -110.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["discriminator_loss", "non_saturating_loss", "r1_penalty", "squared_gradient_norms"]


def discriminator_loss(real, fake):
    """Discriminator's loss, L_D = -mean ln D(x) - mean ln(1 - D(G(z))): means over the batch, added.

    Equation: (10.1)
    Source: Goodfellow et al. 2014, Generative adversarial nets.

    Args:
      real, fake: logits of real and of generated samples, float tensors (n,) and (m,), or columns.

    Returns:
      Scalar, nats, >= 0.

    Raises:
      ValueError: if either is empty or not made of floats.

    >>> float(discriminator_loss([0.0], [0.0]))  # ln 4
    1.3862943649291992
    """
    real, fake = check_floats(real, "real logits"), check_floats(fake, "fake logits")
    real_loss = tf.reduce_mean(tf.nn.softplus(-real))
    return real_loss + tf.reduce_mean(tf.nn.softplus(fake))  # Eq. (10.1)


def non_saturating_loss(fake):
    """Generator's non-saturating loss, L_G = -mean ln D(G(z)).

    Its derivative in a logit is sigmoid(s) - 1: close to -1 where D is sure of "fake".

    Equation: (10.3)

    Source, Args, Raises: as :func:`discriminator_loss`.

    Returns:
      Scalar, nats, >= 0.

    >>> float(non_saturating_loss([-50.0]))
    50.0
    """
    return tf.reduce_mean(tf.nn.softplus(-check_floats(fake, "fake logits")))  # Eq. (10.3)


def r1_penalty(discriminator, real):
    """R1 penalty, mean |grad s(x)|^2 at real samples: squares summed over features, averaged over samples.

    Equation: (10.10)
    Source: Mescheder, Geiger and Nowozin 2018, Which training methods for GANs do actually
      converge?

    Args:
      discriminator: function of samples (n, ...) to logits (n,) or (n, 1). real: floats (n, ...).

    Returns:
      Scalar, >= 0, differentiable in the discriminator's weights; the source weighs it by gamma/2.

    >>> float(r1_penalty(lambda x: 3 * x[:, 0] + 4 * x[:, 1], tf.zeros((5, 2))))
    25.0
    """
    return tf.reduce_mean(squared_gradient_norms(discriminator, real))  # Eq. (10.10)


def squared_gradient_norms(score, x):
    """Squared length (n,) of the gradient of each sample's score, with respect to the sample."""
    x = check_floats(x, "samples")
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = tf.reduce_sum(score(x))
    gradients = tape.gradient(total, x)  # (n, ...)
    if gradients is None:
        raise ValueError("the score does not depend on the samples, so there is no gradient")
    return tf.reduce_sum(tf.reshape(gradients, (tf.shape(x)[0], -1)) ** 2, axis=1)


def check_floats(x, name):
    """Tensor of x; ValueError unless it holds floats, at least one."""
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating or x.shape.num_elements() == 0:
        raise ValueError(f"{name} are {x.dtype.name} of shape {x.shape}: need floats, at least 1")
    return x
