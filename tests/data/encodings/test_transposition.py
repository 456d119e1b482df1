"""Transposition, the common key and spelling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musiclab.data import (
    NO_SPELLING,
    Piece,
    spell,
    to_common_key,
    transpose,
)
from tests.strategies import random_piece


def test_transposing_there_and_back_is_nothing():
    piece = random_piece(np.random.default_rng(4), key_signature=-3, tonic=3)
    piece = piece.with_(spelling=spell(piece.voices, -3))
    for semitones in range(-11, 12):
        there = transpose(piece, semitones)
        back = transpose(there, -semitones)
        np.testing.assert_array_equal(back.voices, piece.voices)
        sounding = there.voices >= 0
        np.testing.assert_array_equal(
            there.spelling[sounding] * 7 % 12, there.voices[sounding] % 12
        )
        assert (there.tonic - piece.tonic - semitones) % 12 == 0
        assert -7 < there.key_signature < 7


def test_spelling_moves_with_the_key():
    """F sharp in G major becomes B natural in C major, not C flat."""
    piece = Piece([[66]], spelling=[[6]], tonic=7, key_signature=1)
    home = to_common_key(piece)
    assert (home.voices.tolist(), home.spelling.tolist(), home.key_signature) == ([[71]], [[5]], 0)


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_common_key_is_reached_within_six_semitones(mode):
    for tonic in range(12):
        piece = Piece([[60]], tonic=tonic, mode=mode)
        home = to_common_key(piece)
        assert home.tonic == {"major": 0, "minor": 9}[mode]
        assert home.mode == mode
        assert abs(int(home.voices[0, 0]) - 60) <= 6


def test_transposing_off_the_keyboard_is_refused():
    with pytest.raises(ValueError, match="outside MIDI"):
        transpose(Piece([[5]]), -6)


def test_spelling_of_c_major_and_a_flat_major():
    names = dict(zip(range(-3, 9), "Eb Bb F C G D A E B F# C# G#".split()))
    chromatic = np.arange(60, 72)[None]
    assert [
        names[f] for f in spell(chromatic, 0)[0].tolist()
    ] == "C C# D Eb E F F# G G# A Bb B".split()
    assert spell(chromatic, -4).min() == -7
    assert spell(np.array([[-1]]), 0).tolist() == [[NO_SPELLING]]


@given(st.integers(0, 127), st.integers(-7, 7))
def test_a_spelling_names_its_pitch_and_stays_near_the_key(pitch, key_signature):
    fifths = int(spell(np.array([[pitch]]), key_signature)[0, 0])
    assert (fifths * 7 - pitch) % 12 == 0
    assert key_signature - 3 <= fifths <= key_signature + 8
