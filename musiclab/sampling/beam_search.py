"""Beam search: a likely sequence, without looking at all of them.

Lessons: 09.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["beam_search"]


def beam_search(
    step: Callable, after: Callable, start: Callable, steps: int, width: int
) -> tuple[np.ndarray, float]:
    """Keep the ``width`` likeliest beginnings of a sequence, step after step.

    The score of a beginning is its log-likelihood, S(y_1..t) = S(y_1..t-1) + ln p(y_t | y_<t). All beginnings compared
    have one length, so no score is divided by it, as translators do. The likeliest sequence of all may be
    lost on the way, where it begins unlikely. Width 1 takes the likeliest token each time.

    Equation: (9.4)
    Lesson: 09

    Args:
      step: from (state of the ``width`` beginnings, t) to (logits (width, K), new state); states are tensors or nested
        lists and dicts of them, a row for each beginning.
      after: from (state, tokens int (width,)) to the state once these were written.
      start: from a number of rows to the state before the first step.
      steps: length of the sequence, at least 1.
      width: beginnings kept, at least 1.

    Returns:
      The best sequence found, int (steps,), and its log-likelihood in nats.

    Raises:
      ValueError: if steps or width is below 1.

    >>> always = lambda state, t: (np.log(np.tile([0.4, 0.6], (2, 1))), state)
    >>> tokens, nats = beam_search(always, lambda state, tokens: state, lambda n: np.zeros(n), steps=2, width=2)
    >>> tokens.tolist(), round(float(np.exp(nats)), 2)
    ([1, 1], 0.36)
    """
    import tensorflow as tf

    if steps < 1 or width < 1:
        raise ValueError(f"{steps} steps with a beam of width {width}: both must be at least 1")
    state, parents, chosen = start(width), [], []
    S = np.where(
        np.arange(width) == 0, 0.0, -np.inf
    )  # one empty beginning, not as many as the beam is wide
    for t in range(steps):
        logits, state = step(state, t)
        total = S[:, None] + tf.nn.log_softmax(logits).numpy()  # Eq. (9.4)
        best = np.argsort(-total, axis=None, kind="stable")[:width]
        S, parent, token = total.flat[best], best // total.shape[1], best % total.shape[1]
        state = after(_rows(state, parent), token)
        parents.append(parent)
        chosen.append(token)
    return _traced(parents, chosen), float(S[0])


def _rows(state, which):
    """The states of the beginnings that live on."""
    import tensorflow as tf

    return tf.nest.map_structure(lambda part: tf.gather(part, which), state)


def _traced(parents, chosen):
    """Follow the best last token back to the first."""
    tokens, row = [], 0
    for parent, token in zip(reversed(parents), reversed(chosen)):
        tokens.append(int(token[row]))
        row = parent[row]
    return np.array(tokens[::-1])
