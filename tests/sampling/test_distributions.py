"""Reshaping logits, throwing dice, and the loop that draws sequences."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.sampling import (
    ancestral_sampling,
    check_temperature,
    nucleus,
    sample_bernoulli,
    sample_categorical,
    softmax,
    temperature,
    top_k,
)

rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(50, 9)) * 2


def as_tensor_too(function, *arguments):
    """The answer for an array, after making sure that a tensor gives the same."""
    answer = function(LOGITS, *arguments)
    assert isinstance(answer, np.ndarray)
    other = function(tf.constant(LOGITS), *arguments)
    assert tf.is_tensor(other)
    np.testing.assert_allclose(other.numpy(), answer, rtol=1e-12)
    return answer


def test_softmax_is_that_of_tensorflow():
    np.testing.assert_allclose(as_tensor_too(softmax), tf.nn.softmax(LOGITS).numpy(), rtol=1e-12)
    np.testing.assert_allclose(softmax(np.array([1000.0, -np.inf, 1000.0])), [0.5, 0.0, 0.5])


def test_temperature_by_hand():
    # Eq. (8.5): odds of 1 to 3; at 1/2 they are squared, at 2 their roots are taken
    odds = np.log([1.0, 3.0])
    np.testing.assert_allclose(softmax(temperature(odds, 0.5)), [0.1, 0.9])
    roots = 1 / (1 + np.sqrt(3))
    np.testing.assert_allclose(softmax(temperature(odds, 2.0)), [roots, 1 - roots])
    np.testing.assert_array_equal(as_tensor_too(temperature, 1.0), LOGITS)


@pytest.mark.parametrize("k", [1, 3, 9])
def test_top_k_keeps_the_likeliest(k):
    # Eq. (8.6)
    kept = as_tensor_too(top_k, k)
    for row, logits in zip(kept, LOGITS):
        assert set(np.flatnonzero(np.isfinite(row))) == set(np.argsort(logits)[-k:])
    np.testing.assert_array_equal(kept[np.isfinite(kept)], LOGITS[np.isfinite(kept)])


def test_top_k_keeps_ties():
    assert np.isfinite(top_k(np.array([1.0, 2.0, 1.0, 0.0]), 2)).tolist() == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9, 1.0])
def test_nucleus_is_the_smallest_set_of_enough(p):
    # Eq. (8.7): with it p is reached, without its unlikeliest member it is not
    kept, probs = np.isfinite(as_tensor_too(nucleus, p)), softmax(LOGITS)
    for row, mine in zip(kept, probs):
        assert mine[row].sum() >= p - 1e-12
        assert mine[row].sum() - mine[row].min() < p
        assert mine[row].min() >= mine[~row].max(initial=0)


def test_nucleus_by_hand():
    # Eq. (8.7): 0.5 is not yet 0.6, 0.5 + 0.3 is
    kept = nucleus(np.log([0.2, 0.5, 0.3]), 0.6)
    np.testing.assert_allclose(softmax(kept), [0.0, 0.625, 0.375])


def test_dice_fall_as_often_as_they_should():
    probs = np.array([0.5, 0.25, 0.2, 0.05, 0.0])
    with np.errstate(divide="ignore"):
        rows = np.log(np.tile(probs, (20_000, 1)))
    counts = np.bincount(sample_categorical(rows, seed=(3, 0)).numpy(), minlength=5)
    assert counts[4] == 0
    assert chisquare(counts[:4], 20_000 * probs[:4]).pvalue > 0.001


def test_dice_depend_on_the_seed_alone():
    a, again, b = (sample_categorical(LOGITS, seed=s).numpy() for s in ((1, 2), (1, 2), (1, 3)))
    assert a.dtype == np.int32
    np.testing.assert_array_equal(a, again)
    assert (a != b).any()


def chain(table):
    """A step for :func:`ancestral_sampling`: the state is the symbol before, the table says what follows."""

    def step(state, t, seed):
        symbol = sample_categorical(tf.gather(tf.constant(np.log(table), tf.float32), state), seed)
        return symbol, symbol

    return step


TABLE = np.array([[0.1, 0.6, 0.3], [0.5, 0.1, 0.4], [0.8, 0.1, 0.1]])


def test_sequences_fall_as_often_as_they_should():
    drawn, last = ancestral_sampling(chain(TABLE), np.zeros(30_000, np.int32), 2, seed=(0, 1))
    counts = np.zeros((3, 3))
    np.add.at(counts, tuple(drawn.numpy().T), 1)
    expected = 30_000 * TABLE[0][:, None] * TABLE
    assert chisquare(counts.ravel(), expected.ravel()).pvalue > 0.001
    np.testing.assert_array_equal(last, drawn[:, -1])


def test_the_graph_draws_what_the_loop_draws():
    step, start = chain(TABLE), np.zeros(40, np.int32)
    by_hand = ancestral_sampling(step, start, 12, seed=(5, 6))[0].numpy()
    in_graph = tf.function(lambda steps: ancestral_sampling(step, start, steps, seed=(5, 6))[0])
    np.testing.assert_array_equal(in_graph(tf.constant(12)), by_hand)
    np.testing.assert_array_equal(in_graph(tf.constant(5)), by_hand[:, :5])
    assert (ancestral_sampling(step, start, 12, seed=(5, 7))[0].numpy() != by_hand).any()


def test_state_may_be_nested_and_goes_on_where_it_stopped():
    def step(state, t, seed):
        total, (n,) = state["total"] + 1.0, state["n"]
        return tf.stack([total, tf.cast(n, tf.float32)], axis=1), {"total": total, "n": (n + 2,)}

    start = {"total": np.zeros(2, np.float32), "n": (np.zeros(2, np.int32),)}
    whole, _ = ancestral_sampling(step, start, 4, seed=(0, 0))
    first, state = ancestral_sampling(step, start, 3, seed=(0, 0))
    second, _ = ancestral_sampling(step, state, 1, seed=(0, 0))
    assert whole.shape == (2, 4, 2)
    np.testing.assert_array_equal(tf.concat([first, second], axis=1), whole)


def test_bernoulli_shares_are_the_probabilities():
    probs = np.tile([0.0, 0.25, 0.9, 1.0], (20_000, 1))
    drawn = sample_bernoulli(probs, seed=(3, 1)).numpy()
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(axis=0), probs[0], atol=0.01)
    assert np.corrcoef(drawn[:, 1], drawn[:, 2])[0, 1] == pytest.approx(0, abs=0.02)
    assert (drawn != sample_bernoulli(probs, seed=(3, 2)).numpy()).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: temperature(LOGITS, 0.0), "temperature 0.0: need a number above 0"),
        (lambda: temperature(LOGITS, -1), "above 0"),
        (lambda: check_temperature(float("nan")), "above 0"),
        (lambda: check_temperature("hot"), "above 0"),
        (lambda: top_k(LOGITS, 0), "from 1 to 9"),
        (lambda: top_k(LOGITS, 10), "from 1 to 9"),
        (lambda: nucleus(LOGITS, 0.0), "above 0 and at most 1"),
        (lambda: nucleus(LOGITS, 1.1), "above 0 and at most 1"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
