"""Two-bar windows as symbols: round trips, keys, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musiclab.data import Piece, encode_tokens, load_chorales, piano_roll, to_common_key, windows
from musiclab.data.encodings import two_bars

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


def test_load_bars_is_the_published_split_unless_told(cut):
    np.testing.assert_array_equal(two_bars.load_bars("valid"), two_bars.to_symbols(*cut))
    assert len(two_bars.load_bars("valid", by="melody")) != len(cut[0])


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
    np.testing.assert_array_equal(two_bars.choose(vectors), symbols)


def test_choose_takes_the_highest_score():
    scores = np.zeros((1, 1, 2, 50))
    scores[0, 0, 0, 7], scores[0, 0, 1] = 0.1, -np.arange(50)
    assert two_bars.choose(scores).tolist() == [[[7, 0]]]


@given(anything)
def test_rolls_are_those_of_the_pieces_one_by_one(symbols):
    expected = [
        piano_roll(piece, two_bars.LOW, two_bars.HIGH) for piece in two_bars.to_pieces(symbols)
    ]
    np.testing.assert_array_equal(two_bars.rolls(symbols), expected)


def test_a_hold_does_not_reach_into_the_next_window():
    assert two_bars.rolls(np.array([[[30]], [[1]]])).sum(axis=(1, 2)).tolist() == [1, 0]


@given(anything)
def test_all_keys_move_pitches_alone_and_stay_in_range(symbols):
    moved = two_bars.in_all_keys(symbols, range(-2, 3))
    struck = symbols >= 2
    fits = [not struck[i].any() or 2 <= symbols[i][struck[i]].min() + k <= symbols[i][struck[i]].max() + k <= 49
            for k in range(-2, 3) for i in range(len(symbols))]  # fmt: skip
    assert len(moved) == sum(fits)
    expected = np.concatenate([np.where(struck, symbols + k, symbols) for k in range(-2, 3)])[fits]
    np.testing.assert_array_equal(moved, expected)


def test_all_keys_are_those_of_lesson_four(cut):
    pieces = two_bars.to_pieces(two_bars.in_all_keys(two_bars.to_symbols(*cut)[:3], shifts=[4]))
    assert [p.voices[0, 0] for p in pieces] == [v[0, 0] + 4 for v in cut[0][:3]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: two_bars.to_symbols(np.zeros((2, 3), int), np.zeros((2, 3), bool)),
            r"need both \(windows, steps, voices\)",
        ),
        (
            lambda: two_bars.to_symbols(np.zeros((1, 2, 3), int), np.zeros((1, 2, 2), bool)),
            r"onsets \(1, 2, 2\)",
        ),
        (lambda: two_bars.one_hot(np.zeros((2, 3), int)), r"not int64 of shape \(2, 3\)"),
        (lambda: two_bars.one_hot(np.zeros((0, 32, 4), int)), "at least one window"),
        (lambda: two_bars.rolls(np.zeros((1, 32, 4))), "not float64"),
        (lambda: two_bars.to_pieces([[[50]]]), "0 to 49; found 50 to 50"),
        (lambda: two_bars.in_all_keys([[[-1]]]), "found -1"),
        (lambda: two_bars.choose(np.zeros((1, 2, 3, 49))), r"\(windows, steps, voices, 50\)"),
        (lambda: two_bars.choose(np.full((1, 1, 1, 50), np.nan)), "nan"),
        (lambda: two_bars.load_bars("nothing"), "split"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
