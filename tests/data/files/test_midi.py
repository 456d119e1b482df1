import io
import struct

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musiclab.data.files.midi import midi_bytes, piece_from_midi, write_midi
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece
from tests.strategies import pieces

SMALL = Piece([[60, 55]] * 4 + [[62, -1]] * 4 + [[62, 57]] * 8, onsets=None)


def midi(*tracks, ticks=480, kind=1, metas=()):
    """A MIDI file of tracks of (tick, message type, pitch) on one channel."""
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    file.tracks.append(mido.MidiTrack(metas))
    for events in tracks:
        now, track = 0, mido.MidiTrack()
        for tick, what, pitch in events:
            track.append(mido.Message(what, note=pitch, velocity=64, time=tick - now))
            now = tick
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def notes(*spans):
    """Events of notes given as (start tick, stop tick, pitch)."""
    events = [(start, "note_on", pitch) for start, _, pitch in spans]
    events += [(stop, "note_off", pitch) for _, stop, pitch in spans]
    return sorted(events, key=lambda event: (event[0], event[1] == "note_on"))


@given(pieces())
@settings(max_examples=60, deadline=None)
def test_voices_onsets_and_length_come_back(piece):
    back = piece_from_midi(midi_bytes(piece))
    for name in ("voices", "onsets", "key_signature", "tonic", "mode"):
        assert np.array_equal(getattr(back, name), getattr(piece, name)), name


@given(pieces(max_steps=96))
@settings(max_examples=60, deadline=None)
def test_bars_and_name_come_back(piece):
    back = piece_from_midi(midi_bytes(piece))
    assert np.array_equal(back.downbeats, piece.downbeats)
    assert (back.name, back.pickup) == (piece.name, piece.pickup)


def test_a_first_bar_shorter_than_the_next_metre_is_a_pickup_in_files_that_do_not_say():
    metas = [mido.MetaMessage("time_signature", numerator=1, denominator=4)]
    metas.append(mido.MetaMessage("time_signature", numerator=3, denominator=4, time=480))
    piece = piece_from_midi(midi(notes((0, 4 * 480, 60)), metas=metas))
    assert (piece.pickup, piece.time_signature, np.flatnonzero(piece.downbeats).tolist()) == (
        4,
        "3/4",
        [4],
    )


def test_an_independent_reader_hears_the_same_notes_at_the_same_times():
    piece = Piece([[60, 60], [60, 60], [60, 64], [-1, 64]], onsets=[[1, 1], [0, 0], [1, 1], [0, 0]])
    read = pretty_midi.PrettyMIDI(io.BytesIO(midi_bytes(piece, bpm=60)))
    heard = [
        [(n.start, n.end, n.pitch) for n in instrument.notes] for instrument in read.instruments
    ]
    assert heard == [[(0.0, 0.5, 60), (0.5, 0.75, 60)], [(0.0, 0.5, 60), (0.5, 1.0, 64)]]


def test_file_says_names_tempo_key_and_metre():
    piece = Piece(
        np.full((40, 4), 60), pickup=8, key_signature=-3, tonic=0, mode="minor", name="Psalm"
    )
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(piece, bpm=100)))
    assert [track.name for track in file.tracks] == ["Psalm", "Soprano", "Alto", "Tenor", "Bass"]
    metas = {message.type: message for message in file.tracks[0]}
    assert metas["set_tempo"].tempo == 600_000
    assert metas["key_signature"].key == "Cm"
    times = [(m.numerator, m.denominator) for m in file.tracks[0] if m.type == "time_signature"]
    assert times == [(2, 4), (4, 4)]
    assert {sum(message.time for message in track) for track in file.tracks} == {40 * 120}


