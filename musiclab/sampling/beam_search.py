"""Beam search: find a likely sequence without scoring all of them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

__all__ = ["beam_search"]


def beam_search(
    step: Callable, next_state: Callable, initial_state: Callable, steps: int, width: int
) -> tuple[np.ndarray, float]:
    """Keep the ``width`` likeliest beginnings of a sequence (hypotheses) at each step.

    The score of a beginning is its log-likelihood, S(y_1..t) = S(y_1..t-1) + ln p(y_t | y_<t). All
    beginnings have the same length, so that no length normalisation is needed. The likeliest
    sequence can be lost if it begins with unlikely tokens. Width 1 is greedy search.

    Equation: (9.4)

    Args:
      step: from (state of the ``width`` beginnings, t) to (logits (width, K), new state); states
        are tensors or nested lists and dicts of them, a row for each beginning.
      next_state: from (state, tokens int (width,)) to the state once these are chosen.
      initial_state: from a number of rows to the state before the first step.
      steps: length of the sequence, at least 1.
      width: beginnings kept, at least 1.

    Returns:
      The best sequence found, int (steps,), and its log-likelihood in nats.

    Raises:
      ValueError: if steps or width is below 1.

    >>> always = lambda state, t: (np.log(np.tile([0.4, 0.6], (2, 1))), state)
    >>> unchanged = lambda state, tokens: state
    >>> tokens, nats = beam_search(always, unchanged, np.zeros, steps=2, width=2)
    >>> tokens.tolist(), round(float(np.exp(nats)), 2)
    ([1, 1], 0.36)
    """
    import tensorflow as tf

    if steps < 1 or width < 1:
        raise ValueError(f"{steps} steps with a beam of width {width}: both must be at least 1")
    state, parents, chosen = initial_state(width), [], []
    S = np.where(
        np.arange(width) == 0, 0.0, -np.inf
    )  # all rows are the same empty beginning: keep one
    for t in range(steps):
        logits, state = step(state, t)
        total = S[:, None] + tf.nn.log_softmax(logits).numpy()  # Eq. (9.4)
        best = np.argsort(-total, axis=None, kind="stable")[:width]
        S, parent, token = total.flat[best], best // total.shape[1], best % total.shape[1]
        state = tf.nest.map_structure(functools.partial(tf.gather, indices=parent), state)
        state = next_state(state, token)
        parents.append(parent)
        chosen.append(token)
    return _backtrack(parents, chosen), float(S[0])


def _backtrack(parents, chosen):
    """Follow the best last token back to the first."""
    tokens, row = [], 0
    for parent, token in zip(reversed(parents), reversed(chosen)):
        tokens.append(int(token[row]))
        row = parent[row]
    return np.array(tokens[::-1])
