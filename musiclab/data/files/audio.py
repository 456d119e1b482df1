"""Read a sound file: one channel, one rate, bounded length; what was changed is said in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Sound", "read_sound", "resample"]

RATES = (4_000, 384_000)  # Hz
MOST_CHANNELS = 8
CLIPPED = 0.999  # of full scale
SILENT = 1e-4  # -80 dB


class Sound(NamedTuple):
    """Samples of one channel, their rate, and what was changed in reading them."""

    samples: np.ndarray  # float32 (n,), -1 to 1
    rate: int  # Hz
    changes: tuple[str, ...]


def read_sound(path, rate: int = 16_000, seconds: float = 60) -> Sound:
    """Read WAV, FLAC, OGG or MP3 as one channel at one rate; at most ``seconds`` of it.

    Args:
      path: the file. rate: wanted, in Hz. seconds: the rest of a longer file is not read.

    Returns:
      The sound; ``changes`` names stereo, another rate, clipping and what was cut off.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if it is no sound, is silent, or holds samples that are not finite.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path.name} in {path.parent}")
    try:
        with soundfile.SoundFile(path) as file:
            own, channels = file.samplerate, file.channels
            if not RATES[0] <= own <= RATES[1] or channels > MOST_CHANNELS:
                raise ValueError(
                    f"{path.name} has {channels} channels at {own:,} Hz: need at most "
                    f"{MOST_CHANNELS}, and a rate of {RATES[0]:,} to {RATES[1]:,} Hz"
                )
            x = file.read(int(seconds * own) + 1, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{path.name} is no sound file that can be read: save it as WAV, FLAC, OGG or MP3"
        ) from error
    if not len(x):
        raise ValueError(f"{path.name} holds no samples: record again")
    if not np.isfinite(x).all():
        raise ValueError(f"{path.name} holds samples that are not numbers (NaN or infinite)")
    changes = []
    if len(x) > int(seconds * own):
        x = x[: int(seconds * own)]
        changes.append(f"longer than {seconds:g} s: only its beginning was read")
    clipped = np.mean(np.abs(x) >= CLIPPED)
    if clipped > 1e-3:
        changes.append(f"clipped: {clipped:.1%} of the samples are at full scale; record softer")
    mono = x.mean(axis=1)
    if channels > 1:
        changes.append(f"{channels} channels: their mean was taken")
    if np.abs(mono).max() < SILENT <= np.abs(x).max():  # channels that cancel each other
        mono = x[:, np.argmax(np.abs(x).max(axis=0))]
        changes[-1] = f"{channels} channels that cancel each other: the loudest was taken"
    if np.abs(mono).max() < SILENT:
        raise ValueError(f"{path.name} is silent: check the microphone and record again")
    if own != rate:
        mono = resample(mono, own, rate)
        changes.append(f"{own:,} Hz: resampled to {rate:,} Hz")
    return Sound(mono.astype(np.float32), rate, tuple(changes))


def resample(x, rate: int, to: int) -> np.ndarray:
    """Samples at another rate, with what lies above half of the new rate filtered out first.

    >>> resample(np.ones(441), 44_100, 16_000).shape
    (160,)
    """
    from scipy.signal import resample_poly

    ratio = Fraction(to, rate).limit_denominator(2000)
    return resample_poly(x, ratio.numerator, ratio.denominator)
