"""What a perfect discriminator says of two known distributions, and what that makes the generator do."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from musiclab.models.adversarial.divergences import (
    discriminator_value,
    jensen_shannon,
    kullback_leibler,
    optimal_discriminator,
    optimal_generator_gradient,
)

rng = np.random.default_rng(0)
P, Q = rng.dirichlet(np.ones(6), size=2)
GAP = (
    np.array([0.5, 0.5, 0.0, 0.0]),
    np.array([0.0, 0.5, 0.5, 0.0]),
)  # each has what the other lacks; one neither


def softmax(a):
    exps = np.exp(a - a.max())
    return exps / exps.sum()


def test_optimal_discriminator_by_hand():
    # Eq. (10.4)
    np.testing.assert_allclose(optimal_discriminator(*GAP), [1, 0.5, 0, 0.5])
    np.testing.assert_allclose(optimal_discriminator([0.2, 0.8], [0.6, 0.4]), [0.25, 2 / 3])


def test_no_discriminator_is_better():
    # Eqs. (10.4), (10.6): climbing from nothing arrives at it
    logits = minimize(
        lambda s: -discriminator_value(1 / (1 + np.exp(-s)), P, Q), np.zeros(6), tol=1e-10
    ).x
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), optimal_discriminator(P, Q), atol=1e-4)
    best = discriminator_value(optimal_discriminator(P, Q), P, Q)
    assert all(discriminator_value(D, P, Q) < best for D in rng.uniform(size=(100, 6)))


def test_kullback_leibler_is_scipys():
    assert kullback_leibler(P, Q) == pytest.approx(entropy(P, Q), rel=1e-12)
    assert kullback_leibler(P, P) == 0
    assert kullback_leibler(*GAP) == np.inf
    assert kullback_leibler([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(np.log(2))


def test_jensen_shannon_is_scipys_squared():
    # Eq. (10.5)
    assert jensen_shannon(P, Q) == pytest.approx(jensenshannon(P, Q) ** 2, rel=1e-12)


def test_jensen_shannon_by_hand():
    # Eq. (10.5): half of each is shared, the other half costs log 2
    assert jensen_shannon(*GAP) == pytest.approx(np.log(2) / 2)
    assert jensen_shannon([1, 0], [0, 1]) == pytest.approx(np.log(2))
    assert jensen_shannon(P, Q) == pytest.approx(jensen_shannon(Q, P))
    assert jensen_shannon(P, P) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("pair", [(P, Q), (Q, P), GAP, (P, P)])
def test_the_best_value_is_the_divergence(pair):
    # Eq. (10.6)
    value = discriminator_value(optimal_discriminator(*pair), *pair)
    assert value == pytest.approx(-np.log(4) + 2 * jensenshannon(*pair) ** 2, rel=1e-12)


def test_value_of_one_who_is_wrong():
    # Eq. (10.6): 0.5 log 0.2 + 0.5 log 0.5 + 0.5 log 0.5 + 0.5 log 0.1 by hand; never forgiven
    # when sure
    by_hand = 0.5 * (np.log(0.2) + np.log(0.5) + np.log(0.5) + np.log(0.1))
    assert discriminator_value([0.2, 0.5, 0.9, 0.0], *GAP) == pytest.approx(by_hand)
    assert discriminator_value([0.0, 0.5, 0.9, 0.0], *GAP) == -np.inf


def along(objective, a, step=1e-6):
    """The gradient of an objective of p_g = softmax(a), by finite differences."""
    bumps = step * np.eye(len(a))
    return np.array(
        [(objective(softmax(a + e)) - objective(softmax(a - e))) / (2 * step) for e in bumps]
    )


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_generators_gradient_by_finite_differences(spread):
    # Eq. (10.7): what is said (D* held still) and what it amounts to (no discriminator at all)
    a = spread * rng.normal(size=6)
    p_g = softmax(a)
    held = optimal_discriminator(P, p_g)
    gradient = optimal_generator_gradient(P, p_g)
    np.testing.assert_allclose(
        gradient, along(lambda q: -q @ np.log(held), a), rtol=1e-5, atol=1e-9
    )
    amounts = along(lambda q: kullback_leibler(q, P) - 2 * jensen_shannon(P, q), a)
    np.testing.assert_allclose(gradient, amounts, rtol=1e-5, atol=1e-9)
    assert (
        abs(gradient - along(lambda q: 2 * jensen_shannon(P, q), a)).max() > 0.01
    )  # and not the minimax game's


def test_generators_gradient_stops_where_it_should():
    # Eq. (10.7)
    np.testing.assert_allclose(optimal_generator_gradient(P, P), 0, atol=1e-15)
    assert optimal_generator_gradient(P, Q).sum() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("function", [optimal_discriminator, kullback_leibler, jensen_shannon])
@pytest.mark.parametrize(
    ("p", "q", "why"),
    [
        ([0.5, 0.5], [1.0], r"\(2,\) and \(1,\)"),
        ([], [], "k > 0"),
        ([0.5, 0.6], [0.5, 0.5], "sum 1.1"),
        ([0.5, 0.5], [1.5, -0.5], "smallest -0.5"),
        ([0.5, np.nan], [0.5, 0.5], "sum nan"),
    ],
)
def test_what_is_no_distribution_is_refused(function, p, q, why):
    with pytest.raises(ValueError, match=why):
        function(p, q)


def test_bad_discriminators_and_logits_without_end_are_refused():
    with pytest.raises(ValueError, match="need 2 probabilities"):
        discriminator_value([0.5, 1.5], [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"D has shape \(1,\)"):
        discriminator_value([0.5], [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(ValueError, match="a probability is 0"):
        optimal_generator_gradient(*GAP)


def test_non_saturating_objective_is_a_divergence():
    """KL(p_g || p) - 2 JSD = 2 KL((p + p_g) / 2 || p): never negative, 0 only for p_g = p."""
    for p_g in rng.dirichlet(np.ones(6), size=20):
        left = kullback_leibler(p_g, P) - 2 * jensen_shannon(P, p_g)
        assert left == pytest.approx(2 * kullback_leibler((P + p_g) / 2, P), rel=1e-9)
        assert left > 0
    half = np.array([0.5, 0.5, 0.0, 0.0])  # a generator that leaves out half of what is real
    left = kullback_leibler(half, np.full(4, 0.25)) - 2 * jensen_shannon(np.full(4, 0.25), half)
    assert left == pytest.approx(1.5 * np.log(1.5) + 0.5 * np.log(0.5))
