"""Padding, cutting, and batches of pieces of like length."""

import numpy as np
import pytest

from musiclab.models.recurrent.minibatches import Batches, cut, pad

rng = np.random.default_rng(0)
LENGTHS = [3, 40, 5, 4, 38, 3, 6, 41, 2]
PIECES = [rng.integers(0, 2, size=(n, 1)).astype(np.int32) for n in LENGTHS]


def test_padding_and_back():
    padded = pad(PIECES)
    assert padded.shape == (9, 41, 1)
    assert padded.dtype == np.int32
    for row, piece in zip(padded, PIECES):
        np.testing.assert_array_equal(row[: len(piece)], piece)
        assert (row[len(piece) :] == -1).all()


def test_cut_parts_are_the_whole():
    parts = cut(PIECES, longest=16)
    assert max(map(len, parts)) <= 16
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(PIECES))
    assert len(cut(PIECES, longest=41)) == len(PIECES)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_a_pass_meets_every_piece_once(seed):
    batches = Batches(PIECES, size=4, seed=seed)
    for _ in range(2):
        met = [row[row[:, 0] >= 0].tobytes() for i in range(len(batches)) for row in batches[i][0]]
        assert sorted(met) == sorted(piece.tobytes() for piece in PIECES)
        batches.on_epoch_end()


def test_batches_are_of_like_length_and_long_ones_are_small():
    batches = Batches(PIECES, size=6, seed=0)
    assert batches.edge == 6
    for (batch,) in (batches[i] for i in range(len(batches))):
        steps = (batch[..., 0] >= 0).sum(axis=1)
        assert (steps <= 6).all() or (steps > 6).all()
        assert len(batch) <= (6 if steps.max() <= 6 else 1)


def test_shuffling_depends_on_the_seed():
    def passes(seed):
        batches = Batches(PIECES, size=2, seed=seed)
        first = [list(b) for b in batches.batches]
        batches.on_epoch_end()
        return first, [list(b) for b in batches.batches]

    assert passes(1) == passes(1)
    assert passes(1) != passes(2)
    assert passes(1)[0] != passes(1)[1]
    assert passes(None)[0] == passes(None)[1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pad([]), "at least one sequence"),
        (lambda: pad([np.zeros((2, 3)), np.zeros((2, 4))]), "2 kinds of shape"),
        (lambda: cut(PIECES, longest=0), "at least 1"),
        (lambda: Batches([], 4), "0 pieces"),
        (lambda: Batches(PIECES, 0), "batches of 0"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_lengths_may_differ_after_two_batches_of_one_length():
    """Keras would take the common length of the first two batches for that of all."""
    pieces = [np.zeros(n) for n in (3, 3, 3, 3, 5)]
    for seed in (None, *range(20)):
        batches = Batches(pieces, 1, seed)
        lengths = [batches[i][0].shape[1] for i in range(len(batches))]
        assert lengths[0] != lengths[1]
        assert sorted(lengths) == [3, 3, 3, 3, 5]
    assert len(Batches(pieces[:4], 2, 0)) == 2  # all of one length: nothing to tell apart
