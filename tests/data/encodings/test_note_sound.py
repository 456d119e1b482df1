"""Notes as harmonics and as small spectrograms, and the invented instruments."""

import numpy as np
import pytest

from musiclab.data.corpora import instruments
from musiclab.data.encodings import note_sound


def test_additive_is_the_sum_of_sines():
    """Eq. (18.2) against the sum written out."""
    n = np.arange(200)
    wanted = sum(a * np.sin(2 * np.pi * k * 100 * n / 8000) for k, a in ((1, 0.5), (3, 0.2)))
    found = note_sound.additive([0.5, 0, 0.2], 100.0, length=200, seed=None)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_amplitudes_move_on_straight_lines():
    rise = note_sound.additive(
        [[0.0], [1.0]], 1000.0, length=8, rate=8000, times=[0, 7 / 8000], seed=None
    )
    np.testing.assert_allclose(rise, np.arange(8) / 7 * np.sin(np.pi * np.arange(8) / 4), atol=1e-9)


def test_harmonics_above_half_the_rate_are_left_out():
    loud = np.ones(note_sound.HARMONICS)
    x = note_sound.additive(loud, note_sound.key_to_hz(72))
    spectrum = np.abs(np.fft.rfft(x))  # 1 Hz per bin
    f = note_sound.key_to_hz(72)
    heights = [spectrum[round(k * f) - 2 : round(k * f) + 3].max() for k in range(1, 8)]
    assert min(heights) > 2000
    assert spectrum[round(7.5 * f) :].max() < 100


def test_harmonics_find_what_was_put_in():
    levels = np.array([0, -12, -6, -30.0])
    x = note_sound.additive(0.1 * 10 ** (levels / 20), note_sound.key_to_hz(60))
    found = note_sound.harmonics(x, 60)
    assert found.shape == (16, 24)
    # a bin may miss the peak of the window by half a bin: at most 1.5 dB
    np.testing.assert_allclose(found[2:14, :4], np.tile(levels - 20, (12, 1)), atol=1.6)
    assert (found[:, 14:] == note_sound.FLOOR).all()


def test_a_note_survives_its_spectrogram():
    x = instruments.note(instruments.instruments(1)[4], 55)
    spectrum = note_sound.log_spectrum(x)
    assert spectrum.shape == (16, 256)
    assert spectrum.dtype == np.float32
    assert spectrum.max() < 0
    back = note_sound.log_spectrum(note_sound.from_log_spectrum(spectrum))
    loud = spectrum > -50
    assert np.sqrt(np.mean((back - spectrum)[loud] ** 2)) < 3


def test_instruments_are_the_same_each_time_and_differ():
    bank = instruments.instruments(2)
    assert bank == instruments.instruments(2)
    assert len(set(bank)) == 12
    x = instruments.note(bank[3], 60)
    np.testing.assert_array_equal(x, instruments.note(bank[3], 60))
    assert np.sqrt(np.mean(x**2)) == pytest.approx(0.1, rel=1e-4)


def test_families_sound_as_they_are_described():
    """A plucked note falls, a bowed one rises slowly, a reed has weak even harmonics."""
    bank = {one.family: one for one in instruments.instruments(1)}
    level = {}
    for family, one in bank.items():
        x = instruments.note(one, 60)
        level[family] = [np.sqrt(np.mean(x[a : a + 400] ** 2)) for a in (0, 800, 7000)]
    assert level["plucked"][1] > 3 * level["plucked"][2]
    assert level["bowed"][0] < 0.5 * level["bowed"][2]
    assert level["organ"][1] == pytest.approx(level["organ"][2], rel=0.2)
    reed = note_sound.harmonics(instruments.note(bank["reed"], 60), 60)[8]
    assert reed[0] > reed[1] + 6


def test_notes_run_by_instrument_then_key():
    found = instruments.notes(1, keys=[60, 64])
    assert found.sound.dtype == np.float32
    np.testing.assert_array_equal(found.instrument, np.repeat(np.arange(6), 2))
    np.testing.assert_array_equal(found.key, np.tile([60, 64], 6))


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="7 samples"):
        note_sound.log_spectrum(np.zeros(7))
    with pytest.raises(ValueError, match=r"\(16, 256\)"):
        note_sound.from_log_spectrum(np.zeros((2, 3)))


def test_levels_become_a_note_and_are_found_in_it_again():
    levels = np.full((note_sound.FRAMES, note_sound.HARMONICS), note_sound.FLOOR)
    levels[:, :3] = -12, -20, -30
    x = note_sound.from_harmonics(levels, key=60)
    assert x.shape == (note_sound.LENGTH,)
    found = note_sound.harmonics(x, 60)
    np.testing.assert_allclose(found[1:-1, :3], levels[1:-1, :3], atol=1.6)
    assert x[-1] == 0 == note_sound.from_harmonics(levels, 60, length=100)[-1]
    with pytest.raises(ValueError, match=r"\(24,\): need \(16, 24\)"):
        note_sound.from_harmonics(levels[0], 60)


def test_notes_are_added_where_they_begin():
    timbre = np.full((128, note_sound.FRAMES, note_sound.HARMONICS), -20.0)
    timbre[62] = -40
    rows = [(0, 1.0, 60), (0.5, 1.5, 62)]
    found = note_sound.render(rows, timbre)
    wanted = np.zeros(12_000)
    wanted[:8000] += note_sound.from_harmonics(timbre[60], 60)
    wanted[4000:] += note_sound.from_harmonics(timbre[62], 62)
    np.testing.assert_allclose(found, wanted)
