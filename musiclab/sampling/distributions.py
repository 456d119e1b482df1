"""Choosing one of many: logits reshaped before dice are thrown, and sequences drawn step by step.

The first four functions take NumPy arrays or tensors and return the same kind.

Lessons: 02, 08, and every lesson that generates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = [
    "ancestral",
    "check_temperature",
    "draw",
    "nucleus",
    "probabilities",
    "temperature",
    "top_k",
]


def probabilities(logits):
    """Softmax over the last axis.

    Lesson: 06

    Args:
      logits: float (..., K); -inf is impossible, at least one per row is not.

    Returns:
      float (..., K), each row sums to 1.

    >>> probabilities(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    xp = _namespace(logits)
    exps = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return exps / xp.sum(exps, axis=-1, keepdims=True)


def temperature(logits, tau: float):
    """Sharpen (tau < 1) or flatten (tau > 1) a distribution; tau = 1 leaves it alone.

    Equation: (8.5)
    Lesson: 08

    Args:
      logits: float (..., K).
      tau: above 0. Towards 0 the likeliest always wins; that limit itself is not a temperature.

    Returns:
      Logits of the same shape.

    Raises:
      ValueError: if tau is not above 0.

    >>> probabilities(temperature(np.log([1.0, 3.0]), 0.5))
    array([0.1, 0.9])
    """
    check_temperature(tau)
    return logits / tau  # Eq. (8.5)


def top_k(logits, k: int):
    """Forget all but the k likeliest; where several tie for the last place, all of them stay.

    Equation: (8.6)
    Lesson: 08

    Args:
      logits: float (..., K).
      k: 1 to K.

    Returns:
      Logits of the same shape, -inf for what was forgotten.

    Raises:
      ValueError: if k is outside 1..K.

    >>> top_k(np.array([3.0, 1.0, 2.0]), 2)
    array([  3., -inf,   2.])
    """
    if not 1 <= k <= logits.shape[-1]:
        raise ValueError(
            f"the {k} likeliest of {logits.shape[-1]}: k must be from 1 to {logits.shape[-1]}"
        )
    xp = _namespace(logits)
    least = xp.sort(logits, axis=-1)[..., -k][..., None]
    return xp.where(logits >= least, logits, -np.inf)  # Eq. (8.6)


def nucleus(logits, p: float):
    """Keep the likeliest that together have probability p, forget the tail.

    How many that are depends on how sure the model is: one where it has no doubt, many where it has.

    Equation: (8.7)
    Lesson: 08
    Source: Holtzman, Buys, Du, Forbes and Choi, "The curious case of neural text degeneration", 2020.

    Args:
      logits: float (..., K).
      p: above 0, at most 1; 1 keeps everything.

    Returns:
      Logits of the same shape, -inf for what was forgotten; the likeliest always stays.

    Raises:
      ValueError: if p is outside 0 < p <= 1.

    >>> nucleus(np.log([0.5, 0.3, 0.2]), 0.7).round(2)
    array([-0.69, -1.2 ,  -inf])
    """
    if not 0 < p <= 1:
        raise ValueError(f"nucleus p = {p}: must be above 0 and at most 1")
    xp = _namespace(logits)
    probs = probabilities(logits)
    falling = -xp.sort(-probs, axis=-1)
    likelier = xp.cumsum(falling, axis=-1) - falling
    least = xp.min(xp.where(likelier < p, falling, np.inf), axis=-1, keepdims=True)
    return xp.where(probs >= least, logits, -np.inf)  # Eq. (8.7)


def draw(logits, seed):
    """One symbol per row, each as often as its probability says (Gumbel's trick: noise added, the largest wins).

    Lesson: 08

    Args:
      logits: float tensor (n, K).
      seed: two integers, or an int tensor (2,): the same give the same symbols.

    Returns:
      int32 tensor (n,), 0..K-1; never one whose logit is -inf.

    >>> draw(np.array([[-np.inf, 0.0], [0.0, -np.inf]]), seed=(0, 0)).numpy().tolist()
    [1, 0]
    """
    import tensorflow as tf

    logits = tf.convert_to_tensor(logits)
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed, 1e-30, 1.0, logits.dtype)
    return tf.argmax(logits - tf.math.log(-tf.math.log(uniform)), axis=-1, output_type=tf.int32)


def ancestral(step: Callable, state, steps: int, seed):
    """Draw a batch of sequences one step after another, each step told what came before through the state alone.

    Inside a ``tf.function`` this is one loop of the graph, which Python does not interrupt; outside, the same
    computation step by step.

    Lesson: 08

    Args:
      step: from (state, t, seed of this step) to (what was drawn, new state); tensors or nested tuples of them,
        shapes the same at every step.
      state: before the first step.
      steps: how many, a number or an int tensor, at least 1.
      seed: two integers, or an int tensor (2,).

    Returns:
      What was drawn, with time as second axis: (n, steps, ...); and the last state.

    >>> count = lambda state, t, seed: (state + 1, state + 1)
    >>> ancestral(count, np.array([0, 10]), 3, seed=(0, 0))[0].numpy().tolist()
    [[1, 2, 3], [11, 12, 13]]
    """
    import tensorflow as tf

    seed, state = (
        tf.convert_to_tensor(seed, tf.int32),
        tf.nest.map_structure(tf.convert_to_tensor, state),
    )
    first, after = step(state, 0, _fold(seed, 0))
    drawn = tf.TensorArray(first.dtype, size=steps, element_shape=first.shape).write(0, first)

    def body(t, drawn, state):
        one, state = step(state, t, _fold(seed, t))
        return t + 1, drawn.write(t, one), state

    _, drawn, state = tf.while_loop(lambda t, *_: t < steps, body, (1, drawn, after))
    sequences = drawn.stack()
    return tf.transpose(sequences, [1, 0, *range(2, len(sequences.shape))]), state


def check_temperature(tau: float) -> float:
    """The temperature, if it is one.

    Lesson: 08

    Raises:
      ValueError: if tau is not a number above 0.

    >>> check_temperature(0.8)
    0.8
    """
    if isinstance(tau, str) or not (np.isscalar(tau) and np.isfinite(tau) and tau > 0):
        raise ValueError(
            f"temperature {tau}: must be a number above 0 (1 is the model itself, below 1 is safer)"
        )
    return float(tau)


def _fold(seed, t):
    """A seed of its own for each step."""
    import tensorflow as tf

    return tf.random.experimental.stateless_fold_in(seed, t)


def _namespace(x):
    """NumPy for arrays, Keras' operations of the same names for tensors."""
    if isinstance(x, np.ndarray | np.generic):
        return np
    from keras import ops

    return ops
