"""Mean squared error as lesson 04 writes it, and its gradient.

Lessons: 04.
"""

from __future__ import annotations

import numpy as np

__all__ = ["mean_squared_error", "mean_squared_error_gradient"]


def mean_squared_error(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Average squared distance between samples and their reconstructions.

    Sums over features and averages over samples. Keras' ``"mse"`` averages
    over both, so it is smaller by the number of features d.

    Equation: (4.1)
    Lesson: 04
    Source: source article on autoencoders, section 3.2.

    Args:
      x: samples, shape (n, d) or (n, ...) with d numbers each, float or integer.
      x_hat: reconstructions, same shape.

    Returns:
      The loss in squared input units, >= 0; 0 only where ``x == x_hat``.

    Raises:
      ValueError: if the shapes differ, x is a single vector, or n is 0.

    >>> mean_squared_error(np.array([[0., 1.]]), np.array([[0., 3.]]))
    4.0
    """
    x, x_hat = _pair(x, x_hat)
    squares = ((x - x_hat) ** 2).reshape(len(x), -1)
    return float(np.mean(np.sum(squares, axis=1)))  # Eq. (4.1)


def mean_squared_error_gradient(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Gradient of :func:`mean_squared_error` with respect to ``x_hat``.

    Equation: (4.2)
    Lesson: 04

    Args:
      x: samples, shape (n, d) or (n, ...).
      x_hat: reconstructions, same shape.

    Returns:
      float64 of that shape: how fast the loss rises with each number of ``x_hat``.

    Raises:
      ValueError: as :func:`mean_squared_error`.

    >>> mean_squared_error_gradient(np.array([[0., 1.]]), np.array([[0., 3.]]))
    array([[0., 4.]])
    """
    x, x_hat = _pair(x, x_hat)
    return 2 / len(x) * (x_hat - x)  # Eq. (4.2)


def _pair(x, x_hat):
    # float64: piano rolls may arrive as uint8, whose differences would wrap around
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if x.shape != x_hat.shape:
        raise ValueError(
            f"x has shape {x.shape}, x_hat {x_hat.shape}: reconstruct the same samples"
        )
    if x.ndim < 2:
        raise ValueError(
            f"x has shape {x.shape}: need (samples, features); a single sample is a batch of one, x[None]"
        )
    if len(x) == 0:
        raise ValueError("no samples: pass at least one row")
    return x, x_hat
