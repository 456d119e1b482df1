"""Lesson 15's Transformer of four voices: nats per quarter, counterpoint, the KV cache, the repeat test.

python -m benchmarks.transformer      # scores the shipped weights; about half a minute

Rows of ``transformer.json``: both shipped models of four voices and their mixture on the published
split; what they write without a mask; the seconds with and without a cache; and what a second
playing of three bars saves them.
"""

from __future__ import annotations

import sys
import time

import numpy as np

__all__ = ["main", "repeat_test", "rows"]

BARS = 48  # steps of three bars of four quarters
VOICES_08 = {"units": 90, "hidden": 90, "low": 31, "high": 86, "dropout": 0.3}


def models() -> dict:
    """The shipped models of lessons 08 and 15."""
    from musiclab.models.attention.transformer import VoiceTransformer
    from musiclab.models.recurrent.four_voices import FourVoices
    from musiclab.training import load_model

    return {
        "GRU": load_model("weights/08_voices.keras", like=FourVoices(**VOICES_08)),
        "Transformer": load_model("weights/15_transformer.keras", like=VoiceTransformer()),
    }


def rows() -> list[dict]:
    """Score, sample, time and repeat: a row for each figure."""
    from musiclab.data import excerpt, load_chorales, to_common_key
    from musiclab.metrics import mixture, parallel_perfects

    known = {piece.melody for piece in load_chorales("train")}
    splits = {s: [to_common_key(p) for p in load_chorales(s)] for s in ("valid", "test")}
    clean = [i for i, p in enumerate(splits["test"]) if p.melody not in known]
    both = models()
    scores = {
        name: {split: model.log_likelihood(pieces) for split, pieces in splits.items()}
        for name, model in both.items()
    }
    scores["mixture"] = {s: mixture(*(scores[name][s] for name in both)) for s in splits}
    found = []
    for name, of in scores.items():
        for what, pieces in (
            ("validation", of["valid"]),
            ("test", of["test"]),
            ("test, clean pieces", [of["test"][i] for i in clean]),
        ):
            nats = -4 * np.concatenate(pieces).mean()
            found.append(_row(name, f"nats per quarter, {what}", nats, len(pieces)))
    plans = [splits["test"][i] for i in clean][:8]
    for name, model in both.items():
        value = parallel_perfects(model.sample(plans, seed=15))
        found.append(_row(name, "parallels per 100 changes, no mask", value, len(plans)))
    found.append(
        _row("Bach", "parallels per 100 changes, no mask", parallel_perfects(plans), len(plans))
    )
    found += _cache(both["Transformer"], excerpt(plans[0], 0, 128))
    pieces = [p for p in splits["test"] + splits["valid"] if p.steps >= 2 * BARS]
    for name, model in both.items():
        found.append(
            _row(
                name, "nats per quarter saved by a repeat", repeat_test(model, pieces), len(pieces)
            )
        )
    return found


def repeat_test(model, pieces) -> float:
    """What a second playing of three bars saves, in nats per quarter, against the same after other bars.

    Args:
      model: of four voices.
      pieces: at least 48 steps each, nine or more.

    Returns:
      Mean over the bars but their first quarter, and over pieces; 0 if the repeat helps nothing.
    """
    from musiclab.data.encodings.conditioning import sounding_and_age

    parts = [model.encode(piece)[:BARS] for piece in pieces]

    def nats(firsts):
        """Of the second three bars, after the first ones given."""
        joined = [np.concatenate(pair) for pair in zip(firsts, parts)]
        for x in joined:
            x[:, 4:8], x[:, 8:12] = sounding_and_age(x[:, :4])  # what sounds at the join
        scores = np.concatenate(
            [model(np.stack(joined[i : i + 8])) for i in range(0, len(joined), 8)]
        )
        return -4 * scores[:, BARS + 4 :].mean()

    return float(nats(parts[7:] + parts[:7]) - nats(parts))


def _cache(model, plan):
    """Seconds to write one piece with and without a cache, each after its first call."""
    from musiclab.models.attention.transformer import sample_without_cache

    took = {}
    for name, write in (
        ("with a cache", lambda: model.sample(plan, seed=15)[0]),
        ("without a cache", lambda: sample_without_cache(model, plan, seed=15)),
    ):
        write()
        start = time.process_time()
        took[name] = (write(), time.process_time() - start)
    (a, fast), (b, slow) = took.values()
    same = bool((a.voices == b.voices).all() and (a.onsets == b.onsets).all())
    what = f"CPU seconds for {plan.steps} steps"
    return [
        *(_row("Transformer", f"{what}, {name}", s, 1) for name, (_, s) in took.items()),
        _row("Transformer", f"times faster with a cache, same notes: {same}", slow / fast, 1),
    ]


def _row(model, what, value, pieces):
    return {"model": model, "what": what, "value": round(float(value), 3), "pieces": pieces}


def main() -> int:
    """Measure and write the result."""
    from benchmarks.record import store

    found = rows()
    store("transformer", found, key=("model", "what"), command="python -m benchmarks.transformer")
    for row in found:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
