"""Energy-based models: speed beside scikit-learn, nats on the published benchmark, generated bars.

python -m benchmarks.energy                                # what needs no file: speed, and the bars of the DBN
python -m benchmarks.energy --jsb JSB_Chorales.json        # and the benchmark, from a file that the reader has
python -m benchmarks.energy --jsb JSB_Chorales.json --seeds 1 --only rbm

Each training of an RBM or RNN-RBM runs in a process of its own, on one thread, and is charged that process's CPU
seconds; the deep belief networks are trained in this process. Rows of other runs stay in ``energy.json``.
Hyper-parameters of the RBM and of the RNN-RBM were chosen on the validation split, whose figure stands in their rows
("valid"). Those of the deep belief network were chosen beside the test windows, so its rows are no held-out result.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import rnn_rbm
from benchmarks.process import scored, use_threads

__all__ = [
    "NEED_FILE",
    "PARTS",
    "PUBLISHED",
    "RECIPE",
    "TARGET",
    "main",
    "rbm_rows",
    "speed",
    "speed_rows",
    "table",
]

RECIPE = {
    "hidden": 150,
    "learning_rate": 1.5,
    "k": 1,
    "persistent": True,
    "weight_decay": 4e-5,
    "epochs": 1100,
    "batch_size": 100,
    "temperatures": 80000,
    "fewer_temperatures": 20000,
    "chains": 100,
}
NAME = "RBM, 150 hidden units"
TARGET = (7.45, 300)  # nats per test frame of JSB Chorales; CPU seconds
PUBLISHED = 7.43
SHAPES = ((88, 150), (1408, 512))  # visible and hidden units
BATCH, UPDATES = 100, 800  # rows per update; updates timed of the small shape


def speed(visible: int, hidden: int, updates: int = UPDATES, threads: int | None = 1) -> list[dict]:
    """Updates of CD-1 in ``RBM.fit`` and in scikit-learn's ``partial_fit``, side by side in this process.

    Both get the same float32 rows in batches of 100, in turns, three times; the best time of each
    counts. Ours includes shuffling, momentum, the average of the weights and the loss of every
    batch, but not the tracing of the graph, which happens once. scikit-learn's algorithm is
    persistent CD-1: nearly the same matrix products and random numbers.

    Args:
      visible, hidden: units. updates: how many to time, a multiple of 4.
      threads: of both; None: as many as each library takes by itself, which is what a reader gets.

    Returns:
      Rows: updates per CPU second of both and, where ``threads`` is None, also per second on the
        clock, which means
      something on an idle machine only; and their ratio.
    """
    import keras
    import threadpoolctl
    from sklearn.neural_network import BernoulliRBM

    from musiclab.models.energy.rbm import RBM

    def clocks():
        return np.array([time.process_time(), time.perf_counter()])

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            times.append(clocks())

    x = (np.random.default_rng(0).random((BATCH * updates // 4, visible)) < 0.05).astype(np.float32)
    ours, theirs = [], []
    other = BernoulliRBM(hidden, learning_rate=0.05, batch_size=BATCH, random_state=0)
    other.partial_fit(x[:BATCH])
    model = RBM(visible, hidden)
    for _ in range(3):
        times = []
        model.fit(x, epochs=5, batch_size=BATCH, verbose=0, callbacks=[Clock()])
        ours.append((times[-1] - times[0]) / updates)
        with threadpoolctl.threadpool_limits(threads):
            start = clocks()
            for i in range(0, len(x), BATCH):
                other.partial_fit(x[i : i + BATCH])
        theirs.append((clocks() - start) / (updates // 4))
    per_second = 1 / np.min([ours, theirs], axis=1)  # by model and by clock
    said = {1: "one thread", None: "threads by default"}.get(threads, f"{threads} threads")
    return [
        {
            "what": f"CD-1 updates per {unit}, {said}, {visible} x {hidden}, batches of {BATCH}",
            "RBM.fit": round(one, 1),
            "scikit-learn": round(two, 1),
            "times": round(one / two, 1),
        }
        for unit, (one, two) in zip(("CPU second", "second on the clock"), per_second.T.tolist())
        if threads is None or unit == "CPU second"
    ]


def speed_rows(path: Path | None = None, seeds: int = 1) -> list[dict]:
    """:func:`speed` for each of :data:`SHAPES` with one thread, with two and by default, each in its own process."""
    runs = [scored("energy", "--shape", v, h, "--threads", n) for n in (1, 2, 0) for v, h in SHAPES]
    return [row for run in runs for row in run["rows"]]


def train_one(path: Path, seed: int, scores: Path, recipe: dict = RECIPE) -> dict:
    """Train an RBM on all training frames and score those of the test and validation splits, in this process.

    Args:
      path: the benchmark's file. seed: for weights, batches and chains.
      scores: an ``.npz`` to write the log-likelihoods of the test pieces to. recipe: as
        :data:`RECIPE`.

    Returns:
      CPU seconds of the training; nats per frame of the validation split; ln Z, its standard error
      and what it was with fewer temperatures.
    """
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.models.energy.partition_function import log_partition_ais
    from musiclab.models.energy.rbm import RBM
    from musiclab.training import set_seed

    rolls, start = load_benchmark(path), time.process_time()
    set_seed(seed)
    model = RBM(88, recipe["hidden"])
    model.compile_default(
        **{name: recipe[name] for name in ("learning_rate", "k", "persistent", "weight_decay")}
    )
    frames = np.concatenate(rolls["train"])
    updates = recipe["epochs"] * max(1, len(frames) // recipe["batch_size"])
    # the weights are averaged over the last twentieth of all updates, not the last fifty
    model.optimizer.ema_momentum = max(0.0, 1 - 20 / updates)
    model.fit(
        frames, epochs=recipe["epochs"], batch_size=recipe["batch_size"], seed=seed, verbose=0
    )
    cpu = time.process_time() - start
    few, many = (
        log_partition_ais(*model.weights64(), seed, recipe[name], recipe["chains"])
        for name in ("fewer_temperatures", "temperatures")
    )
    np.savez(scores, *(model.log_likelihood(piece, many.log_z[0]) for piece in rolls["test"]))
    valid = -model.log_likelihood(np.concatenate(rolls["valid"]), many.log_z[0]).mean()
    logs = {"log_z": many.log_z[0], "log_z_se": many.standard_error[0], "log_z_fewer": few.log_z[0]}
    return {
        "cpu_s": cpu,
        "valid": float(valid),
        **{name: float(value) for name, value in logs.items()},
    }


def rbm_rows(path: Path, seeds: int = 3) -> list[dict]:
    """The RBM trained and scored with every seed.

    Args:
      path: the benchmark's file. seeds: how many.

    Returns:
      One row: nats per frame averaged over seeds, pooled over all frames of the split ("valid",
      "test") and of clean test pieces ("test_clean"), the standard deviation over seeds, mean CPU
      seconds of the training; the largest standard error of ln Z, and the largest change of ln Z
      from fewer temperatures to more; target, published.
    """
    from benchmarks.sequence import clean
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.metrics.likelihood import nll_per_frame

    unshared = clean(load_benchmark(path))
    runs = [scored("energy", "--jsb", path, "--seed", seed) for seed in range(seeds)]
    tests = [nll_per_frame(run["test"]).pooled for run in runs]
    kept = [[piece for piece, good in zip(run["test"], unshared) if good] for run in runs]
    return [
        {
            "what": NAME,
            "seeds": seeds,
            "valid": _mean([run["valid"] for run in runs]),
            "test": _mean(tests),
            "test_clean": _mean([nll_per_frame(one).pooled for one in kept])
            if unshared.any()
            else "none",
            "sd_seeds": round(float(np.std(tests)), 3),
            "cpu_s": _mean([run["cpu_s"] for run in runs], 1),
            "log_z_se": round(max(run["log_z_se"] for run in runs), 3),
            "log_z_moved": round(max(abs(run["log_z"] - run["log_z_fewer"]) for run in runs), 3),
            "target": f"{TARGET[0]:.2f} in {TARGET[1]} s",
            "published": PUBLISHED,
        }
    ]


def dbn_rows(path: Path | None = None, seeds: int = 3) -> list[dict]:
    """The deep belief network's rows; they need no file."""
    from benchmarks import dbn

    return dbn.rows(seeds)


