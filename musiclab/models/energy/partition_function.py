"""Partition functions of restricted Boltzmann machines: exact where few units allow it, estimated where not.

W (V, H) are the weights, a visible and b hidden biases: a (V,), b (H,), or a (B, V), b (B, H) for B machines that
share W and differ in their biases. Answers are float64 (B,), in nats, with B = 1 for one
machine; the exact one is then a float.

    log_partition_exact(W, a, b)                            # up to 20 units in the smaller layer
    log_partition_ais(W, a, b, seed=0, temperatures=1000)   # AIS: log_z (B,), standard_error (B,), log_weights (B, C)
    log_partition_reverse_ais(W, a, b, v, seed=0)           # the same from exact samples v (C, V) downward

Lessons: 12, 14.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions

__all__ = [
    "AIS",
    "exact_gradient",
    "exact_samples",
    "log_partition_ais",
    "log_partition_exact",
    "log_partition_reverse_ais",
]

MOST_UNITS = 20  # of the smaller layer: 2^20 states take seconds
STATES = 2**12  # enumerated at once
ROWS = 4096  # chains run at once


class AIS(NamedTuple):
    """An estimate of ln Z by annealed importance sampling.

    Attributes:
      log_z: float64 (B,), nats. standard_error: float64 (B,), of log_z, from how much the chains differ; chains
        that all miss the same region don't know it, so more temperatures must leave log_z where it is.
      log_weights: float64 (B, C), one per chain.
      temperatures: how many.
    """

    log_z: np.ndarray
    standard_error: np.ndarray
    log_weights: np.ndarray
    temperatures: int


def log_partition_exact(W, a, b) -> np.ndarray | float:
    """ln Z, Z the sum of exp(-E(v, h)) over all states: over those of the smaller layer, the other one summed by hand.

    Equation: (12.2)
    Lesson: 12

    Args:
      W, a, b: see the module.

    Returns:
      float64 (B,), or a float where a and b are of one machine.

    Raises:
      ValueError: if both layers have more than 20 units, or the shapes don't fit.

    >>> float(round(log_partition_exact(np.zeros((3, 2)), np.zeros(3), np.zeros(2)) / np.log(2), 6))
    5.0
    """
    W, a, b = _checked(W, a, b)
    one, a, b = a.ndim == 1, np.atleast_2d(a), np.atleast_2d(b)
    a, b, W = _turned(a, b, W) if W.shape[0] < W.shape[1] else (a, b, W)
    log_z = np.full(len(a), -np.inf)
    for h in _states(W.shape[1]):
        towards = h @ W.T
        for i in range(len(a)):
            terms = h @ b[i] + np.logaddexp(0, a[i] + towards).sum(axis=1)
            log_z[i] = np.logaddexp(log_z[i], np.logaddexp.reduce(terms))  # Eq. (12.2)
    return float(log_z[0]) if one else log_z


def exact_gradient(x, W, a, b) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of the mean of ln p over rows x: what data do on average minus what the model does on average.

    Equation: (12.7)
    Lesson: 12

    Args:
      x: rows (n, V), 0 to 1. W, a, b: of one machine with at most 20 units in its smaller layer.

    Returns:
      float64 (V, H), (V,), (H,): for W, a, b.

    Raises:
      ValueError: as :func:`log_partition_exact`.

    >>> exact_gradient(np.array([[1., 0.]]), np.zeros((2, 1)), np.zeros(2), np.zeros(1))[1].round(9).tolist()
    [0.5, -0.5]
    """
    W, a, b = _checked(W, a, b)
    x = np.asarray(x, np.float64)
    h = _sigmoid(x @ W + b)
    data = x.T @ h / len(x), x.mean(axis=0), h.mean(axis=0)
    model = [np.zeros_like(part) for part in data]
    for v, h, p in _moments(W, a, b):
        for total, part in zip(model, (v.T @ (h * p[:, None]), p @ v, p @ h)):
            total += part
    return tuple(positive - negative for positive, negative in zip(data, model))  # Eq. (12.7)


def exact_samples(W, a, b, n: int, seed: int) -> np.ndarray:
    """Draw from the model itself, no chain: a state of the smaller layer by its probability, then the other layer.

    Lesson: 12

    Args:
      W, a, b: of one machine with at most 20 units in its smaller layer. n: rows. seed: the same draws the same.

    Returns:
      float32 (n, V) of 0 and 1.

    Raises:
      ValueError: as :func:`log_partition_exact`.

    >>> exact_samples(np.zeros((2, 1)), np.array([99., -99.]), np.zeros(1), 1, seed=0).tolist()
    [[1.0, 0.0]]
    """
    W, a, b = _checked(W, a, b)
    rng, visible = np.random.default_rng(seed), W.shape[0] < W.shape[1]
    probs = np.concatenate([p for *_, p in _moments(W, a, b)])
    drawn = rng.choice(len(probs), size=n, p=probs / probs.sum())
    state = (drawn[:, None] >> np.arange(min(W.shape))) & 1
    if not visible:
        state = rng.random((n, len(a))) < _sigmoid(a + state @ W.T)
    return state.astype(np.float32)


