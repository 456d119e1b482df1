"""Terms of the evidence lower bound (ELBO): diagonal Gaussian posterior, standard Gaussian prior.

Pure functions on tensors or arrays, in nats. mu and log_sigma have shape (N, Z): mean and log
standard deviation of q(z | x) for each of N windows.
"""

from __future__ import annotations

import math

from keras import ops

__all__ = [
    "elbo",
    "importance_weighted_bound",
    "kl_to_prior",
    "log_gaussian",
    "log_p_given_z",
    "reparameterise",
]


def log_gaussian(z, mu, log_sigma):
    """Log density of a Gaussian with independent dimensions.

    Equation: (5.1)

    Args:
      z: points, float (..., Z). mu, log_sigma: of shapes that broadcast to that of z.

    Returns:
      Nats (...), summed over the dimensions.

    >>> round(float(log_gaussian([[0.0, 0.0]], 0.0, 0.0)[0]), 4)  # two times -ln(2 pi) / 2
    -1.8379
    """
    z = ops.convert_to_tensor(z)
    mu, log_sigma = (ops.convert_to_tensor(part, dtype=z.dtype) for part in (mu, log_sigma))
    score = (z - mu) * ops.exp(-log_sigma)
    return -0.5 * ops.sum(score**2 + 2 * log_sigma + math.log(2 * math.pi), axis=-1)  # Eq. (5.1)


def reparameterise(mu, log_sigma, epsilon):
    """A sample of N(mu, sigma^2) as a function of mu and sigma, so that gradients reach them.

    Equation: (5.2)

    Args:
      mu, log_sigma: float (N, Z). epsilon: samples of N(0, 1), shape (..., N, Z).

    Returns:
      z, of epsilon's shape.

    >>> float(reparameterise(1.0, 0.0, -1.5))
    -0.5
    """
    return mu + ops.exp(log_sigma) * epsilon  # Eq. (5.2)


def log_p_given_z(pitch, onset, pitch_logits, onset_logits):
    """ln p(x | z): given z, pitches and repeated onsets are independent over voices and steps.

    A new pitch always has an onset and a rest never, so the onset has a probability only where a
    pitch stays the same. The probabilities of all windows then sum to 1.

    Equation: (5.3)

    Args:
      pitch: int (..., T, V), 0 for a rest. onset: 0 or 1, same shape.
      pitch_logits: float (..., T, V, P). onset_logits: float (..., T, V), log odds of an onset.

    Returns:
      Nats per window (...), summed over steps and voices.

    >>> held = [[[1], [1]]], [[[1], [0]]]  # one of two pitches, over two steps
    >>> even = [[[[0.0, 0.0]], [[0.0, 0.0]]]], [[[0.0], [0.0]]]  # three choices of probability 1/2
    >>> float(ops.exp(log_p_given_z(*held, *even))[0])
    0.125
    """
    pitch, onset_logits = ops.cast(pitch, "int32"), ops.convert_to_tensor(onset_logits)
    pitch_log_p = -ops.sparse_categorical_crossentropy(pitch, pitch_logits, from_logits=True)
    is_same = (pitch[..., 1:, :] == pitch[..., :-1, :]) & (pitch[..., 1:, :] > 0)
    sign = 2 * ops.cast(onset, onset_logits.dtype) - 1  # ln p(onset) = log_sigmoid(sign * logit)
    stays = ops.cast(is_same, onset_logits.dtype)
    onset_log_p = stays * ops.log_sigmoid((sign * onset_logits)[..., 1:, :])
    return ops.sum(pitch_log_p, axis=(-2, -1)) + ops.sum(onset_log_p, axis=(-2, -1))  # Eq. (5.3)


def kl_to_prior(mu, log_sigma):
    """KL divergence from the prior, KL(N(mu, sigma^2) || N(0, 1)), of each latent dimension.

    Equation: (5.4)

    Args:
      mu, log_sigma: float (N, Z).

    Returns:
      Nats (N, Z), none negative; the sum over Z is the divergence of a window's posterior.

    >>> kl_to_prior([[0.0, 2.0]], [[0.0, 0.0]]).numpy()
    array([[0., 2.]], dtype=float32)
    """
    mu, log_sigma = ops.convert_to_tensor(mu), ops.convert_to_tensor(log_sigma)
    return 0.5 * (mu**2 + ops.exp(2 * log_sigma) - 1 - 2 * log_sigma)  # Eq. (5.4)


def elbo(log_p_x_given_z, mu, log_sigma):
    """The ELBO: reconstruction minus KL, in expectation over z a lower bound of ln p(x).

    Equation: (5.5)

    Args:
      log_p_x_given_z: for K samples of z from each posterior, nats (K, N).
      mu, log_sigma: float (N, Z).

    Returns:
      Nats per window (N,): averaged over the K samples, the KL summed over Z.

    >>> elbo([[-3.0], [-5.0]], [[0.0, 2.0]], [[0.0, 0.0]]).numpy().tolist()
    [-6.0]
    """
    reconstruction = ops.mean(ops.convert_to_tensor(log_p_x_given_z), axis=0)
    return reconstruction - ops.sum(kl_to_prior(mu, log_sigma), axis=-1)  # Eq. (5.5)


def importance_weighted_bound(log_p_x_given_z, z, mu, log_sigma):
    """ln of the mean importance weight p(x | z) p(z) / q(z | x) over K samples of z.

    In expectation a lower bound of ln p(x) that rises with K; with K = 1 it is an estimate of the
    ELBO. A single estimate may exceed ln p(x).

    Equation: (5.7)
    Source: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.

    Args:
      log_p_x_given_z: nats (K, N). z: samples of each posterior, float (K, N, Z).
      mu, log_sigma: float (N, Z).

    Returns:
      Nats per window (N,).

    >>> draws = [[[0.0]], [[0.0]]]  # q is the prior: the weights are p(x | z) alone, here 1 and 3
    >>> log_p = ops.log([[1.0], [3.0]])
    >>> float(ops.exp(importance_weighted_bound(log_p, draws, [[0.0]], [[0.0]]))[0])
    2.0
    """
    log_prior, log_q = log_gaussian(z, 0.0, 0.0), log_gaussian(z, mu, log_sigma)
    log_w = ops.convert_to_tensor(log_p_x_given_z) + log_prior - log_q
    draws = ops.cast(ops.shape(log_w)[0], log_w.dtype)
    return ops.logsumexp(log_w, axis=0) - ops.log(draws)  # Eq. (5.7)
