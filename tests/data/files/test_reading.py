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
        "without a MusicXML score",
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


def read(tmp_path, raw, **options):
    (tmp_path / "a.music").write_bytes(raw)
    return read_music(tmp_path / "a.music", **options)


UNDECLARED = XML.split(b"?>", 1)[1].replace(b"<movement-title>", b"<movement-title>\xc3\x89tude ")


@pytest.mark.parametrize(
    "raw",
    [
        UNDECLARED,
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + UNDECLARED.decode().encode("latin-1"),
        b'<?xml version="1.0" encoding="UTF-8"?>' + UNDECLARED.decode().encode("cp1252"),
        b'<?xml version="1.0" encoding="windows-1252"?>' + UNDECLARED.decode().encode("cp1252"),
        UNDECLARED.decode().encode("utf-16-le"),
        UNDECLARED.decode().encode("utf-16-be"),
        b"\xef\xbb\xbf" + UNDECLARED,
        UNDECLARED.replace(b"tude ", b"tude\x01 "),
    ],
)
def test_xml_in_any_encoding_and_with_control_characters_is_read(tmp_path, raw):
    piece = read(tmp_path, raw)
    np.testing.assert_array_equal(piece.voices, PIECE.voices)
    assert piece.name.startswith("Étude")


def test_a_score_without_container_is_found(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, zipped(score=XML)).voices, PIECE.voices)


def measure(content, attributes=""):
    """A MusicXML score of one bar, four divisions to a quarter."""
    head = f"<attributes><divisions>4</divisions>{attributes}</attributes>"
    part = f'<part id="P1"><measure number="1">{head}{content}</measure></part>'
    names = '<part-list><score-part id="P1"><part-name>Oboe</part-name></score-part></part-list>'
    return f"<score-partwise>{names}{part}</score-partwise>".encode()


def xml_note(step, duration, chord=False, unpitched=False):
    pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
    if unpitched:
        pitch = "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    return f"<note>{'<chord/>' * chord}{pitch}<duration>{duration}</duration></note>"


def test_a_chord_in_musicxml_is_split(tmp_path):
    content = xml_note("C", 4) + xml_note("A", 4, chord=True) + xml_note("G", 4)
    piece = read(tmp_path, measure(content))
    assert piece.voices[::4].tolist() == [[69, 60], [67, -1]]
    assert (piece.report.parts, piece.report.voices) == (1, 2)
    with pytest.raises(DataError, match="Oboe, bar 1: two notes at once"):
        read(tmp_path, measure(content), chords="refuse")


def test_drums_in_musicxml_are_left_out_and_counted(tmp_path):
    piece = read(tmp_path, measure(xml_note("C", 4) + xml_note("", 4, unpitched=True)))
    assert (piece.voices[:, 0].tolist(), piece.report.drums) == ([60] * 4 + [-1] * 4, 1)


def test_an_additive_time_signature_is_summed(tmp_path):
    time = "<time><beats>3+2</beats><beat-type>8</beat-type></time>"
    assert read(tmp_path, measure(xml_note("C", 10), time)).time_signature == "5/8"


def test_a_key_of_nine_flats_costs_no_notes(tmp_path):
    piece = read(tmp_path, measure(xml_note("C", 4), "<key><fifths>-9</fifths></key>"))
    assert (piece.voices[:, 0].tolist(), piece.key_signature) == ([60] * 4, 0)


def test_a_quarter_tone_is_moved_to_a_key_and_counted_or_refused(tmp_path):
    raw = XML.replace(b"<alter>0", b"<alter>0.5")
    assert read(tmp_path, raw).report.retuned > 0
    with pytest.raises(DataError, match="between the keys"):
        read(tmp_path, raw, grid="exact")


def test_a_control_character_in_a_title_survives_no_format(tmp_path):
    raw = midi_bytes(PIECE.with_(name="My song")).replace(b"My song", b"My\0so\x07g")
    piece = read(tmp_path, raw)
    assert piece.name == "My so g"
    np.testing.assert_array_equal(read(tmp_path, musicxml_bytes(piece)).voices, PIECE.voices)


def test_an_unknown_way_of_reading_is_refused(tmp_path):
    for options in ({"chords": "all"}, {"grid": "fine"}):
        with pytest.raises(ValueError, match="choose from"):
            read(tmp_path, XML, **options)


def test_nothing_is_printed(tmp_path, capfd):
    read(tmp_path, measure(xml_note("C", 4) + "<backup><duration>9</duration></backup>"))
    with pytest.raises(DataError):
        read(tmp_path, XML.replace(b"<divisions>10080", b"<divisions>0"))
    assert capfd.readouterr() == ("", "")
