"""The spectrogram plot and the player with a cursor."""

import numpy as np
import pytest

from musiclab import show

TONE = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


def test_the_brightest_row_is_the_tone():
    ax = show.spectrogram(TONE, 16_000, title="A4")
    rows = np.fft.rfftfreq(1024, 1 / 16_000)
    rows = rows[(rows >= 60 / 1.1) & (rows <= 4400)]
    level = np.reshape(ax.mesh.get_array(), (len(rows), -1))
    assert abs(rows[level[:, 30].argmax()] - 440) < 16
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert show.figure(ax, alt="A line at 440 Hz").text == "figure: A line at 440 Hz"


def test_the_player_has_a_picture_with_words_and_a_cursor():
    shown = show.sound(TONE, 16_000, title="A < B", alt="A level line at 440 Hz")
    assert 'alt="A level line at 440 Hz"' in shown.html
    assert 'data-from="0.11" data-to="0.91"' in shown.html
    assert 'class="cursor"' in shown.html
    assert "A &lt; B" in shown.html
    assert "1.0 s; spectrogram: A level line" in repr(shown)
    assert 'class="cursor"' not in show.sound(TONE, 16_000).html


def test_what_is_no_sound_is_refused():
    with pytest.raises(ValueError, match="one channel"):
        show.sound(np.zeros((5, 2)), 16_000)
    with pytest.raises(ValueError, match="no range"):
        show.spectrogram(TONE, 16_000, low=9000)
