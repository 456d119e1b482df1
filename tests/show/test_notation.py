"""The engraving is read as a musician reads it, clef, lines, accidentals and all: it must say what the piece says."""

import hashlib
import re
import subprocess
import sys
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from musiclab.data import Piece
from musiclab.data.files.musicxml import to_stream
from musiclab.show import score

# how the outline of each glyph begins
CLEFS = {"M318 176c": ("G", 4), "M275-84c-": ("G", 3), "M419 86c0": ("F", 3)}
ACCIDENTALS = {"M98-134v-": 1, "M14-79c23": -1, "M0 135v-3": 0, "M0-86h53v": 2, "M202-76c-": -2}
LETTERS = "CDEFGAB"
SEMITONES = dict(zip(LETTERS, (0, 2, 4, 5, 7, 9, 11)))


def drawings(shown):
    """The wide and the narrow engraving."""
    return [
        ElementTree.fromstring(svg)
        for svg in re.findall(r'<svg viewBox="0 0 \d+ \d+".*?</svg></svg>', shown.html)
    ]


def kind(element):
    return (element.get("class") or "").split()[0] if element.get("class") else ""


def of_class(parent, name):
    return [element for element in parent.iter("g") if kind(element) == name]


def place(path):
    """Where a glyph stands."""
    return tuple(float(n) for n in re.findall(r"-?[\d.]+", path.get("transform"))[:2])


def accidental(path):
    return next(alter for start, alter in ACCIDENTALS.items() if path.get("d").startswith(start))


def key_alter(letter, fifths):
    """What a key signature does to a letter."""
    order = "FCGDAEB"
    return (
        int(letter in order[:fifths])
        if fifths > 0
        else -int(fifths < 0 and letter in order[fifths:])
    )


def tie_owner(tie, measure):
    """Label of the notehead that a tie starts from: the nearest to its left; None if it is on the line above."""
    from_x, from_y = map(float, re.match(r"M(\S+?)[ ,](\S+)", tie.find("path").get("d")).groups())
    off = {}
    for note in of_class(measure, "note"):
        x, y = place(note.find("path"))
        if -50 < from_x - x < 700:
            off[note.get("data-at")] = abs(from_x - x) + abs(from_y - y)
    nearest = min(off, key=off.get, default=None)
    return nearest if nearest and off[nearest] < 700 else None


