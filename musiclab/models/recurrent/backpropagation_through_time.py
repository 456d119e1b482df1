"""A plain RNN over a whole sequence in NumPy: forward pass, cross-entropy, gradients by hand.

For reading and checking; ``keras.layers.SimpleRNN`` is the same network for training.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from musiclab.models.recurrent.numpy_cells import RNNWeights, rnn_step

__all__ = [
    "Unrolled",
    "backward_through_time",
    "initial_rnn_weights",
    "jacobian_norms",
    "nll_per_note",
    "unroll",
]


class Unrolled(NamedTuple):
    """Values of an RNN at every step: ``h`` (T, H), ``logits`` (T, K) and ``probs`` (T, K)."""

    h: np.ndarray
    logits: np.ndarray
    probs: np.ndarray


def initial_rnn_weights(D: int, H: int, K: int, seed: int, radius: float = 1.0) -> RNNWeights:
    """Initial weights of an RNN; the recurrent matrix is ``radius`` times a random orthogonal one.

    An orthogonal matrix preserves the length of the hidden state, so that ``radius`` alone decides
    whether it shrinks or grows.


    Args:
      D: inputs. H: units. K: outputs.
      seed: for the random generator.
      radius: modulus of every eigenvalue of W_hh.

    Returns:
      Weights, float64; biases zero.

    Raises:
      ValueError: if a size is below 1.

    >>> W = initial_rnn_weights(3, 2, 3, seed=0, radius=0.5).W_hh
    >>> bool(np.allclose(W @ W.T, 0.25 * np.eye(2)))
    True
    """
    if min(D, H, K) < 1:
        raise ValueError(f"sizes {D}, {H}, {K}: each must be at least 1")
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(H, H)))
    q = q * np.sign(np.diag(r))  # else not all orthogonal matrices are equally likely
    W_xh = rng.normal(size=(H, D)) / np.sqrt(D)
    W_hy = rng.normal(size=(K, H)) / np.sqrt(H)
    return RNNWeights(radius * q, W_xh, np.zeros(H), W_hy, np.zeros(K))


def unroll(x: np.ndarray, weights: RNNWeights, h0: np.ndarray | None = None) -> Unrolled:
    """Run an RNN over a sequence: hidden states, and the probabilities of each next symbol.

    Equation: (6.2)
    Source: Elman, "Finding structure in time", Cognitive Science 14, 1990.

    Args:
      x: inputs (T, D).
      weights: with W_hy and b_y.
      h0: hidden state before the first step (H,); zeros unless given.

    Returns:
      Hidden states, logits and probabilities (each row sums to 1) of every step, float64.

    Raises:
      ValueError: if the shapes don't fit together or x has no step.

    >>> unroll(np.zeros((4, 3)), initial_rnn_weights(3, 2, 5, seed=0)).probs[0].tolist()
    [0.2, 0.2, 0.2, 0.2, 0.2]
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or len(x) == 0 or weights.W_hy is None or weights.b_y is None:
        raise ValueError(f"x has shape {x.shape}: need (T, D), T at least 1, and W_hy and b_y")
    h_t = np.zeros(len(weights.b_h)) if h0 is None else h0
    h = np.zeros((len(x), len(weights.b_h)))
    for t, x_t in enumerate(x):
        h_t = h[t] = rnn_step(x_t, h_t, weights)
    logits = h @ weights.W_hy.T + weights.b_y  # Eq. (6.2)
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))  # the largest is 1: no overflow
    return Unrolled(h, logits, exps / exps.sum(axis=1, keepdims=True))  # Eq. (6.2)


def nll_per_note(probs: np.ndarray, targets: np.ndarray) -> float:
    """Cross-entropy: minus the log-probability of the notes that came, averaged over notes.

    Equation: (6.3)
    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 10.2.

    Args:
      probs: (T, K), each row sums to 1.
      targets: int (T,), 0..K-1, the symbols that came.

    Returns:
      Nats per note, >= 0; ln K for uniform probabilities.

    Raises:
      ValueError: if the shapes don't fit, or a target is no symbol.

    >>> round(nll_per_note(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 0])), 4)
    1.0397
    """
    probs, targets = np.asarray(probs, np.float64), _targets(targets, np.shape(probs))
    return float(-np.mean(np.log(probs[np.arange(len(targets)), targets])))  # Eq. (6.3)


