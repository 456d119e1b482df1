"""A reader's own melody: any key, any range, and errors in words."""

import mido
import music21
import numpy as np
import pretty_midi
import pytest

from musiclab.data import Piece, load_chorales, melody_key, read_music, top_voice, transpose
from musiclab.data.encodings.own_melody import MelodyError, own_melody


@pytest.mark.parametrize("semitones", [-24, -13, -5, 0, 3, 12, 19])
def test_any_key_and_range_arrives_in_the_soprano(semitones):
    source = top_voice(load_chorales("valid", by="melody")[2])
    moved = transpose(source, semitones)
    moved = Piece(moved.voices, moved.onsets)  # without a key
    melody, _ = own_melody(moved)
    notes = melody.voices[melody.voices >= 0]
    assert notes.min() >= 55
    assert notes.max() <= 86
    np.testing.assert_array_equal(np.diff(notes), np.diff(moved.voices[moved.voices >= 0]))
    assert -6 <= melody.key_signature <= 5


def test_signature_of_known_scales():
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0])
    for tonic, signature in ((60, 0), (62, 2), (65, -1), (67, 1), (70, -2)):
        assert own_melody(Piece(np.repeat(tonic + scale, 4)))[0].key_signature == signature
    known = Piece([[67]] * 8, key_signature=-3, key_method="given", tonic=3)
    assert own_melody(known)[0].key_signature == -3


FRENCH = [0, 0, 7, 7, 9, 9, 7, 7, 5, 5, 4, 4, 2, 2, 0, 0]  # Ah! vous dirai-je, Maman
CAROL = [0, 0, 7, 7, 5, 3, 2, 0, -2, 0, 2, 3, 5, 7, 7, 0]  # God rest you merry, in minor
MAJORS = "Gb Db Ab Eb Bb F C G D A E B".split()  # by signature, from 6 flats on
MINORS = "Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m".split()


def by_mido(path, pitches, key):
    """One track of type 0, as sequencers write; no key signature where key is None."""
    track = mido.MidiTrack([mido.MetaMessage("key_signature", key=key)] if key else [])
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch, velocity=80))
        track.append(mido.Message("note_off", note=pitch, time=480))
    mido.MidiFile(type=0, ticks_per_beat=480, tracks=[track]).save(path)


def by_pretty_midi(path, pitches, key):
    """A tempo track and one for the instrument; times in seconds."""
    file = pretty_midi.PrettyMIDI(initial_tempo=120)
    if key:
        number = pretty_midi.key_name_to_key_number(
            f"{key[:-1]} minor" if key[-1] == "m" else f"{key} major"
        )
        file.key_signature_changes.append(pretty_midi.KeySignature(number, 0))
    notes = [pretty_midi.Note(80, p, k / 2, k / 2 + 0.5) for k, p in enumerate(pitches)]
    file.instruments.append(pretty_midi.Instrument(0))
    file.instruments[0].notes = notes
    file.write(str(path))


@pytest.mark.parametrize("write", [by_mido, by_pretty_midi])
@pytest.mark.parametrize("tonic", [60, 62, 64, 67, 58])
@pytest.mark.parametrize(("tune", "minor"), [(FRENCH, False), (CAROL, True)])
def test_signature_of_files_with_without_and_with_a_wrong_one(tmp_path, write, tonic, tune, minor):
    pitches = [tonic + degree for degree in tune]
    score = music21.stream.Stream([music21.note.Note(p, quarterLength=1) for p in pitches])
    theirs = score.analyze("key")  # an independent reader of the notes
    signature = (theirs.sharps + 6) % 12 - 6
    assert (theirs.tonic.pitchClass, theirs.mode) == (tonic % 12, "minor" if minor else "major")
    right = (MINORS if minor else MAJORS)[signature + 6]
    wrong = MAJORS[(signature + 3 + 6) % 12]
    for key in (None, "C", right, wrong):
        path = tmp_path / "melody.mid"
        write(path, pitches, key)
        in_file = [m.key for m in mido.MidiFile(path) if m.type == "key_signature"]
        assert in_file == ([key] if key else [])  # an independent reader of the header
        melody, said = own_melody(read_music(path))
        assert melody.key_signature == signature, (key, said)
        if key == right != "C":
            assert "key signature has" in said
            assert said.count("kept.") == 1
        elif key == wrong != "C":
            assert "does not fit" in said
        elif key == "C" and signature:
            assert "no sharps or flats, as many programs write without asking" in said
        else:
            assert "fits the notes best" in said


def test_a_signature_that_is_not_a_file_s_guess_stays():
    low = Piece(np.repeat(60 + np.array(FRENCH), 4))
    near = low.with_(key_signature=-1, key_method="file")  # no note says B or B flat
    melody, said = own_melody(near)
    assert melody.key_signature == -1
    assert "1 flat: kept." in said
    given = low.with_(key_signature=-5, key_method="given")
    melody, said = own_melody(given)
    assert (melody.key_signature, said) == (-5, "A fermata on the last note.")


def test_keys_of_melodies_against_printed_signatures():
    held_out = [top_voice(piece) for piece in load_chorales("test", by="melody")]
    same = [melody_key(one)[2] == (one.key_signature + 6) % 12 - 6 for one in held_out]
    assert np.mean(same) > 0.8


def test_a_last_fermata_where_there_is_none():
    melody, said = own_melody(Piece([60] * 4 + [62] * 4))
    assert np.flatnonzero(melody.fermatas).tolist() == [4]
    assert "fermata" in said
    own = Piece([60] * 8, fermatas=np.arange(8) == 2)
    assert own_melody(own)[0].fermatas.sum() == 1


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (Piece([[-1]] * 8), "empty: draw or play"),
        (Piece([[67, -1]] * 8 + [[67, 60]] * 4), "2 notes sound at once on quarter 3"),
        (Piece([[50]] * 4 + [[80]] * 4), "spans 30 semitones"),
        (Piece([[67]] * 16 * 65), "65 bars long: cut it to at most 64"),
    ],
)
def test_errors_in_words(piece, message):
    with pytest.raises(MelodyError, match=message):
        own_melody(piece)
