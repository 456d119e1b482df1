"""Music files of any kind, from anyone, read as pieces; what can't be read is refused in words."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
import zipfile
from pathlib import Path
from xml.parsers import expat

from musiclab.data.files.abc import parse_abc
from musiclab.data.files.midi_parser import parse_midi
from musiclab.data.files.note_grid import MAX_VOICES, to_grid
from musiclab.data.files.parsed import MAX_STEPS, ParsedMusic
from musiclab.data.files.scores import parse_stream
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece

__all__ = ["read_music"]

CHORDS, GRIDS = ("voices", "top", "refuse"), ("round", "exact")

# what parses within seconds; music21 is slower than the MIDI parser
_MAX_BYTES = {"MIDI": 2**20, "MusicXML": 16 * 2**20, "ABC": 16 * 2**20}
_MAX_TAGS = 1_000_000
_MAX_XML_NOTES = 20_000
# numbers that make music21 build that many objects
_MAX_NUMBERS = {
    "beats": 64,
    "beat-type": 64,
    "staves": 8,
    "staff": 8,
    "multiple-rest": 1000,
    "actual-notes": 256,
    "normal-notes": 256,
}
_MAX_COUNTS = {
    "note": 2 * _MAX_XML_NOTES,
    "pitch": _MAX_XML_NOTES,
    "measure": MAX_STEPS // 8,
    "part": MAX_VOICES,
    "dot": 2 * _MAX_XML_NOTES,
}
_SINGLE_BYTES = re.compile(
    r"utf-?8|(us-)?ascii|iso-?8859|latin|windows|cp\d|mac|koi8|shift|sjis|euc|gb|big5",
    re.IGNORECASE,
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_music(
    path: str | Path, chords: str = "voices", grid: str = "round", tune: int | None = None
) -> Piece:
    """Read a MIDI, MusicXML (plain or compressed) or ABC file as a piece on the 16th grid.

    What the file holds decides, not its name. Voices stand highest first (see
    :func:`musiclab.data.files.note_grid.voice_order`). Drums and grace notes are left out, repeats
    not expanded, and the tempo is not part of a piece. ``piece.report`` says what was changed.

    Args:
      path: a file; it is only read. MIDI up to 1 MiB, MusicXML up to 16 MiB unpacked, ABC up to
        16 MiB; up to 65,536 steps.
      chords: "voices" splits chords and piano staves into voices that hold one note at a time (see
        :mod:`musiclab.data.files.voices`); "top" keeps the highest note of each track or staff
        voice; "refuse" refuses two notes at once in one track or staff voice.
      grid: "round" rounds onsets and ends to the nearest 16th, triplets included, each by at most
        half a 16th; "exact" refuses notes off the grid.
      tune: which tune of an ABC collection, by its number (``X:``).

    Returns:
      The piece, named by its title or else after the file.

    Raises:
      ValueError: if ``chords`` or ``grid`` is something else.
      DataError: the file is missing, empty, damaged, too big or no music, or holds what ``chords``
        or ``grid`` refuses; the message names the file and the place in it.

    >>> read_music("no_such_file.mid")
    Traceback (most recent call last):
    musiclab.data.files.storage.DataError: no_such_file.mid can't be read: No such file or directory
    """
    if chords not in CHORDS or grid not in GRIDS:
        raise ValueError(f"chords={chords!r}, grid={grid!r}: choose from {CHORDS} and {GRIDS}")
    path = Path(path)
    raw = _read_bytes(path)
    try:
        # music21 warns of what it repairs, on both ways
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            piece = to_grid(_parse(raw, grid, tune), chords, grid)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    except Exception:  # the parsers raise what they stumble over
        raise DataError(
            f"{path.name}: damaged, or it breaks the rules of its format; open it in the program that "
            "made it, or in a notation program, and export it again"
        ) from None
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


def _parse(raw: bytes, grid: str, tune: int | None) -> ParsedMusic:
    """Parse a file by what its first bytes say it holds."""
    start = raw[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    kind = None
    if start.startswith((b"MThd", b"RIFF")):
        kind = "MIDI"
    elif start.startswith(b"PK\x03\x04"):
        raw, kind = _unpacked(raw), "MusicXML"
    elif start.startswith(b"<"):
        kind = "MusicXML"
    elif b"\0" not in raw and re.search(rb"^K:", raw, re.MULTILINE):
        kind = "ABC"
    if kind is None:
        raise DataError("it is neither MIDI nor MusicXML nor ABC")
    if len(raw) > _MAX_BYTES[kind]:
        raise DataError(
            f"it has over {_MAX_BYTES[kind] // 1024} KiB, too much for a {kind} file: cut out a part of it"
        )
    if kind == "MIDI":
        return parse_midi(raw)
    return _parse_musicxml(raw, grid) if kind == "MusicXML" else parse_abc(raw, tune)


def _unpacked(raw: bytes) -> bytes:
    """The score of a compressed MusicXML file, no more of it than the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            name = _score_name(archive)
            with archive.open(name) as file:
                content = file.read(_MAX_BYTES["MusicXML"] + 1)
    except DataError:
        raise
    except Exception:  # zipfile and zlib raise a dozen kinds
        raise DataError("the compressed MusicXML file is damaged: it can't be unpacked") from None
    if len(content) > _MAX_BYTES["MusicXML"]:
        raise DataError(f"it unpacks to over {_MAX_BYTES['MusicXML'] // 2**20} MiB: refused")
    return content