PARTS = {"speed": speed_rows, "dbn": dbn_rows, "rbm": rbm_rows, "rnn_rbm": rnn_rbm.rows}
NEED_FILE = ("rbm", "rnn_rbm")


def table(rows: list[dict]) -> str:
    """Rows as Markdown tables, one for each kind of row."""
    kinds = {}
    for row in rows:
        kinds.setdefault(tuple(row), []).append(row)
    lines = []
    for columns, found in kinds.items():
        lines += [
            columns,
            ["---"] * len(columns),
            *([str(row[key]) for key in columns] for row in found),
            [],
        ]
    return "\n".join(f"| {' | '.join(line)} |" if line else "" for line in lines)


def _mean(values, digits=3):
    return round(float(np.mean(values)), digits)


def _alone(options) -> dict:
    use_threads(options.threads)
    if options.shape:
        v, h = options.shape
        return {"rows": speed(v, h, UPDATES if v < 500 else UPDATES // 10, options.threads or None)}
    return train_one(options.jsb.resolve(), options.seed, options.scores)


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    from benchmarks.record import store
    from musiclab.data import DataError
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.data.files.storage import sha256

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.energy", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--jsb", type=Path, help="the benchmark's file: .pickle, .json or .mat")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of each model")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these alone; other rows stay")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)  # in a process of its own
    parser.add_argument("--shape", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--scores", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.scores:
        print(json.dumps(_alone(options)))
        return 0
    names = options.only or [name for name in PARTS if options.jsb or name not in NEED_FILE]
    if not options.jsb and set(names) & set(NEED_FILE):
        parser.error(
            f"{', '.join(sorted(set(names) & set(NEED_FILE)))}: need --jsb, the benchmark's file"
        )
    more = {
        "command": "make bench JSB=path",
        "recipe": RECIPE,
    }  # parts may have been measured at different times
    if options.jsb:
        path = options.jsb.resolve()
        try:
            load_benchmark(path)
        except DataError as error:
            print(error, file=sys.stderr)
            return 1
        more["source"] = {"file": path.name, "sha256": sha256(path)}
    for name in names:
        print(f"measuring {name} ...", flush=True)
        found = PARTS[name](options.jsb and path, options.seeds)
        result = store("energy", found, folder, keep=True, **more)
    print(table(result["rows"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
