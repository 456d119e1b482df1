"""Matched differences: against a loop over single observations, and where a group has no control."""

import numpy as np
import pytest

from musiclab.metrics import matched_difference


def test_each_chosen_observation_is_compared_with_the_others_of_its_group():
    rng = np.random.default_rng(0)
    values, chosen = rng.normal(size=(60, 3)), rng.random(60) < 0.4
    same = rng.integers(0, 3, (60, 2))
    each = []
    for i in np.flatnonzero(chosen):
        others = [k for k in range(60) if not chosen[k] and (same[k] == same[i]).all()]
        each.append(values[i] - values[others].mean(axis=0))
    np.testing.assert_allclose(matched_difference(values, chosen, same), np.mean(each, axis=0))


def test_what_the_group_explains_is_no_difference():
    note = np.repeat([[60], [72]], 6, axis=0)
    chosen = np.array([1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0], bool)
    values = note[:, 0].astype(float)  # follow from the note alone
    assert matched_difference(values, chosen, note) == 0
    assert matched_difference(values, chosen, 0 * note) > 5  # without the control they differ


def test_groups_without_others_are_left_out_and_none_at_all_is_refused():
    values, chosen = [9.0, 5.0, 1.0], [True, True, False]
    assert matched_difference(values, chosen, [[1], [2], [2]]) == 4
    with pytest.raises(ValueError, match="to be compared with"):
        matched_difference(values, chosen, [[1], [2], [3]])
    with pytest.raises(ValueError, match="as many of each"):
        matched_difference(values, chosen, [[1], [2]])
