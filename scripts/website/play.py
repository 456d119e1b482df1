"""What the pages that are played with load: networks as float16 files in the safetensors layout, and hymns."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from musiclab.data.files.float16 import write_float16

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "musiclab" / "show" / "web"
WEIGHTS = ROOT / "data" / "weights"
INPAINTING = WEIGHTS / "16_inpainting.safetensors"
WINDOWS = 6  # windows between which one can walk
HYMNS = 8
LESSONS = {  # what can be played with on a lesson's page, and what runs there
    "05": ("walk", "The decoder of this lesson's network with KL weight 0.3."),
    "06": ("continue", "The class of this lesson with the three LSTM layers of lesson 07."),
    "10": ("ring", "Generator and discriminator of the ring, trained in this page."),
    "16": ("harmonise", "The network of this lesson."),
}
NOTHING = (
    "<p>This part needs JavaScript, and a server: pages opened as files cannot load networks.</p>"
)


def write(files: Path, cache: Path) -> None:
    """Write weights and hymns to a folder of the website; exports are made once for each state of the weights."""
    files.mkdir(parents=True, exist_ok=True)
    for name, source, export in (
        ("melody", "07_three_layers.keras", melody_arrays),
        ("decoder", "05_beta_0.3.keras", decoder_arrays),
    ):
        state = hashlib.sha256((WEIGHTS / source).read_bytes() + Path(__file__).read_bytes())
        kept = cache / f"play-{name}-{state.hexdigest()[:16]}.safetensors"
        if not kept.is_file():
            cache.mkdir(parents=True, exist_ok=True)
            write_float16(kept, *export())
        shutil.copy(kept, files / f"{name}.safetensors")
    shutil.copy(INPAINTING, files / INPAINTING.name)
    text = json.dumps(hymns(), ensure_ascii=False)
    (files / "hymns.json").write_text(text, encoding="utf-8")


def embed(lesson, number: str) -> None:
    """Put what can be played with before a lesson's last cell, in place."""
    if number not in LESSONS:
        return
    toy, runs = LESSONS[number]
    import nbformat

    text = f"## Play with it here\n\n{runs} More on the page [Play](../play/index.md).\n\n"
    text += f'```{{raw}} html\n<div data-toy="{toy}">{NOTHING}</div>\n```'
    lesson.cells.insert(-1, nbformat.v4.new_markdown_cell(text, id="play-here"))


def melody_arrays() -> tuple[dict, dict]:
    """Lesson 07's three LSTM layers: arrays, and the notes of the vocabulary."""
    import keras

    from musiclab.models.recurrent import melody_model  # noqa: F401  (registers the class)

    model = keras.models.load_model(WEIGHTS / "07_three_layers.keras", compile=False)
    arrays = {"features": model._features}
    for i, layer in enumerate(model.recurrent.layers):
        for name, weight in zip(("kernel", "recurrent", "bias"), layer.cell.get_weights()):
            arrays[f"{name}{i}"] = weight
    arrays["symbolKernel"], arrays["symbolBias"] = model.symbol_logits.get_weights()
    arrays["featureKernel"] = model.feature_logits.get_weights()[0]
    return arrays, {"notes": json.dumps(model.notes), "layers": str(len(model.recurrent.layers))}


def decoder_arrays() -> tuple[dict, dict]:
    """Lesson 05's decoder, and the codes of windows of test chorales with their names."""
    import keras

    from musiclab.data import load_chorales
    from musiclab.data.encodings.two_bars import to_symbols
    from musiclab.data.encodings.windows import windows
    from musiclab.models.autoencoders import vae  # noqa: F401  (registers the class)

    model = keras.models.load_model(WEIGHTS / "05_beta_0.3.keras", compile=False)
    names = ("kernel0", "bias0", "scale", "offset", "kernel1", "bias1", "kernel2", "bias2")
    arrays = dict(zip(names, model.decoder.get_weights()))
    found, titles = [], []
    for piece in load_chorales("test"):
        symbols = to_symbols(*windows([piece]))
        if len(symbols) and len(found) < WINDOWS:
            found.append(symbols[0])
            titles.append(piece.name)
    arrays["codes"] = model.encode(np.stack(found)).mu
    return arrays, {"names": json.dumps(titles)}


def hymns() -> list[dict]:
    """Melodies of test chorales in common metres, at most 16 bars, as the page draws them: lengths in 8ths."""
    from musiclab.data import load_chorales
    from musiclab.data.encodings.eighth_grid import on_eighths, to_no_signature
    from musiclab.show.html import notes

    found, families = [], set()
    for piece in load_chorales("test", by="melody"):
        bar = {"4/4": 16, "3/4": 12}.get(piece.time_signature)
        if bar is None or piece.melody in families or piece.pickup % 2:
            continue
        bars = -(-(piece.steps - piece.pickup) // bar)
        regular = np.flatnonzero(piece.downbeats)
        wanted = np.arange(piece.pickup, piece.steps, bar)
        if bars > 16 or len(regular) != len(wanted) or (regular != wanted).any():
            continue
        melody = on_eighths(to_no_signature(piece))
        rows = [[a // 2, p, max(1, (b - a) // 2)] for a, b, p, v in notes(melody) if v == 0]
        fermatas = sorted({int(step) // 2 for step in np.flatnonzero(piece.fermatas)})
        families.add(piece.melody)
        found.append(
            {
                "title": piece.name,
                "notes": rows,
                "fermatas": fermatas,
                "metre": piece.time_signature,
                "bars": bars,
                "pickup": piece.pickup // 2,
            }
        )
        if len(found) == HYMNS:
            break
    return found
