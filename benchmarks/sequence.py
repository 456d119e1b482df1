"""The published benchmark, measured on a file that the reader has: nats per frame of models that write chords.

python -m benchmarks.sequence --jsb JSB_Chorales.json       # each model with three seeds
python -m benchmarks.sequence --jsb MuseData.pickle --seeds 1

The convention is that of Boulanger-Lewandowski, Bengio and Vincent (2012): minus the natural logarithm of a frame's
probability given all frames before it, all 88 keys of the frame together, averaged over all frames of all test
pieces, the first frame of each included. Every figure here is exact, without a bound or an estimate: a frame has
one probability, and those of all frames sum to 1.

The file itself is never stored; its name and checksum are. Results on JSB Chorales, which lessons show, are written
to ``sequence.json``, those on another set beside it. Each training runs in a process of its own, on one thread, with
TensorFlow's oneDNN, and is charged all CPU seconds of that process from building the model to its last weights. The
members of a mixture are trained at the same time, on two cores; its wall seconds are those of the slowest.
Hyper-parameters were chosen on the validation split of JSB Chorales alone; the weights of a mixture are fitted on
each set's own validation split.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

__all__ = ["MODELS", "PUBLISHED", "TARGETS", "clean", "main", "passes", "rows", "train_one"]

MODELS = {
    "RNN, 88 coins": {"backbone": "rnn", "head": "bernoulli", "epochs": 24},
    "GRU, 88 coins": {"backbone": "gru", "head": "bernoulli", "epochs": 22},
    "LSTM, 88 coins": {"backbone": "lstm", "head": "bernoulli", "epochs": 20},
    "two frames before, note by note": {"backbone": "none", "head": "notes", "epochs": 14},
    "GRU, note by note": {"backbone": "gru", "head": "notes", "epochs": 26},
    "GRU, counterpoint table": {"backbone": "gru", "head": "counterpoint", "epochs": 26},
    "GRU, counterpoint table, downward": {
        "backbone": "gru",
        "head": "counterpoint",
        "order": "down",
        "epochs": 26,
    },
    "Transformer, counterpoint table": {
        "backbone": "attention",
        "head": "counterpoint",
        "epochs": 40,
        "learning_rate": 8e-3,
        "dropout": 0.25,
    },
    "Transformer, counterpoint table, downward": {
        "backbone": "attention",
        "head": "counterpoint",
        "order": "down",
        "epochs": 40,
        "learning_rate": 8e-3,
        "dropout": 0.25,
    },
}
MIXED = tuple(MODELS)[-4:]  # trained at the same time
MIXTURE = "two GRUs and two Transformers, mixed"
RECIPE = {"learning_rate": 1e-2, "dropout": 0.4}  # of a model that says no other
SETS = {  # by the pieces to train, validate and test on
    (229, 76, 77): "JSB Chorales",
    (694, 173, 170): "Nottingham",
    (524, 135, 124): "MuseData",
    (87, 12, 25): "Piano-midi.de",
}
JSB_FRAMES = 13807  # frames to train on in JSB Chorales
# nats per frame on JSB Chorales' test split, and seconds: of CPU, for the mixture of wall
TARGETS = {
    "GRU, 88 coins": (8.50, 45),
    "LSTM, 88 coins": (8.55, 45),
    "two frames before, note by note": (5.30, 30),
    "GRU, note by note": (4.80, 90),
    MIXTURE: (4.50, 90),
}
# test, as papers print them; LV-RNN's 3.99 on JSB Chorales is a particle estimate, not comparable
PUBLISHED = {
    "JSB Chorales": {
        **{"RNN": 8.71, "LSTM": 8.45, "GRU": 8.43, "TCN": 8.10, "RNN-RBM": 6.27},
        **{"RNN-NADE": 5.56, "RNN-NADE, later paper": 5.19},
    },
    "Nottingham": {"RNN-RBM": 2.39, "RNN-NADE": 2.31},
    "MuseData": {"RNN-RBM": 6.01, "RNN-NADE": 5.60},
    "Piano-midi.de": {"RNN-RBM": 7.09, "RNN-NADE": 7.05},
}


def clean(rolls: dict) -> np.ndarray:
    """Which test pieces share no melody with training: no run of 16 frames of the top voice, transposed or not.

    Args:
      rolls: as ``musiclab.data.corpora.benchmark.load_benchmark`` reads them.

    Returns:
      bool, one per test piece.
    """
    heard = set().union(*map(_top_runs, rolls["train"]))
    return np.array([not (_top_runs(roll) & heard) for roll in rolls["test"]])


def _top_runs(roll):
    from musiclab.data import Piece, melody_runs

    top = np.where(roll.any(axis=1), 108 - np.argmax(roll[:, ::-1], axis=1), -1)
    return melody_runs(
        Piece(np.repeat(top, 4))
    )  # it reads quarters, four steps each; a frame counts as one


def train_one(path: Path, name: str, seed: int, scores: Path) -> dict:
    """Train one model and score validation and test with it, in this process.

    Args:
      path: the benchmark's file. name: one of :data:`MODELS`. seed: for weights, batches and
        dropout.
      scores: an ``.npz`` to write each split's log-likelihoods to.

    Returns:
      ``cpu_s`` and ``wall_s`` of the training.
    """
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.models.attention.chord_transformer import ChordTransformer
    from musiclab.models.recurrent.chord_model import ChordModel
    from musiclab.training import set_seed

    rolls, settings = load_benchmark(path), RECIPE | MODELS[name]
    epochs = passes(settings.pop("epochs"), sum(map(len, rolls["train"])))
    learning_rate, kind = settings.pop("learning_rate"), ChordModel
    if settings["backbone"] == "attention":
        kind = ChordTransformer
        del settings["backbone"]
    cpu, wall = time.process_time(), time.perf_counter()
    set_seed(seed)
    model = kind(**settings)
    model.compile_default(learning_rate)
    model.fit(rolls["train"], epochs=epochs, seed=seed, verbose=0)
    took = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    np.savez(
        scores,
        **{
            f"{s}{i}": x
            for s in ("valid", "test")
            for i, x in enumerate(model.log_likelihood(rolls[s]))
        },
    )
    return took


def passes(epochs: int, frames: int) -> int:
    """Passes over a set: fewer over one larger than JSB Chorales, by the square root of how much larger.

    Args:
      epochs: on JSB Chorales. frames: in the set's training split.

    Returns:
      At least 1.

    >>> passes(40, 4 * JSB_FRAMES), passes(40, 100)
    (20, 40)
    """
    return max(1, round(epochs * min(1.0, JSB_FRAMES / frames) ** 0.5))


def rows(path: Path, seeds: int = 3, models=tuple(MODELS)) -> list[dict]:
    """Train and score every model with every seed.

    Args:
      path: the benchmark's file. seeds: how many. models: which of :data:`MODELS`.

    Returns:
      A row per model, and one for the mixture: nats per frame averaged over seeds, pooled over all
      frames of the split ("valid", "test"), over those of clean test pieces ("test_clean"), with
      the standard deviation over seeds and the standard error over test pieces; mean seconds; the
      target; of the mixture also its weights.
    """
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.metrics.likelihood import mixture, mixture_weights

    unshared = clean(load_benchmark(path))
    together = [name for name in MIXED if name in models]
    groups = [[name] for name in models if name not in together] + [together] * bool(together)
    runs = {name: [] for name in (*models, MIXTURE)}
    for seed in range(seeds):
        for group in groups:
            print(f"seed {seed}: {' and '.join(group)} ...", flush=True)
            for name, run in zip(group, _processes(path, group, seed)):
                runs[name].append(run)
        if len(together) == len(MIXED):
            members = [runs[name][-1] for name in MIXED]
            weights = mixture_weights(*(run["valid"] for run in members))
            mixed = {"weights": weights, "cpu_s": sum(run["cpu_s"] for run in members)}
            mixed["wall_s"] = max(run["wall_s"] for run in members)
            for split in ("valid", "test"):
                mixed[split] = mixture(*(run[split] for run in members), weights=weights)
            runs[MIXTURE].append(mixed)
    return [_row(name, found, unshared) for name, found in runs.items() if found]


def _row(name, runs, unshared):
    from musiclab.metrics.likelihood import nll_per_frame

    tests = [nll_per_frame(run["test"]) for run in runs]
    kept = [[piece for piece, good in zip(run["test"], unshared) if good] for run in runs]
    target = TARGETS.get(name, ("", ""))
    weights = np.mean([run.get("weights", []) for run in runs], axis=0)
    return {
        "what": name,
        "seeds": len(runs),
        "valid": _mean([nll_per_frame(run["valid"]).pooled for run in runs]),
        "test": _mean([one.pooled for one in tests]),
        "test_clean": _mean([nll_per_frame(one).pooled for one in kept])
        if unshared.any()
        else "none",
        "sd_seeds": round(float(np.std([one.pooled for one in tests])), 3),
        "per_piece": _mean([one.per_piece for one in tests]),
        "se_pieces": _mean([one.standard_error for one in tests]),
        "cpu_s": _mean([run["cpu_s"] for run in runs], 1),
        "wall_s": _mean([run["wall_s"] for run in runs], 1),
        "target": f"{target[0]:.2f} in {target[1]} s" if target[0] else "",
        "weights": ", ".join(f"{weight:.2f}" for weight in weights),
    }


def _mean(values, digits=3):
    return round(float(np.mean(values)), digits)


def _processes(path, names, seed):
    """One process per model, at the same time; what each measured and scored, in order."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.npz" for i in range(len(names))]
        command = [
            sys.executable,
            "-m",
            "benchmarks.sequence",
            "--jsb",
            str(path),
            "--seed",
            str(seed),
            "--model",
        ]
        root = Path(__file__).resolve().parents[1]
        # TensorFlow's own default, which the course turns off for its log: here it halves CPU seconds
        environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": "1"}
        started = [
            subprocess.Popen(
                [*command, name, "--scores", str(file)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=root,
                env=environment,
            )
            for name, file in zip(names, files)
        ]
        found = []
        for process, file in zip(started, files):
            said = process.communicate()[0]
            if process.returncode:
                raise RuntimeError(
                    f"training failed with status {process.returncode}: {' '.join(process.args)}"
                )
            with np.load(file) as arrays:
                splits = {
                    s: [arrays[k] for k in arrays if k.startswith(s)] for s in ("valid", "test")
                }
            found.append(json.loads(said.splitlines()[-1]) | splits)
        return found


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    from benchmarks.process import use_cores, use_threads
    from benchmarks.record import store
    from musiclab.data import DataError
    from musiclab.data.corpora.benchmark import load_benchmark
    from musiclab.data.files.storage import sha256

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sequence", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--jsb", type=Path, required=True, help="the benchmark's file: .pickle, .json or .mat"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of each model")
    parser.add_argument(
        "--only", nargs="+", choices=MODELS, default=tuple(MODELS), help="these models alone"
    )
    parser.add_argument(
        "--model", choices=MODELS, help=argparse.SUPPRESS
    )  # in a process of its own
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scores", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    path = options.jsb.resolve()
    if options.model:
        use_threads(1)
        print(json.dumps(train_one(path, options.model, options.seed, options.scores)))
        return 0
    try:
        rolls = load_benchmark(path)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    use_cores()
    found = rows(path, options.seeds, tuple(options.only))
    source = {"file": path.name, "sha256": sha256(path)}
    of = SETS.get(tuple(len(rolls[split]) for split in ("train", "valid", "test")), path.stem)
    is_jsb = of == "JSB Chorales"
    for row in found if not is_jsb else ():
        row["target"] = ""  # they are for JSB Chorales
    store(
        "sequence",
        found,
        folder,
        file="sequence" if is_jsb else f"sequence_{path.stem}",
        keep=True,
        order=(*MODELS, MIXTURE),
        command=f"python -m benchmarks.sequence --jsb {path.name} --seeds {options.seeds}",
        seed=list(range(options.seeds)),
        source=source,
        models=MODELS,
        recipe=RECIPE,
        published=PUBLISHED.get(of, {}),
    )
    for row in found:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
