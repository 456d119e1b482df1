"""What makes a GAN's choices of symbols trainable, and keeps them varied.

Lessons: 11.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["minibatch_deviation", "minibatch_mean", "straight_through"]

GROUP = 8  # windows of a batch that are compared with one another


def straight_through(logits):
    """One choice per voice and step, with the gradient of a softmax: a choice alone would have none.

    Forward, y is the symbol of the highest logit as a one-hot vector (up to rounding). Backward it is taken for the
    softmax p: y = p + stop(h - p), where "stop" is a constant to the gradient.

    Equations: (11.1), (11.2)
    Lesson: 11
    Source: Bengio, Léonard and Courville 2013, Estimating or propagating gradients through stochastic neurons.

    Args:
      logits: float tensor (..., S).

    Returns:
      Tensor of the same shape and dtype, one-hot along the last axis.

    >>> straight_through(tf.constant([[1.0, 3.0, 2.0]])).numpy().round(6).tolist()
    [[0.0, 1.0, 0.0]]
    """
    p = tf.nn.softmax(logits)  # Eq. (11.1)
    h = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1], dtype=p.dtype)
    return p + tf.stop_gradient(h - p)  # Eq. (11.2)


def minibatch_deviation(h, group: int = GROUP):
    """How much windows of a batch differ from one another, as one more feature of each.

    Standard deviations of each feature over groups of windows, averaged over features. A generator that writes one
    window over and over is given away by a 0 here, though each window alone may be perfect.

    Equation: (11.4)
    Lesson: 11
    Source: Karras et al. 2018, Progressive growing of GANs.

    Args:
      h: features, float tensor (n, F).
      group: windows compared with one another; all n of them where n is no multiple of it.

    Returns:
      Tensor (n, 1): the same number for all windows of a group.

    >>> minibatch_deviation(tf.constant([[0.0, 5.0], [2.0, 5.0]])).numpy().round(2).tolist()
    [[0.5], [0.5]]
    """
    parts = _groups(h, group)
    deviations = tf.sqrt(
        tf.math.reduce_variance(parts, axis=1, keepdims=True) + 1e-6
    )  # no slope at exactly 0
    mean = tf.reduce_mean(deviations, axis=2, keepdims=True)  # Eq. (11.4)
    return tf.reshape(mean * tf.ones_like(parts[..., :1]), (-1, 1))


def minibatch_mean(h, group: int = GROUP):
    """What windows of a group are like on average, told to each: one window in a rare key is nothing, eight are.

    Lesson: 11
    Source: Salimans et al. 2016, Improved techniques for training GANs, had the generator match such means.

    Args, groups: as :func:`minibatch_deviation`.

    Returns:
      Tensor (n, F): the same row for all windows of a group.

    >>> minibatch_mean(tf.constant([[0.0, 5.0], [2.0, 5.0]])).numpy().tolist()
    [[1.0, 5.0], [1.0, 5.0]]
    """
    parts = _groups(h, group)
    return tf.reshape(
        tf.reduce_mean(parts, axis=1, keepdims=True) * tf.ones_like(parts), (-1, h.shape[-1])
    )


def _groups(h, group):
    """Features (n, F) as (groups, windows of a group, F)."""
    n = h.shape[0] or tf.shape(h)[0]
    return tf.reshape(h, (-1, group if isinstance(n, int) and n % group == 0 else n, h.shape[-1]))
