"""What sounds at each step: by hand, against the pieces, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musiclab.data.encodings import two_bars
from musiclab.data.encodings.sounding import SOUNDS, from_sounding, to_sounding

anything = arrays(
    np.int8,
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 4)),
    elements=st.integers(0, 49),
)


def test_sounding_by_hand():
    assert SOUNDS == 49
    found = to_sounding(np.array([[[26], [1], [26], [0], [1]]]))[0, :, 0]
    assert found.tolist() == [[25, 1], [25, 0], [25, 1], [0, 0], [0, 0]]


def test_a_new_pitch_is_struck_whatever_was_said():
    assert from_sounding(np.array([[[[5, 0]], [[6, 0]], [[6, 0]], [[0, 1]], [[6, 0]]]]))[
        0, :, 0
    ].tolist() == [
        6,
        7,
        1,
        0,
        7,
    ]


@given(anything)
def test_sounding_is_what_the_pieces_say_and_comes_back(symbols):
    sounding, pieces = to_sounding(symbols), two_bars.to_pieces(symbols)
    assert sounding.dtype == np.int8
    np.testing.assert_array_equal(
        sounding[..., 0], [np.maximum(p.voices - two_bars.LOW + 1, 0) for p in pieces]
    )
    np.testing.assert_array_equal(sounding[..., 1], [p.onsets for p in pieces])
    again = two_bars.to_pieces(from_sounding(sounding))
    np.testing.assert_array_equal([p.voices for p in again], [p.voices for p in pieces])
    np.testing.assert_array_equal([p.onsets for p in again], [p.onsets for p in pieces])


def test_symbols_of_real_windows_come_back_from_what_sounds():
    symbols = two_bars.load_bars("valid")
    np.testing.assert_array_equal(from_sounding(to_sounding(symbols)), symbols)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: from_sounding(np.zeros((1, 2, 3), int)), r"need \(windows, steps, voices, 2\)"),
        (lambda: from_sounding(np.full((1, 1, 1, 2), 49)), "0 to 48"),
        (lambda: from_sounding(np.full((1, 1, 1, 2), 2)), "struck 0 or 1"),
        (lambda: to_sounding(np.full((1, 2, 3), 50)), "0 to 49"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
