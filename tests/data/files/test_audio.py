"""What reading a sound file changes, and what it refuses."""

import numpy as np
import pytest
import soundfile

from musiclab.data.files.audio import read_sound, resample

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


def written(folder, x, rate=16_000, **how):
    file = folder / "a.wav"
    soundfile.write(file, x, rate, **how)
    return file


def test_a_plain_file_is_read_as_it_is(tmp_path):
    sound = read_sound(written(tmp_path, TONE, subtype="FLOAT"))
    np.testing.assert_allclose(sound.samples, TONE, atol=1e-6)
    assert (sound.rate, sound.changes) == (16_000, ())


def test_stereo_rate_and_clipping_are_said(tmp_path):
    x = np.stack([TONE, np.clip(4 * TONE, -1, 1)], axis=1)
    sound = read_sound(written(tmp_path, x, 44_100), rate=16_000)
    said = " | ".join(sound.changes)
    assert "2 channels" in said
    assert "44,100 Hz: resampled to 16,000 Hz" in said
    assert "clipped" in said
    assert abs(len(sound.samples) - 16_000 * 16_000 / 44_100) <= 1


def test_channels_that_cancel_do_not_vanish(tmp_path):
    sound = read_sound(written(tmp_path, np.stack([TONE, -TONE], axis=1)))
    assert np.abs(sound.samples).max() > 0.4
    assert "cancel" in sound.changes[0]


def test_a_long_file_is_cut_and_its_rest_not_read(tmp_path):
    file = written(tmp_path, np.tile(TONE, 30))
    sound = read_sound(file, seconds=2)
    assert len(sound.samples) == 32_000
    assert "longer than 2 s" in sound.changes[0]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros(1000), "silent"),
        (np.array([0.1, np.nan, 0.1]), "not numbers"),
        (np.zeros(0), "no samples"),
        (np.zeros((10, 9)), "9 channels"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, x, words):
    with pytest.raises(ValueError, match=words):
        read_sound(written(tmp_path, x, subtype="FLOAT"))


def test_what_is_no_sound_is_named(tmp_path):
    (tmp_path / "b.wav").write_text("not a sound", encoding="utf-8")
    with pytest.raises(ValueError, match=r"b\.wav is no sound file"):
        read_sound(tmp_path / "b.wav")
    with pytest.raises(FileNotFoundError, match=r"no file c\.wav"):
        read_sound(tmp_path / "c.wav")


@pytest.mark.parametrize("rate", [8_000, 11_027, 44_100, 96_000])
def test_resampling_keeps_the_pitch(rate):
    x = np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    y = resample(x, rate, 16_000)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    assert np.argmax(spectrum) * 16_000 / len(y) == pytest.approx(440, abs=1.1)
