import numpy as np
import pytest
from music21 import chord, clef, expressions, instrument, key, meter, note, stream, tie

from musiclab.data.files.scores import piece_from_stream
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece


def part(*bars, name="", signature="4/4", first=1):
    """A part of bars, each a list of (pitch name or None, quarters)."""
    made = stream.Part()
    made.partName = name
    for number, bar in enumerate(bars, first):
        measure = stream.Measure(number=number)
        if number == first:
            measure.append(meter.TimeSignature(signature))
        for pitch, quarters in bar:
            measure.append(
                note.Note(pitch, quarterLength=quarters)
                if pitch
                else note.Rest(quarterLength=quarters)
            )
        made.append(measure)
    return made


def test_notes_rests_ties_and_spelling_by_hand():
    upper = part([("F#5", 1), ("G-4", 2), (None, 0.5), ("B#3", 0.5)], [("B#3", 4)])
    notes = list(upper.recurse().notes)
    notes[2].tie, notes[3].tie = tie.Tie("start"), tie.Tie("stop")
    piece = piece_from_stream(stream.Score([upper]))
    assert piece.voices[[0, 4, 12, 14, 16, 31], 0].tolist() == [78, 66, -1, 60, 60, 60]
    assert np.flatnonzero(piece.onsets[:, 0]).tolist() == [0, 4, 14]
    assert piece.spelling[[0, 4, 12, 14, 31], 0].tolist() == [6, -6, -128, 12, 12]


def test_a_bar_cut_in_two_is_one_bar_and_a_short_first_bar_a_pickup():
    piece = piece_from_stream(
        stream.Score([part([("C4", 1)], [("C4", 4)], [("C4", 3)], [("C4", 1)], [("C4", 3)])])
    )
    assert (piece.pickup, np.flatnonzero(piece.downbeats).tolist(), piece.steps) == (
        4,
        [4, 20, 36],
        48,
    )
    assert piece.beat[[0, 4, 20, 32, 36]].tolist() == [3, 0, 0, 3, 0]


def test_bars_line_up_where_one_part_is_short():
    piece = piece_from_stream(
        stream.Score([part([("C5", 4)], [("D5", 4)]), part([("C4", 3)], [("D4", 4)])])
    )
    assert piece.voices[[11, 12, 16]].tolist() == [[72, 60], [72, -1], [74, 62]]


def test_fermatas_of_any_part_and_graces_and_key():
    lower = part([("C4", 2), ("D4", 2)])
    list(lower.recurse().notes)[1].expressions.append(expressions.Fermata())
    measure = lower.getElementsByClass("Measure").first()
    measure.insert(0, key.Key("d"))
    measure.insert(0, note.Note("E4").getGrace())
    piece = piece_from_stream(stream.Score([part([("C5", 4)]), lower]))
    assert np.flatnonzero(piece.fermatas).tolist() == [8]
    assert (piece.tonic, piece.mode, piece.key_signature, piece.key_method) == (
        2,
        "minor",
        -1,
        "file",
    )
    assert piece.voices[0].tolist() == [72, 60]


def test_parts_asked_for_come_in_the_order_asked_for():
    score = stream.Score([part([("C5", 4)]), part([("C4", 4)]), part([("C3", 4)])])
    high, _, low = score.parts
    assert piece_from_stream(score, [low, high]).voices[0].tolist() == [48, 72]
    assert piece_from_stream(score).voices[0].tolist() == [72, 60, 48]


def test_two_voices_on_a_staff_are_two_voices():
    measure = stream.Measure([meter.TimeSignature("4/4")])
    measure.insert(0, stream.Voice([note.Note("C5", quarterLength=4)], id="1"))
    measure.insert(
        0,
        stream.Voice([note.Note("E4", quarterLength=2), note.Note("F4", quarterLength=2)], id="2"),
    )
    alone = stream.Measure([note.Note("D5", quarterLength=4)])
    staff = stream.Part()
    staff.append([measure, alone])
    assert piece_from_stream(stream.Score([staff])).voices[[0, 8, 16]].tolist() == [
        [72, 64],
        [72, 65],
        [74, -1],
    ]


def test_a_transposing_instrument_is_read_as_it_sounds():
    clarinet = part([("D4", 4)])
    clarinet.insert(0, instrument.Clarinet())
    clarinet.atSoundingPitch = False
    assert piece_from_stream(stream.Score([clarinet])).voices[0, 0] == 60


def test_triplets_are_refused_or_rounded():
    score = stream.Score(
        [part([("C4", 1 / 3), ("D4", 1 / 3), ("E4", 1 / 3), ("F4", 3)], name="Flute")]
    )
    with pytest.raises(
        DataError, match=r"Flute, bar 1: a note starts or ends 1.333 16ths into the bar"
    ):
        piece_from_stream(score, grid="exact")
    piece = piece_from_stream(score)
    assert piece.voices[:5, 0].tolist() == [60, 62, 62, 64, 65]
    assert (piece.report.moved, round(piece.report.largest, 3)) == (2, 0.333)


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (chord.Chord(["C4", "E4"], quarterLength=4), "Oboe, bar 1: two notes at once"),
        (note.Unpitched(quarterLength=4), "all its notes are drums"),
        (note.Note("C~4", quarterLength=4), "between the keys"),
        (note.Note("C12", quarterLength=4), "beyond the MIDI pitches"),
        (note.Rest(quarterLength=4), "no notes"),
        (note.Note("C4", quarterLength=10**6), "4000000 steps"),
    ],
)
def test_what_no_voice_can_hold_is_refused_with_part_and_bar(element, message):
    made = part([], name="Oboe")
    made.getElementsByClass("Measure").first().append(element)
    with pytest.raises(DataError, match=message):
        piece_from_stream(stream.Score([made]), chords="refuse", grid="exact")


def test_music_without_bars_gets_them():
    flat = stream.Part(
        [clef.TrebleClef(), meter.TimeSignature("3/4"), *(note.Note("C4") for _ in range(6))]
    )
    piece = piece_from_stream(stream.Score([flat]))
    assert isinstance(piece, Piece)
    assert np.flatnonzero(piece.downbeats).tolist() == [0, 12]


def test_an_empty_score_and_an_opus_are_refused():
    for score, message in [(stream.Score(), "no notes"), (stream.Opus(), "file of its own")]:
        with pytest.raises(DataError, match=message):
            piece_from_stream(score)
