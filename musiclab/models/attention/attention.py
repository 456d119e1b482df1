"""Attention in NumPy: scaled dot products, causal mask, heads, positions, layer norm, one block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "BlockWeights",
    "attention",
    "causal_mask",
    "layer_norm",
    "multi_head",
    "relative_bias",
    "rotate",
    "sinusoids",
    "transformer_block",
]

SLOWEST = 1000.0  # positions in the longest period, divided by 2 pi


class BlockWeights(NamedTuple):
    """Weights of a Transformer block of D units and H heads, acting on rows: y = x @ W + b.

    Attributes:
      W_QKV: (D, 3D): for head 1 its queries, keys and values side by side, then head 2, ...
      W_O, b_O: (D, D) and (D,), from the joined heads.
      W_1, b_1: (D, F) and (F,). W_2, b_2: (F, D) and (D,): the feed-forward layers.
      gain_1, shift_1, gain_2, shift_2: (D,), of the two layer norms.
    """

    W_QKV: np.ndarray
    W_O: np.ndarray
    b_O: np.ndarray
    W_1: np.ndarray
    b_1: np.ndarray
    W_2: np.ndarray
    b_2: np.ndarray
    gain_1: np.ndarray
    shift_1: np.ndarray
    gain_2: np.ndarray
    shift_2: np.ndarray

    @classmethod
    def from_keras(cls, block) -> BlockWeights:
        """The weights of a :class:`musiclab.models.attention.transformer.TransformerBlock`, float64."""
        layers = (block.qkv, block.join, block.wide, block.narrow, block.norm1, block.norm2)
        return cls(*(np.array(w, np.float64) for layer in layers for w in layer.get_weights()))


def attention(q, k, v, mask=None, bias=0.0):
    """Scaled dot-product attention: each query takes a weighted mean of the values.

    Equations: (15.1), (15.2), (15.3)
    Source: Vaswani and others, "Attention is all you need", 2017.

    Args:
      q: queries (..., Tq, d). k: keys (..., Tk, d). v: values (..., Tk, d_v).
      mask: bool (..., Tq, Tk), True where a query may look; None for everywhere.
      bias: float, added to the scores; broadcast to (..., Tq, Tk).

    Returns:
      Outputs (..., Tq, d_v) and weights (..., Tq, Tk), each row of which sums to 1; float64.

    Raises:
      ValueError: if shapes don't fit, or a query may look nowhere.

    >>> out, weights = attention([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], [[0.0], [4.0]])
    >>> out, weights
    (array([[2.]]), array([[0.5, 0.5]]))
    """
    q, k, v = (np.asarray(a, np.float64) for a in (q, k, v))
    if q.ndim < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(
            f"queries {q.shape}, keys {k.shape}, values {v.shape}: queries and keys need the same"
            " number of columns, keys and values the same number of rows"
        )
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias  # Eq. (15.1)
    if mask is not None:
        if not np.asarray(mask, bool).any(axis=-1).all():
            raise ValueError("the mask leaves a query no key: each row needs at least one True")
        scores = np.where(mask, scores, -np.inf)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exps / exps.sum(axis=-1, keepdims=True)  # Eq. (15.2)
    return weights @ v, weights  # Eq. (15.3)


def causal_mask(T: int) -> np.ndarray:
    """Which positions a query sees: its own and those before it.

    Equation: (15.4)

    Args:
      T: length of the sequence.

    Returns:
      bool (T, T), row i True up to column i.

    >>> causal_mask(3).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    i = np.arange(T)
    return i[None, :] <= i[:, None]  # Eq. (15.4)


def multi_head(x, weights: BlockWeights, heads: int, mask=None, bias=0.0):
    """Self-attention with several heads: each attends in D / H units of its own.

    Equation: (15.5)

    Args:
      x: inputs (T, D).
      weights: W_QKV, W_O and b_O are used.
      heads: H, a divisor of D.
      mask, bias: as :func:`attention`, for all heads or (H, T, T).

    Returns:
      Outputs (T, D) and weights (H, T, T).

    Raises:
      ValueError: if D is no multiple of H, or x has another width.
    """
    x = np.asarray(x, np.float64)
    T, D = x.shape
    if D % heads or len(weights.W_O) != D:
        raise ValueError(
            f"inputs of width {D}: need {len(weights.W_O)}, a multiple of {heads} heads"
        )
    parts = (x @ weights.W_QKV).reshape(T, heads, -1).swapaxes(0, 1)  # (H, T, 3D/H)
    q, k, v = np.split(parts, 3, axis=-1)
    out, maps = attention(q, k, v, mask, bias)  # (H, T, D/H)
    joined = out.swapaxes(0, 1).reshape(T, D)
    return joined @ weights.W_O + weights.b_O, maps  # Eq. (15.5)


