"""Difference of means between matched observations: a comparison with its control."""

from __future__ import annotations

import numpy as np

__all__ = ["matched_difference"]


def matched_difference(values, chosen, same) -> np.ndarray:
    """Mean of chosen observations minus that of others which agree with them in other respects.

    Observations are compared within groups of equal rows of ``same``. The groups' differences are
    averaged, each weighted by its chosen observations; groups without others are left out.

    Args:
      values: (n, ...), what was observed, such as gates (notes, H).
      chosen: bool (n,), the observations of interest, at least one.
      same: (n, k), what the others have to share, such as pitch and length.

    Returns:
      float64 (...): the difference for each value.

    Raises:
      ValueError: if lengths differ, or no chosen observation has another to be compared with.

    >>> heights, is_bass, age = [180, 170, 150, 130], [True, False, True, False], [[40], [40], [9], [9]]
    >>> float(matched_difference(heights, is_bass, age))
    15.0
    """
    values, chosen = np.asarray(values, np.float64), np.asarray(chosen, bool)
    same = np.asarray(same)
    if not len(values) == len(chosen) == len(same):
        raise ValueError(
            f"{len(values)} values, {len(chosen)} choices, {len(same)} rows: need as many of each"
        )
    group = np.unique(same, axis=0, return_inverse=True)[1].ravel()
    differences, weights = [], []
    for one in np.unique(group[chosen]):
        ours, others = chosen & (group == one), ~chosen & (group == one)
        if others.any():
            differences.append(values[ours].mean(axis=0) - values[others].mean(axis=0))
            weights.append(ours.sum())
    if not weights:
        raise ValueError("no chosen observation has another one in its group to be compared with")
    return np.average(differences, axis=0, weights=weights)
