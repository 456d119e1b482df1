"""Statistics of listening tests against hand values, SciPy, brute force and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from musiclab.metrics import listening

COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_interval_is_scipys(counts, level):
    """Eq. (17.1)"""
    right, n = counts
    wanted = binomtest(right, n).proportion_ci(level, method="wilson")
    found = listening.wilson_interval(right, n, level)
    assert found == pytest.approx((right / n, wanted.low, wanted.high), abs=1e-12)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_wilson_interval_by_hand():
    # 5 of 10: p = 1/2, so the middle is 1/2 and the half width z sqrt(1/40 + z^2/400) / (1 + z^2/10)
    z = 1.959964
    half = z * math.sqrt(0.025 + z**2 / 400) / (1 + z**2 / 10)
    assert listening.wilson_interval(5, 10) == pytest.approx((0.5, 0.5 - half, 0.5 + half))
    assert listening.wilson_interval(0, 10).high == pytest.approx(0.2775, abs=1e-4)


def test_wilson_interval_solves_the_score_equation():
    # each end is a share p0 at which the observed one is exactly z standard errors away
    share, low, high = listening.wilson_interval(17, 40)
    for p0 in (low, high):
        assert abs(share - p0) / math.sqrt(p0 * (1 - p0) / 40) == pytest.approx(norm.ppf(0.975))


@given(COUNTS, st.sampled_from([0.5, 1 / 3, 0.07]))
def test_p_value_is_scipys(counts, chance):
    """Eq. (17.2)"""
    right, n = counts
    wanted = binomtest(right, n, chance).pvalue
    assert listening.binomial_p_value(right, n, chance) == pytest.approx(wanted, rel=1e-8)


def test_p_value_by_hand():
    # 0, 1, 9 and 10 of 10 are no likelier than 9: 1 + 10 + 10 + 1 of 1024 outcomes
    assert listening.binomial_p_value(9, 10) == pytest.approx(22 / 1024)
    # three-way: of 2 answers, both right with 1/9, none with 4/9
    assert listening.binomial_p_value(2, 2, 1 / 3) == pytest.approx(1 / 9)
    assert listening.binomial_p_value(5, 10) == 1.0


def test_answers_needed_by_hand():
    """Eq. (17.3)"""
    # (1.960 * 0.5 + 0.8416 * sqrt(0.24)) / 0.1 = 13.92, squared 193.8
    assert (1.959964 * 0.5 + 0.841621 * math.sqrt(0.24)) / 0.1 == pytest.approx(13.92, abs=0.01)
    assert listening.answers_needed(0.6) == 194
    assert listening.answers_needed(0.4) == 194  # noticing that listeners are wrong
    # three-way, 43.3% against a third: (1.960 * 0.4714 + 0.8416 * 0.4955) / 0.1 = 13.41, squared 179.8
    assert listening.answers_needed(1 / 3 + 0.1, chance=1 / 3) == 180
    assert listening.answers_needed(0.6, power=0.9) == 259


@pytest.mark.parametrize("share", [0.55, 0.6, 0.7])
def test_that_many_answers_give_about_that_power(share):
    n = listening.answers_needed(share)
    assert listening.exact_power(n, share) == pytest.approx(0.8, abs=0.04)
    assert listening.exact_power(n // 2, share) < 0.6


@pytest.mark.parametrize(("n", "share", "chance"), [(12, 0.6, 0.5), (60, 0.45, 1 / 3)])
def test_exact_power_by_brute_force(n, share, chance):
    rejected = [k for k in range(n + 1) if binomtest(k, n, chance).pvalue <= 0.05]
    wanted = sum(binom.pmf(k, n, share) for k in rejected)
    assert listening.exact_power(n, share, chance) == pytest.approx(wanted)
    assert listening.exact_power(n, chance, chance) <= 0.05  # false alarms


def test_clustered_interval_by_hand():
    """Eq. (17.4)"""
    # shares 5/6 and 1/6 twice: p = 1/2, deviations of +-4, so 4/3 * 64 / 48^2 against 1/4 / 48
    interval, effect = listening.clustered_interval([10, 10, 2, 2], [12] * 4)
    assert effect == pytest.approx((4 / 3 * 64 / 48**2) / (0.25 / 48)) == pytest.approx(64 / 9)
    wanted = listening.wilson_interval(24 / effect, 48 / effect)
    assert interval == pytest.approx(wanted)


def test_clustered_variance_is_the_robust_one_of_a_regression_on_a_constant():
    # (X'X)^-1 (sum over clusters of X_g' e_g e_g' X_g) (X'X)^-1, with X a column of ones
    rng = np.random.default_rng(17)
    n = rng.integers(5, 20, 15)
    right = rng.binomial(n, rng.beta(4, 3, 15))
    y = np.concatenate([np.arange(m) < r for r, m in zip(right, n)]).astype(float)
    cluster = np.repeat(np.arange(15), n)
    X = np.ones((len(y), 1))
    bread = np.linalg.inv(X.T @ X)
    e = y - X @ bread @ X.T @ y
    scores = np.stack([X[cluster == g].T @ e[cluster == g] for g in range(15)])
    robust = (bread @ scores.T @ scores @ bread)[0, 0] * 15 / 14
    effect = listening.clustered_interval(right, n)[1]
    assert effect == pytest.approx(max(1, robust / (y.mean() * (1 - y.mean()) / len(y))))
    assert effect > 1


def test_listeners_who_are_all_alike_cost_nothing():
    interval, effect = listening.clustered_interval([6, 6, 6], [10, 10, 10])
    assert effect == 1
    assert interval == listening.wilson_interval(18, 30)
    assert listening.clustered_interval([4, 4], [4, 4])[0].high == 1.0


def test_clustered_intervals_cover_where_plain_ones_do_not():
    rng, covered = np.random.default_rng(3), np.zeros(2)
    for _ in range(400):
        right = rng.binomial(12, rng.beta(3, 2, 30))  # listeners differ; mean share 0.6
        plain = listening.wilson_interval(int(right.sum()), 360)
        clustered = listening.clustered_interval(right, [12] * 30)[0]
        covered += [one.low <= 0.6 <= one.high for one in (plain, clustered)]
    assert covered[0] / 400 < 0.85
    assert covered[1] / 400 > 0.9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: listening.wilson_interval(3, 0), "at least one answer"),
        (lambda: listening.wilson_interval(5, 4), "0 to 4 right"),
        (lambda: listening.wilson_interval(5, 10, 95), "level is 95"),
        (lambda: listening.binomial_p_value(2.5, 4), "whole numbers"),
        (lambda: listening.binomial_p_value(2, 4, 0), "chance is 0"),
        (lambda: listening.answers_needed(0.5), "both 0.5"),
        (lambda: listening.answers_needed(0.6, power=1), "power is 1"),
        (lambda: listening.clustered_interval([3], [4]), "two listeners"),
        (lambda: listening.clustered_interval([3, 5], [4, 4]), "0 to 4 right"),
        (lambda: listening.clustered_interval([3, 1, 2], [4, 4]), "one of each"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
