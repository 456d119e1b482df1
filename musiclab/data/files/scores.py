"""From a music21 score to a piece on the 16th grid.

Lessons: 01.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from musiclab.data.files.note_grid import (
    MAX_NOTES,
    MAX_STEPS,
    SOFTWARE,
    Bar,
    Note,
    lay_out,
    metre_of,
    round_step,
    voice_order,
)
from musiclab.data.files.storage import DataError
from musiclab.data.piece import STEPS_PER_QUARTER, Piece

if TYPE_CHECKING:
    from music21.stream import Measure, Part, Score

__all__ = ["piece_from_stream"]

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
    score: Score, parts: Iterable[Part] | None = None, round_to_grid: bool = False
) -> Piece:
    """Read a music21 score as a piece on the 16th grid.

    Repeats are not expanded and grace notes are left out. Tied notes become one. A fermata in any part counts.
    A short first bar is a pickup; two short bars in a row that together fill a bar count as one, since editors
    cut a bar in two at a repeat or a line's end. In scores of :func:`to_stream` every bar is what it says.

    Lesson: 01

    Args:
      score: a score whose parts have measures (a part without them gets some).
      parts: the parts to read, in the order wanted, one voice each; default all, highest first.
      round_to_grid: round notes off the grid to the nearest step instead of refusing them.

    Returns:
      A piece with spelling, bars, pickup, fermatas, key and time signature. ``key_method`` is "file" if the
      score names a mode, "signature" where only accidentals are given (read as major), "unknown" without either.

    Raises:
      DataError: chords or two notes at once in a voice, unpitched or microtonal notes, no notes, too many, a time
        signature finer than 16ths, or a note off the grid; the message names part and bar.

    >>> from musiclab.data.files.musicxml import to_stream
    >>> piece_from_stream(to_stream(Piece([[60], [60], [62]], onsets=[True, True, True], name="three")))
    Piece('three': 3 steps, 1 voice, 4/4)
    """
    chosen = _parts(score, parts)
    bars = _bars(chosen)
    starts = np.cumsum([0] + [round_step(bar.length) for bar in bars]).tolist()
    if starts[-1] > MAX_STEPS:
        raise DataError(
            f"it lasts {starts[-1]} steps of a 16th: the most that is read is {MAX_STEPS}; cut out a part of it"
        )
    names, voices, fermatas = [], [], set()
    for index, part in enumerate(chosen):
        label = part.partName or (f"part {index + 1}" if len(chosen) > 1 else "the melody")
        read = _read_part(part, label, starts, fermatas, round_to_grid)
        names += [part.partName or ""] if len(read) == 1 else [""] * len(read)
        voices += read
    order = voice_order(names, voices) if parts is None else range(len(voices))
    pitches, onsets, spelling = lay_out([voices[index] for index in order], starts[-1])
    metre = metre_of(
        bars, starts, literal=SOFTWARE in (score.metadata.software if score.metadata else ())
    )
    marks = np.zeros(starts[-1], bool)
    marks[sorted(fermatas)] = True
    title = score.metadata.bestTitle if score.metadata is not None else None
    try:
        return Piece(
            pitches,
            onsets,
            spelling,
            fermatas=marks,
            name=title or "untitled",
            **metre,
            **_signatures(chosen),
        )
    except ValueError as error:
        raise DataError(str(error)) from None


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
    part: Part, label: str, starts: list[int], fermatas: set[int], round_to_grid: bool
) -> list[list[Note]]:
    """Notes of each voice of a part; adds its fermatas' steps to ``fermatas``."""
    from music21.expressions import Fermata

    voices: dict[str, list[Note]] = {}
    for index, measure in enumerate(_measures(part)):
        for voice, element, offset in _elements(measure):
            where = f"{label}, bar {measure.measureNumberWithSuffix()}"
            times = (offset, offset + _steps(element.quarterLength))
            start, stop = (starts[index] + round_step(time) for time in times)
            if (
                any(isinstance(mark, Fermata) for mark in element.expressions)
                and start < starts[-1]
            ):
                fermatas.add(start)
            notes = voices.setdefault(voice, [])
            if element.isRest:
                continue
            if not element.isNote:
                raise DataError(
                    f"{where}: a chord or an unpitched note; a voice holds one pitch at a time"
                )
            off = [time for time in times if time.denominator != 1]
            if off and not round_to_grid:
                raise DataError(
                    f"{where}: a note starts or ends {float(off[0]):.3f} 16ths into the bar, off the grid of 16ths"
                )
            if start >= stop:
                raise DataError(f"{where}: a note is too short for the grid of 16ths")
            tied = element.tie is not None and element.tie.type in ("stop", "continue")
            notes.append(Note(start, stop, *_pitch(element.pitch, where), tied, where))
        if sum(map(len, voices.values())) > MAX_NOTES:
            raise DataError(f"{label} has more than {MAX_NOTES} notes: cut out a part of it")
    if (
        "" in voices and len(voices) > 1
    ):  # bars where the staff has a single voice belong to its first
        alone = voices.pop("")
        voices[min(voices)] += alone
    return [voices[name] for name in sorted(voices)] or [[]]


def _pitch(pitch, where: str) -> tuple[int, int]:
    """MIDI pitch and line-of-fifths spelling."""
    alter = pitch.accidental.alter if pitch.accidental is not None else 0
    if alter != int(alter) or pitch.microtone.cents:
        raise DataError(f"{where}: {pitch.nameWithOctave} lies between the keys of a piano")
    octave = pitch.implicitOctave if pitch.octave is None else pitch.octave
    midi = 12 * (octave + 1) + _NATURAL[pitch.step] + int(alter)
    if not 0 <= midi <= 127:
        raise DataError(f"{where}: {pitch.nameWithOctave} is beyond the MIDI pitches 0-127")
    return midi, _STEPS.index(pitch.step) - 1 + 7 * int(alter)


def _signatures(parts: list[Part]) -> dict:
    """Key and time signature, tonic and mode, as they stand in the first bar."""
    measures = [_measures(part)[0] for part in parts if _measures(part)]
    time = next(
        (m.timeSignature.ratioString for m in measures if m.timeSignature is not None), "4/4"
    )
    signature = next((m.keySignature for m in measures if m.keySignature is not None), None)
    found = {"time_signature": time}
    if signature is None or signature.sharps is None:
        return found
    if abs(signature.sharps) > 7:
        raise DataError(
            f"a key signature of {abs(signature.sharps)} sharps or flats: there are at most 7"
        )
    found |= {
        "key_signature": signature.sharps,
        "key_method": "signature",
        "tonic": signature.sharps * 7 % 12,
    }
    if hasattr(signature, "mode"):
        mode = "minor" if signature.mode in _MINOR_MODES else "major"
        found |= {"key_method": "file", "tonic": signature.tonic.pitchClass, "mode": mode}
    return found
