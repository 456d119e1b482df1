"""Restricted Boltzmann machine: energy, conditionals, Gibbs sampling, contrastive divergence.

v (n, V) are visible units, h (n, H) hidden units, W (V, H) the weights between them, a the visible
and b the hidden biases: a (V,) and b (H,) for all rows, or a (n, V) and b (n, H) where each row has
its own, as in the RNN-RBM. Arguments are arrays or tensors; results are tensors of W's dtype.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = [
    "bernoulli",
    "cd_gradient",
    "draw_visible",
    "energy",
    "free_energy",
    "gibbs",
    "hidden_probs",
    "visible_probs",
]


def energy(v, h, W, a, b):
    """Energy of a joint state: E(v, h) = - a.v - b.h - v.W.h.

    Equation: (12.1)
    Source: Smolensky 1986; Hinton, Neural Computation 14, 2002.

    Args:
      v: (n, V). h: (n, H). W, a, b: see the module.

    Returns:
      Float tensor (n,), in nats; exp(-E) is the unnormalised probability of (v, h).

    >>> import numpy as np
    >>> float(energy([[1., 0.]], [[1.]], np.array([[3.], [9.]]), [.5, 0.], [.25])[0])
    -3.75
    """
    W = tf.convert_to_tensor(W)
    v, h, a, b = (tf.cast(part, W.dtype) for part in (v, h, a, b))
    biases = tf.reduce_sum(v * a, -1) + tf.reduce_sum(h * b, -1)  # (n,)
    return -biases - tf.reduce_sum(tf.matmul(v, W) * h, -1)  # Eq. (12.1)


def free_energy(v, W, a, b):
    """Free energy F(v) = - a.v - sum over j of ln(1 + exp(b_j + v.W_j)): hidden units summed out.

    Equation: (12.5)

    Args:
      v: (n, V). W, a, b: see the module.

    Returns:
      Float tensor (n,), in nats: ln p(v) = - F(v) - ln Z.

    >>> import numpy as np
    >>> float(free_energy([[0., 0.]], np.zeros((2, 1)), [0., 0.], [0.])[0].numpy().round(4))
    -0.6931
    """
    W = tf.convert_to_tensor(W)
    v, a, b = (tf.cast(part, W.dtype) for part in (v, a, b))
    hidden = tf.reduce_sum(tf.math.softplus(tf.matmul(v, W) + b), -1)  # (n,)
    return -tf.reduce_sum(v * a, -1) - hidden  # Eq. (12.5)


def hidden_probs(v, W, b):
    """Conditional p(h_j = 1 | v) = sigma(b_j + v.W_j): given v, hidden units are independent.

    Equation: (12.3)

    Args:
      v: (n, V), 0 to 1. W: (V, H). b: (H,) or (n, H).

    Returns:
      Float tensor (n, H).

    >>> import numpy as np
    >>> hidden_probs([[1., 1.]], np.array([[1.], [-1.]]), [0.]).numpy().tolist()
    [[0.5]]
    """
    W = tf.convert_to_tensor(W)
    return tf.sigmoid(tf.matmul(tf.cast(v, W.dtype), W) + tf.cast(b, W.dtype))  # Eq. (12.3)


def visible_probs(h, W, a):
    """Conditional p(v_i = 1 | h) = sigma(a_i + W_i.h): the other direction, with the same weights.

    Equation: (12.4)

    Args:
      h: (n, H), 0 to 1. W: (V, H). a: (V,) or (n, V).

    Returns:
      Float tensor (n, V).

    >>> import numpy as np
    >>> visible_probs([[1.]], np.array([[1.], [0.]]), [-1., 0.]).numpy().tolist()
    [[0.5, 0.5]]
    """
    W = tf.convert_to_tensor(W)
    h, a = tf.cast(h, W.dtype), tf.cast(a, W.dtype)
    return tf.sigmoid(tf.matmul(h, W, transpose_b=True) + a)  # Eq. (12.4)


def bernoulli(probs, seed):
    """Draw independent Bernoulli variables, 1 with the probability given.

    Args:
      probs: float tensor of any shape. seed: two integers, or an int tensor (2,).

    Returns:
      Tensor of 0 and 1, of the same shape and dtype.
    """
    uniform = tf.random.stateless_uniform(tf.shape(probs), seed, dtype=probs.dtype)
    return tf.cast(uniform < probs, probs.dtype)


def draw_visible(h, W, a, seed):
    """Draw binary visible units given hidden units: (n, H) to (n, V) of 0 and 1."""
    return bernoulli(visible_probs(h, W, a), seed)


def gibbs(v, W, a, b, k, seed, known=None, draw_visible=draw_visible):
    """k steps of block Gibbs sampling: all hidden units given the visible ones, then the reverse.

    Args:
      v: (n, V), start of the chains, 0 to 1. W, a, b: see the module.
      k: number of steps; an int tensor becomes a loop of the graph.
      seed: two integers, or an int tensor (2,).
      known: bool (n, V) or (V,), units held at their value in v; None holds none.
      draw_visible: function of (h, W, a, seed) that draws visible units.

    Returns:
      Float tensor (n, V) of 0 and 1, except where known.

    >>> import numpy as np
    >>> gibbs(np.zeros((1, 2)), np.zeros((2, 3)), [99., -99.], np.zeros(3), 1, (0, 0)).numpy()
    array([[1., 0.]])
    """
    W = tf.convert_to_tensor(W)
    start, a, b = (tf.cast(part, W.dtype) for part in (v, a, b))
    seed = tf.convert_to_tensor(seed, tf.int32)

    def step(t, v):
        step_seed = tf.random.experimental.stateless_fold_in(seed, t)
        h = bernoulli(hidden_probs(v, W, b), step_seed)  # (n, H)
        v = draw_visible(h, W, a, step_seed + 1)  # (n, V)
        v = v if known is None else tf.where(known, start, v)
        return t + 1, tf.ensure_shape(v, start.shape)

    if not isinstance(k, int):
        return tf.while_loop(lambda t, _: t < k, step, (0, start))[1]
    v = start
    for t in range(k):
        _, v = step(t, v)
    return v


def cd_gradient(x, v_k, W, b):
    """Contrastive divergence: estimated gradient of the mean log-likelihood.

    Were v_k drawn from the model itself, the estimate would be unbiased. After k steps from the
    data it is biased towards states near the data.

    Equation: (12.8)
    Source: Hinton, "Training products of experts by minimizing contrastive divergence", 2002; with
      persistent chains: Tieleman, "Training restricted Boltzmann machines using approximations to
      the likelihood gradient", 2008.

    Args:
      x: data (n, V), 0 to 1. v_k: ends of the Gibbs chains (m, V).
      W: (V, H). b: (H,), or (n, H) if m = n.

    Returns:
      Float tensors (V, H), (V,), (H,), the gradients with respect to W, a and b: positive phase
      minus negative phase, each a mean over its rows; hidden units enter by their probabilities.

    >>> import numpy as np
    >>> cd_gradient([[1., 0.]], [[0., 1.]], np.zeros((2, 1)), [0.])[0].numpy().tolist()
    [[0.5], [-0.5]]
    """
    W = tf.convert_to_tensor(W)
    x, v_k = tf.cast(x, W.dtype), tf.cast(v_k, W.dtype)
    n, m = tf.cast(tf.shape(x)[0], W.dtype), tf.cast(tf.shape(v_k)[0], W.dtype)
    positive, negative = hidden_probs(x, W, b) / n, hidden_probs(v_k, W, b) / m  # (n, H), (m, H)
    data = tf.matmul(x, positive, transpose_a=True)  # (V, H)
    dW = data - tf.matmul(v_k, negative, transpose_a=True)  # Eq. (12.8)
    da = tf.reduce_mean(x, 0) - tf.reduce_mean(v_k, 0)  # Eq. (12.8)
    return dW, da, tf.reduce_sum(positive, 0) - tf.reduce_sum(negative, 0)  # Eq. (12.8)
