"""The rule against parallels, against the measure that counts them."""

import itertools

import numpy as np
import pytest

from musiclab.data import Piece
from musiclab.metrics import parallel_perfects
from musiclab.sampling.constraints import parallel_moves

KEYS = 26


def test_fifths_and_octaves_by_hand():
    # below 8 a fifth, going to 10: 3 is a fifth below, 17 one above; below 17 an octave, going
    # down to 15: only 3
    found = np.asarray(parallel_moves([[8], [17]], [[10], [15]], [1, 5], KEYS))
    assert [np.flatnonzero(row).tolist() for row in found] == [[3, 17], [3]]


@pytest.mark.parametrize("seed", range(3))
def test_it_forbids_what_the_measure_counts(seed):
    rng = np.random.default_rng(seed)
    before, now, own = (
        rng.integers(0, KEYS, (40, 2)),
        rng.integers(0, KEYS, (40, 2)),
        rng.integers(0, KEYS, 40),
    )
    own[:20] = np.clip(before[:20, 0] - 7, 0, None)  # enough fifths to find
    now[:20, 0] = np.where(before[:20, 0] > 0, np.clip(before[:20, 0] + 2, 0, KEYS - 1), 0)
    found = np.asarray(parallel_moves(before, now, own, KEYS))
    assert found.any()
    for i, k in itertools.product(range(40), range(KEYS)):
        voices = np.array([[*before[i], own[i]], [*now[i], k]])
        pairs = [np.where(voices[:, [v, 2]] > 0, voices[:, [v, 2]] + 40, -1) for v in (0, 1)]
        counted = [np.nan_to_num(parallel_perfects(Piece(pair))) > 0 for pair in pairs]
        assert found[i, k] == any(counted), (voices.tolist(), counted)


def test_who_holds_or_rests_is_never_forbidden():
    found = np.asarray(parallel_moves([[8], [8], [0]], [[10], [10], [10]], [1, 0, 1], KEYS))
    assert not found[0, [0, 1]].any()
    assert not found[1:].any()
