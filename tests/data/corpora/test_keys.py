"""Keys of pieces."""

import numpy as np
import pytest

from musiclab.data import Piece, find_key, profile_key

MAJOR, MINOR = [0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 11]


def scale(tonic, degrees):
    line = [60 + tonic + d for d in degrees]
    return Piece(np.repeat(np.array([*line, line[0], line[4], line[0]])[:, None], 2, axis=0))


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "degrees"), [("major", MAJOR), ("minor", MINOR)])
def test_profiles_recognise_scales_that_stress_tonic_and_dominant(tonic, mode, degrees):
    assert profile_key(scale(tonic, degrees)) == (tonic, mode)


def test_profiles_agree_with_music21():
    from music21 import note, stream

    rng = np.random.default_rng(0)
    for _ in range(20):
        tonic, degrees = (
            int(rng.integers(12)),
            rng.choice(MAJOR, 24, p=[0.3, 0.1, 0.15, 0.1, 0.2, 0.1, 0.05]),
        )
        line = 60 + (tonic + degrees) % 12
        score = stream.Stream([note.Note(int(pitch), quarterLength=1) for pitch in line])
        theirs = score.analyze("key.krumhanslkessler")
        assert profile_key(Piece(np.repeat(line, 4))) == (theirs.tonic.pitchClass, theirs.mode)


@pytest.mark.parametrize(
    ("final", "signature", "expected"),
    [
        (67, 1, (7, "major", "final and signature")),
        (64, 1, (4, "minor", "final and signature")),
        (62, 0, (2, "minor", "modal final")),
        (67, 0, (7, "major", "modal final")),
        (65, -1, (5, "major", "final and signature")),
        (60, -3, (0, "minor", "final and signature")),
    ],
)
def test_the_last_bass_note_and_the_signature(final, signature, expected):
    assert find_key(Piece([[76, 60], [76, final], [76, -1]], key_signature=signature)) == expected


def test_other_finals_ask_the_profile():
    piece = scale(0, MAJOR)
    last = Piece(np.vstack([piece.voices, [[64]]]))
    assert find_key(last) == (0, "major", "profile")


def test_silence_has_no_key():
    with pytest.raises(ValueError, match="silent"):
        find_key(Piece([[-1]]))
