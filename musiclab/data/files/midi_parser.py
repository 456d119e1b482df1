"""Standard MIDI files parsed: notes with velocity and pedal, bars, key, tempo.

Written for the course because an odd side event (a key of 8 flats, an alien chunk) must not cost
the notes. Sources: The Complete MIDI 1.0 Detailed Specification, 1996; Standard MIDI Files 1.0.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from musiclab.data.files.note_grid import SOFTWARE, round_step
from musiclab.data.files.parsed import MAX_STEPS, Bar, ParsedMusic, ParsedNote, ParsedPart
from musiclab.data.files.storage import DataError
from musiclab.data.piece import STEPS_PER_QUARTER

__all__ = ["MOST_BEATS", "PICKUP", "parse_midi"]

PICKUP = "pickup"
"""The marker that tells a pickup from a short bar, in files written here."""

_DRUMS, _PEDAL = 9, 64
_TEXT, _NAME, _MARKER, _END, _TEMPO, _TIME, _KEY = 0x01, 0x03, 0x06, 0x2F, 0x51, 0x58, 0x59
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}

MOST_BEATS = 64
"""Beats in a bar; a time signature of more is a side event gone wrong."""


class _Event(NamedTuple):
    """A meta message: tick, type, content."""

    tick: int
    kind: int
    data: bytes


class _Track:
    """Notes by channel, pedal moves, meta messages and length of one track."""

    def __init__(self):
        self.keys: dict[int, list[tuple[int, int, int]]] = {}  # channel: (tick, pitch, velocity)
        self.pedal: list[tuple[int, int, bool]] = []  # channel, tick, down
        self.metas: list[_Event] = []
        self.name, self.length = "", 0


def parse_midi(raw: bytes) -> ParsedMusic:
    """Parse the bytes of a MIDI file, each channel of each track a part.

    A note that is struck again while it sounds ends there. Notes that end while the sustain pedal
    is down ring until it is lifted or the key is struck again. Drums (channel 10) are left out.
    Tempo is read but changes nothing: the grid counts beats.

    Args:
      raw: the file's content; a RIFF wrapper (.rmi) is opened, chunks of other kinds are skipped.

    Returns:
      The parts with their exact times; bars from the time signatures.

    Raises:
      DataError: not MIDI, damaged, type 2, timed in film frames, or too long.

    >>> parse_midi(b"RIFF")
    Traceback (most recent call last):
    musiclab.data.files.storage.DataError: it is no MIDI file, or only the start of one
    """
    tracks, ticks_per_quarter = _tracks(raw)
    step = Fraction(ticks_per_quarter, STEPS_PER_QUARTER)
    metas = sorted((meta for track in tracks for meta in track.metas), key=lambda meta: meta.tick)
    last = max(track.length for track in tracks)
    pedals = _pedals(tracks)
    parts, drums = [], 0
    for number, track in enumerate(tracks):
        for channel, keys in sorted(track.keys.items()):
            if channel == _DRUMS:
                drums += sum(velocity > 0 for _, _, velocity in keys)
                continue
            name = track.name or f"track {number}"
            notes = _matched(keys, track.length, pedals.get(channel, []), step, name)
            parts.append(ParsedPart(name, notes))
    ends = [note.stop for part in parts for note in part.notes]
    steps = max(round_step(max(ends, default=Fraction(0))), round_step(last / step), 1)
    if steps > MAX_STEPS:
        raise DataError(
            f"it lasts {steps} steps of a 16th: the most that is read is {MAX_STEPS}; cut out a part of it"
        )
    texts = {_decoded(meta.data) for meta in metas if meta.kind in (_TEXT, _MARKER)}
    ours = SOFTWARE in texts
    changes = _signatures(metas, step, ours)
    bars, signature = _bars(changes, steps, PICKUP in texts if ours else None)
    if ours and [change[0] for change in changes[:2]] == [0, 0]:  # the piece's own stands before
        _, upper, lower, beat = changes[0]
        signature = f"{upper}/{lower}"
        if bars[0].unnumbered:
            bars[0] = Bar(bars[0].length, Fraction(upper * 16, lower), beat, unnumbered=True)
    starts = [0]
    for bar in bars:
        starts.append(starts[-1] + int(bar.length))
    for part in parts:
        part.notes = [_placed(note, starts) for note in part.notes]
    title = tracks[0].name if not any(tracks[0].keys.values()) else ""
    tempi = [60e6 / value for m in metas if m.kind == _TEMPO and (value := int.from_bytes(m.data))]
    return ParsedMusic(
        parts,
        bars,
        attributes={"name": title or "untitled", "time_signature": signature, **_key(metas)},
        literal=True,
        played=True,
        drums=drums,
        bpm=tempi[0] if tempi else None,
        tempo_changes=sum(a != b for a, b in pairwise(tempi)),
    )


def _tracks(raw: bytes) -> tuple[list[_Track], int]:
    """Header and tracks; alien chunks are skipped."""
    if raw[:4] == b"RIFF":
        raw = raw[max(raw.find(b"MThd"), 0) :]
    if raw[:4] != b"MThd" or len(raw) < 14:
        raise DataError("it is no MIDI file, or only the start of one")
    header, kind, promised, division = struct.unpack(">IHHh", raw[4:14])
    if kind > 2 or (kind == 2 and promised > 1):
        raise DataError(
            f"it is a MIDI file of type {kind}, whose tracks are not played together: export it as type 1"
        )
    if division < 0:
        raise DataError(
            "its time is counted in film frames (SMPTE), not in beats: export it with ticks per quarter note"
        )
    if division == 0:
        raise DataError("the MIDI file is damaged: it says that a quarter note has 0 ticks")
    tracks, at = [], 8 + header
    while at + 8 <= len(raw):
        name, length = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8])
        if name == b"MTrk":
            tracks.append(_read_track(raw[at + 8 : at + 8 + length], at + 8 + length > len(raw)))
        at += 8 + length
    if len(tracks) < promised or not tracks:
        raise DataError(
            f"the MIDI file is damaged: it promises {promised} tracks and holds {len(tracks)}"
        )
    return tracks, division


def _read_track(data: bytes, cut: bool) -> _Track:
    """Follow the events of one track."""
    track = _Track()
    at = status = 0
    try:
        while at < len(data):
            delta, at = _variable_length(data, at)
            track.length += delta
            first = data[at]
            if first >= 0x80:
                at += 1
            elif not status:
                raise DataError("the MIDI file is damaged: a track starts without an event")
            if first in (0xFF, 0xF0, 0xF7):
                kind = data[at] if first == 0xFF else None
                length, at = _variable_length(data, at + (first == 0xFF))
                if at + length > len(data):
                    raise IndexError
                if kind == _END:
                    return track
                if kind is not None:
                    _meta(track, kind, data[at : at + length])
                at += length
            elif first >= 0xF0:
                at += _SYSTEM_BYTES.get(first, 0)
            else:
                status = first if first >= 0x80 else status
                count = _DATA_BYTES[status >> 4]
                message = data[at : at + count]
                if len(message) < count:
                    raise IndexError
                if max(message) > 127:
                    raise DataError(
                        f"the MIDI file is damaged: an event holds {max(message)}, more than 127"
                    )
                _channel_message(track, status, message)
                at += count
    except IndexError:
        raise DataError("the MIDI file is damaged: a track ends within an event") from None
    if cut:
        raise DataError("the MIDI file is damaged: its last track is cut off")
    return track


def _variable_length(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to four bytes, seven bits in each, and where the next thing stands."""
    value = 0
    for count in range(4):
        value = value << 7 | data[at + count] & 0x7F
        if data[at + count] < 0x80:
            return value, at + count + 1
    raise DataError("the MIDI file is damaged: a time of more than four bytes")


