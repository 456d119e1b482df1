"""Chorales as cells, one integer for each voice and 8th, with metre and mood: what the inpainting network reads."""

from __future__ import annotations

import itertools

import numpy as np

from musiclab.data.encodings.conditioning import last_phrase
from musiclab.data.encodings.eighth_grid import STEPS_PER_FRAME, on_eighths, to_no_signature
from musiclab.data.encodings.transposition import spell
from musiclab.data.piece import REST, Piece

__all__ = [
    "DENSITY_EDGES",
    "FORM_SIZES",
    "LOW",
    "MOOD_SIZES",
    "PITCHES",
    "TENSION_EDGES",
    "bar_edges",
    "cells_to_piece",
    "density_and_tension",
    "encode_cells",
    "encode_form",
    "encode_mood",
    "sounding",
    "told_mood",
]

LOW, PITCHES = 30, 61
"""Lowest MIDI pitch of a cell, and how many pitches there are."""

FORM_SIZES = (2, 12, 2, 2, 10, 11)
"""How many values each column of :func:`encode_form` has."""

MOOD_SIZES = (5, 4, 3)
"""How many values density, tension and mode have; 0 is "not told" in each."""

DENSITY_EDGES = (0.45, 0.57, 0.66)
"""Quartiles of density over the 8ths of the training chorales (split by melody), put between its values."""

TENSION_EDGES = (0.06, 0.12)
"""Terciles of tension, likewise."""

DISSONANT = (1, 2, 6, 10, 11)  # semitones modulo the octave, as in musiclab.metrics.dissonance


def encode_cells(piece: Piece) -> np.ndarray:
    """What each voice does on each 8th, without signature: rest, a pitch held, or a pitch struck.

    Args:
      piece: any piece; taken to no signature and to 8ths.

    Returns:
      int32 (F, V): 0 = rest, k = pitch LOW - 1 + k held, PITCHES + k = that pitch struck, k = 1 to
      PITCHES. Nothing is held into the first 8th: what sounds there is struck.

    Raises:
      ValueError: if a note lies outside the range.

    >>> encode_cells(Piece([[60], [60], [60], [60], [-1], [-1]]))[:, 0].tolist()
    [92, 31, 0]
    """
    grid = on_eighths(to_no_signature(piece))
    voices, struck = grid.voices[::STEPS_PER_FRAME], grid.onsets[::STEPS_PER_FRAME].copy()
    struck[0] = True
    pitches = voices[voices != REST]
    if pitches.size and (pitches.min() < LOW or pitches.max() >= LOW + PITCHES):
        raise ValueError(
            f"{piece.name!r} reaches from MIDI pitch {pitches.min()} to {pitches.max()} without "
            f"signature: need {LOW} to {LOW + PITCHES - 1}"
        )
    held = voices.astype(np.int32) - LOW + 1
    return np.where(voices == REST, 0, held + PITCHES * struck).astype(np.int32)


def sounding(cells, where=np.where):
    """What sounds in each cell, whether held or struck: 0 = rest, 1 to PITCHES; arrays or tensors."""
    return where(cells > PITCHES, cells - PITCHES, cells)


def encode_form(piece: Piece) -> np.ndarray:
    """Metre and fermatas of each 8th: what is known of a piece without its notes.

    Args:
      piece: any piece.

    Returns:
      int32 (F, 6), by column: 1 off the beat of a quarter; beat (0-11); 1 on a downbeat; 1 under a
      fermata; 8ths until the next fermata (0-8, 9 if it is further or there is none); the same
      number in the last phrase (:func:`last_phrase`), 10 before it.

    >>> encode_form(Piece([[60]] * 6, fermatas=[0, 0, 0, 0, 1, 0]))[:, 4].tolist()
    [2, 1, 0]
    """
    starts = np.arange(0, piece.steps, STEPS_PER_FRAME)
    frames = np.arange(len(starts))
    fermata = np.add.reduceat(piece.fermatas, starts) > 0
    none = FORM_SIZES[4] - 1
    following = np.append(np.flatnonzero(fermata), len(frames) + none)
    ahead = following[np.searchsorted(following, frames)] - frames
    ahead = np.where(ahead < none, ahead, none)
    closing = np.where(last_phrase(piece)[starts], ahead, FORM_SIZES[5] - 1)
    off = (starts - piece.pickup) % 4 // STEPS_PER_FRAME
    beat = np.minimum(piece.beat[starts], FORM_SIZES[1] - 1)
    columns = [off, beat, piece.downbeats[starts], fermata, ahead, closing]
    return np.stack(columns, axis=1).astype(np.int32)