def sinusoids(positions, D: int) -> np.ndarray:
    """Sinusoidal position vectors, to be added to the inputs: sines, then cosines.

    Equation: (15.6)

    Args:
      positions: (T,).
      D: width, even.

    Returns:
      float64 (T, D): sines in the first half of the columns, cosines in the second, each from one
      radian per position to nearly 1/1000.

    Raises:
      ValueError: if D is odd.

    >>> sinusoids([0, 1], 2).round(2)
    array([[0.  , 1.  ],
           [0.84, 0.54]])
    """
    angles = _angles(positions, D)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)  # Eq. (15.6)


def rotate(x, positions) -> np.ndarray:
    """Rotary positions (RoPE): turn pairs of units by angles that grow with the position.

    Column j is paired with column j + d / 2. The dot product of a rotated query and a rotated key
    depends on the two positions only through their difference.

    Equation: (15.7)
    Source: Su and others, "RoFormer", 2021.

    Args:
      x: queries or keys (..., T, d), d even.
      positions: (T,).

    Returns:
      float64 (..., T, d).

    Raises:
      ValueError: if d is odd.

    >>> rotate([[1.0, 0.0]], [np.pi / 2]).round(6)
    array([[0., 1.]])
    """
    x = np.asarray(x, np.float64)
    angles = _angles(positions, x.shape[-1])
    a, b = np.split(x, 2, axis=-1)
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)  # Eq. (15.7)


def relative_bias(table, T: int) -> np.ndarray:
    """Relative position bias: the number that a head adds to the score of each distance.

    Equation: (15.8)
    Source: Raffel and others, "Exploring the limits of transfer learning" (T5), 2020.

    Args:
      table: (..., window): entry a is for a key a positions before the query.
      T: length of the sequence, at most the window.

    Returns:
      float64 (..., T, T); 0 above the diagonal, which a causal mask hides.

    Raises:
      ValueError: if T is longer than the window.

    >>> relative_bias([5.0, 6.0, 7.0], 3).tolist()
    [[5.0, 0.0, 0.0], [6.0, 5.0, 0.0], [7.0, 6.0, 5.0]]
    """
    table = np.asarray(table, np.float64)
    if table.shape[-1] < T:
        raise ValueError(f"{T} positions, but a table of {table.shape[-1]} distances")
    distance = np.arange(T)[:, None] - np.arange(T)
    return np.where(distance >= 0, table[..., np.maximum(distance, 0)], 0.0)  # Eq. (15.8)


def layer_norm(x, gain, shift, epsilon: float = 1e-5) -> np.ndarray:
    """Layer normalisation: each row to mean 0 and variance 1, then scaled and shifted.

    Equation: (15.9)
    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Args:
      x: (..., D). gain, shift: (D,). epsilon: added to the variance, so that it is never 0.

    Returns:
      float64 (..., D).

    >>> layer_norm([1.0, 3.0], gain=np.ones(2), shift=np.zeros(2)).round(3)
    array([-1.,  1.])
    """
    x = np.asarray(x, np.float64)
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return gain * centred / np.sqrt(variance + epsilon) + shift  # Eq. (15.9)


def transformer_block(x, weights: BlockWeights, heads: int, mask=None, bias=0.0):
    """Pre-norm Transformer block: attention and a feed-forward network, each added to its input.

    Equation: (15.10)

    Args:
      x: inputs (T, D).
      weights: see :class:`BlockWeights`.
      heads, mask, bias: as :func:`multi_head`.

    Returns:
      Outputs (T, D) and attention weights (H, T, T).

    Raises:
      ValueError: as :func:`multi_head`.
    """
    w = weights
    attended, maps = multi_head(layer_norm(x, w.gain_1, w.shift_1), w, heads, mask, bias)
    x = np.asarray(x, np.float64) + attended
    hidden = layer_norm(x, w.gain_2, w.shift_2) @ w.W_1 + w.b_1
    silu = hidden / (1 + np.exp(-hidden))
    return x + silu @ w.W_2 + w.b_2, maps  # Eq. (15.10)


def _angles(positions, D):
    """Angle of every position and pair of units: (T, D / 2)."""
    if D % 2:
        raise ValueError(f"{D} columns: positions turn pairs of columns, so need an even number")
    speeds = SLOWEST ** (-np.arange(D // 2) / (D // 2))
    return np.asarray(positions, np.float64)[:, None] * speeds
