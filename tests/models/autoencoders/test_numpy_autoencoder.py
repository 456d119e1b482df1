"""The NumPy autoencoder: its forward pass, its loss and its gradients."""

import numpy as np
import pytest

from musiclab.models.autoencoders.numpy_autoencoder import (
    Weights,
    backward,
    finite_differences,
    forward,
    initial_weights,
    mean_squared_error,
    mean_squared_error_gradient,
)

# small whole numbers, so that every layer can be checked on paper
HAND = Weights(
    W1=np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]]),
    b1=np.array([1.0, -1.0]),
    W2=np.array([[1.0, -1.0], [0.0, 2.0]]),
    b2=np.array([0.0, -3.0]),
    W3=np.array([[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]),
    b3=np.array([0.5, 0.0, 1.0]),
)
X = np.array([1.0, 2.0, 0.0])


def random_case(f1="tanh", f2="sigmoid", seed=0, n=6):
    rng = np.random.default_rng(seed)
    weights = Weights(*(rng.normal(size=part.shape) for part in initial_weights(5, 3, 4, seed)))
    return rng.normal(size=(n, 5)), weights, f1, f2


def test_first_layer_by_hand():
    # Eq. (3.1): W1 x = (1, 4), plus b1 = (2, 3)
    np.testing.assert_allclose(forward(X, HAND, "relu", "relu").h1, [2, 3])


def test_second_layer_by_hand():
    # Eq. (3.2): W2 h1 = (-1, 6), plus b2 = (-1, 3), of which relu leaves (0, 3)
    np.testing.assert_allclose(forward(X, HAND, "relu", "relu").h2, [0, 3])


def test_reconstruction_by_hand():
    # Eq. (3.3): W3 h2 = (0, 3, -3), plus b3; no activation, so a negative number may come out
    np.testing.assert_allclose(forward(X, HAND, "relu", "relu").x_hat, [0.5, 3, -2])


@pytest.mark.parametrize("f1", ["linear", "relu", "sigmoid", "tanh"])
def test_a_batch_is_its_samples_one_by_one(f1):
    x, weights, _, f2 = random_case()
    together = forward(x, weights, f1, f2)
    for i, row in enumerate(x):
        for one, many in zip(forward(row, weights, f1, f2), together):
            np.testing.assert_allclose(one, many[i], rtol=1e-12)


def test_shapes_and_dtype():
    x, weights, *_ = random_case()
    layers = forward(x.astype(np.float32), weights)
    assert [part.shape for part in layers] == [(6, 3), (6, 4), (6, 5)]
    assert {part.dtype for part in layers} == {np.dtype(np.float64)}


@pytest.mark.parametrize("part", Weights._fields)
@pytest.mark.parametrize(
    ("f1", "f2"), [("tanh", "sigmoid"), ("linear", "relu"), ("relu", "linear")]
)
def test_gradients_match_finite_differences(part, f1, f2):
    # Eqs. (4.3), (4.4), (4.5), (4.6) and (4.7): each weight's derivative, measured
    x, weights, *_ = random_case()
    by_hand = backward(x, weights, f1, f2)
    measured = finite_differences(
        lambda w: mean_squared_error(x, forward(x, w, f1, f2).x_hat), weights
    )
    np.testing.assert_allclose(
        getattr(by_hand, part), getattr(measured, part), rtol=1e-5, atol=1e-6
    )


def test_gradient_of_one_sample_by_hand():
    # one number in, one unit a layer, all linear: loss = (c b a x - x)^2 with a = 2, b = 3, c = 1,
    # x = 1
    one = [
        np.array([[v]]) if i % 2 == 0 else np.zeros(1)
        for i, v in enumerate([2.0, 0, 3.0, 0, 1.0, 0])
    ]
    g = backward(np.array([[1.0]]), Weights(*one), "linear", "linear")
    error = 2 * (6 - 1)
    assert [float(g.W1[0, 0]), float(g.W2[0, 0]), float(g.W3[0, 0])] == [
        error * 3,
        error * 2,
        error * 6,
    ]


