"""The three-layer autoencoder in NumPy: forward pass, and gradients by hand.

Written for reading and checking; ``musiclab.models.autoencoders.autoencoder`` is the same
network in Keras, for training.

Lessons: 03, 04.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from musiclab.models.autoencoders.mean_squared_error import mean_squared_error_gradient

__all__ = ["Layers", "Weights", "backward", "finite_differences", "forward", "initial_weights"]


class Weights(NamedTuple):
    """Weight matrices and biases; row k of ``W`` holds what unit k listens to. Gradients have this form too.

    Lesson: 03

    Attributes:
      W1: (n1, d). b1: (n1,). W2: (n2, n1). b2: (n2,). W3: (d, n2). b3: (d,). All float64.
    """

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    W3: np.ndarray
    b3: np.ndarray


class Layers(NamedTuple):
    """What each layer says: ``h1`` (..., n1), ``h2`` (..., n2) and ``x_hat`` (..., d)."""

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
    """Random weights to start training from, zero biases (Glorot's uniform rule, as Keras' default).

    Lesson: 04

    Args:
      d: features of a sample. n1, n2: units of the hidden layers.
      seed: for the random generator.

    Returns:
      Weights with entries within +-sqrt(6 / (inputs + outputs)) of 0.

    Raises:
      ValueError: if a size is below 1.

    >>> initial_weights(3, 2, 2, seed=0).W1.shape
    (2, 3)
    """
    if min(d, n1, n2) < 1:
        raise ValueError(f"layer sizes {d}, {n1}, {n2}: each must be at least 1")
    rng = np.random.default_rng(seed)
    parts = []
    for n_in, n_out in ((d, n1), (n1, n2), (n2, d)):
        limit = np.sqrt(6 / (n_in + n_out))
        parts += [rng.uniform(-limit, limit, size=(n_out, n_in)), np.zeros(n_out)]
    return Weights(*parts)


def forward(x: np.ndarray, weights: Weights, f1: str = "tanh", f2: str = "relu") -> Layers:
    """Encode and reconstruct: h1 = f1(W1 x + b1), h2 = f2(W2 h1 + b2), x_hat = W3 h2 + b3.

    Equation: (3.1)
    Equation: (3.2)
    Equation: (3.3)
    Lesson: 03
    Source: source article on autoencoders, section 3.1.

    Args:
      x: one sample (d,) or a batch of them as rows (n, d).
      weights: see :class:`Weights`.
      f1, f2: "linear", "relu", "sigmoid" or "tanh".

    Returns:
      The three layers' outputs, float64, with x's leading shape.

    Raises:
      ValueError: if the shapes don't fit together or an activation is unknown.

    >>> ones = Weights(*(np.ones(s) for s in [(1, 2), 1, (1, 1), 1, (2, 1), 2]))
    >>> forward(np.array([2., 3.]), ones, "linear", "linear").x_hat.tolist()
    [8.0, 8.0]
    """
    x = _checked(x, weights)
    (f1, _), (f2, _) = _activation(f1), _activation(f2)
    # rows are samples, so W x becomes x W^T
    h1 = f1(x @ weights.W1.T + weights.b1)  # Eq. (3.1)
    h2 = f2(h1 @ weights.W2.T + weights.b2)  # Eq. (3.2)
    x_hat = h2 @ weights.W3.T + weights.b3  # Eq. (3.3)
    return Layers(h1, h2, x_hat)


def backward(x: np.ndarray, weights: Weights, f1: str = "tanh", f2: str = "relu") -> Weights:
    """Gradient of the mean squared error with respect to every weight and bias, by the chain rule.

    Equation: (4.3)
    Equation: (4.4)
    Equation: (4.5)
    Equation: (4.6)
    Equation: (4.7)
    Lesson: 04

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
    x = _checked(x, weights)
    h1, h2, x_hat = forward(x, weights, f1, f2)
    (_, slope1), (_, slope2) = _activation(f1), _activation(f2)
    delta3 = mean_squared_error_gradient(x, x_hat)
    W3, b3 = delta3.T @ h2, delta3.sum(axis=0)  # Eq. (4.3)
    delta2 = (delta3 @ weights.W3) * slope2(h2)  # Eq. (4.4)
    W2, b2 = delta2.T @ h1, delta2.sum(axis=0)  # Eq. (4.5)
    delta1 = (delta2 @ weights.W2) * slope1(h1)  # Eq. (4.6)
    W1, b1 = delta1.T @ x, delta1.sum(axis=0)  # Eq. (4.7)
    return Weights(W1, b1, W2, b2, W3, b3)


def finite_differences(
    loss: Callable[[Weights], float], weights: Weights, step: float = 1e-6
) -> Weights:
    """The gradient measured instead of derived: nudge each weight both ways and watch the loss.

    Two evaluations of the loss per weight, so for small networks only.

    Lesson: 04

    Args:
      loss: from weights to a number.
      weights: where to measure, :class:`Weights` or another named tuple of arrays.
      step: size of the nudge.

    Returns:
      A tuple of the same kind, holding the measured slopes, float64.

    Raises:
      ValueError: if step is not positive.

    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> finite_differences(lambda w: float(3 * w.b1.sum()), w).b1.round(6)
    array([3.])
    """
    if not step > 0:
        raise ValueError(f"step {step}: must be above 0")
    moved = weights._make(np.array(part, np.float64) for part in weights)
    slopes = weights._make(np.zeros_like(part) for part in moved)
    for part, slope in zip(moved, slopes):
        for i in np.ndindex(*part.shape):
            here = part[i]
            part[i] = here + step
            above = loss(moved)
            part[i] = here - step
            slope[i] = (above - loss(moved)) / (2 * step)
            part[i] = here
    return slopes


def _activation(name):
    if name not in _ACTIVATIONS:
        raise ValueError(
            f"unknown activation {name!r}: use one of {', '.join(sorted(_ACTIVATIONS))}"
        )
    return _ACTIVATIONS[name]


def _checked(x, weights):
    x = np.asarray(x, np.float64)
    shapes = [np.shape(part) for part in weights]
    d, n1, n2 = (int(np.shape(w)[-1]) for w in (weights.W1, weights.W2, weights.W3))
    wanted = [(n1, d), (n1,), (n2, n1), (n2,), (d, n2), (d,)]
    if shapes != wanted:
        raise ValueError(
            f"weights have shapes {shapes}: with {d} features and layers of {n1} and {n2}, need {wanted}"
        )
    if x.ndim not in (1, 2) or x.shape[-1] != d:
        raise ValueError(f"x has shape {x.shape}: need ({d},) or (n, {d}) for these weights")
    return x