def test_written_file_is_the_bytes(tmp_path):
    write_midi(SMALL, tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == midi_bytes(SMALL)


@pytest.mark.parametrize("bpm", [0, 3, 1e9, float("nan")])
def test_absurd_bpm_is_refused_when_writing(bpm):
    with pytest.raises(ValueError, match="bpm"):
        midi_bytes(SMALL, bpm=bpm)


def test_voices_are_ordered_by_median_pitch():
    piece = piece_from_midi(midi(notes((0, 480, 40)), notes((0, 480, 70)), notes((0, 480, 55))))
    assert piece.voices[0].tolist() == [70, 55, 40]


def test_played_a_little_early_late_legato_or_short_is_the_same_music():
    exact = midi(notes((0, 480, 60), (480, 960, 62), (960, 1440, 62)))
    played = midi(notes((0, 500, 60), (470, 945, 62), (990, 1410, 62)))
    assert np.array_equal(piece_from_midi(exact).voices, piece_from_midi(played).voices)
    assert np.array_equal(piece_from_midi(exact).onsets, piece_from_midi(played).onsets)


def test_a_sixteenth_rest_stays_a_rest():
    assert piece_from_midi(midi(notes((0, 360, 60), (480, 600, 62)))).voices[:, 0].tolist() == [
        60,
        60,
        60,
        -1,
        62,
    ]


def test_key_time_signature_and_drums():
    metas = [
        mido.MetaMessage("key_signature", key="F#m"),
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
    ]
    file = mido.MidiFile(file=io.BytesIO(midi(notes((0, 1440 * 2, 66)), metas=metas)))
    file.tracks.append(
        mido.MidiTrack(
            [
                mido.Message("note_on", channel=9, note=36),
                mido.Message("note_off", channel=9, note=36, time=480),
            ]
        )
    )
    buffer = io.BytesIO()
    file.save(file=buffer)
    piece = piece_from_midi(buffer.getvalue())
    assert (piece.tonic, piece.mode, piece.key_signature, piece.key_method) == (
        6,
        "minor",
        3,
        "file",
    )
    assert (piece.time_signature, piece.voices.shape) == ("3/4", (24, 1))
    assert np.flatnonzero(piece.downbeats).tolist() == [0, 12]


def test_too_many_notes_are_counted_and_refused():
    with pytest.raises(DataError, match="50001 notes"):
        piece_from_midi(midi(notes(*((i * 120, i * 120 + 120, 60) for i in range(50_001)))))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        (((480, 960, 60), (480, 960, 64)), "track 1, bar 1: two notes at once"),
        (((0, 960, 60), (480, 720, 64)), "track 1, bar 1: two notes at once"),
        (((1920, 2080, 60), (2080, 2240, 62)), r"track 1, bar 2: .* 1\.333 16ths into the bar"),
    ],
)
def test_the_strict_form_refuses_chords_and_triplets_with_their_place(spans, message):
    with pytest.raises(DataError, match=message):
        piece_from_midi(midi(notes(*spans)), chords="refuse", grid="exact")


def spans(piece):
    """Start, stop and pitch of each note, in time order."""
    from musiclab.show.html import notes as struck

    return sorted((start, stop, pitch) for start, stop, pitch, _ in struck(piece))


def raw_midi(track, chunks=b"", ticks=4):
    """A file of type 0 of one track of raw events, with other chunks before it."""
    head = b"MThd" + struct.pack(">IHHh", 6, 0, 1, ticks)
    return head + chunks + b"MTrk" + struct.pack(">I", len(track)) + track


TWO = bytes.fromhex("00904040 04804000 00904340 04804300 00ff2f00")
"""E then G, a quarter each, of 4 ticks."""


@pytest.mark.parametrize(
    "raw",
    [
        raw_midi(TWO),
        raw_midi(bytes.fromhex("00ff5902f600") + TWO),  # a key of 10 flats
        raw_midi(bytes.fromhex("00ff590200ff") + TWO),  # neither major nor minor
        raw_midi(bytes.fromhex("00ff580106") + TWO),  # a time signature of one byte
        raw_midi(bytes.fromhex("00ff580400021808") + TWO),  # of no beats
        raw_midi(bytes.fromhex("00ff58040307 1808") + TWO),  # of 128ths
        raw_midi(bytes.fromhex("00ff5100") + TWO),  # a tempo of no bytes
        raw_midi(bytes.fromhex("00ff5103000000") + TWO),  # of 0
        raw_midi(bytes.fromhex("00f00343 12f7 00f8 00f203 03") + TWO),  # system messages
        raw_midi(TWO, chunks=b"XFIH\0\0\0\3abc"),
        raw_midi(TWO) + b"XFKM\0\0\1\0",
        b"RIFF\x60\0\0\0RMIDdata\x40\0\0\0" + raw_midi(TWO),
    ],
)
def test_an_odd_side_event_costs_no_notes(raw):
    piece = piece_from_midi(raw)
    assert spans(piece) == [(0, 4, 64), (4, 8, 67)]
    assert (piece.time_signature, piece.key_signature) == ("4/4", 0)


def test_a_repeated_note_whose_release_comes_after_the_new_stroke():
    events = [
        (0, "note_on", 64),
        (480, "note_on", 64),
        (480, "note_off", 64),
        (960, "note_off", 64),
    ]
    assert spans(piece_from_midi(midi(events))) == [(0, 4, 64), (4, 8, 64)]


def test_overlapping_strokes_of_a_key_end_where_the_next_starts_and_at_the_last_release():
    events = [
        (0, "note_on", 64),
        (480, "note_on", 64),
        (720, "note_off", 64),
        (960, "note_off", 64),
    ]
    assert spans(piece_from_midi(midi(events))) == [(0, 4, 64), (4, 8, 64)]


def test_a_stroke_without_release_ends_at_the_next_of_its_key():
    events = [(0, "note_on", 64), (480, "note_on", 64), (720, "note_off", 64)]
    assert spans(piece_from_midi(midi(events))) == [(0, 4, 64), (4, 6, 64)]


