"""Short-time Fourier transform (STFT), its exact inverse, mel bands and Griffin-Lim: sound to numbers and back."""

from __future__ import annotations

import numpy as np

__all__ = [
    "alias",
    "check_samples",
    "decibels",
    "from_mel",
    "griffin_lim",
    "hann",
    "hz_to_mel",
    "inverse_stft",
    "mel_filters",
    "mel_to_hz",
    "spectral_convergence",
    "stft",
]

SMALLEST = 1e-12


def alias(frequency, rate: float):
    """Frequency at which a sampled tone is heard: the one below half the rate with the same samples.

    Equation: (18.1)

    Args:
      frequency: in Hz, 0 or more; a number or an array.
      rate: samples per second.

    Returns:
      The frequency in Hz, from 0 to ``rate / 2``, of the same shape.

    >>> float(alias(5000, rate=8000)), float(alias(3000, rate=8000))
    (3000.0, 3000.0)
    """
    frequency = np.asarray(frequency, float)
    return np.abs(frequency - rate * np.round(frequency / rate))  # Eq. (18.1)


def hann(size: int) -> np.ndarray:
    """Periodic Hann window, float64 (size,): shifted by half its length and added, it gives 1.

    >>> hann(4)
    array([0. , 0.5, 1. , 0.5])
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def stft(x, size: int = 1024, hop: int = 256) -> np.ndarray:
    """Short-time Fourier transform: the spectrum of one windowed frame every ``hop`` samples.

    Frame m is centred on sample m H; zeros stand before the first sample and after the last.

    Equation: (18.3)

    Args:
      x: samples, float (n,), n at least 1.
      size: N, samples in a frame; even. hop: H, samples from frame to frame; divides N at least
        twice.

    Returns:
      Complex (M, N / 2 + 1), M = 1 + ceil(n / H); complex64 for float32 samples.

    Raises:
      ValueError: if x is no finite sound of one channel, or H does not fit N.

    >>> stft(np.ones(8), size=4, hop=2).shape
    (5, 3)
    """
    x = check_samples(x)
    _check_sizes(size, hop)
    frames = 1 + -(-len(x) // hop)
    padded = np.zeros((frames - 1) * hop + size, x.dtype)
    padded[size // 2 : size // 2 + len(x)] = x
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]  # (M, N)
    return np.fft.rfft(cut * hann(size).astype(x.dtype))  # Eq. (18.3)


def inverse_stft(spectrum, length: int, hop: int = 256) -> np.ndarray:
    """Samples from an STFT by weighted overlap-add: the least-squares inverse, exact for any STFT.

    Equation: (18.4)
    Source: Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984.

    Args:
      spectrum: complex (M, N / 2 + 1). length: n, samples to return. hop: H of :func:`stft`.

    Returns:
      Samples, float (n,). Of all sounds, the one whose STFT is nearest to ``spectrum`` in the mean
      square.

    Raises:
      ValueError: if M is not the number of frames of n samples.

    >>> x = np.arange(8.0)
    >>> bool(np.allclose(inverse_stft(stft(x, size=4, hop=2), 8, hop=2), x))
    True
    """
    spectrum = np.asarray(spectrum)
    size = 2 * (spectrum.shape[-1] - 1)
    _check_sizes(size, hop)
    if spectrum.ndim != 2 or len(spectrum) != 1 + -(-length // hop):
        raise ValueError(
            f"a spectrum of shape {spectrum.shape}: {length} samples with hop {hop} have "
            f"{1 + -(-length // hop)} frames"
        )
    frames = np.fft.irfft(spectrum, size)  # (M, N)
    window = hann(size).astype(frames.dtype)
    total = _overlap_add(frames * window, hop)
    weight = _overlap_add(np.tile(window**2, (len(frames), 1)), hop)
    kept = slice(size // 2, size // 2 + length)
    return total[kept] / weight[kept]  # Eq. (18.4)


def hz_to_mel(frequency):
    """Frequency in Hz to mel, a scale of perceived pitch (O'Shaughnessy 1987).

    Equation: (18.5)

    >>> round(float(hz_to_mel(700)), 1)
    781.2
    """
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)  # Eq. (18.5)


def mel_to_hz(mel):
    """Mel to frequency in Hz: the inverse of :func:`hz_to_mel`."""
    return 700 * (10 ** (np.asarray(mel) / 2595) - 1)


def mel_filters(bands: int, size: int, rate: float, low: float = 30.0) -> np.ndarray:
    """Triangular filters, equally wide in mel, from ``low`` Hz to half the rate.

    Args:
      bands: number of filters. size: N of the STFT. rate: samples per second. low: in Hz.

    Returns:
      Weights (bands, N / 2 + 1), at most 1; magnitudes (M, N / 2 + 1) times its transpose are mel
      bands. A band narrower than a bin can be empty.

    >>> mel_filters(40, size=1024, rate=16000).shape
    (40, 513)
    """
    edges = mel_to_hz(np.linspace(hz_to_mel(low), hz_to_mel(rate / 2), bands + 2))[:, None]
    bins = np.fft.rfftfreq(size, 1 / rate)
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rise, fall))


def from_mel(mel, filters, iterations: int = 60) -> np.ndarray:
    """Non-negative magnitudes whose mel bands come near to ``mel``: what the bands still know.

    Multiplicative updates of Lee and Seung for the squared error (2001).

    Args:
      mel: (M, bands), 0 or more. filters: of :func:`mel_filters`. iterations: number of updates.

    Returns:
      Magnitudes (M, N / 2 + 1).
    """
    magnitude = np.full((len(mel), filters.shape[1]), np.mean(mel) + SMALLEST)
    gram, target = filters.T @ filters, mel @ filters
    for _ in range(iterations):
        magnitude *= target / (magnitude @ gram + SMALLEST)
    return magnitude


def griffin_lim(
    magnitude,
    length: int,
    hop: int = 256,
    iterations: int = 32,
    momentum: float = 0.99,
    seed: int = 0,
) -> np.ndarray:
    """Samples whose STFT has nearly the given magnitudes, from random phases.

    Equation: (18.6)
    Source: Griffin and Lim 1984; with momentum, Perraudin, Balazs and Sondergaard, "A fast
      Griffin-Lim algorithm", 2013.

    Args:
      magnitude: (M, N / 2 + 1), 0 or more. length: n, samples. hop: H.
      iterations: at least 1. momentum: alpha; 0 is the plain algorithm. seed: of the phases.

    Returns:
      Samples, float (n,).

    Raises:
      ValueError: if a magnitude is negative or not finite, or M does not fit n.
    """
    magnitude = np.asarray(magnitude)
    if not np.isfinite(magnitude).all() or (magnitude < 0).any():
        raise ValueError("magnitudes are finite and at least 0: take np.abs of the STFT")
    size = 2 * (magnitude.shape[1] - 1)
    angle = 2 * np.pi * np.random.default_rng(seed).random(magnitude.shape)
    target = magnitude * np.exp(1j * angle)
    before = None
    for _ in range(iterations):
        projected = stft(inverse_stft(target, length, hop), size, hop)  # of a real sound
        ahead = projected if before is None else projected + momentum * (projected - before)
        target = magnitude * ahead / np.maximum(np.abs(ahead), SMALLEST)  # Eq. (18.6)
        before = projected
    return inverse_stft(target, length, hop)


def spectral_convergence(magnitude, x, hop: int = 256) -> float:
    """Distance of a sound's magnitudes from the wanted ones, in dB relative to their size.

    Equation: (18.7)

    Args:
      magnitude: (M, N / 2 + 1), wanted, not all 0. x: samples (n,). hop: H.

    Returns:
      20 log10 of the relative error: 0 dB where it is as large as the magnitudes, -20 dB for a
      tenth.
    """
    found = np.abs(stft(x, 2 * (magnitude.shape[1] - 1), hop))
    error = np.linalg.norm(found - magnitude) / np.linalg.norm(magnitude)
    return float(20 * np.log10(error + SMALLEST))  # Eq. (18.7)


def decibels(amplitude, floor: float = -80.0):
    """Amplitudes in dB relative to 1, not below ``floor``.

    >>> decibels([1.0, 0.1, 0.0]).tolist()
    [0.0, -20.0, -80.0]
    """
    return np.maximum(20 * np.log10(np.maximum(np.abs(amplitude), SMALLEST)), floor)


def check_samples(x) -> np.ndarray:
    """Samples as a float array (n,): float32 stays, everything else becomes float64.

    Raises:
      ValueError: if there are none, more than one channel, or samples that are not finite.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "iuf" or x.ndim != 1 or not len(x):
        raise ValueError(
            f"samples have shape {x.shape} and type {x.dtype}: need one channel of numbers, (n,), "
            "n at least 1; mix stereo with x.mean(axis=1)"
        )
    x = x if x.dtype == np.float32 else x.astype(float)
    if not np.isfinite(x).all():
        bad = int(np.argmin(np.isfinite(x)))
        raise ValueError(f"sample {bad} is {x[bad]}: a sound has finite numbers only")
    return x


def _overlap_add(frames, hop):
    """Add frames (M, N), each ``hop`` samples after the one before: (n,)."""
    parts = frames.reshape(len(frames), -1, hop)  # (M, N / H, H)
    rows = np.zeros((len(frames) + parts.shape[1] - 1, hop), frames.dtype)
    for j in range(parts.shape[1]):
        rows[j : j + len(frames)] += parts[:, j]
    return rows.ravel()


def _check_sizes(size, hop):
    if not 1 <= hop <= size // 2 or size % hop or size % 2:
        raise ValueError(
            f"frames of {size} samples with hop {hop}: the hop divides an even frame at least "
            "twice, such as 1024 and 256; otherwise samples between the frames are lost"
        )
