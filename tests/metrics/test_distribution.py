"""The Fréchet distance: by hand, against SciPy's matrix root, and what it can't see."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from musiclab.data import load_chorales, transpose
from musiclab.data.piece import Piece
from musiclab.metrics import bar_embedding, frechet_distance
from musiclab.metrics.distribution import frechet, moments


def test_a_bar_by_hand():
    voices = np.full((16, 2), 60)
    voices[:, 1] = 53
    voices[8:, 0] = (
        62  # a fifth for half the bar, then a sixth; one move up a tone, one attack more
    )
    onsets = np.zeros((16, 2), bool)
    onsets[0] = onsets[8, 0] = onsets[2, 1] = True
    (bar,) = bar_embedding(Piece(voices, onsets))
    assert {i: float(bar[i]) for i in np.flatnonzero(bar)} == {
        7: 0.5,
        9: 0.5,
        12 + 6: 0.5,  # the repeated bass note
        12 + 8: 0.5,
        25: 0.75,
        27: 0.25,
    }


def test_a_move_counts_in_the_bar_where_it_arrives_and_wide_ones_at_the_edge():
    piece = Piece([60] * 16 + [80] * 16)
    first, second = bar_embedding(piece)
    assert first[12:25].sum() == 0
    assert second[24] == 1
    assert bar_embedding(Piece([-1] * 16)).sum() == 0


def test_one_dimension_by_hand():
    # normal distributions with deviations 1 and 3, means 0 and 2: (0 - 2)^2 + (1 - 3)^2
    one = np.array([[0.0]]), np.array([[[1.0]]])
    two = np.array([[2.0]]), np.array([[[9.0]]])
    assert frechet(*one, *two) == pytest.approx(8)


def test_against_scipy():
    chorales = load_chorales("test")
    sets = chorales[:25], chorales[25:50]
    bars = [np.concatenate([bar_embedding(p) for p in pieces]) for pieces in sets]
    means, covs = [b.mean(axis=0) for b in bars], [np.cov(b, rowvar=False) for b in bars]
    shared = sqrtm(covs[0] @ covs[1]).real
    wanted = np.sum((means[0] - means[1]) ** 2) + np.trace(covs[0] + covs[1] - 2 * shared)
    assert frechet_distance(*sets) == pytest.approx(wanted, rel=1e-4)
    assert frechet_distance(*sets[::-1]) == pytest.approx(wanted, rel=1e-4)


def test_weights_are_repetitions():
    a, b, c = (bar_embedding(piece) for piece in load_chorales("test")[:3])
    mean, cov = moments([a, b, c], np.array([[2, 0, 1]]))
    rows = np.concatenate([a, a, c])
    np.testing.assert_allclose(mean[0], rows.mean(axis=0))
    np.testing.assert_allclose(cov[0], np.cov(rows, rowvar=False), atol=1e-12)


def test_copies_and_other_keys_score_zero_and_noise_far():
    chorales = load_chorales("test")[:30]
    assert frechet_distance(chorales, [transpose(p, 2) for p in chorales]) == pytest.approx(0)
    rng = np.random.default_rng(0)
    noise = [Piece(rng.integers(40, 80, p.voices.shape)) for p in chorales]
    assert frechet_distance(noise, chorales) > 20 * frechet_distance(chorales[:15], chorales[15:])


def test_a_single_bar_is_refused():
    with pytest.raises(ValueError, match="single bar"):
        frechet_distance(Piece([60] * 16), Piece([60] * 32))
    with pytest.raises(ValueError, match="real: there is none"):
        frechet_distance(Piece([60] * 32), [])
