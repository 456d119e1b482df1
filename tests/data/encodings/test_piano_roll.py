"""Piano rolls: hand values, loops as a reference, the way back, bad input. Eq. (1.2)."""

import numpy as np
import pytest

from musiclab.data import (
    from_piano_roll,
    piano_roll,
)
from tests.strategies import random_piece


def test_piano_roll_by_hand():
    """Eq. (1.2) for two steps of two voices."""
    roll = piano_roll(np.array([[60, 57], [-1, 57]]), low=57, high=60)
    assert roll.dtype == np.float32
    assert roll.tolist() == [[1, 0, 0, 1], [1, 0, 0, 0]]


def test_piano_roll_against_loops():
    """Eq. (1.2) note by note, unisons included."""
    piece = random_piece(np.random.default_rng(1))
    assert (np.sort(piece.voices)[:, 1:] == np.sort(piece.voices)[:, :-1]).any()
    expected = np.zeros((40, 88))
    for t, frame in enumerate(piece.voices):
        for pitch in frame:
            if pitch >= 0:
                expected[t, pitch - 21] = 1
    np.testing.assert_array_equal(piano_roll(piece), expected)


def test_piano_roll_of_a_batch_is_the_roll_of_each():
    rng = np.random.default_rng(2)
    batch = np.stack([random_piece(rng).voices for _ in range(3)])
    np.testing.assert_array_equal(piano_roll(batch), [piano_roll(v) for v in batch])


def test_pitches_outside_the_roll_are_named():
    with pytest.raises(ValueError, match="MIDI pitch 20 is outside 21-108"):
        piano_roll(np.array([[20]]))
    with pytest.raises(ValueError, match="float64"):
        piano_roll(np.zeros((2, 2)))


def test_a_roll_without_unisons_or_repeats_comes_back():
    voices = np.array([[72, 64, 60, 48], [72, 65, 60, 48], [71, 65, -1, -1], [-1, -1, -1, -1]])
    back = from_piano_roll(piano_roll(voices))
    np.testing.assert_array_equal(back.voices, voices)


def test_the_strongest_cells_sound():
    roll = np.array([[0.9, 0.6, 0.95, 0.7, 0.49]])
    assert from_piano_roll(roll, low=60, n_voices=2).voices.tolist() == [[62, 60]]
    assert from_piano_roll(roll, low=60, n_voices=8).voices.tolist() == [
        [63, 62, 61, 60, -1, -1, -1, -1]
    ]


@pytest.mark.parametrize(
    "roll", [np.zeros(5), np.zeros((0, 5)), np.full((2, 5), np.nan), np.zeros((2, 100))]
)
def test_what_is_no_roll_is_refused(roll):
    with pytest.raises(ValueError, match=r"roll|127"):
        from_piano_roll(roll, low=60)
