"""Gradient descent, mini-batches and Adam, against hand values and Keras."""

import numpy as np
import pytest

from musiclab.models.autoencoders.numpy_autoencoder import (
    Weights,
    backward,
    forward,
    initial_weights,
    mean_squared_error,
)
from musiclab.models.autoencoders.optimisers import (
    adam_step,
    gradient_descent_step,
    initial_adam_state,
    minibatches,
    minimise,
)

weights = initial_weights(3, 2, 2, seed=0)
gradients = [
    Weights(*(np.random.default_rng(k).normal(size=w.shape) for w in weights)) for k in range(4)
]


def in_keras(optimizer):
    """The weights after the four gradients, by Keras."""
    import keras

    variables = [keras.Variable(w, dtype="float64") for w in weights]
    for g in gradients:
        optimizer.apply_gradients(zip([keras.ops.convert_to_tensor(part) for part in g], variables))
    return [v.numpy() for v in variables]


def test_gradient_descent_step_by_hand():
    # Eq. (4.8)
    after = gradient_descent_step(weights, gradients[0], eta=0.5)
    np.testing.assert_allclose(after.W1, weights.W1 - gradients[0].W1 / 2, rtol=1e-12)
    assert isinstance(after, Weights)


def test_gradient_descent_is_keras_sgd():
    import keras

    w = weights
    for g in gradients:
        w = gradient_descent_step(w, g, eta=0.1)
    for ours, theirs in zip(w, in_keras(keras.optimizers.SGD(0.1))):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def test_small_steps_lower_the_loss():
    x = np.random.default_rng(1).normal(size=(8, 3))
    losses, w = [], weights
    for _ in range(20):
        losses.append(mean_squared_error(x, forward(x, w).x_hat))
        w = gradient_descent_step(w, backward(x, w), eta=0.01)
    assert (np.diff(losses) < 0).all()


@pytest.mark.parametrize(("n", "size"), [(10, 3), (9, 3), (2, 5)])
def test_batches_meet_every_sample_once(n, size):
    # Eq. (4.9)
    batches = minibatches(n, size, seed=3)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert [len(b) for b in batches[:-1]] == [size] * (n // size - (n % size == 0))
    assert batches[0].tolist() == minibatches(n, size, seed=3)[0].tolist()


def test_batches_are_shuffled():
    assert np.concatenate(minibatches(50, 7, seed=0)).tolist() != list(range(50))
    assert minibatches(50, 7, seed=0)[0].tolist() != minibatches(50, 7, seed=1)[0].tolist()


def test_batch_gradients_average_to_the_full_gradient():
    # Eq. (4.9): with batches of one size
    x = np.random.default_rng(1).normal(size=(12, 3))
    parts = [backward(x[batch], weights).W1 for batch in minibatches(12, 4, seed=0)]
    np.testing.assert_allclose(np.mean(parts, axis=0), backward(x, weights).W1, rtol=1e-10)


def test_running_means_by_hand():
    # Eq. (4.10): from zero, one step keeps 1 - beta of g and of its square
    _, state = adam_step(weights, gradients[0], initial_adam_state(weights), beta1=0.75, beta2=0.5)
    np.testing.assert_allclose(state.m[0], 0.25 * gradients[0].W1, rtol=1e-12)
    np.testing.assert_allclose(state.v[0], 0.5 * gradients[0].W1 ** 2, rtol=1e-12)
    assert state.t == 1


def test_the_first_step_is_eta_whatever_the_gradient():
    # Eqs. (4.11) and (4.12): corrected for the start at zero, m / sqrt(v) is the gradient's sign
    after, _ = adam_step(weights, gradients[0], initial_adam_state(weights), eta=0.03)
    np.testing.assert_allclose(after.W1, weights.W1 - 0.03 * np.sign(gradients[0].W1), rtol=1e-4)


def test_adam_is_keras_adam():
    # Eqs. (4.10), (4.11) and (4.12): four steps. Keras keeps rates as float32: these are the same
    # there. Keras adds epsilon elsewhere: this one is too small to show.
    import keras

    rates = {"beta1": 0.875, "beta2": 0.9375, "epsilon": 1e-14}
    theirs = in_keras(keras.optimizers.Adam(0.125, beta_1=0.875, beta_2=0.9375, epsilon=1e-14))
    w, state = weights, initial_adam_state(weights)
    for g in gradients:
        w, state = adam_step(w, g, state, eta=0.125, **rates)
    for ours, there in zip(w, theirs):
        np.testing.assert_allclose(ours, there, rtol=1e-6)


def test_the_defaults_are_keras_defaults():
    import keras

    w, state = weights, initial_adam_state(weights)
    for g in gradients:
        w, state = adam_step(w, g, state)
    for ours, theirs in zip(w, in_keras(keras.optimizers.Adam())):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_minimise_is_steps_over_shuffled_batches():
    x = np.random.default_rng(1).normal(size=(4, 3))
    w = weights
    for turn in range(2):
        for batch in minibatches(4, 2, seed=7 + turn):
            w = gradient_descent_step(w, backward(x[batch], w), eta=0.1)
    after, losses = minimise(x, weights, batch_size=2, eta=0.1, epochs=2, seed=7)
    np.testing.assert_allclose(after.W1, w.W1, rtol=1e-12)
    assert losses[0] == mean_squared_error(x, forward(x, weights).x_hat)
    assert losses[2] == mean_squared_error(x, forward(x, w).x_hat)
    assert len(losses) == 3


def test_minimise_by_adam():
    x = np.random.default_rng(1).normal(size=(4, 3))
    expected, _ = adam_step(weights, backward(x, weights), initial_adam_state(weights), eta=0.1)
    after, _ = minimise(x, weights, batch_size=4, eta=0.1, epochs=1, seed=0, adam=True)
    np.testing.assert_allclose(after.W3, expected.W3, rtol=1e-9)


def test_a_gradient_of_another_form_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        gradient_descent_step(weights, gradients[0][:5], 0.1)
