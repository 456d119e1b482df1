"""A melody as a list of notes, which is what a model that chooses one note after another reads.

Lessons: 02.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["melody_to_symbols", "symbols_to_melody"]


def melody_to_symbols(piece: Piece, voice: int = 0) -> list[tuple[int, int]]:
    """One voice as notes: (MIDI pitch, length in steps), rests included with pitch -1.

    Lesson: 02

    Args:
      piece: any piece, best in the common key (:func:`to_common_key`).
      voice: which voice, 0 is the highest.

    Returns:
      The notes in order; lengths add up to the length of the piece.

    Raises:
      ValueError: if there is no such voice.

    >>> melody_to_symbols(Piece([60, 60, -1, 62]))
    [(60, 2), (-1, 1), (62, 1)]
    """
    n_voices = piece.voices.shape[1]
    if not 0 <= voice < n_voices:
        raise ValueError(f"voice {voice}: {piece.name!r} has voices 0 to {n_voices - 1}")
    pitches, onsets = piece.voices[:, voice], piece.onsets[:, voice]
    falls_silent = (pitches == REST) & (np.concatenate([[0], pitches[:-1]]) != REST)
    starts = np.flatnonzero(onsets | falls_silent)
    lengths = np.diff(starts, append=piece.steps)
    return list(zip(pitches[starts].tolist(), lengths.tolist()))


def symbols_to_melody(symbols: Sequence[tuple[int, int]], **attributes) -> Piece:
    """Notes back to a piece of one voice: the inverse of :func:`melody_to_symbols`.

    Lesson: 02

    Args:
      symbols: (MIDI pitch or -1 for a rest, length in steps), at least one.
      **attributes: passed on to :class:`Piece`, such as ``name`` or ``pickup``.

    Returns:
      The piece.

    Raises:
      ValueError: if there is no note, or one has no length or no MIDI pitch.

    >>> symbols_to_melody([(60, 2), (-1, 1), (62, 1)]).voices[:, 0].tolist()
    [60, 60, -1, 62]
    """
    symbols = list(symbols)
    if not symbols or any(length < 1 for _, length in symbols):
        raise ValueError(f"a melody needs notes, each at least one step long, not {symbols[:3]}")
    pitches, lengths = np.array(symbols).T
    voices = np.repeat(pitches, lengths)
    starts = np.isin(np.arange(len(voices)), np.cumsum(lengths) - lengths)
    return Piece(voices, starts & (voices != REST), **attributes)
