"""Three-layer autoencoder in NumPy: forward pass, mean squared error and backpropagation.

Written for reading and checking; :mod:`musiclab.models.autoencoders.autoencoder` is the same
network in Keras, for training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = [
    "Layers",
    "Weights",
    "backward",
    "finite_differences",
    "forward",
    "initial_weights",
    "mean_squared_error",
    "mean_squared_error_gradient",
]


class Weights(NamedTuple):
    """Weight matrices and biases, float64, or gradients with respect to them.

    Attributes:
      W1: (n1, d), row k for unit k. b1: (n1,). W2: (n2, n1). b2: (n2,). W3: (d, n2). b3: (d,).
    """

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    W3: np.ndarray
    b3: np.ndarray


class Layers(NamedTuple):
    """Outputs of the three layers: ``h1`` (..., n1), ``h2`` (..., n2) and ``x_hat`` (..., d)."""

    h1: np.ndarray
    h2: np.ndarray
    x_hat: np.ndarray


# each activation, and its derivative written in terms of its own output h
_ACTIVATIONS = {
    "linear": (lambda a: a, np.ones_like),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
}


def initial_weights(d: int, n1: int, n2: int, seed: int) -> Weights:
    """Random weights and zero biases (Glorot's uniform initialisation, Keras' default).

    Args:
      d: features of a sample. n1, n2: units of the hidden layers. seed: for the weights.

    Returns:
      Weights with entries within +-sqrt(6 / (inputs + outputs)) of 0.

    >>> initial_weights(3, 2, 2, seed=0).W1.shape
    (2, 3)
    """
    rng = np.random.default_rng(seed)
    parts = []
    for n_in, n_out in ((d, n1), (n1, n2), (n2, d)):
        limit = np.sqrt(6 / (n_in + n_out))
        parts += [rng.uniform(-limit, limit, size=(n_out, n_in)), np.zeros(n_out)]
    return Weights(*parts)


def forward(x: np.ndarray, weights: Weights, f1: str = "tanh", f2: str = "relu") -> Layers:
    """Forward pass: h1 = f1(W1 x + b1), h2 = f2(W2 h1 + b2), x_hat = W3 h2 + b3.

    Equation: (3.1)
    Equation: (3.2)
    Equation: (3.3)
    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, chapter 14.

    Args:
      x: one sample (d,) or a batch of them as rows (n, d).
      weights: see :class:`Weights`.
      f1, f2: "linear", "relu", "sigmoid" or "tanh".

    Returns:
      Outputs of the three layers, float64, with x's leading shape.

    Raises:
      ValueError: if x does not fit the weights or an activation is unknown.

    >>> ones = Weights(*(np.ones(s) for s in [(1, 2), 1, (1, 1), 1, (2, 1), 2]))
    >>> forward(np.array([2., 3.]), ones, "linear", "linear").x_hat.tolist()
    [8.0, 8.0]
    """
    x, d = np.asarray(x, np.float64), np.shape(weights.W1)[1]
    if x.ndim not in (1, 2) or x.shape[-1] != d:
        raise ValueError(f"x has shape {x.shape}: need ({d},) or (n, {d}) for these weights")
    (f1, _), (f2, _) = _activation(f1), _activation(f2)
    # samples are rows, so W x becomes x W^T
    h1 = f1(x @ weights.W1.T + weights.b1)  # Eq. (3.1): (n, n1)
    h2 = f2(h1 @ weights.W2.T + weights.b2)  # Eq. (3.2): (n, n2)
    x_hat = h2 @ weights.W3.T + weights.b3  # Eq. (3.3): (n, d)
    return Layers(h1, h2, x_hat)


def mean_squared_error(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Mean squared error of reconstructions: summed over features, averaged over samples.

    Keras' ``"mse"`` averages over both, so it is smaller by the number of features d.

    Equation: (4.1)
    Source: Rumelhart, Hinton and Williams, Nature 323, 1986.

    Args:
      x: samples, shape (n, d) or (n, ...) with d numbers each, float or integer.
      x_hat: reconstructions, same shape.

    Returns:
      The loss in squared input units.

    Raises:
      ValueError: if the shapes differ, x is a single vector, or n is 0.

    >>> mean_squared_error(np.array([[0., 1.]]), np.array([[0., 3.]]))
    4.0
    """
    x, x_hat = _same_shape(x, x_hat)
    squares = ((x - x_hat) ** 2).reshape(len(x), -1)  # (n, d)
    return float(np.mean(np.sum(squares, axis=1)))  # Eq. (4.1)


