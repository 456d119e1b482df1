"""Standard MIDI files written from pieces, and read as pieces."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np

from musiclab.data.files.midi_parser import MOST_BEATS, PICKUP, parse_midi
from musiclab.data.files.musicxml import voice_names
from musiclab.data.files.note_grid import SOFTWARE, bars_of, to_grid
from musiclab.data.files.storage import write_whole
from musiclab.data.piece import REST, STEPS_PER_QUARTER, Piece

__all__ = ["midi_bytes", "piece_from_midi", "write_midi"]

_TICKS = 120  # per step: 480 per quarter
_ORGAN, _VELOCITY, _DRUMS = 19, 80, 9
_BPM = (4, 1000)
_MAJOR = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()
_MINOR = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()


def midi_bytes(piece: Piece, bpm: float = 80) -> bytes:
    """A piece as a MIDI file: type 1, 480 ticks per quarter, a track per voice after one for tempo and metre.

    Repeated notes, unisons, crossings, velocity, bars and the length with its last rests are kept.
    MIDI has no room for spelling and fermatas: these are lost. A pickup and an irregular bar get
    time signatures of their own.

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
        events.append((0, MetaMessage("marker", text=PICKUP)))
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
        (
            step,
            MetaMessage(
                "time_signature", numerator=upper, denominator=lower, clocks_per_click=beat * 6
            ),
        )
        for step, upper, lower, beat in _time_signatures(piece)
    ]
    file.tracks.append(MidiTrack(_with_deltas(events, piece.steps)))
    for voice, name in enumerate(voice_names(piece.voices.shape[1])):
        channel = [c for c in range(16) if c != _DRUMS][voice % 15]
        events = [
            (0, MetaMessage("track_name", name=name)),
            (0, Message("program_change", channel=channel, program=_ORGAN)),
        ]
        for start, stop, pitch, velocity in _notes(piece, voice):
            events.append(
                (start, Message("note_on", channel=channel, note=pitch, velocity=velocity))
            )
            events.append((stop, Message("note_off", channel=channel, note=pitch, velocity=0)))
        file.tracks.append(MidiTrack(_with_deltas(events, piece.steps)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def write_midi(piece: Piece, path: str | Path, bpm: float = 80) -> None:
    """Write :func:`midi_bytes` to a file, whole or not at all.

    Args:
      piece: any piece; its spelling and fermatas are lost.
      path: where to, such as ``"mine.mid"``.
      bpm: quarter notes per minute.

    Raises:
      ValueError: if ``bpm`` is out of range.
    """
    write_whole(Path(path), midi_bytes(piece, bpm))


def piece_from_midi(raw: bytes, chords: str = "voices", grid: str = "round") -> Piece:
    """Read the bytes of a MIDI file as a piece on the 16th grid.

    Each channel of each track is a part; drums are left out. With ``grid="exact"`` an onset up to
    0.3 steps off the grid is rounded, so playing slightly early or late is read and a triplet
    refused. Ends are rounded; an overlap or a gap of less than a step before the next note is
    closed.

    Args:
      raw: the file's content.
      chords, grid: as in :func:`musiclab.data.read_music`.

    Returns:
      A piece with velocity and report, without spelling and fermatas.

    Raises:
      DataError: as :func:`musiclab.data.files.midi_parser.parse_midi` and
        :func:`musiclab.data.files.note_grid.to_grid`.

    >>> piece_from_midi(midi_bytes(Piece([[60], [60], [-1]], onsets=[True, True, False]))).onsets[:, 0].tolist()
    [True, True, False]
    """
    return to_grid(parse_midi(raw), chords, grid)


def _notes(piece: Piece, voice: int) -> list[tuple[int, int, int, int]]:
    """Start, stop, pitch and velocity of each note of a voice."""
    pitches = piece.voices[:, voice]
    loud = np.zeros(piece.steps, int) if piece.velocity is None else piece.velocity[:, voice]
    change = piece.onsets[:, voice] | (np.diff(pitches, prepend=-2) != 0)
    edges = [*np.flatnonzero(change).tolist(), piece.steps]
    return [
        (a, b, int(pitches[a]), int(loud[a]) or _VELOCITY)
        for a, b in pairwise(edges)
        if pitches[a] != REST
    ]


def _time_signatures(piece: Piece) -> list[tuple[int, int, int, int]]:
    """Step, upper and lower number, beat in steps: one for each bar of another length or beat.

    Where the first full bar is not of the piece's own signature, that one stands before all.
    """
    own = tuple(int(number) for number in piece.time_signature.split("/"))
    changes, all_bars = [], []
    last = (*own, 16 // own[1])
    for start, stop, unit in bars_of(piece):
        length = stop - start
        fits = [
            (*s[:2], unit)
            for s in (own, last)
            if _steps(s) == length or (_steps(s) >= length and stop == piece.steps)
        ]
        lower = next(n for n in (16 // unit, 4, 8, 16) if length * n % 16 == 0)
        wanted = fits[0] if fits else (length * lower // 16, lower, unit)
        if wanted[0] > MOST_BEATS:  # nothing that a reader would believe: drawn as ordinary bars
            wanted = (*own, 16 // own[1])
        if not changes or last != wanted:
            changes.append((start, *wanted))
        last = wanted
        all_bars.append(wanted[:2])
    first_bar = 0 if piece.downbeats[0] or len(all_bars) < 2 else 1
    if all_bars[first_bar] != own:
        changes.insert(0, (0, *own, 16 // own[1]))
    return changes


def _steps(signature: tuple[int, ...]) -> int:
    return signature[0] * 16 // signature[1]


def _with_deltas(events: list, steps: int) -> list:
    """Messages with the ticks since the one before, closed by an end of track where the piece ends."""
    from mido import MetaMessage

    messages, now = [], 0
    for step, message in [*events, (steps, MetaMessage("end_of_track"))]:
        messages.append(message.copy(time=(step - now) * _TICKS))
        now = step
    return messages
