"""A reader's own melody: any key, any range, and errors in words."""

import numpy as np
import pytest

from musiclab.data import Piece, load_chorales, top_voice, transpose
from musiclab.data.encodings.own_melody import MelodyError, own_melody


@pytest.mark.parametrize("semitones", [-24, -13, -5, 0, 3, 12, 19])
def test_any_key_and_range_arrives_in_the_soprano(semitones):
    source = top_voice(load_chorales("valid", by="melody")[2])
    moved = transpose(source, semitones)
    moved = Piece(moved.voices, moved.onsets)  # without a key
    melody, _ = own_melody(moved)
    notes = melody.voices[melody.voices >= 0]
    assert notes.min() >= 55
    assert notes.max() <= 86
    np.testing.assert_array_equal(np.diff(notes), np.diff(moved.voices[moved.voices >= 0]))
    assert -6 <= melody.key_signature <= 5


def test_signature_of_known_scales():
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0])
    for tonic, signature in ((60, 0), (62, 2), (65, -1), (67, 1), (70, -2)):
        assert own_melody(Piece(np.repeat(tonic + scale, 4)))[0].key_signature == signature
    known = Piece([[67]] * 8, key_signature=-3, key_method="given", tonic=3)
    assert own_melody(known)[0].key_signature == -3


def test_a_last_fermata_where_there_is_none():
    melody, said = own_melody(Piece([60] * 4 + [62] * 4))
    assert np.flatnonzero(melody.fermatas).tolist() == [4]
    assert "fermata" in said
    own = Piece([60] * 8, fermatas=np.arange(8) == 2)
    assert own_melody(own)[0].fermatas.sum() == 1


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (Piece([[-1]] * 8), "empty: draw or play"),
        (Piece([[67, -1]] * 8 + [[67, 60]] * 4), "2 notes sound at once on quarter 3"),
        (Piece([[50]] * 4 + [[80]] * 4), "spans 30 semitones"),
        (Piece([[67]] * 16 * 65), "65 bars long: cut it to at most 64"),
    ],
)
def test_errors_in_words(piece, message):
    with pytest.raises(MelodyError, match=message):
        own_melody(piece)
