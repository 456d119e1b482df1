"""Musical features against loops, pieces and sums by hand; minibatch statistics by hand and against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from musiclab import metrics
from musiclab.data.encodings.two_bars import SYMBOLS, one_hot, piano_rolls, to_pieces
from musiclab.models.adversarial.features import (
    active_pitches,
    harmonic_intervals,
    melodic_intervals,
    minibatch_deviation,
    minibatch_mean,
    parallel_intervals,
    pitch_classes,
    unisons,
)

rng = np.random.default_rng(0)
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def some_windows(n=3):
    """Windows with holds and rests, whose first symbols are struck."""
    symbols = rng.choice([0, 1, 1, 1, 20, 22, 27, 32, 39, 44], size=(n, 32, 4))
    symbols[:, 0] = [44, 39, 32, 20]
    return symbols


def voices_of(symbols):
    """MIDI pitches int (n, T, V), -1 for rests: read by another way."""
    return np.array([piece.voices for piece in to_pieces(symbols)]).astype(int)


def classes_of(symbols):
    return pitch_classes(active_pitches(one_hot(symbols)))


def test_active_pitches_by_hand():
    """Eq. (11.3): struck, held, struck anew, held; in the other voice a hold of nothing, struck, rest, a hold of it."""
    x = tf.one_hot([[[2, 1], [1, 3], [3, 0], [1, 1]]], 4)
    assert active_pitches(x).numpy()[0, :, 0, 2:].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert active_pitches(x).numpy()[0, :, 1, 2:].tolist() == [[0, 0], [0, 1], [0, 0], [0, 0]]


def test_gradient_of_active_pitches_by_finite_differences():
    """Eq. (11.3): for any numbers, and so also in the holds."""
    x, direction = rng.uniform(size=(2, 2, 4, 1, 4))
    numeric = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        numeric[place] = (
            np.sum((active_pitches(x + step) - active_pitches(x - step)).numpy() * direction) / 2e-6
        )
    with tf.GradientTape() as tape:
        tape.watch(tensor := tf.constant(x))
        total = tf.reduce_sum(active_pitches(tensor) * direction)
    np.testing.assert_allclose(tape.gradient(total, tensor), numeric, atol=1e-7)
    assert abs(numeric[:, 1:, :, 1]).min() > 0


def test_active_pitches_are_the_piano_roll():
    """Eq. (11.3): on real choices it is the piano roll."""
    symbols = some_windows(4)
    sounding = active_pitches(one_hot(symbols)).numpy()[..., 2:].max(axis=2)
    np.testing.assert_array_equal(sounding, piano_rolls(symbols))
    assert sounding.dtype == np.float32


def test_rest_and_hold_stay():
    x = one_hot(rng.integers(SYMBOLS, size=(2, 8, 4)))
    np.testing.assert_array_equal(active_pitches(x)[..., :2], x[..., :2])


def test_pitch_classes_and_intervals_against_pieces():
    voices, classes = voices_of(symbols := some_windows()), classes_of(symbols)
    between = harmonic_intervals(classes)
    assert between.shape == (3, 32, 6, 12)
    assert classes.dtype == between.dtype == tf.float32
    np.testing.assert_array_equal(
        classes, np.eye(13)[np.where(voices >= 0, voices % 12, 12)][..., :12]
    )
    for k, (u, w) in enumerate(PAIRS):
        up = np.where(
            (voices[..., u] >= 0) & (voices[..., w] >= 0),
            (voices[..., w] - voices[..., u]) % 12,
            12,
        )
        np.testing.assert_allclose(between[:, :, k], np.eye(13)[up][..., :12], atol=1e-5)


def test_moves_against_pieces():
    voices, moved = voices_of(symbols := some_windows()), melodic_intervals(classes_of(symbols))
    assert moved.shape == (3, 31, 4, 12)
    both = (voices[:, 1:] >= 0) & (voices[:, :-1] >= 0)
    up = np.where(both, (voices[:, 1:] - voices[:, :-1]) % 12, 12)
    np.testing.assert_allclose(moved, np.eye(13)[up][..., :12], atol=1e-5)


def test_intervals_and_moves_are_the_same_in_every_key():
    classes = rng.normal(size=(2, 3, 4, 12))
    other = np.roll(classes, 5, axis=3)
    for function in (harmonic_intervals, melodic_intervals):
        np.testing.assert_allclose(
            function(tf.constant(other)), function(tf.constant(classes)), atol=1e-9
        )
    by_hand = [
        [a @ np.roll(b, -k) for k in range(12)]
        for a, b in [classes[0, 0, :2], classes[0, 0, [2, 3]]]
    ]
    np.testing.assert_allclose(
        harmonic_intervals(tf.constant(classes)).numpy()[0, 0, [0, 5]], by_hand
    )


def test_parallels_against_a_loop_over_pieces():
    voices, classes = voices_of(symbols := some_windows(6)), classes_of(symbols)
    found = parallel_intervals(harmonic_intervals(classes), melodic_intervals(classes))
    expected = np.zeros((6, 31, 6, 12))
    for n, t, k in np.ndindex(6, 31, 6):
        (a, b), (c, d) = voices[n, t, list(PAIRS[k])], voices[n, t + 1, list(PAIRS[k])]
        if min(a, b, c, d) >= 0 and (b - a - d + c) % 12 == 0 and (c - a) % 12 and (d - b) % 12:
            expected[n, t, k, (b - a) % 12] = 1
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.sum() > 10


def test_parallels_count_what_the_metric_counts():
    """Three voices that move down in parallel: an octave, a fifth, and a fourth, which is allowed."""
    symbols = np.ones((1, 32, 4), int)
    symbols[0, 0], symbols[0, 8] = [33, 28, 21, 0], [31, 26, 19, 0]
    classes = classes_of(symbols)
    found = (
        tf.reduce_sum(
            parallel_intervals(harmonic_intervals(classes), melodic_intervals(classes)),
            axis=(0, 1, 2),
        )
        .numpy()
        .round(3)
    )
    assert found.tolist() == [
        1,
        0,
        0,
        0,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        0,
    ]  # up from the earlier voice: an octave; 5, a fifth down; 7, a fourth down
    assert metrics.parallel_perfects(to_pieces(symbols)) == 200  # two pairs in one chord change


def test_unisons_against_pieces():
    voices = voices_of(symbols := rng.choice([0, 1, 20, 22], size=(3, 32, 4)))
    found = unisons(active_pitches(one_hot(symbols)))
    expected = [(voices[..., u] == voices[..., w]) & (voices[..., u] >= 0) for u, w in PAIRS]
    np.testing.assert_array_equal(found, np.stack(expected, axis=2))


def test_pitches_that_are_no_octaves_are_refused():
    with pytest.raises(ValueError, match="13 pitches: need whole octaves"):
        pitch_classes(tf.zeros((1, 2, 3, 15)))


def test_deviation_by_hand():
    """Eq. (11.4): two groups of 8; deviations of 1 and 3 in the first, of 0 and 2 in the second."""
    h = tf.repeat(tf.constant([[0.0, 0.0], [2.0, 6.0], [5.0, 0.0], [5.0, 4.0]]), 4, axis=0)
    expected = np.repeat([[2.0], [1.0]], 8, axis=0)
    np.testing.assert_allclose(minibatch_deviation(h), expected, atol=1e-3)


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
    """Eq. (11.4): a batch that is no multiple of 8 is one group."""
    h = rng.normal(size=(16, 6))
    expected = np.full((11, 1), h[:11].std(axis=0).mean())
    np.testing.assert_allclose(minibatch_deviation(tf.constant(h[:11])), expected, rtol=1e-5)
    halves = np.repeat([h[:8].std(axis=0).mean(), h[8:].std(axis=0).mean()], 8)[:, None]
    np.testing.assert_allclose(minibatch_deviation(tf.constant(h)), halves, rtol=1e-5)


def test_mean_against_numpy():
    h = rng.normal(size=(16, 6))
    halves = np.repeat([h[:8].mean(axis=0), h[8:].mean(axis=0)], 8, axis=0)
    np.testing.assert_allclose(minibatch_mean(tf.constant(h)), halves)
    whole = np.repeat([h[:5].mean(axis=0)], 5, axis=0)
    np.testing.assert_allclose(minibatch_mean(tf.constant(h[:5])), whole)