def log_partition_ais(
    W, a, b, seed: int, temperatures: int = 1000, chains: int = 100, base=None
) -> AIS:
    """Estimate ln Z by annealed importance sampling, from independent units, whose Z is known, to the machine.

    At inverse temperature t the unnormalised probability is exp((1 - t) base.v + t a.v) times the product over j of
    1 + exp(t (b_j + v.W_j)). Each chain takes one Gibbs step per temperature and multiplies up the ratios it sees.
    The weights average to Z; their logarithm, with few temperatures, falls short of ln Z.

    Equation: (12.9)
    Lesson: 12
    Source: Salakhutdinov and Murray, "On the quantitative analysis of deep belief networks", 2008.

    Args:
      W, a, b: see the module. seed: the same draws the same.
      temperatures: steps from 0 to 1, most of them near 1. chains: C, of each machine.
      base: log odds (V,) or (B, V) of the independent units; None takes those of a mean field of the machine.

    Returns:
      See :class:`AIS`.

    Raises:
      ValueError: if the shapes don't fit, or a number is below 1.

    >>> ais = log_partition_ais(np.zeros((3, 2)), np.zeros(3), np.zeros(2), seed=0, temperatures=10, chains=5)
    >>> (ais.log_z / np.log(2)).round(4).tolist()
    [5.0]
    """
    W, a, b = _checked(W, a, b, small=False)
    if min(temperatures, chains) < 1:
        raise ValueError(f"{temperatures} temperatures, {chains} chains: both must be at least 1")
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    base = (
        _mean_field(W, a, b)
        if base is None
        else np.broadcast_to(np.asarray(base, np.float64), a.shape)
    )
    betas = _betas(temperatures)
    log_weights = _in_parts(_up, W, a, b, base, betas, chains, seed)
    start = W.shape[1] * np.log(2) + np.logaddexp(0, base).sum(axis=1)
    return _estimate(start[:, None] + log_weights, temperatures)  # Eq. (12.9)


def log_partition_reverse_ais(W, a, b, v, seed: int, temperatures: int = 1000, base=None) -> AIS:
    """The same path walked down, from samples of the machine itself: errs upward where :func:`log_partition_ais` errs
    downward, so that the truth lies between.

    Lesson: 12
    Source: Burda, Grosse and Salakhutdinov, "Accurate and conservative estimates of MRF log-likelihood using reverse
      annealing", 2015.

    Args:
      W, a, b: of one machine. v: rows (C, V) of 0 and 1 drawn from it, as :func:`exact_samples`; one chain each.
      seed, temperatures, base: as :func:`log_partition_ais`.

    Returns:
      See :class:`AIS`; here the mean of exp(-log_weights) is 1 / Z.

    Raises:
      ValueError: if the shapes don't fit, or temperatures is below 1.

    >>> zeros = np.zeros((3, 2)), np.zeros(3), np.zeros(2)
    >>> (log_partition_reverse_ais(*zeros, np.ones((4, 3)), seed=0).log_z / np.log(2)).round(4).tolist()
    [5.0]
    """
    W, a, b = _checked(W, a, b, small=False)
    v = np.asarray(v, np.float32)
    if temperatures < 1 or a.ndim != 1 or v.ndim != 2 or v.shape[1] != len(a) or len(v) == 0:
        raise ValueError(
            f"samples {v.shape}, {temperatures} temperatures: need (C, {W.shape[0]}), 1, and one machine"
        )
    a, b = a[None], b[None]
    base = (
        _mean_field(W, a, b)
        if base is None
        else np.broadcast_to(np.asarray(base, np.float64), a.shape)
    )
    numbers = (tf.constant(part, tf.float32) for part in (W, a, b, base, _betas(temperatures), v))
    fallen = np.asarray(_down(*numbers, tf.constant([seed % 2**31, 1])), np.float64)[None]
    start = W.shape[1] * np.log(2) + np.logaddexp(0, base).sum(axis=1)
    upside_down = _estimate(fallen - start[:, None], temperatures)
    return upside_down._replace(log_z=-upside_down.log_z, log_weights=-upside_down.log_weights)


def _estimate(log_weights, temperatures):
    """ln of the mean weight, and by how much it would differ with other chains (delta method)."""
    log_z = np.logaddexp.reduce(log_weights, axis=1) - np.log(log_weights.shape[1])
    ratios = np.exp(log_weights - log_z[:, None])  # mean 1
    error = (
        ratios.std(axis=1, ddof=1) / np.sqrt(ratios.shape[1])
        if ratios.shape[1] > 1
        else np.full(len(log_z), np.nan)
    )
    return AIS(log_z, error, log_weights, temperatures)


