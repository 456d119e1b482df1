"""Counter-based random numbers, which Python and JavaScript compute alike, and draws by inverse CDF.

An ordinary generator has a state that each draw changes, so two programs agree only if they draw
everything in the same order. A counter-based generator computes draw number i from the seed and
from i alone.
"""

from __future__ import annotations

import numpy as np

__all__ = ["inverse_cdf", "threefry", "uniforms"]

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
ROUNDS = 20
PARITY = 0x1BD11BDA


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds: two 32-bit keys and two counters to two random 32-bit words.

    It only adds modulo 2**32, rotates and takes exclusive ors, which JavaScript does exactly.

    Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.

    Args:
      key: two integers, 0 to 2**32 - 1. counter: two such integers or arrays of them.

    Returns:
      Two uint32 arrays of the counters' shape.

    >>> [f"{word:08x}" for word in threefry((0, 0), (0, 0))]
    ['6b200159', '99ba4efe']
    """
    keys = [np.uint32(key[0]), np.uint32(key[1])]
    keys.append(np.uint32(PARITY) ^ keys[0] ^ keys[1])
    a, b = (np.asarray(part, np.uint32) for part in np.broadcast_arrays(*counter))
    with np.errstate(over="ignore"):  # modulo 2**32 is meant
        a, b = a + keys[0], b + keys[1]
        for r in range(ROUNDS):
            rotation = np.uint32(ROTATIONS[r % 8])
            a = a + b
            b = (b << rotation | b >> (np.uint32(32) - rotation)) ^ a
            if r % 4 == 3:
                i = r // 4 + 1
                a, b = a + keys[i % 3], b + keys[(i + 1) % 3] + np.uint32(i)
    return a, b


def uniforms(seed: int, first, second, stream: int = 0):
    """Two uniform random numbers, 0 <= u < 1, for each pair of counters.

    Both are a word of :func:`threefry` divided by 2**32, with key (seed, stream).

    Args:
      seed, stream: integers, taken modulo 2**32.
      first, second: counters, integers or arrays that broadcast.

    Returns:
      Two float64 arrays of their common shape.

    >>> [round(float(u), 6) for u in uniforms(0, 0, 0)]
    [0.418457, 0.600499]
    """
    words = threefry((seed % 2**32, stream % 2**32), (first, second))
    return tuple(word / 2.0**32 for word in words)


def inverse_cdf(logits, u):
    """Draw from softmax(logits) by its cumulative distribution: the first k with F(k) > u.

    In float64: p(k) = exp(logits(k) - max), summed from k = 0 on, against u times the whole sum.

    Args:
      logits: float tensor (..., K). u: float64 tensor (...), 0 <= u < 1.

    Returns:
      int32 tensor (...), 0 to K - 1; what has a logit of -inf is never drawn.

    >>> inverse_cdf(np.log([[0.5, 0.25, 0.25]] * 3), np.array([0.49, 0.6, 0.9])).numpy().tolist()
    [0, 1, 2]
    """
    import tensorflow as tf

    logits = tf.cast(logits, tf.float64)
    cumulated = tf.cumsum(tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True)), axis=-1)
    below = cumulated <= u[..., None] * cumulated[..., -1:]
    drawn = tf.reduce_sum(tf.cast(below, tf.int32), axis=-1)
    return tf.minimum(drawn, tf.shape(logits)[-1] - 1)
