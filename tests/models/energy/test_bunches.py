"""Batches dealt out in bunches, and moving averages of weights."""

import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.energy.bunches import Average, Bunches


def test_bunches_deal_each_row_at_most_once():
    data = Bunches(np.arange(530.0)[:, None], 5, seed=0)
    bunches = [data[i] for i in range(len(data))]
    assert [len(batches) for batches, _ in bunches] == [50, 50, 6]
    rows = np.concatenate([batches.ravel() for batches, _ in bunches])
    assert sorted(rows) == list(range(530))
    assert len({tuple(seed) for _, seeds in bunches for seed in seeds}) == 106
    data.on_epoch_end()
    assert (data[0][0] != bunches[0][0]).any()
    assert Bunches(np.zeros((3, 1)), 5, seed=0)[0][0].shape == (1, 3, 1)


def test_batches_of_no_row():
    with pytest.raises(ValueError, match="batches of 0 rows"):
        Bunches(np.zeros((3, 1)), 0, seed=0)


def test_a_few_updates_at_once_count_as_one_after_another():
    variable = tf.Variable([1.0, 2.0])
    average = Average([variable], keep=0.9)
    variable.assign([5.0, -1.0])
    average.update(tf.constant(3.0))
    wanted = np.array([1.0, 2.0])
    for _ in range(3):
        wanted = 0.9 * wanted + 0.1 * np.array([5.0, -1.0])
    np.testing.assert_allclose(average.others[0], wanted, rtol=1e-6)
    np.testing.assert_array_equal(variable, [5.0, -1.0])


def test_weights_and_averages_change_places_and_back():
    variable = tf.Variable([1.0])
    average = Average([variable], keep=0.5)
    variable.assign([3.0])
    average.swap()
    assert (variable.numpy(), average.others[0].numpy()) == ([1.0], [3.0])
    average.swap()
    assert (variable.numpy(), average.others[0].numpy()) == ([3.0], [1.0])
