"""The RNN-RBM on the published benchmark, from a file that the reader has: rows of ``energy.json``.

python -m benchmarks.rnn_rbm --jsb JSB_Chorales.json

For each seed a process of its own, on one thread, trains an RBM on all frames of the training split, starts the
RNN-RBM from it, and trains that; CPU seconds of both, and of the evaluation, are listed apart. Every frame of the
validation and of the test split is scored, the first of each piece from the initial state. Hyper-parameters were
chosen on the validation split. With the first seed it is also measured, on every eighth test piece, how the figure
rises with the number of temperatures and with the number of chains.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.process import scored, use_threads

__all__ = [
    "NAME",
    "PUBLISHED",
    "RECIPE",
    "TARGET",
    "curve_rows",
    "main",
    "rows",
    "score_row",
    "train_one",
]

NAME = "RNN-RBM, 150 hidden units"
BY_TEMPERATURES = "RNN-RBM by temperatures, every eighth test piece"
BY_CHAINS = "RNN-RBM by chains, every eighth test piece"
RECIPE = {
    "hidden": 150,
    "units": 128,
    "k": 5,
    "dropout": 0.4,
    "learning_rate": 6e-3,
    "epochs": 60,
    "batch_size": 8,
    "rbm_epochs": 60,
    "rbm_learning_rate": 0.05,
    "temperatures": 1000,
    "chains": 20,
    "curve_temperatures": [30, 100, 300, 1000, 3000],
    "curve_chains": [1, 2, 5, 20],
}
TARGET = (6.15, 90)  # nats per frame; CPU seconds of the RNN-RBM's own training
PUBLISHED = 6.27


def train_one(
    path: Path, seed: int, scores: Path, curve: bool = False, recipe: dict = RECIPE
) -> dict:
    """Train the RBM and the RNN-RBM, and score the test split, in this process.

    Args:
      path: the benchmark's file. seed: for weights, batches and chains.
      scores: an ``.npz`` to write the log-likelihoods of the test split's frames to.
      curve: also score every eighth test piece by each of the recipe's numbers of temperatures, and
        by each of its numbers of chains.
      recipe: as :data:`RECIPE`.

    Returns:
      ``rbm_cpu_s``, ``cpu_s`` and ``evaluation_cpu_s``; ``valid``, nats per frame of the validation
      split; ``by_temperatures`` and ``by_chains``, nats per frame, if asked for.
    """
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.models.energy.rbm import RBM
    from musiclab.models.energy.rnn_rbm import RNNRBM
    from musiclab.training import set_seed

    rolls, times = load_benchmark(path), [time.process_time()]
    set_seed(seed)
    rbm = RBM(visible=88, hidden=recipe["hidden"])
    rbm.compile_default(recipe["rbm_learning_rate"], k=1, persistent=True)
    rbm.fit(
        np.concatenate(rolls["train"]),
        epochs=recipe["rbm_epochs"],
        batch_size=100,
        seed=seed,
        verbose=0,
    )
    times.append(time.process_time())
    model = RNNRBM(88, *(recipe[name] for name in ("hidden", "units", "k", "dropout"))).start_from(
        rbm
    )
    model.compile_default(recipe["learning_rate"])
    model.fit(
        rolls["train"],
        epochs=recipe["epochs"],
        batch_size=recipe["batch_size"],
        seed=seed,
        verbose=0,
    )
    times.append(time.process_time())
    ais = recipe["temperatures"], recipe["chains"], seed
    np.savez(scores, *model.log_likelihood(rolls["test"], *ais))
    times.append(time.process_time())
    took = dict(zip(("rbm_cpu_s", "cpu_s", "evaluation_cpu_s"), np.diff(times).round(1).tolist()))
    took["valid"] = float(-np.concatenate(model.log_likelihood(rolls["valid"], *ais)).mean())
    if curve:
        few = rolls["test"][::8]
        by = model.convergence(few, recipe["curve_temperatures"], recipe["chains"])
        took["by_temperatures"] = by.round(3).tolist()
        by = [model.convergence(few, ais[:1], chains)[0] for chains in recipe["curve_chains"]]
        took["by_chains"] = np.round(by, 3).tolist()
    return took


def score_row(runs: list[dict], unshared: np.ndarray, recipe: dict = RECIPE) -> dict:
    """One row from the runs of all seeds.

    Args:
      runs: what :func:`train_one` returned, each with ``test`` besides, its list of
        log-likelihoods per piece.
      unshared: bool, which test pieces share no melody with training.
      recipe: as :data:`RECIPE`.

    Returns:
      Nats per frame, averaged over seeds, pooled over all frames of the split ("valid", "test") and
      of clean test pieces ("test_clean"), their standard deviation over seeds, CPU seconds, the
      target and the published figure.
    """
    from musiclab.metrics.likelihood import nll_per_frame

    tests = [nll_per_frame(run["test"]) for run in runs]
    kept = [[piece for piece, good in zip(run["test"], unshared) if good] for run in runs]
    return {
        "what": NAME,
        "seeds": len(runs),
        "valid": _mean([run["valid"] for run in runs], 3),
        "test": _mean([one.pooled for one in tests], 3),
        "test_clean": _mean([nll_per_frame(one).pooled for one in kept], 3)
        if unshared.any()
        else "none",
        "sd_seeds": round(float(np.std([one.pooled for one in tests])), 3),
        "frames": tests[0].frames,
        "temperatures": recipe["temperatures"],
        "chains": recipe["chains"],
        "rbm_cpu_s": _mean([run["rbm_cpu_s"] for run in runs], 1),
        "cpu_s": _mean([run["cpu_s"] for run in runs], 1),
        "evaluation_cpu_s": _mean([run["evaluation_cpu_s"] for run in runs], 1),
        "target": f"{TARGET[0]:.2f} in {TARGET[1]} s",
        "published": PUBLISHED,
    }


def curve_rows(run: dict, recipe: dict = RECIPE) -> list[dict]:
    """The first seed's convergence: nats per frame under "30", "100" and so on.

    Args:
      run: what :func:`train_one` returned with ``curve``. recipe: as :data:`RECIPE`.

    Returns:
      Two rows: by temperatures with all chains, and by chains with all temperatures.
    """
    by_temperatures = zip(map(str, recipe["curve_temperatures"]), run["by_temperatures"])
    by_chains = zip(map(str, recipe["curve_chains"]), run["by_chains"])
    return [
        {"what": BY_TEMPERATURES, "chains": recipe["chains"], **dict(by_temperatures)},
        {"what": BY_CHAINS, "temperatures": recipe["temperatures"], **dict(by_chains)},
    ]


def rows(path: Path, seeds: int = 3) -> list[dict]:
    """Train and score with every seed, one process after another: the row of the splits, and two of the curves."""
    from benchmarks.sequence import clean
    from musiclab.data.corpora.benchmark import load_benchmark

    runs = []
    for seed in range(seeds):
        print(f"seed {seed}: {NAME} ...", flush=True)
        runs.append(scored("rnn_rbm", "--jsb", path, "--seed", seed))
    return [score_row(runs, clean(load_benchmark(path))), *curve_rows(runs[0])]


def _mean(values, digits):
    return round(float(np.mean(values)), digits)


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    from benchmarks.record import store
    from musiclab.data import DataError
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.data.files.storage import sha256

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rnn_rbm", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--jsb", type=Path, required=True, help="the benchmark's file: .pickle, .json or .mat"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)  # in a process of its own
    parser.add_argument("--scores", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    path = options.jsb.resolve()
    if options.scores:
        use_threads(1)
        print(json.dumps(train_one(path, options.seed, options.scores, curve=options.seed == 0)))
        return 0
    try:
        load_benchmark(path)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    found = rows(path, options.seeds)
    store(
        "energy",
        found,
        folder,
        keep=True,
        source={"file": path.name, "sha256": sha256(path)},
        rnn_rbm={
            "command": f"python -m benchmarks.rnn_rbm --jsb {path.name} --seeds {options.seeds}",
            "recipe": RECIPE,
        },
    )
    for row in found:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
