"""Every shipped note is what a second, independent reader of its source finds."""

import os
import shutil
from fractions import Fraction

import pytest

from tests.data.corpora import second_readers


def test_all_tunes_against_abc2midi():
    """All 1,059 tunes of the collection; what differs is listed, and what is listed differs."""
    if not shutil.which("abc2midi"):
        if os.environ.get("CI"):
            pytest.fail("continuous integration must install abc2midi (Debian package abcmidi)")
        pytest.skip("abc2midi is not installed (Debian package abcmidi)")
    count, found = second_readers.tune_disagreements()
    known = second_readers.listed()
    assert count == 1059
    assert found["shipped"] == []
    for kind in ("refused", "notes", "staccato"):
        assert sorted(found[kind]) == sorted(known[kind]), kind


def test_all_chorales_against_the_xml_of_their_files():
    assert second_readers.chorale_disagreements() == (404, [])


def test_each_disagreement_says_who_is_right_and_why():
    for kind, names in second_readers.listed().items():
        for entry in names.values():
            assert entry["right"] in ("musiclab", "abc2midi", "neither"), kind
            assert len(entry["why"]) > 40


def test_what_abc2midi_is_given_keeps_the_notes():
    text = 'X:1\nR:hornpipe\nK:D\n|:"T"A>.B !trill!TA2::~c2[M:3/4]|1 d4:|2 "x:|"[ce]4|]\n2 f2 =20'
    assert second_readers.plain(text) == (
        'X:1\nK:D\n|"T"A>B !trill!A2|c2[M:3/4]| d4| "x:|"[ce]4|\n| f2 '
    )


@pytest.mark.parametrize(
    "change", [(1, 0, 0), (0, 1, 0), (0, 0, 1)], ids=["onset", "length", "pitch"]
)
def test_one_wrong_note_is_a_disagreement(change):
    notes = [(Fraction(0), Fraction(2), 60), (Fraction(2), Fraction(4), 62)]
    moved = [notes[0], tuple(a + b for a, b in zip(notes[1], change))]
    assert second_readers.same(notes, notes)
    assert not second_readers.same(notes, moved)
    assert not second_readers.same(notes, notes[:1])
