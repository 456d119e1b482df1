"""Partition functions: enumerated one by one, estimated upward and downward, for one machine and for many."""

import itertools

import numpy as np
import pytest

from musiclab.models.energy import partition_function
from musiclab.models.energy.partition_function import (
    binary_states,
    log_partition_ais,
    log_partition_exact,
)
from musiclab.models.energy.rbm_functions import energy

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


def test_mean_log_weight_errs_downward_and_the_estimate_converges():
    # Eq. (12.9)
    w = 3 * W
    truth = log_partition_exact(w, a, b)
    single = [log_partition_ais(w, a, b, 0, t, chains=2000).log_weights.mean() for t in (2, 8, 100)]
    assert single[0] < single[1] - 0.02 < single[2] - 0.03
    assert single[1] < truth - 0.01
    assert abs(single[2] - truth) < 0.01
    assert abs(log_partition_ais(w, a, b, 0, 300, chains=2000).log_z[0] - truth) <= 0.02


def test_binary_states_by_number():
    assert binary_states(3).shape == (8, 3)
    np.testing.assert_array_equal(binary_states(3) @ [1, 2, 4], np.arange(8))
    np.testing.assert_array_equal(binary_states(3, np.array([6])), [[0, 1, 1]])


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
        (lambda: log_partition_exact(W, b, a), r"a \(4,\), b \(6,\)"),
        (lambda: log_partition_ais(W, MANY[0], b, 0), r"a \(30, 6\), b \(4,\)"),
        (lambda: log_partition_ais(W, a, b, 0, temperatures=0), "0 temperatures"),
        (lambda: log_partition_ais(W, a, b, 0, chains=0), "0 chains"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
