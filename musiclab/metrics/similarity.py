"""Similarity of pieces: diversity within a set, passages and fragments shared with training pieces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import as_pieces, same_voices

__all__ = ["SharedRun", "diversity", "nearest_distances", "shared_runs"]

MAX_SHIFT = 6  # semitones either way reach every key
CHUNK = 256  # fragments compared at once
_UNKNOWN = "\x01"  # stands for what no training piece has
_BETWEEN = "\x00"  # stands between training pieces


class SharedRun(NamedTuple):
    """The longest passage of some piece that a training piece also has.

    ``steps`` long; starts at step ``start`` of ``pieces[piece]``, and at step ``source_start`` of
    ``training[source]``.
    """

    steps: int
    piece: int
    start: int
    source: int
    source_start: int


def diversity(pieces: Iterable[Piece]) -> float:
    """Mean distance of all pairs of pieces: 1 - intersection / union of their piano rolls.

    A model that repeats one piece scores 0, noise scores near 1: more is not always better.
    Notes are compared at the same step and pitch, so pass equally long pieces in one common key.

    Args:
      pieces: two or more, of equal length.

    Returns:
      0 (all the same) to 1 (no two share a cell). Two silent pieces are the same.

    Raises:
      ValueError: fewer than two pieces, or of different lengths.

    >>> diversity([Piece([60, 60]), Piece([60, 62]), Piece([60, 60])])
    0.4444444444444445
    """
    pieces = as_pieces(pieces)
    if len(pieces) < 2:
        raise ValueError("diversity compares pieces with one another: pass two or more")
    if len({piece.steps for piece in pieces}) > 1:
        raise ValueError(
            f"pieces are {sorted({p.steps for p in pieces})} steps long: cut them to one length first"
        )
    return float(pairwise_distances(pieces)[np.triu_indices(len(pieces), 1)].mean())


def pairwise_distances(pieces: list[Piece]) -> np.ndarray:
    """1 - intersection / union of each two rolls: float (n, n), for equally long pieces."""
    rolls = _rolls([piece.voices for piece in pieces], 0, 127)
    return 1 - _intersection_over_union(rolls, rolls)


def shared_runs(
    pieces: Piece | Iterable[Piece], training: Piece | Iterable[Piece]
) -> list[SharedRun]:
    """Longest passage that each piece shares with some training piece, in any key.

    Two passages are shared if at each step all voices have the same pitches up to one
    transposition, and, from the second step on, strike at the same steps. A passage begins on a
    step where something sounds. To look for a copied melody alone, pass one voice of each.

    Args:
      pieces: one piece or several.
      training: what may have been copied; the same number of voices.

    Returns:
      One run for each piece, of at least 2 steps, or of 0 if no two successive steps are shared; of
      equally long ones the first.

    Raises:
      ValueError: if there is no piece, or the numbers of voices differ.

    >>> [run.steps for run in shared_runs([Piece([60, 64, 65]), Piece([60, 62])], Piece([48, 52, 53]))]
    [3, 0]
    """
    pieces, training = as_pieces(pieces), as_pieces(training, "training")
    same_voices(pieces, training)
    # Each way from one chord to the next gets a character of its own: runs are then substrings,
    # which Python finds far faster than a loop over steps could.
    alphabet, texts = {}, []
    for source in training:
        texts.append(
            "".join(alphabet.setdefault(move, chr(len(alphabet) + 2)) for move in _moves(source))
        )
    haystack = _BETWEEN.join(texts)
    first = np.cumsum([0] + [len(text) + 1 for text in texts])
    found = []
    for k, piece in enumerate(pieces):
        needle = "".join(alphabet.get(move, _UNKNOWN) for move in _moves(piece))
        start, length, place = _longest_substring(needle, haystack, (piece.voices >= 0).any(axis=1))
        source = int(np.searchsorted(first, place, side="right")) - 1
        # n moves join n + 1 steps
        found.append(
            SharedRun(length + 1 if length else 0, k, start, source, place - int(first[source]))
        )
    return found


def nearest_distances(
    pieces: Piece | Iterable[Piece], training: Piece | Iterable[Piece], steps: int = 32
) -> np.ndarray:
    """Distance of each fragment of the pieces to the nearest training fragment, in any key.

    Fragments are ``steps`` long and start at each downbeat. Their distance is 1 - intersection /
    union of the rolls, the least of all transpositions by up to six semitones. It finds what was
    copied with a few changes, where :func:`shared_runs` breaks off. Every fragment is compared with
    every other, in chunks: the memory needed grows with the pieces, not with the pairs.

    Args:
      pieces: one piece or several.
      training: what may have been copied.
      steps: length of a fragment; 32 is two bars of 4/4.

    Returns:
      float64, one per fragment, in order: 0 (a copy) to 1 (no cell in common).

    Raises:
      ValueError: if there is no piece, or none on one side that is ``steps`` long.

    >>> nearest_distances(Piece([60, 62, 64, 65]), Piece([62, 64, 66, 70]), steps=4)
    array([0.4])
    """
    ours = _fragments(as_pieces(pieces), steps)
    theirs = _fragments(as_pieces(training, "training"), steps)
    pitches = [voices[voices >= 0] for voices in ours + theirs]
    low = min((p.min() for p in pitches if p.size), default=60) - MAX_SHIFT
    high = max((p.max() for p in pitches if p.size), default=60) + MAX_SHIFT
    shifts = range(-MAX_SHIFT, MAX_SHIFT + 1)
    best = np.zeros(len(ours))
    for i in range(0, len(ours), CHUNK):  # in chunks, or memory would grow with their product
        part = ours[i : i + CHUNK]
        shifted = [_rolls(part, low - shift, high - shift) for shift in shifts]
        for j in range(0, len(theirs), CHUNK):
            base = _rolls(theirs[j : j + CHUNK], low, high)
            for rolls in shifted:
                found = _intersection_over_union(rolls, base).max(axis=1)
                best[i : i + CHUNK] = np.maximum(best[i : i + CHUNK], found)
    return 1 - best


def _fragments(pieces, steps):
    """Voices of each fragment; a piece without a fitting downbeat gives its opening."""
    fragments = []
    for piece in pieces:
        starts = [s for s in np.flatnonzero(piece.downbeats).tolist() if s + steps <= piece.steps]
        if not starts and piece.steps >= steps:
            starts = [0]
        fragments += [piece.voices[start : start + steps] for start in starts]
    if not fragments:
        longest = max(piece.steps for piece in pieces)
        raise ValueError(
            f"no piece has {steps} steps, the longest has {longest}: ask for shorter fragments"
        )
    return fragments


def _rolls(fragments, low, high):
    """Equally long voices (T, V), each as a flat 0/1 roll of the keys low..high."""
    rolls = np.zeros((len(fragments), len(fragments[0]), high - low + 1), np.float32)
    for roll, voices in zip(rolls, fragments):
        step, voice = np.nonzero(voices >= 0)
        roll[step, voices[step, voice] - low] = 1
    return rolls.reshape(len(rolls), -1)


def _intersection_over_union(a, b):
    shared = (a @ b.T).astype(float)  # whole numbers, so float32 was exact
    union = a.sum(axis=1)[:, None] + b.sum(axis=1) - shared
    return np.where(union > 0, shared / np.maximum(union, 1), 1.0)


def _moves(piece):
    """Per step but the last, as bytes: its chord, how the lowest note moves on, the next chord and its onsets."""
    voices, steps = piece.voices.astype(int), np.arange(piece.steps)
    sounding = voices >= 0
    lowest = np.where(sounding, voices, 999).min(axis=1)
    # a silence keeps where the next motion starts from
    last = np.maximum.accumulate(np.where(sounding.any(axis=1), steps, 0))
    lowest = lowest[last]
    chords = np.where(sounding, voices - lowest[:, None], 999)
    table = np.hstack([chords[:-1], np.diff(lowest)[:, None], chords[1:], piece.onsets[1:]]).astype(
        np.int16
    )
    return [row.tobytes() for row in table]


def _longest_substring(needle, haystack, may_start):
    """(start, length, place in haystack) of the longest part of needle that haystack has."""
    start, length = 0, 0
    for i in np.flatnonzero(may_start[: len(needle)]).tolist():
        while i + length < len(needle) and needle[i : i + length + 1] in haystack:
            start, length = i, length + 1
    return start, length, haystack.find(needle[start : start + length])
