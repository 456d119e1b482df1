"""Melodies as lists of notes and back."""

import numpy as np
import pytest
from hypothesis import given, settings

from musiclab.data import load_chorales
from musiclab.data.encodings.note_sequence import (
    melody_to_symbols,
    note_features,
    note_vocabulary,
    symbols_to_melody,
)
from musiclab.data.piece import Piece
from tests.strategies import pieces


def test_by_hand_repeats_are_notes_of_their_own_and_rests_are_one():
    onsets = np.array([True, False, True, False, False, False, True])[:, None]
    piece = Piece([60, 60, 60, -1, -1, -1, 62], onsets)
    symbols = melody_to_symbols(piece)
    assert symbols == [(60, 2), (60, 1), (-1, 3), (62, 1)]
    assert all(type(number) is int for symbol in symbols for number in symbol)


def test_a_melody_may_begin_with_a_rest():
    assert melody_to_symbols(Piece([-1, -1, 62])) == [(-1, 2), (62, 1)]
    assert melody_to_symbols(Piece([-1])) == [(-1, 1)]


@given(pieces())
@settings(max_examples=60, deadline=None)
def test_round_trip(piece):
    for voice in range(piece.voices.shape[1]):
        symbols = melody_to_symbols(piece, voice)
        melody = symbols_to_melody(symbols)
        np.testing.assert_array_equal(melody.voices[:, 0], piece.voices[:, voice])
        np.testing.assert_array_equal(melody.onsets[:, 0], piece.onsets[:, voice])
        assert melody_to_symbols(melody) == symbols
        assert sum(length for _, length in symbols) == piece.steps


def test_round_trip_on_all_sopranos():
    for chorale in load_chorales():
        melody = symbols_to_melody(melody_to_symbols(chorale), pickup=chorale.pickup)
        np.testing.assert_array_equal(melody.voices[:, 0], chorale.voices[:, 0])
        np.testing.assert_array_equal(melody.onsets[:, 0], chorale.onsets[:, 0])


def test_lengths_and_pitches_agree_with_a_count_step_by_step():
    piece = load_chorales("test")[0]
    lengths = []
    for t in range(piece.steps):
        if piece.onsets[t, 0] or (
            piece.voices[t, 0] < 0 and (t == 0 or piece.voices[t - 1, 0] >= 0)
        ):
            lengths.append(0)
        lengths[-1] += 1
    assert [length for _, length in melody_to_symbols(piece)] == lengths


def test_what_is_no_melody_is_refused():
    with pytest.raises(ValueError, match="voice 1: 'untitled' has voices 0 to 0"):
        melody_to_symbols(Piece([60]), voice=1)
    with pytest.raises(ValueError, match="needs notes"):
        symbols_to_melody([])
    with pytest.raises(ValueError, match=r"at least one step long, not \[\(60, 0\)\]"):
        symbols_to_melody([(60, 0)])
    with pytest.raises(ValueError, match="128 is no MIDI pitch"):
        symbols_to_melody([(60, 4), (128, 4)])


NOTES = [(-1, 4), (60, 2), (60, 4), (62, 4)]


def test_vocabulary():
    assert note_vocabulary([[(60, 4), (62, 4), (60, 2)], [(-1, 4), (60, 2)]]) == NOTES
    assert note_vocabulary([[]]) == []


def test_features_by_hand():
    """Pitches -1, 60, 62, then lengths 2, 4, then END, UNKNOWN, START."""
    features = note_features(NOTES)
    sung = [[1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 0, 1]]
    np.testing.assert_array_equal(features[:4, :5], sung)
    np.testing.assert_array_equal(features[4:], np.eye(8)[5:])
    assert (features.shape, features.dtype) == ((7, 8), np.float32)
    assert not features[:4, 5:].any()


@pytest.mark.parametrize("notes", [[], [(60, 4), (60, 4)]])
def test_features_need_each_note_once(notes):
    with pytest.raises(ValueError, match="each once"):
        note_features(notes)
