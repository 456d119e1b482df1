"""Pitch of a voice over time (YIN), and the melody it sings."""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.spectrogram import check_samples
from musiclab.data.piece import REST, STEPS_PER_QUARTER, Piece

__all__ = ["melody_from_pitch", "normalised_difference", "track_pitch"]

LEAST_STEPS = 2 / 3  # of a 16th: shorter notes are glides


def normalised_difference(frames, lags: int) -> np.ndarray:
    """YIN's cumulative mean normalised difference: near 0 at lags of a whole period.

    Equation: (18.11)
    Source: de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and
      music", 2002.

    Args:
      frames: float (M, W + lags). lags: number of lags, 0 to ``lags`` - 1.

    Returns:
      float (M, lags), 1 at lag 0; the difference over W samples, divided by its mean over shorter
      lags.

    >>> normalised_difference(np.array([[0.0, 1, 0, -1] * 4]), 5).round(2).tolist()
    [[1.0, 1.0, 1.29, 0.79, 0.0]]
    """
    frames = np.asarray(frames, float)
    width = frames.shape[1] - lags
    size = 1 << int(frames.shape[1] + width).bit_length()
    head = np.fft.rfft(frames[:, :width], size)
    product = np.fft.irfft(np.conj(head) * np.fft.rfft(frames, size), size)[:, :lags]
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    moving = energy[:, width : width + lags] - energy[:, :lags]  # of W samples, at each lag
    d = np.maximum(moving[:, :1] + moving - 2 * product, 0)
    d[:, 0] = 0
    tau = np.arange(lags)
    found = d * tau / np.maximum(np.cumsum(d, axis=1), 1e-12)  # Eq. (18.11)
    found[:, 0] = 1
    return found


def track_pitch(
    x, rate: int, hop: int = 256, low: float = 70, high: float = 1000, threshold: float = 0.15
) -> np.ndarray:
    """Pitch of a single voice at every ``hop`` samples.

    Args:
      x: samples (n,). rate, hop: samples per second and per frame.
      low, high: Hz, the range in which to look.
      threshold: a frame without a lag below it has no pitch.

    Returns:
      Hz, float (M,), M = 1 + ceil(n / hop); NaN where there is no pitch.

    Raises:
      ValueError: as :func:`musiclab.data.encodings.spectrogram.check_samples`.
    """
    x = check_samples(x).astype(float)
    lags, first = int(rate / low) + 2, int(rate / high)
    total = 3 * lags  # of a frame: W is twice the longest period
    frames = 1 + -(-len(x) // hop)
    padded = np.zeros((frames - 1) * hop + total)
    padded[total // 2 : total // 2 + len(x)] = x
    cut = np.lib.stride_tricks.sliding_window_view(padded, total)[::hop]
    found = np.full(frames, np.nan)
    loud = np.sqrt(np.mean(cut**2, axis=1))
    for m in np.flatnonzero(loud > 0.02 * loud.max() + 1e-9):
        d = normalised_difference(cut[m : m + 1], lags)[0]
        below = np.flatnonzero(d[first:-1] < threshold)
        if not len(below):
            continue
        tau = first + below[0]
        while tau + 2 < lags and d[tau + 1] < d[tau]:  # down to the bottom of the dip
            tau += 1
        left, here, right = d[tau - 1 : tau + 2]
        bend = left - 2 * here + right
        shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
        found[m] = rate / (tau + shift)
    return found


def melody_from_pitch(pitch, frame_seconds: float, bpm: float = 80, name="hummed") -> Piece:
    """Round a pitch track to a melody on the grid of 16ths, in the singer's own tuning.

    Args:
      pitch: Hz (M,), NaN for none. frame_seconds: from frame to frame. bpm: quarters per minute
        that the singer had in mind.

    Returns:
      A piece of one voice, from the first note on. A note of the same pitch is struck again where
      the pitch was lost between.

    Raises:
      ValueError: if there is no pitch at all.
    """
    pitch = np.asarray(pitch, float)
    if not np.isfinite(pitch).any():
        raise ValueError("no pitch was found: hum one note at a time, near the microphone")
    keys = 69 + 12 * np.log2(pitch / 440)
    turns = np.exp(2j * np.pi * keys[np.isfinite(keys)])  # how far off the keys of the piano
    tuning = np.angle(turns.mean()) / (2 * np.pi)
    rounded = np.where(np.isfinite(keys), np.round(keys - tuning), REST)
    rounded = np.nan_to_num(rounded, nan=REST).astype(int)
    step = 60 / bpm / STEPS_PER_QUARTER / frame_seconds  # frames per 16th
    edges = np.flatnonzero(np.diff(rounded, prepend=REST - 1))
    runs = [(a, b, rounded[a]) for a, b in zip(edges, [*edges[1:], len(rounded)])]
    runs = [run for run in runs if run[1] - run[0] >= LEAST_STEPS * step and run[2] != REST]
    if not runs:
        raise ValueError("no note was held for a 16th: hum slower, or give a higher bpm")
    begin = runs[0][0]
    starts = [round((a - begin) / step) for a, _, _ in runs]
    stops = [max(round((b - begin) / step), s + 1) for (_, b, _), s in zip(runs, starts)]
    voices, onsets = np.full(stops[-1], REST), np.zeros(stops[-1], bool)
    for (_, _, key), a, b in zip(runs, starts, stops):
        voices[a:b], onsets[a] = key, True
    gap = np.flatnonzero(voices == REST)  # breaths shorter than an 8th join the note before
    for s in gap:
        if s and not np.all(voices[s : s + 2] == REST) and voices[s - 1] != REST:
            voices[s] = voices[s - 1]
    return Piece(voices[:, None], onsets[:, None], name=name)
