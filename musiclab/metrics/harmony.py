"""Measures of harmony and form: chords, cadences at fermatas, the final chord, root motion.

All are shares pooled over pieces. They need three voices or more and read the lowest of them as the
bass. Two read the key and two the fermatas of a piece; a piece without them (``key_method``
"unknown", no fermata) is not counted, and the share of no piece is nan.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import pooled_share
from musiclab.metrics.rhythm import on_quarters

__all__ = [
    "falling_fifths",
    "fermata_cadences",
    "fermata_triads",
    "final_tonic",
    "triads_and_sevenths",
]

TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))  # major, minor, diminished, augmented
SEVENTHS = (
    (0, 4, 7, 10),  # dominant, also without its fifth
    (0, 4, 10),
    (0, 4, 7, 11),  # major
    (0, 3, 7, 10),  # minor
    (0, 3, 6, 10),  # half-diminished
    (0, 3, 6, 9),  # diminished
)
FIFTH = 7


def triads_and_sevenths(x: Piece | Iterable[Piece]) -> float:
    """Share of quarters on which a complete triad or seventh chord sounds, in any inversion.

    Counted are major, minor, diminished and augmented triads; dominant (its fifth may be missing),
    major, minor, half-diminished and diminished sevenths. Quarters are those of :func:`on_beat`; a
    silent one is not counted.

    Source: chords as in Aldwell, Schachter and Cadwallader, "Harmony and Voice Leading", units 2 to
      4.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if no quarter sounds. Fewer than three voices give 0.

    Raises:
      ValueError: if x holds no piece.

    >>> triads_and_sevenths(Piece([[67, 64, 60]] * 4 + [[65, 62, 60]] * 4))
    0.5
    """
    return pooled_share(x, _chords)


def fermata_triads(x: Piece | Iterable[Piece]) -> float:
    """Share of fermatas on which a consonant triad stands: major or minor, root position or first inversion.

    The fifth may be missing, the third may not. A fermata ends a phrase of a chorale.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if there is no fermata.

    Raises:
      ValueError: if x holds no piece.

    >>> fermata_triads(Piece([[67, 64, 60], [67, 64, 61]], fermatas=[True, True]))
    0.5
    """
    return pooled_share(x, _fermata_triads)


def final_tonic(x: Piece | Iterable[Piece]) -> float:
    """Share of pieces whose last sounding chord is the tonic triad in root position.

    Its third may be major or minor, whatever the mode (a Picardy third ends many pieces in minor),
    and its fifth may be missing.

    Args:
      x: one piece or several.

    Returns:
      0 to 1 over the pieces of known key; nan if there is none.

    Raises:
      ValueError: if x holds no piece.

    >>> final_tonic(Piece([[67, 62, 59], [67, 64, 60]], tonic=0, key_method="given"))
    1.0
    """
    return pooled_share(x, _final_tonic)


def fermata_cadences(x: Piece | Iterable[Piece]) -> float:
    """Share of fermatas into which the bass falls a fifth (or rises a fourth), or steps to the tonic.

    The bass comes from its last pitch of another pitch class.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1 over the fermatas of pieces of known key; nan if there is none.

    Raises:
      ValueError: if x holds no piece.

    >>> fermata_cadences(Piece([[67, 62, 55], [67, 64, 60]], fermatas=[0, 1], key_method="given"))
    1.0
    """
    return pooled_share(x, _fermata_cadences)


def falling_fifths(x: Piece | Iterable[Piece]) -> float:
    """Share of the bass's moves by a fifth or fourth that fall by a fifth, or rise by a fourth.

    A measure of direction: played backwards, a piece with share p has 1 - p. Tonal basses fall by
    fifths about three times as often as they rise by them.

    Source: the asymmetry of root motion in Bach's chorales, Rohrmeier and Cross, "Statistical
      properties of tonal harmony in Bach's chorales", 2008; here counted on bass notes rather than
      on analysed roots.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if the bass has no such move.

    Raises:
      ValueError: if x holds no piece.

    >>> falling_fifths(Piece([[67, 64, 48], [65, 60, 53], [67, 62, 55], [67, 64, 48]]))
    1.0
    """
    return pooled_share(x, _falling_fifths)


def _pitch_class_sets(voices):
    """The pitch classes of each frame as a 12-bit number, int (T,)."""
    bits = np.where(voices >= 0, 1 << (voices.astype(int) % 12), 0)
    return np.bitwise_or.reduce(bits, axis=1)


def _members(chords):
    """Root of each 12-bit set that is one of the chords, -1 for all others: int (4096,)."""
    roots = np.full(4096, -1)
    for chord in chords:
        for root in range(12):
            roots[sum(1 << (root + tone) % 12 for tone in chord)] = root
    return roots


_CHORD = _members(TRIADS + SEVENTHS) >= 0
_CONSONANT_ROOT = _members(((0, 4, 7), (0, 3, 7), (0, 4), (0, 3)))


def _bass(voices):
    """The lowest pitch of each frame, -1 in silence."""
    lowest = np.where(voices >= 0, voices, 999).min(axis=1)
    return np.where(lowest == 999, -1, lowest)


def _chords(piece):
    sets = _pitch_class_sets(piece.voices[on_quarters(piece)])
    return np.sum(_CHORD[sets]), np.sum(sets > 0)


def _fermata_triads(piece):
    frames = piece.voices[piece.fermatas]
    root = _CONSONANT_ROOT[_pitch_class_sets(frames)]
    above_root = (_bass(frames) - root) % 12
    return np.sum((root >= 0) & (above_root != FIFTH)), len(frames)


def _final_tonic(piece):
    if piece.key_method == "unknown":
        return 0, 0
    sounding = piece.voices[(piece.voices >= 0).any(axis=1)][-1:]
    root, bass = _CONSONANT_ROOT[_pitch_class_sets(sounding)], _bass(sounding) % 12
    return np.sum((root == piece.tonic) & (bass == piece.tonic)), 1


def _fermata_cadences(piece):
    if piece.key_method == "unknown":
        return 0, 0
    bass = _bass(piece.voices)
    closes = [_closes(bass[: step + 1], piece.tonic) for step in np.flatnonzero(piece.fermatas)]
    return sum(closes), len(closes)


def _closes(bass, tonic):
    """Whether the bass falls a fifth into its last note, or steps to the tonic."""
    here = bass[-1] % 12
    before = bass[(bass >= 0) & (bass % 12 != here)][-1:]
    if bass[-1] < 0 or not len(before):
        return False
    move = (here - before[0]) % 12
    return move == 12 - FIFTH or (here == tonic and move in (1, 2, 10, 11))


def _falling_fifths(piece):
    pitches = piece.voices[piece.onsets[:, -1], -1].astype(int)
    moves = np.diff(pitches) % 12
    falls, rises = np.sum(moves == 12 - FIFTH), np.sum(moves == FIFTH)
    return falls, falls + rises
