"""One recurrent step: by hand, against Keras, and through time against finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.autoencoders.numpy_autoencoder import finite_differences
from musiclab.models.recurrent.numpy_cells import (
    LSTMWeights,
    RNNWeights,
    lstm_step,
    lstm_unroll,
    rnn_step,
)
from musiclab.models.recurrent.recurrent_stack import PeepholeLSTMCell

rng = np.random.default_rng(0)
D, H, T, N = 3, 4, 5, 2
X = rng.normal(size=(N, T, D))
# one unit, one input, x = 1, h = 0.5, c = 2: every gate can be checked on paper
HAND = LSTMWeights(
    *(np.array([[1.0]]), np.array([[2.0]]), np.array([3.0]), np.array([0.5])),  # input gate
    *(np.array([[-1.0]]), np.array([[1.0]]), np.array([0.25]), np.array([1.0])),  # forget gate
    *(np.array([[0.5]]), np.array([[-1.0]]), np.array([0.25])),  # candidate: no peephole
    *(np.array([[2.0]]), np.array([[-1.0]]), np.array([-1.0]), np.array([0.1])),  # output gate
)
CELL = (1 / (1 + np.exp(-1.0))) * 2 + (1 / (1 + np.exp(-8.5))) * np.tanh(0.25)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand():
    return lstm_step(np.array([1.0]), np.array([0.5]), np.array([2.0]), HAND)


def cell_and_weights(dtype="float64", peepholes=True):
    cell = PeepholeLSTMCell(H, dtype=dtype)
    cell.build((None, D))
    values = [rng.normal(size=v.shape) for v in cell.get_weights()]
    values[2] *= peepholes
    cell.set_weights(values)
    return cell, LSTMWeights.from_keras(cell)


def numpy_lstm(x, weights):
    h = c = np.zeros((len(x), H))
    steps = []
    for t in range(x.shape[1]):
        steps.append(lstm_step(x[:, t], h, c, weights))
        h, c = steps[-1].hidden, steps[-1].cell
    return steps


def over_time(cell, **options):
    return keras.layers.RNN(cell, return_sequences=True, dtype="float64", **options)


def test_rnn_step_by_hand():
    # Eq. (6.1): two units, two inputs; 0.5 * 1 - 1 * 2 + 1 * 3 + 0 * 4 + 0.5 = 2 and 0 + 1 * 2 - 1
    # * 3 + 2 * 4 - 6 = 1
    w = RNNWeights(
        np.array([[0.5, -1.0], [0.0, 1.0]]),
        np.array([[1.0, 0.0], [-1.0, 2.0]]),
        np.array([0.5, -6.0]),
    )
    h = rnn_step(np.array([3.0, 4.0]), np.array([1.0, 2.0]), w)
    np.testing.assert_allclose(h, np.tanh([2.0, 1.0]), rtol=1e-12)
    assert h.dtype == np.float64


def test_rnn_step_is_keras_simple_rnn():
    # Eq. (6.1)
    layer = keras.layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    layer.build((N, T, D))
    W_x, W_h, b = (rng.normal(size=v.shape) for v in layer.get_weights())
    layer.set_weights([W_x, W_h, b])
    h, weights = np.zeros((N, H)), RNNWeights(W_h.T, W_x.T, b)
    for t, expected in enumerate(np.moveaxis(layer(X).numpy(), 1, 0)):
        h = rnn_step(X[:, t], h, weights)
        np.testing.assert_allclose(h, expected, atol=1e-12)


def test_input_gate_by_hand():
    # Eq. (7.1): 1 * 1 + 2 * 0.5 + 3 * 2 + 0.5 = 8.5
    np.testing.assert_allclose(by_hand().input, [sigmoid(8.5)], rtol=1e-12)


def test_forget_gate_by_hand():
    # Eq. (7.2): -1 * 1 + 1 * 0.5 + 0.25 * 2 + 1 = 1
    np.testing.assert_allclose(by_hand().forget, [sigmoid(1.0)], rtol=1e-12)


def test_candidate_by_hand():
    # Eq. (7.3): 0.5 * 1 - 1 * 0.5 + 0.25 = 0.25
    np.testing.assert_allclose(by_hand().candidate, [np.tanh(0.25)], rtol=1e-12)


def test_cell_state_by_hand():
    # Eq. (7.4): what the forget gate keeps of 2, and what the input gate lets in of the candidate
    np.testing.assert_allclose(by_hand().cell, [CELL], rtol=1e-12)


def test_output_gate_by_hand_sees_the_new_cell():
    # Eq. (7.5): 2 * 1 - 1 * 0.5 - 1 * c_t + 0.1
    np.testing.assert_allclose(by_hand().output, [sigmoid(1.6 - CELL)], rtol=1e-12)


def test_hidden_state_by_hand():
    # Eq. (7.6)
    np.testing.assert_allclose(by_hand().hidden, [sigmoid(1.6 - CELL) * np.tanh(CELL)], rtol=1e-12)


def test_the_keras_cell_is_the_numpy_step():
    # Eqs. (7.1), (7.2), (7.3), (7.4), (7.5) and (7.6)
    cell, weights = cell_and_weights()
    h, *states = over_time(cell, return_state=True)(X)
    steps = numpy_lstm(X, weights)
    np.testing.assert_allclose(h, np.stack([s.hidden for s in steps], axis=1), atol=1e-12)
    np.testing.assert_allclose(states[0], steps[-1].hidden, atol=1e-12)
    np.testing.assert_allclose(states[1], steps[-1].cell, atol=1e-12)


def test_without_peepholes_it_is_keras_lstm():
    cell, _ = cell_and_weights(peepholes=False)
    theirs = keras.layers.LSTM(H, return_sequences=True, dtype="float64")
    theirs.build((N, T, D))
    W_x, W_h, _, b = cell.get_weights()
    theirs.set_weights([W_x, W_h, b])
    np.testing.assert_allclose(over_time(cell)(X), theirs(X), atol=1e-12)


def test_with_peepholes_it_is_not():
    with_them, without = cell_and_weights()[0], PeepholeLSTMCell(H, dtype="float64")
    without.build((None, D))
    W_x, W_h, P, b = with_them.get_weights()
    without.set_weights([W_x, W_h, 0 * P, b])
    a, b = (over_time(cell)(X).numpy() for cell in (with_them, without))
    assert abs(a - b).max() > 0.01


@pytest.mark.parametrize("part", ["kernel", "recurrent_kernel", "peepholes", "bias"])
def test_gradients_through_time_match_finite_differences(part):
    cell, weights = cell_and_weights()
    layer, target = over_time(cell), rng.normal(size=(N, T, H))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((layer(X) - target) ** 2)
    slope = tape.gradient(loss, getattr(cell, part).value).numpy()

    def numpy_loss(w):
        return float(
            sum(((s.hidden - target[:, t]) ** 2).sum() for t, s in enumerate(numpy_lstm(X, w)))
        )

    measured = finite_differences(numpy_loss, weights)
    names = {"kernel": "W_x", "recurrent_kernel": "W_h", "bias": "b_"}
    if part == "peepholes":
        expected = np.stack([measured.W_ci, measured.W_cf, measured.W_co])
    else:
        expected = np.concatenate([getattr(measured, names[part] + gate) for gate in "ifco"]).T
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-6)


def test_a_new_cell_remembers_and_keeps_its_peepholes_shut():
    cell = PeepholeLSTMCell(H)
    cell.build((None, D))
    weights = LSTMWeights.from_keras(cell)
    assert (weights.b_f == 1).all()
    assert not any(
        np.any(w) for w in (weights.b_i, weights.b_c, weights.b_o, *cell.peepholes.numpy())
    )


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_cell():
    shut, open_ = np.full(1, -100.0), np.full(1, 100.0)
    kept = lstm_step(
        np.array([1.0]), np.array([0.5]), np.array([-3.0]), HAND._replace(b_i=shut, b_f=open_)
    )
    np.testing.assert_allclose(kept.cell, [-3.0], rtol=1e-12)


def test_a_batch_is_its_rows_one_by_one():
    _, weights = cell_and_weights()
    h, c = rng.normal(size=(2, N, H))
    together = lstm_step(X[:, 0], h, c, weights)
    for n in range(N):
        for one, many in zip(lstm_step(X[n, 0], h[n], c[n], weights), together):
            np.testing.assert_allclose(one, many[n], rtol=1e-12)


def test_a_saved_cell_is_the_same(tmp_path):
    layer = keras.layers.RNN(PeepholeLSTMCell(H), return_sequences=True)
    model = keras.Sequential([keras.Input((None, D)), layer])
    layer.cell.peepholes.assign(rng.normal(size=(3, H)))
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
    np.testing.assert_array_equal(again(X.astype("float32")), model(X.astype("float32")))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: lstm_step(np.zeros(2), np.zeros(1), np.zeros(1), HAND),
            r"W_xi has shape \(1, 1\): for x of shape \(2,\)",
        ),
        (
            lambda: lstm_step(np.zeros(1), np.zeros(2), np.zeros(1), HAND),
            r"h has shape \(2,\)",
        ),
        (
            lambda: lstm_step(np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(1), HAND),
            r"c has shape .* need \(3, 1\)",
        ),
        (
            lambda: lstm_step(
                np.ones(1), np.ones(1), np.ones(1), HAND._replace(W_ci=np.ones((1, 1)))
            ),
            "W_ci has shape",
        ),
        (
            lambda: rnn_step(
                np.zeros(2), np.zeros(1), RNNWeights(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))
            ),
            "W_xh",
        ),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_lstm_unroll_is_keras_and_starts_from_the_given_states():
    cell, weights = cell_and_weights()
    outputs = over_time(cell)(X).numpy()
    unrolled = lstm_unroll(X[0], weights)
    np.testing.assert_allclose(unrolled.hidden, outputs[0], rtol=1e-6)
    assert all(part.shape == (T, H) for part in unrolled)
    late = lstm_unroll(X[0, 2:], weights, unrolled.hidden[1], unrolled.cell[1])
    for part, whole in zip(late, unrolled):
        np.testing.assert_allclose(part, whole[2:])
    with pytest.raises(ValueError, match="no step"):
        lstm_unroll(np.zeros((0, D)), weights)
