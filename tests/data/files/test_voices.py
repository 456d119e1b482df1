"""Voice separation: hand cases, and what must hold for any notes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musiclab.data.files.parsed import Note
from musiclab.data.files.voices import separate, skyline


def notes(*spans):
    return [Note(start, stop, pitch, None) for start, stop, pitch in spans]


def pitches(voices):
    return [[note.pitch for note in voice] for voice in voices]


def test_a_triad_is_three_voices_highest_first():
    assert pitches(separate(notes((0, 4, 60), (0, 4, 67), (0, 4, 64)))) == [[67], [64], [60]]


def test_one_note_at_a_time_is_one_voice():
    assert pitches(separate(notes((4, 8, 50), (0, 4, 72)))) == [[72, 50]]


def test_a_melody_over_a_held_bass_stays_together_even_before_the_bass_enters():
    found = separate(notes((0, 2, 72), (2, 4, 74), (4, 12, 48), (4, 8, 76), (8, 12, 74)))
    assert pitches(found) == [[72, 74, 76, 74], [48]]


def test_a_bass_alone_before_the_chord_goes_to_the_lowest_voice():
    """Connected backwards from where most notes sound: Chew and Wu's order."""
    found = separate(notes((0, 4, 47), (4, 8, 48), (4, 8, 64), (4, 8, 72)))
    assert pitches(found) == [[72], [64], [47, 48]]


def test_two_parts_that_come_close_keep_to_their_own():
    upper, lower = [72, 71, 69, 71], [60, 62, 64, 62]
    spans = [(4 * i, 4 * i + 4, p) for line in (lower, upper) for i, p in enumerate(line)]
    assert pitches(separate(notes(*spans))) == [upper, lower]


def test_the_skyline_is_the_highest_note_at_each_onset():
    spans = notes((0, 8, 60), (0, 4, 67), (2, 6, 64), (4, 8, 72), (8, 12, 55))
    assert [(n.start, n.stop, n.pitch) for n in skyline(spans)] == [
        (0, 4, 67),
        (4, 8, 72),
        (8, 12, 55),
    ]
    cut = skyline(notes((0, 8, 60), (4, 8, 64)))
    assert [(n.start, n.stop, n.pitch) for n in cut] == [(0, 4, 60), (4, 8, 64)]


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(30, 90)), min_size=1, max_size=40
)


@given(SPANS)
def test_every_note_is_kept_once_no_voice_overlaps_and_no_more_voices_than_needed(spans):
    given_notes = notes(*((start, start + length, pitch) for start, length, pitch in spans))
    voices = separate(given_notes)
    assert sorted(n[:3] for voice in voices for n in voice) == sorted(n[:3] for n in given_notes)
    for voice in voices:
        assert all(a.stop <= b.start for a, b in itertools.pairwise(voice))
    sounding = [sum(n.start <= step < n.stop for n in given_notes) for step in range(45)]
    assert len(voices) == max(sounding)


@pytest.mark.parametrize("seed", range(3))
def test_voices_of_block_chords_are_ordered_by_pitch(seed):
    rng = np.random.default_rng(seed)
    chords = [np.sort(rng.choice(np.arange(48, 84), 4, replace=False))[::-1] for _ in range(20)]
    spans = [(i, i + 1, int(p)) for i, chord in enumerate(chords) for p in chord]
    assert pitches(separate(notes(*spans))) == np.array(chords).T.tolist()
