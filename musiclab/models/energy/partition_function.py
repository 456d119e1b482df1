"""Partition function Z of restricted Boltzmann machines: exact enumeration and AIS estimates.

W (V, H) are the weights, a and b the visible and hidden biases: a (V,), b (H,), or a (B, V), b (B,
H) for B RBMs that share W and differ in their biases. Results are float64, in nats.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import expit as sigmoid

from musiclab.models.energy import rbm_functions

__all__ = [
    "AIS",
    "MOST_UNITS",
    "binary_states",
    "checked_weights",
    "log_partition_ais",
    "log_partition_exact",
    "state_chunks",
]

MOST_UNITS = 20  # of the smaller layer: 2^20 states take seconds
STATES = ROWS = 2**12  # states enumerated at once; chains run at once


class AIS(NamedTuple):
    """Estimate of ln Z by annealed importance sampling (AIS).

    Attributes:
      log_z: float64 (B,), nats.
      standard_error: float64 (B,), of log_z, from the spread of the chains; blind to regions that
        all chains miss, so log_z must also stay the same when temperatures are added.
      log_weights: float64 (B, C), one per chain.
    """

    log_z: np.ndarray
    standard_error: np.ndarray
    log_weights: np.ndarray


def binary_states(units: int, numbers=None) -> np.ndarray:
    """Binary states by number, unit j being bit j: all 2^units of them unless ``numbers`` are given.

    >>> binary_states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    numbers = np.arange(2**units) if numbers is None else numbers
    return ((numbers[:, None] >> np.arange(units)) & 1).astype(np.float64)


def log_partition_exact(W, a, b) -> np.ndarray | float:
    """ln Z, the log-sum of exp(-E(v, h)) over all states: the smaller layer is enumerated.

    Equation: (12.2)

    Args:
      W, a, b: see the module.

    Returns:
      float64 (B,), or a float for a single RBM.

    Raises:
      ValueError: if both layers have more than 20 units, or the shapes don't fit.

    >>> zeros = np.zeros((3, 2)), np.zeros(3), np.zeros(2)
    >>> float(round(log_partition_exact(*zeros) / np.log(2), 6))
    5.0
    """
    W, a, b = checked_weights(W, a, b)
    if W.shape[0] < W.shape[1]:
        W, a, b = W.T, b, a  # the same RBM with its layers swapped
    A, B = np.atleast_2d(a), np.atleast_2d(b)
    log_z = np.full(len(A), -np.inf)
    for h in state_chunks(W.shape[1]):
        inputs = h @ W.T  # (S, V)
        for i in range(len(A)):
            terms = h @ B[i] + np.logaddexp(0, A[i] + inputs).sum(axis=1)  # (S,)
            log_z[i] = np.logaddexp(log_z[i], np.logaddexp.reduce(terms))  # Eq. (12.2)
    return float(log_z[0]) if a.ndim == 1 else log_z


