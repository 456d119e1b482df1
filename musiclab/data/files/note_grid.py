"""From a parsed music file to a piece on the 16th grid: rounding, voices, bars, report."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from musiclab.data.files.parsed import Bar, Note, ParsedMusic, ParsedNote, ParsedPart
from musiclab.data.files.report import ReadingReport
from musiclab.data.files.storage import DataError
from musiclab.data.files.voices import separate, skyline
from musiclab.data.piece import NO_SPELLING, REST, Piece

__all__ = [
    "MAX_VOICES",
    "SOFTWARE",
    "bar_starts",
    "bars_of",
    "lay_out",
    "metre_of",
    "round_step",
    "to_grid",
    "voice_order",
]

MAX_VOICES = 32

SOFTWARE = "musiclab"
"""How files written here say so; in them a short bar is what it seems."""

_RINGING_VOICES = 6  # so many notes of a part may sound at once where a pedal holds them
_OFF_GRID = Fraction(3, 10)  # of a step: played slightly early or late, no triplet (a third)
_RANKS = {"soprano": 0, "alto": 1, "tenor": 2, "bass": 3, "melody": 0}


def to_grid(music: ParsedMusic, chords: str = "voices", grid: str = "round") -> Piece:
    """Put a parsed file onto the 16th grid, and report what had to be changed.

    Args:
      music: what the file holds.
      chords, grid: as in :func:`musiclab.data.read_music`.

    Returns:
      A piece with its ``report``.

    Raises:
      DataError: no notes, or too many; with ``grid="exact"`` a note off the grid, with
        ``chords="refuse"`` two notes at once in a part; the message names the place.
    """
    music.check_size()
    count = Counter()
    starts = bar_starts(music.bars)
    names, voices = [], []
    for part in music.parts:
        split = _split(_on_grid(part, music, starts, grid, count), music.played, chords, count)
        names += [part.name] if len(split) == 1 else [""] * len(split)
        voices += split
    needed = max(note.start + 1 for voice in voices for note in voice)
    if needed > starts[-1]:  # the last note was rounded up
        music.bars[-1].length += needed - starts[-1]
        starts[-1] = needed
    order = list(range(len(voices))) if music.ordered else voice_order(names, voices)
    if len(order) > MAX_VOICES and chords != "refuse":
        busiest = sorted(order, key=lambda index: -len(voices[index]))[:MAX_VOICES]
        count["dropped"] += sum(len(voices[i]) for i in order if i not in busiest)
        order = [index for index in order if index in busiest]
    chosen = [voices[index] for index in order]
    pitches, onsets, spelling, velocity = lay_out(chosen, starts[-1])
    marks = np.zeros(starts[-1], bool)
    marks[[step for step in map(round_step, music.fermatas) if step < starts[-1]]] = True
    return Piece(
        pitches,
        onsets,
        spelling,
        fermatas=marks,
        velocity=velocity if velocity.any() else None,
        report=_report(music, chosen, count),
        **metre_of(music.bars, starts, music.literal),
        **music.attributes,
    )


def bar_starts(bars: list[Bar]) -> list[int]:
    """Step where each bar starts, and where the last stops: their lengths rounded and summed."""
    return np.cumsum([0] + [round_step(bar.length) for bar in bars]).tolist()


def metre_of(bars: list[Bar], starts: list[int], literal: bool) -> dict:
    """Downbeats, beats and pickup of a piece from the bars in its file.

    A short first bar is a pickup; two short bars in a row that together fill a bar count as one,
    since editors cut a bar in two at a repeat or at a line's end.

    Args:
      bars: the file's bars.
      starts: step where each starts, and where the last stops.
      literal: take each bar for what it is; only an unnumbered first one is a pickup.

    Returns:
      ``downbeats``, ``beat`` and ``pickup`` as :class:`Piece` wants them.

    >>> three_one = [Bar(12, 16, 4), Bar(16, 16, 4)]
    >>> metre_of(three_one, [0, 12, 28], literal=False)["pickup"]
    12
    """
    first, steps = bars[0], starts[-1]
    pickup = first.unnumbered if literal else first.length < first.nominal and len(bars) > 1
    downbeats, beat = np.zeros(steps, bool), np.zeros(steps, np.int8)
    open_since, filled = 0, Fraction(0)
    for index, bar in enumerate(bars):
        start, stop = starts[index], starts[index + 1]
        position = np.arange(start, stop)
        if index == 0 and pickup:
            beat[:stop] = (position - stop) % round_step(bar.nominal) // bar.beat
            continue
        if not literal and 0 < filled == bar.nominal - bar.length:
            filled = bar.nominal  # the second half of a bar
        else:
            open_since, filled = start, bar.length
            downbeats[start:stop][:1] = True
        beat[start:stop] = np.minimum((position - open_since) // bar.beat, 127)
    return {"downbeats": downbeats, "beat": beat, "pickup": starts[1] if pickup else 0}


def bars_of(piece: Piece) -> list[tuple[int, int, int]]:
    """Start, stop and beat length of each bar, its pickup included, in steps.

    The beat length is that of the bar before (at first: of the time signature) unless the bar's
    ``beat`` contradicts it, as it does where the metre changes from 4/4 to 3/2.

    >>> bars_of(Piece([60] * 20, pickup=4))
    [(0, 4, 4), (4, 20, 4)]
    """
    own = 16 // int(piece.time_signature.split("/")[1])
    bars, unit = [], own
    for start, stop in pairwise(
        sorted({0, *np.flatnonzero(piece.downbeats).tolist(), piece.steps})
    ):
        if piece.downbeats[start]:
            position, beat = np.arange(stop - start), piece.beat[start:stop]
            fitting = (
                u for u in (unit, own, 1, 2, 4, 8, 16) if np.array_equal(position // u, beat)
            )
            unit = next(fitting, own)
        bars.append((start, stop, unit))
    return bars


def round_step(steps: Fraction) -> int:
    """The nearest step; halfway is rounded up.

    >>> round_step(Fraction(5, 2))
    3
    """
    return math.floor(steps + Fraction(1, 2))


def lay_out(voices: list[list[Note]], steps: int) -> tuple[np.ndarray, ...]:
    """Write notes into arrays, one column per voice.

    Args:
      voices: the notes of each voice, in time order.
      steps: length T of the piece.

    Returns:
      voices int16 (T, V), onsets bool (T, V), spelling int8 (T, V) and velocity int8 (T, V) as
      :class:`Piece` wants them.

    Raises:
      DataError: too many voices, or two notes at once in one voice.

    >>> source = ParsedNote(0, 2, 60)
    >>> lay_out([[Note(0, 2, 60, source), Note(2, 3, 62, source)]], 4)[0][:, 0].tolist()
    [60, 60, 62, -1]
    """
    if len(voices) > MAX_VOICES:
        raise DataError(f"{len(voices)} voices: the most that is read is {MAX_VOICES}")
    shape = (steps, len(voices))
    pitches, onsets = np.full(shape, REST, np.int16), np.zeros(shape, bool)
    spelling, velocity = np.full(shape, NO_SPELLING, np.int8), np.zeros(shape, np.int8)
    for voice, notes in enumerate(voices):
        for note, following in zip(notes, [*notes[1:], None]):
            if following is not None and following.start < note.stop:
                raise DataError(
                    f"{following.source.where}: two notes at once in one voice; give each a voice "
                    'of its own, or read the file with chords="voices"'
                )
            span = slice(note.start, note.stop)
            onsets[note.start, voice] = True
            pitches[span, voice] = note.pitch
            spelling[span, voice] = note.source.spelling
            velocity[span, voice] = note.source.velocity
    return pitches, onsets, spelling, velocity


def voice_order(names: list[str], voices: list[list[Note]]) -> list[int]:
    """Which voices to keep, highest first.

    Voices called soprano, alto, tenor, bass, melody or "Voice 2" are all kept, in that order,
    silent or not. Otherwise silent ones are dropped and the rest ordered by median pitch; equal
    ones stay as they are.

    >>> high, higher = [Note(0, 1, 80, None)], [Note(0, 1, 90, None)]
    >>> voice_order(["Flute", "Cello", "Oboe"], [high, [], higher])
    [2, 0]
    """
    ranks = [_rank(name) for name in names]
    if None not in ranks and len(set(ranks)) == len(ranks):
        return sorted(range(len(names)), key=ranks.__getitem__)
    sounding = [index for index, notes in enumerate(voices) if notes]
    return sorted(sounding, key=lambda index: -np.median([note.pitch for note in voices[index]]))


def _rank(name: str) -> int | None:
    numbered = re.fullmatch(r"voice (\d{1,3})", name.strip().lower())
    return int(numbered[1]) if numbered else _RANKS.get(name.strip().lower())


def _on_grid(
    part: ParsedPart, music: ParsedMusic, starts: list[int], grid: str, count: Counter
) -> list[Note]:
    """The notes of a part in steps, in time order; refused or rounded where off the grid."""
    notes = []
    for note in sorted(part.notes, key=lambda n: (n.start, n.pitch, n.stop)):
        start = round_step(note.start)
        if grid == "exact":
            _check_on_grid(note, start, music.played, starts)
        stop = max(round_step(note.ring or note.stop), start + 1)
        notes.append(Note(start, stop, note.pitch, note))
    if grid == "round":
        notes = [
            note for _, step in groupby(notes, lambda n: n.start) for note in _thin(list(step))
        ]
        count["dropped"] += len(part.notes) - len(notes)
    return _legato(notes) if music.played else notes


def _check_on_grid(note: ParsedNote, start: int, played: bool, starts: list[int]) -> None:
    if played:
        off = note.start if abs(note.start - start) > _OFF_GRID else None
    else:
        off = next((time for time in (note.start, note.stop) if time.denominator != 1), None)
    if off is not None:
        bar = starts[bisect_right(starts, note.start) - 1]
        raise DataError(
            f"{note.where}: a note starts or ends {float(off - bar):.3f} 16ths into the bar, off "
            'the grid of 16ths; grid="round" rounds it'
        )
    if note.stop <= note.start and not played:
        raise DataError(f"{note.where}: a note is too short for the grid of 16ths")


def _thin(step: list[Note]) -> list[Note]:
    """Of notes that follow one another within one step, the longest; chords stay."""
    kept: list[Note] = []
    for note in step:
        rivals = [other for other in kept if _follows(note.source, other.source)]
        if not rivals:
            kept.append(note)
        elif all(_length(note.source) > _length(other.source) for other in rivals):
            kept = [other for other in kept if other not in rivals] + [note]
    return kept


def _follows(note: ParsedNote, before: ParsedNote) -> bool:
    overlap = before.stop - note.start
    return note.start > before.start and 2 * overlap <= min(_length(note), _length(before))


def _length(note: ParsedNote) -> Fraction:
    return note.stop - note.start


def _legato(notes: list[Note]) -> list[Note]:
    """End notes where the next one starts that they overlap by less than a step."""
    times = [note.source.start for note in notes]
    joined = []
    for note in notes:
        end = note.source.ring or note.source.stop
        at = bisect_right(times, max(end - 1, note.source.start))
        if at < len(times) and times[at] < end and note.start < notes[at].start < note.stop:
            note = note._replace(stop=notes[at].start)
        joined.append(note)
    return joined


def _split(notes: list[Note], played: bool, chords: str, count: Counter) -> list[list[Note]]:
    """The voices of a part."""
    if chords == "refuse" or not notes:
        voices = [notes]
    else:
        single = _once_per_pitch(notes)
        count["merged"] += len(notes) - len(single)
        if chords == "top":
            voices = [skyline(single)]
            count["dropped"] += len(single) - len(voices[0])
        else:
            voices = separate(_damp(single, count))
    return [_close_gaps(voice) for voice in voices] if played else voices


def _once_per_pitch(notes: list[Note]) -> list[Note]:
    """Merge notes of one pitch and onset; end a note where its pitch is struck again."""
    latest: dict[int, int] = {}
    kept: list[Note] = []
    for note in notes:
        at = latest.get(note.pitch)
        if at is not None and kept[at].start == note.start:
            kept[at] = max(kept[at], note, key=lambda n: n.stop)
            continue
        if at is not None and kept[at].stop > note.start:
            kept[at] = kept[at]._replace(stop=note.start)
        latest[note.pitch] = len(kept)
        kept.append(note)
    return kept


def _damp(notes: list[Note], count: Counter) -> list[Note]:
    """Cut what only a pedal holds, longest-held first, where more than six notes would sound."""
    stops = [note.stop for note in notes]
    sounding: list[int] = []
    for index, note in enumerate(notes):
        sounding = [i for i in sounding if stops[i] > note.start]
        if len(sounding) >= _RINGING_VOICES:
            for i in sounding:
                released = max(round_step(notes[i].source.stop), notes[i].start + 1)
                if notes[i].source.ring is not None and released <= note.start:
                    stops[i] = note.start
                    count["cut"] += 1
                    break
        sounding.append(index)
    return [note._replace(stop=stop) for note, stop in zip(notes, stops, strict=True)]


def _close_gaps(voice: list[Note]) -> list[Note]:
    """Lengthen played notes that end less than a step before the next one of their voice."""
    closed = []
    for note, following in zip(voice, [*voice[1:], None]):
        if following is not None and note.stop < following.start:
            end = note.source.ring or note.source.stop
            if following.source.start - end < 1:
                note = note._replace(stop=following.start)
        closed.append(note)
    return closed


def _report(music: ParsedMusic, voices: list[list[Note]], count: Counter) -> ReadingReport:
    notes = [note for voice in voices for note in voice]
    moves = [abs(note.start - note.source.start) for note in notes]
    moves = [float(move) for move in moves if move]
    resized = sum(
        n.start == n.source.start and n.stop != (n.source.ring or n.source.stop) for n in notes
    )
    return ReadingReport(
        notes=sum(len(part.notes) for part in music.parts),
        moved=len(moves),
        median=float(np.median(moves)) if moves else 0.0,
        largest=max(moves, default=0.0),
        resized=max(resized - count["cut"], 0),
        cut=count["cut"],
        merged=count["merged"],
        dropped=count["dropped"],
        drums=music.drums,
        retuned=music.retuned,
        parts=sum(bool(part.notes) for part in music.parts),
        voices=len(voices),
        bpm=music.bpm,
        tempo_changes=music.tempo_changes,
    )
