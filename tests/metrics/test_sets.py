"""A row of scores is the single measures, and tells noise, copies and monotony from music."""

import numpy as np
import pytest

from musiclab import metrics
from musiclab.data import Piece

rng = np.random.default_rng(0)


def pieces(n, low=55, high=80):
    return [
        Piece(np.sort(rng.integers(low, high, size=(8, 2)))[:, ::-1].repeat(2, axis=0))
        for _ in range(n)
    ]


def test_a_row_is_the_measures_one_by_one():
    ours, real = pieces(4), pieces(5)
    row = metrics.set_scores(ours, real)
    assert row["hold"] == metrics.hold_rate(ours)
    assert row["scale"] == metrics.scale_consistency(ours)
    assert row["diversity"] == metrics.diversity(ours)
    assert row["parallels"] == metrics.parallel_perfects(ours)
    assert row["empty_bars"] == metrics.empty_bars(ours) == 0
    expected = metrics.histogram_distance(metrics.polyphony(ours), metrics.polyphony(real))
    assert row["polyphony"] == expected


def test_distance_to_training_is_the_mean_over_pieces():
    training, strangers = pieces(3), pieces(2)
    assert metrics.set_scores(training, training, training)["nearest"] == 0
    both = metrics.set_scores([training[0], strangers[0]], training, training)["nearest"]
    alone = metrics.nearest_distances(strangers[0], training, 16)[0]
    assert both == pytest.approx(alone / 2)
    moved = [Piece(p.voices + 3) for p in training]  # a copy in another key is a copy
    assert metrics.set_scores(moved, training, training)["nearest"] == 0


def test_without_training_there_is_no_nearest():
    assert "nearest" not in metrics.set_scores(pieces(2), pieces(2))


def test_silence_is_told():
    silent = [Piece(np.full((16, 2), -1))] * 2
    row = metrics.set_scores(silent, pieces(3))
    assert row["empty_bars"] == 1
    assert row["diversity"] == 0
    assert row["polyphony"] == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.set_scores([], pieces(2)), "at least one"),
        (lambda: metrics.set_scores(pieces(1), pieces(2)), "two or more"),
        (lambda: metrics.set_scores(pieces(2), [Piece([60, 60])]), "same bins"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
