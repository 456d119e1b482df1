import os
import re
import tempfile
import xml.etree.ElementTree as ET
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from musiclab.data.corpora.chorales import load_chorales
from musiclab.data.files.midi import midi_bytes, piece_from_midi
from musiclab.data.files.musicxml import musicxml_bytes, to_stream, voice_names, write_musicxml
from musiclab.data.files.reading import read_music
from musiclab.data.files.scores import piece_from_stream
from musiclab.data.piece import Piece
from tests.strategies import pieces

SOUND = ("voices", "onsets", "key_signature", "downbeats", "beat", "pickup", "time_signature")
SCORE = (*SOUND, "spelling", "fermatas", "tonic", "mode")
UNHURRIED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def differing(a, b, names):
    return [name for name in names if not np.array_equal(getattr(a, name), getattr(b, name))]


@given(pieces())
@UNHURRIED
def test_everything_comes_back_from_musicxml(tmp_path_factory, piece):
    file = tmp_path_factory.mktemp("round") / "untitled.musicxml"
    write_musicxml(piece, file)
    assert differing(piece, read_music(file), (*SCORE, "name")) == []


@given(pieces())
@UNHURRIED
def test_everything_comes_back_from_a_stream(piece):
    assert differing(piece, piece_from_stream(to_stream(piece)), (*SCORE, "name")) == []


ALTER = {
    "double-flat": -2,
    "flat-flat": -2,
    "flat": -1,
    "natural": 0,
    "sharp": 1,
    "double-sharp": 2,
    None: None,
}


@given(pieces())
@UNHURRIED
def test_printed_accidentals_say_every_alteration_once(piece):
    by_key = {letter: (piece.key_signature - i + 6) // 7 for i, letter in enumerate("FCGDAEB")}
    for measure in xml(piece).findall("part/measure"):
        said = {}
        for note in measure.findall("note[pitch]"):
            place = (note.findtext("pitch/step"), note.findtext("pitch/octave"))
            printed, alter = (
                ALTER[note.findtext("accidental")],
                int(note.findtext("pitch/alter", "0")),
            )
            if any(tied.get("type") == "stop" for tied in note.iter("tie")):
                assert printed is None
                continue
            assert printed == (None if said.get(place, by_key[place[0]]) == alter else alter)
            said[place] = alter


def everything_returns(chorale):
    """What of a chorale did not survive the two kinds of file."""
    raw = musicxml_bytes(chorale)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "chorale.musicxml")
        file.write_bytes(raw)
        lost = differing(chorale, read_music(file), SCORE)
    return [f"{chorale.bwv} {name}" for name in lost]


@pytest.mark.slow
def test_every_chorale_comes_back_from_musicxml():
    # two processes: music21 takes a quarter of a second for each; spawned: a forked one inherits
    # what others loaded
    with ProcessPoolExecutor(min(2, os.cpu_count()), mp_context=get_context("spawn")) as pool:
        lost = [
            name
            for names in pool.map(everything_returns, load_chorales(), chunksize=20)
            for name in names
        ]
    assert lost == []


def test_every_chorale_comes_back_from_midi():
    for chorale in load_chorales():
        assert differing(chorale, piece_from_midi(midi_bytes(chorale)), SOUND) == [], chorale.bwv


def xml(piece):
    return ET.fromstring(musicxml_bytes(piece))


