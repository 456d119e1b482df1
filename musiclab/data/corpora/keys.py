"""The key of a piece: tonic and mode from the last bass note and the signature, or from its notes."""

from __future__ import annotations

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["find_key", "melody_key", "outside_signature", "profile_key"]

# How well each pitch class fits a key, tonic first: listeners' ratings from Krumhansl and Kessler,
# "Tracing the dynamic changes in perceived tonal organization", Psychological Review 89 (1982).
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
# Final of each mode as semitones above the major tonic that has the same signature. Phrygian
# chorales (final on the third degree) end on what sounds like a dominant: left to the profiles.
_FINALS = {0: "major", 9: "minor", 2: "minor", 7: "major"}
_SIGNATURES = {"major": 0, "minor": -3}  # of a key on C
_LAST_NOTE, _OUTSIDE = 0.2, 4.0  # of melody_key, chosen on the training chorales' sopranos


def find_key(piece: Piece) -> tuple[int, str, str]:
    """Tonic and mode, from the last bass note and the key signature, else from the notes' profile.

    Neither source is right alone: a key finder disagrees with the final bass in about one chorale
    of four, and a modal melody ends on a note that its signature does not name. So the answer says
    how it was found.

    Lesson: 01

    Args:
      piece: any piece with at least one note; ``key_signature`` is trusted.

    Returns:
      tonic 0-11, "major" or "minor", and the method: "final and signature" (they agree),
      "modal final" (Dorian counted as minor, Mixolydian as major), or "profile"
      (:func:`profile_key`).

    Raises:
      ValueError: if the piece is silent.

    >>> find_key(Piece([[60], [62], [67]], key_signature=1))
    (7, 'major', 'final and signature')
    """
    bass = piece.voices[:, -1]
    sounding = bass[bass != REST]
    if not sounding.size:
        return (*profile_key(piece), "profile")
    final = int(sounding[-1]) % 12
    above = (final - 7 * piece.key_signature) % 12
    if above not in _FINALS:
        return (*profile_key(piece), "profile")
    return final, _FINALS[above], "final and signature" if above in (0, 9) else "modal final"


def profile_key(piece: Piece) -> tuple[int, str]:
    """The key whose profile correlates best with how long each pitch class sounds.

    The Krumhansl-Schmuckler method: Pearson correlation over the twelve pitch classes.

    Lesson: 01

    Args:
      piece: any piece with at least one note.

    Returns:
      tonic 0-11 and "major" or "minor"; ties go to the lower tonic, major first.

    Raises:
      ValueError: if the piece is silent.

    >>> profile_key(Piece([[60], [64], [67], [65], [62], [71], [60]]))
    (0, 'major')
    """
    keys, fit, _ = _profile_fits(piece)
    return keys[int(np.argmax(fit))]


def melody_key(piece: Piece) -> tuple[int, str, int]:
    """Key and signature of a melody alone: its profile, the notes outside the scale, the last note.

    One voice has few notes, and the profile alone takes a dominant for a tonic: over the sopranos of
    the training chorales it names the printed signature in about two of three, this in about five of
    six. To the correlation of :func:`profile_key` are added 0.2 where the melody ends on the tonic,
    and -4 times the share of it that lies outside the signature's scale.

    Args:
      piece: a melody with at least one note; its own key and signature are not read.

    Returns:
      tonic 0-11, "major" or "minor", and the signature: sharps, or flats below 0, -6 to 5.

    Raises:
      ValueError: if the piece is silent.

    >>> melody_key(Piece([[67], [69], [71], [72], [74], [71], [67]]))
    (7, 'major', 1)
    """
    keys, fit, scale = _profile_fits(piece)
    last = int(piece.voices[piece.voices != REST][-1]) % 12
    signatures = [(7 * tonic + _SIGNATURES[mode] + 6) % 12 - 6 for tonic, mode in keys]
    outside = np.array([outside_signature(piece, signature) for signature in signatures])
    ends = np.array([tonic == last for tonic, _ in keys])
    best = int(np.argmax(fit / (scale or 1) + _LAST_NOTE * ends - _OUTSIDE * outside))
    return (*keys[best], signatures[best])


def outside_signature(piece: Piece, signature: int) -> float:
    """Share of the sounding time that lies outside the seven notes of a key signature, 0 to 1.

    >>> outside_signature(Piece([[66], [67], [69], [71]]), 0)
    0.25
    """
    sounding = piece.voices[piece.voices != REST].astype(int)
    fifths = (7 * (sounding - 5) - signature) % 12  # above the scale's first, F without signature
    return float(np.mean(fifths > 6))


def _profile_fits(piece):
    """The 24 keys, how a piece's pitch classes correlate with each one's profile, times a norm, and that norm."""
    sounding = piece.voices[piece.voices != REST]
    if not sounding.size:
        raise ValueError(f"{piece.name!r} is silent: there is no key to find")
    heard = np.bincount(sounding % 12, minlength=12)
    keys = [(tonic, mode) for tonic in range(12) for mode in _PROFILES]
    profiles = np.array([np.roll(_PROFILES[mode], tonic) for tonic, mode in keys])
    centred = profiles - profiles.mean(1, keepdims=True)
    deviation = heard - heard.mean()
    return keys, centred @ deviation / np.linalg.norm(centred, axis=1), np.linalg.norm(deviation)