def bar_edges(form: np.ndarray) -> list[int]:
    """First 8th of each bar, and the number of 8ths; a pickup is a bar of its own.

    >>> bar_edges(np.array([[0, 3, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]))
    [0, 1, 3, 4]
    """
    return sorted({0, *np.flatnonzero(form[:, 2]).tolist(), len(form)})


def density_and_tension(cells: np.ndarray, form: np.ndarray) -> np.ndarray:
    """How busy the lower voices are in each bar, and how dissonant all of them.

    Args:
      cells: int (F, 4). form: int (F, 6).

    Returns:
      float64 (bars, 2): density, notes struck by the three lower voices per voice and 8th; tension,
      the share of sounding pairs of voices at a second, seventh or tritone, over the bar's 8ths.

    >>> cells = encode_cells(Piece([[60, 59, 57, 48]] * 4))
    >>> density_and_tension(cells, encode_form(Piece([[60]] * 4))).round(2).tolist()
    [[0.5, 0.5]]
    """
    pitch = sounding(cells)
    first, second = np.triu_indices(cells.shape[1], 1)
    both = (pitch[:, first] > 0) & (pitch[:, second] > 0)
    dissonant = both & np.isin(np.abs(pitch[:, first] - pitch[:, second]) % 12, DISSONANT)
    edges, values = bar_edges(form), []
    for start, stop in itertools.pairwise(edges):
        density = np.mean(cells[start:stop, 1:] > PITCHES)
        pairs = max(both[start:stop].sum(), 1)
        values.append((density, dissonant[start:stop].sum() / pairs))
    return np.array(values)


def encode_mood(piece: Piece, cells: np.ndarray, form: np.ndarray) -> np.ndarray:
    """The mood of a piece as the network is told it in training: a class per bar, on each 8th.

    Args:
      piece: for its mode. cells, form: of the same piece.

    Returns:
      int32 (F, 3): density 1 to 4 (its quarter among the bars of the training chorales), tension 1
      to 3 (its third), mode 1 = major, 2 = minor.

    >>> piece = Piece([[60, 59, 57, 48]] * 4)
    >>> encode_mood(piece, encode_cells(piece), encode_form(piece))[0].tolist()
    [2, 3, 1]
    """
    density, tension = density_and_tension(cells, form).T
    classes = [
        1 + np.searchsorted(DENSITY_EDGES, density, side="right"),
        1 + np.searchsorted(TENSION_EDGES, tension, side="right"),
    ]
    lengths = np.diff(bar_edges(form))
    columns = [np.repeat(one, lengths) for one in classes]
    columns.append(np.full(len(cells), 2 if piece.mode == "minor" else 1))
    return np.stack(columns, axis=1).astype(np.int32)


