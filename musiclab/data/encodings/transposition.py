"""Transposition, the common key, and the spelling of pitches."""

from __future__ import annotations

import numpy as np

from musiclab.data.piece import NO_SPELLING, REST, Piece

__all__ = [
    "spell",
    "to_common_key",
    "transpose",
]


def transpose(piece: Piece, semitones: int) -> Piece:
    """Move every note of a piece up (or down) by semitones, and its key and spelling with it.

    Args:
      piece: any piece.
      semitones: -127 to 127, positive is up.

    Returns:
      A piece of the same type.

    Raises:
      ValueError: if a note would leave MIDI's 0-127.

    >>> up = transpose(Piece([[60]], spelling=[[0]]), 2)
    >>> int(up.voices[0, 0]), int(up.spelling[0, 0]), up.tonic, up.key_signature
    (62, 2, 2, 2)
    """
    sounding = piece.voices >= 0
    voices = np.where(sounding, piece.voices.astype(int) + semitones, REST)
    if (voices[sounding] < 0).any() or (voices > 127).any():
        raise ValueError(
            f"{semitones:+d} semitones moves a note of {piece.name!r} outside MIDI's 0-127"
        )
    fifths = _fifths(semitones, piece.key_signature)
    spelled = piece.spelling != NO_SPELLING
    return piece.with_(
        voices=voices,
        spelling=np.where(spelled, piece.spelling + fifths, NO_SPELLING),
        tonic=(piece.tonic + semitones) % 12,
        key_signature=piece.key_signature + fifths,
    )


def to_common_key(piece: Piece) -> Piece:
    """Transpose to C major or A minor by the shorter way, at most six semitones.

    Args:
      piece: a piece whose ``tonic`` and ``mode`` are known.

    Returns:
      A piece of the same type; the mode is kept. A key six semitones off goes down.

    Raises:
      ValueError: as :func:`transpose`.

    >>> to_common_key(Piece([[62]], tonic=2)).voices.tolist()
    [[60]]
    """
    home = {"major": 0, "minor": 9}[piece.mode]
    return transpose(piece, (home - piece.tonic + 6) % 12 - 6)


def spell(voices: np.ndarray, key_signature: int) -> np.ndarray:
    """Name pitches the way a score in this key would: the twelve names nearest to it on the line of fifths.

    A rule of thumb for music that comes without spelling, such as a model's. In C major it writes
    E flat, B flat, F sharp, C sharp and G sharp; it knows nothing of the harmony.

    Args:
      voices: int (..., V), MIDI pitches, -1 for rests.
      key_signature: sharps, or flats below 0.

    Returns:
      int8 of the same shape, line of fifths (C = 0, G = 1, F = -1); -128 for rests.

    >>> spell(np.array([[61, 70, -1]]), key_signature=0)
    array([[   7,   -2, -128]], dtype=int8)
    """
    voices = np.asarray(voices)
    lowest = key_signature - 3
    fifths = (voices * 7 - lowest) % 12 + lowest
    return np.where(voices >= 0, fifths, NO_SPELLING).astype(np.int8)


def _fifths(semitones, key_signature):
    """Steps on the line of fifths for a transposition, keeping the new signature within 6 flats to 6 sharps."""
    fifths = (semitones * 7) % 12  # 0..11: the same pitch class move as fifths upward
    return min((fifths, fifths - 12), key=lambda f: (abs(key_signature + f), -f))
