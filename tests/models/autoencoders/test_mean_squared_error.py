"""Mean squared error: its reduction, and its gradient."""

import numpy as np
import pytest

from musiclab.models.autoencoders.mean_squared_error import (
    mean_squared_error,
    mean_squared_error_gradient,
)

x, x_hat = np.random.default_rng(0).normal(size=(2, 5, 3))


def test_hand_value():
    # Eq. (4.1): samples cost 0 + 4 and 0 + 1; their mean
    assert mean_squared_error(np.array([[0, 1], [2, 2]]), np.array([[0, 3], [2, 1]])) == 2.5


def test_rolls_count_all_their_cells():
    rolls = x.reshape(1, 5, 3)
    assert mean_squared_error(rolls, x_hat[None]) == pytest.approx(5 * mean_squared_error(x, x_hat))
    assert mean_squared_error_gradient(rolls, x_hat[None]).shape == (1, 5, 3)


def test_keras_mse_is_smaller_by_the_number_of_features():
    keras = pytest.importorskip("keras")
    theirs = float(np.mean(keras.losses.mean_squared_error(x, x_hat)))
    assert mean_squared_error(x, x_hat) == pytest.approx(3 * theirs, rel=1e-6)


def test_gradient_matches_finite_differences():
    # Eq. (4.2)
    numeric, step = np.zeros_like(x_hat), 1e-6
    for i in np.ndindex(*x_hat.shape):
        bump = np.zeros_like(x_hat)
        bump[i] = step
        numeric[i] = (mean_squared_error(x, x_hat + bump) - mean_squared_error(x, x_hat - bump)) / (
            2 * step
        )
    np.testing.assert_allclose(mean_squared_error_gradient(x, x_hat), numeric, rtol=1e-6, atol=1e-8)


def test_zero_only_where_equal():
    assert mean_squared_error(x, x) == 0
    assert not mean_squared_error_gradient(x, x).any()
    assert mean_squared_error(x, x + 1e-3) > 0


def test_bytes_do_not_wrap_around():
    assert mean_squared_error(np.array([[0]], np.uint8), np.array([[1]], np.uint8)) == 1
    assert mean_squared_error_gradient(np.array([[1]], np.uint8), np.array([[0]], np.uint8)) == -2


@pytest.mark.parametrize("function", [mean_squared_error, mean_squared_error_gradient])
@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), r"\(2, 3\).*\(3, 2\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "no samples"),
        (np.zeros(3), np.zeros(3), "batch of one"),
    ],
)
def test_bad_shapes_are_named(function, a, b, words):
    with pytest.raises(ValueError, match=words):
        function(a, b)
