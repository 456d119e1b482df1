"""The restricted Boltzmann machine as formulas: energies, conditionals, Gibbs sampling, contrastive divergence.

Everywhere v (n, V) are visible units, h (n, H) hidden ones, W (V, H) the weights between them, a the visible and b
the hidden biases: a (V,) and b (H,) for all rows, or a (n, V) and b (n, H), each row its own, as a network over time
sets them. Arrays and tensors are taken alike; tensors of W's dtype come back, inside a ``tf.function`` too.

Lessons: 12, 13, 14.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = [
    "cd_gradient",
    "energy",
    "free_energy",
    "gibbs",
    "hidden_probs",
    "steps",
    "visible_probs",
]

WRITTEN_OUT = 5  # Gibbs steps that are no loop


def energy(v, h, W, a, b):
    """E(v, h) = - a.v - b.h - v.W.h: low where visible and hidden units agree with the weights.

    Equation: (12.1)
    Lesson: 12
    Source: source article on deep belief networks, section 4.1.

    Args:
      v: (n, V). h: (n, H). W, a, b: see the module.

    Returns:
      Float tensor (n,), in nats; its exponential, sign turned, is an unnormalised probability.

    >>> import numpy as np
    >>> float(energy([[1., 0.]], [[1.]], np.array([[3.], [9.]]), [.5, 0.], [.25])[0])
    -3.75
    """
    W = tf.convert_to_tensor(W)
    v, h, a, b = (tf.cast(part, W.dtype) for part in (v, h, a, b))
    biases = tf.reduce_sum(v * a, -1) + tf.reduce_sum(h * b, -1)
    return -biases - tf.reduce_sum(tf.matmul(v, W) * h, -1)  # Eq. (12.1)


def free_energy(v, W, a, b):
    """F(v) = - a.v - sum over j of ln(1 + exp(b_j + v.W_j)): all hidden states summed away.

    Equation: (12.5)
    Lesson: 12

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
    hidden = tf.reduce_sum(tf.math.softplus(tf.matmul(v, W) + b), -1)
    return -tf.reduce_sum(v * a, -1) - hidden  # Eq. (12.5)


def hidden_probs(v, W, b):
    """p(h_j = 1 | v) = sigma(b_j + v.W_j): given v, hidden units don't depend on one another.

    Equation: (12.3)
    Lesson: 12

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
    """p(v_i = 1 | h) = sigma(a_i + W_i.h): the same in the other direction, with the same weights.

    Equation: (12.4)
    Lesson: 12

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


def gibbs(v, W, a, b, k, seed, known=None):
    """k steps of block Gibbs sampling: all hidden units given the visible ones, then all visible given the hidden.

    Lesson: 12

    Args:
      v: (n, V), where to start, 0 to 1. W, a, b: see the module.
      k: steps, a number or an int tensor.
      seed: two integers, or an int tensor (2,): the same draw the same.
      known: bool (n, V) or (V,): these stay as they are in v; None leaves all free.

    Returns:
      Float tensor (n, V) of 0 and 1, but for what is known.

    >>> import numpy as np
    >>> gibbs(np.zeros((1, 2)), np.zeros((2, 3)), [99., -99.], np.zeros(3), k=1, seed=(0, 0)).numpy().tolist()
    [[1.0, 0.0]]
    """
    W = tf.convert_to_tensor(W)
    v, a, b = (tf.cast(part, W.dtype) for part in (v, a, b))
    seed = tf.convert_to_tensor(seed, tf.int32)

    def step(t, now):
        one = tf.random.experimental.stateless_fold_in(seed, t)
        h = _draw(hidden_probs(now, W, b), one)
        new = _draw(visible_probs(h, W, a), one + 1)
        return t + 1, new if known is None else tf.where(known, v, new)

    return steps(step, v, k)


def steps(step, v, k):
    """Where k Gibbs steps lead: few are written out, since a loop in a graph takes longer than a step.

    Lesson: 12

    Args:
      step: of a number t and visible units to t + 1 and new ones. v: (n, V). k: how many, a number or an int tensor.

    Returns:
      (n, V).

    >>> float(steps(lambda t, v: (t + 1, v + t), 0.5, k=3))
    3.5
    """
    if not isinstance(k, int) or k > WRITTEN_OUT:
        return tf.while_loop(lambda t, _: t < k, step, (tf.constant(0), v))[1]
    for t in range(k):
        v = step(t, v)[1]
    return v


def cd_gradient(x, v_k, W, b):
    """Contrastive divergence: which way to move W, a and b so that data grow likelier and what the chain saw less so.

    If v_k came from the model itself, this would be the gradient of the mean log-likelihood on average. k steps
    from the data are not enough for that: the estimate leans towards what the data are near to.

    Equation: (12.8)
    Lesson: 12
    Source: Hinton, "Training products of experts by minimizing contrastive divergence", 2002; with a chain that
      goes on where it stopped: Tieleman, "Training restricted Boltzmann machines using approximations to the
      likelihood gradient", 2008.

    Args:
      x: data (n, V), 0 to 1. v_k: (m, V), where the Gibbs chains are. W: (V, H). b: (H,), or (n, H) if m = n.

    Returns:
      Float tensors (V, H), (V,), (H,): positive phase minus negative phase, each a mean over its rows, to be
      added to W, a, b. Hidden units enter by their probabilities.

    >>> import numpy as np
    >>> cd_gradient([[1., 0.]], [[0., 1.]], np.zeros((2, 1)), [0.])[0].numpy().tolist()
    [[0.5], [-0.5]]
    """
    W = tf.convert_to_tensor(W)
    x, v_k = tf.cast(x, W.dtype), tf.cast(v_k, W.dtype)
    n, m = tf.cast(tf.shape(x)[0], W.dtype), tf.cast(tf.shape(v_k)[0], W.dtype)
    positive, negative = hidden_probs(x, W, b) / n, hidden_probs(v_k, W, b) / m
    data = tf.matmul(x, positive, transpose_a=True)
    dW = data - tf.matmul(v_k, negative, transpose_a=True)  # Eq. (12.8)
    da = tf.reduce_mean(x, 0) - tf.reduce_mean(v_k, 0)  # Eq. (12.8)
    return dW, da, tf.reduce_sum(positive, 0) - tf.reduce_sum(negative, 0)  # Eq. (12.8)


def _draw(probs, seed):
    """1 as often as the probability says, else 0."""
    return tf.cast(
        tf.random.stateless_uniform(tf.shape(probs), seed, dtype=probs.dtype) < probs, probs.dtype
    )
