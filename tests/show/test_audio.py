"""The sound is the music: every note is looked for in the spectrum of what the player plays."""

import base64
import hashlib
import io
import re
import subprocess
import sys
from html import unescape

import numpy as np
import pytest
import soundfile

from musiclab.data import Piece
from musiclab.show import mp3_bytes, play, synthesize
from musiclab.show.html import notes

LONG = 0.28  # seconds; in shorter notes low pitches are not told apart


def heard(shown):
    """The samples in a player's MP3, and their rate."""
    return soundfile.read(io.BytesIO(uri(shown, "audio/mpeg")))


def uri(shown, mime):
    return base64.b64decode(re.search(rf'"data:{re.escape(mime)};base64,([^"]*)"', shown.html)[1])


def fundamentals(samples, rate, piece, bpm, cents=25, floor=0.05):
    """Of each note of at least LONG seconds: whether its fundamental is a peak of the spectrum while it sounds.

    A peak is a local maximum within ``cents`` of the pitch, at least ``floor`` of the strongest.
    """
    found, size = {}, 1 << 17
    frequency = np.fft.rfftfreq(size, 1 / rate)
    for start, stop, pitch, voice in notes(piece):
        begin, end = (int(step * 15 / bpm * rate) for step in (start, stop))
        if end - begin < LONG * rate:
            continue
        window = samples[begin + int(0.02 * rate) : end]
        spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), size))
        peaks = (
            np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] > spectrum[2:])) + 1
        )
        peaks = peaks[spectrum[peaks] > floor * spectrum.max()]
        off = np.abs(1200 * np.log2(frequency[peaks] / (440 * 2 ** ((pitch - 69) / 12))))
        found[start, voice] = bool(off.min() < cents)
    return found


@pytest.mark.parametrize("which", [0, 1])
def test_every_note_of_a_chorale_is_heard_at_its_pitch(chorales, players, which):
    found = fundamentals(*heard(players[which]), chorales[which], 80)
    assert len(found) > 100
    assert all(found.values()), [place for place, ok in found.items() if not ok]


def test_the_search_for_fundamentals_misses_wrong_notes(chorales):
    piece = chorales[0]
    wrong = piece.with_(voices=piece.voices + np.array([0, 1, 0, 0]), spelling=None)
    found = fundamentals(*synthesize(wrong), piece, 80)
    alto = [ok for (_, voice), ok in found.items() if voice == 1]
    others = [ok for (_, voice), ok in found.items() if voice != 1]
    assert np.mean(alto) < 0.5  # some of its pitches sound in another voice, or as an overtone
    assert all(others)


@pytest.mark.parametrize("bpm", [40, 80, 133.7])
def test_it_is_as_long_as_the_score(chorales, bpm):
    seconds = chorales[1].quarters * 60 / bpm
    samples, rate = synthesize(chorales[1], bpm)
    assert samples.dtype == np.float32
    assert abs(len(samples) / rate - seconds) <= 1 / rate
    decoded, rate = soundfile.read(io.BytesIO(mp3_bytes(samples)))
    assert abs(len(decoded) / rate - seconds) <= 1152 / rate  # one MP3 frame


def test_nothing_clips(players):
    for player in players:
        assert np.abs(heard(player)[0]).max() < 1
    cluster, _ = synthesize(np.ones((8, 88)))
    assert np.abs(cluster).max() == pytest.approx(0.9, abs=1e-6)


def test_one_voice_stays_quieter_than_four(chorales):
    loud, soft = (
        np.sqrt(np.mean(synthesize(v)[0] ** 2))
        for v in (chorales[0].voices, chorales[0].voices[:, :1])
    )
    assert (
        0.3 < soft / loud < 0.7
    )  # about half: four unrelated voices have twice the amplitude of one


