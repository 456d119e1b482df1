"""Networks that read and write two bars quarter by quarter, and the numbers they read.

Lessons: 05.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from musiclab.data.encodings.two_bars import PITCHES

__all__ = ["decoder", "encoder", "features", "in_batches", "likeliest"]

QUARTER = 4  # steps read and written together


def encoder(steps: int, voices: int, quarter: int, hidden: int, outputs: int) -> keras.Sequential:
    """One dense layer that all quarters share, one for the whole window, and the outputs.

    Lesson: 05

    Args:
      steps, voices: T, a multiple of 4, and V. quarter, hidden: units for each quarter and for the window.
      outputs: numbers to return for a window.

    Returns:
      A built model from :func:`features` (n, T, V, 50) to (n, outputs).

    Raises:
      ValueError: if a size is below 1, or steps no multiple of 4.

    >>> encoder(8, 2, 3, 4, 5)(np.zeros((6, 8, 2, 50))).shape
    TensorShape([6, 5])
    """
    quarters, told = _sizes(steps, voices, quarter, hidden, outputs)
    layers = [
        keras.layers.Reshape((quarters, told)),
        keras.layers.Dense(quarter, "relu"),
        keras.layers.Flatten(),
        keras.layers.LayerNormalization(),
        keras.layers.Dense(hidden, "relu"),
        keras.layers.Dense(outputs),
    ]
    network = keras.Sequential(layers)
    network.build((None, steps, voices, PITCHES + 1))
    return network


def decoder(steps: int, voices: int, quarter: int, hidden: int, inputs: int) -> keras.Sequential:
    """:func:`encoder` the other way round: from ``inputs`` numbers to logits.

    Lesson: 05

    Args:
      steps, voices, quarter, hidden: as :func:`encoder`. inputs: numbers in a code.

    Returns:
      A built model from (n, inputs) to logits (n, T, V, 50): of 49 sounds, and the log odds of being struck.

    Raises:
      ValueError: if a size is below 1, or steps no multiple of 4.

    >>> decoder(8, 2, 3, 4, 5)(np.zeros((6, 5))).shape
    TensorShape([6, 8, 2, 50])
    """
    quarters, told = _sizes(steps, voices, quarter, hidden, inputs)
    layers = [
        keras.layers.Dense(hidden, "relu"),
        keras.layers.LayerNormalization(),
        keras.layers.Dense(quarters * quarter, "relu"),
        keras.layers.Reshape((quarters, quarter)),
        keras.layers.Dense(told),
        keras.layers.Reshape((steps, voices, PITCHES + 1)),
    ]
    network = keras.Sequential(layers)
    network.build((None, inputs))
    return network


def features(sounding):
    """One-hot features of per-step pitch and onset: a 1 at what sounds, and whether it is struck.

    Lesson: 05

    Args:
      sounding: int (n, T, V, 2).

    Returns:
      float32 (n, T, V, 50).

    >>> features(np.array([[[[3, 1]]]])).numpy()[0, 0, 0, [2, 3, 49]]
    array([0., 1., 1.], dtype=float32)
    """
    return ops.concatenate(
        [ops.one_hot(sounding[..., 0], PITCHES), ops.cast(sounding[..., 1:], "float32")], axis=-1
    )


def likeliest(logits):
    """The likeliest sound of each voice and step, and whether it is likelier struck than not.

    Lesson: 05

    Args:
      logits: float (n, T, V, 50), as :func:`decoder` gives them.

    Returns:
      int (n, T, V, 2), as :func:`musiclab.data.encodings.two_bars.from_pitch_and_onset` reads it.

    >>> likeliest(2 * features(np.array([[[[3, 1]]]])) - 1).numpy().tolist()
    [[[[3, 1]]]]
    """
    pitch = ops.argmax(logits[..., :PITCHES], axis=-1)
    return ops.stack([pitch, ops.cast(logits[..., PITCHES] > 0, pitch.dtype)], axis=-1)


def in_batches(function, *arrays, size: int = 512) -> list[np.ndarray]:
    """Apply a function that returns several tensors to arrays in pieces, so that memory does not grow with n.

    Lesson: 05

    Args:
      function: of as many arrays as given, with one row per sample, to a tuple of tensors likewise.
      arrays: equally long. size: of a piece.

    Returns:
      One array for each tensor.

    >>> [part.tolist() for part in in_batches(lambda x: (x + 1, -x), np.arange(3), size=2)]
    [[1, 2, 3], [0, -1, -2]]
    """
    parts = [function(*(a[i : i + size] for a in arrays)) for i in range(0, len(arrays[0]), size)]
    return [np.concatenate([np.asarray(part) for part in column]) for column in zip(*parts)]


def _sizes(steps, voices, quarter, hidden, code):
    if min(steps, voices, quarter, hidden, code) < 1 or steps % QUARTER:
        raise ValueError(
            f"steps={steps}, voices={voices}, quarter={quarter}, hidden={hidden}, code of {code}: each must be at "
            f"least 1, and steps a multiple of {QUARTER}"
        )
    return steps // QUARTER, QUARTER * voices * (PITCHES + 1)