def backward_through_time(
    x: np.ndarray, targets: np.ndarray, weights: RNNWeights, h0: np.ndarray | None = None
) -> RNNWeights:
    """Gradient of :func:`nll_per_note` with respect to every weight, by the chain rule, last step first.

    Equations: (6.4), (6.5), (6.6), (6.7)

    Args:
      x: inputs (T, D). targets: int (T,), 0..K-1.
      weights, h0: as :func:`unroll`.

    Returns:
      Weights of the same shapes, holding dL/dW_hh and so on.

    Raises:
      ValueError: as :func:`unroll` and :func:`nll_per_note`.

    >>> backward_through_time(np.eye(3), [0, 1, 0], initial_rnn_weights(3, 2, 2, seed=0)).W_hh.shape
    (2, 2)
    """
    h, _, probs = unroll(x, weights, h0)
    targets = _targets(targets, probs.shape)
    x, h0 = np.asarray(x, np.float64), np.zeros(h.shape[1]) if h0 is None else h0
    dz = (probs - np.eye(probs.shape[1])[targets]) / len(x)  # Eq. (6.4)
    da = np.zeros_like(h)
    for t in reversed(range(len(x))):
        dh = weights.W_hy.T @ dz[t]
        if t + 1 < len(x):
            dh = dh + weights.W_hh.T @ da[t + 1]  # Eq. (6.5)
        da[t] = dh * (1 - h[t] ** 2)  # Eq. (6.6)
    before = np.vstack([h0, h[:-1]])
    dW_hh, dW_xh, db_h = da.T @ before, da.T @ x, da.sum(axis=0)  # Eq. (6.7)
    return RNNWeights(dW_hh, dW_xh, db_h, dz.T @ h, dz.sum(axis=0))  # Eq. (6.7)


def jacobian_norms(h: np.ndarray, weights: RNNWeights) -> np.ndarray:
    """Norms of the Jacobians of the last hidden state with respect to each earlier one.

    Equation: (6.8)
    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
      2013.

    Args:
      h: hidden states (T, H), from :func:`unroll`.
      weights: those that made them.

    Returns:
      float64 (T,): spectral norm of dh_T / dh_t, the largest factor by which a small change of h_t
      reaches the end; 1 for the last step. Gradients vanish where it falls to 0 towards the past,
      and explode where it grows without bound.

    Raises:
      ValueError: if h is not (T, H) for these weights.

    >>> weights = initial_rnn_weights(1, 2, 1, seed=0, radius=0.5)
    >>> jacobian_norms(np.zeros((3, 2)), weights).round(6).tolist()
    [0.25, 0.5, 1.0]
    """
    h = np.asarray(h, np.float64)
    if h.ndim != 2 or len(h) == 0 or h.shape[1:] != np.shape(weights.b_h):
        raise ValueError(f"h has shape {h.shape}: these weights need (T, {len(weights.b_h)})")
    jacobian, norms = np.eye(h.shape[1]), np.ones(len(h))
    for t in reversed(range(1, len(h))):
        jacobian = jacobian @ ((1 - h[t] ** 2)[:, None] * weights.W_hh)  # Eq. (6.8)
        norms[t - 1] = np.linalg.norm(jacobian, 2)
    return norms


def _targets(targets, shape):
    targets = np.asarray(targets)
    if targets.shape != shape[:1] or not np.issubdtype(targets.dtype, np.integer):
        raise ValueError(
            f"targets {targets.dtype} {targets.shape}: need an integer per row, {shape}"
        )
    if targets.size == 0 or targets.min() < 0 or targets.max() >= shape[1]:
        raise ValueError(f"targets must be 0 to {shape[1] - 1}, at least one of them")
    return targets
