"""The NumPy RNN through time: its answers, its loss, its gradients, and what it remembers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.autoencoders.numpy_autoencoder import finite_differences
from musiclab.models.recurrent.backpropagation_through_time import (
    backward_through_time,
    initial_rnn_weights,
    jacobian_norms,
    nll_per_note,
    unroll,
)
from musiclab.models.recurrent.numpy_cells import RNNWeights, rnn_step

rng = np.random.default_rng(0)
D, H, K, T = 4, 3, 5, 6
X, TARGETS, H0 = rng.normal(size=(T, D)), rng.integers(K, size=T), rng.normal(size=H)
WEIGHTS = RNNWeights(
    *(0.7 * rng.normal(size=part.shape) for part in initial_rnn_weights(D, H, K, seed=1))
)


def test_answers_by_hand():
    # Eq. (6.2): one unit without memory, tanh(0) = 0, so the logits are the biases: odds of 1, 2
    # and 5
    w = RNNWeights(
        np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.ones((3, 1)), np.log([1.0, 2.0, 5.0])
    )
    run = unroll(np.ones((2, 1)), w)
    np.testing.assert_allclose(run.probs, [[1 / 8, 2 / 8, 5 / 8]] * 2, rtol=1e-12)


def test_answers_are_those_of_keras():
    # Eq. (6.2)
    rnn = keras.layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    dense = keras.layers.Dense(K, dtype="float64")
    rnn.build((1, T, D))
    dense.build((1, T, H))
    rnn.set_weights([WEIGHTS.W_xh.T, WEIGHTS.W_hh.T, WEIGHTS.b_h])
    dense.set_weights([WEIGHTS.W_hy.T, WEIGHTS.b_y])
    h = rnn(X[None], initial_state=H0[None])
    run = unroll(X, WEIGHTS, H0)
    np.testing.assert_allclose(run.h, h[0], atol=1e-12)
    np.testing.assert_allclose(run.logits, dense(h)[0], atol=1e-12)
    np.testing.assert_allclose(run.probs, tf.nn.softmax(dense(h))[0], atol=1e-12)


def test_huge_logits_do_not_overflow():
    probs = unroll(X, WEIGHTS._replace(b_y=np.array([1000.0, 0, 0, 0, -1000.0]))).probs
    assert np.isfinite(probs).all()
    np.testing.assert_allclose(probs[:, 0], 1.0)


def test_loss_by_hand():
    # Eq. (6.3): the notes that came had probabilities 1/2 and 1/8, so (ln 2 + ln 8) / 2 = 2 ln 2
    assert nll_per_note(np.array([[0.5, 0.5], [0.125, 0.875]]), np.array([0, 0])) == pytest.approx(
        2 * np.log(2)
    )


def test_loss_is_keras_crossentropy():
    # Eq. (6.3)
    run = unroll(X, WEIGHTS)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(TARGETS, run.logits)
    assert nll_per_note(run.probs, TARGETS) == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("part", RNNWeights._fields)
def test_gradients_match_finite_differences(part):
    # Eqs. (6.4), (6.5), (6.6) and (6.7)
    by_hand = backward_through_time(X, TARGETS, WEIGHTS, H0)
    measured = finite_differences(lambda w: nll_per_note(unroll(X, w, H0).probs, TARGETS), WEIGHTS)
    np.testing.assert_allclose(
        getattr(by_hand, part), getattr(measured, part), rtol=1e-5, atol=1e-7
    )


def test_gradients_match_automatic_differentiation():
    # Eqs. (6.4), (6.5), (6.6) and (6.7)
    tensors = [tf.Variable(part) for part in WEIGHTS]
    with tf.GradientTape() as tape:
        W_hh, W_xh, b_h, W_hy, b_y = tensors
        h, loss = H0, 0.0
        for x, y in zip(X, TARGETS):
            h = tf.tanh(tf.linalg.matvec(W_hh, h) + tf.linalg.matvec(W_xh, x) + b_h)
            loss += (
                tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.linalg.matvec(W_hy, h) + b_y)
                / T
            )
    for ours, theirs in zip(
        backward_through_time(X, TARGETS, WEIGHTS, H0), tape.gradient(loss, tensors)
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_norms_are_those_of_the_jacobian_measured():
    # Eq. (6.8): nudge h_t in every direction, run on to the end, and take the largest stretch
    h = unroll(X, WEIGHTS, H0).h
    for t in range(T):

        def end(start, t=t):
            for x in X[t + 1 :]:
                start = rnn_step(x, start, WEIGHTS)
            return start

        nudges = 1e-6 * np.eye(H)
        jacobian = np.stack([(end(h[t] + n) - end(h[t] - n)) / 2e-6 for n in nudges], axis=1)
        assert jacobian_norms(h, WEIGHTS)[t] == pytest.approx(
            np.linalg.svd(jacobian, compute_uv=False)[0], rel=1e-5
        )


@pytest.mark.parametrize(("radius", "at_start"), [(0.5, 0.5**9), (1.0, 1.0), (1.5, 1.5**9)])
def test_an_orthogonal_matrix_neither_fades_nor_grows(radius, at_start):
    weights = initial_rnn_weights(2, 4, 3, seed=0, radius=radius)
    assert jacobian_norms(np.zeros((10, 4)), weights)[0] == pytest.approx(at_start)


def test_initial_weights_depend_on_the_seed():
    a, again, b = (initial_rnn_weights(3, 4, 5, seed=s) for s in (0, 0, 1))
    np.testing.assert_allclose(a.W_hh @ a.W_hh.T, np.eye(4), atol=1e-12)
    assert [part.shape for part in a] == [(4, 4), (4, 3), (4,), (5, 4), (5,)]
    assert (a.W_xh == again.W_xh).all()
    assert (a.W_xh != b.W_xh).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: unroll(X[0], WEIGHTS), "need \\(T, D\\)"),
        (lambda: unroll(X[:0], WEIGHTS), "at least 1"),
        (lambda: unroll(X, WEIGHTS._replace(W_hy=None)), "W_hy and b_y"),
        (lambda: unroll(X[:, :2], WEIGHTS), "W_xh has shape"),
        (lambda: nll_per_note(np.ones((2, 3)) / 3, np.array([0, 3])), "0 to 2"),
        (
            lambda: nll_per_note(np.ones((2, 3)) / 3, np.array([0.0, 1.0])),
            "need an integer per row",
        ),
        (lambda: backward_through_time(X, TARGETS[1:], WEIGHTS), "an integer per row"),
        (lambda: jacobian_norms(np.zeros((2, 9)), WEIGHTS), r"need \(T, 3\)"),
        (lambda: initial_rnn_weights(0, 1, 1, seed=0), "at least 1"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
