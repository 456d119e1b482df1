"""Pitch tracking against tones of known pitch, and melodies from it."""

import numpy as np
import pytest

from musiclab.data.encodings.pitch_tracking import (
    melody_from_pitch,
    normalised_difference,
    track_pitch,
)

RATE = 16_000


def hum(frequencies, seconds=0.5):
    f = np.repeat(np.asarray(frequencies, float), int(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(f) / RATE
    return np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.3 * np.sin(3 * phase)


def test_normalised_difference_by_its_definition():
    """Eq. (18.11) against loops over lags."""
    x, lags = np.random.default_rng(0).normal(size=(2, 30)), 8
    found = normalised_difference(x, lags)
    for row, got in zip(x, found):
        d = [sum((row[n] - row[n + tau]) ** 2 for n in range(22)) for tau in range(lags)]
        wanted = [1] + [d[tau] * tau / sum(d[1 : tau + 1]) for tau in range(1, lags)]
        np.testing.assert_allclose(got, wanted, atol=1e-9)


@pytest.mark.parametrize("frequency", [82.4, 196.0, 440.0, 880.0])
def test_a_tone_has_its_pitch(frequency):
    found = track_pitch(hum([frequency]), RATE)[4:-4]
    assert np.abs(1200 * np.log2(found / frequency)).max() < 10


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(1).normal(size=RATE)
    assert np.isfinite(track_pitch(noise, RATE)).mean() < 0.05
    assert not np.isfinite(track_pitch(np.zeros(RATE), RATE)).any()


@pytest.mark.parametrize("tuning", [1.0, 1.02, 0.985])
def test_a_melody_comes_back_in_the_singers_tuning(tuning):
    keys = np.array([60, 62, 64, 62, 60])
    x = hum(tuning * 440 * 2 ** ((keys - 69) / 12))
    piece = melody_from_pitch(track_pitch(x, RATE), 256 / RATE, bpm=120)
    np.testing.assert_array_equal(piece.voices[:, 0], np.repeat(keys, 4))
    np.testing.assert_array_equal(np.flatnonzero(piece.onsets[:, 0]), [0, 4, 8, 12, 16])


def test_a_short_break_strikes_the_note_again():
    x = hum([261.6, 261.6])
    x[7000:8000] = 0
    piece = melody_from_pitch(track_pitch(x, RATE), 256 / RATE, bpm=120)
    assert piece.onsets[:, 0].sum() == 2
    np.testing.assert_array_equal(piece.voices[:, 0], [60] * 8)


def test_no_pitch_is_said_in_words():
    with pytest.raises(ValueError, match="no pitch was found"):
        melody_from_pitch(np.full(10, np.nan), 0.016)
    with pytest.raises(ValueError, match="held for a 16th"):
        melody_from_pitch(np.array([440.0, np.nan, 330.0]), 0.016)