def told_mood(form: np.ndarray, density=0, tension=0, mode=None) -> np.ndarray:
    """A wish for the mood, as the network reads it.

    Args:
      form: int (F, 6), for its bars.
      density: 0 = no wish, 1 (calm) to 4 (busy): one number, or one for each bar.
      tension: 0 = no wish, 1 (consonant) to 3 (dissonant): likewise.
      mode: "major", "minor", or None for no wish.

    Returns:
      int32 (F, 3).

    Raises:
      ValueError: on a class that does not exist, or not one number for each bar.

    >>> told_mood(encode_form(Piece([[60]] * 20)), density=[1, 4], mode="minor")[[0, 9]].tolist()
    [[1, 0, 2], [4, 0, 2]]
    """
    modes = {None: 0, "major": 1, "minor": 2}
    if mode not in modes:
        raise ValueError(f"mode {mode!r}: say 'major', 'minor' or None")
    edges = bar_edges(form)
    columns = []
    for name, wish, size in zip(("density", "tension"), (density, tension), MOOD_SIZES):
        wish = np.asarray(wish)
        if wish.ndim and wish.shape != (len(edges) - 1,):
            raise ValueError(
                f"{wish.size} numbers for {name}: need one, or one for each of {len(edges) - 1} bars"
            )
        if not np.issubdtype(wish.dtype, np.integer) or wish.min() < 0 or wish.max() >= size:
            raise ValueError(f"{name} {wish.tolist()}: need integers 0 (no wish) to {size - 1}")
        columns.append(np.repeat(np.broadcast_to(wish, len(edges) - 1), np.diff(edges)))
    columns.append(np.full(len(form), modes[mode]))
    return np.stack(columns, axis=1).astype(np.int32)


def cells_to_piece(cells: np.ndarray, template: Piece, free: np.ndarray | None = None) -> Piece:
    """Put cells into a piece, in the piece's own key; a held cell after another pitch is struck.

    Args:
      cells: int (F, 4), as :func:`encode_cells`.
      template: the piece whose metre, fermatas and key are kept, of F 8ths; of one voice or four.
      free: bool (F, 4), the cells to be replaced; the others stay as ``template`` has them, at its
        own 16ths. Default: all.

    Returns:
      A piece of four voices, the new cells spelled by the key signature.

    Raises:
      ValueError: if there are not as many cells as 8ths.

    >>> melody = Piece([[62]] * 4, key_signature=2)
    >>> cells_to_piece(np.array([[0, 31, 0, 0]] * 2), melody).voices[0].tolist()
    [-1, 62, -1, -1]
    """
    frames = -(-template.steps // STEPS_PER_FRAME)
    if np.shape(cells) != (frames, 4):
        raise ValueError(f"cells of shape {np.shape(cells)}: need ({frames}, 4)")
    shift = to_no_signature_shift(template)
    pitch = sounding(cells)
    voices = np.where(pitch > 0, pitch + LOW - 1 - shift, REST)
    changed = np.vstack([np.ones((1, 4), bool), voices[1:] != voices[:-1]])
    struck = (changed | (cells > PITCHES)) & (pitch > 0)
    new = np.repeat(voices, STEPS_PER_FRAME, axis=0)[: template.steps]
    onsets = np.zeros(new.shape, bool)
    onsets[::STEPS_PER_FRAME] = struck
    spelling = spell(new, template.key_signature)
    if free is not None:
        old = four_voices(template)
        keep = ~np.repeat(free, STEPS_PER_FRAME, axis=0)[: template.steps]
        new = np.where(keep, old.voices, new)
        onsets = np.where(keep, old.onsets, onsets)
        before = np.vstack([np.full((1, 4), REST), new[:-1]])
        onsets |= (new != before) & (new >= 0)  # where kept and new notes meet
        spelling = np.where(keep, old.spelling, spelling)
    return template.with_(voices=new, onsets=onsets, spelling=spelling)


def four_voices(piece: Piece) -> Piece:
    """A piece of four voices as it is; a melody with three silent voices below it."""
    missing = 4 - piece.voices.shape[1]
    if missing not in (0, 3):
        raise ValueError(f"{piece.name!r} has {4 - missing} voices: need a melody, or four voices")
    pad = [(0, 0), (0, missing)]
    return piece.with_(
        voices=np.pad(piece.voices, pad, constant_values=REST),
        onsets=np.pad(piece.onsets, pad),
        spelling=np.pad(piece.spelling, pad, constant_values=-128),
    )


def to_no_signature_shift(piece: Piece) -> int:
    """Semitones, -6 to 5, by which :func:`to_no_signature` transposes a piece."""
    return (-7 * piece.key_signature + 6) % 12 - 6
