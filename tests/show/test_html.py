"""Any form of music becomes the same piece, and what is shown carries its words."""

import subprocess
import sys

import numpy as np
import pytest

from musiclab.data import Piece, piano_roll
from musiclab.show.html import Shown, as_piece, captioned, data_uri, is_roll, notes


def test_music_in_every_form_becomes_the_same_piece():
    voices = np.array([[67, 60], [67, 59], [65, 59], [-1, 59]])
    for x in (voices, voices.tolist(), voices.astype(np.int16), piano_roll(voices), piano_roll(voices).astype(bool),
              piano_roll(voices).astype(int), Piece(voices)):  # fmt: skip
        assert as_piece(x).voices.tolist() == voices.tolist()


def test_a_roll_holds_a_note_whatever_the_others_do():
    roll = np.zeros((4, 88))
    roll[:, 48 - 21] = 1  # held throughout
    roll[1:3, 60 - 21] = 0.5
    roll[3, 50 - 21] = 0.49  # too weak
    assert sorted(n[:3] for n in notes(as_piece(roll))) == [(0, 4, 48), (1, 3, 60)]


def test_every_note_of_a_random_roll_is_a_run_of_cells():
    roll = np.random.default_rng(0).random((60, 88)) < 0.05
    runs = set()
    for key in range(88):
        edges = np.flatnonzero(np.diff(np.r_[0, roll[:, key].astype(int), 0]))
        runs |= {(int(a), int(b), key + 21) for a, b in edges.reshape(-1, 2)}
    found = notes(as_piece(roll))
    assert {n[:3] for n in found} == runs
    assert len(found) == len(runs)


def test_notes_of_a_piece_by_hand():
    piece = Piece([[60], [60], [60], [-1], [60], [62]], [[1], [0], [1], [0], [1], [1]])
    assert notes(piece) == [(0, 2, 60, 0), (2, 3, 60, 0), (4, 5, 60, 0), (5, 6, 62, 0)]


def test_notes_fill_exactly_the_steps_that_sound(chorales):
    piece = chorales[0]
    filled = np.full(piece.voices.shape, -1)
    for start, stop, pitch, voice in notes(piece):
        assert (filled[start:stop, voice] == -1).all()
        filled[start:stop, voice] = pitch
    assert (filled == piece.voices).all()
    assert len(notes(piece)) == piece.onsets.sum()


def test_shown_is_html_in_a_notebook_and_words_in_a_terminal():
    shown = Shown("<i>x</i>", "an x")
    assert shown._repr_html_() == "<i>x</i>"
    assert repr(shown) == "<an x>"
    assert "&lt;b&gt;" in captioned("", "<b>")
    assert data_uri("text/plain", b"\x00\xff") == "data:text/plain;base64,AP8="


@pytest.mark.parametrize(
    "wrong", ["a string", None, {}, [[1, 2], [3]], np.zeros((4, 12)), np.full((4, 88), np.nan)]
)
def test_what_is_no_music_is_refused(wrong):
    with pytest.raises(ValueError, match=r"music|roll"):
        as_piece(wrong)


def test_rolls_are_told_from_voices():
    assert not is_roll(Piece([[60]]))
    assert is_roll(np.zeros((2, 88), int))


def test_importing_show_imports_nothing_slow():
    code = "import musiclab.show, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    slow = {
        "tensorflow",
        "keras",
        "verovio",
        "matplotlib",
        "music21",
        "pretty_midi",
        "soundfile",
        "IPython",
        "PIL",
    }
    assert not slow & set(loaded)
