"""The RNN-RBM's rows on a file made for it: a tiny training, and reductions."""

import json

import numpy as np
import pytest

from benchmarks import rnn_rbm

RECIPE = {
    **{
        "hidden": 3,
        "units": 2,
        "k": 1,
        "dropout": 0.0,
        "learning_rate": 1e-3,
        "epochs": 1,
        "batch_size": 2,
    },
    **{"rbm_epochs": 1, "rbm_learning_rate": 0.01, "temperatures": 3, "chains": 2},
    **{"curve_temperatures": [1, 4], "curve_chains": [1, 2, 3]},
}


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    made = {
        split: [rng.integers(60, 70, size=(n, 2)).tolist() for n in lengths]
        for split, lengths in {"train": (60, 50), "valid": (5,), "test": (4, 7)}.items()
    }
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def test_a_training_scores_every_frame(file):
    scores = file.with_suffix(".npz")
    took = rnn_rbm.train_one(file, 0, scores, curve=True, recipe=RECIPE)
    assert took["cpu_s"] > 0
    assert took["rbm_cpu_s"] > 0
    assert took["evaluation_cpu_s"] > 0
    assert took["valid"] > 0
    assert len(took["by_temperatures"]) == 2
    assert len(took["by_chains"]) == 3
    with np.load(scores) as arrays:
        assert [arrays[name].shape for name in arrays] == [(4,), (7,)]
        assert all((arrays[name] < 0).all() for name in arrays)


def test_the_row_is_a_mean_over_seeds_and_frames():
    runs = [
        {
            "test": [np.full(1, -seed - 1.0), np.full(3, -2.0)],
            "valid": seed + 5.0,
            "rbm_cpu_s": 1.0,
            "cpu_s": seed,
            "evaluation_cpu_s": 3.0,
        }
        for seed in (0, 4)
    ]
    row = rnn_rbm.score_row(runs, np.array([True, False]))
    assert row["test"] == pytest.approx(np.mean([(1 + 6) / 4, (5 + 6) / 4]))
    assert row["valid"] == 7.0
    assert row["sd_seeds"] == 0.5
    assert row["test_clean"] == 3.0
    assert (row["frames"], row["cpu_s"], row["seeds"]) == (4, 2.0, 2)
    assert rnn_rbm.score_row(runs, np.array([False, False]))["test_clean"] == "none"


def test_the_curves_name_their_temperatures_and_chains():
    run = {"by_temperatures": [1.0, 2.0], "by_chains": [3.0, 4.0, 5.0]}
    by_temperatures, by_chains = rnn_rbm.curve_rows(run, RECIPE)
    assert (by_temperatures["1"], by_temperatures["4"], by_temperatures["chains"]) == (1.0, 2.0, 2)
    assert [by_chains[name] for name in ("1", "2", "3", "temperatures")] == [3.0, 4.0, 5.0, 3]


def test_a_file_that_is_no_benchmark_is_refused(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    assert rnn_rbm.main(["--jsb", str(tmp_path / "a.json")], tmp_path) == 1
    assert "a.json is damaged" in capsys.readouterr().err
    assert not (tmp_path / "energy.json").exists()
