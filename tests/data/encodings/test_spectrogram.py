"""STFT, its inverse, mel and Griffin-Lim against SciPy, hand values and bad input."""

import numpy as np
import pytest
from scipy.signal import ShortTimeFFT, get_window

from musiclab.data.encodings.spectrogram import (
    alias,
    decibels,
    from_mel,
    griffin_lim,
    hann,
    hz_to_mel,
    inverse_stft,
    mel_filters,
    mel_to_hz,
    spectral_convergence,
    stft,
)

EIGHT = np.array([1.0, 2, 0, -1, 3, 1, -2, 1])


def tones(n=6000, rate=8000):
    t = np.arange(n) / rate
    return sum(np.sin(2 * np.pi * f * t) / k for k, f in enumerate((220, 440, 660, 275, 550), 1))


@pytest.mark.parametrize("frequency", [100.0, 3999, 4001, 5000, 8000, 8100, 11999, 12345])
def test_an_alias_has_the_same_samples(frequency):
    """Eq. (18.1) against its meaning: cosines of both frequencies agree at every sample."""
    heard = alias(frequency, 8000)
    n = np.arange(64)
    assert 0 <= heard <= 4000
    np.testing.assert_allclose(
        np.cos(2 * np.pi * heard * n / 8000), np.cos(2 * np.pi * frequency * n / 8000), atol=1e-9
    )


def test_stft_of_eight_samples_by_hand():
    """Eq. (18.3): frames of 4, hop 2; the second frame is 1, 2, 0, -1 times 0, 1/2, 1, 1/2."""
    found = stft(EIGHT, size=4, hop=2)
    assert found.shape == (5, 3)
    np.testing.assert_allclose(found[1], [1 - 0.5, -1.5j, -1 + 0.5], atol=1e-12)
    np.testing.assert_allclose(found[0], [1 + 1, -1 + 1j, 1 - 1], atol=1e-12)


