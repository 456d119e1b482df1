"""Pieces that share a melody."""

import numpy as np

from musiclab.data import Piece, melody_families, melody_runs, transpose


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
