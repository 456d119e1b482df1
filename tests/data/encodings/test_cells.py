"""Cells of voices and 8ths: round trips, form and mood by hand, wishes, what is locked."""

import numpy as np
import pytest

from musiclab.data import Piece, load_chorales
from musiclab.data.encodings import cells
from musiclab.data.encodings.eighth_grid import on_eighths


def test_every_chorale_comes_back():
    for piece in load_chorales("valid", by="melody"):
        grid = on_eighths(piece)
        back = cells.cells_to_piece(cells.encode_cells(piece), grid)
        np.testing.assert_array_equal(back.voices, grid.voices)
        np.testing.assert_array_equal(back.onsets[1:], grid.onsets[1:])


def test_form_by_hand():
    piece = Piece([[60]] * 12, pickup=4, fermatas=np.arange(12) == 8)
    form = cells.encode_form(piece)
    assert form[:, 0].tolist() == [0, 1, 0, 1, 0, 1]  # off the beat
    assert form[:, 1].tolist() == [3, 3, 0, 0, 1, 1]  # beat: the pickup is the fourth
    assert form[:, 2].tolist() == [0, 0, 1, 0, 0, 0]  # downbeat
    assert form[:, 4].tolist() == [4, 3, 2, 1, 0, 9]  # 8ths until the fermata
    assert form[:, 5].tolist() == form[:, 4].tolist()  # all of it is the last phrase
    assert cells.bar_edges(form) == [0, 2, 6]


def test_mood_by_hand():
    voices = np.array([[72, 67, 64, 60]] * 4 + [[72, 71, 64, 60]] * 4)
    piece = Piece(voices, np.arange(8)[:, None] % 4 == np.array([[0, 0, 0, 0]]), mode="minor")
    x, form = cells.encode_cells(piece), cells.encode_form(piece)
    # three lower voices strike on 2 of 4 8ths: 0.5; 71 against 72 and 60 on 2 of 4: 4 of 24 pairs
    assert cells.density_and_tension(x, form) == pytest.approx(np.array([[0.5, 4 / 24]]))
    assert cells.encode_mood(piece, x, form)[0].tolist() == [2, 3, 2]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"density": 5}, "density 5: need integers 0"),
        ({"tension": [1, 2, 3]}, "3 numbers for tension: need one, or one for each of 2 bars"),
        ({"tension": 0.5}, "tension 0.5: need integers"),
        ({"mode": "dorian"}, "mode 'dorian'"),
    ],
)
def test_wishes_that_cannot_be_told(wish, message):
    with pytest.raises(ValueError, match=message):
        cells.told_mood(cells.encode_form(Piece([[60]] * 32)), **wish)


def test_what_is_not_free_stays_at_its_own_16ths():
    voices = np.array([[72, 67, 64, 60]] * 8)
    voices[1, 0] = 74  # a 16th that the grid of 8ths does not have
    piece, free = Piece(voices), np.zeros((4, 4), bool)
    free[1:3, 2] = True
    new = np.full((4, 4), 62 - cells.LOW + 1)
    written = cells.cells_to_piece(new, piece, free)
    assert written.voices[:, 2].tolist() == [64, 64, 62, 62, 62, 62, 64, 64]
    assert written.onsets[:, 2].tolist() == [True, False, True, False, False, False, True, False]
    np.testing.assert_array_equal(written.voices[:, [0, 1, 3]], voices[:, [0, 1, 3]])


def test_bad_pieces_are_named():
    with pytest.raises(ValueError, match="reaches from MIDI pitch 20"):
        cells.encode_cells(Piece([[20]]))
    with pytest.raises(ValueError, match="has 2 voices: need a melody, or four"):
        cells.four_voices(Piece([[60, 55]]))
    with pytest.raises(ValueError, match=r"need \(2, 4\)"):
        cells.cells_to_piece(np.zeros((3, 4), int), Piece([[60]] * 4))