def test_bars_ties_and_values_by_hand():
    # a quarter of pickup, then five 16ths that start on the last 16th of a beat and cross no bar
    pitches = [60] * 4 + [62] * 3 + [64] * 5 + [65] * 10 + [-1] * 2
    root = xml(Piece(pitches, pickup=4))
    measures = root.findall("part/measure")
    assert [(m.get("number"), m.get("implicit")) for m in measures] == [
        ("0", "yes"),
        ("1", "no"),
        ("2", "no"),
    ]
    quarter = int(root.findtext(".//divisions"))
    values = [
        [
            (n.findtext("pitch/step"), int(n.findtext("duration")) * 4 // quarter)
            for n in m.iter("note")
        ]
        for m in measures
    ]
    assert values == [[("C", 4)], [("D", 3), ("E", 1), ("E", 4), ("F", 8)], [("F", 2), (None, 2)]]
    ties = [[t.get("type") for t in n.iter("tie")] for n in root.iter("note")]
    assert ties == [[], [], ["start"], ["stop"], ["start"], ["stop"], []]
    assert len(root.findall(".//time")) == 1


def test_an_irregular_bar_keeps_its_length_without_a_new_time_signature():
    downbeats = np.zeros(44, bool)
    downbeats[[0, 16, 28]] = True
    piece = Piece(np.full(44, 60), downbeats=downbeats)
    score = to_stream(piece)
    lengths = [measure.highestTime for measure in score.parts[0].getElementsByClass("Measure")]
    assert lengths == [4.0, 3.0, 4.0]
    assert len(list(score.recurse().getElementsByClass("TimeSignature"))) == 1


def test_another_beat_is_another_time_signature_there_and_back():
    beat = [*np.arange(16) // 4, *np.arange(24) // 8, *np.arange(16) // 4]
    downbeats = np.isin(np.arange(56), [0, 16, 40])
    piece = Piece(np.full(56, 60), downbeats=downbeats, beat=beat)
    times = [f"{t.findtext('beats')}/{t.findtext('beat-type')}" for t in xml(piece).iter("time")]
    assert times == ["4/4", "3/2", "4/4"]
    for back in (piece_from_stream(to_stream(piece)), piece_from_midi(midi_bytes(piece))):
        assert differing(piece, back, ("downbeats", "beat")) == []


def test_a_fermata_stands_where_a_note_starts_or_on_the_highest_held_note():
    fermatas = np.zeros(8, bool)
    fermatas[[2, 5]] = True
    root = xml(Piece([[60, 48]] * 2 + [[60, 50]] * 6, fermatas=fermatas))
    upper, lower = (
        [n.find(".//fermata") is not None for n in part.iter("note")]
        for part in root.findall("part")
    )
    assert lower == [False, True]  # the lower voice starts a note at step 2
    assert upper == [False, False, True]  # nobody does at 5: five 16ths are 4 + 1, then the mark


def test_parts_clefs_and_names():
    score = to_stream(Piece(np.tile([72, 67, 60, 48], (16, 1))))
    assert [part.partName for part in score.parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    clefs = [part.recurse().getElementsByClass("Clef").first().name for part in score.parts]
    assert clefs == ["treble", "treble", "treble8vb", "bass"]
    assert voice_names(1) == ["Melody"]
    low = to_stream(Piece(np.full((16, 1), 40)))
    assert low.recurse().getElementsByClass("Clef").first().name == "bass"


def test_a_mode_is_written_only_where_it_is_known():
    dorian = Piece(np.full(16, 62), tonic=2, mode="minor", key_signature=0, key_method="file")
    assert xml(dorian).findtext(".//key/mode") == "dorian"
    assert xml(dorian.with_(key_method="unknown")).findtext(".//key/mode") is None


def test_the_same_bytes_each_time_and_no_date():
    piece = Piece([[60, 64], [62, 65]], name="twice")
    assert musicxml_bytes(piece) == musicxml_bytes(piece)
    assert not re.search(rb"encoding-date|20\d\d-", musicxml_bytes(piece))


def test_a_spelling_that_is_not_the_pitch_is_named():
    with pytest.raises(ValueError, match="step 1, voice 0: spelling 1"):
        to_stream(Piece([60, 62], spelling=[[0], [1]]))


def test_unspelled_notes_are_spelled_by_the_key():
    root = xml(Piece([61], key_signature=-4))
    assert (root.findtext(".//pitch/step"), root.findtext(".//pitch/alter")) == ("D", "-1")
