"""Bars that a deep belief network writes, beside held-out ones: before and after fine-tuning, several seeds.

python -m benchmarks.energy --only dbn      # three seeds
"""

from __future__ import annotations

import time

import numpy as np

__all__ = ["RECIPE", "TARGET", "rows"]

RECIPE = {"hidden": (120, 120), "epochs": (45, 60), "fine_tuning": 10, "refit": 60}
TARGET = "hold within 0.10, scale within 0.08, empty bars 0, in 60 CPU s"
BARS, STEPS = 200, 1000  # windows drawn; Gibbs steps for each


def rows(seeds: int = 3) -> list[dict]:
    """Train on the training windows, draw windows from noise, and measure them beside those of the test split.

    Args:
      seeds: how many.

    Returns:
      Rows with ``what``, ``hold``, ``scale``, ``empty_bars`` (means over seeds), their standard deviations over seeds
      as ``hold_sd`` and ``scale_sd``, the mean CPU seconds of the training, and the target.
    """
    from musiclab import metrics
    from musiclab.data.encodings import two_bars

    real = two_bars.eighths_to_pieces(two_bars.load_eighths("test"))
    runs = {"DBN: bars before fine-tuning": [], "DBN: bars, fine-tuned, top refitted": []}
    for seed in range(seeds):
        for name, run in zip(runs, _train(seed)):
            runs[name].append(run)
    measures = (metrics.hold_rate, metrics.scale_consistency, metrics.empty_bars)
    found = [
        _row("DBN: held-out bars", np.array([[measure(real) for measure in measures]]), "", "")
    ]
    for name, pairs in runs.items():
        values = np.array([[measure(pieces) for measure in measures] for pieces, _ in pairs])
        found.append(
            _row(name, values, round(float(np.mean([cpu for _, cpu in pairs])), 1), TARGET)
        )
    return found


def _row(what, values, cpu, target):
    mean, sd = values.mean(axis=0).round(3).tolist(), values.std(axis=0).round(3).tolist()
    return {
        **{
            "what": what,
            "seeds": len(values),
            "hold": mean[0],
            "hold_sd": sd[0],
            "scale": mean[1],
            "scale_sd": sd[1],
        },
        **{"empty_bars": mean[2], "cpu_s": cpu, "target": target},
    }


def _train(seed):
    """Windows and CPU seconds so far: of the stack as trained greedily, then fine-tuned."""
    from musiclab.data.encodings import two_bars
    from musiclab.models.energy.dbn import DBN
    from musiclab.training import set_seed

    x, spent = two_bars.eighths_to_rows(two_bars.load_eighths("train")), time.process_time()
    set_seed(seed)
    model = DBN(x.shape[1], RECIPE["hidden"], two_bars.EIGHTH_SYMBOLS)
    model.fit(x, epochs=RECIPE["epochs"], seed=seed, verbose=0)
    greedy = time.process_time() - spent
    drawn = two_bars.eighths_to_pieces(two_bars.rows_to_eighths(model.sample(BARS, seed, STEPS)))
    spent = time.process_time()
    model = model.fine_tuned(x, epochs=RECIPE["fine_tuning"], seed=seed)
    model.refit_top(x, epochs=RECIPE["refit"], seed=seed, verbose=0)
    tuned = greedy + time.process_time() - spent
    return (drawn, greedy), (
        two_bars.eighths_to_pieces(two_bars.rows_to_eighths(model.sample(BARS, seed, STEPS))),
        tuned,
    )
