"""Harmonisations of the test sopranos: lesson 16's network and lesson 09's models by the same measures.

python -m benchmarks.creating

No mask forbids anything. All pieces are on 8ths; the test split is that by melody. Written to ``creating.json``.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

__all__ = ["TARGETS", "agreement", "can_close", "closings", "last_chord", "main", "rows"]

TRIAD = {0, 3, 4, 7}  # semitones above the tonic, of its major and minor triad
TAU = 0.3  # temperature of lesson 09, chosen there on the validation split
TARGETS = {  # the measure: what a harmonisation should reach
    "agreement": ">= 0.36",
    "parallels": "<= 3",
    "dissonance": "Bach +- 0.015",
    "hold_rate": "Bach +- 0.015",
    "on_beat": "Bach +- 0.015",
    "fermata_triads": ">= 0.90",
    "final_tonic": ">= 0.85",
    "seconds_16_bars": "<= 0.5",
}
SETTINGS = {  # of the inpainting network: as sampled by default, and changed in one thing each
    "inpainting": {},
    "inpainting, mode told": {"mode": True},
    "inpainting, table turned up to 4": {"strictness": 4.0},
    "inpainting, table as learned": {"strictness": 1.0},
    "inpainting, no table in similar motion": {"strictness": 0.0},
    "inpainting, one sweep": {"sweeps": 1},
}


def agreement(pieces, real) -> float:
    """Share of the cells of the lower voices that sound the pitch of the real pieces."""
    same = [(a.voices == b.voices)[:, 1:].ravel() for a, b in zip(pieces, real)]
    return float(np.mean(np.concatenate(same)))


def can_close(piece) -> bool:
    """Whether the last note of the highest voice is one of the tonic triad, major or minor.

    If not, no voices below it make the last chord that triad.
    """
    top = piece.voices[:, 0]
    return int(top[top >= 0][-1] - piece.tonic) % 12 in TRIAD


def last_chord(piece) -> str:
    """How a piece closes, in words: "tonic triad" where ``metrics.final_tonic`` counts it."""
    last = piece.voices[(piece.voices >= 0).any(axis=1)][-1].astype(int)
    sounding = last[last >= 0] - piece.tonic
    if sounding.min() % 12:
        return "another bass note"
    above, thirds = set((sounding % 12).tolist()), {3, 4}
    if not above <= TRIAD or thirds <= above:
        return "tonic in the bass, a note from outside its triad"
    return "tonic triad" if thirds & above else "tonic triad without its third"


def measured(name, pieces, real, training) -> dict:
    """One row: measures of harmonisations on 8ths, and the longest run that one of them has copied."""
    from musiclab import metrics

    runs = metrics.shared_runs(pieces, training)
    values = {
        "agreement": agreement(pieces, real),
        "parallels": metrics.parallel_perfects(pieces),
        "dissonance": metrics.dissonance(pieces),
        "hold_rate": metrics.hold_rate(pieces),
        "on_beat": metrics.on_beat(pieces),
        "triads": metrics.triads_and_sevenths(pieces),
        "fermata_triads": metrics.fermata_triads(pieces),
        "fermata_cadences": metrics.fermata_cadences(pieces),
        "final_tonic": metrics.final_tonic(pieces),
        "final_tonic_possible": metrics.final_tonic([p for p in pieces if can_close(p)]),
        "crossings": metrics.voice_crossings(pieces),
        "longest_copied_quarters": max(run.steps for run in runs) / 4,
    }
    return {"what": name} | {key: round(float(value), 3) for key, value in values.items()}


def rows(seeds: int = 3) -> list[dict]:
    """Bach, the inpainting network by its settings, and lesson 09's models, free and with the mask.

    Args:
      seeds: of the network as sampled by default and of lesson 09's; one of the others.
    """
    from musiclab import data
    from musiclab.data.encodings.cells import encode_form, told_mood
    from musiclab.data.encodings.eighth_grid import on_eighths
    from musiclab.models.attention.inpainting import Inpainting
    from musiclab.models.recurrent.encoder_decoder import ORDER, FrameAligned, harmonise
    from musiclab.training import load_model

    real, known = (
        [on_eighths(p) for p in data.load_chorales(s, by="melody")] for s in ("test", "train")
    )
    model = Inpainting.from_file()
    found = [measured("Bach", real, real, known)]
    for name, settings in SETTINGS.items():
        settings = dict(settings)
        told = settings.pop("mode", False)
        mood = [told_mood(encode_form(p), mode=p.mode) for p in real] if told else None
        for seed in range(seeds if name == "inpainting" else 1):
            pieces = []
            for start in range(0, len(real), 10):  # bounds memory
                part = slice(start, start + 10)
                moods = mood and mood[part]
                pieces += model.sample(real[part], seed, mood=moods, **settings)
            grids = [on_eighths(piece) for piece in pieces]
            found.append(measured(name, grids, real, known) | {"seed": seed})
    parts = zip(("bass", "alto", "tenor"), ORDER)
    models = [load_model(f"weights/09_{part}.keras", FrameAligned(*order)) for part, order in parts]
    for name, parallels in (("lesson 09, free", True), ("lesson 09, mask", False)):
        for seed in range(seeds):
            pieces = harmonise(models, real, seed, TAU, parallels)
            grids = [on_eighths(piece) for piece in pieces]
            found.append(measured(name, grids, real, known) | {"seed": seed})
    return found


def closings(draws: int = 12) -> dict:
    """How the network closes the test sopranos, over several draws, and which of them can't be closed.

    Draws of one piece are alike, so the intervals count pieces, by
    :func:`musiclab.metrics.listening.clustered_interval`.
    """
    from musiclab import data
    from musiclab.data.encodings.eighth_grid import on_eighths
    from musiclab.metrics.listening import clustered_interval
    from musiclab.models.attention.inpainting import Inpainting

    real = [on_eighths(p) for p in data.load_chorales("test", by="melody")]
    model, ways = Inpainting.from_file(), [[] for _ in real]
    for seed in range(draws):
        for start in range(0, len(real), 10):
            for j, piece in enumerate(model.sample(real[start : start + 10], seed), start):
                ways[j].append(last_chord(on_eighths(piece)))
    found = {"draws": draws, "not_possible": [p.bwv for p in real if not can_close(p)]}
    pairs = list(zip(real, ways))
    possible = [(piece, of) for piece, of in pairs if can_close(piece)]
    for name, chosen in (("all", pairs), ("possible", possible)):
        hits = [of.count("tonic triad") for _, of in chosen]
        interval, _ = clustered_interval(hits, [draws] * len(hits))
        share, low, high = (round(one, 3) for one in interval)
        bach = round(float(np.mean([last_chord(p) == "tonic triad" for p, _ in chosen])), 3)
        found[name] = {"pieces": len(hits), "share": share, "low": low, "high": high, "Bach": bach}
    counted = Counter(way for _, of in possible for way in of)
    found["possible"]["ways"] = dict(counted.most_common())
    return found


def likelihoods() -> dict:
    """Nats per 8th of the three lower voices given the soprano, test split: lesson 09's and the network's."""
    from musiclab import data
    from musiclab.data.encodings.eighth_grid import on_eighths
    from musiclab.models.attention.inpainting import Inpainting
    from musiclab.models.recurrent.encoder_decoder import ORDER, FrameAligned
    from musiclab.training import load_model

    real = [on_eighths(p) for p in data.load_chorales("test", by="melody")]
    eighths = sum(-(-piece.steps // 2) for piece in real)
    parts = zip(("bass", "alto", "tenor"), ORDER)
    models = [load_model(f"weights/09_{part}.keras", FrameAligned(*order)) for part, order in parts]
    exact = sum(one.sum() for model in models for one in model.log_likelihood(real))
    estimates = Inpainting.from_file().log_likelihood(real, orders=8).sum(axis=0) / eighths
    return {
        "lesson_09_exact": round(float(-exact / eighths), 3),
        "inpainting_mean_over_orders": round(float(-estimates.mean()), 3),
        "standard_error": round(float(estimates.std(ddof=1) / len(estimates) ** 0.5), 3),
    }


def seconds_for_16_bars(repeats: int = 5) -> dict:
    """Wall seconds of the first and the median of later harmonisations of a melody of 16 bars."""
    from musiclab.data import Piece
    from musiclab.models.attention.inpainting import Inpainting

    melody = Piece(np.repeat([67, 69, 71, 72] * 16, 4)[:, None])
    model, took = Inpainting.from_file(), []
    for seed in range(repeats + 1):
        start = time.perf_counter()
        model.sample(melody, seed)
        took.append(time.perf_counter() - start)
    return {"first": round(took[0], 2), "later": round(float(np.median(took[1:])), 3)}


def main(folder: Path | None = None) -> int:
    from benchmarks.record import store

    found = rows()
    result = store(
        "creating",
        found,
        folder,
        key=("what", "seed"),
        command="python -m benchmarks.creating",
        targets=TARGETS,
        closings=closings(),
        likelihood=likelihoods(),
        seconds_16_bars=seconds_for_16_bars(),
    )
    for row in [*found, result["closings"], result["likelihood"], result["seconds_16_bars"]]:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
