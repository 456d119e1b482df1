"""Nats per frame by their three reductions, and mixtures of models."""

import numpy as np
import pytest

from musiclab.metrics.likelihood import mixture, mixture_weights, nll_per_frame

rng = np.random.default_rng(0)
PIECES = [-rng.gamma(4.0, size=n) for n in (3, 10, 1)]
OTHER = [-rng.gamma(4.0, size=n) for n in (3, 10, 1)]


def test_reductions_by_hand():
    found = nll_per_frame([np.array([-1.0, -3.0]), np.array([-8.0])])
    assert found.pooled == 4.0  # 12 nats in 3 frames
    assert found.per_piece == 5.0  # of 2 and 8
    assert found.standard_error == pytest.approx(3.0)  # 2 and 8 stray by sqrt(18), over sqrt(2)
    assert (found.pieces, found.frames) == (2, 3)


def test_pooling_is_one_long_piece():
    assert nll_per_frame(PIECES).pooled == pytest.approx(-np.concatenate(PIECES).mean())
    assert np.isnan(nll_per_frame([np.concatenate(PIECES)]).standard_error)


def test_the_impossible_is_not_left_out():
    assert nll_per_frame([*PIECES, np.array([-1.0, -np.inf])]).pooled == np.inf


def test_mixture_by_hand():
    # Eq. (8.4): chances of 1/2 and 1/4 mix to 3/8
    mixed = mixture([np.log([0.5])], [np.log([0.25])])
    np.testing.assert_allclose(mixed[0], np.log([0.375]))


def test_mixture_averages_probabilities_frame_by_frame():
    # Eq. (8.4)
    for mixed, a, b in zip(mixture(PIECES, OTHER), PIECES, OTHER):
        np.testing.assert_allclose(np.exp(mixed), (np.exp(a) + np.exp(b)) / 2, rtol=1e-12)
        assert (mixed >= (a + b) / 2).all()
        assert (mixed >= np.maximum(a, b) - np.log(2) - 1e-12).all()


def test_one_model_or_the_same_twice_is_itself():
    for mixed in (mixture(PIECES), mixture(PIECES, PIECES), mixture(PIECES, PIECES, PIECES)):
        for one, piece in zip(mixed, PIECES):
            np.testing.assert_allclose(one, piece, rtol=1e-12)


def test_mixture_does_not_underflow():
    np.testing.assert_allclose(
        mixture([[-2000.0]], [[-2001.0]])[0], -2000 + np.log((1 + np.exp(-1)) / 2)
    )
    assert mixture([[-np.inf]], [[-np.inf]])[0][0] == -np.inf
    np.testing.assert_allclose(mixture([[-np.inf]], [[0.0]])[0], np.log(0.5))


def test_a_weighted_mixture_by_hand():
    # 3/4 of a chance of 1/2 and 1/4 of a chance of 1/10
    mixed = mixture([np.log([0.5])], [np.log([0.1])], weights=[0.75, 0.25])
    np.testing.assert_allclose(mixed[0], np.log([0.4]))


def test_fitted_weights_by_hand():
    # w puts w/2 + (1 - w)/4 on two frames and w/4 + (1 - w)/2 on the third: (1 + w)^2 (2 - w) is
    # largest at w = 1, and (1 + w)(2 - w) at w = 1/2
    a, b = np.log([[0.5, 0.5, 0.25], [0.25, 0.25, 0.5]])
    np.testing.assert_allclose(mixture_weights([a], [b]), [1, 0], atol=0.01)
    np.testing.assert_allclose(mixture_weights([a[1:]], [b[1:]]), [0.5, 0.5])
    # what holds three of four frames for certain and one impossible weighs 3/4
    sure = np.array([0.0, 0.0, 0.0, -np.inf])
    np.testing.assert_allclose(mixture_weights([sure], [[-np.inf] * 3 + [0.0]]), [0.75, 0.25])


def test_fitted_weights_are_the_best_of_a_grid():
    models = [[-rng.gamma(4.0, size=200)] for _ in range(3)]
    weights = mixture_weights(*models)
    assert weights.sum() == pytest.approx(1)
    best = nll_per_frame(mixture(*models, weights=weights)).pooled
    for tried in [*np.eye(3), np.full(3, 1 / 3), *rng.dirichlet(np.ones(3), 300)]:
        assert best <= nll_per_frame(mixture(*models, weights=tried)).pooled + 1e-5


def test_a_mixture_stays_a_distribution():
    # five frames are all that can come: each model's probabilities sum to 1
    models = [[np.log(probs)] for probs in rng.dirichlet(np.ones(5), 3)]
    for weights in (None, [0.2, 0.3, 0.5], mixture_weights(*models)):
        assert np.exp(mixture(*models, weights=weights)[0]).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nll_per_frame([]), "no piece"),
        (lambda: nll_per_frame([np.zeros((2, 88))]), r"piece 0 has shape \(2, 88\): need \(T,\)"),
        (lambda: nll_per_frame([np.zeros(2), np.zeros(0)]), "piece 1"),
        (lambda: nll_per_frame([np.array([np.nan])]), "no nan"),
        (lambda: mixture(), "0 models"),
        (lambda: mixture(PIECES, PIECES[:2]), "same pieces"),
        (lambda: mixture(PIECES, [p[:1] for p in PIECES]), "different frames"),
        (lambda: mixture(PIECES, OTHER, weights=[1.0]), "of 2 models"),
        (lambda: mixture(PIECES, OTHER, weights=[0.5, 0.6]), "of sum 1"),
        (lambda: mixture(PIECES, OTHER, weights=[1.5, -0.5]), "at least 0"),
        (lambda: mixture(PIECES, OTHER, weights=[np.nan, 1.0]), "at least 0"),
        (lambda: mixture_weights(), "0 models"),
        (lambda: mixture_weights(PIECES, PIECES[:2]), "same pieces"),
        (lambda: mixture_weights([[-np.inf]], [[-np.inf]]), "impossible for every model"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