def test_gradients_match_tensorflow():
    tf = pytest.importorskip("tensorflow")
    x, weights, *_ = random_case()
    tensors = [tf.Variable(part) for part in weights]
    with tf.GradientTape() as tape:
        W1, b1, W2, b2, W3, b3 = tensors
        h2 = tf.nn.sigmoid(tf.tanh(x @ tf.transpose(W1) + b1) @ tf.transpose(W2) + b2)
        loss = tf.reduce_mean(tf.reduce_sum((h2 @ tf.transpose(W3) + b3 - x) ** 2, axis=1))
    for ours, theirs in zip(backward(x, weights, "tanh", "sigmoid"), tape.gradient(loss, tensors)):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-9, atol=1e-12)


def test_finite_differences_leave_the_weights_alone():
    _, weights, *_ = random_case()
    before = [part.copy() for part in weights]
    gradient = finite_differences(lambda w: float((w.W1**2).sum()), weights)
    np.testing.assert_allclose(gradient.W1, 2 * weights.W1, atol=1e-7)
    assert all((a == b).all() for a, b in zip(before, weights))


def test_initial_weights_are_within_their_limit_and_depend_on_the_seed():
    weights = initial_weights(30, 20, 10, seed=1)
    limit = np.sqrt(6 / 50)
    assert 0.9 * limit < abs(weights.W1).max() <= limit
    assert not any(b.any() for b in weights[1::2])
    assert (weights.W2 == initial_weights(30, 20, 10, seed=1).W2).all()
    assert (weights.W2 != initial_weights(30, 20, 10, seed=2).W2).any()


SAMPLES, OTHERS = np.random.default_rng(0).normal(size=(2, 5, 3))


def test_loss_by_hand():
    # Eq. (4.1): samples cost 0 + 4 and 0 + 1; their mean
    assert mean_squared_error(np.array([[0, 1], [2, 2]]), np.array([[0, 3], [2, 1]])) == 2.5


def test_loss_of_rolls_sums_over_all_their_cells():
    roll, other = SAMPLES[None], OTHERS[None]
    expected = 5 * mean_squared_error(SAMPLES, OTHERS)
    assert mean_squared_error(roll, other) == pytest.approx(expected)
    assert mean_squared_error_gradient(roll, other).shape == (1, 5, 3)


def test_keras_mse_is_smaller_by_the_number_of_features():
    keras = pytest.importorskip("keras")
    theirs = float(np.mean(keras.losses.mean_squared_error(SAMPLES, OTHERS)))
    assert mean_squared_error(SAMPLES, OTHERS) == pytest.approx(3 * theirs, rel=1e-6)


def test_gradient_of_the_loss_matches_finite_differences():
    # Eq. (4.2)
    numeric, step = np.zeros_like(OTHERS), 1e-6
    for i in np.ndindex(*OTHERS.shape):
        bump = np.zeros_like(OTHERS)
        bump[i] = step
        above = mean_squared_error(SAMPLES, OTHERS + bump)
        numeric[i] = (above - mean_squared_error(SAMPLES, OTHERS - bump)) / (2 * step)
    found = mean_squared_error_gradient(SAMPLES, OTHERS)
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-8)


def test_bytes_do_not_wrap_around():
    assert mean_squared_error(np.array([[0]], np.uint8), np.array([[1]], np.uint8)) == 1
    assert mean_squared_error_gradient(np.array([[1]], np.uint8), np.array([[0]], np.uint8)) == -2


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: forward(np.zeros(4), HAND), r"need \(3,\)"),
        (lambda: forward(X, HAND, "swish"), "swish"),
        (lambda: backward(np.zeros((0, 3)), HAND), "at least 1"),
        (lambda: backward(X, HAND), "batch of one"),
        (lambda: mean_squared_error(np.zeros((2, 3)), np.zeros((3, 2))), "same shape"),
        (lambda: mean_squared_error_gradient(np.zeros(3), np.zeros(3)), "batch of one"),
    ],
)
def test_bad_input_is_explained(call, word):
    with pytest.raises(ValueError, match=word):
        call()
