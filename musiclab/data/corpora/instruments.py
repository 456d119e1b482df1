"""Notes of invented instruments, made by additive synthesis: a corpus of timbres without a download.

Six families differ in attack, decay and spectrum as organ, flute, reed, brass, bowed and plucked
instruments do; the instruments of a family differ by random numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from musiclab.data.encodings import note_sound

__all__ = ["FAMILIES", "KEYS", "Instrument", "Notes", "instruments", "note", "notes"]

KEYS = np.arange(48, 73)  # C3 to C5
LOUDNESS = 0.1  # root mean square of a note
_TIMES = np.geomspace(0.004, 1.004, 96) - 0.004  # s: dense where attacks are


class Family(NamedTuple):
    """Ranges from which an instrument's numbers are drawn."""

    slope: tuple  # dB that the spectrum falls per octave
    even: tuple  # dB by which even harmonics are weaker
    attack: tuple  # s until the note has risen
    decay: tuple  # s in which a note falls by 60 dB; 99 holds
    damping: tuple  # how much faster high harmonics decay, or later they rise
    formant: tuple  # dB of a resonance
    vibrato: tuple  # cents
    breath: tuple  # noise, as a share of the tone


FAMILIES = {
    "organ": Family((3, 7), (-2, 8), (0.01, 0.04), (99, 99), (0, 0), (0, 0), (0, 0), (0, 0)),
    "flute": Family(
        (11, 17), (0, 5), (0.06, 0.14), (99, 99), (0, 0.3), (0, 4), (5, 25), (0.02, 0.06)
    ),
    "reed": Family((4, 8), (10, 30), (0.03, 0.07), (99, 99), (0, 0.3), (3, 9), (0, 10), (0, 0.01)),
    "brass": Family(
        (5, 9), (0, 2), (0.05, 0.12), (99, 99), (0.8, 1.6), (4, 10), (0, 10), (0, 0.01)
    ),
    "bowed": Family(
        (5, 8), (-1, 3), (0.08, 0.2), (99, 99), (0.2, 0.6), (6, 14), (10, 30), (0, 0.02)
    ),
    "plucked": Family(
        (4, 9), (-2, 6), (0.002, 0.006), (0.8, 3), (0.3, 1.2), (0, 6), (0, 0), (0, 0)
    ),
}


class Instrument(NamedTuple):
    """One instrument: its family and the numbers that make its sound."""

    family: str
    slope: float
    even: float
    attack: float
    decay: float
    damping: float
    formant: float
    vibrato: float
    breath: float
    peak: float  # Hz, where the resonance is


class Notes(NamedTuple):
    """Notes of many instruments, one row each."""

    sound: np.ndarray  # float32 (n, LENGTH) at 8 kHz
    instrument: np.ndarray  # int (n,), index into instruments()
    key: np.ndarray  # int (n,), MIDI pitch


def instruments(per_family: int = 8, seed: int = 18) -> list[Instrument]:
    """Draw instruments: the first ``per_family`` are organs, then flutes, and so on.

    >>> [one.family for one in instruments(1)]
    ['organ', 'flute', 'reed', 'brass', 'bowed', 'plucked']
    """
    rng = np.random.default_rng(seed)
    found = []
    for family, ranges in FAMILIES.items():
        for _ in range(per_family):
            numbers = [rng.uniform(low, high) for low, high in ranges]
            found.append(Instrument(family, *numbers, peak=rng.uniform(400, 1800)))
    return found


def note(instrument: Instrument, key: int, seed: int = 0) -> np.ndarray:
    """One second of an instrument's note: float32 (LENGTH,) at 8 kHz, all equally loud.

    >>> note(instruments(1)[0], 60).shape
    (8000,)
    """
    rng = np.random.default_rng((seed, key))
    k = np.arange(1, note_sound.HARMONICS + 1)
    f = float(note_sound.key_to_hz(key))
    level = -instrument.slope * np.log2(k) - instrument.even * (k % 2 == 0)
    level += instrument.formant * np.exp(-(np.log2(k * f / instrument.peak) ** 2) / 0.5)
    level += rng.normal(0, 1.0, len(k))
    t = _TIMES[:, None]  # (T, 1)
    rise = 1 - np.exp(-3 * t / (instrument.attack * (1 + instrument.damping * np.log2(k))))
    fall = 10 ** (-3 * t / instrument.decay * (1 + instrument.damping * (k - 1) / 3))
    if instrument.decay > 10:
        fall = np.ones_like(fall)
    times = np.arange(note_sound.LENGTH) / note_sound.RATE
    sway = instrument.vibrato * np.minimum(times / 0.4, 1) * np.sin(2 * np.pi * 5.5 * times)
    tone = note_sound.additive(
        10 ** (level / 20) * rise * fall, f * 2 ** (sway / 1200), times=_TIMES, seed=int(key)
    )
    breath = instrument.breath * np.sqrt(np.mean(tone**2)) * rng.standard_normal(len(tone))
    tone += breath * np.minimum(times / 0.03, 1)
    tone[-160:] *= np.linspace(1, 0, 160)  # 20 ms, against a click
    return (tone * LOUDNESS / np.sqrt(np.mean(tone**2))).astype(np.float32)


def notes(per_family: int = 8, keys=KEYS, seed: int = 18) -> Notes:
    """Every key of every instrument.

    Args:
      per_family: instruments in a family. keys: MIDI pitches. seed: of the instruments.

    Returns:
      ``6 * per_family * len(keys)`` notes, by instrument, then by key.

    >>> notes(1, keys=[60, 64]).sound.shape
    (12, 8000)
    """
    bank = instruments(per_family, seed)
    pairs = [(i, int(key)) for i in range(len(bank)) for key in keys]
    sound = np.stack([note(bank[i], key, seed=i) for i, key in pairs])
    index, key = np.array(pairs).T
    return Notes(sound, index, key)
