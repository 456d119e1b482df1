"""Active pitches, musical features and minibatch statistics for the discriminator.

Shapes: B windows, T steps, V voices, K symbols, P pairs of voices in order (0-1, 0-2, ...)
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN

__all__ = [
    "active_pitches",
    "harmonic_intervals",
    "melodic_intervals",
    "minibatch_deviation",
    "minibatch_mean",
    "parallel_intervals",
    "pitch_classes",
    "unisons",
]

GROUP = 8  # windows of a batch that are compared with one another
ANGLES = 2 * np.pi / 12 * np.outer(np.arange(12), np.arange(7))  # 12 classes, 7 frequencies
WEIGHTS = np.where(np.arange(7) % 6, 2, 1) / 12  # of the frequencies in the inverse transform


def active_pitches(x):
    """Symbols with the struck pitches replaced by the active ones: a note stays 1 while it is held.

    For each pitch, s_t = y_t + hold_t s_(t-1): struck now, or held and active before.

    Equation: (11.3)

    >>> x = tf.one_hot([[[2], [1], [0], [1]]], 3)  # struck, held, rest, a hold after a rest
    >>> active_pitches(x).numpy()[0, :, 0, 2].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    x = tf.convert_to_tensor(x)
    hold = tf.unstack(x[..., HOLD_TOKEN : HOLD_TOKEN + 1], axis=1)  # T times (B, V, 1)
    struck = tf.unstack(x[..., FIRST_PITCH_TOKEN:], axis=1)  # T times (B, V, K - 2)
    active = struck[:1]
    for t in range(1, len(struck)):
        active.append(struck[t] + hold[t] * active[-1])  # Eq. (11.3)
    return tf.concat([x[..., :FIRST_PITCH_TOKEN], tf.stack(active, axis=1)], axis=-1)


