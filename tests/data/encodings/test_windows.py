"""Bars and windows of whole bars."""

import numpy as np
import pytest

from musiclab.data import (
    Piece,
    bars,
    windows,
)
from tests.strategies import random_piece


def test_bars_cover_a_piece_with_pickup_and_short_end():
    assert bars(Piece([[60]] * 48, pickup=4)) == [(0, 4), (4, 20), (20, 36), (36, 48)]


def test_windows_start_on_downbeats_and_hold_what_the_piece_holds():
    rng = np.random.default_rng(5)
    piece = random_piece(rng, steps=4 + 16 * 3 + 12, pickup=4)
    voices, onsets = windows(piece)
    assert voices.shape == onsets.shape == (2, 32, 4)
    np.testing.assert_array_equal(voices[1], piece.voices[20:52])
    np.testing.assert_array_equal(onsets[1, 1:], piece.onsets[21:52])
    np.testing.assert_array_equal(onsets[:, 0], voices[:, 0] >= 0)
    for v, o in zip(voices, onsets):
        Piece(v, o)


def test_irregular_bars_break_the_windows():
    downbeats = np.zeros(60, bool)
    downbeats[[0, 16, 28, 44]] = True  # the second bar has 12 steps
    piece = Piece(np.full((60, 1), 60), downbeats=downbeats)
    assert len(windows(piece, 1)[0]) == 3
    assert len(windows(piece, 2)[0]) == 1


def test_other_metres_give_no_windows_and_the_shape_says_so():
    voices, onsets = windows([Piece(np.full((48, 4), 60), time_signature="3/4")])
    assert voices.shape == onsets.shape == (0, 32, 4)


@pytest.mark.parametrize(
    ("pieces", "n"), [([], 2), ([Piece([[60]] * 32)], 0), ([Piece([[60]]), Piece([[60, 50]])], 1)]
)
def test_windows_of_nothing_are_refused(pieces, n):
    with pytest.raises(ValueError, match="need n_bars"):
        windows(pieces, n)
