"""Straight-through choices, and how windows of a batch compare: by hand, against NumPy, by finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.adversarial.minibatch import (
    minibatch_deviation,
    minibatch_mean,
    straight_through,
)

rng = np.random.default_rng(0)


def gradient(function, x, direction):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(function(x) * direction)
    return tape.gradient(total, x).numpy()


def test_forward_a_choice():
    """Eq. (11.2)"""
    logits = rng.normal(size=(5, 7)).astype(np.float32)
    y = straight_through(tf.constant(logits)).numpy()
    np.testing.assert_allclose(y, np.eye(7)[logits.argmax(axis=1)], atol=1e-6)
    assert y.dtype == np.float32


def test_backward_a_softmax():
    """Eqs. (11.1), (11.2): the slope is that of exp(x) / sum exp(x), measured by finite differences."""
    logits, direction = rng.normal(size=(4,)), rng.normal(size=(4,))
    softmax = lambda x: np.exp(x) / np.exp(x).sum()  # noqa: E731
    numeric = [
        (softmax(logits + e) - softmax(logits - e)) @ direction / 2e-5 for e in 1e-5 * np.eye(4)
    ]
    np.testing.assert_allclose(
        gradient(straight_through, tf.constant(logits), direction), numeric, atol=1e-7
    )


def test_deviation_by_hand():
    """Eq. (11.4): two groups of two; deviations of 1 and 3 in the first, of 0 and 2 in the second."""
    h = tf.constant([[0.0, 0.0], [2.0, 6.0], [5.0, 0.0], [5.0, 4.0]])
    np.testing.assert_allclose(minibatch_deviation(h, group=2), [[2], [2], [1], [1]], atol=1e-3)


def test_deviation_of_copies_is_nothing():
    """Eq. (11.4)"""
    h = tf.constant(rng.normal(size=(1, 5)))
    same = minibatch_deviation(tf.repeat(h, 8, axis=0)).numpy()
    assert same.shape == (8, 1)
    assert same.max() < 2e-3
    np.testing.assert_allclose(
        minibatch_deviation(3 * h + rng.normal(size=(8, 1))).numpy().std(), 0, atol=1e-9
    )


def test_deviation_against_numpy():
    """Eq. (11.4): a batch that is no multiple of the group is one group."""
    h = rng.normal(size=(11, 6))
    expected = h.std(axis=0).mean()
    np.testing.assert_allclose(
        minibatch_deviation(tf.constant(h)), np.full((11, 1), expected), rtol=1e-5
    )
    halves = np.repeat([h[:4].std(axis=0).mean(), h[4:8].std(axis=0).mean()], 4)[:, None]
    np.testing.assert_allclose(minibatch_deviation(tf.constant(h[:8]), group=4), halves, rtol=1e-5)


def test_mean_against_numpy():
    h = rng.normal(size=(8, 6))
    np.testing.assert_allclose(
        minibatch_mean(tf.constant(h)), np.repeat(h.mean(axis=0)[None], 8, axis=0)
    )
    halves = np.repeat([h[:4].mean(axis=0), h[4:].mean(axis=0)], 4, axis=0)
    np.testing.assert_allclose(minibatch_mean(tf.constant(h), group=4), halves)
    np.testing.assert_allclose(
        minibatch_mean(tf.constant(h[:5]), group=4), np.repeat([h[:5].mean(axis=0)], 5, axis=0)
    )


@pytest.mark.parametrize("function", [minibatch_deviation, minibatch_mean])
def test_groups_work_where_the_size_is_not_known_yet(function):
    traced = tf.function(function, input_signature=[tf.TensorSpec((None, 3))])
    h = tf.constant(rng.normal(size=(5, 3)), tf.float32)
    np.testing.assert_allclose(traced(h), function(h), rtol=1e-5)
