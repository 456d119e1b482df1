"""Keys and melody families."""

import numpy as np
import pytest

from musiclab.data import Piece, find_key, melody_families, melody_runs, profile_key, transpose

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


def tune(seed, quarters=40):
    return Piece(np.repeat(np.random.default_rng(seed).integers(55, 80, quarters), 4))


def test_a_transposed_tune_is_of_the_family_and_another_is_not():
    one, other = tune(1), tune(2)
    assert melody_families([one, other, transpose(one, 5)]).tolist() == [0, 1, 0]


def test_families_join_through_a_third():
    a, b = tune(1), tune(2)
    both = Piece(np.vstack([a.voices, b.voices]))
    assert melody_families([a, b, both]).tolist() == [0, 0, 0]


def test_fifteen_shared_quarters_are_not_enough_and_sixteen_are():
    a, b = tune(1).voices, tune(2).voices
    for shared, expected in ((15, [0, 1]), (16, [0, 0])):
        assert (
            melody_families([Piece(a), Piece(np.vstack([b, a[: 4 * shared]]))]).tolist() == expected
        )


def test_runs_against_a_loop():
    piece = tune(3, 20)
    line = piece.voices[::4, 0]
    expected = {tuple((line[i : i + 16] - line[i]).tolist()) for i in range(5)}
    assert {tuple(np.frombuffer(run, np.int16).tolist()) for run in melody_runs(piece)} == expected


def test_rests_and_pickups():
    line = tune(4, 17).voices.copy()
    shifted = Piece(np.vstack([line[:4], line]), pickup=4)
    assert melody_runs(Piece(line)) <= melody_runs(shifted)
    line[32] = -1
    assert melody_runs(Piece(line)) == set()


def test_a_run_of_one_is_refused():
    with pytest.raises(ValueError, match="no melody"):
        melody_runs(tune(1), 1)
