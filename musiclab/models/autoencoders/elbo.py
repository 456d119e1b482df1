"""The terms of the evidence lower bound, for a diagonal Gaussian encoder and a standard Gaussian prior.

Pure functions on tensors or arrays, in nats. mu and log_sigma have shape (n, Z): a window's own Gaussian.

Lessons: 05.
"""

from __future__ import annotations

import math

from keras import ops

__all__ = [
    "elbo",
    "importance_weighted",
    "kl_to_prior",
    "log_normal",
    "log_p_given_z",
    "reparameterise",
]


def log_normal(z, mu, log_sigma):
    """Log density of a Gaussian with independent dimensions, summed over them.

    Equation: (5.1)
    Lesson: 05

    Args:
      z: points, float (..., Z). mu, log_sigma: of shapes that broadcast to z's.

    Returns:
      Nats (...).

    >>> round(float(log_normal([[0.0, 0.0]], 0.0, 0.0)[0]), 4)  # two times -ln(2 pi) / 2
    -1.8379
    """
    z = ops.convert_to_tensor(z)
    mu, log_sigma = (ops.convert_to_tensor(part, dtype=z.dtype) for part in (mu, log_sigma))
    score = (z - mu) * ops.exp(-log_sigma)
    return -0.5 * ops.sum(score**2 + 2 * log_sigma + math.log(2 * math.pi), axis=-1)  # Eq. (5.1)


def reparameterise(mu, log_sigma, epsilon):
    """A draw from N(mu, sigma^2) as a function of mu and sigma, so that slopes pass through it.

    Equation: (5.2)
    Lesson: 05

    Args:
      mu, log_sigma: float (n, Z). epsilon: draws of N(0, 1), shape (..., n, Z).

    Returns:
      z of epsilon's shape.

    >>> float(reparameterise(1.0, 0.0, -1.5))
    -0.5
    """
    return mu + ops.exp(log_sigma) * epsilon  # Eq. (5.2)


def log_p_given_z(pitch, struck, pitch_logits, struck_logits):
    """ln p(x | z): given z, each voice and step chooses alone what sounds, and if a pitch that stays is struck again.

    A pitch that is new is struck, a rest is not, and so is the first step: nothing to choose, nothing to pay. So the
    probabilities of all windows sum to 1.

    Equation: (5.3)
    Lesson: 05

    Args:
      pitch: int (..., T, V), 0 for a rest. struck: 0 or 1, same shape.
      pitch_logits: float (..., T, V, S). struck_logits: float (..., T, V), the log odds of being struck.

    Returns:
      Nats per window (...), summed over steps and voices.

    >>> held, even = [[[1], [1]]], [[[[0.0, 0.0]], [[0.0, 0.0]]]]  # one of two sounds, twice; not struck again
    >>> float(ops.exp(log_p_given_z(held, [[[1], [0]]], even, [[[0.0], [0.0]]]))[0])  # three coins
    0.125
    """
    pitch, struck_logits = ops.cast(pitch, "int32"), ops.convert_to_tensor(struck_logits)
    what = -ops.sparse_categorical_crossentropy(pitch, pitch_logits, from_logits=True)
    sign = 2 * ops.cast(struck, struck_logits.dtype) - 1
    stays = ops.cast(
        (pitch[..., 1:, :] == pitch[..., :-1, :]) & (pitch[..., 1:, :] > 0), struck_logits.dtype
    )
    whether = stays * ops.log_sigmoid((sign * struck_logits)[..., 1:, :])
    return ops.sum(what, axis=(-2, -1)) + ops.sum(whether, axis=(-2, -1))  # Eq. (5.3)


def kl_to_prior(mu, log_sigma):
    """KL(N(mu, sigma^2) || N(0, 1)) in closed form, one number per latent dimension, none negative.

    Equation: (5.4)
    Lesson: 05

    Args:
      mu, log_sigma: float (n, Z).

    Returns:
      Nats (n, Z); summed over Z it is the divergence of the window's Gaussian.

    >>> kl_to_prior([[0.0, 2.0]], [[0.0, 0.0]]).numpy()
    array([[0., 2.]], dtype=float32)
    """
    mu, log_sigma = ops.convert_to_tensor(mu), ops.convert_to_tensor(log_sigma)
    return 0.5 * (mu**2 + ops.exp(2 * log_sigma) - 1 - 2 * log_sigma)  # Eq. (5.4)


def elbo(log_p_x_given_z, mu, log_sigma, beta=1.0):
    """Reconstruction minus beta times KL: with beta = 1 a lower bound of ln p(x), in expectation over the draws.

    Equation: (5.5)
    Lesson: 05

    Args:
      log_p_x_given_z: of draws of z from each window's own Gaussian, nats (K, n); averaged over the K draws.
      mu, log_sigma: float (n, Z). beta: weight of the KL term.

    Returns:
      Nats per window (n,): the KL summed over Z.

    >>> elbo([[-3.0], [-5.0]], [[0.0, 2.0]], [[0.0, 0.0]]).numpy().tolist()
    [-6.0]
    """
    reconstruction = ops.mean(ops.convert_to_tensor(log_p_x_given_z), axis=0)
    return reconstruction - beta * ops.sum(kl_to_prior(mu, log_sigma), axis=-1)  # Eq. (5.5)


def importance_weighted(log_p_x_given_z, z, mu, log_sigma):
    """ln of the mean importance weight p(x | z) p(z) / q(z | x) over K draws z from each window's own Gaussian.

    In expectation a lower bound of ln p(x) that no K makes worse, and exact where q is the true posterior. With one
    draw it is an estimate of the ELBO. A single run may land above the truth.

    Equation: (5.7)
    Lesson: 05
    Source: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.

    Args:
      log_p_x_given_z: nats (K, n). z: the draws, float (K, n, Z). mu, log_sigma: float (n, Z).

    Returns:
      Nats per window (n,).

    >>> draws = [[[0.0]], [[0.0]]]  # q is the prior: the weights are p(x | z) alone, here 1 and 3
    >>> float(ops.exp(importance_weighted(ops.log([[1.0], [3.0]]), draws, [[0.0]], [[0.0]]))[0])
    2.0
    """
    log_prior, log_q = log_normal(z, 0.0, 0.0), log_normal(z, mu, log_sigma)
    log_w = ops.convert_to_tensor(log_p_x_given_z) + log_prior - log_q
    draws = ops.cast(ops.shape(log_w)[0], log_w.dtype)
    return ops.logsumexp(log_w, axis=0) - ops.log(draws)  # Eq. (5.7)
