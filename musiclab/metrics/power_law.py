"""Scaling curves: a power law fitted to losses, with its uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["PowerLaw", "fit_power_law"]


class PowerLaw(NamedTuple):
    """y = scale * x**-exponent.

    Attributes:
      scale, exponent: of the fit.
      error: standard error of the exponent, from the scatter about the line.
    """

    scale: float
    exponent: float
    error: float

    def __call__(self, x):
        """The law's y at x."""
        return self.scale * np.asarray(x, float) ** -self.exponent


def fit_power_law(x, y) -> PowerLaw:
    """Fit a straight line to ln y against ln x by least squares.

    The standard error assumes that points scatter about a straight line independently: it says
    nothing of a curve that bends.

    Equation: (19.3)

    Lesson: 19

    Args:
      x, y: positive numbers (n,), n at least 3, not all x the same.

    Raises:
      ValueError: if there are fewer, or one is not positive.

    >>> law = fit_power_law([1, 4, 16], [8, 4, 2])
    >>> round(law.scale, 6), round(law.exponent, 6), round(float(law(64)), 6)
    (8.0, 0.5, 1.0)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 3 or len(np.unique(x)) < 2:
        raise ValueError(f"{x.shape} and {y.shape} numbers: need three points or more, at two x")
    if (x <= 0).any() or (y <= 0).any():
        raise ValueError("a power law has positive x and y only")
    u, v = np.log(x) - np.log(x).mean(), np.log(y)
    exponent = -(u @ v) / (u @ u)  # Eq. (19.3)
    scale = np.exp(v.mean() + exponent * np.log(x).mean())
    rest = v - v.mean() + exponent * u
    error = np.sqrt(rest @ rest / (len(x) - 2) / (u @ u))
    return PowerLaw(float(scale), float(exponent), float(error))