def log_partition_ais(
    W, a, b, seed: int, temperatures: int = 1000, chains: int = 100, base=None
) -> AIS:
    """Estimate ln Z by annealed importance sampling, from independent units to the RBM.

    At inverse temperature t the unnormalised probability of v is exp((1 - t) base.v + t a.v) times
    the product over j of 1 + exp(t (b_j + v.W_j)). Each chain takes one Gibbs step per temperature
    and accumulates the ratios. The mean weight is an unbiased estimate of Z; its logarithm errs
    downward when temperatures are few.

    Equation: (12.9)
    Source: Neal, Statistics and Computing 11, 2001; Salakhutdinov and Murray, ICML 2008.

    Args:
      W, a, b: see the module. seed: of the chains.
      temperatures: steps from 0 to 1, most of them near 1. chains: C, for each RBM.
      base: log odds (V,) or (B, V) of the independent units; None: a mean field of the RBM.

    Returns:
      See :class:`AIS`.

    Raises:
      ValueError: if the shapes don't fit, or a number is below 1.

    >>> zeros = np.zeros((3, 2)), np.zeros(3), np.zeros(2)
    >>> ais = log_partition_ais(*zeros, seed=0, temperatures=10, chains=5)
    >>> (ais.log_z / np.log(2)).round(4).tolist()
    [5.0]
    """
    W, a, b = checked_weights(W, a, b, enumerable=False)
    if min(temperatures, chains) < 1:
        raise ValueError(f"{temperatures} temperatures, {chains} chains: both must be at least 1")
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    base = np.broadcast_to(_mean_field(W, a, b) if base is None else base, a.shape)
    # a sixth of the steps below 1/2, a third from there to 9/10, the other half above
    share = np.arange(temperatures + 1) / temperatures
    betas = np.interp(share, [0, 1 / 6, 1 / 2, 1], [0, 0.5, 0.9, 1])

    rng, ratios, group = np.random.default_rng(seed), [], max(1, ROWS // chains)
    for i in range(0, len(a), group):  # groups of RBMs, so that memory does not grow with B
        part = slice(i, i + group)
        repeats = chains if len(a) > 1 else 1  # biases of a single RBM are shared by all rows
        biases = [np.repeat(rows[part], repeats, axis=0) for rows in (a, b, base)]
        v = rng.random((len(a[part]) * chains, W.shape[0])) < sigmoid(biases[2])
        inputs = (tf.constant(x, tf.float32) for x in (W, *biases, betas, v))
        seeds = tf.constant(rng.integers(2**31, size=2), tf.int32)
        ratios.append(np.asarray(_anneal(*inputs, seeds), np.float64).reshape(-1, chains))

    log_base = W.shape[1] * np.log(2) + np.logaddexp(0, base).sum(axis=1)  # ln Z at t = 0
    log_weights = log_base[:, None] + np.concatenate(ratios)  # (B, C)
    log_z = np.logaddexp.reduce(log_weights, axis=1) - np.log(chains)  # Eq. (12.9)
    relative = np.exp(log_weights - log_z[:, None])  # mean 1; the error is by the delta method
    spread = relative.std(axis=1, ddof=1) if chains > 1 else np.full(len(log_z), np.nan)
    return AIS(log_z, spread / np.sqrt(chains), log_weights)


@tf.function(reduce_retracing=True)
def _anneal(W, a, b, base, betas, v, seed):
    """Chains v (R, V) from t = 0 to 1: sums of log ratios (R,)."""
    total = tf.zeros(tf.shape(v)[0])
    for i in tf.range(tf.shape(betas)[0] - 1):
        t, following = betas[i], betas[i + 1]
        inputs = tf.matmul(v, W) + b  # (R, H)
        hidden = tf.math.softplus(following * inputs) - tf.math.softplus(t * inputs)
        total += (following - t) * tf.reduce_sum(v * (a - base), -1) + tf.reduce_sum(hidden, -1)
        t_a, t_b = (1 - following) * base + following * a, following * b
        t_seed = tf.random.experimental.stateless_fold_in(seed, i)
        v = rbm_functions.gibbs(v, following * W, t_a, t_b, k=1, seed=t_seed)
    return total


def _mean_field(W, a, b):
    """Log odds of independent units close to the RBM; the estimate is valid for any others too."""
    q = sigmoid(a)
    for _ in range(20):
        q = 0.5 * q + 0.5 * sigmoid(a + sigmoid(q @ W + b) @ W.T)
    q = np.clip(q, 1e-3, 0.98)
    return np.log(q / (1 - q))


def state_chunks(units):
    """All binary states, at most STATES at a time."""
    for start in range(0, 2**units, STATES):
        yield binary_states(units, np.arange(start, min(start + STATES, 2**units)))


def checked_weights(W, a, b, enumerable=True):
    """Weights and biases as float64; ValueError if shapes don't fit or enumeration is hopeless."""
    W, a, b = (np.asarray(part, np.float64) for part in (W, a, b))
    fits = W.ndim == 2 and a.shape[-1:] == W.shape[:1] and b.shape[-1:] == W.shape[1:]
    if not fits or a.ndim not in (1, 2) or a.shape[:-1] != b.shape[:-1]:
        shapes = f"W {W.shape}, a {a.shape}, b {b.shape}"
        raise ValueError(f"{shapes}: need (V, H) with (V,) and (H,), or (B, V) and (B, H)")
    if enumerable and min(W.shape) > MOST_UNITS:
        most = f"enumerating needs a layer of at most {MOST_UNITS}"
        raise ValueError(f"{W.shape} units: {most}; log_partition_ais estimates")
    return W, a, b
