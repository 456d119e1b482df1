"""Scale, range, motion and texture."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cityblock

from musiclab.data.piece import Piece
from musiclab.metrics import (
    distinct_pitches,
    histogram_distance,
    pitch_range,
    polyphony,
    scale_consistency,
    stepwise_motion,
)


def random_pieces(n, n_voices=4, steps=40):
    rng = np.random.default_rng(1)
    voices = rng.integers(50, 75, (n, steps, n_voices))
    voices[voices < 54] = -1
    return [Piece(v) for v in voices]


def test_scale_consistency_by_hand():
    assert scale_consistency(Piece([60, 62, 64, 66, 67, 69, 71])) == 1  # G major
    chromatic = Piece(list(range(60, 72)))
    assert scale_consistency(chromatic) == pytest.approx(7 / 12)
    # counted by notes, not by steps: one long foreign note among three of the scale weighs a
    # quarter
    assert scale_consistency(Piece([60, 64, 65, 66, 66, 66, 66, 66])) == 3 / 4


def test_scale_consistency_against_all_24_scales_spelled_out():
    major, minor = {0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}
    for piece in random_pieces(5):
        notes = [int(p) for p in piece.voices[piece.onsets]]
        rates = [
            np.mean([(p - root) % 12 in scale for p in notes])
            for root in range(12)
            for scale in (major, minor)
        ]
        assert scale_consistency(piece) == pytest.approx(max(rates))


def test_scale_consistency_does_not_change_with_the_key():
    for piece in random_pieces(3):
        up = Piece(np.where(piece.voices >= 0, piece.voices + 5, -1))
        assert scale_consistency(up) == scale_consistency(piece)


def test_key_and_range_are_averaged_over_pieces():
    low, high = Piece([40, 42]), Piece([80, 81, 83, 85])
    assert pitch_range([low, high]) == (2 + 5) / 2
    assert distinct_pitches([low, high]) == (2 + 4) / 2
    assert scale_consistency([low, high, Piece([-1])]) == 1  # silence has no key and does not count


def test_range_and_distinct_pitches_against_a_set_of_notes():
    for piece in random_pieces(5):
        notes = {int(p) for row in piece.voices for p in row if p >= 0}
        assert pitch_range(piece) == max(notes) - min(notes)
        assert distinct_pitches(piece) == len(notes)


def test_rests_are_no_pitch():
    assert pitch_range(Piece([-1, 60, -1])) == 0
    assert distinct_pitches(Piece([-1, 60, -1])) == 1
    silence = Piece([-1, -1])
    assert (pitch_range(silence), distinct_pitches(silence)) == (0, 0)
    assert np.isnan(scale_consistency(silence))


def test_polyphony_by_hand_counts_unisons_once():
    shares = polyphony([Piece([[60, 60, 48], [-1, -1, -1]]), Piece([[60, 55, 48], [60, -1, 60]])])
    assert shares.dtype == float
    np.testing.assert_allclose(shares, [1 / 4, 1 / 4, 1 / 4, 1 / 4])


def test_polyphony_against_sets_and_voice_order():
    for piece in random_pieces(5):
        counts = [len({p for p in row if p >= 0}) for row in piece.voices.tolist()]
        shares = polyphony(piece)
        np.testing.assert_allclose(shares, [counts.count(n) / piece.steps for n in range(5)])
        np.testing.assert_array_equal(polyphony(Piece(piece.voices[:, ::-1])), shares)


def test_histogram_distance_by_hand_and_by_scipy():
    assert histogram_distance([0.25, 0.75], [0.5, 0.5]) == 0.5
    assert histogram_distance([1, 0], [0, 1]) == 2
    p, q = np.random.default_rng(2).dirichlet(np.ones(5), size=2)
    assert histogram_distance(p, q) == pytest.approx(cityblock(p, q))
    assert histogram_distance(p, p) == 0
    assert histogram_distance(p, q) == histogram_distance(q, p)


def test_histograms_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        histogram_distance([0.5, 0.5], [0.5, 0.5, 0.0])
    with pytest.raises(ValueError, match="sum to 1"):
        histogram_distance([3, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match="not negative"):
        histogram_distance([1.5, -0.5], [0.5, 0.5])


def test_stepwise_motion_by_hand():
    onsets = [[True]] * 5
    assert stepwise_motion(Piece([[60], [62], [62], [59], [60]], onsets)) == 3 / 4  # 2, 0, 3, 1
    assert (
        stepwise_motion(Piece([60, 60, -1, 61, 67])) == 1 / 2
    )  # a hold is no move, a rest is skipped
    assert np.isnan(stepwise_motion(Piece([[60, 50]])))


def test_stepwise_motion_against_a_loop_over_notes():
    for piece in random_pieces(5):
        near = moves = 0
        for v in range(4):
            melody = [int(p) for p, struck in zip(piece.voices[:, v], piece.onsets[:, v]) if struck]
            near += sum(abs(a - b) <= 2 for a, b in itertools.pairwise(melody))
            moves += len(melody) - 1
        assert stepwise_motion(piece) == pytest.approx(near / moves)
        backwards = Piece(piece.voices[::-1])
        assert stepwise_motion(backwards) == stepwise_motion(piece)


@pytest.mark.parametrize(
    "measure", [scale_consistency, pitch_range, distinct_pitches, polyphony, stepwise_motion]
)
def test_what_is_no_piece_is_named(measure):
    with pytest.raises(ValueError, match="there is none"):
        measure([])
    with pytest.raises(ValueError, match="found list"):
        measure([[60, 62]])


def test_polyphony_needs_one_number_of_voices():
    with pytest.raises(ValueError, match="1 and 2 voices"):
        polyphony([Piece([60]), Piece([[60, 50]])])
