"""Two-bar windows as symbols, as pitch and onset, and on the eighth-note grid: values and round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musiclab.data import Piece, encode_tokens, load_chorales, piano_roll, to_common_key, windows
from musiclab.data.encodings import two_bars
from musiclab.data.encodings.eighth_grid import on_eighths

anything = arrays(
    np.int8,
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 4)),
    elements=st.integers(0, 49),
)


@pytest.fixture(scope="module")
def cut():
    return windows(load_chorales("valid"))


def test_there_are_50_symbols():
    assert (two_bars.SYMBOLS, two_bars.STEPS, two_bars.VOICES) == (50, 32, 4)


def test_symbols_by_hand():
    voices = np.array([[[60, 36], [60, 83], [62, -1]], [[60, 36], [60, 35], [62, -1]]])
    onsets = np.array([[[1, 1], [0, 1], [1, 0]]] * 2, bool)
    found = two_bars.to_symbols(voices, onsets)
    assert found.tolist() == [[[26, 2], [1, 49], [28, 0]]]  # the second window goes below the range
    assert found.dtype == np.int8


def test_symbols_are_lesson_one_s_tokens(cut):
    voices, onsets = cut[0][:30], cut[1][:30]
    expected = [
        encode_tokens(Piece(v, o), two_bars.LOW, two_bars.HIGH) for v, o in zip(voices, onsets)
    ]
    np.testing.assert_array_equal(two_bars.to_symbols(voices, onsets), expected)


def test_windows_come_back_from_symbols(cut):
    pieces = two_bars.to_pieces(two_bars.to_symbols(*cut), name="again")
    np.testing.assert_array_equal([p.voices for p in pieces], cut[0])
    np.testing.assert_array_equal([p.onsets for p in pieces], cut[1])
    assert pieces[0].name == "again"


def test_load_bars_is_the_published_split(cut):
    np.testing.assert_array_equal(two_bars.load_bars("valid"), two_bars.to_symbols(*cut))


def test_load_bars_in_a_common_key(cut):
    there = [to_common_key(piece) for piece in load_chorales("valid")]
    np.testing.assert_array_equal(
        two_bars.load_bars("valid", common_key=True), two_bars.to_symbols(*windows(there))
    )


@given(anything)
def test_one_hot_and_back(symbols):
    vectors = two_bars.one_hot(symbols)
    assert vectors.shape == (*symbols.shape, 50)
    assert vectors.dtype == np.float32
    assert (vectors.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(two_bars.from_one_hot(vectors), symbols)


def test_choose_takes_the_highest_score():
    scores = np.zeros((1, 1, 2, 50))
    scores[0, 0, 0, 7], scores[0, 0, 1] = 0.1, -np.arange(50)
    assert two_bars.from_one_hot(scores).tolist() == [[[7, 0]]]


@given(anything)
def test_rolls_are_those_of_the_pieces_one_by_one(symbols):
    expected = [
        piano_roll(piece, two_bars.LOW, two_bars.HIGH) for piece in two_bars.to_pieces(symbols)
    ]
    np.testing.assert_array_equal(two_bars.piano_rolls(symbols), expected)


def test_a_hold_does_not_reach_into_the_next_window():
    assert two_bars.piano_rolls(np.array([[[30]], [[1]]])).sum(axis=(1, 2)).tolist() == [1, 0]


@given(anything)
def test_all_keys_move_pitches_alone_and_stay_in_range(symbols):
    expected = []
    for semitones in range(-5, 7):
        for window in symbols:
            moved = np.where(window >= 2, window + semitones, window)
            if (moved[window >= 2] >= 2).all() and moved.max() <= 49:
                expected.append(moved)
    found = two_bars.in_all_keys(symbols)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, np.array(expected).reshape(found.shape))


def test_pitch_and_onset_by_hand():
    assert two_bars.PITCHES == 49
    found = two_bars.to_pitch_and_onset(np.array([[[26], [1], [26], [0], [1]]]))[0, :, 0]
    assert found.tolist() == [[25, 1], [25, 0], [25, 1], [0, 0], [0, 0]]


def test_a_new_pitch_is_an_onset_and_a_rest_is_none_whatever_the_second_number_says():
    pairs = np.array([[[[5, 0]], [[6, 0]], [[6, 0]], [[0, 1]], [[6, 0]]]])
    assert two_bars.from_pitch_and_onset(pairs)[0, :, 0].tolist() == [6, 7, 1, 0, 7]


@given(anything)
def test_pitch_and_onset_are_those_of_the_pieces_and_come_back(symbols):
    pairs, pieces = two_bars.to_pitch_and_onset(symbols), two_bars.to_pieces(symbols)
    assert pairs.dtype == np.int8
    pitch = [np.maximum(p.voices - two_bars.LOW + 1, 0) for p in pieces]
    np.testing.assert_array_equal(pairs[..., 0], pitch)
    np.testing.assert_array_equal(pairs[..., 1], [p.onsets for p in pieces])
    again = two_bars.to_pieces(two_bars.from_pitch_and_onset(pairs))
    np.testing.assert_array_equal([p.voices for p in again], [p.voices for p in pieces])
    np.testing.assert_array_equal([p.onsets for p in again], [p.onsets for p in pieces])


def test_symbols_of_real_windows_come_back_from_pitch_and_onset():
    symbols = two_bars.load_bars("valid")
    pairs = two_bars.to_pitch_and_onset(symbols)
    np.testing.assert_array_equal(two_bars.from_pitch_and_onset(pairs), symbols)


@pytest.fixture(scope="module")
def eighths():
    return two_bars.load_eighths("valid")


def test_eighth_symbols_by_hand():
    voices = np.tile(np.int16([60, 55, 48, 39]), (1, 32, 1))
    onsets = np.zeros((1, 32, 4), bool)
    onsets[0, 0] = True
    voices[0, 4:6, 3] = -1
    voices[0, 6:, 3], onsets[0, 6, 3] = 41, True
    symbols = two_bars.to_eighth_symbols(voices, onsets)
    assert symbols[0, :4].tolist() == [[3, 2, 3, 2], [1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 4]]
    piece = two_bars.eighths_to_pieces(symbols)[0]
    np.testing.assert_array_equal(piece.voices, voices[0])
    np.testing.assert_array_equal(piece.onsets, onsets[0])


def test_eighths_lose_only_windows_out_of_range(eighths):
    real = [on_eighths(to_common_key(piece)) for piece in load_chorales("valid", by="melody")]
    voices, onsets = windows(real)
    offset = voices - np.array(two_bars.EIGHTH_LOWEST)
    inside = ((voices < 0) | ((offset >= 0) & (offset < 24))).all(axis=(1, 2))
    pieces = two_bars.eighths_to_pieces(eighths)
    assert len(pieces) == inside.sum() > 0.7 * len(voices)
    np.testing.assert_array_equal([p.voices for p in pieces], voices[inside])
    np.testing.assert_array_equal([p.onsets for p in pieces], onsets[inside])


def test_rows_are_one_hot_and_lead_back(eighths):
    rows = two_bars.eighths_to_rows(eighths)
    assert rows.shape == (len(eighths), 16 * 4 * 26)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.reshape(-1, 26).sum(axis=1), 1)
    np.testing.assert_array_equal(two_bars.rows_to_eighths(rows), eighths)
    assert rows[0].argmax() == eighths[0, 0, 0]
    assert rows[0, 26:52].argmax() == eighths[0, 0, 1]  # voice after voice, then step after step


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: two_bars.to_symbols(np.zeros((2, 3)), np.zeros((2, 3), bool)), "steps"),
        (lambda: two_bars.to_symbols(np.zeros((1, 2, 3)), np.zeros((1, 2, 2), bool)), "onsets"),
        (lambda: two_bars.one_hot(np.zeros((2, 3), int)), "shape"),
        (lambda: two_bars.one_hot(np.zeros((0, 32, 4), int)), "at least one window"),
        (lambda: two_bars.piano_rolls(np.zeros((1, 32, 4))), "float64"),
        (lambda: two_bars.to_pieces([[[50]]]), "found 50"),
        (lambda: two_bars.in_all_keys([[[-1]]]), "found -1"),
        (lambda: two_bars.to_pitch_and_onset(np.full((1, 2, 3), 50)), "found"),
        (lambda: two_bars.load_bars("nothing"), "split"),
        (lambda: two_bars.load_eighths("nothing"), "split"),
        (lambda: two_bars.eighths_to_rows(np.full((1, 16, 4), 26)), "25"),
        (lambda: two_bars.eighths_to_pieces(np.zeros((0, 16, 4), int)), "at least one window"),
    ],
)
def test_bad_input_is_explained(call, word):
    with pytest.raises(ValueError, match=word):
        call()
