"""Piece: what is music and what is refused."""

import dataclasses

import numpy as np
import pytest

from musiclab.data import (
    NO_SPELLING,
    Piece,
    check_voices,
    excerpt,
    implied_onsets,
    load_chorales,
    top_voice,
)


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
    assert Piece([[60]] * 13, time_signature="6/8").beat.tolist() == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
        5,
        5,
        0,
    ]


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


def test_an_excerpt_keeps_place_and_music():
    piece = Piece(
        [60, 60, 62, 62, 62, 64],
        [1, 0, 1, 0, 1, 1],
        spelling=[[0], [0], [2], [2], [2], [4]],
        pickup=4,
        fermatas=np.arange(6) == 3,
        key_signature=2,
        name="six",
    )
    cut = excerpt(piece, 3, 6)
    assert cut.voices[:, 0].tolist() == [62, 62, 64]
    assert cut.onsets[:, 0].tolist() == [
        True,
        True,
        True,
    ]  # the first was held into it, so it is struck
    assert cut.spelling[:, 0].tolist() == [2, 2, 4]
    assert cut.downbeats.tolist() == [False, True, False]
    assert cut.beat.tolist() == [3, 0, 0]
    assert cut.fermatas.tolist() == [True, False, False]
    assert (cut.pickup, cut.key_signature, cut.name) == (1, 2, "six")
    assert piece.onsets[3, 0] == np.False_  # the piece itself stays as it was


def test_the_pickup_of_an_excerpt_ends_at_the_next_downbeat():
    piece = Piece([60] * 40, pickup=4)  # downbeats on 4, 20 and 36
    assert [excerpt(piece, *steps).pickup for steps in ((4, 8), (8, 24), (8, 12), (37, 40))] == [
        0,
        12,
        12,
        3,
    ]


def test_a_rest_at_the_start_of_an_excerpt_stays_a_rest():
    assert excerpt(Piece([[60, 48], [-1, 48]]), 1, 2).onsets.tolist() == [[False, True]]


def test_excerpts_side_by_side_are_the_piece():
    for chorale in load_chorales("test")[:5]:
        assert excerpt(chorale, 0, chorale.steps).pickup == chorale.pickup
        parts = [
            excerpt(chorale, at, min(at + 13, chorale.steps)) for at in range(0, chorale.steps, 13)
        ]
        assert {type(part) for part in parts} == {type(chorale)}
        for name in ("voices", "spelling", "downbeats", "beat", "fermatas"):
            np.testing.assert_array_equal(
                np.concatenate([getattr(p, name) for p in parts]), getattr(chorale, name)
            )
        assert not (chorale.onsets & ~np.concatenate([p.onsets for p in parts])).any()


@pytest.mark.parametrize("steps", [(-1, 2), (2, 2), (3, 1), (0, 5), (4, 6)])
def test_an_excerpt_beyond_the_piece_is_refused(steps):
    with pytest.raises(
        ValueError, match=rf"steps {steps[0]} to {steps[1]} of 'four': need 0 <= start < stop <= 4"
    ):
        excerpt(Piece([60] * 4, name="four"), *steps)


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


def test_velocity_is_checked_masked_by_rests_and_cut_with_the_piece():
    piece = Piece([60, 60, -1, 62], velocity=[[90], [90], [90], [40]])
    assert (piece.velocity.dtype, piece.velocity[:, 0].tolist()) == (np.int8, [90, 90, 0, 40])
    assert excerpt(piece, 1, 4).velocity[:, 0].tolist() == [90, 0, 40]
    assert (
        piece.with_(
            voices=[60, 62], onsets=None, spelling=None, downbeats=None, beat=None, fermatas=None
        ).velocity
        is None
    )
    for bad in ([[200]] * 4, [[-1]] * 4, [[90]] * 3):
        with pytest.raises(ValueError, match="velocity"):
            piece.with_(velocity=bad)


def test_a_name_holds_no_control_characters():
    assert Piece([60], name="a\0b\ud800\n").name == "a b"
    assert Piece([60], name="\0").name == "untitled"


def test_the_top_voice_keeps_metre_fermatas_and_loudness():
    chorale = load_chorales("valid")[0]
    soprano = top_voice(chorale)
    assert soprano.voices.tolist() == chorale.voices[:, :1].tolist()
    assert soprano.onsets.tolist() == chorale.onsets[:, :1].tolist()
    assert soprano.fermatas.tolist() == chorale.fermatas.tolist()
    assert (soprano.name, soprano.pickup) == (chorale.name, chorale.pickup)
    loud = Piece([[67, 60]], velocity=[[90, 30]])
    assert top_voice(loud).velocity.tolist() == [[90]]
