"""Random samples from models: Bernoulli and categorical draws, and ancestral sampling of sequences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["ancestral_sampling", "check_temperature", "sample_bernoulli", "sample_categorical"]


def sample_categorical(logits, seed):
    """Draw one symbol per row from a softmax, by the Gumbel-max trick: add noise, take the largest.

    Args:
      logits: float tensor (n, K); a symbol with logit -inf is never drawn.
      seed: two integers, or an int tensor (2,): the same give the same symbols.

    Returns:
      int32 tensor (n,), 0..K-1.

    >>> logits = np.array([[-np.inf, 0.0], [0.0, -np.inf]])
    >>> sample_categorical(logits, seed=(0, 0)).numpy().tolist()
    [1, 0]
    """
    import tensorflow as tf

    logits = tf.convert_to_tensor(logits)
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed, 1e-30, 1.0, logits.dtype)
    gumbel = -tf.math.log(-tf.math.log(uniform))
    return tf.argmax(logits + gumbel, axis=-1, output_type=tf.int32)


def sample_bernoulli(probs, seed):
    """Draw independent 0s and 1s: entry i is 1 with probability ``probs[i]``.

    Args:
      probs: float tensor of any shape, 0 to 1.
      seed: as :func:`sample_categorical`.

    Returns:
      Tensor of that shape and type.

    >>> sample_bernoulli(np.array([0.0, 1.0]), seed=(0, 0)).numpy().tolist()
    [0.0, 1.0]
    """
    import tensorflow as tf

    probs = tf.convert_to_tensor(probs)
    uniform = tf.random.stateless_uniform(tf.shape(probs), seed, dtype=probs.dtype)
    return tf.cast(uniform < probs, probs.dtype)


def ancestral_sampling(step: Callable, state, steps: int, seed):
    """Sample a batch of sequences, one step after another, each step given those before it.

    Inside a ``tf.function`` this is one loop of the graph; outside it runs step by step.

    Args:
      step: from (state, t, seed of this step) to (sample, new state); states are tensors or nested
        tuples, lists and dicts of them, with the same shapes at every step.
      state: before the first step; all that a step knows of those before it.
      steps: how many, a number or an int tensor, at least 1.
      seed: as :func:`sample_categorical`.

    Returns:
      The samples with time as second axis, (n, steps, ...); and the last state.

    >>> count = lambda state, t, seed: (state + 1, state + 1)
    >>> ancestral_sampling(count, np.array([0, 10]), 3, seed=(0, 0))[0].numpy().tolist()
    [[1, 2, 3], [11, 12, 13]]
    """
    import tensorflow as tf

    fold = tf.random.experimental.stateless_fold_in  # a seed of its own for each step
    seed = tf.convert_to_tensor(seed, tf.int32)
    state = tf.nest.map_structure(tf.convert_to_tensor, state)
    first, after = step(state, 0, fold(seed, 0))
    samples = tf.TensorArray(first.dtype, size=steps, element_shape=first.shape).write(0, first)

    def body(t, samples, state):
        sample, state = step(state, t, fold(seed, t))
        return t + 1, samples.write(t, sample), state

    _, samples, state = tf.while_loop(lambda t, *_: t < steps, body, (1, samples, after))
    samples = samples.stack()  # (steps, n, ...)
    return tf.transpose(samples, [1, 0, *range(2, len(samples.shape))]), state


def check_temperature(tau: float) -> float:
    """Return a valid temperature as a float.

    Raises:
      ValueError: if tau is not a number above 0.

    >>> check_temperature(0.8)
    0.8
    """
    if isinstance(tau, str) or not (np.isscalar(tau) and np.isfinite(tau) and tau > 0):
        raise ValueError(f"temperature {tau}: need a number above 0; 1 is the model itself")
    return float(tau)
