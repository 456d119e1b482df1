"""Exact gradient and exact samples against finite differences and enumerated probabilities."""

import numpy as np
import pytest

from musiclab.models.energy.enumeration import exact_gradient, exact_samples
from musiclab.models.energy.partition_function import binary_states, log_partition_exact
from musiclab.models.energy.rbm_functions import free_energy

rng = np.random.default_rng(0)
V, H = 6, 4
W, a, b = rng.normal(size=(V, H)), rng.normal(size=V), rng.normal(size=H)
VS, HS = binary_states(V), binary_states(H)


@pytest.mark.parametrize("shape", [(V, H), (H, V)])
def test_gradient_by_finite_differences(shape):
    # Eq. (12.7)
    w, p, q = rng.normal(size=shape), rng.normal(size=shape[0]), rng.normal(size=shape[1])
    x = rng.integers(0, 2, size=(5, shape[0])).astype(float)

    def likelihood(*parts):
        return float(np.mean(-free_energy(x, *parts)) - log_partition_exact(*parts))

    for k, found in enumerate(exact_gradient(x, w, p, q)):
        for i in np.ndindex(found.shape):
            nudged = [[part.copy() for part in (w, p, q)] for _ in range(2)]
            nudged[0][k][i] += 1e-5
            nudged[1][k][i] -= 1e-5
            assert found[i] == pytest.approx(
                (likelihood(*nudged[0]) - likelihood(*nudged[1])) / 2e-5, abs=1e-7
            )


def test_exact_gradient_vanishes_at_the_truth():
    p = np.exp(-free_energy(VS, W, a, b).numpy() - log_partition_exact(W, a, b))
    rows = np.repeat(VS, np.round(p * 1_000_000).astype(int), axis=0)
    assert max(abs(part).max() for part in exact_gradient(rows, W, a, b)) < 1e-4


@pytest.mark.parametrize("turned", [False, True])
def test_exact_samples_have_the_exact_marginals(turned):
    w, p, q = (W.T, b, a) if turned else (W, a, b)
    states = HS if turned else VS
    probs = np.exp(-free_energy(states, w, p, q).numpy() - log_partition_exact(w, p, q))
    drawn = exact_samples(w, p, q, 20_000, seed=1)
    assert drawn.shape == (20_000, len(p))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), probs @ states, atol=0.015)
    np.testing.assert_allclose(
        drawn.T @ drawn / len(drawn), states.T @ (states * probs[:, None]), atol=0.015
    )
    np.testing.assert_array_equal(drawn[:50], exact_samples(w, p, q, 20_000, seed=1)[:50])


@pytest.mark.parametrize(
    "call",
    [
        lambda weights: exact_gradient(np.zeros((1, 21)), *weights),
        lambda weights: exact_samples(*weights, 1, 0),
    ],
)
def test_too_many_units_to_enumerate(call):
    with pytest.raises(ValueError, match=r"at most 20.*log_partition_ais estimates"):
        call((np.zeros((21, 22)), np.zeros(21), np.zeros(22)))
