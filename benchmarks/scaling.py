"""Scaling curves of the four-voice model: held-out loss against data, parameters and CPU time.

python -m benchmarks.scaling                # three seeds, an hour; goes on where it stopped

One thing varies at a time, from a common point: all training chorales, 64 units, 24 passes. Each
training has a learning-rate schedule of its own length.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.process import use_threads
from benchmarks.record import RESULTS, store
from musiclab.data import load_chorales, to_common_key

__all__ = ["main", "points", "train_one"]

UNITS, PASSES, SEEDS = 64, 24, 3
UNITS_TRIED = (2, 4, 8, 16, 32, 128)
PASSES_TRIED = (2, 4, 8, 16)
KEY = ("curve", "units", "passes", "one_in", "seed")  # of a row
SHARES = (16, 8, 4, 2)  # of the training chorales: one in so many


def points() -> list[dict]:
    """The trainings of one seed: which curve, units, passes, and one in how many chorales."""
    common = {"units": UNITS, "passes": PASSES, "one_in": 1}
    found = [{"curve": "all", **common}]
    # small sets are passed over more often, or they would be trained for a few steps only
    found += [
        {"curve": "data", **common, "one_in": n, "passes": round(PASSES * n**0.5)} for n in SHARES
    ]
    found += [{"curve": "parameters", **common, "units": units} for units in UNITS_TRIED]
    found += [{"curve": "CPU time", **common, "passes": passes} for passes in PASSES_TRIED]
    return found


def train_one(point: dict, seed: int, train: list, held_out: list) -> dict:
    """Train one model from scratch and score it on the held-out pieces.

    Args:
      point: as :func:`points`.
      seed: for weights, order and which chorales are drawn.
      train, held_out: pieces in a common key.

    Returns:
      The point with the seed, ``notes`` struck in the training pieces, ``parameters``, ``cpu_s`` of
      training without the compilation of its graph, and the losses ``train`` and ``held_out`` in
      nats per 16th.
    """
    import keras

    from musiclab import training
    from musiclab.models.recurrent.four_voices import FourVoices

    order = np.random.default_rng(seed).permutation(len(train))
    chosen = [train[i] for i in order[: -(-len(train) // point["one_in"])]]
    training.set_seed(seed)
    model = FourVoices(units=point["units"], hidden=point["units"], low=31, high=86)
    model.compile_default(weight_decay=1e-2)
    clock = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: clock.append(time.process_time())
    )
    training.train(model, chosen, epochs=point["passes"], batch_size=8, seed=seed, callbacks=[note])

    def nats(pieces):
        return round(-float(np.concatenate(model.log_likelihood(pieces)).mean()), 4)

    return {
        **point,
        "seed": seed,
        "notes": int(sum(piece.onsets.sum() for piece in chosen)),
        "parameters": model.count_params(),
        "cpu_s": round(float(np.median(np.diff(clock))) * point["passes"], 2),
        "train": nats(chosen),
        "held_out": nats(held_out),
    }


def main(arguments: list[str] | None = None, folder: Path = RESULTS) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trainings of each point")
    options = parser.parse_args(arguments)
    file = folder / "scaling.json"
    use_threads(1)
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    train, held_out = ([to_common_key(p) for p in load_chorales(s)] for s in ("train", "test"))
    done = [{key: row[key] for key in KEY} for row in rows]
    for seed in range(options.seeds):
        for point in points():
            if {**point, "seed": seed} in done:
                continue
            found = train_one(point, seed, train, held_out)
            print(found, flush=True)
            command = f"python -m benchmarks.scaling --seeds {options.seeds}"
            store("scaling", [found], folder, key=KEY, keep=True, command=command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
