"""music21 scores read as pieces on the 16th grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from musiclab.data.files.note_grid import SOFTWARE, bar_starts, to_grid
from musiclab.data.files.parsed import (
    MAX_NOTES,
    MAX_STEPS,
    Bar,
    ParsedMusic,
    ParsedNote,
    ParsedPart,
)
from musiclab.data.files.storage import DataError
from musiclab.data.piece import STEPS_PER_QUARTER, Piece

if TYPE_CHECKING:
    from music21.meter import TimeSignature
    from music21.stream import Measure, Part, Score

__all__ = ["parse_stream", "piece_from_stream"]

_STEPS, _NATURAL = "FCGDAEB", {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MINOR_MODES = {
    "minor",
    "aeolian",
    "dorian",
    "phrygian",
    "locrian",
    "hypodorian",
    "hypophrygian",
    "hypoaeolian",
}


def piece_from_stream(
    score: Score,
    parts: Iterable[Part] | None = None,
    chords: str = "voices",
    grid: str = "round",
) -> Piece:
    """Read a music21 score as a piece on the 16th grid.

    Repeats are not expanded and grace notes are left out. Tied notes become one. A fermata in any
    part counts. A short first bar is a pickup; two short bars in a row that together fill a bar
    count as one, since editors cut a bar in two at a repeat or a line's end. In scores of
    :func:`to_stream` every bar is what it says.

    Args:
      score: a score whose parts have measures (a part without them gets some).
      parts: the parts to read, in the order wanted; default all, highest first.
      chords, grid: as in :func:`musiclab.data.read_music`.

    Returns:
      A piece with spelling, bars, pickup, fermatas, key, time signature and report. ``key_method``
      is "file" if the score names a mode, "signature" where only accidentals are given (read as
      major), "unknown" without either.

    Raises:
      DataError: as :func:`musiclab.data.files.note_grid.to_grid`, a note beyond MIDI's pitches, or
        with ``grid="exact"`` a microtonal one; the message names part and bar.

    >>> from musiclab.data.files.musicxml import to_stream
    >>> piece_from_stream(to_stream(Piece([[60], [60], [62]], onsets=[True, True, True], name="three")))
    Piece('three': 3 steps, 1 voice, 4/4)
    """
    return to_grid(parse_stream(score, parts, grid), chords, grid)


def parse_stream(score: Score, parts: Iterable[Part] | None, grid: str) -> ParsedMusic:
    """The notes, bars and signatures of a music21 score; see :func:`piece_from_stream`."""
    chosen = _parts(score, parts)
    bars = _bars(chosen)
    music = ParsedMusic([], bars, ordered=parts is not None)
    if sum(bar.length for bar in bars) > MAX_STEPS:
        music.check_size()
    starts = bar_starts(bars)
    for index, part in enumerate(chosen):
        label = part.partName or (f"part {index + 1}" if len(chosen) > 1 else "the melody")
        read = _read_part(part, label, starts, music, grid)
        for notes in read:
            music.parts.append(ParsedPart((part.partName or "") if len(read) == 1 else "", notes))
    title = score.metadata.bestTitle if score.metadata is not None else None
    music.attributes = {"name": title or "untitled", **_signatures(chosen)}
    music.literal = SOFTWARE in (score.metadata.software if score.metadata else ())
    marks = list(score.recurse().getElementsByClass("MetronomeMark"))
    tempi = [mark.getQuarterBPM() for mark in marks if mark.number is not None]
    music.bpm = tempi[0] if tempi else None
    music.tempo_changes = sum(a != b for a, b in pairwise(tempi))
    return music


def _parts(score: Score, parts: Iterable[Part] | None) -> list[Part]:
    from music21 import stream

    if isinstance(score, stream.Opus):
        raise DataError(f"it holds {len(score.scores)} pieces: save each in a file of its own")
    chosen = (
        list(score.parts)
        if parts is None and isinstance(score, stream.Score)
        else list(parts or [score])
    )
    chosen = [part if part.hasMeasures() else part.makeMeasures() for part in chosen]
    if not chosen or not any(_measures(part) for part in chosen):
        raise DataError("there are no notes in it")
    transposing = [
        any(i.transposition is not None for i in part.getElementsByClass("Instrument"))
        for part in chosen
    ]
    return [part.toSoundingPitch() if moves else part for part, moves in zip(chosen, transposing)]


def _measures(part: Part) -> list[Measure]:
    return list(part.getElementsByClass("Measure"))


def _steps(quarters) -> Fraction:
    """Quarter lengths in steps, exactly; music21 gives floats on binary grids and fractions elsewhere."""
    return Fraction(quarters) * STEPS_PER_QUARTER


def _elements(measure: Measure) -> Iterator[tuple[str, object, Fraction]]:
    """Notes, rests and chords of a measure: voice, element, offset in steps. No grace notes, no chord symbols."""
    from music21.harmony import Harmony

    voices = [(str(voice.id), voice, voice.offset) for voice in measure.voices]
    for name, holder, shift in [("", measure, 0.0), *voices]:
        for element in holder.notesAndRests:
            if element.quarterLength and not isinstance(element, Harmony):
                yield name, element, _steps(element.offset + shift)


def _bars(parts: list[Part]) -> list[Bar]:
    columns = [_measures(part) for part in parts]
    bars, signature = [], None
    for index in range(max(map(len, columns))):
        row = [column[index] for column in columns if index < len(column)]
        signature = next((m.timeSignature for m in row if m.timeSignature is not None), signature)
        nominal = _steps(signature.barDuration.quarterLength) if signature else Fraction(16)
        ends = [
            offset + _steps(element.quarterLength)
            for measure in row
            for _, element, offset in _elements(measure)
            # music21 fills gaps with hidden rests, in files that skip forward even beyond the bar
            if not (element.isRest and element.style.hideObjectOnPrint)
        ]
        unnumbered = any(m.number == 0 or m.showNumber.name == "NEVER" for m in row)
        beat = 16 // signature.denominator if signature and signature.denominator <= 16 else 4
        bars.append(Bar(max(ends, default=nominal), nominal, beat, unnumbered))
    return bars


def _read_part(
    part: Part, label: str, starts: list[int], music: ParsedMusic, grid: str
) -> list[list[ParsedNote]]:
    """Notes of each voice of a part; adds its fermatas, drums and retuned notes to ``music``."""
    from music21.expressions import Fermata

    voices: dict[str, list[tuple[ParsedNote, bool]]] = {}
    for index, measure in enumerate(_measures(part)):
        for voice, element, offset in _elements(measure):
            where = f"{label}, bar {measure.measureNumberWithSuffix()}"
            start = starts[index] + offset
            stop = start + _steps(element.quarterLength)
            if any(isinstance(mark, Fermata) for mark in element.expressions):
                music.fermatas.append(start)
            notes = voices.setdefault(voice, [])
            if element.isRest:
                continue
            for single in element.notes if hasattr(element, "notes") else [element]:
                if not hasattr(single, "pitch"):
                    music.drums += 1
                    continue
                pitch, spelling = _pitch(single.pitch, where, music, grid)
                tied = single.tie is not None and single.tie.type in ("stop", "continue")
                notes.append((ParsedNote(start, stop, pitch, spelling, where=where), tied))
        if sum(map(len, voices.values())) > MAX_NOTES:
            raise DataError(f"{label} has more than {MAX_NOTES} notes: cut out a part of it")
    if "" in voices and len(voices) > 1:  # bars of a single voice belong to the staff's first
        alone = voices.pop("")
        voices[min(voices)] += alone
    return [_joined(voices[name]) for name in sorted(voices)] or [[]]


def _joined(notes: list[tuple[ParsedNote, bool]]) -> list[ParsedNote]:
    """The notes of a voice, each tied one joined to the note that it goes on from."""
    joined: list[ParsedNote] = []
    latest: dict[int, int] = {}  # where the last note of each pitch stands
    for note, tied in sorted(notes, key=lambda pair: pair[0].start):
        at = latest.get(note.pitch)
        if tied and at is not None and joined[at].stop == note.start:
            joined[at] = joined[at]._replace(stop=note.stop)
        else:
            latest[note.pitch] = len(joined)
            joined.append(note)
    return joined


def _pitch(pitch, where: str, music: ParsedMusic, grid: str) -> tuple[int, int]:
    """MIDI pitch and line-of-fifths spelling; a microtone is moved to the nearest key of the piano."""
    alter = pitch.accidental.alter if pitch.accidental is not None else 0
    cents = pitch.microtone.cents
    if alter != int(alter) or cents:
        if grid == "exact":
            raise DataError(f"{where}: {pitch.nameWithOctave} lies between the keys of a piano")
        music.retuned += 1
        alter = round(alter + cents / 100)
    octave = pitch.implicitOctave if pitch.octave is None else pitch.octave
    midi = 12 * (octave + 1) + _NATURAL[pitch.step] + int(alter)
    if not 0 <= midi <= 127:
        raise DataError(f"{where}: {pitch.nameWithOctave} is beyond the MIDI pitches 0-127")
    return midi, _STEPS.index(pitch.step) - 1 + 7 * int(alter)


def _signatures(parts: list[Part]) -> dict:
    """Key and time signature, tonic and mode, as they stand in the first bar."""
    measures = [_measures(part)[0] for part in parts if _measures(part)]
    time = next((m.timeSignature for m in measures if m.timeSignature is not None), None)
    signature = next((m.keySignature for m in measures if m.keySignature is not None), None)
    found = {"time_signature": _ratio(time)}
    if signature is None or signature.sharps is None or abs(signature.sharps) > 7:
        return found
    found |= {
        "key_signature": signature.sharps,
        "key_method": "signature",
        "tonic": signature.sharps * 7 % 12,
    }
    if hasattr(signature, "mode"):
        mode = "minor" if signature.mode in _MINOR_MODES else "major"
        found |= {"key_method": "file", "tonic": signature.tonic.pitchClass, "mode": mode}
    return found


def _ratio(time: TimeSignature | None) -> str:
    """Upper and lower number of a time signature, 5/8 for 2+3/8; 4/4 where it is finer than 16ths."""
    if time is None or time.denominator > 16 or not time.numerator >= 1:
        return "4/4"
    return f"{time.numerator}/{time.denominator}"
