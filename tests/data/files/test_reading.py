import io
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musiclab.data.files.midi import midi_bytes
from musiclab.data.files.musicxml import musicxml_bytes
from musiclab.data.files.reading import read_music
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece

PIECE = Piece([[60, 55]] * 4 + [[62, -1]] * 4 + [[62, 57]] * 8)
XML = musicxml_bytes(PIECE)
NOTE = b"<note><pitch><step>C</step><octave>4</octave></pitch><duration>2520</duration></note>"
CONTAINER = b'<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
ABC = b"X:1\nT:Air\nM:4/4\nL:1/8\nK:Ador\nA|ABcd e2e2|{g}f2 ^g2 a4:|\n"


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(
                {"container": "META-INF/container.xml"}.get(name, f"{name}.xml"), content
            )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.mid", midi_bytes(PIECE)),
        ("a.musicxml", XML),
        ("a.mxl", zipped(container=CONTAINER, score=XML)),
        ("misnamed.mid", XML),
        ("no_suffix", midi_bytes(PIECE)),
        (
            "sibelius.xml",
            XML.decode().replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16"),
        ),
    ],
)
def test_every_format_gives_the_piece_whatever_the_file_is_called(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    piece = read_music(tmp_path / name)
    np.testing.assert_array_equal(piece.voices, PIECE.voices)
    np.testing.assert_array_equal(piece.onsets, PIECE.onsets)
    assert (tmp_path / name).read_bytes() == raw


def test_abc_by_hand(tmp_path):
    (tmp_path / "air.abc").write_bytes(ABC)
    piece = read_music(str(tmp_path / "air.abc"))
    assert (piece.name, piece.tonic, piece.mode, piece.key_signature, piece.pickup) == (
        "Air",
        9,
        "minor",
        1,
        2,
    )
    assert piece.voices[::2, 0].tolist() == [
        69,
        69,
        71,
        72,
        74,
        76,
        76,
        76,
        76,
        78,
        78,
        80,
        80,
        81,
        81,
        81,
        81,
    ]
    assert piece.spelling[[10, 22], 0].tolist() == [4, 8]


def test_a_nameless_piece_is_called_after_its_file(tmp_path):
    (tmp_path / "my song.mid").write_bytes(midi_bytes(PIECE))
    assert read_music(tmp_path / "my song.mid").name == "my song"


BAD = {
    "empty": (b"", "is empty"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "neither MIDI nor MusicXML nor ABC"),
    "random": (np.random.default_rng(0).bytes(10_000), "neither MIDI nor MusicXML nor ABC"),
    "a million notes": (
        b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\x7a\x12\0" + b"\0\x90\x3c\x40\x78\x3c\0\0" * 10**6,
        "KiB, too much",
    ),
    "cut off": (XML[: len(XML) // 2], "XML is damaged"),
    "web page": (b"<html><body>music</body></html>", "root is <html>"),
    "no parts": (b"<score-partwise/>", "no notes"),
    "laughs": (
        b'<!DOCTYPE score-partwise [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><score-partwise>&b;</score-partwise>',
        "entity",
    ),
    "laughs in UTF-16": (
        '<!DOCTYPE x [<!ENTITY a "ha">]><score-partwise/>'.encode("utf-16"),
        "entity",
    ),
    "deep": (b"<score-partwise>" + b"<a>" * 100_000, "deeply nested"),
    "many notes": (XML.replace(b"</measure>", NOTE * 20_001 + b"</measure>", 1), "too many"),
    "endless note": (XML.replace(b"<duration>", b"<duration>999999999", 1), "steps of a 16th"),
    "endless bar": (XML.replace(b"<beats>4", b"<beats>1000000000"), "<beats>"),
    "no divisions": (
        XML.replace(b"<divisions>10080", b"<divisions>0"),
        "breaks the rules of its format",
    ),
    "bomb": (
        zipped(container=CONTAINER, score=b"<score-partwise>" + b" " * 2**25),
        "unpacks to over 16 MiB",
    ),
    "zip of MIDI files": (
        zipped(one=midi_bytes(PIECE)).replace(b".xml", b".mid"),
        "0 MusicXML scores",
    ),
    "zip of scores": (zipped(one=XML, two=XML), "2 MusicXML scores"),
    "damaged zip": (zipped(container=CONTAINER, score=XML)[:-40], "can't be unpacked"),
    "own entity": (XML.replace(b"untitled", b"a&nbsp;b"), "does not define"),
    "two tunes": (ABC + ABC.replace(b"X:1", b"X:2"), "2 tunes"),
    "abc bar": (b"M:1000000000/4\nK:C\nA", "is no metre"),
    "abc note": (b"K:C\nA100000000", "four or more digits"),
    "abc bars": (b"K:C\n" + b"A|" * 70_000, "more than 50000 notes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named_quickly_and_left_alone(tmp_path, case):
    raw, message = BAD[case]
    file = tmp_path / f"{case}.mid"
    file.write_bytes(raw)
    started = time.perf_counter()
    with pytest.raises(DataError, match=message) as raised:
        read_music(file)
    assert time.perf_counter() - started < 10
    assert str(raised.value).startswith(file.name)
    assert file.read_bytes() == raw


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for file in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(DataError, match=f"{file.name} can't be read"):
            read_music(file)


@pytest.mark.parametrize(
    "original", [midi_bytes(PIECE), XML, zipped(container=CONTAINER, score=XML), ABC]
)
@settings(
    max_examples=40, deadline=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damaged_files_give_a_piece_or_a_data_error(tmp_path, original, changes):
    raw = bytearray(original)
    for place, value in changes:
        raw[place % len(raw)] = value
    (tmp_path / "damaged").write_bytes(raw)
    try:
        piece = read_music(tmp_path / "damaged")
    except DataError:
        return
    assert isinstance(piece, Piece)
