"""Quantisation to a grid of steps, and min-max normalisation."""

from __future__ import annotations

import numpy as np

from musiclab.data.piece import STEPS_PER_QUARTER

__all__ = [
    "denormalise",
    "dequantise",
    "normalise",
    "quantise",
]


def quantise(
    times: np.ndarray, steps_per_quarter: int = STEPS_PER_QUARTER
) -> tuple[np.ndarray, np.ndarray]:
    """Round times to the nearest step of a grid.

    Equation: (1.1)

    Args:
      times: in quarter notes, any shape, finite.
      steps_per_quarter: 4 for a grid of 16ths.

    Returns:
      steps int64 of that shape (halves round up), and the deviation float64, time minus grid, in
      quarter notes: at most half a step.

    Raises:
      ValueError: on a time that is not finite, or a grid of less than one step.

    >>> steps, deviation = quantise(np.array([0.0, 0.3]))
    >>> steps, deviation.round(2)
    (array([0, 1]), array([0.  , 0.05]))
    """
    times = np.asarray(times, float)
    if steps_per_quarter < 1 or not np.isfinite(times).all():
        raise ValueError(
            "times are finite numbers of quarter notes, on a grid of at least one step per quarter"
        )
    steps = np.floor(times * steps_per_quarter + 0.5).astype(np.int64)  # Eq. (1.1)
    return steps, times - dequantise(steps, steps_per_quarter)


def dequantise(steps: np.ndarray, steps_per_quarter: int = STEPS_PER_QUARTER) -> np.ndarray:
    """Steps back to quarter notes: the inverse of :func:`quantise` up to its deviation.

    Args:
      steps: integers, any shape.
      steps_per_quarter: as in :func:`quantise`.

    Returns:
      float64, quarter notes.

    >>> dequantise(np.array([6]))
    array([1.5])
    """
    return np.asarray(steps) / steps_per_quarter


def normalise(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scale numbers from low..high to 0..1, which is what a network's inputs should be near.

    Equation: (1.4)

    Args:
      x: any shape.
      low: what becomes 0.
      high: what becomes 1; above ``low``.

    Returns:
      float64 of that shape; values outside low..high land outside 0..1.

    Raises:
      ValueError: if high <= low.

    >>> normalise(np.array([36, 60, 84]), 36, 84)
    array([0. , 0.5, 1. ])
    """
    _check_interval(low, high)
    return (np.asarray(x, float) - low) / (high - low)  # Eq. (1.4)


def denormalise(y: np.ndarray, low: float, high: float) -> np.ndarray:
    """The inverse of :func:`normalise`.

    Args:
      y: any shape.
      low: what 0 stands for.
      high: what 1 stands for.

    Returns:
      float64 of that shape.

    Raises:
      ValueError: if high <= low.

    >>> denormalise(np.array([0.5]), 36, 84)
    array([60.])
    """
    _check_interval(low, high)
    return np.asarray(y, float) * (high - low) + low


def _check_interval(low, high):
    if not low < high:
        raise ValueError(f"an interval from {low} to {high} has no width: high must be above low")
