"""A reader's own melody, made ready for four voices: one voice, in range, of a known signature, with a last fermata."""

from __future__ import annotations

import numpy as np

from musiclab.data.corpora.keys import melody_key, outside_signature
from musiclab.data.encodings.transposition import spell, transpose
from musiclab.data.piece import REST, Piece

__all__ = ["MelodyError", "own_melody"]

LOWEST, HIGHEST = 60, 81  # a soprano, from C4 to A5
LONGEST = 64  # bars
DOUBTED = 0.1  # of the sounding time, by how much more a file's signature may miss than the best
_FIFTHS = [letter + sign for sign in (" flat", "", " sharp") for letter in "FCGDAEB"]


class MelodyError(ValueError):
    """A melody that can't be harmonised as it is; the message says why and what to change."""


def own_melody(piece: Piece) -> tuple[Piece, str]:
    """Make a melody ready to be harmonised, whatever its key and range.

    The key signature is that of the key that fits best (:func:`musiclab.data.melody_key`), unless
    the piece has one of its own. A file's is checked: "C major" is what many programs write into a
    file without asking, so it is not trusted; another one is, unless over 10 % more of the melody
    lies outside it than outside the best. A piece with ``key_method="given"`` keeps its signature
    in any case. The melody is moved by octaves into a soprano's range. Without fermatas its last
    note gets one.

    Args:
      piece: a melody: one voice, or several of which only the first sounds.

    Returns:
      The melody as a piece of one voice, and what was read, decided and changed, in sentences;
      empty if there was nothing to decide or to change.

    Raises:
      MelodyError: if nothing sounds, several notes sound at once, it spans more than a soprano can
        sing, or it is too long; the message says where and what to do.

    >>> melody, said = own_melody(Piece([[50]] * 4 + [[54]] * 4 + [[57]] * 4 + [[50]] * 4))
    >>> melody.voices[::4, 0].tolist(), melody.key_signature
    ([62, 66, 69, 62], 2)
    >>> said
    'An octave up, into the range of a soprano. D major fits the notes best: 2 sharps. A fermata on the last note.'
    """
    sounding = piece.voices != REST
    if not sounding.any():
        raise MelodyError("the melody is empty: draw or play at least one note")
    together = np.flatnonzero(sounding.sum(axis=1) > 1)
    if len(together):
        step = int(together[0])
        raise MelodyError(
            f"{sounding[step].sum()} notes sound at once on quarter {step // 4 + 1}: a melody has one "
            "note at a time; take one voice of it, such as musiclab.data.top_voice(piece)"
        )
    bar = max(int(np.diff(np.flatnonzero(piece.downbeats)).max(initial=0)), 1)
    if piece.steps > LONGEST * max(bar, 16):
        raise MelodyError(
            f"the melody is {piece.steps / 16:.0f} bars long: cut it to at most {LONGEST}"
        )
    voice = sounding.any(axis=0).argmax() if sounding.any(axis=0).sum() == 1 else None
    voices = piece.voices.max(axis=1) if voice is None else piece.voices[:, voice]
    onsets = piece.onsets.any(axis=1) if voice is None else piece.onsets[:, voice]
    melody = piece.with_(voices=voices[:, None], onsets=onsets[:, None], spelling=None)
    low, high = int(voices[voices != REST].min()), int(voices.max())
    if high - low > HIGHEST - LOWEST:
        raise MelodyError(
            f"the melody spans {high - low} semitones: a soprano sings at most {HIGHEST - LOWEST}; "
            "move its lowest or highest notes by an octave"
        )
    octaves, said = _octaves(low, high), []
    if octaves:
        count = {1: "An octave", 2: "Two octaves"}.get(abs(octaves), f"{abs(octaves)} octaves")
        said.append(f"{count} {'up' if octaves > 0 else 'down'}, into the range of a soprano.")
        melody = transpose(melody, 12 * octaves)
    melody, words = _signature(melody)
    said += words
    if not melody.fermatas.any():
        fermatas = np.zeros(melody.steps, bool)
        fermatas[np.flatnonzero(melody.onsets[:, 0])[-1]] = True
        melody = melody.with_(fermatas=fermatas)
        said.append("A fermata on the last note.")
    return melody.with_(spelling=spell(melody.voices, melody.key_signature)), " ".join(said)


def _signature(melody):
    """The melody with the signature that is decided on, and sentences that say why."""
    from_file = melody.key_method in ("file", "signature")
    if not from_file and (melody.key_method != "unknown" or melody.key_signature):
        return melody, []
    tonic, mode, best = melody_key(melody)
    found = melody.with_(key_signature=best, tonic=tonic, mode=mode, key_method="profile")
    fits = f"{_FIFTHS[best + 8 + 3 * (mode == 'minor')]} {mode} fits the notes best"
    if not from_file:
        return found, [f"{fits}: {_accidentals(best)}."]
    own = melody.key_signature
    said = f"The file's key signature has {_accidentals(own)}"
    outside, at_best = (outside_signature(melody, one) for one in (own, best))
    default = own == 0 and melody.mode == "major"
    if default and best == 0:
        return found, [f"{said}, and {fits}: kept."]
    if not default and outside <= at_best + DOUBTED:
        return melody, [f"{said}: kept."]
    why = "as many programs write without asking" if default else "and does not fit"
    missed = f"; {outside:.0%} of the melody lies outside it" if outside else ""
    return found, [f"{said}, {why}{missed}. {fits}: {_accidentals(best)}."]


def _accidentals(signature):
    """A key signature in words.

    >>> _accidentals(-1)
    '1 flat'
    """
    if not signature:
        return "no sharps or flats"
    count = abs(signature)
    return f"{count} {'sharp' if signature > 0 else 'flat'}{'s' * (count > 1)}"


def _octaves(low, high):
    """By how many octaves a range is moved to lie in the soprano's, as few as will do.

    A range that fits nowhere by octaves, wider than nine semitones, is moved as near as it comes.
    """

    def beyond(octaves):
        up, down = high + 12 * octaves - HIGHEST, LOWEST - low - 12 * octaves
        return max(up, 0) + max(down, 0), abs(octaves)

    return min(range(-6, 7), key=beyond)
