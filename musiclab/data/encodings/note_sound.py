"""One second of a single note as numbers: amplitudes of its harmonics, or a small spectrogram in dB; and back."""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.spectrogram import check_samples, decibels, griffin_lim, hann, stft

__all__ = [
    "BINS",
    "FLOOR",
    "FRAMES",
    "HARMONICS",
    "LENGTH",
    "RATE",
    "additive",
    "audible",
    "from_harmonics",
    "from_log_spectrum",
    "harmonics",
    "key_to_hz",
    "log_spectrum",
    "render",
]

RATE = 8000  # samples per second
LENGTH = 8000  # samples in a note
SIZE, HOP = 512, 128  # N and H of the STFT
PER_FRAME = 4  # STFT frames in a frame of the note
FRAMES = 16  # frames in a note, 64 ms each
HARMONICS = 24
BINS = SIZE // 2  # of a spectrum; the one at half the rate is left out
FLOOR = -80.0  # dB
_SINE = hann(SIZE).sum() / 2  # magnitude of a sine of amplitude 1 in its bin
_TIMES = (PER_FRAME * np.arange(FRAMES) + (PER_FRAME - 1) / 2) * HOP / RATE  # s, middles of frames


def key_to_hz(key):
    """MIDI pitch to frequency in Hz in equal temperament, A4 = 69 = 440 Hz.

    >>> float(key_to_hz(57))
    220.0
    """
    return 440 * 2 ** ((np.asarray(key) - 69) / 12)


def audible(key) -> np.ndarray:
    """Which harmonics of a key lie below half the sample rate: bool (..., HARMONICS).

    >>> int(audible(60).sum()), int(audible(72).sum())
    (14, 7)
    """
    orders = np.arange(1, HARMONICS + 1)
    return orders * key_to_hz(key)[..., None] < 0.47 * RATE


def additive(amplitudes, frequency, length=LENGTH, rate=RATE, times=None, seed=0) -> np.ndarray:
    """Sum of harmonics: sines at 1, 2, 3, ... times a frequency, each with its own amplitude.

    Harmonics at or above 0.47 of the rate are left out: sampled, they would return as wrong notes.

    Equation: (18.2)

    Args:
      amplitudes: a_k, (K,) or over time (T, K), linear.
      frequency: f in Hz, a number, or (length,) for a pitch that moves.
      length: samples. rate: samples per second.
      times: seconds at which the T rows stand, joined by straight lines; default: the frames of a
        note.
      seed: of the phase with which each harmonic starts; None: all start at 0.

    Returns:
      Samples, float (length,).

    >>> additive([0.0, 1.0], 1.0, length=4, rate=8, seed=None).round(3).tolist()
    [0.0, 1.0, 0.0, -1.0]
    """
    amplitudes = np.atleast_2d(amplitudes)
    orders = np.arange(1, amplitudes.shape[1] + 1)
    f = np.broadcast_to(np.asarray(frequency, float), length)
    phase = 2 * np.pi * np.concatenate([[0], np.cumsum(f[:-1])]) / rate
    start = np.zeros(len(orders))
    if seed is not None:
        start = 2 * np.pi * np.random.default_rng(seed).random(len(orders))
    y, turn, wave = np.zeros(length), np.exp(1j * phase), np.ones(length)
    rows = _between(np.arange(length) / rate, _TIMES if times is None else times, len(amplitudes))
    for k, phi in zip(orders, start):
        wave = wave * turn  # exp(i k phase)
        if k * f.max() < 0.47 * rate:
            a_k = rows(amplitudes[:, k - 1])
            y += a_k * (wave * np.exp(1j * phi)).imag  # Eq. (18.2)
    return y


def harmonics(x, key: int) -> np.ndarray:
    """Amplitudes of a note's harmonics over time, in dB, from its STFT.

    Args:
      x: samples (LENGTH,) at 8 kHz. key: MIDI pitch.

    Returns:
      Float32 (FRAMES, HARMONICS), FLOOR or more: the largest bin beside k f, as the amplitude of
      a sine. Harmonics above half the rate are at FLOOR.
    """
    power = _frames(x)  # (FRAMES, BINS)
    centre = np.arange(1, HARMONICS + 1) * key_to_hz(key) * SIZE / RATE
    found = np.full((FRAMES, HARMONICS), FLOOR, np.float32)
    for k in np.flatnonzero(audible(key)):
        near = round(centre[k])
        peak = np.sqrt(power[:, near - 1 : near + 2].max(axis=1))
        found[:, k] = decibels(peak / _SINE, FLOOR)
    return found


