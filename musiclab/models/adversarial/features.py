"""What a discriminator is told of symbols: what sounds, and by fixed sums what follows from it.

All of it could be worked out from the symbols; a small network that has to do so finds out about keys late and about
parallels never, and what it does not notice, no generator learns.

Lessons: 11.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN

__all__ = ["heard", "intervals", "moves", "parallels", "pitch_classes", "unisons"]

ANGLES = (
    2 * np.pi / 12 * np.outer(np.arange(12), np.arange(7))
)  # of the 12 classes, at the 7 frequencies of a circle
WEIGHTS = (
    np.where(np.arange(7) % 6, 2, 1) / 12
)  # all frequencies but the lowest and highest stand for two


def heard(x):
    """Symbols with their pitches replaced by those that *sound*: a held note stays visible as long as it is held.

    For each pitch, s_t = y_t + hold_t s_(t-1): struck now, or held and sounding before.

    Equation: (11.3)
    Lesson: 11

    Args:
      x: one-hot symbols, float tensor (n, T, V, S): rest, hold, pitches.

    Returns:
      Tensor of the same shape; rest and hold as they were.

    >>> x = tf.one_hot([[[2], [1], [0], [1]]], 3)  # struck, held, rest, a hold of nothing
    >>> heard(x).numpy()[0, :, 0, 2].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    x = tf.convert_to_tensor(x)
    hold = tf.unstack(x[..., HOLD_TOKEN : HOLD_TOKEN + 1], axis=1)
    struck = tf.unstack(x[..., FIRST_PITCH_TOKEN:], axis=1)
    sounding = struck[:1]
    for t in range(1, len(struck)):
        sounding.append(struck[t] + hold[t] * sounding[-1])  # Eq. (11.3)
    return tf.concat([x[..., :FIRST_PITCH_TOKEN], tf.stack(sounding, axis=1)], axis=-1)


def pitch_classes(sounding):
    """Which of the 12 pitch classes each voice sounds: octaves taken together.

    Lesson: 11
    Source: Dong et al. 2018, MuseGAN, whose discriminator is told the same.

    Args:
      sounding: what :func:`heard` returns, (n, T, V, S) with whole octaves of pitches; the lowest counts as class 0.

    Returns:
      Tensor (n, T, V, 12).

    Raises:
      ValueError: if the pitches are no whole number of octaves.

    >>> x = tf.one_hot([[[2, 14, 21]]], 26)  # one step: a C, the C above it, the G above that
    >>> pitch_classes(x).numpy()[0, 0].argmax(axis=1).tolist()
    [0, 0, 7]
    """
    octaves, left = divmod(sounding.shape[-1] - FIRST_PITCH_TOKEN, 12)
    if left or not octaves:
        raise ValueError(
            f"{sounding.shape[-1] - FIRST_PITCH_TOKEN} pitches: need whole octaves, 12 or 24 and so on"
        )
    n, steps, voices = (known or -1 for known in sounding.shape[:3])
    folded = tf.reshape(sounding[..., FIRST_PITCH_TOKEN:], (n, steps, voices, octaves, 12))
    return tf.reduce_sum(folded, axis=3)


def intervals(classes):
    """Which interval lies between each two voices, modulo the octave: the same in every key.

    Lesson: 11

    Args:
      classes: what :func:`pitch_classes` returns, (n, T, V, 12).

    Returns:
      Tensor (n, T, V (V - 1) / 2, 12): semitones 0 to 11 from the earlier voice up to the later; pairs in
      the order 0-1, 0-2, ..., 1-2, ...

    >>> intervals(tf.one_hot([[[0, 7, 4]]], 12)).numpy()[0, 0].round(3).argmax(axis=1).tolist()
    [7, 4, 9]
    """
    waves, (first, second) = _waves(classes), np.triu_indices(classes.shape[2], 1)
    return _distances(
        *([tf.gather(wave, voices, axis=2) for wave in waves] for voices in (first, second))
    )


def moves(classes):
    """By which interval each voice moves from each step to the next, modulo the octave; 0 is to stay.

    Lesson: 11

    Args:
      classes: what :func:`pitch_classes` returns, (n, T, V, 12).

    Returns:
      Tensor (n, T - 1, V, 12): semitones 0 to 11 upward; all 0 from or to a rest.

    >>> moves(tf.one_hot([[[0], [2], [2], [1]]], 12)).numpy()[0].round(3).argmax(axis=2).ravel().tolist()
    [2, 0, 11]
    """
    waves = _waves(classes)
    return _distances([wave[:, :-1] for wave in waves], [wave[:, 1:] for wave in waves])


def parallels(between, moved):
    """Where two voices both move, and keep their interval: by interval, so that fifths are told from thirds.

    Lesson: 11

    Args:
      between: what :func:`intervals` returns, (n, T, V (V - 1) / 2, 12). moved: what :func:`moves` returns.

    Returns:
      Tensor (n, T - 1, V (V - 1) / 2, 12): 1 where both voices leave their pitch class and stand at that interval
      before and after, in the order of ``between``.

    >>> classes = tf.one_hot([[[7, 0], [9, 2], [9, 5]]], 12)  # a fifth below, again, then only one moves
    >>> parallels(intervals(classes), moves(classes)).numpy()[0, :, 0].round(2)[:, 5].tolist()
    [1.0, 0.0]
    """
    first, second = np.triu_indices(moved.shape[2], 1)
    leave = 1 - moved[..., :1]
    both = tf.gather(leave, first, axis=2) * tf.gather(leave, second, axis=2)
    return between[:, :-1] * between[:, 1:] * both


def unisons(sounding):
    """Where two voices sound the very same pitch, so that four voices are only three.

    Lesson: 11

    Args:
      sounding: what :func:`heard` returns, (n, T, V, S).

    Returns:
      Tensor (n, T, V (V - 1) / 2), pairs in the order of :func:`intervals`.

    >>> unisons(tf.one_hot([[[2, 14, 2]]], 26)).numpy()[0, 0].tolist()
    [0.0, 1.0, 0.0]
    """
    pitches, (first, second) = (
        sounding[..., FIRST_PITCH_TOKEN:],
        np.triu_indices(sounding.shape[2], 1),
    )
    return tf.reduce_sum(
        tf.gather(pitches, first, axis=2) * tf.gather(pitches, second, axis=2), axis=3
    )


def _waves(classes):
    """Fourier coefficients on the circle of 12: cosines and sines, each (..., 7)."""
    return [
        tf.matmul(classes, tf.constant(wave(ANGLES), classes.dtype)) for wave in (np.cos, np.sin)
    ]


def _distances(first, second):
    """For each k, how much of class c in one meets class c + k in the other: a correlation, so a product of waves."""
    (cos_a, sin_a), (cos_b, sin_b) = first, second
    real, imaginary = cos_a * cos_b + sin_a * sin_b, cos_a * sin_b - sin_a * cos_b
    back = np.concatenate([np.cos(ANGLES) * WEIGHTS, np.sin(ANGLES) * WEIGHTS], axis=1)
    return tf.matmul(tf.concat([real, imaginary], axis=-1), tf.constant(back.T, real.dtype))
