"""Recurrent layers over a sequence are the same layers one step at a time."""

import numpy as np
import pytest

from musiclab.models.recurrent.recurrent_stack import CELLS, RecurrentStack, recurrent_layer
from musiclab.training import set_seed

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 5, 3)).astype(np.float32)


def stack(cell="gru", **settings):
    set_seed(0)
    made = RecurrentStack(cell, **{"units": 4, "layers": 2, **settings})
    made.build(X.shape)
    return made


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_all_at_once(cell):
    made = stack(cell)
    state, hidden = made.initial_state(2), []
    for t in range(5):
        h, state = made.step(X[:, t], state)
        hidden.append(h)
    whole = made(X)
    assert whole.shape == (2, 5, 0 if cell == "none" else 4)
    np.testing.assert_allclose(np.stack(hidden, axis=1), whole, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS[1:])
def test_it_remembers_the_first_step_and_not_the_last(cell):
    made, first, last = stack(cell), X.copy(), X.copy()
    first[:, 0] += 1
    last[:, 4] += 1
    assert abs(made(first) - made(X))[:, 4].numpy().max() > 1e-5
    np.testing.assert_allclose(made(last)[:, :4], made(X)[:, :4], atol=1e-6)


def test_dropout_only_in_training():
    made = stack(dropout=0.5)
    np.testing.assert_array_equal(made(X), made(X))
    dropped = made(X, training=True).numpy()
    assert 0.2 < (dropped == 0).mean() < 0.8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: recurrent_layer("none", 4), "cell 'none'"),
        (lambda: recurrent_layer("tape", 4), "one of rnn, lstm, peephole, gru"),
        (lambda: RecurrentStack("gru", 0), "0 units"),
        (lambda: recurrent_layer("peephole", 0), "0 units"),
        (lambda: RecurrentStack("gru", 4, layers=0), "0 recurrent layers"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
