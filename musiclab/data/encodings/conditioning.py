"""Conditioning features of a time step: metre, fermata, mode, and each voice's sounding note and its age."""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.tokens import HOLD_TOKEN, REST_TOKEN, decode_tokens
from musiclab.data.encodings.transposition import spell
from musiclab.data.piece import Piece

__all__ = [
    "conditioning_features",
    "last_phrase",
    "next_sounding",
    "sounding_and_age",
    "tokens_to_piece",
]

FEATURE_SIZES = (4, 12, 2, 2, 10, 2, 21)
"""How many values each column of :func:`conditioning_features` has."""


def conditioning_features(piece: Piece) -> np.ndarray:
    """Metre, fermatas, mode and last phrase of each step: what is known of a piece without its notes.

    Args:
      piece: any piece.

    Returns:
      int32 (T, 7), by column: step within the quarter (0-3), beat (0-11), downbeat, fermata, half
      the number of steps until the next fermata (0-8, 9 if there is none), minor, and how
      the piece closes: in the last phrase that number again, plus 10 in minor; 20 before it. Flags
      are 0 or 1.

    >>> conditioning_features(Piece([[60]] * 5, fermatas=[0, 0, 0, 0, 1]))[:, 4].tolist()
    [2, 1, 1, 0, 0]
    """
    steps, fermatas = np.arange(piece.steps), np.flatnonzero(piece.fermatas)
    following = np.append(fermatas, -1)[np.searchsorted(fermatas, steps)]
    none, most = FEATURE_SIZES[4] - 1, FEATURE_SIZES[4] - 2
    ahead = np.where(following < 0, none, np.minimum((following - steps) // 2, most))
    quarter = (steps - piece.pickup) % 4
    minor = np.full(piece.steps, piece.mode == "minor")
    # one value per mode and place, since the mode decides on which chord a piece closes
    closing = np.where(last_phrase(piece), ahead + FEATURE_SIZES[4] * minor, FEATURE_SIZES[6] - 1)
    beat = np.minimum(piece.beat, FEATURE_SIZES[1] - 1)
    columns = [quarter, beat, piece.downbeats, piece.fermatas, ahead, minor, closing]
    return np.stack(columns, axis=1).astype(np.int32)


def last_phrase(piece: Piece) -> np.ndarray:
    """Which steps belong to the last phrase of a piece: those after its last fermata but one.

    A fermata ends a phrase of a chorale. Fermatas alone do not say which phrase is the last, and
    so whether a cadence closes the piece.

    Args:
      piece: any piece.

    Returns:
      bool (T,); all True where the piece has one fermata or none.

    >>> last_phrase(Piece([[60]] * 6, fermatas=[0, 1, 0, 1, 0, 1])).tolist()
    [False, False, False, False, True, True]
    """
    fermatas = np.flatnonzero(piece.fermatas)
    first = fermatas[-2] + 1 if len(fermatas) > 1 else 0
    return np.arange(piece.steps) >= first


def sounding_and_age(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The note that sounds in each voice just before each step, and since how many steps.

    Args:
      tokens: int (T, V), 0 = rest, 1 = hold, from 2 on pitches struck.

    Returns:
      sounding int32 (T, V): 0 = nothing, from 1 on pitches (token - 1); age int32 (T, V): steps
      since the note was struck, 0 where nothing sounds.

    >>> sounding, age = sounding_and_age(np.array([[2], [1], [3], [0]]))
    >>> sounding[:, 0].tolist(), age[:, 0].tolist()
    ([0, 1, 1, 2], [0, 1, 2, 1])
    """
    sounding, age = np.zeros_like(tokens, np.int32), np.zeros_like(tokens, np.int32)
    for t in range(len(tokens) - 1):
        sounding[t + 1], age[t + 1] = next_sounding(tokens[t], sounding[t], age[t])
    return sounding, age


def next_sounding(tokens, sounding, age, where=np.where):
    """One step of :func:`sounding_and_age`, for arrays or tensors.

    Args:
      tokens: integers of any shape, 0 = rest, 1 = hold, from 2 on pitches struck.
      sounding, age: of that shape, before this step.
      where: NumPy's, or TensorFlow's for tensors.

    Returns:
      The same two for the next step; a hold where nothing sounds is a rest.

    >>> next_sounding(np.array([1, 1, 0, 9]), np.array([4, 0, 4, 4]), np.array([2, 0, 2, 2]))
    (array([4, 0, 0, 8]), array([3, 0, 0, 1]))
    """
    struck = where(tokens == REST_TOKEN, 0, tokens - 1)
    sounding = where(tokens == HOLD_TOKEN, sounding, struck)
    return sounding, where(sounding == 0, 0, where(tokens == HOLD_TOKEN, age + 1, 1))


def tokens_to_piece(tokens: np.ndarray, template: Piece, low: int, high: int) -> Piece:
    """Tokens as a piece with the metre, fermatas and mode of another piece.

    Args:
      tokens: int (T, V), T at least the steps of ``template``; what is beyond is dropped.
      template: the piece to take them from.
      low, high: range of the tokens.

    Returns:
      A piece in C major or A minor, spelled accordingly.

    Raises:
      ValueError: if a token is not in the vocabulary.

    >>> template = Piece([[60], [60]], mode="minor")
    >>> tokens_to_piece(np.array([[2], [1], [1]]), template, 60, 72).tonic
    9
    """
    names = ("downbeats", "beat", "pickup", "fermatas", "time_signature", "mode", "key_method")
    kept = {name: getattr(template, name) for name in names}
    kept |= {"tonic": 9 if template.mode == "minor" else 0}
    name = f"on the form of {template.name}"
    piece = decode_tokens(tokens[: template.steps], low, high, name=name, **kept)
    return piece.with_(spelling=spell(piece.voices, 0))
