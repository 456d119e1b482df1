"""Divergences between discrete distributions, and the optimal discriminator between them."""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr, xlogy

__all__ = [
    "discriminator_value",
    "jensen_shannon",
    "kullback_leibler",
    "optimal_discriminator",
    "optimal_generator_gradient",
]


def optimal_discriminator(p: np.ndarray, p_g: np.ndarray) -> np.ndarray:
    """Optimal discriminator, D*(x) = p(x) / (p(x) + p_g(x)), which has the largest value.

    Equation: (10.4)
    Source: Goodfellow et al. 2014, proposition 1.

    Args:
      p: probabilities of the real distribution, shape (k,), summing to 1.
      p_g: the generator's, same shape.

    Returns:
      float64 (k,): the probability of "real"; 1/2 where both are 0.

    Raises:
      ValueError: if the shapes differ, or either is not a distribution.

    >>> optimal_discriminator([0.25, 0.75], [0.75, 0.25]).tolist()
    [0.25, 0.75]
    """
    p, p_g = _pair(p, p_g)
    both = p + p_g
    return np.divide(p, both, out=np.full_like(p, 0.5), where=both > 0)  # Eq. (10.4)


def kullback_leibler(p: np.ndarray, q: np.ndarray) -> float:
    """Kullback-Leibler divergence, KL(p || q) = sum p ln(p / q).

    Args, Raises: as :func:`optimal_discriminator`.

    Returns:
      Nats, >= 0; infinite where q is 0 and p is not.

    >>> round(kullback_leibler([1.0, 0.0], [0.5, 0.5]), 6)  # ln 2
    0.693147
    """
    p, q = _pair(p, q)
    return float(rel_entr(p, q).sum())


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon divergence, KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2.

    Equation: (10.5)

    Args, Raises: as :func:`optimal_discriminator`.

    Returns:
      Nats, from 0 for equal distributions to ln 2 for disjoint ones; SciPy's distance is the
      square root.

    >>> round(jensen_shannon([1.0, 0.0], [0.0, 1.0]), 6)  # ln 2
    0.693147
    """
    p, q = _pair(p, q)
    m = (p + q) / 2
    return float(rel_entr(p, m).sum() + rel_entr(q, m).sum()) / 2  # Eq. (10.5)


def discriminator_value(D: np.ndarray, p: np.ndarray, p_g: np.ndarray) -> float:
    """Value of a discriminator, V(D) = sum p ln D + sum p_g ln(1 - D).

    It is at most -ln 4 + 2 JSD(p, p_g), at D = D*.

    Equation: (10.6)

    Args:
      D: the discriminator's probabilities of "real", shape (k,), in [0, 1].
      p, p_g: as :func:`optimal_discriminator`.

    Returns:
      Nats, <= 0; minus infinity where D is 0 or 1 and wrong.

    Raises:
      ValueError: as :func:`optimal_discriminator`, or if D leaves [0, 1].

    >>> round(discriminator_value([0.5, 0.5], [1.0, 0.0], [0.0, 1.0]), 6)  # -ln 4
    -1.386294
    """
    p, p_g = _pair(p, p_g)
    D = np.asarray(D, np.float64)
    if D.shape != p.shape or not np.all((D >= 0) & (D <= 1)):
        raise ValueError(f"D has shape {D.shape}: need {len(p)} probabilities")
    return float(np.sum(xlogy(p, D) + xlogy(p_g, 1 - D)))  # Eq. (10.6)


def optimal_generator_gradient(p: np.ndarray, p_g: np.ndarray) -> np.ndarray:
    """Gradient of mean -ln D*(G(z)) with respect to the generator's logits a, p_g = softmax(a), D* fixed.

    It equals the gradient of KL(p_g || p) - 2 JSD(p, p_g), which is 2 KL((p + p_g) / 2 || p): at
    least 0, and 0 only where p_g = p.

    Equation: (10.7)
    Source: Arjovsky and Bottou 2017, Towards principled methods for training GANs, theorem 2.5.

    Args:
      p, p_g: as :func:`optimal_discriminator`, nowhere 0.

    Returns:
      float64 (k,), summing to 0.

    Raises:
      ValueError: as :func:`optimal_discriminator`, or if a probability is 0.

    >>> optimal_generator_gradient([0.5, 0.5], [0.5, 0.5]).tolist()
    [0.0, 0.0]
    """
    p, p_g = _pair(p, p_g)
    if min(p.min(), p_g.min()) == 0:
        raise ValueError("a probability is 0: there is no finite logit for it, and no gradient")
    loss = -np.log(p / (p + p_g))
    return p_g * (loss - p_g @ loss)  # Eq. (10.7)


def _pair(p, q):
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if p.shape != q.shape or p.ndim != 1 or len(p) == 0:
        raise ValueError(f"distributions of shape {p.shape} and {q.shape}: need both (k,), k > 0")
    for d in (p, q):
        if not (np.all(d >= 0) and np.isclose(d.sum(), 1)):
            raise ValueError(f"sum {d.sum():.6g}, smallest {d.min():.6g}: need >= 0, sum 1")
    return p, q