@pytest.mark.parametrize(("size", "hop"), [(512, 128), (1024, 256), (64, 32), (64, 8)])
def test_stft_is_scipys(size, hop):
    x = np.random.default_rng(0).normal(size=5000)
    other = ShortTimeFFT(get_window("hann", size), hop, fs=1, phase_shift=None)
    p = np.arange(1 + -(-len(x) // hop))
    wanted = other.stft(x, p0=0, p1=len(p)).T
    np.testing.assert_allclose(stft(x, size, hop), wanted, atol=1e-10)


@pytest.mark.parametrize(("size", "hop"), [(4, 2), (1024, 256), (64, 32), (96, 16)])
@pytest.mark.parametrize("n", [1, 8, 1000, 4097])
def test_inverse_is_exact(size, hop, n):
    """Eq. (18.4): stft and back is the identity, edges included."""
    x = np.random.default_rng(n).normal(size=n)
    np.testing.assert_allclose(inverse_stft(stft(x, size, hop), n, hop), x, atol=1e-12)
    short = x.astype(np.float32)
    back = inverse_stft(stft(short, size, hop), n, hop)
    assert back.dtype == np.float32
    assert np.abs(back - short).max() < 1e-6 * max(1, np.abs(x).max())


def test_inverse_is_the_least_squares_one():
    """Eq. (18.4) for a spectrum that no sound has: against NumPy's least squares."""
    rng = np.random.default_rng(3)
    wanted = stft(rng.normal(size=12), 8, 2) + rng.normal(size=(7, 5))
    frames = np.fft.irfft(wanted, 8)
    columns = [np.fft.irfft(stft(row, 8, 2), 8).ravel() for row in np.eye(12)]
    solved = np.linalg.lstsq(np.stack(columns, axis=1), frames.ravel(), rcond=None)[0]
    np.testing.assert_allclose(inverse_stft(wanted, 12, 2), solved, atol=1e-10)


def test_hann_overlaps_to_a_constant():
    for size, hop in ((8, 4), (8, 2)):
        total = sum(np.roll(hann(size), k) for k in range(0, size, hop))
        np.testing.assert_allclose(total, size / hop / 2)


def test_mel_scale():
    """Eq. (18.5): 1000 Hz are about 1000 mel, and there is a way back."""
    assert hz_to_mel(1000) == pytest.approx(1000, abs=0.1)
    assert hz_to_mel(700) == pytest.approx(2595 * np.log10(2))
    np.testing.assert_allclose(mel_to_hz(hz_to_mel([0, 55, 7040])), [0, 55, 7040], atol=1e-9)


def test_mel_filters_overlap_to_one_and_more_bands_lose_less():
    filters = mel_filters(40, 1024, 16000)
    bins = np.fft.rfftfreq(1024, 1 / 16000)
    inner = (bins > 150) & (bins < 7000)
    np.testing.assert_allclose(filters.sum(axis=0)[inner], 1, atol=1e-9)
    magnitude = np.abs(stft(tones(), 512, 128))
    lost = []
    for bands in (20, 40, 80, 160):
        filters = mel_filters(bands, 512, 8000)
        back = from_mel(magnitude @ filters.T, filters)
        assert (back >= 0).all()
        lost.append(np.linalg.norm(back - magnitude) / np.linalg.norm(magnitude))
    assert lost == sorted(lost, reverse=True)


def test_griffin_lim_by_hand():
    """Eq. (18.6): two rounds, the second with momentum, written out."""
    magnitude = np.abs(stft(EIGHT, 4, 2))
    angle = 2 * np.pi * np.random.default_rng(5).random(magnitude.shape)
    X = magnitude * np.exp(1j * angle)
    P_1 = stft(inverse_stft(X, 8, 2), 4, 2)
    X = magnitude * np.exp(1j * np.angle(P_1))
    P_2 = stft(inverse_stft(X, 8, 2), 4, 2)
    X = magnitude * np.exp(1j * np.angle(P_2 + 0.5 * (P_2 - P_1)))
    found = griffin_lim(magnitude, 8, 2, iterations=2, momentum=0.5, seed=5)
    np.testing.assert_allclose(found, inverse_stft(X, 8, 2), atol=1e-9)


def test_griffin_lim_never_moves_away_and_momentum_is_faster():
    x = tones()
    magnitude = np.abs(stft(x, 512, 128))
    plain = [
        spectral_convergence(magnitude, griffin_lim(magnitude, len(x), 128, n, momentum=0), 128)
        for n in (1, 4, 16, 32)
    ]
    assert plain == sorted(plain, reverse=True)
    fast = spectral_convergence(magnitude, griffin_lim(magnitude, len(x), 128, 32), 128)
    assert fast < plain[-1] - 2
    assert fast <= -20


def test_spectral_convergence_by_hand():
    """Eq. (18.7): twice the sound has an error as large as the magnitudes, 0 dB; 1.1 times: -20."""
    magnitude = np.abs(stft(tones(), 512, 128))
    assert spectral_convergence(magnitude, 2 * tones(), 128) == pytest.approx(0, abs=1e-9)
    assert spectral_convergence(magnitude, 1.1 * tones(), 128) == pytest.approx(-20)


def test_decibels():
    np.testing.assert_allclose(decibels([1, -0.01, 0], floor=-60), [0, -40, -60])


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((100, 2)), r"one channel.*stereo"),
        (np.zeros(0), "at least 1"),
        (np.array([0.0, np.nan]), "sample 1 is nan"),
        (np.array(["a"]), "numbers"),
    ],
)
def test_what_is_no_sound_is_named(x, words):
    with pytest.raises(ValueError, match=words):
        stft(x)


@pytest.mark.parametrize(("size", "hop"), [(8, 3), (8, 8), (7, 1), (8, 0)])
def test_sizes_that_lose_samples_are_refused(size, hop):
    with pytest.raises(ValueError, match="the hop divides"):
        stft(EIGHT, size, hop)


def test_a_spectrum_of_another_length_is_refused():
    with pytest.raises(ValueError, match="have 6 frames"):
        inverse_stft(stft(EIGHT, 4, 2), 9, 2)
    with pytest.raises(ValueError, match="at least 0"):
        griffin_lim(-np.ones((5, 3)), 8, 2)
