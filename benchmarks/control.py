"""What one can ask of lesson 16's inpainting network: density and tension bar by bar, and the mode.

python -m benchmarks.control                        # about six CPU minutes
python -m benchmarks.control --only "mood, w = 4"   # this row alone, the others stay

Density and tension are asked at random for each bar, under the sopranos of the test split by melody, and counted
in what was written. For the mode all four voices are written on the forms of these pieces, and a key finder listens.
Written to ``control.json``.
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path

import numpy as np

__all__ = ["ROWS", "SETTINGS", "TARGETS", "asked", "main", "met", "row"]

SEEDS = (0, 1, 2)  # of wishes and of writing
SETTINGS = {  # of the mood asked: guidance weight w (4 is the most that the network takes) and sweeps
    "mood, w = 0": (0.0, 60),
    "mood, w = 4": (4.0, 60),
    "mood, w = 4, 120 sweeps": (4.0, 120),
}
ROWS = (
    "mood, Bach's own bars",
    *SETTINGS,
    "mode, lesson 16",
    "mode, Bach as labelled",
)
BATCH = 10  # pieces written at once, which bounds memory
TARGETS = {  # the measure: what a control should reach
    "density_spearman": ">= 0.75",
    "density_in_class": ">= 0.60",
    "tension_spearman": ">= 0.38",
    "heard_as_asked": ">= 0.85",
}


def asked(forms, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A class of density and one of tension for each bar of each form, at random.

    Args:
      forms: of :func:`musiclab.data.encodings.cells.encode_form`. seed: for the classes.

    Returns:
      A pair for each form: density 1 to 4 and tension 1 to 3, int (bars,).
    """
    from musiclab.data.encodings.cells import MOOD_SIZES, bar_edges

    rng = np.random.default_rng(seed)
    bars = [len(bar_edges(form)) - 1 for form in forms]
    return [tuple(rng.integers(1, size, n) for size in MOOD_SIZES[:2]) for n in bars]


def met(pieces, forms, wishes) -> dict:
    """How well density and tension of each bar follow what was asked.

    Args:
      pieces: as written. forms, wishes: as :func:`asked`.

    Returns:
      For both: Spearman's rank correlation over all bars, and the share of bars in the class asked.
    """
    from scipy.stats import spearmanr

    from musiclab.data.encodings.cells import density_and_tension, encode_cells, encode_mood

    pairs = list(zip(pieces, forms))
    values = np.concatenate([density_and_tension(encode_cells(p), form) for p, form in pairs])
    moods = [encode_mood(p, encode_cells(p), form)[_firsts(form)] for p, form in pairs]
    classes, found = np.concatenate(moods), {}
    for column, name in enumerate(("density", "tension")):
        wish = np.concatenate([one[column] for one in wishes])
        rho = spearmanr(wish, values[:, column]).statistic
        found[f"{name}_spearman"] = round(float(rho), 3)
        found[f"{name}_in_class"] = round(float(np.mean(wish == classes[:, column])), 3)
    return found


def _firsts(form):
    from musiclab.data.encodings.cells import bar_edges

    return bar_edges(form)[:-1]


def _quality(pieces, real):
    from musiclab import metrics

    return {
        "parallels": round(float(metrics.parallel_perfects(pieces)), 2),
        "triads": round(float(metrics.triads_and_sevenths(pieces)), 3),
        "rows_differ": len(metrics.looks_like_music(pieces, real).failed),
    }


def _write(model, pieces, seed, **conditions):
    """Pieces by the network, some at a time; conditions are a list each, or one value for all."""
    written = []
    for start in range(0, len(pieces), BATCH):
        part = slice(start, start + BATCH)
        of_part = {k: v[part] if isinstance(v, list) else v for k, v in conditions.items()}
        written += model.sample(pieces[part], seed, **of_part)
    return written


def heard_as(pieces, mode) -> float:
    """Share of pieces in which the key finder hears this mode; in silence it hears none."""
    from musiclab.data import profile_key

    sounding = [piece for piece in pieces if (piece.voices >= 0).any()]
    return sum(profile_key(piece)[1] == mode for piece in sounding) / len(pieces)


@cache
def _music():
    """Test pieces by melody, the same on 8ths, and their forms."""
    from musiclab.data import load_chorales
    from musiclab.data.encodings.cells import encode_form
    from musiclab.data.encodings.eighth_grid import on_eighths

    real = load_chorales("test", by="melody")
    return real, [on_eighths(p) for p in real], [encode_form(p) for p in real]


@cache
def _network():
    from musiclab.models.attention.inpainting import Inpainting

    return Inpainting.from_file()


def row(name: str) -> dict:
    """A row of :data:`ROWS`: means over the seeds, with their standard deviation under "_sd"."""
    if name == "mode, Bach as labelled":
        shares = [heard_as([piece], piece.mode) for piece in _music()[0]]
        return {"what": name, "heard_as_asked": round(float(np.mean(shares)), 3)}
    measure = _mood if name.startswith("mood") else _mode
    found = [measure(name, seed) for seed in SEEDS]
    means = {key: round(float(np.mean([one[key] for one in found])), 3) for key in found[0]}
    spread = {f"{k}_sd": round(float(np.std([one[k] for one in found])), 3) for k in found[0]}
    return {"what": name} | means | spread


def _mood(name, seed):
    from musiclab.data.encodings.cells import told_mood
    from musiclab.data.encodings.eighth_grid import on_eighths

    real, grids, forms = _music()
    wishes = asked(forms, seed)
    if name not in SETTINGS:
        return met(real, forms, wishes)
    weight, sweeps = SETTINGS[name]
    moods = [told_mood(form, *wish) for form, wish in zip(forms, wishes)]
    made = _write(_network(), real, seed, mood=moods, guidance=weight, sweeps=sweeps)
    return met(made, forms, wishes) | _quality([on_eighths(p) for p in made], grids)


def _mode(name, seed):
    """Share heard as asked, when the same forms are asked for major and for minor."""
    shares = {mode: heard_as(_in_mode(mode, seed), mode) for mode in ("major", "minor")}
    return {"heard_as_asked": np.mean(list(shares.values()))} | shares


def _in_mode(mode, seed):
    """All four voices by the inpainting network."""
    from musiclab.data.encodings.cells import told_mood

    real, _, forms = _music()
    everything = [np.ones((len(form), 4), bool) for form in forms]
    moods = [told_mood(form, mode=mode) for form in forms]
    return _write(_network(), real, seed, free=everything, mood=moods)


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    from benchmarks.record import store

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.control", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, help="these rows alone")
    names = parser.parse_args(arguments).only
    more = {"command": "python -m benchmarks.control", "targets": TARGETS, "seed": list(SEEDS)}
    for name in names:
        found = row(name)
        print(found, flush=True)
        store("control", [found], folder, keep=True, order=ROWS, **more)
    return 0


if __name__ == "__main__":
    sys.exit(main())
