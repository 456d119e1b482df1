"""The bound of two stacked machines: equal to the likelihood where it must be, never above it, rising with the top."""

import itertools

import numpy as np
import pytest

from musiclab.models.energy.dbn_bound import transposed, variational_bound
from musiclab.models.energy.enumeration import exact_gradient
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.softmax_rbm import SoftmaxRBM

rng = np.random.default_rng(3)
V, H = 5, 4
ROWS = np.array(list(itertools.product((0, 1), repeat=V)), np.float32)
DATA = ROWS[[3, 12, 24, 30, 31]]


def machine(visible, hidden, size=1.0, seed=0):
    values = np.random.default_rng(seed)
    shapes = (visible, hidden), visible, hidden
    return RBM(visible, hidden).assign(*(size * values.normal(size=shape) for shape in shapes))


def codes(below, n=4000):
    """States of h1 as the lower machine sees the data."""
    probs = below.hidden_probs(DATA[np.arange(n) % len(DATA)])
    return (rng.random(probs.shape) < probs).astype(np.float64)


def improved(above, h, steps=40, rate=0.3):
    """The machine after exact gradient ascent on codes h."""
    W, a, b = (variable.numpy().astype(float) for variable in (above.W, above.a, above.b))
    for _ in range(steps):
        W, a, b = (
            part + rate * slope for part, slope in zip((W, a, b), exact_gradient(h, W, a, b))
        )
    return RBM(above.visible, above.hidden).assign(W, a, b)


def true_log_likelihood(below, above):
    """ln p(v) of the stack, by the sum over h1 that the bound avoids."""
    h = np.array(list(itertools.product((0, 1), repeat=H)), np.float64)
    probs = below.visible_probs(h).astype(float)
    given = ROWS @ np.log(probs).T + (1 - ROWS) @ np.log1p(-probs).T
    return np.log(np.exp(given + above.log_likelihood(h)).sum(axis=1))


def test_the_transposed_machine_swaps_layers_and_biases():
    # Eq. (13.5)
    below = machine(V, H)
    above = transposed(below)
    np.testing.assert_array_equal(above.W, below.W.numpy().T)
    np.testing.assert_array_equal(above.a, below.b)
    np.testing.assert_array_equal(above.b, below.a)
    np.testing.assert_allclose(
        above.hidden_probs(np.eye(H)), below.visible_probs(np.eye(H)), atol=1e-6
    )


def test_started_transposed_the_bound_is_the_lower_machines_log_likelihood():
    # Eqs. (13.4), (13.5)
    below = machine(V, H)
    bound = variational_bound(ROWS, below, transposed(below))
    np.testing.assert_allclose(bound, below.log_likelihood(ROWS), atol=1e-5)
    np.testing.assert_allclose(true_log_likelihood(below, transposed(below)), bound, atol=1e-5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bound_lies_below_the_likelihood_whatever_is_on_top(seed):
    # Eq. (13.4)
    below, above = machine(V, H), machine(H, 3, seed=seed)
    gap = true_log_likelihood(below, above) - variational_bound(ROWS, below, above)
    assert (gap > 0).all()
    assert gap.max() > 0.01
    assert np.exp(true_log_likelihood(below, above)).sum() == pytest.approx(1, abs=1e-5)


def test_improving_the_top_from_the_transpose_never_lowers_the_bound():
    below = machine(V, H, size=0.5)
    above, h = transposed(below), codes(below)
    bounds = [variational_bound(DATA, below, above).mean()]
    for _ in range(5):
        above = improved(above, h, steps=20, rate=0.1)
        bounds.append(variational_bound(DATA, below, above).mean())
    assert (np.diff(bounds) > 0).all()
    assert bounds[0] == pytest.approx(below.log_likelihood(DATA).mean(), abs=1e-5)
    assert true_log_likelihood(below, above)[[3, 12, 24, 30, 31]].mean() >= bounds[-1]


def test_a_random_start_falls_below_what_the_lower_machine_had():
    below = machine(V, H, size=1.5)
    random = machine(H, V, size=1.5, seed=9)
    assert variational_bound(DATA, below, random).mean() < below.log_likelihood(DATA).mean() - 1
    better = improved(
        random, codes(below), steps=3, rate=0.1
    )  # it improves, and still has not caught up
    gained = variational_bound(DATA, below, better).mean()
    assert (
        variational_bound(DATA, below, random).mean() < gained < below.log_likelihood(DATA).mean()
    )


def test_the_bound_rises_by_what_the_top_gains_on_the_codes():
    below, above = machine(V, H), machine(H, 3, seed=1)
    other, h = machine(H, 3, seed=2), np.array(list(itertools.product((0, 1), repeat=H)), float)
    probs = below.hidden_probs(ROWS)[:, None]
    q = np.prod(np.where(h == 1, probs, 1 - probs), axis=2)
    gained = variational_bound(ROWS, below, other) - variational_bound(ROWS, below, above)
    np.testing.assert_allclose(
        gained, q @ (other.log_likelihood(h) - above.log_likelihood(h)), atol=1e-5
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: variational_bound(ROWS, machine(V, H), machine(3, 2)),
            "4 hidden units below, 3 visible above",
        ),
        (lambda: variational_bound(ROWS[:, :3], machine(V, H), machine(H, 2)), r"need \(n, 5\)"),
        (lambda: variational_bound(ROWS / 2, machine(V, H), machine(H, 2)), "0 and 1"),
        (lambda: variational_bound(ROWS, machine(V, 21), machine(21, 2)), "at most 20"),
        (lambda: variational_bound(ROWS, machine(V, H), RBM(H, 2)), "not trained"),
        (lambda: transposed(SoftmaxRBM(6, 2, symbols=3)), "symbols"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
