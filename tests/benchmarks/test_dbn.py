"""The deep belief network's rows: means and spreads over seeds, named columns."""

import numpy as np

from benchmarks.dbn import RECIPE, TARGET, _row


def test_a_row_is_mean_and_spread_over_seeds():
    row = _row("bars", np.array([[0.7, 0.9, 0.0], [0.8, 1.0, 0.0]]), 31.5, TARGET)
    assert (row["hold"], row["hold_sd"], row["scale"], row["scale_sd"]) == (0.75, 0.05, 0.95, 0.05)
    assert (row["seeds"], row["empty_bars"], row["cpu_s"], row["target"]) == (2, 0.0, 31.5, TARGET)


def test_the_recipe_trains_every_layer():
    assert len(RECIPE["epochs"]) == len(RECIPE["hidden"]) == 2
