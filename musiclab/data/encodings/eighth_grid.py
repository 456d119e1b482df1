"""Chorales on a grid of 8ths: one row of integers per 8th for the encoder-decoder."""

from __future__ import annotations

import numpy as np

from musiclab.data import Piece, encode_tokens, excerpt, spell, transpose
from musiclab.data.encodings.conditioning import last_phrase
from musiclab.data.encodings.tokens import FIRST_PITCH_TOKEN, HOLD_TOKEN, REST_TOKEN
from musiclab.data.piece import REST

__all__ = ["encode_eighths", "excerpts", "on_eighths", "replace_voice", "to_no_signature"]

STEPS_PER_FRAME = 2  # 16ths in an 8th
BEATS = 4  # beats are counted modulo 4


def on_eighths(piece: Piece) -> Piece:
    """Quantise a piece to 8ths: what sounds on each 8th is held until the next.

    A note that begins between two 8ths and still sounds at the second is struck there; one that has
    ended by then is lost.

    Args:
      piece: any piece; its 8ths are counted from the first step.

    Returns:
      A piece of the same type and length; applied twice it changes nothing more.

    >>> on_eighths(Piece([[60], [62], [62], [64], [65], [65]])).voices[:, 0].tolist()
    [60, 60, 62, 62, 65, 65]
    """
    at = np.arange(piece.steps) // STEPS_PER_FRAME * STEPS_PER_FRAME
    voices, onsets = piece.voices[at], np.zeros_like(piece.onsets)
    late = np.roll(piece.onsets, 1, axis=0)  # struck one 16th too early for this grid
    late[0] = False
    struck = (piece.onsets | late) & (piece.voices >= 0)
    onsets[::STEPS_PER_FRAME] = struck[::STEPS_PER_FRAME]
    return piece.with_(voices=voices, onsets=onsets, spelling=piece.spelling[at])


def excerpts(pieces, steps: int) -> list[Piece]:
    """Cut pieces into excerpts of equal length, one after another; a shorter rest is dropped.

    A note held into an excerpt counts as struck at its first step.

    Args:
      pieces: a list of pieces.
      steps: length in 16ths, at least 1.

    Returns:
      Pieces of ``steps`` steps with the metre and fermatas of their place.

    Raises:
      ValueError: if steps is below 1.

    >>> [x.voices[:, 0].tolist() for x in excerpts([Piece([60, 60, 62, 62, 64])], 2)]
    [[60, 60], [62, 62]]
    """
    if steps < 1:
        raise ValueError(f"excerpts of {steps} steps: must be at least 1")
    return [excerpt(p, i, i + steps) for p in pieces for i in range(0, p.steps - steps + 1, steps)]


def to_no_signature(piece: Piece) -> Piece:
    """Transpose to the signature without sharps or flats, at most six semitones away.

    The key signature is printed in every singer's part. The tonic is not used: for many chorales it
    was read from the bass, which the models of lesson 09 have to generate.

    Args:
      piece: any piece.

    Returns:
      A piece of the same type in C major, A minor or an old mode on the white keys.

    Raises:
      ValueError: if a note would leave MIDI's 0-127.

    >>> to_no_signature(Piece([[62]], key_signature=2)).voices.tolist()
    [[60]]
    """
    return transpose(piece, _semitones_to_no_signature(piece.key_signature))


def encode_eighths(
    piece: Piece, given: tuple[int, ...], target: int, low: int, high: int
) -> np.ndarray:
    """One row of integers per 8th: the given voices, the metre, and the target voice.

    Args:
      piece: any piece; taken to no signature and to 8ths.
      given: voices that are known. target: the voice to be generated.
      low, high: range of MIDI pitches, after transposing.

    Returns:
      int32 (frames, 2 G + 6) for G given voices: per given voice what sounds (0 = rest, else
      pitch - low + 1) and whether it is struck; beat modulo 4; 1 off the beat; 1 under a fermata;
      1 in the last phrase (:func:`last_phrase`); of the target what sounds, and its token (0 =
      rest, 1 = hold, pitch - low + 2 = struck).

    Raises:
      ValueError: if there is no such voice, or a note lies outside low..high.

    >>> encode_eighths(Piece([[72, 60]] * 4), given=(0,), target=1, low=60, high=72).tolist()
    [[13, 1, 0, 0, 0, 1, 1, 2], [13, 0, 0, 1, 0, 1, 1, 1]]
    """
    voices, n_voices = [*given, target], piece.voices.shape[1]
    if not all(0 <= v < n_voices for v in voices):
        raise ValueError(f"{piece.name!r} has {n_voices} voices: need voices {sorted(voices)}")
    grid = on_eighths(to_no_signature(piece))
    used = grid.with_(voices=grid.voices[:, voices], onsets=grid.onsets[:, voices], spelling=None)
    tokens = encode_tokens(used, low, high)[::STEPS_PER_FRAME]
    sounding = np.where(used.voices == REST, 0, used.voices - low + 1)[::STEPS_PER_FRAME]
    beat = grid.beat[::STEPS_PER_FRAME]
    off_beat = np.append(False, beat[1:] == beat[:-1])
    starts = np.arange(0, grid.steps, STEPS_PER_FRAME)
    fermata = np.add.reduceat(grid.fermatas, starts) > 0
    columns = []
    for v in range(len(given)):
        columns += [sounding[:, v], tokens[:, v] >= FIRST_PITCH_TOKEN]
    last = last_phrase(piece)[starts]
    columns += [beat % BEATS, off_beat, fermata, last, sounding[:, -1], tokens[:, -1]]
    return np.stack(columns, axis=1).astype(np.int32)


def replace_voice(piece: Piece, target: int, tokens: np.ndarray, low: int) -> Piece:
    """Put a voice given as tokens per 8th, without signature, into a piece, in the piece's own key.

    Args:
      piece: the piece; its other voices stay as they are.
      target: the voice to be replaced.
      tokens: int (frames,), as the last column of :func:`encode_eighths`; a hold with nothing to
        hold is a rest.
      low: pitch that token 2 stands for.

    Returns:
      A piece of the same type; the new voice is spelled by the key signature.

    Raises:
      ValueError: if there are not as many tokens as 8ths.

    >>> replace_voice(Piece([[72, -1]] * 4), 1, np.array([2, 1]), low=60).voices[:, 1].tolist()
    [60, 60, 60, 60]
    """
    frames = -(-piece.steps // STEPS_PER_FRAME)
    if np.shape(tokens) != (frames,):
        raise ValueError(f"tokens of shape {np.shape(tokens)}: need one for each of {frames} 8ths")
    last = np.maximum.accumulate(np.where(tokens == HOLD_TOKEN, -1, np.arange(frames)))
    current = np.where(last >= 0, tokens[np.maximum(last, 0)], REST_TOKEN)
    pitches = current - FIRST_PITCH_TOKEN + low - _semitones_to_no_signature(piece.key_signature)
    pitches = np.where(current >= FIRST_PITCH_TOKEN, pitches, REST)
    voices, onsets, spelling = piece.voices.copy(), piece.onsets.copy(), piece.spelling.copy()
    voices[:, target] = np.repeat(pitches, STEPS_PER_FRAME)[: piece.steps]
    onsets[:, target] = False
    onsets[::STEPS_PER_FRAME, target] = tokens >= FIRST_PITCH_TOKEN
    spelling[:, target] = spell(voices[:, target], piece.key_signature)
    return piece.with_(voices=voices, onsets=onsets, spelling=spelling)


def _semitones_to_no_signature(key_signature):
    """-6 to 5."""
    return (-7 * key_signature + 6) % 12 - 6
