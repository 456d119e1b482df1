"""Two-bar models beside real windows, noise and copies: ``make bench``, or alone

python -m benchmarks.latent                      # every model with three seeds
python -m benchmarks.latent --only VAE --seeds 1   # the other rows stay as they were

Windows are those of lesson 04: chorales in 4/4, one on each downbeat, split as published. Autoencoders see each in
every key that fits; GANs, as in lesson 10, see all chorales moved to C major or A minor, and are held against held-out
windows moved likewise. Each training runs in a process of its own, on one thread, and is charged all CPU seconds of
that process from building the model to its last weights.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.process import answer, use_cores, use_threads
from benchmarks.record import store
from training.gans import SETTINGS, count_steps

__all__ = ["LIMITS", "MEASURES", "MODELS", "main", "missed", "references", "rows", "train_one"]

MODELS = {  # the class, its sizes, arguments of compile_default() and of fit()
    "VAE": {
        "model": ("autoencoders.vae", "VAE"),
        "sizes": {"latent": 96, "quarter_units": 128, "hidden": 256, "beta": 0.35},
        "compile_default": {"learning_rate": 4e-3},
        "fit": {"epochs": 9, "batch_size": 64},
    },
    "VAE tuned for reconstruction": {
        "model": ("autoencoders.vae", "VAE"),
        "sizes": {"latent": 128, "quarter_units": 128, "hidden": 320, "beta": 0.01},
        "compile_default": {"learning_rate": 4e-3},
        "fit": {"epochs": 9, "batch_size": 64},
    },
    "convolutional GAN": {**SETTINGS["11_convolutional"], "common_key": True},
    "LSTM GAN": {**SETTINGS["11_recurrent"], "common_key": True},
}
MEASURES = (
    "f1",
    "hold",
    "scale",
    "polyphony",
    "diversity",
    "empty_bars",
    "parallels",
    "nearest",
    "cpu_s",
)
REAL, REAL_IN_C = "held-out windows", "held-out windows in C major or A minor"


def at_least(limit):
    return lambda value, real: value >= limit


def at_most(limit):
    return lambda value, real: value <= limit


def within(distance):
    return lambda value, real: abs(value - real) <= distance


def at_least_real(factor):
    return lambda value, real: value >= factor * real


def at_most_real(factor):
    return lambda value, real: value <= factor * real


# what each row should reach, by measure: a function of its mean and of what held-out windows score
LIMITS = {
    "VAE": {
        "f1": at_least(0.90),
        "hold": within(0.10),
        "scale": within(0.07),
        "cpu_s": at_most(75),
    },
    "VAE tuned for reconstruction": {"f1": at_least(0.95), "cpu_s": at_most(75)},
    "convolutional GAN": {
        "hold": within(0.07),
        "scale": within(0.06),
        "diversity": within(0.05),
        "polyphony": at_most(0.10),
        "empty_bars": at_most(0),
        "nearest": at_least_real(1),
        "parallels": at_most_real(4),
        "cpu_s": at_most(150),
    },
    "LSTM GAN": {
        "hold": within(0.15),
        "scale": within(0.15),
        "diversity": at_least_real(0.8),
        "empty_bars": at_most(0.01),
        "cpu_s": at_most(90),
    },
}


def references(seed: int = 0, n: int = 400) -> dict[str, dict[str, float]]:
    """Scores of windows that no model generated.

    Args:
      seed: of the draws. n: windows drawn.

    Returns:
      Scores by row: held-out windows in their own keys and in a common one; cells drawn
      independently from the training windows' at that step and voice; and training windows as they
      are.
    """
    from musiclab.data.encodings import two_bars

    x = two_bars.load_bars("train")
    rng = np.random.default_rng(seed)
    steps, voices = np.indices(x.shape[1:])
    cells = x[rng.integers(len(x), size=(n, *x.shape[1:])), steps, voices]
    copies = x[rng.choice(len(x), size=min(n, len(x)), replace=False)]
    return {
        REAL: _scores(two_bars.load_bars("test")),
        REAL_IN_C: _scores(two_bars.load_bars("test", common_key=True), common_key=True),
        "independent random cells": _scores(cells),
        "a copy of training windows": _scores(copies),
    }


def train_one(name: str, seed: int, n: int = 400) -> dict[str, float]:
    """Train one model in this process and score its samples and, if it can, its reconstructions.

    Args:
      name: one of :data:`MODELS`. seed: for weights, batches and draws. n: windows sampled.

    Returns:
      The :data:`MEASURES`; "f1" of reconstructed held-out windows only where there is a
      ``reconstruct``.
    """
    from musiclab.data.encodings import two_bars
    from musiclab.metrics import precision_recall_f1
    from musiclab.training import set_seed

    settings = MODELS[name]
    module, kind = settings["model"]
    make = getattr(importlib.import_module(f"musiclab.models.{module}"), kind)
    common_key = settings.get("common_key", False)
    x = two_bars.load_bars("train", common_key=common_key)
    x = x if common_key else two_bars.in_all_keys(x)
    cpu = time.process_time()
    set_seed(seed)
    model = make(**settings["sizes"])
    if "compile_default" in settings:
        steps = {"steps": count_steps(settings["fit"], len(x))} if common_key else {}
        model.compile_default(**settings["compile_default"], **steps)
    model.fit(x, **settings["fit"], verbose=0)
    found = {"cpu_s": time.process_time() - cpu}
    if hasattr(model, "reconstruct"):
        held_out = two_bars.load_bars("test")
        found["f1"] = precision_recall_f1(
            two_bars.piano_rolls(held_out), two_bars.piano_rolls(model.reconstruct(held_out))
        ).f1
    return found | _scores(model.sample(n, seed=seed), common_key)


def _scores(symbols, common_key=False):
    from musiclab.data.encodings import two_bars
    from musiclab.metrics import set_scores

    held_out, training = (
        two_bars.to_pieces(two_bars.load_bars(split, common_key=common_key))
        for split in ("test", "train")
    )
    return set_scores(two_bars.to_pieces(symbols), held_out, training)


def missed(name: str, scores: dict[str, float], real: dict[str, float]) -> list[str]:
    """Measures of a row that lie outside :data:`LIMITS`.

    Args:
      name: the row. scores: means over seeds. real: those of held-out windows.

    Returns:
      Their names; none if all was reached, or nothing was asked.
    """
    return [
        key for key, fits in LIMITS.get(name, {}).items() if not fits(scores[key], real.get(key))
    ]


def rows(seeds: int = 3, models=None) -> list[dict]:
    """Train and score every model with every seed.

    Args:
      seeds: how many. models: which of :data:`MODELS`; None is all.

    Returns:
      A row for each reference and model: means over seeds, with standard deviations where there are
      several, and which targets were missed.
    """
    known = references()
    found = [_row(name, [scores], known[REAL]) for name, scores in known.items()]
    for name in MODELS if models is None else models:
        print(f"{name}: {seeds} seeds ...", flush=True)
        real = known[REAL_IN_C if MODELS[name].get("common_key") else REAL]
        runs = [answer("latent", "--model", name, "--seed", seed) for seed in range(seeds)]
        found.append(_row(name, runs, real))
    return found


def _row(name, runs, real):
    row = {"what": name, "seeds": len(runs) if name in MODELS else ""}
    means = {key: float(np.mean([run[key] for run in runs])) for key in MEASURES if key in runs[0]}
    for key in MEASURES:
        digits = 1 if key in ("cpu_s", "parallels") else 3
        spread = (
            f" ± {np.std([run[key] for run in runs]):.{digits}f}"
            if key in means and len(runs) > 1
            else ""
        )
        row[key] = f"{means[key]:.{digits}f}{spread}" if key in means else ""
    if name in LIMITS:
        outside = missed(name, means, real)
        return row | {"targets": f"missed: {', '.join(outside)}" if outside else "all reached"}
    return row | {"targets": ""}


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latent", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of each model")
    parser.add_argument(
        "--only", nargs="+", choices=MODELS, help="these models alone; the others' rows stay"
    )
    parser.add_argument(
        "--model", choices=MODELS, help=argparse.SUPPRESS
    )  # in a process of its own
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.model:
        use_threads(1)
        print(json.dumps(train_one(options.model, options.seed)))
        return 0
    use_cores()
    found = rows(options.seeds, options.only)
    order = [row["what"] for row in found if row["what"] not in MODELS] + list(MODELS)
    more = {"models": MODELS, "seed": list(range(options.seeds))}
    store("latent", found, folder, keep=bool(options.only), order=order, **more)
    for row in found:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
