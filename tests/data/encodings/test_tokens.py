"""Tokens: hand values, round trips, a loop as a reference, bad input. Eq. (1.3)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from musiclab.data import (
    Piece,
    decode_tokens,
    encode_tokens,
)


def test_tokens_by_hand():
    """Eq. (1.3): struck, held, struck again, rest, struck."""
    piece = Piece([[60], [60], [60], [-1], [61]], [[1], [0], [1], [0], [1]])
    assert encode_tokens(piece, low=60, high=72)[:, 0].tolist() == [2, 1, 2, 0, 3]


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=st.integers(0, 89)
    )
)
def test_every_token_sequence_is_music_and_tokens_of_music_come_back(tokens):
    piece = decode_tokens(tokens)
    again = decode_tokens(encode_tokens(piece))
    np.testing.assert_array_equal(again.voices, piece.voices)
    np.testing.assert_array_equal(again.onsets, piece.onsets)


def test_decoding_against_a_loop():
    tokens = np.random.default_rng(3).integers(0, 15, size=(200, 2))
    expected, sounding = np.full(tokens.shape, -1), [-1, -1]
    for t, row in enumerate(tokens):
        for v, token in enumerate(row):
            if token != 1:
                sounding[v] = token + 58 if token >= 2 else -1
            expected[t, v] = sounding[v]
    np.testing.assert_array_equal(decode_tokens(tokens, low=60, high=72).voices, expected)


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ([[90]], "0 to 89"),
        ([[-1]], "0 to 89"),
        ([[0.5]], "float64"),
        (np.zeros((1, 1, 1), int), "shape"),
    ],
)
def test_tokens_outside_the_vocabulary_are_refused(tokens, words):
    with pytest.raises(ValueError, match=words):
        decode_tokens(tokens)


def test_a_pitch_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="MIDI pitch 73"):
        encode_tokens(Piece([[73]]), low=60, high=72)
