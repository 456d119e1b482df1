"""Ways downhill: gradient descent, mini-batches and Adam, one step at a time in NumPy.

Lessons: 04.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from musiclab.models.autoencoders.mean_squared_error import mean_squared_error
from musiclab.models.autoencoders.numpy_autoencoder import Weights, backward, forward

__all__ = [
    "AdamState",
    "adam_start",
    "adam_step",
    "descend",
    "gradient_descent_step",
    "minibatches",
]


class AdamState(NamedTuple):
    """What Adam remembers: steps done ``t``, and per weight the running means ``m`` of g and ``v`` of g squared."""

    t: int
    m: tuple
    v: tuple


def gradient_descent_step(weights: tuple, gradient: tuple, eta: float) -> tuple:
    """One step straight downhill: theta - eta g.

    Equation: (4.8)
    Lesson: 04

    Args:
      weights: a named tuple of arrays, such as ``dense.Weights``.
      gradient: the loss's gradient in the same form.
      eta: learning rate, > 0.

    Returns:
      The new weights, in the same form; the old ones are left alone.

    Raises:
      ValueError: if weights and gradient differ in shape, or eta is not positive.

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> bool((gradient_descent_step(w, w, eta=1.0).W1 == 0).all())
    True
    """
    _check(weights, gradient, eta)
    return weights._make(theta - eta * g for theta, g in zip(weights, gradient))  # Eq. (4.8)


def minibatches(n: int, size: int, seed: int) -> list[np.ndarray]:
    """Cut a shuffled pass over n samples into batches, each met once.

    The gradient over a batch is the mean over its samples only: an estimate of the
    mean over all, and right on average.

    Equation: (4.9)
    Lesson: 04

    Args:
      n: number of samples. size: samples in a batch; the last may be shorter.
      seed: for the shuffle; a new one for each pass.

    Returns:
      Index arrays, int64, whose union is 0..n-1.

    Raises:
      ValueError: if n or size is below 1.

    >>> [len(batch) for batch in minibatches(5, 2, seed=0)]
    [2, 2, 1]
    """
    if n < 1 or size < 1:
        raise ValueError(f"{n} samples in batches of {size}: both must be at least 1")
    order = np.random.default_rng(seed).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]  # Eq. (4.9)


def adam_start(weights: tuple) -> AdamState:
    """Adam's memory before its first step: all zeros.

    Lesson: 04

    Args:
      weights: a named tuple of arrays.

    Returns:
      The state at t = 0.

    Raises:
      TypeError: if weights can't be walked through.

    >>> adam_start((np.ones(2),)).m[0].tolist()
    [0.0, 0.0]
    """
    return AdamState(
        0, tuple(np.zeros_like(w) for w in weights), tuple(np.zeros_like(w) for w in weights)
    )


def adam_step(
    weights: tuple,
    gradient: tuple,
    state: AdamState,
    eta: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[tuple, AdamState]:
    """One step of Adam: each weight moves by about eta, in the direction its gradient kept to.

    The source article leaves the optimiser open. Keras adds its epsilon before v is corrected, which
    shortens the first steps by a few millionths of their length where gradients are near 1.

    Equation: (4.10)
    Equation: (4.11)
    Equation: (4.12)
    Lesson: 04
    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    Args:
      weights, gradient, eta: as :func:`gradient_descent_step`.
      state: from :func:`adam_start` or the step before.
      beta1, beta2: how much of the running means is kept, in [0, 1).
      epsilon: keeps the division finite.

    Returns:
      The new weights and the new state.

    Raises:
      ValueError: as :func:`gradient_descent_step`, or a beta outside [0, 1).

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> w = initial_weights(2, 1, 1, seed=0)
    >>> after, state = adam_step(w, w, adam_start(w), eta=0.01)
    >>> bool(np.allclose(abs(after.W1 - w.W1), 0.01)), state.t
    (True, 1)
    """
    _check(weights, gradient, eta)
    if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
        raise ValueError(f"beta1 {beta1}, beta2 {beta2}: each must be at least 0 and below 1")
    t = state.t + 1
    m = tuple(beta1 * m + (1 - beta1) * g for m, g in zip(state.m, gradient))  # Eq. (4.10)
    v = tuple(beta2 * v + (1 - beta2) * g**2 for v, g in zip(state.v, gradient))  # Eq. (4.10)
    m_hat = [mean / (1 - beta1**t) for mean in m]  # Eq. (4.11)
    v_hat = [mean / (1 - beta2**t) for mean in v]  # Eq. (4.11)
    steps = [eta * a / (np.sqrt(b) + epsilon) for a, b in zip(m_hat, v_hat)]  # Eq. (4.12)
    return weights._make(theta - step for theta, step in zip(weights, steps)), AdamState(t, m, v)


def descend(
    x: np.ndarray,
    weights: Weights,
    size: int,
    eta: float,
    passes: int,
    seed: int,
    adam: bool = False,
) -> tuple[Weights, list[float]]:
    """Train the NumPy autoencoder (tanh, then relu): shuffle, cut into batches, step after each.

    Lesson: 04

    Args:
      x: samples (n, d).
      weights: where to start.
      size: samples in a batch; n for plain gradient descent.
      eta: learning rate.
      passes: how often each sample is met.
      seed: for the shuffles.
      adam: steps by Adam instead of straight downhill.

    Returns:
      The last weights, and the mean squared error over all samples before each pass and after the last.

    Raises:
      ValueError: as the functions it is made of.

    >>> from musiclab.models.autoencoders.numpy_autoencoder import initial_weights
    >>> _, losses = descend(np.eye(2), initial_weights(2, 1, 1, seed=1), size=2, eta=0.01, passes=3, seed=0)
    >>> len(losses), losses[-1] < losses[0]
    (4, True)
    """
    memory, losses = adam_start(weights), []
    for turn in range(passes):
        losses.append(mean_squared_error(x, forward(x, weights).x_hat))
        for batch in minibatches(len(x), size, seed=seed + turn):
            gradient = backward(x[batch], weights)
            if adam:
                weights, memory = adam_step(weights, gradient, memory, eta)
            else:
                weights = gradient_descent_step(weights, gradient, eta)
    return weights, [*losses, mean_squared_error(x, forward(x, weights).x_hat)]


def _check(weights, gradient, eta):
    shapes, slopes = [np.shape(w) for w in weights], [np.shape(g) for g in gradient]
    if shapes != slopes:
        raise ValueError(
            f"weights have shapes {shapes}, the gradient {slopes}: they must be the same"
        )
    if not eta > 0:
        raise ValueError(f"learning rate eta = {eta}: must be above 0")