def test_notes_start_and_end_without_a_click():
    samples, rate = synthesize([60] * 4 + [67] * 4)
    slope = np.abs(np.diff(samples))
    middle = slope[int(0.2 * rate) : int(0.4 * rate)].max()
    for edge in (0, len(samples) // 2, len(samples)):
        assert slope[max(0, edge - 320) : edge + 100].max() < middle
    assert abs(samples[0]) < 1e-3
    assert abs(samples[-1]) < 1e-3


def test_a_repeated_note_is_struck_again():
    held, rate = synthesize(Piece([[60]] * 8))
    struck, _ = synthesize(Piece([[60]] * 8, [[s % 4 == 0] for s in range(8)]))
    around = slice(int(0.735 * rate), int(0.75 * rate))
    assert np.abs(struck[around]).max() < 0.3 * np.abs(held[around]).max()


def test_a_bass_has_overtones_that_small_speakers_play():
    samples, rate = synthesize([36] * 16)
    spectrum = np.abs(np.fft.rfft(samples))
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    assert spectrum[(frequency > 180)].max() > 0.3 * spectrum.max()


@pytest.mark.parametrize("pitch", [108, 127])
def test_high_notes_do_not_fold_back_as_wrong_ones(pitch):
    samples, rate = synthesize([pitch] * 16)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    assert spectrum[frequency < 0.9 * fundamental].max() < 0.01 * spectrum.max()


def test_a_player_is_small(chorales, players):
    for chorale, shown in zip(chorales, players):
        seconds = chorale.quarters * 60 / 80
        inside = re.search(r'"(data:audio/mpeg[^"]*)"', shown.html)[1]
        assert len(uri(shown, "audio/mpeg")) * 20 / seconds < 130_000
        assert len(inside) * 20 / seconds < 130_000  # even as text


def test_same_music_same_bytes_in_another_process():
    code = (
        "import hashlib; from musiclab import show; "
        "print(hashlib.sha256(show.mp3_bytes(show.synthesize([60, 64, 67, 72] * 4)[0])).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert hashlib.sha256(mp3_bytes(synthesize([60, 64, 67, 72] * 4)[0])).hexdigest() == other
    assert play([60] * 4).html == play([60] * 4).html


def test_the_downloads_are_the_music(chorales, players):
    from musiclab.data.files.midi import midi_bytes
    from musiclab.data.files.musicxml import musicxml_bytes

    shown = players[0]
    assert uri(shown, "audio/midi") == midi_bytes(chorales[0])
    assert uri(shown, "application/vnd.recordare.musicxml+xml") == musicxml_bytes(chorales[0])
    assert re.findall(r'download="([^"]*)"', shown.html) == [
        f"{chorales[0].bwv}.mid",
        f"{chorales[0].bwv}.musicxml",
    ]


def test_silence_says_so_in_words():
    samples, rate = synthesize([-1] * 16, bpm=60)
    assert len(samples) == 4 * rate
    assert not samples.any()
    shown = play([-1] * 16)
    assert "Nothing to hear" in shown.html
    assert "nothing to hear" in repr(shown)
    assert "<audio" in shown.html
    assert "Nothing to hear" not in play([60] * 16).html


def test_the_player_is_labelled_and_its_title_escaped():
    shown = play([60] * 8, bpm=60, title="<b>'A' & \"B\"</b>")
    label = unescape(re.search(r'<audio [^>]*aria-label="([^"]*)"', shown.html)[1])
    assert label == "player: <b>'A' & \"B\"</b>, 2 seconds, 60 quarter notes a minute"
    assert "<b>" not in shown.html
    assert "controls" in shown.html


def test_rolls_sound_like_the_voices_they_came_from(chorales):
    from musiclab.data import piano_roll

    part = chorales[0].voices[:32, 0]
    np.testing.assert_array_equal(synthesize(piano_roll(part[:, None]))[0], synthesize(part)[0])


@pytest.mark.parametrize("bpm", [0, -5, 9, 1001, float("nan"), float("inf"), "fast", None])
def test_absurd_tempi_are_refused(bpm):
    with pytest.raises(ValueError, match=r"bpm is .*quarter notes per minute"):
        synthesize([60], bpm)
