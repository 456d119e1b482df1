"""Quantisation and normalisation: hand values, round trips, NumPy as a reference. Eqs. (1.1), (1.4)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from musiclab.data import (
    denormalise,
    dequantise,
    normalise,
    quantise,
)


def test_quantise_by_hand():
    """Eq. (1.1) on a time early, a triplet, a half step and two on the grid."""
    steps, deviation = quantise(np.array([0.0, 0.24, 1 / 3, 0.375, 2.0]))
    assert steps.dtype == np.int64
    assert steps.tolist() == [0, 1, 1, 2, 8]  # a half rounds up
    np.testing.assert_allclose(deviation, [0, -0.01, 1 / 3 - 0.25, -0.125, 0])


@given(hnp.arrays(float, 20, elements=st.floats(-1e6, 1e6)), st.integers(1, 24))
def test_quantising_moves_a_time_by_at_most_half_a_step(times, grid):
    """Eq. (1.1): |d| <= 1 / 2q, and grid plus deviation is the time."""
    steps, deviation = quantise(times, grid)
    assert (np.abs(deviation) <= 0.5 / grid + 1e-9).all()
    np.testing.assert_allclose(dequantise(steps, grid) + deviation, times)
    np.testing.assert_array_equal(quantise(dequantise(steps, grid), grid)[0], steps)


@pytest.mark.parametrize("times", [[np.nan], [np.inf]])
def test_times_that_are_no_numbers_are_refused(times):
    with pytest.raises(ValueError, match="finite"):
        quantise(times)


def test_normalise_by_hand_and_back():
    """Eq. (1.4) at both ends, in the middle and outside."""
    x = np.array([[36, 60], [84, 96]])
    y = normalise(x, 36, 84)
    assert y.tolist() == [[0, 0.5], [1, 1.25]]
    np.testing.assert_allclose(denormalise(y, 36, 84), x)


def test_normalise_agrees_with_numpys_interpolation():
    """Eq. (1.4) against np.interp."""
    x = np.linspace(-3, 7, 50)
    np.testing.assert_allclose(normalise(x, -3, 7), np.interp(x, [-3, 7], [0, 1]))


@pytest.mark.parametrize("function", [normalise, denormalise])
def test_an_interval_needs_a_width(function):
    with pytest.raises(ValueError, match="no width"):
        function([1], 5, 5)
