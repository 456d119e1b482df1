"""The Transformer over chords: all at once, step by step, its window, drawn, stored."""

import itertools

import keras
import numpy as np
import pytest

from musiclab.models.attention import chord_transformer
from musiclab.models.attention.chord_transformer import AttentionStack, ChordTransformer
from musiclab.models.recurrent.chord_model import _next_state
from musiclab.training import set_seed

rng = np.random.default_rng(0)
K = 6
ROLL = (rng.random((9, K)) < 0.4).astype(np.float32)


def model(head="counterpoint", **settings):
    """A small model with random weights instead of fresh ones."""
    set_seed(0)
    made = ChordTransformer(head, **{"keys": K, "units": 8, "layers": 2, "hidden": 8, **settings})
    values = np.random.default_rng(1)
    made.set_weights(
        [values.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made


@pytest.mark.parametrize("window", [64, 4])
def test_step_by_step_is_all_at_once(monkeypatch, window):
    monkeypatch.setattr(chord_transformer, "WINDOW", window)
    made = model()
    state, scores = made.initial_state(1), []
    for frame in ROLL:
        context, recurrent = made.step(state)
        scores.append(float(made.head.log_likelihood(context, frame[None])[0]))
        state = _next_state(state, recurrent, frame[None])
    np.testing.assert_allclose(made.log_likelihood([ROLL])[0], scores, rtol=1e-4, atol=1e-5)


def test_probabilities_of_all_two_frame_pieces_sum_to_one():
    made = model(keys=3)
    frames = list(itertools.product([0, 1], repeat=3))
    pieces = [np.array(pair, np.float32) for pair in itertools.product(frames, frames)]
    total = sum(np.exp(scores.sum()) for scores in made.log_likelihood(pieces))
    assert total == pytest.approx(1, abs=1e-4)


def test_no_frame_knows_itself_or_what_comes_and_later_ones_remember():
    made, changed = model("bernoulli"), ROLL.copy()
    changed[2] = 1 - changed[2]
    before, after = made.log_likelihood([ROLL])[0], made.log_likelihood([changed])[0]
    np.testing.assert_allclose(after[:2], before[:2], rtol=1e-5)
    assert (abs(after - before)[2:] > 1e-4).all()


def test_samples_are_frames_and_depend_on_the_seed():
    made = model()
    drawn = made.sample(4, seed=1, steps=10)
    assert drawn.shape == (4, 10, K)
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_array_equal(drawn, made.sample(4, seed=1, steps=10))
    assert (drawn != made.sample(4, seed=2, steps=10)).any()


def test_saved_and_loaded_it_is_the_same(tmp_path):
    made = model(order="down", dropout=0.3)
    made.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.get_config() == made.get_config()
    np.testing.assert_array_equal(again.log_likelihood(ROLL)[0], made.log_likelihood(ROLL)[0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: AttentionStack(6), "6 units, 4 heads"),
        (lambda: AttentionStack(8, layers=0), "0 blocks"),
        (lambda: ChordTransformer("guess"), "head 'guess'"),
        (lambda: model().log_likelihood([np.zeros((3, 88))]), r"shape \(3, 88\): need \(T, 6\)"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
