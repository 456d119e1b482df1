"""Pieces as music21 scores, and as MusicXML for any notation program."""

from __future__ import annotations

import contextlib
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from musiclab.data.encodings.transposition import spell
from musiclab.data.files.note_grid import SOFTWARE, bars_of
from musiclab.data.files.storage import write_whole
from musiclab.data.piece import NO_SPELLING, REST, STEPS_PER_QUARTER, Piece

if TYPE_CHECKING:
    from music21.meter import TimeSignature
    from music21.stream import Measure, Part, Score

__all__ = ["musicxml_bytes", "to_stream", "voice_names", "write_musicxml"]

_SINGLE = (24, 16, 12, 8, 6, 4, 3, 2, 1)  # steps that one note, dotted at most once, can last
_STEPS, _NATURAL = "FCGDAEB", {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {  # the tonic's distance from the key signature on the line of fifths
    "major": {0: "major", 1: "mixolydian", -1: "lydian"},
    "minor": {3: "minor", 2: "dorian", 4: "phrygian", 5: "locrian"},
}


def to_stream(piece: Piece) -> Score:
    """Engrave a piece as a music21 score, one part and one staff per voice.

    Bars follow ``piece.downbeats``: a pickup is bar 0, an irregular bar keeps its own length, the
    last bar may be short; a new time signature stands where ``piece.beat`` counts other beats.
    Notes that cross a bar line or that no single note value can last are tied; an accidental is
    printed where the key signature and the bar so far do not already say it. A fermata stands on
    each voice that starts a note there; where none does, on the highest voice that sounds, tied
    over from what it held.

    Args:
      piece: any piece; notes without spelling are spelled by the key signature.

    Returns:
      A ``music21.stream.Score`` that needs no further ``makeNotation``.

    Raises:
      ValueError: if a spelling contradicts its pitch; the message names step and voice.

    >>> score = to_stream(Piece([[60], [60], [60], [60], [62]], pickup=4))
    >>> [measure.number for measure in score.parts[0].getElementsByClass("Measure")]
    [0, 1]
    """
    from music21 import layout, metadata, stream

    spelling = _spelled(piece)
    bars = bars_of(piece)
    marks = _fermata_marks(piece)
    score = stream.Score()
    score.insert(0, metadata.Metadata(movementName=piece.name, composer=""))
    score.metadata.add("software", SOFTWARE)
    for voice, name in enumerate(voice_names(piece.voices.shape[1])):
        score.insert(0, _part(piece, voice, name, spelling[:, voice], bars, marks[:, voice]))
    if len(score.parts) > 1:
        score.insert(0, layout.StaffGroup(list(score.parts), symbol="bracket", barTogether=True))
    return score


def musicxml_bytes(piece: Piece) -> bytes:
    """A piece as a MusicXML document (UTF-8), the same bytes each time.

    Everything of a piece comes back when it is read: voices, onsets, spelling, bars, key and time
    signature, fermatas, length.

    Raises:
      ValueError: as :func:`to_stream`.

    >>> musicxml_bytes(Piece([[60], [62]]))[:38]
    b'<?xml version="1.0" encoding="utf-8"?>'
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    exporter = GeneralObjectExporter(to_stream(piece))
    exporter.makeNotation = (
        False  # done already; it would copy the score and take three times as long
    )
    # the date would make the bytes differ from day to day
    return re.sub(rb"\s*<encoding-date>[^<]*</encoding-date>", b"", exporter.parse())


def write_musicxml(piece: Piece, path: str | Path) -> None:
    """Write a piece as an uncompressed MusicXML file, whole or not at all.

    Args:
      piece: any piece.
      path: where to; ``.musicxml`` is the suffix that notation programs know.

    Raises:
      ValueError: as :func:`to_stream`.
    """
    write_whole(Path(path), musicxml_bytes(piece))


def voice_names(n_voices: int) -> list[str]:
    """What the voices of a piece are called in files and scores.

    >>> voice_names(4), voice_names(1), voice_names(2)
    (['Soprano', 'Alto', 'Tenor', 'Bass'], ['Melody'], ['Voice 1', 'Voice 2'])
    """
    if n_voices == 4:
        return ["Soprano", "Alto", "Tenor", "Bass"]
    return ["Melody"] if n_voices == 1 else [f"Voice {voice + 1}" for voice in range(n_voices)]


def _spelled(piece: Piece) -> np.ndarray:
    """Spelling of every note; what the piece leaves open is spelled by its key signature."""
    open_ = (piece.spelling == NO_SPELLING) & (piece.voices != REST)
    spelling = np.where(open_, spell(piece.voices, piece.key_signature), piece.spelling).astype(int)
    wrong = (piece.voices != REST) & ((spelling * 7 - piece.voices) % 12 != 0)
    if wrong.any():
        step, voice = (int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"step {step}, voice {voice}: spelling {spelling[step, voice]} (line of fifths) is not pitch "
            f"{int(piece.voices[step, voice])}"
        )
    return spelling


def _fermata_marks(piece: Piece) -> np.ndarray:
    """bool (T, V): where each fermata of the piece is printed."""
    marks = piece.onsets & piece.fermatas[:, None]
    for step in np.flatnonzero(piece.fermatas & ~marks.any(axis=1)):
        marks[step, int(np.argmax(piece.voices[step] != REST))] = (
            True  # all silent: on the top voice's rest
        )
    return marks


def _part(piece: Piece, voice: int, name: str, spelling, bars, marks) -> Part:
    from music21 import instrument, meter, stream

    n_voices = piece.voices.shape[1]
    part = stream.Part(id=name)
    part.partName = name
    own = instrument.Vocalist() if n_voices == 4 else instrument.Organ()
    part.partAbbreviation = (
        "" if n_voices == 1 else name.replace("Voice ", "")[: 2 if n_voices != 4 else 1]
    )
    own.partName, own.partId, own.instrumentId = name, f"P{voice + 1}", f"P{voice + 1}-I1"
    part.insert(0, own)
    pitches = piece.voices[:, voice].tolist()
    change = piece.onsets[:, voice] | (np.diff(piece.voices[:, voice], prepend=-2) != 0)
    cuts = sorted({0, *(stop for _, stop, _ in bars), *np.flatnonzero(change | marks).tolist()})
    number = int(piece.downbeats[0])
    for start, stop, unit in bars:
        measure = stream.Measure(number=number)
        if start == 0:
            signature = _attributes(measure, piece, pitches, voice)
        elif (
            unit * signature.denominator != 16
        ):  # another beat is another metre; another length alone is not
            signature = meter.TimeSignature(f"{-(-(stop - start) // unit)}/{16 // unit}")
            measure.insert(0, signature)
        if number == 0:
            measure.showNumber = stream.enums.ShowNumber.NEVER  # how MusicXML says: a pickup
        # a pickup is the end of a bar, so its beats are counted back from where it ends
        origin = (
            start
            if number
            else stop - round(signature.barDuration.quarterLength * STEPS_PER_QUARTER)
        )
        altered = {}  # accidentals so far in this bar
        for a, b in pairwise(cut for cut in cuts if start <= cut <= stop):
            values = _values(a, b, a - origin)
            nominal = signature.barDuration.quarterLength * STEPS_PER_QUARTER
            if (a, b) == (start, stop) and pitches[a] == REST and b - a == 16 != nominal:
                values = [(a, a + 8), (a + 8, b)]  # a whole rest would be read as a full bar
            for begin, end in values:
                struck = begin == a and change[a]
                going_on = end < piece.steps and not change[end]
                element = _element(pitches[a], int(spelling[a]), end - begin, not struck, going_on)
                if pitches[a] != REST:
                    _show_accidental(element, altered, piece.key_signature)
                if marks[begin]:
                    _add_fermata(element)
                measure.coreAppend(element)
        measure.coreElementsChanged()
        _beam(measure, signature, (start - origin) / STEPS_PER_QUARTER)
        part.coreAppend(measure)
        number += 1
    measure.rightBarline = "final"
    part.coreElementsChanged()
    return part


def _attributes(measure: Measure, piece: Piece, pitches: list[int], voice: int) -> TimeSignature:
    """Put clef, key and time signature into the first bar."""
    from music21 import clef, key, meter

    if piece.voices.shape[1] == 4:
        kind = (clef.TrebleClef, clef.TrebleClef, clef.Treble8vbClef, clef.BassClef)[voice]
    else:
        sounding = [pitch for pitch in pitches if pitch != REST]
        kind = clef.TrebleClef if not sounding or np.median(sounding) >= 60 else clef.BassClef
    measure.insert(0, kind())
    signature = key.KeySignature(piece.key_signature)
    fifths = next(
        f for f in range(-6, 6) if f * 7 % 12 == (piece.tonic - piece.key_signature * 7) % 12
    )
    if piece.key_method != "unknown" and fifths in _MODES[piece.mode]:
        signature = signature.asKey(_MODES[piece.mode][fifths])
    measure.insert(0, signature)
    time = meter.TimeSignature(piece.time_signature)
    measure.insert(0, time)
    return time


def _values(a: int, b: int, position: int) -> list[tuple[int, int]]:
    """Cut steps a to b into lengths one note value can last, on a beat where possible."""
    parts = []
    while a < b:
        length = b - a
        if length not in _SINGLE:
            to_beat = -position % STEPS_PER_QUARTER
            length = to_beat or next(single for single in _SINGLE if single <= length)
        parts.append((a, a + length))
        a, position = a + length, position + length
    return parts


def _element(pitch: int, fifths: int, steps: int, tied_from: bool, tied_on: bool):
    """A note or rest; a note may be tied from the one before and on to the next."""
    from music21 import note, tie
    from music21.pitch import Accidental, Pitch

    length = steps / STEPS_PER_QUARTER
    if pitch == REST:
        return note.Rest(quarterLength=length)
    letter, alter = _STEPS[(fifths + 1) % 7], (fifths + 1) // 7
    octave = (pitch - alter - _NATURAL[letter]) // 12 - 1
    element = note.Note(
        Pitch(step=letter, octave=octave, accidental=Accidental(alter)), quarterLength=length
    )
    if tied_from or tied_on:
        element.tie = tie.Tie(
            "continue" if tied_from and tied_on else "stop" if tied_from else "start"
        )
    return element


def _show_accidental(note, altered: dict, key_signature: int) -> None:
    """Print an accidental where the key signature and the bar so far do not say it already."""
    letter, alter = note.pitch.step, int(note.pitch.accidental.alter)
    # the key signature alters a letter once for every seven steps it has moved along the line of
    # fifths
    by_key = (key_signature - _STEPS.index(letter) + 6) // 7
    place = (letter, note.pitch.octave)
    held = note.tie is not None and note.tie.type != "start"
    shown = not held and altered.get(place, by_key) != alter
    note.pitch.accidental.displayStatus = shown
    if shown:
        altered[place] = alter


def _add_fermata(element) -> None:
    from music21.expressions import Fermata

    fermata = Fermata()
    fermata.type = "upright"
    element.expressions.append(fermata)


def _beam(measure: Measure, signature: TimeSignature, offset: float) -> None:
    elements = list(measure.notesAndRests)
    if (
        sum(element.quarterLength < 1 for element in elements) < 2
        or offset < 0
        or offset + measure.highestTime > signature.barDuration.quarterLength
    ):
        return  # nothing to join, or a bar longer than the time signature can group
    with contextlib.redirect_stderr(io.StringIO()):  # music21 warns of what it repairs
        found = signature.getBeams(elements, measureStartOffset=offset)
    for element, beams in zip(elements, found, strict=True):
        if beams is not None and not element.isRest:
            element.beams = beams
