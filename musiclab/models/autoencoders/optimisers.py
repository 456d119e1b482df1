"""Gradient descent, mini-batch SGD and Adam in NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from musiclab.models.autoencoders.numpy_autoencoder import (
    Weights,
    backward,
    forward,
    mean_squared_error,
)

__all__ = [
    "AdamState",
    "adam_step",
    "gradient_descent_step",
    "initial_adam_state",
    "minibatches",
    "minimise",
]


class AdamState(NamedTuple):
    """Steps done ``t``, and per weight the running means ``m`` of g and ``v`` of g squared."""

    t: int
    m: tuple
    v: tuple


def gradient_descent_step(weights: tuple, gradient: tuple, eta: float) -> tuple:
    """One step of gradient descent: theta - eta g.

    Equation: (4.8)

    Args:
      weights: a named tuple of arrays, such as :class:`Weights`.
      gradient: gradient of the loss in the same form.
      eta: learning rate, > 0.

    Returns:
      The new weights, in the same form; the old ones are not changed.

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> bool((gradient_descent_step(w, w, eta=1.0).W1 == 0).all())
    True
    """
    pairs = zip(weights, gradient, strict=True)
    return weights._make(theta - eta * g for theta, g in pairs)  # Eq. (4.8)


def minibatches(n: int, size: int, seed: int) -> list[np.ndarray]:
    """Shuffle n samples and cut them into mini-batches.

    The gradient over a mini-batch, the mean over its samples, is an unbiased estimate of the
    gradient over all.

    Equation: (4.9)

    Args:
      n: number of samples. size: samples in a batch; the last may be shorter.
      seed: for the shuffle; another one for each epoch.

    Returns:
      Index arrays, int64, that hold each of 0..n-1 once.

    >>> [len(batch) for batch in minibatches(5, 2, seed=0)]
    [2, 2, 1]
    """
    order = np.random.default_rng(seed).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]  # Eq. (4.9)


def initial_adam_state(weights: tuple) -> AdamState:
    """Adam's state before its first step: running means of zero.

    >>> initial_adam_state((np.ones(2),)).m[0].tolist()
    [0.0, 0.0]
    """
    zeros = tuple(np.zeros_like(w) for w in weights)
    return AdamState(0, zeros, zeros)


def adam_step(
    weights: tuple,
    gradient: tuple,
    state: AdamState,
    eta: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[tuple, AdamState]:
    """One step of Adam.

    Keras adds its epsilon before v is corrected, which shortens the first steps by a few millionths
    of their length where gradients are near 1.

    Equation: (4.10)
    Equation: (4.11)
    Equation: (4.12)
    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    Args:
      weights, gradient, eta: as :func:`gradient_descent_step`.
      state: from :func:`initial_adam_state` or the step before.
      beta1, beta2: decay rates of the running means, in [0, 1).
      epsilon: keeps the division finite.

    Returns:
      The new weights and the new state.

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> after, state = adam_step(w, w, initial_adam_state(w), eta=0.01)
    >>> bool(np.allclose(abs(after.W1 - w.W1), 0.01)), state.t
    (True, 1)
    """
    t = state.t + 1
    m = tuple(beta1 * m + (1 - beta1) * g for m, g in zip(state.m, gradient))  # Eq. (4.10)
    v = tuple(beta2 * v + (1 - beta2) * g**2 for v, g in zip(state.v, gradient))  # Eq. (4.10)
    m_hat = [mean / (1 - beta1**t) for mean in m]  # Eq. (4.11)
    v_hat = [mean / (1 - beta2**t) for mean in v]  # Eq. (4.11)
    steps = [eta * a / (np.sqrt(b) + epsilon) for a, b in zip(m_hat, v_hat)]  # Eq. (4.12)
    return weights._make(theta - step for theta, step in zip(weights, steps)), AdamState(t, m, v)


def minimise(
    x: np.ndarray,
    weights: Weights,
    batch_size: int,
    eta: float,
    epochs: int,
    seed: int,
    adam: bool = False,
) -> tuple[Weights, list[float]]:
    """Train the NumPy autoencoder (tanh, then relu) by mini-batch gradient descent or Adam.

    Args:
      x: samples (n, d).
      weights: where to start.
      batch_size: n for gradient descent on all samples at once.
      eta: learning rate.
      epochs: passes over the samples.
      seed: for the shuffles.
      adam: Adam instead of gradient descent.

    Returns:
      The last weights, and the mean squared error over all samples before each epoch and after the
      last.

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> w = initial_weights(2, 1, 1, seed=1)
    >>> _, losses = minimise(np.eye(2), w, batch_size=2, eta=0.01, epochs=3, seed=0)
    >>> len(losses), losses[-1] < losses[0]
    (4, True)
    """
    state, losses = initial_adam_state(weights), []
    for epoch in range(epochs):
        losses.append(mean_squared_error(x, forward(x, weights).x_hat))
        for batch in minibatches(len(x), batch_size, seed=seed + epoch):
            gradient = backward(x[batch], weights)
            if adam:
                weights, state = adam_step(weights, gradient, state, eta)
            else:
                weights = gradient_descent_step(weights, gradient, eta)
    return weights, [*losses, mean_squared_error(x, forward(x, weights).x_hat)]
