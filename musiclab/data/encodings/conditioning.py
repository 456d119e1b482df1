"""What a step of four-voice music is, beside its tokens: where it stands in the form, and what sounds already.

Lessons: 08.
"""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.tokens import HOLD_TOKEN, REST_TOKEN, decode_tokens
from musiclab.data.encodings.transposition import spell
from musiclab.data.piece import Piece

__all__ = ["FORM_SIZES", "after_step", "form", "heard", "written"]

FORM_SIZES = (4, 12, 2, 2, 10, 2)
"""How many values each column of :func:`form` has."""


def form(piece: Piece) -> np.ndarray:
    """What is known of a piece before a note is written: where its bars, beats and fermatas are, and its mode.

    Lesson: 08

    Args:
      piece: any piece; its notes don't matter.

    Returns:
      int32 (T, 6), by column: step within the quarter (0-3), beat (0-11), downbeat, fermata, half the number of steps
      until the next fermata (0-8, 9 if there is none), minor; flags are 0 or 1.

    >>> form(Piece([[60]] * 5, fermatas=[0, 0, 0, 0, 1]))[:, 4].tolist()
    [2, 1, 1, 0, 0]
    """
    steps = np.arange(piece.steps)
    after = np.searchsorted(np.flatnonzero(piece.fermatas), steps)
    next_one = np.append(np.flatnonzero(piece.fermatas), -1)[after]
    ahead = np.where(
        next_one < 0, FORM_SIZES[4] - 1, np.minimum((next_one - steps) // 2, FORM_SIZES[4] - 2)
    )
    quarter = (steps - piece.pickup) % 4
    minor = np.full(piece.steps, piece.mode == "minor")
    beat = np.minimum(piece.beat, FORM_SIZES[1] - 1)
    return np.stack([quarter, beat, piece.downbeats, piece.fermatas, ahead, minor], axis=1).astype(
        np.int32
    )


def heard(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What sounds just before each step, and for how long it has: what the tokens alone do not say.

    Lesson: 08

    Args:
      tokens: int (T, V), 0 = rest, 1 = hold, from 2 on pitches struck.

    Returns:
      before int32 (T, V): 0 = nothing, from 1 on pitches (token - 1); age int32 (T, V): steps since it was struck,
      0 where nothing sounds.

    >>> before, age = heard(np.array([[2], [1], [3], [0]]))
    >>> before[:, 0].tolist(), age[:, 0].tolist()
    ([0, 1, 1, 2], [0, 1, 2, 1])
    """
    before, age = np.zeros_like(tokens, np.int32), np.zeros_like(tokens, np.int32)
    for t in range(len(tokens) - 1):
        before[t + 1], age[t + 1] = after_step(tokens[t], before[t], age[t])
    return before, age


def after_step(tokens, before, age, where=np.where):
    """What sounds after a step and for how long, from what sounded before it.

    Lesson: 08

    Args:
      tokens: integers of any shape, 0 = rest, 1 = hold, from 2 on pitches struck.
      before, age: of that shape, as :func:`heard` gives them for this step.
      where: NumPy's, or TensorFlow's for tensors.

    Returns:
      The same two for the next step; a hold where nothing sounds is a rest.

    >>> after_step(np.array([1, 1, 0, 9]), np.array([4, 0, 4, 4]), np.array([2, 0, 2, 2]))
    (array([4, 0, 0, 8]), array([3, 0, 0, 1]))
    """
    sounding = where(tokens == HOLD_TOKEN, before, where(tokens == REST_TOKEN, 0, tokens - 1))
    return sounding, where(sounding == 0, 0, where(tokens == HOLD_TOKEN, age + 1, 1))


def written(tokens: np.ndarray, plan: Piece, low: int, high: int) -> Piece:
    """Tokens as a piece with the metre, fermatas and mode of the form they were written on.

    Lesson: 08

    Args:
      tokens: int (T, V), T at least the steps of ``plan``; what is beyond is dropped.
      plan: the form.
      low, high: range of the tokens.

    Returns:
      A piece in C major or A minor, spelled accordingly.

    Raises:
      ValueError: if a token is not in the vocabulary.

    >>> written(np.array([[2], [1], [1]]), Piece([[60], [60]], mode="minor"), 60, 72).tonic
    9
    """
    metre = {
        name: getattr(plan, name)
        for name in ("downbeats", "beat", "pickup", "fermatas", "time_signature", "mode")
    }
    tonic = {"major": 0, "minor": 9}[plan.mode]
    piece = decode_tokens(
        tokens[: plan.steps], low, high, tonic=tonic, name=f"on the form of {plan.name}", **metre
    )
    return piece.with_(spelling=spell(piece.voices, 0))
