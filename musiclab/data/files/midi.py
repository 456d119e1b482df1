"""Standard MIDI files, written from pieces and read as pieces.

Lessons: 00, 01.
"""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from musiclab.data.files.musicxml import voice_names
from musiclab.data.files.note_grid import (
    MAX_NOTES,
    MAX_STEPS,
    SOFTWARE,
    Bar,
    Note,
    bars_of,
    lay_out,
    metre_of,
    round_step,
    voice_order,
)
from musiclab.data.files.storage import DataError, write_whole
from musiclab.data.piece import REST, STEPS_PER_QUARTER, Piece

if TYPE_CHECKING:
    from mido import MidiFile, MidiTrack

__all__ = ["midi_bytes", "piece_from_midi", "write_midi"]

_TICKS = 120  # per step: 480 per quarter
_ORGAN, _LOUDNESS, _DRUMS = 19, 80, 9
_OFF_GRID = Fraction(
    3, 10
)  # of a step: played slightly early or late is read, a triplet (a third off) is not
_BPM = (4, 1000)
_PICKUP = "pickup"  # the marker that tells one from a short bar
_MAJOR = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()
_MINOR = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()


def midi_bytes(piece: Piece, bpm: float = 80) -> bytes:
    """A piece as a MIDI file: type 1, 480 ticks per quarter, a track per voice after one for tempo and metre.

    Repeated notes, unisons, crossings, bars and the length with its last rests are kept. MIDI has no room for
    spelling and fermatas: these are lost. A pickup and an irregular bar get time signatures of their own.

    Lesson: 00

    Args:
      piece: any piece.
      bpm: quarter notes per minute, 4 to 1000.

    Returns:
      The file's bytes, the same each time.

    Raises:
      ValueError: if ``bpm`` is out of range.

    >>> midi_bytes(Piece([[60], [62]]))[:4]
    b'MThd'
    """
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    if not _BPM[0] <= bpm <= _BPM[1]:
        raise ValueError(f"bpm is {bpm}: give {_BPM[0]} to {_BPM[1]} quarter notes per minute")
    file = MidiFile(type=1, ticks_per_beat=_TICKS * STEPS_PER_QUARTER, charset="utf-8")
    events = [
        (0, MetaMessage("track_name", name=piece.name)),
        (0, MetaMessage("text", text=SOFTWARE)),
    ]
    if not piece.downbeats[0]:
        events.append((0, MetaMessage("marker", text=_PICKUP)))
    events.append((0, MetaMessage("set_tempo", tempo=round(60e6 / bpm))))
    if abs(piece.key_signature) <= 7:
        minor = piece.mode == "minor" and (piece.key_signature + 3) * 7 % 12 == piece.tonic
        events.append(
            (
                0,
                MetaMessage(
                    "key_signature", key=(_MINOR if minor else _MAJOR)[piece.key_signature + 7]
                ),
            )
        )
    events += [
        (step, MetaMessage("time_signature", numerator=upper, denominator=lower))
        for step, upper, lower in _time_signatures(piece)
    ]
    file.tracks.append(MidiTrack(_with_deltas(events, piece.steps)))
    for voice, name in enumerate(voice_names(piece.voices.shape[1])):
        channel = [c for c in range(16) if c != _DRUMS][voice % 15]
        events = [
            (0, MetaMessage("track_name", name=name)),
            (0, Message("program_change", channel=channel, program=_ORGAN)),
        ]
        for start, stop, pitch in _notes(piece, voice):
            events.append(
                (start, Message("note_on", channel=channel, note=pitch, velocity=_LOUDNESS))
            )
            events.append((stop, Message("note_off", channel=channel, note=pitch, velocity=0)))
        file.tracks.append(MidiTrack(_with_deltas(events, piece.steps)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def write_midi(piece: Piece, path: str | Path, bpm: float = 80) -> None:
    """Write :func:`midi_bytes` to a file, whole or not at all.

    Lesson: 01

    Args:
      piece: any piece; its spelling and fermatas are lost.
      path: where to, such as ``"mine.mid"``.
      bpm: quarter notes per minute.

    Raises:
      ValueError: if ``bpm`` is out of range.
    """
    write_whole(Path(path), midi_bytes(piece, bpm))


def piece_from_midi(raw: bytes) -> Piece:
    """Read the bytes of a MIDI file as a piece on the 16th grid.

    Each channel of each track that holds notes is a voice; drums are left out. An onset up to 0.3 steps off the
    grid is rounded, so playing slightly early or late is read and a triplet refused. A note's end is rounded, an
    overlap or a gap of less than a step before the next note closed. Tempo is checked and forgotten.

    Lesson: 01

    Args:
      raw: the file's content.

    Returns:
      A piece without spelling and fermatas, bars from the time signatures.

    Raises:
      DataError: not MIDI, damaged, type 2, timed in film frames, a tempo outside 3.5 to 1000, chords in a
        track (named with its tick), notes off the grid (named with the bar), no notes, too many or too long.

    >>> piece_from_midi(midi_bytes(Piece([[60], [60], [-1]], onsets=[True, True, False]))).onsets[:, 0].tolist()
    [True, True, False]
    """
    file = _parse(raw)
    step = Fraction(file.ticks_per_beat, STEPS_PER_QUARTER)
    metas, tracks, stop, title = _collect(file)
    steps = max(
        [round_step(stop / step), *(round_step(n[1] / step) for _, notes in tracks for n in notes)],
        default=0,
    )
    if steps > MAX_STEPS:
        raise DataError(
            f"it lasts {steps} steps of a 16th: the most that is read is {MAX_STEPS}; cut out a part of it"
        )
    tempi = [
        60e6 / meta.tempo if meta.tempo else 0 for _, meta in metas if meta.type == "set_tempo"
    ]
    absurd = [bpm for bpm in tempi if not 3.5 <= bpm <= _BPM[1]]
    if absurd:
        raise DataError(
            f"a tempo of {absurd[0]:.4g} quarter notes per minute: 3.5 to {_BPM[1]} can be played"
        )
    steps = max(steps, 1)
    changes = [
        (round_step(tick / step), meta) for tick, meta in metas if meta.type == "time_signature"
    ]
    texts = {meta.text for _, meta in metas if meta.type in ("text", "marker")}
    bars, time_signature = _bars(changes, steps, (_PICKUP in texts) if SOFTWARE in texts else None)
    starts = np.cumsum([0] + [int(bar.length) for bar in bars]).tolist()
    voices = [_on_grid(label, notes, step, starts, steps) for label, notes in tracks]
    order = voice_order([label for label, _ in tracks], voices)
    pitches, onsets, spelling = lay_out([voices[index] for index in order], steps)
    metre = metre_of(bars, starts, literal=True)
    return Piece(
        pitches, onsets, spelling, time_signature=time_signature, name=title, **metre, **_key(metas)
    )


def _notes(piece: Piece, voice: int) -> list[tuple[int, int, int]]:
    """Start, stop and pitch of each note of a voice."""
    pitches = piece.voices[:, voice]
    change = piece.onsets[:, voice] | (np.diff(pitches, prepend=-2) != 0)
    edges = [*np.flatnonzero(change).tolist(), piece.steps]
    return [(a, b, int(pitches[a])) for a, b in pairwise(edges) if pitches[a] != REST]


def _time_signatures(piece: Piece) -> list[tuple[int, int, int]]:
    """Step, upper and lower number: the piece's own, and one for each bar of another length or beat."""
    own = tuple(int(number) for number in piece.time_signature.split("/"))
    changes = []
    for start, stop, unit in bars_of(piece):
        length = stop - start
        last = changes[-1][1:] if changes else own
        fits = [
            s
            for s in (own, last)
            if 16 // s[1] == unit and (_steps(s) == length or stop == piece.steps)
        ]
        wanted = next((s for s in fits if _steps(s) >= length), None)
        if wanted is None:
            lower = next(n for n in (16 // unit, 4, 8, 16) if length * n % 16 == 0)
            wanted = (length * lower // 16, lower)
        if wanted[0] > 255:  # more than MIDI can count: drawn as ordinary bars
            wanted = own
        if not changes or last != wanted:
            changes.append((start, *wanted))
    return changes


def _steps(signature: tuple[int, int]) -> int:
    return signature[0] * 16 // signature[1]


def _with_deltas(events: list, steps: int) -> list:
    """Messages with the ticks since the one before, closed by an end of track where the piece ends."""
    from mido import MetaMessage

    messages, now = [], 0
    for step, message in [*events, (steps, MetaMessage("end_of_track"))]:
        messages.append(message.copy(time=(step - now) * _TICKS))
        now = step
    return messages


def _parse(raw: bytes) -> MidiFile:
    """Check the header, which mido does not, then let mido read the rest."""
    from mido import MidiFile

    if raw[:4] != b"MThd" or len(raw) < 14:
        raise DataError("it is no MIDI file, or only the start of one")
    kind, _, division = struct.unpack(">HHh", raw[8:14])
    if kind > 1:
        raise DataError(
            f"it is a MIDI file of type {kind}, whose tracks are not played together: export it as type 1"
        )
    if division <= 0:
        raise DataError(
            "its time is counted in film frames (SMPTE), not in beats: export it with ticks per quarter note"
        )
    try:
        return MidiFile(file=io.BytesIO(raw))
    except (
        Exception
    ) as error:  # mido raises what it stumbles over: OSError, EOFError, KeyError, IndexError...
        reason = str(error) or (
            "it ends too early" if isinstance(error, EOFError) else type(error).__name__
        )
        raise DataError(f"the MIDI file is damaged: {reason}") from None


def _collect(file: MidiFile) -> tuple[list, list, int, str]:
    """Meta messages with their ticks; voices as (name, [(start, stop, pitch), ...]); last tick; title."""
    metas, voices, last, count, title = [], [], 0, 0, ""
    for number, track in enumerate(file.tracks):
        found = _read_track(track, metas)
        stop = sum(message.time for message in track)
        last = max(last, stop)
        name = _text(track.name)
        if number == 0 and not found:
            title = name
        for notes in found.values():
            count += len(notes)
            voices.append(
                (
                    name or f"track {number}",
                    [(a, stop if b is None else b, pitch) for a, b, pitch in notes],
                )
            )
    if count > MAX_NOTES:
        raise DataError(
            f"it has {count} notes: the most that is read is {MAX_NOTES}; cut out a part of it"
        )
    if not count:
        raise DataError("there are no notes in it")
    metas.sort(key=lambda meta: meta[0])
    return metas, voices, last, title or "untitled"


def _read_track(track: MidiTrack, metas: list) -> dict[int, list]:
    """Notes of each channel that is used; ``None`` as the end of a note that is never let go."""
    channels, sounding, now = {}, {}, 0
    for message in track:
        now += message.time
        if message.is_meta:
            metas.append((now, message))
        elif (
            message.type in ("note_on", "note_off", "program_change") and message.channel != _DRUMS
        ):
            notes = channels.setdefault(message.channel, [])
            if message.type == "program_change":
                continue
            place = (message.channel, message.note)
            if place in sounding:
                index = sounding.pop(place)
                notes[index] = (notes[index][0], now, message.note)
            if message.type == "note_on" and message.velocity:
                sounding[place] = len(notes)
                notes.append((now, None, message.note))
    return channels


def _text(text: str) -> str:
    """mido reads text as latin-1; most files mean UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _bars(changes: list, steps: int, pickup: bool | None) -> tuple[list[Bar], str]:
    """Bars between time signatures, and the signature of the first that is no pickup.

    Where nothing says whether the first bar is a ``pickup``, it is if its time signature lasts for that one bar and the
    next one is longer.
    """
    signatures = {0: (4, 4)} | {
        step: (meta.numerator, meta.denominator) for step, meta in changes if step < steps
    }
    edges = [*sorted(signatures), steps]
    bars = []
    for start, stop in pairwise(edges):
        upper, lower = signatures[start]
        if not upper or lower > 16:
            raise DataError(
                f"time signature {upper}/{lower}: needs at least one beat, of a 16th or longer"
            )
        nominal = upper * 16 // lower
        for at in range(start, stop, nominal):
            bars.append(Bar(Fraction(min(nominal, stop - at)), Fraction(nominal), 16 // lower))
    if pickup is None:
        pickup = len(edges) > 2 and edges[1] == bars[0].length == bars[0].nominal < bars[1].nominal
    first = signatures[edges[1] if pickup and len(edges) > 2 and edges[1] == bars[0].length else 0]
    if pickup:
        after = bars[1 if len(bars) > 1 else 0]
        bars[0] = Bar(bars[0].length, after.nominal, after.beat, unnumbered=True)
    return bars, f"{first[0]}/{first[1]}"


def _on_grid(label: str, notes: list, step: Fraction, starts: list[int], steps: int) -> list[Note]:
    """Notes of one voice in steps, one after another."""
    laid = []
    notes = sorted(notes)
    for (tick, stop, pitch), following in zip(notes, [*notes[1:], None]):
        start = round_step(tick / step)
        bar = int(np.searchsorted(starts, start, side="right"))
        where = f"{label}, tick {tick} (bar {bar})"
        if abs(tick / step - start) > _OFF_GRID:
            raise DataError(
                f"{where}: a note starts {float(tick / step):.2f} 16ths into the piece, off the grid of 16ths"
            )
        end = max(round_step(stop / step), start + 1)
        if following is not None and abs(following[0] - stop) < step:
            end = round_step(following[0] / step)  # legato, or let go a little early
        if following is not None and (end <= start or end > round_step(following[0] / step)):
            raise DataError(
                f"{where}: two notes at once in one voice; give each voice a track of its own"
            )
        laid.append(Note(start, min(end, steps), pitch, where=where))
    return laid


def _key(metas: list) -> dict:
    """The first key signature; MIDI always says major or minor."""
    named = next((meta.key for _, meta in metas if meta.type == "key_signature"), None)
    if named is None:
        return {}
    minor = named in _MINOR
    sharps = (_MINOR if minor else _MAJOR).index(named) - 7
    mode = (
        {"mode": "minor", "tonic": (sharps + 3) * 7 % 12}
        if minor
        else {"mode": "major", "tonic": sharps * 7 % 12}
    )
    return {"key_signature": sharps, "key_method": "file", **mode}