def _meta(track: _Track, kind: int, data: bytes) -> None:
    if kind == _NAME and not track.name:
        track.name = _decoded(data)
    elif kind in (_TEXT, _MARKER, _TEMPO, _TIME, _KEY):
        track.metas.append(_Event(track.length, kind, data))


def _channel_message(track: _Track, status: int, message: bytes) -> None:
    what, channel = status >> 4, status & 0xF
    if what in (0x8, 0x9):
        velocity = message[1] if what == 0x9 else 0
        track.keys.setdefault(channel, []).append((track.length, message[0], velocity))
    elif what == 0xB and message[0] == _PEDAL:
        track.pedal.append((channel, track.length, message[1] >= 64))
    elif what == 0xC:
        track.keys.setdefault(channel, [])  # a voice, be it silent


def _pedals(tracks: list[_Track]) -> dict[int, list[tuple[int, int]]]:
    """Ticks during which the sustain pedal of each channel is down."""
    moves: dict[int, list[tuple[int, bool]]] = {}
    for channel, tick, down in (move for track in tracks for move in track.pedal):
        moves.setdefault(channel, []).append((tick, down))
    end = max(track.length for track in tracks)
    spans: dict[int, list[tuple[int, int]]] = {}
    for channel, found in moves.items():
        since = None
        for tick, down in [*sorted(found, key=lambda move: move[0]), (end, False)]:
            if down and since is None:
                since = tick
            elif not down and since is not None:
                spans.setdefault(channel, []).append((since, tick))
                since = None
    return spans


