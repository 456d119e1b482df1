"""Write tests/fixtures/16_inpainting.json: a melody, seeds, and the cells that Python writes to it.

python -m scripts.inpainting_fixture

The website's page has to write the same cells from the same weights file.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

__all__ = ["main"]

FILE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "16_inpainting.json"
MELODY = [67, 67, 69, 69, 71, 71, 72, 72, 74, 72, 71, 71, 69, 69, 67, 67]  # 8ths, no signature
SETTINGS = {"sweeps": 40, "temperature": 0.9, "strictness": 4.0}
MOODS = ({}, {"density": 4, "mode": "major"})


def main() -> None:
    from musiclab.data import Piece
    from musiclab.data.encodings.cells import encode_cells, encode_form, told_mood
    from musiclab.models.attention.inpainting import Inpainting

    model = Inpainting.from_file()
    fermatas = [False] * (len(MELODY) - 2) + [True, False]
    melody = Piece(np.repeat(MELODY, 2)[:, None], fermatas=np.repeat(fermatas, 2))
    form, cases = encode_form(melody), []
    for seed in range(1, 7):
        mood = MOODS[seed % 2]
        settings = SETTINGS | ({"guidance": 1.0} if mood else {})
        told = told_mood(form, **mood)
        cells = encode_cells(model.sample(melody, seed, mood=told, **settings)).tolist()
        cases.append({"seed": seed, "mood": mood, "settings": settings, "cells": cells})
    told = {"melody": MELODY, "fermatas": fermatas, "form": form.tolist(), "cases": cases}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(told) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
