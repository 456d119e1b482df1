"""Exact gradient and exact samples of a small RBM, by enumeration of its smaller layer."""

from __future__ import annotations

import numpy as np
from scipy.special import expit as sigmoid

from musiclab.models.energy.partition_function import (
    binary_states,
    checked_weights,
    log_partition_exact,
    state_chunks,
)

__all__ = ["exact_gradient", "exact_samples"]


def exact_gradient(x, W, a, b) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exact gradient of the mean log-likelihood of rows x: data average minus model average.

    Equation: (12.7)

    Args:
      x: rows (n, V), 0 to 1. W, a, b: of one RBM with at most 20 units in its smaller layer.

    Returns:
      float64 (V, H), (V,), (H,): with respect to W, a, b.

    Raises:
      ValueError: as :func:`musiclab.models.energy.partition_function.log_partition_exact`.

    >>> zeros = np.zeros((2, 1)), np.zeros(2), np.zeros(1)
    >>> exact_gradient(np.array([[1., 0.]]), *zeros)[1].round(9).tolist()
    [0.5, -0.5]
    """
    W, a, b = checked_weights(W, a, b)
    x = np.asarray(x, np.float64)
    h = sigmoid(x @ W + b)  # (n, H)
    data = x.T @ h / len(x), x.mean(axis=0), h.mean(axis=0)
    model = [np.zeros_like(part) for part in data]
    for v, h, p in _conditional_means(W, a, b):
        for total, part in zip(model, (v.T @ (h * p[:, None]), p @ v, p @ h)):
            total += part
    return tuple(positive - negative for positive, negative in zip(data, model))  # Eq. (12.7)


def exact_samples(W, a, b, n: int, seed: int) -> np.ndarray:
    """Draw rows without a chain: a state of the smaller layer by its probability, then the other.

    Args:
      W, a, b: of one RBM with at most 20 units in its smaller layer. n: rows. seed: of the draws.

    Returns:
      float32 (n, V) of 0 and 1.

    Raises:
      ValueError: as :func:`musiclab.models.energy.partition_function.log_partition_exact`.

    >>> exact_samples(np.zeros((2, 1)), np.array([99., -99.]), np.zeros(1), 1, seed=0).tolist()
    [[1.0, 0.0]]
    """
    W, a, b = checked_weights(W, a, b)
    rng = np.random.default_rng(seed)
    probs = np.concatenate([p for *_, p in _conditional_means(W, a, b)])
    drawn = rng.choice(len(probs), size=n, p=probs / probs.sum())
    state = binary_states(min(W.shape), drawn)
    if W.shape[0] >= W.shape[1]:  # hidden units were enumerated
        state = rng.random((n, len(a))) < sigmoid(a + state @ W.T)
    return state.astype(np.float32)


def _conditional_means(W, a, b):
    """Mean v (S, V) and h (S, H) given each state of the smaller layer, and its probability (S,)."""
    swapped, log_z = W.shape[0] < W.shape[1], log_partition_exact(W, a, b)
    if swapped:
        W, a, b = W.T, b, a
    for h in state_chunks(W.shape[1]):
        inputs = a + h @ W.T
        p = np.exp(h @ b + np.logaddexp(0, inputs).sum(axis=1) - log_z)
        yield (h, sigmoid(inputs), p) if swapped else (sigmoid(inputs), h, p)