def _matched(keys, end: int, pedal, step: Fraction, where: str) -> list[ParsedNote]:
    """Pair the strokes and releases of a channel.

    A key struck while it sounds ends the old note, and its next release still belongs to that one:
    so a release may stand after the stroke that repeats the note.
    """
    by_pitch: dict[int, list[tuple[int, int]]] = {}
    for tick, pitch, velocity in keys:
        by_pitch.setdefault(pitch, []).append((tick, velocity))
    pedal_starts = [start for start, _ in pedal]
    notes = []
    for pitch, events in by_pitch.items():
        strokes = [i for i, (_, velocity) in enumerate(events) if velocity]
        owed = 0  # releases of earlier strokes that are still to come
        for stroke, following in zip(strokes, [*strokes[1:], len(events)]):
            tick, velocity = events[stroke]
            repeated = events[following][0] if following < len(events) else end
            releases = [time for time, _ in events[stroke + 1 : following]]
            own = releases[min(owed, len(releases) - 1)] if releases else repeated
            stop = repeated if owed and own == tick else own
            owed = max(owed + 1 - len(releases), 0)
            ring = None
            at = bisect_right(pedal_starts, stop) - 1
            if at >= 0 and stop < min(pedal[at][1], repeated):
                ring = min(pedal[at][1], repeated) / step
            notes.append(
                ParsedNote(
                    tick / step, stop / step, pitch, velocity=velocity, ring=ring, where=where
                )
            )
    return notes


def _placed(note: ParsedNote, starts: list[int]) -> ParsedNote:
    """The note with its bar in its place."""
    bar = bisect_right(starts, round_step(note.start))
    return note._replace(where=f"{note.where}, bar {min(bar, len(starts) - 1)}")


def _decoded(data: bytes) -> str:
    """Most files mean UTF-8, old ones Latin-1."""
    try:
        text = data.decode("utf-8")
    except UnicodeError:
        text = data.decode("latin-1")
    return text.strip("\0 ")


def _signatures(metas: list[_Event], step: Fraction, ours: bool) -> list[tuple[int, int, int, int]]:
    """Step, upper and lower number, beat of the time signatures that fit a grid of 16ths.

    In files written here the metronome clicks on each beat of the piece, 6 MIDI clocks a step.
    """
    found = []
    for meta in metas:
        if meta.kind != _TIME or len(meta.data) < 2 or meta.data[1] > 7:
            continue
        upper, lower = meta.data[0], 2 ** meta.data[1]
        while lower > 16 and upper % 2 == 0:
            upper, lower = upper // 2, lower // 2
        if 1 <= upper <= MOST_BEATS and lower <= 16:
            clicks = meta.data[2] // 6 if ours and len(meta.data) > 2 else 0
            found.append((round_step(meta.tick / step), upper, lower, clicks or 16 // lower))
    return found


def _bars(changes: list, steps: int, pickup: bool | None) -> tuple[list[Bar], str]:
    """Bars between time signatures, and the signature of the piece.

    Where nothing says whether the first bar is a ``pickup``, it is if its time signature lasts for
    that one bar and the next one is longer.
    """
    signatures = {0: (4, 4, 4)} | {step: rest for step, *rest in changes if step < steps}
    edges = [*sorted(signatures), steps]
    bars = []
    for start, stop in pairwise(edges):
        upper, lower, beat = signatures[start]
        nominal = upper * 16 // lower
        for at in range(start, stop, nominal):
            bars.append(Bar(Fraction(min(nominal, stop - at)), Fraction(nominal), beat))
    one_bar = len(edges) > 2 and edges[1] == bars[0].length
    if pickup is None:
        pickup = one_bar and bars[0].length == bars[0].nominal < bars[1].nominal
    first = signatures[edges[1] if pickup and one_bar else 0]
    if pickup:
        after = bars[1 if len(bars) > 1 else 0]
        bars[0] = Bar(bars[0].length, after.nominal, after.beat, unnumbered=True)
    return bars, f"{first[0]}/{first[1]}"


def _key(metas: list[_Event]) -> dict:
    """The first key signature of at most seven sharps or flats; MIDI says major or minor."""
    for meta in metas:
        if meta.kind != _KEY or len(meta.data) < 2:
            continue
        sharps = int.from_bytes(meta.data[:1], signed=True)
        if abs(sharps) > 7:
            continue
        minor = meta.data[1] == 1
        return {
            "key_signature": sharps,
            "mode": "minor" if minor else "major",
            "tonic": (sharps + 3 * minor) * 7 % 12,
            "key_method": "file" if meta.data[1] < 2 else "signature",
        }
    return {}
