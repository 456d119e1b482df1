"""The benchmark's rows on a file made for it: reductions, clean pieces, processes, what is written down."""

import json

import numpy as np
import pytest

from benchmarks import sequence
from musiclab.metrics.likelihood import mixture, mixture_weights, nll_per_frame

rng = np.random.default_rng(0)


def tune(n, low=60):
    """Frames with one random note each and a bass."""
    return [[45, int(pitch)] for pitch in rng.integers(low, low + 20, size=n)]


def rolls(pieces):
    found = []
    for piece in pieces:
        found.append(np.zeros((len(piece), 88), np.float32))
        for row, frame in zip(found[-1], piece):
            row[[pitch - 21 for pitch in frame]] = 1
    return found


def test_clean_pieces_share_no_melody_whatever_the_key():
    known, other = tune(20), tune(20)
    moved = [[bass, top + 3] for bass, top in known[2:18]]  # 16 frames in another key
    short = [[bass, top + 3] for bass, top in known[2:17]] + tune(5)  # 15 are not enough
    found = sequence.clean(
        {"train": rolls([known]), "test": rolls([other, tune(3) + moved + tune(3), short])}
    )
    assert found.tolist() == [True, False, True]


def made_up_runs(monkeypatch, lengths=(4, 9)):
    """Instead of training: log-likelihoods that differ by model and seed."""
    scored = {}

    def processes(path, names, seed):
        for name in names:
            draw = np.random.default_rng([seed, len(name)])
            splits = {s: [-draw.gamma(5.0, size=n) for n in lengths] for s in ("valid", "test")}
            scored[name, seed] = splits | {"cpu_s": 10.0 + seed, "wall_s": 5.0 + len(name)}
        return [scored[name, seed] for name in names]

    monkeypatch.setattr(sequence, "_processes", processes)
    return scored


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.json"
    sets = {"train": [tune(20), tune(9)], "valid": [tune(5)], "test": [tune(6), tune(7)]}
    path.write_text(json.dumps(sets), encoding="utf-8")
    return path


def test_rows_are_means_over_seeds(monkeypatch, file):
    scored = made_up_runs(monkeypatch)
    found = {row["what"]: row for row in sequence.rows(file, seeds=2)}
    assert list(found) == [*sequence.MODELS, sequence.MIXTURE]
    for name in sequence.MODELS:
        tests = [nll_per_frame(scored[name, seed]["test"]) for seed in range(2)]
        assert found[name]["test"] == pytest.approx(np.mean([t.pooled for t in tests]), abs=1e-3)
        assert found[name]["per_piece"] == pytest.approx(
            np.mean([t.per_piece for t in tests]), abs=1e-3
        )
        assert found[name]["cpu_s"] == 10.5
    row, mixed, weights = found[sequence.MIXTURE], [], []
    for seed in range(2):
        members = [scored[name, seed] for name in sequence.MIXED]
        weights.append(mixture_weights(*(run["valid"] for run in members)))  # not on the test split
        tests = mixture(*(run["test"] for run in members), weights=weights[-1])
        mixed.append(nll_per_frame(tests).pooled)
    assert row["test"] == pytest.approx(np.mean(mixed), abs=1e-3)
    shown = [float(weight) for weight in row["weights"].split(", ")]
    np.testing.assert_allclose(shown, np.mean(weights, axis=0), atol=0.006)
    assert found["GRU, note by note"]["weights"] == ""
    assert row["valid"] <= min(found[name]["valid"] for name in sequence.MIXED) + 1e-3
    assert row["cpu_s"] == 10.5 * len(sequence.MIXED)  # all trainings
    assert row["wall_s"] == 5.0 + max(map(len, sequence.MIXED))  # at the same time


@pytest.mark.parametrize("backbone", ["none", "attention"])
def test_a_training_in_a_process_of_its_own(monkeypatch, file, backbone):
    quick = {"backbone": backbone, "head": "counterpoint", "hidden": 4, "units": 4, "epochs": 1}
    monkeypatch.setitem(sequence.MODELS, "GRU, 88 coins", quick)
    scores = file.with_suffix(".npz")
    took = sequence.train_one(file, "GRU, 88 coins", 0, scores)
    assert took["cpu_s"] > 0
    with np.load(scores) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "valid0": (5,),
            "test0": (6,),
            "test1": (7,),
        }
        assert all((arrays[name] < 0).all() for name in arrays)


def test_larger_sets_are_passed_over_fewer_times():
    n = sequence.JSB_FRAMES
    assert [sequence.passes(40, frames) for frames in (100, n, 4 * n, 16 * n)] == [40, 40, 20, 10]
    assert sequence.passes(2, 100 * n) == 1  # never none


def test_what_is_written_names_the_file_by_its_checksum_alone(monkeypatch, file, tmp_path, capsys):
    made_up_runs(monkeypatch)
    monkeypatch.setattr(sequence, "SETS", {(2, 1, 2): "JSB Chorales"})
    assert sequence.main(["--jsb", str(file), "--seeds", "1"], tmp_path / "results") == 0
    text = (tmp_path / "results" / "sequence.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["source"]["file"] == "tiny.json"
    assert len(stored["source"]["sha256"]) == 64
    assert str(tmp_path) not in text
    assert [row["what"] for row in stored["rows"]] == [*sequence.MODELS, sequence.MIXTURE]
    assert stored["seed"] == [0]
    assert stored["published"]["GRU"] == 8.43


def test_one_model_measured_again_loses_no_other_row(monkeypatch, file, tmp_path):
    made_up_runs(monkeypatch)
    command, stored = ["--jsb", str(file), "--seeds", "1"], tmp_path / "sequence_tiny.json"
    sequence.main(command, tmp_path)
    before = json.loads(stored.read_text(encoding="utf-8"))["rows"]
    sequence.main([*command[:2], "--seeds", "2", "--only", "LSTM, 88 coins"], tmp_path)
    after = json.loads(stored.read_text(encoding="utf-8"))["rows"]
    changed = [new["what"] for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["LSTM, 88 coins"]


def test_rows_of_models_that_are_gone_are_left_out(monkeypatch, file, tmp_path):
    made_up_runs(monkeypatch)
    stored = tmp_path / "sequence_tiny.json"
    stored.write_text(json.dumps({"rows": [{"what": "a model of old"}]}), encoding="utf-8")
    sequence.main(["--jsb", str(file), "--seeds", "1"], tmp_path)
    rows = json.loads(stored.read_text(encoding="utf-8"))["rows"]
    assert [row["what"] for row in rows] == [*sequence.MODELS, sequence.MIXTURE]


def test_another_set_leaves_the_results_on_jsb_chorales_alone(monkeypatch, file, tmp_path):
    made_up_runs(monkeypatch)
    assert sequence.main(["--jsb", str(file), "--seeds", "1"], tmp_path / "results") == 0
    (stored,) = (tmp_path / "results").iterdir()
    assert stored.name == "sequence_tiny.json"
    found = json.loads(stored.read_text(encoding="utf-8"))
    assert found["published"] == {}  # those and the targets are of JSB Chorales
    assert {row["target"] for row in found["rows"]} == {""}


def test_a_file_that_is_no_benchmark_is_refused(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    assert sequence.main(["--jsb", str(tmp_path / "a.json")], tmp_path) == 1
    assert "a.json is damaged" in capsys.readouterr().err
    assert not (tmp_path / "sequence.json").exists()
