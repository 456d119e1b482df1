"""Chorales on 8ths: what is kept, what a model is told, and the way back."""

import numpy as np
import pytest

from musiclab.data import Piece, load_chorales
from musiclab.data.encodings.eighth_grid import (
    encode_eighths,
    excerpts,
    on_eighths,
    replace_voice,
    to_no_signature,
)
from musiclab.metrics import hold_rate


@pytest.fixture(scope="module")
def chorales():
    return load_chorales("test", by="melody")


def test_what_a_grid_of_eighths_keeps_by_hand():
    piece = Piece([60, 62, 64, 64, 64, 65, 65, 65], onsets=[1, 1, 1, 0, 1, 1, 0, 0])
    kept = on_eighths(piece)
    assert kept.voices[:, 0].tolist() == [
        60,
        60,
        64,
        64,
        64,
        64,
        65,
        65,
    ]  # 62 is over before the next 8th
    assert kept.onsets[:, 0].tolist() == [
        1,
        0,
        1,
        0,
        1,
        0,
        1,
        0,
    ]  # 65 began a 16th early, and is struck on the grid


def test_the_grid_changes_nothing_twice_and_little_once(chorales):
    for chorale in chorales[:5]:
        once = on_eighths(chorale)
        np.testing.assert_array_equal(on_eighths(once).voices, once.voices)
        np.testing.assert_array_equal(on_eighths(once).onsets, once.onsets)
    assert hold_rate([on_eighths(c) for c in chorales]) == pytest.approx(
        hold_rate(chorales), abs=0.02
    )


def test_excerpts_keep_place_and_music():
    piece = Piece(
        np.arange(60, 70), onsets=np.ones(10, bool), pickup=2, fermatas=np.arange(10) == 5
    )
    first, second = excerpts([piece], 4)
    assert second.voices[:, 0].tolist() == [64, 65, 66, 67]
    assert (first.pickup, first.downbeats.tolist()) == (2, [False, False, True, False])
    assert second.fermatas.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(second.beat, piece.beat[4:8])
    with pytest.raises(ValueError, match="0 steps"):
        excerpts([piece], 0)


def test_a_note_held_into_an_excerpt_is_struck():
    cut = excerpts([Piece([60, 60, 60, 60])], 2)
    assert [one.onsets[:, 0].tolist() for one in cut] == [[True, False]] * 2


@pytest.mark.parametrize(
    ("signature", "semitones"), [(0, 0), (1, 5), (2, -2), (-1, -5), (-3, -3), (6, -6), (-6, -6)]
)
def test_the_signature_decides_the_key(signature, semitones):
    moved = to_no_signature(Piece([[60]], key_signature=signature, tonic=5))
    assert int(moved.voices[0, 0]) == 60 + semitones
    assert moved.key_signature in (0, 12, -12)


def test_rows_by_hand():
    upper, lower = [72, 72, 74, 74, 74, 74], [60, 60, -1, -1, 64, 64]
    piece = Piece(np.stack([upper, lower], axis=1), fermatas=[0, 0, 0, 1, 0, 1], pickup=4)
    rows = encode_eighths(piece, given=(0,), target=1, low=60, high=74)
    assert rows.tolist() == [
        # soprano, beat, off the beat, fermata, last phrase, bass
        [13, 1, 3, 0, 0, 0, 1, 2],
        [15, 1, 3, 1, 1, 0, 0, 0],
        [15, 0, 0, 0, 1, 1, 5, 6],
    ]
    assert rows.dtype == np.int32


def test_a_part_comes_back_in_its_own_key(chorales):
    for chorale in chorales[:8]:
        tokens = encode_eighths(chorale, (0,), 3, 29, 90)[:, -1]
        back = replace_voice(chorale, 3, tokens, low=29)
        grid = on_eighths(chorale)
        np.testing.assert_array_equal(back.voices[:, 3], grid.voices[:, 3])
        np.testing.assert_array_equal(back.onsets[:, 3], grid.onsets[:, 3])
        np.testing.assert_array_equal(back.voices[:, :3], chorale.voices[:, :3])


def test_bad_input_is_named():
    piece = Piece([[60]] * 4, name="solo")
    with pytest.raises(ValueError, match="'solo' has 1 voices"):
        encode_eighths(piece, (0,), 3, 29, 90)
    with pytest.raises(ValueError, match="pitch 60 is outside 61-70"):
        encode_eighths(Piece([[60, 60]] * 4), (0,), 1, 61, 70)
    with pytest.raises(ValueError, match=r"\(3,\): need one for each of 2 8ths"):
        replace_voice(piece, 0, np.array([2, 1, 1]), low=60)
