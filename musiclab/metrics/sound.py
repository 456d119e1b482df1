"""Measures of sound: transcribed notes against true ones, generated notes against real ones."""

from __future__ import annotations

import itertools

import numpy as np

from musiclab.data.encodings.note_sound import FLOOR, LENGTH, RATE, key_to_hz, log_spectrum
from musiclab.data.encodings.pitch_tracking import track_pitch

__all__ = ["diversity", "embed_notes", "frechet_distance", "note_scores", "pitch_accuracy"]

_EDGES = np.unique(np.round(np.geomspace(4, 256, 25)).astype(int))  # bins of bands, about a third


def note_scores(reference, found, tolerance: float = 0.05) -> dict:
    """Precision, recall and F1 of notes; right is the same key with an onset within the tolerance.

    The conventions of mir_eval without offsets: each note is matched at most once, and as many as
    possible are.

    Args:
      reference, found: (n, 3), start and stop in seconds, MIDI pitch. tolerance: in seconds.

    Returns:
      "precision", "recall" and "f1", each 0 to 1; 0 where there is nothing to match.

    >>> note_scores([[0, 1, 60], [1, 2, 62]], [[0.02, 1, 60]])
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666}
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    a, b = np.reshape(reference, (-1, 3)), np.reshape(found, (-1, 3))
    if not len(a) or not len(b):
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    near = np.abs(a[:, None, 0] - b[None, :, 0]) <= tolerance + 1e-9
    same = np.abs(a[:, None, 2] - b[None, :, 2]) <= 0.5
    hits = int((maximum_bipartite_matching(csr_array(near & same)) >= 0).sum())
    f1 = 2 * hits / (len(a) + len(b))
    return {"precision": hits / len(b), "recall": hits / len(a), "f1": f1}


def pitch_accuracy(sounds, keys, cents: float = 50) -> float:
    """Share of notes whose pitch, from 0.15 to 0.65 s, is within ``cents`` of the wanted key.

    Args:
      sounds: (n, LENGTH) at 8 kHz. keys: MIDI pitches (n,).
    """
    right = 0
    for x, key in zip(sounds, keys):
        part = np.asarray(x)[int(0.15 * RATE) : int(0.65 * RATE)]
        pitch = track_pitch(part, RATE, hop=400, low=100, high=800, threshold=0.3)
        if np.isfinite(pitch).any():
            right += abs(1200 * np.log2(np.nanmedian(pitch) / key_to_hz(key))) < cents
    return right / len(keys)


def embed_notes(sounds) -> np.ndarray:
    """Levels of about twenty bands at attack, middle and end of a note: float (n, 3 * bands), dB.

    Args:
      sounds: (n, LENGTH) at 8 kHz; each is brought to the same loudness first.
    """
    rows = []
    for x in np.asarray(sounds, float).reshape(-1, LENGTH):
        power = 10 ** (log_spectrum(x * 0.1 / (np.sqrt(np.mean(x**2)) + 1e-9)) / 10)
        bands = np.stack(
            [power[:, a:b].mean(axis=1) for a, b in itertools.pairwise(_EDGES)], axis=1
        )
        bands = np.maximum(10 * np.log10(bands), FLOOR)
        parts = bands[:2], bands[2:8], bands[8:15]
        rows.append(np.concatenate([part.mean(axis=0) for part in parts]))
    return np.array(rows)


def frechet_distance(a, b) -> float:
    """Fréchet distance of two sets of embeddings, as of Gaussians: 0 for equal means and covariances.

    Equation: (18.12)

    Args:
      a, b: float (n, d) and (m, d).

    Returns:
      The distance, in squared units of the embedding.
    """
    from scipy.linalg import sqrtm

    mean_a, mean_b = np.mean(a, axis=0), np.mean(b, axis=0)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    mixed = np.real(sqrtm(cov_a @ cov_b))
    gap = np.sum((mean_a - mean_b) ** 2)
    return float(gap + np.trace(cov_a + cov_b - 2 * mixed))  # Eq. (18.12)


def diversity(embedded) -> float:
    """Mean distance between two notes of a set, in dB per band."""
    e = np.asarray(embedded)
    apart = np.sqrt(((e[:, None] - e[None]) ** 2).mean(axis=-1))
    return float(apart[np.triu_indices(len(e), 1)].mean())
