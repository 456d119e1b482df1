"""Partition functions: enumerated one by one, estimated upward and downward, for one machine and for many."""

import itertools

import numpy as np
import pytest

from musiclab.models.energy import partition_function
from musiclab.models.energy.partition_function import (
    exact_gradient,
    exact_samples,
    log_partition_ais,
    log_partition_exact,
    log_partition_reverse_ais,
)
from musiclab.models.energy.rbm_functions import energy, free_energy

rng = np.random.default_rng(0)
V, H = 6, 4
W, a, b = rng.normal(size=(V, H)), rng.normal(size=V), rng.normal(size=H)
VS = np.array(list(itertools.product((0.0, 1.0), repeat=V)))
HS = np.array(list(itertools.product((0.0, 1.0), repeat=H)))
MANY = rng.normal(size=(30, V)), rng.normal(size=(30, H))


def test_every_state_counted_once(monkeypatch):
    # Eq. (12.2)
    states = [(v, h) for v in VS for h in HS]
    energies = energy(*(np.array(part) for part in zip(*states)), W, a, b).numpy()
    wanted = np.log(np.exp(-energies).sum())
    assert log_partition_exact(W, a, b) == pytest.approx(wanted, abs=1e-12)
    assert log_partition_exact(W.T, b, a) == pytest.approx(
        wanted, abs=1e-12
    )  # enumerates the visible units
    monkeypatch.setattr(
        partition_function, "STATES", 3
    )  # chunks that don't divide the number of states
    assert log_partition_exact(W, a, b) == pytest.approx(wanted, abs=1e-12)


def test_many_machines_are_many_single_ones():
    together = log_partition_exact(W, *MANY)
    assert together.shape == (30,)
    assert together[7] == pytest.approx(log_partition_exact(W, MANY[0][7], MANY[1][7]))
    np.testing.assert_allclose(log_partition_exact(W.T, *MANY[::-1]), together)


def test_independent_units_in_closed_form():
    wanted = np.logaddexp(0, a).sum() + np.logaddexp(0, b).sum()
    assert log_partition_exact(np.zeros((V, H)), a, b) == pytest.approx(wanted)
    found = log_partition_ais(np.zeros((V, H)), a, b, seed=0, temperatures=5, base=a)
    assert found.log_z[0] - wanted == pytest.approx(0, abs=0.1)


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


def test_ais_agrees_with_enumeration_for_many_machines():
    # Eq. (12.9)
    found, exact = (
        log_partition_ais(W, *MANY, seed=0, temperatures=500, chains=50),
        log_partition_exact(W, *MANY),
    )
    assert abs((found.log_z - exact).mean()) <= 0.02
    assert found.log_weights.shape == (30, 50)
    error = abs(found.log_z - exact) / found.standard_error
    assert 0.4 < np.mean(error < 1) < 0.95  # the error bar is neither too short nor too long
    assert error.max() < 5


def test_ais_and_its_reverse_hold_the_truth_between_them():
    # Eq. (12.9)
    w = 3 * W
    truth, samples = log_partition_exact(w, a, b), exact_samples(w, a, b, 2000, seed=3)
    gaps = []
    for temperatures in (2, 8, 100):
        # single chains: the mean of ln w falls short of ln Z by what is lost, and backward exceeds it
        up = log_partition_ais(w, a, b, 0, temperatures, chains=2000).log_weights.mean()
        down = log_partition_reverse_ais(w, a, b, samples, 0, temperatures).log_weights.mean()
        assert up < truth < down or temperatures == 100  # there, chance alone decides
        gaps.append(down - up)
    assert gaps[0] > gaps[1] > 3 * abs(gaps[2])
    assert abs(log_partition_ais(w, a, b, 0, 300, chains=2000).log_z[0] - truth) <= 0.02
    assert abs(log_partition_reverse_ais(w, a, b, samples, 0, 300).log_z[0] - truth) <= 0.02


def test_whatever_the_independent_start(monkeypatch):
    wanted = log_partition_ais(W, *MANY, seed=0, chains=20).log_z
    monkeypatch.setattr(partition_function, "ROWS", 7 * 20)  # groups of seven machines
    found = log_partition_ais(W, *MANY, seed=1, chains=20, base=np.linspace(-1, 1, V)).log_z
    np.testing.assert_allclose(found, wanted, atol=0.1)


def test_the_same_seed_gives_the_same():
    once, again, other = (
        log_partition_ais(W, a, b, seed, 20, 10).log_weights for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: log_partition_exact(np.zeros((21, 22)), np.zeros(21), np.zeros(22)), "at most 20"),
        (
            lambda: exact_gradient(
                np.zeros((1, 21)), np.zeros((21, 22)), np.zeros(21), np.zeros(22)
            ),
            "at most 20",
        ),
        (
            lambda: exact_samples(np.zeros((21, 22)), np.zeros(21), np.zeros(22), 1, 0),
            "log_partition_ais estimates",
        ),
        (lambda: log_partition_exact(W, b, a), r"a \(4,\), b \(6,\)"),
        (lambda: log_partition_ais(W, MANY[0], b, 0), r"a \(30, 6\), b \(4,\)"),
        (lambda: log_partition_ais(W, a, b, 0, temperatures=0), "0 temperatures"),
        (lambda: log_partition_ais(W, a, b, 0, chains=0), "0 chains"),
        (lambda: log_partition_reverse_ais(W, a, b, np.zeros((3, 4)), 0), r"need \(C, 6\)"),
        (lambda: log_partition_reverse_ais(W, *MANY, np.zeros((3, 6)), 0), "one machine"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
