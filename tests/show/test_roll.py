"""The piano roll to draw into: the half that lives in Python."""

import re

import numpy as np
import pytest
import traitlets

from musiclab import show
from musiclab.data import Piece
from musiclab.show import web


def test_an_empty_roll():
    widget = show.roll(bars=2)
    assert widget.notes == []
    assert widget.piece.voices.shape == (32, 1)
    assert (widget.piece.voices == -1).all()


def test_a_melody_comes_back_with_its_holds_and_its_metre():
    voice = [60, 60, 60, 62, 62, -1, -1, 64, 64, 64, 65, 65]
    onsets = [True, False, True, True, False, False, False, True, False, False, True, False]
    piece = Piece(voice, onsets, pickup=2, time_signature="3/4")
    widget = show.roll(piece)
    assert widget.notes == [[0, 60, 2], [2, 60, 1], [3, 62, 2], [7, 64, 3], [10, 65, 2]]
    assert (widget.bar, widget.beat, widget.pickup) == (12, 4, 2)
    np.testing.assert_array_equal(widget.piece.voices, piece.voices)
    np.testing.assert_array_equal(widget.piece.onsets, piece.onsets)
    np.testing.assert_array_equal(widget.piece.downbeats, piece.downbeats)


def test_of_several_voices_the_highest():
    assert show.roll(np.array([[72, 48]] * 4)).notes == [[0, 72, 4]]


def test_what_is_drawn_is_in_the_piece():
    widget = show.roll([60] * 8)
    widget.notes = [[0, 60, 4], [4, 64, 4]]  # as the page sends it
    assert widget.piece.voices[:, 0].tolist() == [60] * 4 + [64] * 4
    assert np.flatnonzero(widget.piece.onsets).tolist() == [0, 4]


def test_a_model_is_asked_at_once_and_after_each_change():
    widget = show.roll([60] * 8, ask=lambda piece: f"{piece.onsets.sum()} notes")
    assert widget.answer == "1 notes"
    widget.notes = [[0, 60, 4], [4, 64, 4]]
    assert widget.answer == "2 notes"


def test_a_model_that_refuses_says_why():
    def refuses(piece):
        raise ValueError("a melody needs notes")

    assert show.roll(ask=refuses).answer == "No answer: a melody needs notes"


@pytest.mark.parametrize(
    "notes",
    [
        [[0, 60]],
        [[0, 60.5, 4]],
        [[0, 60, 0]],
        [[-1, 60, 2]],
        [[6, 60, 4]],
        [[0, 20, 2]],
        [[0, 60, 4], [2, 62, 4]],
        [[4, 60, 2], [0, 60, 2]],
    ],
)
def test_a_page_cannot_send_what_is_no_melody(notes):
    widget = show.roll([60] * 8)
    with pytest.raises(traitlets.TraitError, match="note"):
        widget.notes = notes
    assert widget.notes == [[0, 60, 8]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"bpm": 0}, "bpm is 0"),
        ({"x": [60] * 300}, "300 steps"),
        ({"x": "a"}, "music"),
    ],
)
def test_bad_input(options, said):
    with pytest.raises(ValueError, match=said):
        show.roll(**options)


def test_the_page_loads_nothing():
    script = web.bundle("roll")
    assert "import " not in script
    assert "const sound = (() => {" in script
    assert set(re.findall(r"https?:[^\"]*", script)) == {"http://www.w3.org/2000/svg"}  # a name