def from_harmonics(levels, key: int, length: int = LENGTH) -> np.ndarray:
    """Samples of a note from the levels of its harmonics: the way back of :func:`harmonics`.

    Args:
      levels: (FRAMES, HARMONICS) in dB. key: MIDI pitch. length: samples; after a second the last
        levels are held.

    Returns:
      Samples, float (length,); the last 20 ms fade out, against a click.

    >>> from_harmonics(np.full((FRAMES, HARMONICS), -20.0), key=60, length=4000).shape
    (4000,)
    """
    levels = np.asarray(levels, float)
    if levels.shape != (FRAMES, HARMONICS):
        raise ValueError(f"levels of shape {levels.shape}: need {(FRAMES, HARMONICS)}, in dB")
    amplitudes = np.where(levels > FLOOR + 1, 10 ** (levels / 20), 0)
    tone = additive(amplitudes, float(key_to_hz(key)), length)
    fade = min(RATE // 50, length)
    tone[length - fade :] *= np.linspace(1, 0, fade)
    return tone


def log_spectrum(x) -> np.ndarray:
    """A small spectrogram of a note in dB: float32 (FRAMES, BINS), 0 for a sine of amplitude 1."""
    return decibels(np.sqrt(_frames(x)) / _SINE, FLOOR).astype(np.float32)


def from_log_spectrum(spectrum, iterations: int = 32, seed: int = 0) -> np.ndarray:
    """Samples (LENGTH,) from a spectrogram (FRAMES, BINS) in dB, phases by fast Griffin-Lim."""
    spectrum = np.asarray(spectrum, float)
    if spectrum.shape != (FRAMES, BINS):
        raise ValueError(f"a note's spectrum has shape {spectrum.shape}: need {(FRAMES, BINS)}")
    frame_times = np.arange(1 + -(-LENGTH // HOP)) * HOP / RATE
    fine = _between(frame_times, _TIMES, FRAMES)(spectrum)  # (M, BINS)
    magnitude = np.where(fine > FLOOR + 1, _SINE * 10 ** (fine / 20), 0)
    magnitude = np.pad(magnitude, ((0, 0), (0, 1)))  # the bin at half the rate
    return griffin_lim(magnitude, LENGTH, HOP, iterations, seed=seed)


def render(notes, timbre) -> np.ndarray:
    """Notes played in one timbre: samples, float (n,), at 8 kHz.

    Args:
      notes: (n, 3), start and stop in seconds, MIDI pitch; at least one.
      timbre: levels in dB for each MIDI pitch, (128, FRAMES, HARMONICS).

    >>> render([(0, 0.5, 60), (0.5, 1, 64)], np.full((128, FRAMES, HARMONICS), -20.0)).shape
    (8000,)
    """
    notes = np.reshape(notes, (-1, 3))
    edges = np.round(notes[:, :2] * RATE).astype(int)
    sound = np.zeros(edges.max())
    for (start, stop), key in zip(edges, notes[:, 2].astype(int)):
        sound[start:stop] += from_harmonics(timbre[key], key, stop - start)
    return sound


def _frames(x):
    """Mean power of groups of PER_FRAME STFT frames: (FRAMES, BINS)."""
    x = check_samples(x)
    if len(x) != LENGTH:
        raise ValueError(f"{len(x)} samples: a note has {LENGTH}, one second at {RATE} Hz")
    power = np.abs(stft(x, SIZE, HOP)[: FRAMES * PER_FRAME, :BINS]) ** 2
    short = FRAMES * PER_FRAME - len(power)
    power = np.pad(power, ((0, short), (0, 0)), mode="edge")
    return power.reshape(FRAMES, PER_FRAME, BINS).mean(axis=1)


def _between(at, times, rows):
    """A function that puts values at ``times`` on straight lines and reads them at ``at``."""
    if rows == 1:
        return lambda values: np.broadcast_to(values[0], (len(at), *values.shape[1:]))
    times = np.asarray(times)
    i = np.clip(np.searchsorted(times, at) - 1, 0, rows - 2)
    share = np.clip((at - times[i]) / (times[i + 1] - times[i]), 0, 1)

    def read(values):
        part = share.reshape(-1, *[1] * (values.ndim - 1))
        return (1 - part) * values[i] + part * values[i + 1]

    return read
