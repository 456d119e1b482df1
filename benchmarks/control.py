"""Mood asked of the inpainting network, with and without guidance: ``python -m benchmarks.control``

Each second test melody (split by melody) is harmonised once for every class of density and of tension.
Whole bars of 4/4 are counted: how many fall into the class that was asked for, and Spearman's rank
correlation of what was asked and what came. Bach's own bars are held against the classes as a check.
"""

from __future__ import annotations

import json
import time

import numpy as np

from benchmarks.record import RESULTS, record

__all__ = ["main", "measure"]

WEIGHTS = (0.0, 1.5, 3.0)  # guidance
SWEEPS, TEMPERATURE, SEED = 40, 0.9, 16
BAR = 8  # 8ths


def measure(pieces, network, column: int, weight: float) -> dict:
    """Ask for each class of density (column 0) or tension (column 1); a row of results."""
    from scipy.stats import spearmanr

    from musiclab import metrics
    from musiclab.data import top_voice
    from musiclab.data.encodings import cells

    name = ("density", "tension")[column]
    edges = (cells.DENSITY_EDGES, cells.TENSION_EDGES)[column]
    forms = [cells.encode_form(piece) for piece in pieces]
    melodies, asked, got, written = [top_voice(piece) for piece in pieces], [], [], []
    start = time.process_time()
    for wish in range(1, len(edges) + 2):
        moods = [cells.told_mood(form, **{name: wish}) for form in forms]
        settings = {"sweeps": SWEEPS, "temperature": TEMPERATURE, "guidance": weight}
        made = network.sample(melodies, SEED, mood=moods, **settings)
        written += made
        for piece, form in zip(made, forms):
            whole = np.diff(cells.bar_edges(form)) == BAR
            values = cells.density_and_tension(cells.encode_cells(piece), form)[whole, column]
            got += values.tolist()
            asked += [wish] * len(values)
    asked, got = np.array(asked), np.array(got)
    hit = np.mean(1 + np.searchsorted(edges, got, side="right") == asked)
    return {
        "asked": name,
        "guidance": weight,
        "bars": len(got),
        "in_class": round(float(hit), 3),
        "chance": round(1 / (len(edges) + 1), 3),
        "spearman": round(float(spearmanr(asked, got)[0]), 3),
        "parallels": round(metrics.parallel_perfects(written), 2),
        "cpu_s": round(time.process_time() - start, 1),
    }


def main() -> None:
    """Measure all and write ``benchmarks/results/control.json``."""
    from musiclab.data import load_chorales
    from musiclab.models.attention.inpainting import Inpainting

    pieces = [p for p in load_chorales("test", by="melody") if p.time_signature == "4/4"][::2]
    network = Inpainting.from_file()
    rows = [measure(pieces, network, column, w) for column in (0, 1) for w in WEIGHTS]
    found = record("control", rows) | {"command": "python -m benchmarks.control"}
    file = RESULTS / "control.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
