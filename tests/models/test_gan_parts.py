"""Straight-through choices, what sounds, and the minibatch deviation: by hand, by loops, by finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.bars import SYMBOLS, one_hot, rolls, to_pieces
from musiclab.models.gan_parts import heard, intervals, minibatch_deviation, pitch_classes, straight_through

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
    numeric = [(softmax(logits + e) - softmax(logits - e)) @ direction / 2e-5 for e in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(gradient(straight_through, tf.constant(logits), direction), numeric, atol=1e-7)


def by_recursion(x):
    """Eq. (11.3) as it is written: a loop over steps."""
    sounding = [x[:, 0, :, 2:]]
    for t in range(1, x.shape[1]):
        sounding.append(x[:, t, :, 2:] + x[:, t, :, 1:2] * sounding[-1])
    return tf.concat([x[..., :2], tf.stack(sounding, axis=1)], axis=-1)


def test_heard_is_the_recursion():
    """Eq. (11.3): values are those of the loop; so are slopes, except in the holds of steps that do hold."""
    x = tf.one_hot(rng.choice(6, p=[0.1, 0.5, 0.1, 0.1, 0.1, 0.1], size=(3, 9, 2)), 6)
    direction = rng.normal(size=x.shape).astype(np.float32)
    np.testing.assert_allclose(heard(x), by_recursion(x), atol=1e-3)
    ours, loops = gradient(heard, x, direction), gradient(by_recursion, x, direction)
    same = np.ones(x.shape, bool)
    same[..., 1] = x[..., 1] == 0
    np.testing.assert_allclose(ours[same], loops[same], atol=5e-3)
    assert abs(loops[..., 1][same[..., 1]]).max() > 0.1


def test_heard_is_what_the_roll_shows():
    symbols = rng.choice([0, 1, 1, 1, 20, 30, 40], size=(4, 32, 4))
    sounding = heard(one_hot(symbols)).numpy()[..., 2:].max(axis=2)
    np.testing.assert_allclose(sounding, rolls(symbols), atol=1e-3)
    assert sounding.dtype == np.float32


def test_rest_and_hold_stay():
    x = one_hot(rng.integers(SYMBOLS, size=(2, 8, 4)))
    np.testing.assert_array_equal(heard(x)[..., :2], x[..., :2])


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
    np.testing.assert_allclose(minibatch_deviation(3 * h + rng.normal(size=(8, 1))).numpy().std(), 0, atol=1e-9)


def test_deviation_against_numpy():
    """Eq. (11.4): a batch that is no multiple of the group is one group."""
    h = rng.normal(size=(11, 6))
    expected = h.std(axis=0).mean()
    np.testing.assert_allclose(minibatch_deviation(tf.constant(h)), np.full((11, 1), expected), rtol=1e-5)
    halves = np.repeat([h[:4].std(axis=0).mean(), h[4:8].std(axis=0).mean()], 4)[:, None]
    np.testing.assert_allclose(minibatch_deviation(tf.constant(h[:8]), group=4), halves, rtol=1e-5)


@pytest.mark.parametrize("function", [straight_through, heard])
def test_shapes_stay(function):
    x = tf.one_hot(rng.integers(5, size=(2, 3, 4)), 5)
    assert function(x).shape == x.shape
    assert np.isfinite(function(100 * x)).all()


def test_pitch_classes_and_intervals_against_pieces():
    symbols = rng.choice([0, 1, 1, 20, 32, 40], size=(3, 32, 4))
    voices = np.array([piece.voices for piece in to_pieces(symbols)])
    classes = pitch_classes(heard(one_hot(symbols)))
    between = intervals(classes)
    assert between.shape == (3, 32, 6, 12)
    assert classes.dtype == between.dtype == tf.float32
    np.testing.assert_allclose(classes, np.eye(13)[np.where(voices >= 0, voices % 12, 12)][..., :12], atol=1e-3)
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for k, (u, w) in enumerate(pairs):
        up = np.where((voices[..., u] >= 0) & (voices[..., w] >= 0), (voices[..., w] - voices[..., u]) % 12, 12)
        np.testing.assert_allclose(between[:, :, k], np.eye(13)[up][..., :12], atol=3e-3)


def test_intervals_are_the_same_in_every_key():
    classes = rng.normal(size=(2, 3, 4, 12))
    np.testing.assert_allclose(intervals(tf.constant(np.roll(classes, 5, axis=3))), intervals(tf.constant(classes)))
    by_hand = [[a @ np.roll(b, -k) for k in range(12)] for a, b in [classes[0, 0, :2], classes[0, 0, [2, 3]]]]
    np.testing.assert_allclose(intervals(tf.constant(classes)).numpy()[0, 0, [0, 5]], by_hand)
