"""Sound to notes: how loud each key is in each frame (non-negative factorisation), and where notes begin."""

from __future__ import annotations

import itertools

import numpy as np

from musiclab.data.encodings.note_sound import key_to_hz
from musiclab.data.encodings.spectrogram import stft
from musiclab.data.piece import REST, STEPS_PER_QUARTER, Piece

__all__ = ["key_weights", "spectral_flux", "templates", "transcribe", "true_notes"]

LOW, HIGH = 36, 84  # MIDI pitches, C2 to B5
LONG, SHORT, HOP = 4096, 1024, 256  # samples: frames for pitch, frames for onsets
HIGHEST = 4000  # Hz used
SMALLEST = 1e-9


def templates(size: int, rate: float, partials: int = 12) -> np.ndarray:
    """Spectrum of each key: harmonics that fall as 1 / k, as wide as the window makes them.

    Returns:
      float (HIGH - LOW, bins), for the bins below HIGHEST; each row sums to 1.
    """
    bins = np.fft.rfftfreq(size, 1 / rate)
    bins = bins[bins < HIGHEST]
    found = np.zeros((HIGH - LOW, len(bins)))
    for row, f in zip(found, key_to_hz(np.arange(LOW, HIGH))):
        for k in range(1, partials + 1):
            off = (bins - k * f) * size / rate  # in bins
            lobe = np.abs(np.sinc(off) / (1 - off**2 + SMALLEST))  # of the Hann window
            row += np.where(np.abs(off) < 2, lobe, 0) / k
    return found / found.sum(axis=1, keepdims=True)


def key_weights(magnitude, rows, iterations: int = 40) -> np.ndarray:
    """Non-negative weights W with W B near the magnitudes V, in the Kullback-Leibler divergence.

    Equation: (18.9)
    Source: Lee and Seung, "Algorithms for non-negative matrix factorization", 2001.

    Args:
      magnitude: V (M, bins). rows: B (keys, bins), each row sums to 1. iterations: number of updates.

    Returns:
      W, float (M, keys), 0 or more.
    """
    V = np.asarray(magnitude, float) + SMALLEST
    W = np.repeat(V.sum(axis=1, keepdims=True), len(rows), axis=1) / len(rows)
    for _ in range(iterations):
        W = W * ((V / (W @ rows + SMALLEST)) @ rows.T)  # Eq. (18.9)
    return W


def spectral_flux(levels) -> np.ndarray:
    """Rise of a spectrogram from the frame before to the frame after, falls counted as 0.

    Equation: (18.10)

    Args:
      levels: (M, bins), logarithms of magnitudes.

    Returns:
      float (M,), 0 in the first and last frame.

    >>> spectral_flux(np.array([[0.0, 1], [0, 1], [2, 0]])).tolist()
    [0.0, 2.0, 0.0]
    """
    rise = np.maximum(levels[2:] - levels[:-2], 0).sum(axis=1)  # Eq. (18.10)
    return np.pad(rise, 1)


def transcribe(x, rate: int, level=0.1, onset=0.15, again=0.35) -> np.ndarray:
    """Notes of a polyphonic sound with steady harmonics, such as the course's own organ.

    Args:
      x: samples (n,). rate: Hz.
      level: weight, as a share of the loudest key, from which a key counts as sounding.
      onset: flux, as a share of the highest, from which a frame is a boundary between notes.
      again: dip of a held key's level, as a share, from which it was struck again.

    Returns:
      float (notes, 3): start and stop in seconds, MIDI pitch; by start.
    """
    B = templates(LONG, rate)
    A = key_weights(np.abs(stft(x, LONG, HOP))[:, : B.shape[1]], B)
    levels = np.log1p(2.5 * np.abs(stft(x, SHORT, HOP)))
    flux = spectral_flux(levels)
    flux = flux / (np.percentile(flux, 99) + SMALLEST)
    peaks = [
        m
        for m in range(4, len(flux) - 2)
        if flux[m] > onset and flux[m] == flux[max(m - 4, 0) : m + 5].max()
    ]
    cuts = [0, *peaks, len(A)]
    usual, sounding, found = np.percentile(A.max(axis=1), 90), {}, []
    for a, b in itertools.pairwise(cuts):
        inset = min(4, (b - a) // 4)  # frames that hear the neighbours
        weight = np.median(A[a + inset : max(b - inset, a + inset + 1)], axis=0)
        keys = set(np.flatnonzero(weight > level * max(weight.max(), 0.3 * usual)).tolist())
        for key in set(sounding) - keys:
            found.append((sounding.pop(key), a, key))
        for key in keys:
            if key in sounding and _dip(levels, a, b, key, rate) > again:
                found.append((sounding.pop(key), a, key))
            sounding.setdefault(key, a)
    found += [(start, len(A), key) for key, start in sounding.items()]
    rows = [(a * HOP / rate, b * HOP / rate, LOW + key) for a, b, key in sorted(found)]
    return np.array([row for row in rows if row[1] - row[0] > 0.06]).reshape(-1, 3)


def true_notes(piece: Piece, bpm: float = 80) -> np.ndarray:
    """Notes of a piece, as a perfect transcription would find them.

    Args:
      piece: any piece. bpm: quarter notes per minute.

    Returns:
      float (notes, 3): start and stop in seconds, MIDI pitch; by start. Voices that strike and
      leave the same note together count once.

    >>> true_notes(Piece([[60, 60], [60, 64], [-1, 64], [62, 64]]), bpm=60).tolist()
    [[0.0, 0.25, 60.0], [0.0, 0.5, 60.0], [0.25, 1.0, 64.0], [0.75, 1.0, 62.0]]
    """
    step, found = 60 / bpm / STEPS_PER_QUARTER, set()
    for voice, struck in zip(piece.voices.T, piece.onsets.T):
        edges = np.flatnonzero(struck | (np.diff(voice, prepend=REST - 1) != 0))
        for a, b in itertools.pairwise([*edges, len(voice)]):
            if voice[a] != REST:
                found.add((a * step, b * step, int(voice[a])))
    return np.array(sorted(found), float).reshape(-1, 3)


def _dip(levels, a, b, key, rate):
    """How far the level of a key's first harmonics falls at frame a, as a share of its usual level."""
    bins = np.round(np.arange(1, 4) * key_to_hz(LOW + key) * SHORT / rate).astype(int)
    near = levels[max(a - 6, 0) : a + 7][:, bins].sum(axis=1)
    if len(near) < 9:
        return 0.0
    return 1 - near[3:9].min() / max(np.median(levels[a:b][:, bins].sum(axis=1)), SMALLEST)
