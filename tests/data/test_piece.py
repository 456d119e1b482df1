"""Piece: what is music and what is refused."""

import dataclasses

import numpy as np
import pytest

from musiclab.data import NO_SPELLING, Piece, check_voices, implied_onsets


def test_defaults_make_a_bare_array_a_readable_piece():
    piece = Piece([[60], [60], [62], [-1]])
    assert piece.voices.dtype == np.int16
    assert piece.onsets.dtype == bool
    assert piece.onsets[:, 0].tolist() == [True, False, True, False]
    assert (piece.spelling == NO_SPELLING).all()
    assert piece.downbeats.tolist() == [True, False, False, False]
    assert (piece.steps, piece.quarters) == (4, 1.0)


def test_a_pickup_of_one_quarter_is_beat_three_of_a_bar_of_four():
    piece = Piece([[60]] * 24, pickup=4)
    assert piece.beat.tolist() == [3] * 4 + [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [0] * 4
    assert np.flatnonzero(piece.downbeats).tolist() == [4, 20]


def test_six_eight_counts_eighths():
    assert Piece([[60]] * 13, time_signature="6/8").beat.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0]


def test_a_repeated_note_keeps_its_onset():
    piece = Piece([[60], [60]], [[True], [True]])
    assert piece.onsets[:, 0].tolist() == [True, True]


def test_a_line_is_one_voice():
    assert Piece([60, 62]).voices.shape == (2, 1)


def test_a_piece_cannot_be_changed_behind_its_back():
    mine = np.array([[60], [62]])
    piece = Piece(mine)
    mine[0] = 0
    assert piece.voices[0, 0] == 60
    with pytest.raises(ValueError, match="read-only"):
        piece.voices[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        piece.tonic = 3


def test_with_checks_the_copy():
    piece = Piece([[60]])
    assert piece.with_(tonic=7).tonic == 7
    with pytest.raises(ValueError, match="tonic"):
        piece.with_(tonic=12)


@pytest.mark.parametrize(
    ("voices", "onsets", "words"),
    [
        ([[60], [200]], None, r"step 1, voice 0: 200 is no MIDI pitch"),
        ([[60], [-2]], None, r"-2 is no MIDI pitch"),
        ([[60, 55], [60, -1]], [[True, True], [False, True]], r"step 1, voice 1: -1 is a rest"),
        ([[60], [62]], [[True], [False]], r"step 1, voice 0: 62 is a new pitch without an onset"),
        ([[60]], [[False]], r"step 0, voice 0: 60 is a new pitch"),
        (np.zeros((0, 4), int), None, r"\(0, 4\)"),
        ([[60.0]], None, "float64"),
        ([[60]], [[True], [True]], r"\(2, 1\)"),
    ],
)
def test_what_is_not_music_is_named(voices, onsets, words):
    with pytest.raises(ValueError, match=words):
        Piece(voices, onsets)


@pytest.mark.parametrize("signature", ["4", "0/4", "4/0", "4/5", "four/four", "7/32"])
def test_time_signatures_off_the_grid_are_refused(signature):
    with pytest.raises(ValueError, match="time signature"):
        Piece([[60]], time_signature=signature)


def test_arrays_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"fermatas has shape \(2,\)"):
        Piece([[60]], fermatas=[False, True])


def test_implied_onsets_by_definition():
    rng = np.random.default_rng(0)
    voices = rng.choice([-1, 60, 62], size=(50, 3))
    expected = np.zeros(voices.shape, bool)
    for t in range(50):
        for v in range(3):
            before = voices[t - 1, v] if t else -1
            expected[t, v] = voices[t, v] != -1 and voices[t, v] != before
    onsets = implied_onsets(voices)
    np.testing.assert_array_equal(onsets, expected)
    check_voices(voices, onsets)
