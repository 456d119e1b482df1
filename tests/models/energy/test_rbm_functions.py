"""Energies, conditionals, Gibbs chains and contrastive divergence against enumeration by hand."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.models.energy.enumeration import exact_gradient, exact_samples
from musiclab.models.energy.rbm_functions import (
    cd_gradient,
    energy,
    free_energy,
    gibbs,
    hidden_probs,
    visible_probs,
)

rng = np.random.default_rng(0)
V, H = 4, 3
W, a, b = rng.normal(size=(V, H)) * 1.5, rng.normal(size=V), rng.normal(size=H)
VS = np.array(list(itertools.product((0.0, 1.0), repeat=V)))
HS = np.array(list(itertools.product((0.0, 1.0), repeat=H)))


def loops(v, h):
    """The energy of one state, term by term."""
    e = -sum(a[i] * v[i] for i in range(V)) - sum(b[j] * h[j] for j in range(H))
    return e - sum(v[i] * h[j] * W[i, j] for i in range(V) for j in range(H))


JOINT = np.exp([[-loops(v, h) for h in HS] for v in VS])
JOINT /= JOINT.sum()


def test_energy_by_hand():
    # Eq. (12.1)
    for v, h in itertools.product(VS[::3], HS[::2]):
        assert energy(v[None], h[None], W, a, b).numpy()[0] == pytest.approx(loops(v, h))
    assert energy([[1, 0]], [[1]], np.array([[3.0], [9.0]]), [0.5, 0], [0.25]).numpy() == -3.75


def test_conditionals_are_those_of_the_enumerated_joint():
    # Eqs. (12.3) and (12.4)
    given_v = JOINT @ HS / JOINT.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(hidden_probs(VS, W, b), given_v, atol=1e-12)
    given_h = JOINT.T @ VS / JOINT.sum(axis=0)[:, None]
    np.testing.assert_allclose(visible_probs(HS, W, a), given_h, atol=1e-12)


def test_free_energy_sums_hidden_states_away():
    # Eq. (12.5)
    marginal = np.exp(-free_energy(VS, W, a, b).numpy())
    np.testing.assert_allclose(marginal / marginal.sum(), JOINT.sum(axis=1), atol=1e-12)
    summed = np.log(sum(np.exp(-energy(VS, np.tile(h, (16, 1)), W, a, b).numpy()) for h in HS))
    np.testing.assert_allclose(-free_energy(VS, W, a, b), summed)


def test_biases_of_each_rows_own():
    A, B = rng.normal(size=(16, V)), rng.normal(size=(16, H))
    h = HS[np.arange(16) % 8]
    for i in (0, 7, 15):
        assert free_energy(VS, W, A, B).numpy()[i] == pytest.approx(
            free_energy(VS[i : i + 1], W, A[i], B[i]).numpy()[0]
        )
        assert energy(VS, h, W, A, B).numpy()[i] == pytest.approx(
            energy(VS[i : i + 1], h[i : i + 1], W, A[i], B[i]).numpy()[0]
        )
    clamped = gibbs(VS, W, np.where(VS > 0, 99.0, -99.0) - 50 * VS, B, 3, (0, 0))
    np.testing.assert_array_equal(clamped, VS)  # each row's bias overrules everything


def test_a_chain_forgets_its_start_and_takes_the_models_distribution():
    v = gibbs(np.zeros((8000, V)), W, a, b, 100, (1, 2)).numpy()
    counts = np.bincount((v @ [8, 4, 2, 1]).astype(int), minlength=16)
    assert chisquare(counts, 8000 * JOINT.sum(axis=1)).pvalue > 1e-3
    few = gibbs(
        np.ones((8000, V)), W, a, b, 1, (1, 2)
    ).numpy()  # one step is not enough: the test has teeth
    assert (
        chisquare(
            np.bincount((few @ [8, 4, 2, 1]).astype(int), minlength=16) + 1e-9,
            8000 * JOINT.sum(1) + 1e-9,
        )[1]
        < 1e-9
    )


def test_known_units_stay_and_the_others_follow_their_conditional():
    known = np.array([True, False, False, True])
    v = gibbs(np.tile([1.0, 0.0, 0.0, 0.0], (8000, 1)), W, a, b, 100, (3, 4), known).numpy()
    assert (v[:, 0] == 1).all()
    assert (v[:, 3] == 0).all()
    given = JOINT.sum(axis=1)[[8, 10, 12, 14]]
    counts = np.bincount((v[:, 1:3] @ [2, 1]).astype(int), minlength=4)
    assert chisquare(counts, 8000 * given / given.sum()).pvalue > 1e-3


def test_the_same_seed_draws_the_same():
    draw = lambda seed: gibbs(np.zeros((50, V)), W, a, b, 5, seed).numpy()  # noqa: E731
    np.testing.assert_array_equal(draw((1, 2)), draw((1, 2)))
    assert (draw((1, 2)) != draw((1, 3))).any()


def test_cd_gradient_by_hand():
    # Eq. (12.8)
    x, v_k = rng.random((5, V)), VS[[3, 9]]
    dW, da, db = cd_gradient(x, v_k, W, b)
    h, h_k = (1 / (1 + np.exp(-(v @ W + b))) for v in (x, v_k))
    wanted = (
        sum(np.outer(v, p) for v, p in zip(x, h)) / 5
        - sum(np.outer(v, p) for v, p in zip(v_k, h_k)) / 2
    )
    np.testing.assert_allclose(dW, wanted)
    np.testing.assert_allclose(da, x.mean(0) - v_k.mean(0))
    np.testing.assert_allclose(db, h.mean(0) - h_k.mean(0))


def test_cd_is_the_gradient_of_the_free_energy_gap():
    # Eq. (12.8)
    x, v_k = tf.constant(rng.random((6, V))), tf.constant(VS[[1, 2, 6, 11, 14, 15]])
    variables = [tf.Variable(part) for part in (W, a, b)]
    with tf.GradientTape() as tape:
        gap = tf.reduce_mean(free_energy(x, *variables)) - tf.reduce_mean(
            free_energy(v_k, *variables)
        )
    for ours, theirs in zip(cd_gradient(x, v_k, W, b), tape.gradient(gap, variables)):
        np.testing.assert_allclose(ours, -theirs.numpy(), atol=1e-12)


def test_the_bias_of_cd_shrinks_as_k_grows():
    x = exact_samples(-W, -a, -b, 40, seed=1)  # data that the model does not know yet
    exact = exact_gradient(x, W, a, b)
    start = np.tile(x, (500, 1))

    def bias(k):
        estimate = cd_gradient(x, gibbs(start, W, a, b, k, (5, 6)), W, b)
        return np.sqrt(
            sum(((one - true) ** 2).sum() for one, true in zip(map(np.asarray, estimate), exact))
        )

    one, five, fifty = map(bias, (1, 5, 50))
    assert one > 2 * five > 4 * fifty
    assert fifty < 0.03