def _score_name(archive: zipfile.ZipFile) -> str:
    """The score that the container names, or the only one that there is."""
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        container = archive.open("META-INF/container.xml").read(65_536).decode("utf-8", "replace")
        found = re.search(r"full-path\s*=\s*[\"']([^\"']+)[\"']", container)
        if found and found[1] in names:
            return found[1]
    scores = [
        name
        for name in names
        if name.lower().endswith((".xml", ".musicxml"))
        and not name.startswith(("META-INF", "__MACOSX"))
    ]
    if not scores:
        raise DataError(
            "it is a zip archive without a MusicXML score: unpack it, and read its files"
        )
    if len(scores) > 1:
        raise DataError(
            f"it is a zip archive with {len(scores)} MusicXML scores in it, and does not say which to "
            "read: unpack it, and read its files one by one"
        )
    return scores[0]


def _parse_musicxml(raw: bytes, grid: str) -> ParsedMusic:
    from music21.musicxml.xmlToM21 import MusicXMLImporter

    text = _xml_text(raw)
    _check_xml(text)
    importer = MusicXMLImporter()
    importer.xmlText = text
    importer.parseXMLText()
    return parse_stream(importer.stream, None, grid)


def _xml_text(raw: bytes) -> str:
    """Decode XML by its byte order mark, its declaration, or else as UTF-8 or windows-1252."""
    names = ["utf-8-sig", "cp1252", "latin-1"]
    declared = re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)", raw)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        names = ["utf-16"]
    elif 0 in raw[:2]:
        names = ["utf-16-be" if raw[0] == 0 else "utf-16-le"]
    elif declared and _SINGLE_BYTES.match(declared[1].decode("latin-1")):
        names.insert(0, declared[1].decode("latin-1").lower().replace("utf-8", "utf-8-sig"))
    for name in names:
        with contextlib.suppress(UnicodeError, LookupError):
            text = re.sub(r"^\s*<\?xml[^>]*\?>", "", raw.decode(name), count=1)
            return _NOT_XML.sub(" ", text)
    raise DataError("the XML is damaged: its characters are in no known encoding")


def _check_xml(text: str) -> None:
    """Refuse, in one quick pass, what would make the slow parser run for ever or fill the memory."""
    parser = expat.ParserCreate()
    counts, open_tags, words = dict.fromkeys(_MAX_COUNTS, 0), [], []

    def entity(name, *_):
        raise DataError(
            f"its DOCTYPE declares an entity ({name[:20]}): refused, entities can unpack without end"
        )

    def undefined(name, *_):
        raise DataError(
            f"line {parser.CurrentLineNumber}: it uses an entity (&{name[:20]};) that it does not "
            "define: write the character itself"
        )

    def start(tag, _):
        if not open_tags and tag != "score-partwise":
            raise DataError(
                f"its root is <{tag[:40]}>: a MusicXML score starts with <score-partwise>"
            )
        open_tags.append(tag)
        words.clear()
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
            numbers = [int(number[:9]) for number in re.findall(r"\d+", "".join(words))]
            if any(number > _MAX_NUMBERS[tag] for number in numbers):
                raise DataError(
                    f"line {parser.CurrentLineNumber}: <{tag}> {max(numbers)} is more than {_MAX_NUMBERS[tag]}"
                )

    parser.EntityDeclHandler, parser.StartElementHandler, parser.EndElementHandler = (
        entity,
        start,
        stop,
    )
    parser.CharacterDataHandler = words.append
    parser.SkippedEntityHandler = undefined
    try:
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as error:
        if error.code == 11:  # an undefined entity, in a file without DOCTYPE
            undefined("...")
        raise DataError(f"line {error.lineno}: the XML is damaged") from None
