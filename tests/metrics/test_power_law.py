"""The power law of scaling curves."""

import numpy as np
import pytest
from scipy import stats

from musiclab.metrics import fit_power_law


def test_a_power_law_is_found():
    """Eq. (19.3): y = 6 / x**0.25."""
    x = np.array([1.0, 16, 81, 256])
    law = fit_power_law(x, 6 * x**-0.25)
    assert (law.scale, law.exponent) == pytest.approx((6, 0.25))
    assert law.error == pytest.approx(0, abs=1e-9)
    assert law(10_000) == pytest.approx(0.6)


def test_against_scipy():
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 100, 12)
    y = 3 * x**-0.4 * np.exp(0.1 * rng.normal(size=12))
    law, line = fit_power_law(x, y), stats.linregress(np.log(x), np.log(y))
    assert law.exponent == pytest.approx(-line.slope)
    assert law.error == pytest.approx(line.stderr)
    assert law.scale == pytest.approx(np.exp(line.intercept))


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([1, 2], [1, 2], "three points"),
        ([1, 1, 1], [1, 2, 3], "two x"),
        ([1, 2, 0], [1, 2, 3], "positive"),
        ([1, 2, 3], [1, -2, 3], "positive"),
    ],
)
def test_bad_input(x, y, said):
    with pytest.raises(ValueError, match=said):
        fit_power_law(x, y)
