"""A melody as a sequence of notes (pitch, length), and its symbols and features for models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["melody_to_symbols", "note_features", "note_vocabulary", "symbols_to_melody"]

START, END, UNKNOWN = "<start>", "<end>", "<unknown>"
"""Symbols beside the notes: before the first, after the last, and for notes not in the vocabulary."""


def melody_to_symbols(piece: Piece, voice: int = 0) -> list[tuple[int, int]]:
    """One voice as notes: (MIDI pitch, length in steps), rests with pitch -1.

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


def note_vocabulary(melodies: Iterable[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """All notes that occur in melodies, each once, lowest first.

    >>> note_vocabulary([[(62, 4), (60, 4)], [(60, 4)]])
    [(60, 4), (62, 4)]
    """
    return sorted({(int(pitch), int(length)) for melody in melodies for pitch, length in melody})


def note_features(notes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Each note as a two-hot vector: a one for its pitch and a one for its length.

    Notes of one pitch and different lengths thus share a feature. Three rows follow the notes, for
    END, UNKNOWN and START, each one-hot.

    Args:
      notes: K - 2 notes, (MIDI pitch, length in steps).

    Returns:
      float32 (K + 1, D): D is the number of pitches plus that of lengths plus 3, in rising order.

    Raises:
      ValueError: if there is no note, or one comes twice.

    >>> note_features([(60, 4), (62, 4)])[:2].astype(int).tolist()
    [[1, 0, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0]]
    """
    notes = [(int(pitch), int(length)) for pitch, length in notes]
    if not notes or len(set(notes)) < len(notes):
        raise ValueError(f"{len(notes)} notes: need each once; pass note_vocabulary(melodies)")
    pitches, lengths = np.array(notes).T
    by_pitch = pitches[:, None] == np.unique(pitches)  # (K - 2, pitches)
    by_length = lengths[:, None] == np.unique(lengths)  # (K - 2, lengths)
    two_hot = np.hstack([by_pitch, by_length])
    others = np.zeros((len(notes), 3)), np.zeros((3, two_hot.shape[1]))
    return np.block([[two_hot, others[0]], [others[1], np.eye(3)]]).astype(np.float32)