def pedalled(*events):
    """Raw events of (tick, status, first, second), 480 ticks to a quarter."""
    file, track, now = mido.MidiFile(type=0), mido.MidiTrack(), 0
    for tick, *message in events:
        track.append(mido.Message.from_bytes(message, time=tick - now))
        now = tick
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def test_the_sustain_pedal_holds_notes_until_it_is_lifted_or_the_key_struck_again():
    down, up = (0xB0, 64, 127), (0xB0, 64, 0)
    piece = piece_from_midi(
        pedalled(
            (0, *down),
            *((0, 0x90, 60, 70), (480, 0x80, 60, 0), (480, 0x90, 64, 70), (960, 0x80, 64, 0)),
            *((1440, 0x90, 64, 70), (1500, *up), (1920, 0x80, 64, 0)),
        )
    )
    assert spans(piece) == [(0, 12, 60), (4, 12, 64), (12, 16, 64)]


def test_many_notes_on_one_pedal_are_cut_oldest_first_and_counted():
    events = [(0, 0xB0, 64, 127)]
    for number in range(8):
        events += [
            (480 * number, 0x90, 50 + number, 60),
            (480 * number + 240, 0x80, 50 + number, 0),
        ]
    piece = piece_from_midi(pedalled(*events, (480 * 8, 0xB0, 64, 0)))
    assert (piece.report.voices, piece.report.cut) == (6, 2)
    assert spans(piece)[0] == (0, 24, 50)


@given(pieces(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_velocity_comes_back(piece, seed):
    velocity = np.zeros(piece.voices.shape, int)
    rng = np.random.default_rng(seed)
    for start, stop, _, voice in _struck(piece):
        velocity[start:stop, voice] = rng.integers(1, 128)
    loud = piece.with_(velocity=velocity)
    assert np.array_equal(piece_from_midi(midi_bytes(loud)).velocity, loud.velocity)


def _struck(piece):
    from musiclab.show.html import notes as struck

    return struck(piece)


def test_without_velocity_all_notes_are_written_alike():
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(SMALL)))
    assert {m.velocity for track in file.tracks for m in track if m.type == "note_on"} == {80}


@given(pieces(max_steps=96))
@settings(max_examples=60, deadline=None)
def test_beats_and_time_signature_come_back_whatever_the_bars_are(piece):
    back = piece_from_midi(midi_bytes(piece))
    assert back.time_signature == piece.time_signature
    assert np.array_equal(back.beat, piece.beat)


def test_a_last_bar_of_seven_eighths_and_a_first_bar_of_five_quarters_change_nothing_else():
    beat = [*np.arange(20) // 4, *np.arange(16) // 4, *np.arange(14) // 2]
    piece = Piece(np.full(50, 60), downbeats=np.isin(np.arange(50), [0, 20, 36]), beat=beat)
    back = piece_from_midi(midi_bytes(piece))
    assert back.time_signature == "4/4"
    assert np.array_equal(back.beat, piece.beat)
    assert np.array_equal(back.downbeats, piece.downbeats)


def test_the_tempo_is_told_and_changes_nothing():
    metas = [mido.MetaMessage("set_tempo", tempo=500_000)]
    metas.append(mido.MetaMessage("set_tempo", tempo=250_000, time=480))
    piece = piece_from_midi(midi(notes((0, 480, 60), (480, 960, 62)), metas=metas))
    assert spans(piece) == [(0, 4, 60), (4, 8, 62)]
    assert (piece.report.bpm, piece.report.tempo_changes) == (120, 1)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (raw_midi(bytes.fromhex("00992440 04892400 00ff2f00")), "all its notes are drums"),
        (raw_midi(bytes.fromhex("0090f040 00ff2f00")), "an event holds 240, more than 127"),
        (raw_midi(bytes.fromhex("ffffffffff00")), "a time of more than four bytes"),
        (raw_midi(bytes.fromhex("003c40")), "starts without an event"),
        (raw_midi(TWO).replace(b"\0\1\0\4", b"\0\3\0\4"), "promises 3 tracks and holds 1"),
        (b"", "no MIDI file"),
        (b"MThd\0\0\0\6", "no MIDI file"),
        (midi(notes((0, 480, 60)))[:40], "damaged"),
        (midi(), "no notes"),
        (midi([(0, "note_on", 60), (120 * 10**6, "note_off", 60)]), "1000000 steps"),
        (b"MThd" + struct.pack(">IHHh", 6, 2, 2, 480), "type 2"),
        (b"MThd" + struct.pack(">IHHh", 6, 1, 1, -6360), "SMPTE"),
        (b"MThd" + struct.pack(">IHHh", 6, 1, 1, 0), "a quarter note has 0 ticks"),
    ],
)
def test_what_is_no_readable_midi_is_refused_in_words(raw, message):
    with pytest.raises(DataError, match=message):
        piece_from_midi(raw)


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 400),
)
@settings(max_examples=300, deadline=2000)
def test_damaged_files_give_a_piece_or_a_data_error_and_nothing_else(changes, cut):
    raw = bytearray(midi_bytes(SMALL))
    for place, value in changes:
        raw[place % len(raw)] = value
    try:
        piece = piece_from_midi(bytes(raw[: len(raw) - cut // 8 if cut > 200 else None]))
    except DataError:
        return
    assert isinstance(piece, Piece)
