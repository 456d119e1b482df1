"""Voice separation: chords and piano staves split into voices that hold one note at a time.

After E. Chew and X. Wu, "Separating voices in polyphonic music: a contig mapping approach", CMMR
2004: where most notes sound at once, voices are assigned from high to low; from there notes are
connected outwards, forwards and backwards in time, so that voices move by the smallest intervals.
"""

from __future__ import annotations

from itertools import groupby

from musiclab.data.files.parsed import Note

__all__ = ["separate", "skyline"]

_UNUSED, _RANGE, _SILENCE = 12.0, 24.0, 0.25  # costs, in semitones
_LONGEST_SILENCE = 16  # steps after which a silence counts no more


def skyline(notes: list[Note]) -> list[Note]:
    """The highest note at each onset, cut where a higher one starts: Uitdenbogerd and Zobel 1999.

    Args:
      notes: on the grid, in any order.

    Returns:
      Notes one after another; lower ones that start under a higher one are left out.

    >>> notes = [Note(0, 4, 60, None), Note(0, 2, 64, None), Note(2, 4, 62, None)]
    >>> [note.pitch for note in skyline(notes)]
    [64, 62]
    """
    kept = []
    for note in sorted(notes, key=lambda n: (n.start, -n.pitch)):
        if kept and kept[-1].stop > note.start:
            if kept[-1].start == note.start or kept[-1].pitch > note.pitch:
                continue
            kept[-1] = kept[-1]._replace(stop=note.start)
        kept.append(note)
    return kept


def separate(notes: list[Note]) -> list[list[Note]]:
    """Split notes into as many voices as sound at once, the highest first.

    Args:
      notes: on the grid, in any order; no pitch twice at one time.

    Returns:
      The notes of each voice, in time order.

    >>> chord = [Note(0, 4, 60, None), Note(0, 4, 64, None), Note(4, 8, 62, None)]
    >>> [[note.pitch for note in voice] for voice in separate(chord)]
    [[64, 62], [60]]
    """
    notes = sorted(notes, key=lambda n: (n.start, -n.pitch))
    above, below, widest = _neighbours(notes)
    if len(widest) < 2:
        return [notes]
    ranges = [(high, len(widest) - 1 - low) for high, low in zip(above, below)]
    voices = [[notes[index]] for index in widest]
    first = max(notes[index].start for index in widest)
    later = [i for i in range(len(notes)) if notes[i].start >= first and i not in widest]
    earlier = [i for i in range(len(notes)) if notes[i].start < first and i not in widest]
    for _, group in groupby(later, key=lambda i: notes[i].start):
        _connect(list(group), notes, ranges, voices, forwards=True)
    for voice in voices:
        voice.reverse()  # the last note of each list is the one to connect to
    earlier.sort(key=lambda i: -notes[i].stop)
    for _, group in groupby(earlier, key=lambda i: notes[i].stop):
        _connect(list(group), notes, ranges, voices, forwards=False)
    return [voice[::-1] for voice in voices]


def _neighbours(notes: list[Note]) -> tuple[list[int], list[int], list[int]]:
    """How many notes at most sound above and below each one, and the largest set that sounds at once."""
    above, below = [0] * len(notes), [0] * len(notes)
    sounding, widest = [], []
    for start, group in groupby(range(len(notes)), key=lambda i: notes[i].start):
        sounding = [i for i in sounding if notes[i].stop > start] + list(group)
        sounding.sort(key=lambda i: -notes[i].pitch)
        for rank, index in enumerate(sounding):
            above[index] = max(above[index], rank)
            below[index] = max(below[index], len(sounding) - 1 - rank)
        if len(sounding) > len(widest):
            widest = list(sounding)
    return above, below, widest


def _connect(group: list[int], notes, ranges, voices, forwards: bool) -> None:
    """Append simultaneous notes, high to low, to free voices, high to low, at the least total cost."""
    now = notes[group[0]].start if forwards else notes[group[0]].stop
    free = []
    for number, voice in enumerate(voices):
        busy = voice and (voice[-1].stop > now if forwards else voice[-1].start < now)
        if not busy:
            free.append(number)
    # best[j]: least cost of the notes so far in the first j free voices, and their voices
    group.sort(key=lambda i: -notes[i].pitch)
    best = [(0.0, ())] * (len(free) + 1)
    for index in group:
        row = [(float("inf"), ())]
        for j, number in enumerate(free):
            cost = best[j][0] + _cost(notes[index], ranges[index], voices[number], number, forwards)
            row.append(min(row[j], (cost, (*best[j][1], number)), key=lambda entry: entry[0]))
        best = row
    for index, number in zip(group, best[-1][1], strict=True):
        voices[number].append(notes[index])


def _cost(note: Note, allowed, voice: list[Note], number: int, forwards: bool) -> float:
    """Interval to the voice's nearest note, silence between them, and notes that would cross."""
    outside = max(allowed[0] - number, number - allowed[1], 0)
    if not voice:
        return _UNUSED + _RANGE * outside
    other = voice[-1]
    silence = note.start - other.stop if forwards else other.start - note.stop
    leap = abs(note.pitch - other.pitch)
    return leap + _SILENCE * min(silence, _LONGEST_SILENCE) + _RANGE * outside