def mean_squared_error_gradient(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Gradient of :func:`mean_squared_error` with respect to ``x_hat``, float64 of its shape.

    Equation: (4.2)

    Raises:
      ValueError: as :func:`mean_squared_error`.

    >>> mean_squared_error_gradient(np.array([[0., 1.]]), np.array([[0., 3.]]))
    array([[0., 4.]])
    """
    x, x_hat = _same_shape(x, x_hat)
    return 2 / len(x) * (x_hat - x)  # Eq. (4.2)


def backward(x: np.ndarray, weights: Weights, f1: str = "tanh", f2: str = "relu") -> Weights:
    """Backpropagation: gradient of the mean squared error with respect to all weights and biases.

    Equation: (4.3)
    Equation: (4.4)
    Equation: (4.5)
    Equation: (4.6)
    Equation: (4.7)

    Args:
      x: samples (n, d).
      weights, f1, f2: as :func:`forward`.

    Returns:
      Weights of the same shapes, holding dLoss/dW1, dLoss/db1 and so on.

    Raises:
      ValueError: as :func:`forward`, or if x is not (n, d) with n at least 1.

    >>> backward(np.eye(2), initial_weights(2, 1, 1, seed=0)).W3.shape
    (2, 1)
    """
    h1, h2, x_hat = forward(x, weights, f1, f2)
    (_, derivative1), (_, derivative2) = _activation(f1), _activation(f2)
    # delta: gradient with respect to the pre-activation of a layer
    delta3 = mean_squared_error_gradient(x, x_hat)  # (n, d)
    W3, b3 = delta3.T @ h2, delta3.sum(axis=0)  # Eq. (4.3)
    delta2 = (delta3 @ weights.W3) * derivative2(h2)  # Eq. (4.4): (n, n2)
    W2, b2 = delta2.T @ h1, delta2.sum(axis=0)  # Eq. (4.5)
    delta1 = (delta2 @ weights.W2) * derivative1(h1)  # Eq. (4.6): (n, n1)
    W1, b1 = delta1.T @ np.asarray(x, np.float64), delta1.sum(axis=0)  # Eq. (4.7)
    return Weights(W1, b1, W2, b2, W3, b3)


def finite_differences(loss: Callable[[Weights], float], weights: Weights) -> Weights:
    """Numerical gradient of a loss by central differences, to check a derived one.

    Two evaluations of the loss per weight, so for small networks only.

    Args:
      loss: from weights to a number.
      weights: where to measure, :class:`Weights` or another named tuple of arrays.

    Returns:
      A tuple of the same kind, float64.

    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> finite_differences(lambda w: float(3 * w.b1.sum()), w).b1.round(6)
    array([3.])
    """
    step = 1e-6
    moved = weights._make(np.array(part, np.float64) for part in weights)
    gradient = weights._make(np.zeros_like(part) for part in moved)
    for part, derivative in zip(moved, gradient):
        for i in np.ndindex(*part.shape):
            value = part[i]
            part[i] = value + step
            above = loss(moved)
            part[i] = value - step
            derivative[i] = (above - loss(moved)) / (2 * step)
            part[i] = value
    return gradient


def _activation(name):
    if name not in _ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}: use one of {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def _same_shape(x, x_hat):
    # float64: piano rolls may arrive as uint8, whose differences would wrap around
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if x.shape != x_hat.shape or x.ndim < 2 or len(x) == 0:
        raise ValueError(
            f"x has shape {x.shape}, x_hat {x_hat.shape}: need the same shape (n, features), "
            "n at least 1; a single sample is a batch of one, x[None]"
        )
    return x, x_hat
