"""Reshape a distribution before sampling from it: softmax, temperature, top-k, nucleus.

All functions take NumPy arrays or tensors and return the same kind.
"""

from __future__ import annotations

import numpy as np

from musiclab.sampling.ancestral import check_temperature

__all__ = ["nucleus", "softmax", "temperature", "top_k"]


def softmax(logits):
    """Probabilities from logits, over the last axis.


    Args:
      logits: float (..., K); -inf is impossible, at least one per row is not.

    Returns:
      float (..., K), each row sums to 1.

    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    xp = _namespace(logits)
    exps = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return exps / xp.sum(exps, axis=-1, keepdims=True)


def temperature(logits, tau: float):
    """Divide logits by tau: below 1 sharpens the distribution, above 1 flattens it.

    Equation: (8.5)

    Args:
      logits: float (..., K).
      tau: above 0; 1 changes nothing, towards 0 only the likeliest symbol is left.

    Returns:
      Logits of the same shape.

    Raises:
      ValueError: if tau is not above 0.

    >>> softmax(temperature(np.log([1.0, 3.0]), 0.5))
    array([0.1, 0.9])
    """
    check_temperature(tau)
    return logits / tau  # Eq. (8.5)


def top_k(logits, k: int):
    """Keep the k likeliest symbols; where several tie for the last place, all of them stay.

    Equation: (8.6)

    Args:
      logits: float (..., K).
      k: 1 to K.

    Returns:
      Logits of the same shape, -inf for the symbols left out.

    Raises:
      ValueError: if k is outside 1..K.

    >>> top_k(np.array([3.0, 1.0, 2.0]), 2)
    array([  3., -inf,   2.])
    """
    if not 1 <= k <= logits.shape[-1]:
        raise ValueError(f"top-k with k = {k}: must be from 1 to {logits.shape[-1]}")
    xp = _namespace(logits)
    least = xp.sort(logits, axis=-1)[..., -k][..., None]
    return xp.where(logits >= least, logits, -np.inf)  # Eq. (8.6)


def nucleus(logits, p: float):
    """Keep the likeliest symbols that together have probability p, leave out the tail.

    The surer the model, the fewer symbols that takes.

    Equation: (8.7)
    Source: Holtzman, Buys, Du, Forbes and Choi, "The curious case of neural text degeneration",
      2020.

    Args:
      logits: float (..., K).
      p: above 0, at most 1; 1 keeps everything.

    Returns:
      Logits of the same shape, -inf for the symbols left out; the likeliest always stays.

    Raises:
      ValueError: if p is outside 0 < p <= 1.

    >>> nucleus(np.log([0.5, 0.3, 0.2]), 0.7).round(2)
    array([-0.69, -1.2 ,  -inf])
    """
    if not 0 < p <= 1:
        raise ValueError(f"nucleus p = {p}: must be above 0 and at most 1")
    xp = _namespace(logits)
    probs = softmax(logits)
    falling = -xp.sort(-probs, axis=-1)
    likelier = xp.cumsum(falling, axis=-1) - falling
    least = xp.min(xp.where(likelier < p, falling, np.inf), axis=-1, keepdims=True)
    return xp.where(probs >= least, logits, -np.inf)  # Eq. (8.7)


def _namespace(x):
    """NumPy for arrays, Keras operations of the same names for tensors."""
    if isinstance(x, np.ndarray | np.generic):
        return np
    from keras import ops

    return ops