def _in_parts(walk, W, a, b, base, betas, chains, seed):
    """Machines in groups, so that memory doesn't grow with their number: log ratios (B, C)."""
    rng, found, size = np.random.default_rng(seed), [], max(1, ROWS // chains)
    for i in range(0, len(a), size):
        part = [
            np.repeat(x[i : i + size], chains if len(a) > 1 else 1, axis=0) for x in (a, b, base)
        ]
        rows = len(a[i : i + size]) * chains
        v = rng.random((rows, W.shape[0])) < _sigmoid(part[2])
        numbers = (tf.constant(x, tf.float32) for x in (W, *part, betas, v))
        ratios = walk(*numbers, tf.constant(rng.integers(2**31, size=2), tf.int32))
        found.append(np.asarray(ratios, np.float64).reshape(-1, chains))
    return np.concatenate(found)


@tf.function(reduce_retracing=True)
def _up(W, a, b, base, betas, v, seed):
    """Chains (R, V) from t = 0 to 1: sums of log ratios (R,)."""
    total = tf.zeros(tf.shape(v)[0])
    for t in tf.range(tf.shape(betas)[0] - 1):
        total += _log_ratio(v, W, a, b, base, betas[t], betas[t + 1])
        v = _move(v, W, a, b, base, betas[t + 1], tf.random.experimental.stateless_fold_in(seed, t))
    return total


@tf.function(reduce_retracing=True)
def _down(W, a, b, base, betas, v, seed):
    """Chains (R, V) from t = 1 to 0: sums of log ratios (R,)."""
    total = tf.zeros(tf.shape(v)[0])
    for t in tf.range(tf.shape(betas)[0] - 1, 0, -1):
        v = _move(v, W, a, b, base, betas[t], tf.random.experimental.stateless_fold_in(seed, t))
        total += _log_ratio(v, W, a, b, base, betas[t], betas[t - 1])
    return total


def _log_ratio(v, W, a, b, base, t1, t2):
    """ln of how much likelier v is at t2 than at t1, both unnormalised."""
    inputs = tf.matmul(v, W) + b
    hidden = tf.reduce_sum(tf.math.softplus(t2 * inputs) - tf.math.softplus(t1 * inputs), -1)
    return (t2 - t1) * tf.reduce_sum(v * (a - base), -1) + hidden


def _move(v, W, a, b, base, t, seed):
    """One Gibbs step at inverse temperature t."""
    return rbm_functions.gibbs(v, t * W, (1 - t) * base + t * a, t * b, 1, seed)


def _betas(temperatures):
    """From 0 to 1: a sixth of the steps to a half, a third to nine tenths, the other half above, where it matters."""
    return np.interp(
        np.arange(temperatures + 1) / temperatures, [0, 1 / 6, 1 / 2, 1], [0, 0.5, 0.9, 1]
    )


def _mean_field(W, a, b):
    """Log odds of independent units that look a little like the machine; the estimate holds whatever they are."""
    q = _sigmoid(a)
    for _ in range(20):
        q = 0.5 * q + 0.5 * _sigmoid(a + _sigmoid(q @ W + b) @ W.T)
    q = np.clip(q, 1e-3, 0.98)
    return np.log(q / (1 - q))


def _moments(W, a, b):
    """For chunks of the smaller layer: mean v (S, V) and mean h (S, H) given each state, and its probability (S,)."""
    turned, log_z = W.shape[0] < W.shape[1], log_partition_exact(W, a, b)
    a, b, W = _turned(a, b, W) if turned else (a, b, W)
    for h in _states(W.shape[1]):
        inputs = a + h @ W.T
        p = np.exp(h @ b + np.logaddexp(0, inputs).sum(axis=1) - log_z)
        yield (h, _sigmoid(inputs), p) if turned else (_sigmoid(inputs), h, p)


def _states(units):
    """All 2^units states, in chunks (S, units); unit j is bit j of a state's number."""
    for start in range(0, 2**units, STATES):
        yield (
            (np.arange(start, min(start + STATES, 2**units))[:, None] >> np.arange(units)) & 1
        ).astype(np.float64)


def _turned(a, b, W):
    """The same machine with its layers swapped."""
    return b, a, W.T


def _checked(W, a, b, small=True):
    W, a, b = (np.asarray(part, np.float64) for part in (W, a, b))
    fits = W.ndim == 2 and a.shape[-1:] == W.shape[:1] and b.shape[-1:] == W.shape[1:]
    if not fits or a.ndim not in (1, 2) or a.shape[:-1] != b.shape[:-1]:
        raise ValueError(
            f"W {W.shape}, a {a.shape}, b {b.shape}: need (V, H) with (V,) and (H,), or (B, V) and (B, H)"
        )
    if small and min(W.shape) > MOST_UNITS:
        raise ValueError(
            f"{W.shape} units: enumerating needs a layer of at most {MOST_UNITS}; log_partition_ais estimates"
        )
    return W, a, b


def _sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))
