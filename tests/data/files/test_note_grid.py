import numpy as np
import pytest

from musiclab.data.files.note_grid import (
    MAX_STEPS,
    MAX_VOICES,
    Bar,
    Note,
    lay_out,
    metre_of,
    voice_order,
)
from musiclab.data.files.storage import DataError


def test_notes_are_laid_out_and_ties_merged():
    notes = [Note(0, 2, 60, 0), Note(2, 3, 60, 0, tied=True), Note(3, 4, 60, 12)]
    voices, onsets, spelling = lay_out([notes, [Note(1, 2, 48, 0)]], 5)
    assert (voices.dtype, onsets.dtype, spelling.dtype) == (np.int16, bool, np.int8)
    assert voices.tolist() == [[60, -1], [60, 48], [60, -1], [60, -1], [-1, -1]]
    assert onsets[:, 0].tolist() == [True, False, False, True, False]
    assert spelling[:, 0].tolist() == [0, 0, 0, 12, -128]


@pytest.mark.parametrize(
    "notes", [[Note(1, 2, 60, tied=True)], [Note(0, 1, 62), Note(1, 2, 60, tied=True)]]
)
def test_a_tie_from_nothing_or_from_another_pitch_is_an_onset(notes):
    assert lay_out([notes], 2)[1][1, 0]


@pytest.mark.parametrize(
    ("voices", "steps", "message"),
    [
        ([[]], 4, "no notes"),
        ([[Note(0, 1, 60)]], MAX_STEPS + 1, "65537 steps"),
        ([[Note(0, 1, 60)]] * (MAX_VOICES + 1), 1, "33 voices"),
        (
            [[Note(0, 3, 60), Note(2, 4, 62, where="Alto, bar 7")]],
            4,
            "Alto, bar 7: two notes at once",
        ),
    ],
)
def test_what_cannot_be_laid_out_is_refused(voices, steps, message):
    with pytest.raises(DataError, match=message):
        lay_out(voices, steps)


def test_voices_are_ordered_by_name_or_by_median_pitch():
    low, high, none = [Note(0, 1, 40)], [Note(0, 1, 80)], []
    assert voice_order(["Bass", "soprano", "Tenor"], [high, none, low]) == [1, 2, 0]
    assert voice_order(["Voice 2", "Voice 1"], [high, low]) == [1, 0]
    assert voice_order(["Cello", "Flute", "Harp"], [low, high, none]) == [1, 0]
    assert voice_order(["Bass", "Bass", "Flute"], [low, high, none]) == [1, 0]


def test_bars_cut_in_two_count_as_one_unless_taken_literally():
    bars = [
        Bar(4, 16, 4),
        Bar(16, 16, 4),
        Bar(12, 16, 4),
        Bar(4, 16, 4),
        Bar(16, 16, 4),
        Bar(12, 16, 4),
    ]
    starts = [0, 4, 20, 32, 36, 52, 64]
    metre = metre_of(bars, starts, literal=False)
    assert (metre["pickup"], np.flatnonzero(metre["downbeats"]).tolist()) == (4, [4, 20, 36, 52])
    assert metre["beat"][[0, 3, 4, 31, 32, 35, 36]].tolist() == [3, 3, 0, 2, 3, 3, 0]
    literal = metre_of(bars, starts, literal=True)
    assert (literal["pickup"], np.flatnonzero(literal["downbeats"]).tolist()) == (
        0,
        [0, 4, 20, 32, 36, 52],
    )


def test_an_unnumbered_first_bar_is_a_pickup_even_when_literal():
    metre = metre_of([Bar(4, 16, 4, unnumbered=True), Bar(16, 16, 4)], [0, 4, 20], literal=True)
    assert (metre["pickup"], np.flatnonzero(metre["downbeats"]).tolist()) == (4, [4])