def pitch_classes(active):
    """Pitch classes (B, T, V, 12) of active pitches (B, T, V, K); the lowest pitch counts as class 0.

    Source: Dong et al. 2018, MuseGAN, whose discriminator has the same feature.

    >>> x = tf.one_hot([[[2, 14, 21]]], 26)  # one step: a C, the C above it, the G above that
    >>> pitch_classes(x).numpy()[0, 0].argmax(axis=1).tolist()
    [0, 0, 7]
    """
    pitches = active[..., FIRST_PITCH_TOKEN:]
    if pitches.shape[-1] % 12:
        raise ValueError(f"{pitches.shape[-1]} pitches: need whole octaves, 12 or 24 and so on")
    _, steps, voices, n = pitches.shape
    return tf.reduce_sum(tf.reshape(pitches, (-1, steps, voices, n // 12, 12)), axis=3)


def harmonic_intervals(classes):
    """Intervals (B, T, P, 12) between pairs of voices with pitch classes (B, T, V, 12): the same in every key.

    Semitones 0 to 11 from the earlier voice up to the later, modulo 12; all 0 beside a rest.

    >>> harmonic_intervals(tf.one_hot([[[0, 7, 4]]], 12)).numpy()[0, 0].round(3).argmax(axis=1).tolist()
    [7, 4, 9]
    """
    cos, sin = _fourier(classes)  # (B, T, V, 7)
    (cos_a, cos_b), (sin_a, sin_b) = _pairs(cos), _pairs(sin)  # (B, T, P, 7)
    return _correlation((cos_a, sin_a), (cos_b, sin_b))


def melodic_intervals(classes):
    """Intervals (B, T - 1, V, 12) from each step to the next in each voice of pitch classes (B, T, V, 12).

    Semitones 0 to 11 upward, modulo the octave; 0 is to stay; all 0 from or to a rest.

    >>> melodic_intervals(tf.one_hot([[[0], [2], [1]]], 12)).numpy()[0, :, 0].argmax(axis=1).tolist()
    [2, 11]
    """
    waves = _fourier(classes)
    return _correlation([wave[:, :-1] for wave in waves], [wave[:, 1:] for wave in waves])


def parallel_intervals(harmonic, melodic):
    """Parallels (B, T - 1, P, 12): 1 where both voices leave their pitch class and keep that interval.

    From harmonic intervals (B, T, P, 12) and melodic ones (B, T - 1, V, 12).

    >>> classes = tf.one_hot([[[7, 0], [9, 2], [9, 5]]], 12)  # a fifth below, again, then one moves alone
    >>> found = parallel_intervals(harmonic_intervals(classes), melodic_intervals(classes))
    >>> found.numpy()[0, :, 0].round(2)[:, 5].tolist()
    [1.0, 0.0]
    """
    a_moves, b_moves = _pairs(1 - melodic[..., :1])  # (B, T - 1, P, 1)
    return harmonic[:, :-1] * harmonic[:, 1:] * (a_moves * b_moves)


def unisons(active):
    """Unisons (B, T, P): 1 where two voices have the same active pitch, given (B, T, V, K)."""
    a, b = _pairs(active[..., FIRST_PITCH_TOKEN:])  # (B, T, P, K - 2)
    return tf.reduce_sum(a * b, axis=3)


def minibatch_deviation(h):
    """Minibatch standard deviation (B, 1) of features (B, F): how much the windows of a group differ.

    Standard deviation of each feature over a group of 8 windows, averaged over features: 0 for
    copies of one window. A batch that is no multiple of 8 is one group.

    Equation: (11.4)
    Source: Karras et al. 2018, Progressive growing of GANs.

    >>> minibatch_deviation(tf.constant([[0.0, 5.0], [2.0, 5.0]])).numpy().round(2).tolist()
    [[0.5], [0.5]]
    """
    groups = _groups(h)  # (B / G, G, F)
    variance = tf.math.reduce_variance(groups, axis=1, keepdims=True)  # (B / G, 1, F)
    deviations = tf.sqrt(variance + 1e-6)  # the square root has no derivative at 0
    mean = tf.reduce_mean(deviations, axis=2, keepdims=True)  # Eq. (11.4)
    return tf.reshape(mean * tf.ones_like(groups[..., :1]), (-1, 1))


def minibatch_mean(h):
    """Minibatch mean (B, F) of features (B, F): each window's group on average, so that common faults show.

    Source: Salimans et al. 2016, Improved techniques for training GANs (feature matching).
    """
    groups = _groups(h)  # (B / G, G, F)
    mean = tf.reduce_mean(groups, axis=1, keepdims=True)  # (B / G, 1, F)
    return tf.reshape(mean * tf.ones_like(groups), h.shape)


def _groups(h):
    n, features = h.shape
    return tf.reshape(h, (-1, n if n % GROUP else GROUP, features))


def _pairs(x):
    """Both voices of each pair, two tensors (B, T, P, ...), from (B, T, V, ...)."""
    first, second = np.triu_indices(x.shape[2], 1)
    return tf.gather(x, first, axis=2), tf.gather(x, second, axis=2)


def _fourier(classes):
    """Fourier coefficients on the circle of 12 pitch classes: cosines and sines, each (..., 7)."""
    cos, sin = (tf.constant(wave(ANGLES), classes.dtype) for wave in (np.cos, np.sin))
    return tf.matmul(classes, cos), tf.matmul(classes, sin)


def _correlation(a, b):
    """Circular correlation (..., 12) of two sets of coefficients: sum over c of a[c] b[c + k]."""
    (cos_a, sin_a), (cos_b, sin_b) = a, b
    real, imaginary = cos_a * cos_b + sin_a * sin_b, cos_a * sin_b - sin_a * cos_b
    inverse = np.concatenate([np.cos(ANGLES) * WEIGHTS, np.sin(ANGLES) * WEIGHTS], axis=1)
    return tf.matmul(tf.concat([real, imaginary], axis=-1), tf.constant(inverse.T, real.dtype))
