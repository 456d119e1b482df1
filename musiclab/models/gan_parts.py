"""What makes a GAN's choices of symbols trainable, audible to its discriminator, and varied.

Lessons: 11.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from musiclab.data.encoding import FIRST_PITCH_TOKEN, HOLD_TOKEN

__all__ = ["heard", "intervals", "minibatch_deviation", "pitch_classes", "straight_through"]

GROUP = 8  # windows that the minibatch deviation compares with one another
ONE = 1 + 1e-4  # see heard


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


def heard(x):
    """Symbols with their pitches replaced by those that *sound*: a held note stays visible as long as it is held.

    For each pitch, s_t = y_t + hold_t s_(t-1): struck now, or held and sounding before. Written without a loop over t:
    what was struck at step u sounds at t if no step after u up to t is anything but a hold.

    Equation: (11.3)
    Lesson: 11

    Args:
      x: one-hot symbols, float tensor (n, T, V, S): rest, hold, pitches.

    Returns:
      Tensor of the same shape; rest and hold as they were. Slopes in x are the recursion's, except that a step that
      holds also feels notes that one other step cuts off.

    >>> x = tf.one_hot([[[2], [1], [0], [1]]], 3)  # struck, held, rest, a hold of nothing
    >>> heard(x).numpy()[0, :, 0, 2].round(3).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    x = tf.convert_to_tensor(x)
    y = tf.transpose(x[..., FIRST_PITCH_TOKEN:], (0, 2, 1, 3))
    breaks = tf.cumsum(1 - tf.transpose(x[..., HOLD_TOKEN], (0, 2, 1)), axis=-1)
    between = breaks[..., :, None] - breaks[..., None, :]  # steps after u, up to t, that do not hold
    # a hair above 1, so that the slope at one break is that of the recursion, -1, and not relu's 0
    lasts = tf.linalg.band_part(tf.nn.relu(ONE - between), -1, 0)
    sounding = tf.transpose(tf.matmul(lasts, y), (0, 2, 1, 3))  # Eq. (11.3)
    return tf.concat([x[..., :FIRST_PITCH_TOKEN], sounding], axis=-1)


def pitch_classes(sounding):
    """Which of the 12 pitch classes each voice sounds: octaves taken together.

    Lesson: 11
    Source: Dong et al. 2018, MuseGAN, whose discriminator is told the same.

    Args:
      sounding: what :func:`heard` returns, (n, T, V, S); its lowest pitch counts as class 0.

    Returns:
      Tensor (n, T, V, 12).

    >>> x = tf.one_hot([[[2, 14, 21]]], 30)  # one step: a C, the C above it, the G above that
    >>> pitch_classes(x).numpy()[0, 0].argmax(axis=1).tolist()
    [0, 0, 7]
    """
    fold = np.eye(12)[np.arange(sounding.shape[-1] - FIRST_PITCH_TOKEN) % 12]
    return tf.matmul(sounding[..., FIRST_PITCH_TOKEN:], tf.constant(fold, sounding.dtype))


def intervals(classes):
    """Which interval lies between each two voices, modulo the octave: the same in every key.

    To count, for each k, the classes c of one voice that meet c + k in the other is a correlation on a circle of 12,
    and so a product of Fourier coefficients.

    Lesson: 11

    Args:
      classes: what :func:`pitch_classes` returns, (n, T, V, 12).

    Returns:
      Tensor (n, T, V (V - 1) / 2, 12): semitones 0 to 11 from the earlier voice up to the later; pairs in
      the order 0-1, 0-2, ..., 1-2, ...

    >>> intervals(tf.one_hot([[[0, 7, 4]]], 12)).numpy()[0, 0].round(3).argmax(axis=1).tolist()
    [7, 4, 9]
    """
    angles = 2 * np.pi / 12 * np.outer(np.arange(12), np.arange(7))
    cos, sin = tf.constant(np.cos(angles), classes.dtype), tf.constant(np.sin(angles), classes.dtype)
    first, second = np.triu_indices(classes.shape[2], 1)
    voices = [(tf.matmul(voice, cos), tf.matmul(voice, sin)) for voice in tf.unstack(classes, axis=2)]
    pairs = [(voices[u], voices[w]) for u, w in zip(first, second)]
    real = tf.stack([c1 * c2 + s1 * s2 for (c1, s1), (c2, s2) in pairs], axis=2)
    imaginary = tf.stack([c1 * s2 - s1 * c2 for (c1, s1), (c2, s2) in pairs], axis=2)
    weights = np.where(np.arange(7) % 6, 2, 1) / 12  # all frequencies but the lowest and highest stand for two
    return tf.matmul(real * weights, cos, transpose_b=True) + tf.matmul(imaginary * weights, sin, transpose_b=True)


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
    n = h.shape[0] or tf.shape(h)[0]
    size = group if isinstance(n, int) and n % group == 0 else n
    parts = tf.reshape(h, (-1, size, h.shape[-1]))
    deviations = tf.sqrt(tf.math.reduce_variance(parts, axis=1, keepdims=True) + 1e-6)  # no slope at exactly 0
    mean = tf.reduce_mean(deviations, axis=2, keepdims=True)  # Eq. (11.4)
    return tf.reshape(mean * tf.ones_like(parts[..., :1]), (-1, 1))
