"""Retrieval: ranks by hand, similarities that forget the key, what they cannot tell."""

import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score

from musiclab.data import Piece, load_chorales, transpose
from musiclab.metrics.retrieval import (
    interval_trigrams,
    mean_reciprocal_rank,
    pitch_class_similarity,
)

CHORALES = load_chorales("test")[:6]


def test_reciprocal_rank_by_hand_and_beside_scikit_learn():
    """Eq. (16.16): ranks 1, 2 and 4 give (1 + 1/2 + 1/4) / 3; ties count against it."""
    similarity = [[3, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0]]
    relevant = [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 1]]
    assert mean_reciprocal_rank(similarity, relevant) == pytest.approx(1.75 / 3)
    assert mean_reciprocal_rank([[1, 1, 1]], [[0, 0, 1]]) == pytest.approx(1 / 3)
    rng = np.random.default_rng(0)
    random, one_each = rng.random((20, 9)), np.eye(9, dtype=bool)[rng.integers(0, 9, 20)]
    theirs = label_ranking_average_precision_score(one_each, random)
    assert mean_reciprocal_rank(random, one_each) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("similarity", "relevant", "words"),
    [([[1, 2]], [[1]], "shape"), ([[1, 2], [1, 2]], [[1, 0], [0, 0]], "query 1")],
)
def test_what_cannot_be_ranked_is_named(similarity, relevant, words):
    with pytest.raises(ValueError, match=words):
        mean_reciprocal_rank(similarity, relevant)


@pytest.mark.parametrize("measure", [pitch_class_similarity, interval_trigrams])
def test_transposed_pieces_are_most_similar(measure):
    table = measure(CHORALES, [transpose(piece, 2) for piece in CHORALES])
    np.testing.assert_allclose(np.diag(table), 1, rtol=1e-9)
    assert (table <= 1 + 1e-9).all()
    assert table[0, 1] < 0.999


def test_trigrams_by_hand():
    # intervals 2 2 1 2 and 2 2 1 -5: trigrams (2,2,1) is common, one of two in each
    tune, other = Piece([60, 62, 64, 65, 67]), Piece([60, 62, 64, 65, 60])
    assert interval_trigrams([tune], [other])[0, 0] == pytest.approx(0.5)
    assert interval_trigrams([Piece([60, 62])], [tune])[0, 0] == 0  # too short to have any


def test_a_histogram_forgets_the_order_and_trigrams_do_not():
    tune = Piece([60, 62, 64, 65, 67, 69, 71, 72])
    mixed = Piece(tune.voices[::-1].copy())
    assert pitch_class_similarity([tune], [mixed])[0, 0] == pytest.approx(1)
    assert interval_trigrams([tune], [mixed])[0, 0] == 0
