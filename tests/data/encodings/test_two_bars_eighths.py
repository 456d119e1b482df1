"""Two bars as rows of one-hot symbols: quantised, encoded, normalised, and back."""

import numpy as np
import pytest

from musiclab.data import Piece, load_chorales, to_common_key, windows
from musiclab.data.encodings.eighth_grid import on_eighths
from musiclab.data.encodings.two_bars_eighths import (
    LOWEST,
    SYMBOLS,
    from_rows,
    from_windows,
    load_eighth_bars,
    to_pieces,
    to_rows,
)
from musiclab.metrics import hold_rate

VALID = load_eighth_bars("valid")


def test_a_bar_by_hand():
    voices = np.tile(np.int16([60, 55, 48, 39]), (1, 32, 1))
    onsets = np.zeros((1, 32, 4), bool)
    onsets[0, 0] = True
    voices[0, 4:6, 3] = -1
    voices[0, 6:, 3], onsets[0, 6, 3] = 41, True
    symbols = from_windows(voices, onsets)
    assert symbols[0, :4].tolist() == [[3, 2, 3, 2], [1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 4]]
    piece = to_pieces(symbols)[0]
    np.testing.assert_array_equal(piece.voices, voices[0])
    np.testing.assert_array_equal(piece.onsets, onsets[0])


def test_on_eighths_nothing_is_lost_but_what_leaves_the_range():
    real = [on_eighths(to_common_key(piece)) for piece in load_chorales("valid", by="melody")]
    voices, onsets = windows(real)
    offset = voices - np.array(LOWEST)
    inside = ((voices < 0) | ((offset >= 0) & (offset < SYMBOLS - 2))).all(axis=(1, 2))
    pieces = to_pieces(VALID)
    assert len(pieces) == inside.sum() > 0.7 * len(voices)
    np.testing.assert_array_equal([p.voices for p in pieces], voices[inside])
    np.testing.assert_array_equal([p.onsets for p in pieces], onsets[inside])
    assert hold_rate(pieces) == pytest.approx(
        hold_rate([Piece(*w) for w in zip(voices[inside], onsets[inside])])
    )


def test_rows_are_one_hot_and_lead_back():
    rows = to_rows(VALID)
    assert rows.shape == (len(VALID), 16 * 4 * 26)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.reshape(-1, 26).sum(axis=1), 1)
    np.testing.assert_array_equal(from_rows(rows), VALID)
    assert rows[0].argmax() == VALID[0, 0, 0]
    assert rows[0, 26:52].argmax() == VALID[0, 0, 1]  # voice after voice, then step after step


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: from_windows(np.zeros((1, 16, 4)), np.zeros((1, 16, 4))),
            r"need both \(N, 32, 4\)",
        ),
        (lambda: to_rows(np.zeros((1, 8, 4), int)), r"need integers \(N, 16, 4\)"),
        (lambda: to_rows(np.full((1, 16, 4), 26)), "from 0 to 25"),
        (lambda: to_pieces(np.zeros((0, 16, 4), int)), "at least one"),
        (lambda: from_rows(np.zeros((1, 1600))), r"need \(N, 1664\)"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