def read(svg):
    """What a drawing says: {(step, voice): (MIDI pitch, letter, x)} and the noteheads from which a tie leads on.

    Only the place of a head in time comes from its label; its pitch is read off the picture.
    """
    heads, tied, clefs, signatures, carried = {}, set(), {}, {}, {}
    for measure in of_class(svg, "measure"):
        leading = {tie_owner(tie, measure) for tie in of_class(measure, "tie")}
        for voice, staff in enumerate(of_class(measure, "staff")):
            top, *_, bottom = lines = [
                float(y) for y in re.findall(r"M\S+ (\d+)H", staff.find("path").get("d"))
            ]
            assert len(lines) == 5, "a staff has five lines"
            half = (bottom - top) / 8
            for clef in of_class(staff, "clef"):
                path = clef.find("path")
                letter, octave = next(
                    v for start, v in CLEFS.items() if path.get("d").startswith(start)
                )
                clefs[voice] = (
                    LETTERS.index(letter) + 7 * octave + round((place(path)[1] - top) / half)
                )
            for signature in of_class(staff, "keySig"):
                signatures[voice] = sum(accidental(path) for path in signature.iter("path"))
            in_bar = {}
            for note in of_class(staff, "note"):
                x, y = place(note.find("path"))
                degree = clefs[voice] - round((y - top) / half)
                for sign in of_class(note, "accid"):
                    in_bar[degree] = accidental(sign.find("path"))
                letter = LETTERS[degree % 7]
                alter = in_bar.get(degree, key_alter(letter, signatures.get(voice, 0)))
                alter = carried.pop((voice, degree), alter) if degree not in in_bar else alter
                step, on = (int(n) for n in note.get("data-at").split(","))
                assert on == voice
                heads[step, voice] = (
                    12 * (degree // 7) + 12 + SEMITONES[letter] + alter,
                    letter,
                    x,
                )
                if note.get("data-at") in leading:
                    tied.add((step, voice))
                    carried[voice, degree] = alter
    return heads, tied


def assert_says(svg, piece):
    """The drawing has every note of the piece, right in pitch, letter, order and ties, and nothing else."""
    heads, tied = read(svg)
    for (step, voice), (pitch, letter, _) in heads.items():
        assert pitch == piece.voices[step, voice], f"step {step}, voice {voice}"
        if piece.spelling[step, voice] > -128:
            assert letter == "FCGDAEB"[(piece.spelling[step, voice] + 1) % 7], (
                f"step {step}, voice {voice}"
            )
    onsets = {(int(step), int(voice)) for step, voice in np.argwhere(piece.onsets)}
    assert onsets <= set(heads)
    for voice in range(piece.voices.shape[1]):
        steps = sorted(step for step, v in heads if v == voice)
        leading = {(a, voice) for a, b in pairwise(steps) if (b, voice) not in onsets}
        assert leading == {place for place in tied if place[1] == voice}


@pytest.mark.parametrize("which", [0, 1])
def test_the_engraving_says_what_a_chorale_says(chorales, which):
    for svg in drawings(score(chorales[which])):
        assert_says(svg, chorales[which])


def test_the_reader_of_these_tests_sees_a_wrong_note(small):
    voices = small.voices.copy()
    voices[16:20, 0] = 65  # F natural for F sharp
    wrong = small.with_(voices=voices, spelling=np.where(voices == 65, -1, small.spelling))
    with pytest.raises(AssertionError, match="step 16, voice 0"):
        assert_says(drawings(score(wrong))[0], small)


def test_accidentals_ties_pickup_rests_and_repeats_of_a_small_piece(small):
    for svg in drawings(score(small)):
        assert_says(svg, small)
        heads, tied = read(svg)
        assert heads[12, 0][:2] == (73, "C")  # by accidental
        assert heads[16, 0][:2] == (66, "F")  # by key signature
        assert heads[28, 0][:2] == (65, "F")  # back by natural
        assert (20, 0) in heads  # struck again
        assert (0, 1) in tied  # over the bar line at step 4
        assert len(of_class(svg, "measure")) == 3  # pickup and two bars
        assert len(of_class(svg, "rest")) == 1
        assert len(of_class(svg, "fermata")) == 1


@pytest.mark.parametrize("fifths", [-6, -3, 0, 4, 7])
def test_random_music_reads_back_in_any_key(fifths):
    rng = np.random.default_rng(fifths + 10)
    voices = np.repeat(rng.integers([60, 55, 48, 38], [82, 72, 67, 62], size=(24, 4)), 2, axis=0)
    piece = Piece(np.where(rng.random(voices.shape) < 0.1, -1, voices), key_signature=fifths)
    for svg in drawings(score(piece)):
        assert_says(svg, piece)


def test_fermatas_stand_on_every_voice_that_starts_a_note(chorales):
    for chorale in chorales:
        expected = sum(
            max(1, int(chorale.onsets[step].sum())) for step in np.flatnonzero(chorale.fermatas)
        )
        assert [len(of_class(svg, "fermata")) for svg in drawings(score(chorale))] == [
            expected,
            expected,
        ]


def test_notes_that_sound_together_stand_above_each_other(chorales):
    for system in of_class(drawings(score(chorales[0]))[0], "system"):
        columns = {}
        for (step, _), (_, _, x) in read(system)[0].items():
            columns.setdefault(step, []).append(x)
        assert all(
            max(xs) - min(xs) < 300 for xs in columns.values()
        )  # a second moves a head aside by its width
        means = [np.mean(columns[step]) for step in sorted(columns)]
        assert means == sorted(means)


def test_highlighting_marks_exactly_those_notes_and_all_they_are_tied_to(small):
    shown = score(small, highlight=[(2, 1), (16, 0)])
    for svg in drawings(shown):
        notes = of_class(svg, "note")
        marked = {note.get("data-at") for note in notes if "marked" in note.get("class")}
        # the bass is one note of eight steps over the bar line
        assert marked == {"0,1", "4,1", "16,0"}
        for note in notes:
            rings = note.findall("ellipse[@fill='none']")
            assert len(rings) == ("marked" in note.get("class"))
            assert (note.get("color") == "#d55e00") == ("marked" in note.get("class"))
            for ring in rings:  # around the head
                x, y = place(note.find("path"))
                assert float(ring.get("cy")) == y
                assert abs(float(ring.get("cx")) - x) < 200
    assert "2 notes marked" in repr(shown)
    assert "marked" not in repr(score(small))


def test_a_ring_leaves_room_for_the_accidental():
    for svg in drawings(score(Piece([[66]] * 4, spelling=[[6]] * 4), highlight=[(0, 0)])):
        (note,) = of_class(svg, "note")
        ring = note.find("ellipse")
        x, _ = place(note.find("g[@class='accid']/path"))
        assert float(ring.get("cx")) - float(ring.get("rx")) < x - 50


@pytest.mark.parametrize("highlight", [[(24, 0)], [(0, 2)], [(99, 0)], [(0, -1)], [5], ["ab"]])
def test_highlighting_what_is_no_note_is_refused(small, highlight):
    with pytest.raises(ValueError, match="highlight"):
        score(small, highlight=highlight)


def test_no_ids_so_none_is_shared_by_two_scores(small, chorales):
    page = score(small).html + score(small).html + score(chorales[0]).html
    assert not re.search(r"\s(xml:)?id=", page)
    assert not re.search(r"href=|url\(", page)


def test_same_music_same_bytes_in_another_process():
    code = (
        "import hashlib; from musiclab import show; "
        "print(hashlib.sha256(show.score([60, 60, 62, 67] * 4, highlight=[(0, 0)]).html.encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    here, again = (score([60, 60, 62, 67] * 4, highlight=[(0, 0)]).html.encode() for _ in range(2))
    assert here == again
    assert hashlib.sha256(here).hexdigest() == other


def test_the_description_says_what_a_reader_must_know(chorales):
    chorale = next(c for c in chorales if c.bwv == "bwv66.6")
    shown = score(chorale, title='The <first> & "best"')
    label = unescape(re.search(r'role="img" aria-label="([^"]*)"', shown.html)[1])
    assert label == repr(shown)[1:-1]
    for part in ('The <first> & "best"', "F sharp minor", "4/4", "bars", "4 voices", "F♯2 to E5"):
        assert part in label
    assert "<first>" not in shown.html


def test_max_bars_keeps_the_pickup_and_says_so(small):
    shown = score(small, max_bars=1)
    assert {len(of_class(svg, "measure")) for svg in drawings(shown)} == {2}
    assert "first 1 of 2 bars" in repr(shown)
    assert repr(score(small, max_bars=9)) == repr(score(small))
    with pytest.raises(ValueError, match="max_bars is 0"):
        score(small, max_bars=0)


def test_a_music21_stream_is_engraved_as_the_piece_it_came_from(small):
    assert read(drawings(score(to_stream(small)))[0]) == read(drawings(score(small))[0])


def test_a_stream_of_bare_notes_is_engraved():
    from music21 import converter

    heads, _ = read(drawings(score(converter.parse("tinyNotation: 4/4 c'4 d' e'2 f'1")))[0])
    assert {place: head[0] for place, head in heads.items()} == {
        (0, 0): 72,
        (4, 0): 74,
        (8, 0): 76,
        (16, 0): 77,
    }
    flat = converter.parse("tinyNotation: 4/4 c'4 d' e'2 f'1").flatten()
    assert {place: head[0] for place, head in read(drawings(score(flat))[0])[0].items()} == {
        place: head[0] for place, head in heads.items()
    }


def test_rolls_and_silence_are_engraved_too():
    roll = np.zeros((16, 88), np.float32)
    roll[:, [60 - 21, 64 - 21]] = 1
    heads, _ = read(drawings(score(roll))[0])
    assert {place: head[0] for place, head in heads.items()} == {(0, 0): 64, (0, 1): 60}
    assert "rests only" in repr(score([-1] * 16))


def test_it_takes_the_colour_of_the_page(small):
    shown = score(small)
    assert "color:var(--jp-content-font-color1,inherit)" in shown.html
    colours = set(re.findall(r'(?:fill|stroke|color)="([^"]*)"', shown.html))
    assert colours <= {"currentColor", "none"}


def test_a_chorale_is_small_enough_for_a_page(chorales):
    assert all(len(score(chorale).html.encode()) < 300_000 for chorale in chorales)


@pytest.mark.parametrize(
    "wrong", ["a string", None, {}, [[1, 2], [3]], np.zeros((4, 12)), np.full((4, 88), np.nan)]
)
def test_what_is_no_music_is_refused(wrong):
    with pytest.raises(ValueError, match=r"music|roll"):
        score(wrong)


def test_names_of_voices_fit_the_room_left_of_the_staves(chorales):
    for svg in drawings(score(chorales[0])):
        offset = int(re.search(r"translate\((\d+)", svg.find(".//g").get("transform"))[1])
        names = [text for text in svg.iter("text") if text.get("text-anchor") == "end"]
        assert "".join(names[0].itertext()) == "Soprano"
        for name in names:  # browsers give a text this length, whatever the font
            assert name.get("lengthAdjust") == "spacingAndGlyphs"
            assert 0 < float(name.get("textLength")) <= float(name.get("x")) + offset


def test_no_bounding_box_of_verovio_is_left(chorales):
    html = score(chorales[0]).html
    assert "bounding-box" not in html
    assert "transparent" not in html
