from fractions import Fraction

import numpy as np
import pytest

from musiclab.data.files.note_grid import MAX_VOICES, lay_out, metre_of, to_grid, voice_order
from musiclab.data.files.parsed import MAX_STEPS, Bar, Note, ParsedMusic, ParsedNote, ParsedPart
from musiclab.data.files.storage import DataError


def note(start, stop, pitch, where=""):
    return Note(
        start, stop, pitch, ParsedNote(start, stop, pitch, spelling=pitch % 12, where=where)
    )


def music(*spans, steps=16, **attributes):
    """One part of (start, stop, pitch), times in steps."""
    notes = [
        ParsedNote(Fraction(a), Fraction(b), pitch, where="Alto, bar 1") for a, b, pitch in spans
    ]
    bars = [Bar(Fraction(steps), Fraction(16), 4)]
    return ParsedMusic([ParsedPart("", notes)], bars, **attributes)


def test_notes_are_laid_out():
    arrays = lay_out([[note(0, 3, 60), note(3, 4, 60)], [note(1, 2, 48)]], 5)
    voices, onsets, spelling, velocity = arrays
    assert [a.dtype for a in arrays] == [np.int16, bool, np.int8, np.int8]
    assert voices.tolist() == [[60, -1], [60, 48], [60, -1], [60, -1], [-1, -1]]
    assert onsets[:, 0].tolist() == [True, False, False, True, False]
    assert spelling[:, 0].tolist() == [0, 0, 0, 0, -128]
    assert not velocity.any()


@pytest.mark.parametrize(
    ("voices", "message"),
    [
        ([[note(0, 1, 60)]] * (MAX_VOICES + 1), "33 voices"),
        ([[note(0, 3, 60), note(2, 4, 62, "Alto, bar 7")]], "Alto, bar 7: two notes at once"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(voices, message):
    with pytest.raises(DataError, match=message):
        lay_out(voices, 4)


@pytest.mark.parametrize(
    ("parsed", "message"),
    [
        (music(), "no notes"),
        (music(drums=3), "all its notes are drums"),
        (music((0, 1, 60), steps=MAX_STEPS + 1), "65537 steps"),
    ],
)
def test_what_is_empty_or_endless_is_refused(parsed, message):
    with pytest.raises(DataError, match=message):
        to_grid(parsed)


def test_voices_are_ordered_by_name_or_by_median_pitch():
    low, high, none = [note(0, 1, 40)], [note(0, 1, 80)], []
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


def test_triplets_are_rounded_and_the_report_says_so():
    third = Fraction(4, 3)
    piece = to_grid(music((0, third, 60), (third, 2 * third, 62), (2 * third, 4, 64), (4, 8, 65)))
    assert piece.voices[:8, 0].tolist() == [60, 62, 62, 64, 65, 65, 65, 65]
    assert np.flatnonzero(piece.onsets[:, 0]).tolist() == [0, 1, 3, 4]
    report = piece.report
    assert (report.moved, round(report.median, 2), round(report.largest, 2)) == (2, 0.33, 0.33)
    assert (report.resized, report.dropped, report.voices, report.unchanged) == (1, 0, 1, False)
    assert "2 onsets rounded to the grid of 16ths: median 0.33, largest 0.33" in str(report)


def test_notes_on_the_grid_are_not_changed():
    piece = to_grid(music((0, 3, 60), (4, 8, 62), (8, 9, 64)))
    assert piece.report.unchanged
    assert str(piece.report) == "3 notes in 1 part, read as 1 voice."


def test_of_notes_too_fast_for_the_grid_one_in_each_step_is_kept():
    half = Fraction(1, 2)
    trill = [(i * half, (i + 1) * half, 60 + i % 2) for i in range(8)]
    piece = to_grid(music(*trill, steps=8))
    assert piece.report.dropped == 8 - int(piece.onsets.sum())
    assert 4 <= piece.onsets.sum() < 8
    assert piece.voices.shape == (8, 1)


def test_chords_in_all_three_ways():
    chord = [(0, 4, 60), (0, 4, 64), (4, 8, 62)]
    assert to_grid(music(*chord)).voices[::4].tolist()[:2] == [[64, 60], [62, -1]]
    top = to_grid(music(*chord), chords="top")
    assert (top.voices[::4, 0].tolist()[:2], top.report.dropped) == ([64, 62], 1)
    with pytest.raises(DataError, match=r'Alto, bar 1: two notes at once.*chords="voices"'):
        to_grid(music(*chord), chords="refuse")


def test_notes_that_double_one_another_are_merged():
    piece = to_grid(music((0, 4, 60), (0, 6, 60), (4, 8, 64)))
    assert (piece.report.merged, piece.report.voices) == (1, 2)
    assert piece.voices[5].tolist() == [64, 60]


def test_more_voices_than_can_be_read_lose_those_with_fewest_notes():
    parts = [ParsedPart("", [ParsedNote(Fraction(i % 2), Fraction(4), 40 + i)]) for i in range(34)]
    parts[0].notes.append(ParsedNote(Fraction(4), Fraction(5), 40))
    parsed = ParsedMusic(parts, [Bar(Fraction(16), Fraction(16), 4)])
    piece = to_grid(parsed)
    assert (piece.voices.shape[1], piece.report.dropped) == (MAX_VOICES, 2)
    assert 40 in piece.voices


def test_a_bar_of_hundreds_of_beats_stays_countable():
    bars = [Bar(Fraction(1600), Fraction(16), 4)]
    parsed = ParsedMusic([ParsedPart("", [ParsedNote(Fraction(0), Fraction(1600), 60)])], bars)
    assert to_grid(parsed).beat.max() == 127
