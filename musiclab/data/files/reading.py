"""Music files of any kind, from anyone, read as pieces; what can't be read is refused in words.

Lessons: 01.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from pathlib import Path
from xml.parsers import expat

from musiclab.data.files.midi import piece_from_midi
from musiclab.data.files.note_grid import MAX_NOTES, MAX_STEPS, MAX_VOICES
from musiclab.data.files.scores import piece_from_stream
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece

__all__ = ["read_music"]

# what parses within seconds and holds MAX_NOTES notes; music21 is slower than mido
_MAX_BYTES = {"midi": 2**20, "musicxml": 16 * 2**20, "abc": 2**15}
_MAX_TAGS = 1_000_000
_MAX_ABC_BARS = 250  # music21 takes four times as long for twice as many
# numbers that make music21 build that many objects
_MAX_NUMBERS = {
    "beats": 64,
    "beat-type": 64,
    "staves": 8,
    "staff": 8,
    "multiple-rest": 1000,
    "actual-notes": 64,
    "normal-notes": 64,
}
_MAX_COUNTS = {
    "note": 2 * MAX_NOTES,
    "pitch": MAX_NOTES,
    "measure": MAX_STEPS // 8,
    "part": MAX_VOICES,
    "dot": 2 * MAX_NOTES,
}


def read_music(path: str | Path) -> Piece:
    """Read a MIDI, MusicXML (plain or compressed) or ABC file as a piece on the 16th grid.

    What the file holds decides, not its name. There is one voice per track, part, or voice of a staff, ordered
    highest first (see :func:`musiclab.data.files.note_grid.voice_order`). MIDI has neither spelling
    nor fermatas; repeats are not expanded.

    Lesson: 01

    Args:
      path: a file; it is only read. MIDI up to 1 MiB, MusicXML up to 16 MiB unpacked, ABC (one tune) up to 32 KiB;
        up to 20,000 notes and 65,536 steps.

    Returns:
      The piece, named by its title or else after the file.

    Raises:
      DataError: the file is missing, empty, damaged, too big or no music; a chord in a voice, a note off the
        grid; the message names the file and the place in it.

    >>> read_music("no_such_file.mid")
    Traceback (most recent call last):
    musiclab.data.files.storage.DataError: no_such_file.mid can't be read: No such file or directory
    """
    path = Path(path)
    raw = _read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # music21 warns of what it repairs
            piece = _READERS[_kind(raw)](raw)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    except Exception as error:  # the parsers raise what they stumble over
        raise DataError(
            f"{path.name}: damaged, or not as its format wants it ({type(error).__name__}: {error})"
        ) from error
    return piece.with_(name=path.stem) if piece.name == "untitled" else piece


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(max(_MAX_BYTES.values()) + 1)
    except OSError as error:
        raise DataError(f"{path.name} can't be read: {error.strerror or error}") from None
    if not raw:
        raise DataError(f"{path.name} is empty")
    return raw


def _kind(raw: bytes) -> str:
    """What a file holds, by its first bytes."""
    start = raw[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"MThd"):
        kind = "midi"
    elif start.startswith(b"PK\x03\x04"):
        return "mxl"  # its size is checked while unpacking
    elif start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<")):
        kind = "musicxml"
    elif b"\0" not in raw and re.search(rb"^K:", raw, re.MULTILINE):
        kind = "abc"
    else:
        raise DataError("it is neither MIDI nor MusicXML nor ABC")
    if len(raw) > _MAX_BYTES[kind]:
        raise DataError(
            f"it has over {_MAX_BYTES[kind] // 1024} KiB, too much for a {kind} file: cut out a part of it"
        )
    return kind


def _read_mxl(raw: bytes) -> Piece:
    """Unpack the score of a compressed MusicXML file, no more than the limit."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        container = archive.open("META-INF/container.xml").read(65_536).decode("utf-8", "replace")
        found = re.search(r"full-path\s*=\s*[\"']([^\"']+)[\"']", container)
        if found is None:
            raise DataError(
                "the compressed MusicXML file does not say which of its files is the score"
            )
        with archive.open(found[1]) as file:
            content = file.read(_MAX_BYTES["musicxml"] + 1)
    if len(content) > _MAX_BYTES["musicxml"]:
        raise DataError(f"it unpacks to over {_MAX_BYTES['musicxml'] // 2**20} MiB: refused")
    return _read_musicxml(content)


def _read_musicxml(raw: bytes) -> Piece:
    from music21.musicxml.xmlToM21 import MusicXMLImporter

    _check_xml(raw)
    importer = MusicXMLImporter()
    # music21 reads UTF-8 alone, some programs write UTF-16
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    importer.xmlText = raw.decode("utf-16").split("?>", 1)[1] if utf16 else raw
    importer.parseXMLText()
    return piece_from_stream(importer.stream)


def _check_xml(raw: bytes) -> None:
    """Refuse, in one quick pass, what would make the slow parser run for ever or fill the memory."""
    parser = expat.ParserCreate()
    counts, open_tags, text = dict.fromkeys(_MAX_COUNTS, 0), [], []

    def entity(name, *_):
        raise DataError(
            f"its DOCTYPE declares an entity ({name[:20]}): refused, entities can unpack without end"
        )

    def start(tag, _):
        if not open_tags and tag != "score-partwise":
            raise DataError(
                f"its root is <{tag[:40]}>: a MusicXML score starts with <score-partwise>"
            )
        open_tags.append(tag)
        text.clear()
        counts["tags"] = counts.get("tags", 0) + 1
        if tag in counts:
            counts[tag] += 1
        if (
            len(open_tags) > 50
            or counts["tags"] > _MAX_TAGS
            or counts.get(tag, 0) > _MAX_COUNTS.get(tag, _MAX_TAGS)
        ):
            raise DataError(
                f"it has too many or too deeply nested <{tag[:40]}>: cut out a part of it"
            )

    def stop(tag):
        open_tags.pop()
        if tag in _MAX_NUMBERS:
            numbers = [int(number[:9]) for number in re.findall(r"\d+", "".join(text))]
            if any(number > _MAX_NUMBERS[tag] for number in numbers):
                raise DataError(
                    f"line {parser.CurrentLineNumber}: <{tag}> {max(numbers)} is more than {_MAX_NUMBERS[tag]}"
                )

    parser.EntityDeclHandler, parser.StartElementHandler, parser.EndElementHandler = (
        entity,
        start,
        stop,
    )
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise DataError(f"the XML is damaged: {error}") from None


def _read_abc(raw: bytes) -> Piece:
    from music21 import converter

    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    tunes = len(re.findall(r"^X:", text, re.MULTILINE))
    if tunes > 1:
        raise DataError(f"it holds {tunes} tunes: save each in a file of its own")
    if text.count("|") > _MAX_ABC_BARS:
        raise DataError(
            f"it has over {_MAX_ABC_BARS} bar lines, too much for an ABC file: cut out a part of it"
        )
    for field in re.findall(r"(?:^|\[)([ML]:[^\]\n]*)", text, re.MULTILINE):
        if any(int(number[:9]) > 64 for number in re.findall(r"\d+", field)):
            raise DataError(f"{field[:40]!r}: a number above 64")
    if re.search(r"\d{4}", re.sub(r"^\w:.*$", "", text, flags=re.MULTILINE)):
        raise DataError("a note length of four or more digits")
    return piece_from_stream(converter.parseData(text, format="abc"))


_READERS = {"midi": piece_from_midi, "mxl": _read_mxl, "musicxml": _read_musicxml, "abc": _read_abc}
