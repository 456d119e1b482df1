"""The chord model: every backbone with every head, forward, step by step, drawn and stored."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.models.recurrent.chord_model import HEADS, ChordModel, _next_state
from musiclab.models.recurrent.recurrent_stack import CELLS
from musiclab.training import set_seed

rng = np.random.default_rng(0)
K = 6
ROLLS = [(rng.random((n, K)) < 0.4).astype(np.float32) for n in (5, 9, 2)]


def model(backbone="gru", head="notes", seed=0, **settings):
    set_seed(seed)
    return ChordModel(backbone, head, **{"keys": K, "units": 5, "hidden": 8, **settings})


def sharpen(made, seed=0):
    """Random weights instead of fresh ones, so that nothing is nearly uniform."""
    values = np.random.default_rng(seed)
    made.set_weights(
        [1.5 * values.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made


@pytest.mark.parametrize("backbone", CELLS)
@pytest.mark.parametrize("head", HEADS)
def test_step_by_step_is_all_at_once(backbone, head):
    made = sharpen(model(backbone, head))
    state, scores = made.initial_state(1), []
    for frame in ROLLS[1]:
        context, recurrent = made.step(state)
        scores.append(float(made.head.log_likelihood(context, frame[None])[0]))
        state = _next_state(state, recurrent, frame[None])
    np.testing.assert_allclose(made.log_likelihood([ROLLS[1]])[0], scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backbone", ["none", "lstm"])
@pytest.mark.parametrize("head", HEADS)
def test_probabilities_of_all_two_frame_pieces_sum_to_one(backbone, head):
    made = sharpen(model(backbone, head, keys=3))
    frames = list(itertools.product([0, 1], repeat=3))
    pieces = [np.array(pair, np.float32) for pair in itertools.product(frames, frames)]
    total = sum(np.exp(scores.sum()) for scores in made.log_likelihood(pieces))
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("backbone", CELLS)
def test_no_frame_knows_itself_or_what_comes(backbone):
    made, changed = sharpen(model(backbone, "bernoulli")), ROLLS[1].copy()
    changed[5] = 1 - changed[5]
    before, after = made.log_likelihood([ROLLS[1]])[0], made.log_likelihood([changed])[0]
    np.testing.assert_allclose(after[:5], before[:5], rtol=1e-5)
    assert (abs(after - before)[5:7] > 1e-4).all()
    remembered = abs(after - before)[8] > 1e-5  # three frames later: only a memory still knows
    assert remembered == (backbone != "none")


def test_padding_changes_nothing():
    made = sharpen(model())
    together = made.log_likelihood(ROLLS)
    for roll, scores in zip(ROLLS, together):
        np.testing.assert_allclose(made.log_likelihood([roll])[0], scores, rtol=1e-4, atol=1e-5)
        assert scores.shape == (len(roll),)


def test_the_first_frame_is_scored_from_the_initial_state():
    made = sharpen(model())
    scores = made.log_likelihood([ROLLS[0], ROLLS[0][:1]])
    assert scores[0][0] == pytest.approx(scores[1][0], rel=1e-5)


@pytest.mark.parametrize(
    ("backbone", "head"), [("none", "notes"), ("rnn", "bernoulli"), ("peephole", "notes")]
)
def test_what_is_drawn_is_what_was_said(backbone, head):
    made, n = sharpen(model(backbone, head, keys=2)), 20_000
    drawn = made.sample(n, seed=4, steps=2)
    frames = list(itertools.product([0, 1], repeat=2))
    pieces = [np.array(pair, np.float32) for pair in itertools.product(frames, frames)]
    wanted = np.exp([scores.sum() for scores in made.log_likelihood(pieces)])
    counts = [int((drawn == piece).all(axis=(1, 2)).sum()) for piece in pieces]
    assert sum(counts) == n
    common = n * wanted > 5
    seen, wanted = np.array(counts)[common], wanted[common]
    assert chisquare(seen, seen.sum() * wanted / wanted.sum()).pvalue > 0.001


def test_the_graph_draws_what_the_loop_draws():
    made = sharpen(model("lstm", "notes"))
    arguments = (made.initial_state(3), tf.constant(7), tf.constant([9, 0]), tf.constant(1.0))
    np.testing.assert_array_equal(made.sample(3, seed=9, steps=7), made.generate(*arguments))


def test_samples_depend_on_seed_and_temperature():
    made = sharpen(model())
    a = made.sample(4, seed=1, steps=10)
    assert a.shape == (4, 10, K)
    assert a.dtype == np.float32
    np.testing.assert_array_equal(a, made.sample(4, seed=1, steps=10))
    np.testing.assert_array_equal(a[:, :3], made.sample(4, seed=1, steps=3))
    assert (a != made.sample(4, seed=2, steps=10)).any()
    cold = made.sample(50, seed=1, steps=3, temperature=0.01)
    assert len(np.unique(cold, axis=0)) < len(np.unique(made.sample(50, seed=1, steps=3), axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_it_learns_a_pattern(head):
    roll = np.tile(np.eye(K, dtype=np.float32)[[0, 2, 4, 2]], (6, 1))
    roll[::4, 5] = 1
    made = model("gru", head, units=16, hidden=16, dropout=0.1)
    first = made.log_likelihood([roll])[0].mean()
    made.fit([roll] * 4, epochs=80, batch_size=2, verbose=0)
    assert made.log_likelihood([roll])[0].mean() > max(-0.6, first + 1)
    np.testing.assert_array_equal(made.sample(1, seed=0, steps=24, temperature=0.1)[0], roll)


@pytest.mark.parametrize(("backbone", "head"), [("peephole", "notes"), ("none", "bernoulli")])
def test_saved_and_loaded_it_is_the_same(tmp_path, backbone, head):
    made = sharpen(model(backbone, head, order="down", dropout=0.3))
    made.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.get_config() == made.get_config()
    np.testing.assert_array_equal(again.log_likelihood(ROLLS)[0], made.log_likelihood(ROLLS)[0])
    np.testing.assert_array_equal(again.sample(2, seed=0, steps=4), made.sample(2, seed=0, steps=4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model("tape"), "backbone 'tape'.*peephole"),
        (lambda: model(head="guess"), "head 'guess'.*counterpoint"),
        (lambda: model(order="sideways"), "order 'sideways'"),
        (lambda: model(units=0), "0 units"),
        (lambda: model().fit([], verbose=0), "no piece"),
        (lambda: model().log_likelihood([np.zeros((3, 88))]), r"shape \(3, 88\): need \(T, 6\)"),
        (lambda: model().log_likelihood([np.zeros((0, 6))]), "T at least 1"),
        (lambda: model().log_likelihood([np.full((3, 6), 0.5)]), "threshold"),
        (lambda: model().sample(0, seed=0), "0 pieces"),
        (lambda: model().sample(1, seed=0, steps=0), "0 frames"),
        (lambda: model().sample(1, seed=0, temperature=0.0), "temperature 0.0"),
        (lambda: model().sample(1, seed=0, temperature=-1), "temperature -1"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
