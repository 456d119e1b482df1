"""Draw the two pictures of README.md: a piano roll and the opening of a score, both of lesson 08's chorale.

`python scripts/readme_pictures.py` writes them to site/pictures/.
"""

from __future__ import annotations

import re
from pathlib import Path

from musiclab import show, training

# isort: split
from musiclab.data import excerpt, load_chorales, to_common_key
from musiclab.models.recurrent.four_voices import FourVoices

PICTURES = Path(__file__).resolve().parents[1] / "site" / "pictures"
SIZES = {"units": 90, "hidden": 90, "low": 31, "high": 86, "dropout": 0.3}  # as in lesson 08
SEED, TAU, PIECES = 8, 0.85, 16  # likewise
STEPS, BARS = 128, 6  # shown: eight bars as a roll, six as a score


def main():
    """Write chorale_roll.png and chorale_score.svg."""
    known = {chorale.melody for chorale in load_chorales("train")}
    clean = [to_common_key(c) for c in load_chorales("test") if c.melody not in known][:PIECES]
    model = training.load_model("weights/08_voices.keras", like=FourVoices(**SIZES))
    chorale = model.sample(clean, SEED, temperature=TAU)[0]
    PICTURES.mkdir(parents=True, exist_ok=True)
    left, _ = show.compare(
        *(excerpt(piece, 0, STEPS) for piece in (clean[0], chorale)),
        titles=("Bach", "Lesson 08's network, on the same form"),
    )
    left.figure.set_size_inches(10, 3.6)
    left.figure.savefig(PICTURES / "chorale_roll.png", dpi=110, metadata={"Software": None})
    (PICTURES / "chorale_score.svg").write_text(
        alone(show.score(chorale, max_bars=BARS).html), encoding="utf-8"
    )


def alone(html):
    """The wide drawing of an engraved score as a file of its own, black on white."""
    svg = re.search(r"musiclab-wide.*?(<svg.*?</svg>)</div>", html, re.DOTALL)[1]
    if "xmlns=" not in svg[:400]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return svg.replace('style="', 'style="color:#111;background:#fff;', 1) + "\n"


if __name__ == "__main__":
    main()
