"""Melody families: pieces that share a stretch of melody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musiclab.data.piece import REST, STEPS_PER_QUARTER, Piece

__all__ = ["melody_families", "melody_runs"]

_QUARTERS = 16  # notes in a stretch: four bars of 4/4


def melody_runs(piece: Piece) -> set[bytes]:
    """All stretches of 16 quarter notes of a melody, relative to their first note.

    Args:
      piece: its first voice is the melody; sampled every quarter note, counted from the first
        downbeat.

    Returns:
      One entry per distinct stretch without a rest; equal entries mean equal melodies up to
      transposition.

    >>> tune, higher = Piece(np.repeat([60, 62] * 8, 4)), Piece(np.repeat([65, 67] * 8, 4))
    >>> melody_runs(tune) == melody_runs(higher)
    True
    """
    line = piece.voices[piece.pickup % STEPS_PER_QUARTER :: STEPS_PER_QUARTER, 0].astype(np.int16)
    if len(line) < _QUARTERS:
        return set()
    stretches = np.lib.stride_tricks.sliding_window_view(line, _QUARTERS)
    stretches = stretches[(stretches != REST).all(axis=1)]
    return {row.tobytes() for row in stretches - stretches[:, :1]}


def melody_families(pieces: Sequence[Piece]) -> np.ndarray:
    """Group pieces that share a stretch of melody, directly or through others.

    One hymn tune, harmonised several times, is one family. Two pieces are joined when they share a
    transposed run of 16 quarter notes (:func:`melody_runs`).

    Lesson: 02

    Args:
      pieces: any number.

    Returns:
      int64 (n,): for each piece the index of the first piece of its family.

    >>> tune, other = Piece(np.repeat([60, 62, 64, 65] * 5, 4)), Piece([60] * 80)
    >>> melody_families([tune, other, tune]).tolist()
    [0, 1, 0]
    """
    family = list(range(len(pieces)))

    def head(i):
        while family[i] != i:
            i = family[i]
        return i

    first_with: dict[bytes, int] = {}
    for i, piece in enumerate(pieces):
        for run in melody_runs(piece):
            a, b = sorted((head(first_with.setdefault(run, i)), head(i)))
            family[b] = a
    return np.array([head(i) for i in range(len(pieces))], np.int64)
