"""The table of models that write two bars: references, limits, means over seeds, merging, what is written down."""

import json

import numpy as np
import pytest

from benchmarks import latent, record, run

REAL = {
    "hold": 0.7,
    "scale": 0.95,
    "polyphony": 0.0,
    "diversity": 0.9,
    "empty_bars": 0.0,
    "parallels": 0.5,
}
REAL |= {"nearest": 0.4}


def made_up(monkeypatch):
    """Instead of measuring: scores that differ by seed."""
    known = {
        latent.REAL: REAL,
        latent.REAL_IN_C: REAL | {"diversity": 0.8},
        "independent random cells": REAL,
    }
    monkeypatch.setattr(latent, "references", lambda: known)
    monkeypatch.setattr(
        latent,
        "answer",
        lambda _, *said: made(said[1], said[-1]),
    )


def made(name, seed):
    return REAL | {"f1": 0.9 + 0.01 * seed, "cpu_s": 70.0 + len(name) % 2}


def test_every_limit_names_a_measure():
    assert {key for limits in latent.LIMITS.values() for key in limits} <= set(latent.MEASURES)


def test_limits_by_hand():
    good = REAL | {"f1": 0.9, "cpu_s": 75.0}
    assert latent.missed("VAE", good, REAL) == []
    assert latent.missed(
        "VAE", good | {"f1": 0.89, "hold": 0.81, "scale": 0.87, "cpu_s": 76}, REAL
    ) == [
        "f1",
        "hold",
        "scale",
        "cpu_s",
    ]
    gan = REAL | {"cpu_s": 150.0, "polyphony": 0.1, "parallels": 2.0}
    assert latent.missed("convolutional GAN", gan, REAL) == []
    worse = gan | {"nearest": 0.39, "parallels": 2.1, "empty_bars": 0.001}
    assert latent.missed("convolutional GAN", worse, REAL) == ["empty_bars", "nearest", "parallels"]
    assert latent.missed("LSTM GAN", gan | {"cpu_s": 1.0, "diversity": 0.71}, REAL) == ["diversity"]
    assert latent.missed("independent random cells", {}, REAL) == []


def test_rows_are_means_and_spreads_over_seeds(monkeypatch):
    made_up(monkeypatch)
    found = {row["what"]: row for row in latent.rows(seeds=3)}
    assert list(found) == [
        latent.REAL,
        latent.REAL_IN_C,
        "independent random cells",
        *latent.MODELS,
    ]
    assert found["VAE"]["f1"] == f"{0.91:.3f} ± {np.std([0.9, 0.91, 0.92]):.3f}"
    assert found["VAE"]["targets"] == "all reached"
    assert found["VAE tuned for reconstruction"]["targets"] == "missed: f1"
    assert (
        found["convolutional GAN"]["targets"] == "missed: diversity"
    )  # 0.9, held against what is real in its key
    assert found[latent.REAL]["f1"] == ""
    assert found[latent.REAL]["hold"] == "0.700"


def few_windows(monkeypatch):
    from musiclab.data.encodings import two_bars

    everything = two_bars.load_bars("valid")
    parts = {"train": everything[:12], "test": everything[40:46]}
    monkeypatch.setattr(two_bars, "load_bars", lambda split, common_key=False: parts[split])
    monkeypatch.setattr(two_bars, "in_all_keys", lambda x: x)


def test_references_separate_noise_and_copies_from_music(monkeypatch):
    few_windows(monkeypatch)
    found = latent.references(n=10)
    assert set(found) == {
        latent.REAL,
        latent.REAL_IN_C,
        "independent random cells",
        "a copy of training windows",
    }
    assert found["a copy of training windows"]["nearest"] == 0
    assert found["independent random cells"]["scale"] < found[latent.REAL]["scale"]
    assert found[latent.REAL]["polyphony"] == 0


def test_a_training_in_a_process_of_its_own(monkeypatch):
    few_windows(monkeypatch)
    tiny = {"latent": 2, "quarter_units": 3, "hidden": 4}
    settings = {
        "model": ("autoencoders.vae", "VAE"),
        "sizes": tiny,
        "fit": {"epochs": 1},
    }
    monkeypatch.setitem(latent.MODELS, "VAE", settings)
    found = latent.train_one("VAE", seed=0, n=4)
    assert set(found) == set(latent.MEASURES)
    assert found["cpu_s"] > 0
    assert 0 <= found["f1"] <= 1


def test_a_gan_trains_and_is_scored_in_a_common_key(monkeypatch):
    from musiclab.data.encodings import two_bars

    few_windows(monkeypatch)
    asked, load = [], two_bars.load_bars
    monkeypatch.setattr(
        two_bars,
        "load_bars",
        lambda split, common_key=False: asked.append(common_key) or load(split),
    )
    tiny = {"latent": 2, "units": 3, "discriminator_units": 3}
    settings = {
        "model": ("adversarial.gan", "ConvGAN"),
        "sizes": tiny,
        "fit": {"batch_size": 6},
        "common_key": True,
    }
    monkeypatch.setitem(latent.MODELS, "convolutional GAN", settings)
    found = latent.train_one("convolutional GAN", seed=0, n=4)
    assert set(found) == set(latent.MEASURES) - {"f1"}
    assert asked == [True] * 3


def test_rows_measured_again_replace_their_own_alone(monkeypatch, tmp_path):
    made_up(monkeypatch)
    assert latent.main(["--seeds", "2"], tmp_path) == 0
    before = json.loads((tmp_path / "latent.json").read_text(encoding="utf-8"))
    assert [row["what"] for row in before["rows"]][3:] == list(latent.MODELS)
    monkeypatch.setattr(latent, "answer", lambda *said: REAL | {"f1": 0.5, "cpu_s": 1.0})
    assert latent.main(["--seeds", "1", "--only", "VAE"], tmp_path) == 0
    after = json.loads((tmp_path / "latent.json").read_text(encoding="utf-8"))
    assert [row["what"] for row in after["rows"]] == [row["what"] for row in before["rows"]]
    changed = [a["what"] for a, b in zip(before["rows"], after["rows"]) if a != b]
    assert changed == ["VAE"]
    assert "| VAE | 1 | 0.500 |" in record.table([after])


def test_make_bench_measures_it():
    assert run.BENCHMARKS["latent"] is latent.rows


def test_an_unknown_model_is_refused(capsys):
    with pytest.raises(SystemExit):
        latent.main(["--only", "diffusion"])
    assert "invalid choice" in capsys.readouterr().err
