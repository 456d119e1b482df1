"""Lesson 12: two steps of a Gibbs chain, and the two phases of contrastive divergence."""

from itertools import pairwise

from scripts.drawings import BLUE, GREEN, ORANGE, RED, Drawing

NAME = "12_gibbs_chain"
COLUMNS = (  # name, units drawn, their probabilities
    ("v^{(0)}", (1, 0), ("data", "")),
    ("h^{(0)}", (1, 0), ("0.88", "0.05")),
    ("v^{(1)}", (0, 0), ("0.88", "0.05")),
    ("h^{(1)}", (0, 1), ("0.27", "0.27")),
    ("v^{(2)}", (0, 1), ("0.05", "0.88")),
    ("h^{(2)}", (0, 1), ("0.05", "0.88")),
)


def draw() -> Drawing:
    """The chain with its probabilities and draws, and the two phases below it."""
    picture = Drawing(520, 286, "A Gibbs chain of two steps, and contrastive divergence")
    xs = [44 + 86 * column for column in range(6)]
    for left, right in pairwise(xs):
        for y in (88, 168):
            for other in (88, 168):
                picture.line((left + 20, y), (right - 20, other), width=0.8)
    for x, (name, units, probs) in zip(xs, COLUMNS):
        colour = BLUE if name.startswith("v") else ORANGE
        picture.text(x, 24, name, bold=True)
        for y, unit, p in zip((88, 168), units, probs):
            picture.circle(x, y, 20, str(unit), colour, filled=bool(unit))
            if p:
                picture.text(x, y - 31, p, size=13)
    for x, label in (
        (87, "(12.3)"),
        (173, "(12.4)"),
        (259, "(12.3)"),
        (345, "(12.4)"),
        (431, "(12.3)"),
    ):
        picture.text(x, 206, label, size=13)
    for x, colour, name in ((87, GREEN, "positive phase"), (431, RED, "negative phase")):
        picture.line((x - 63, 222), (x - 63, 230), (x + 63, 230), (x + 63, 222), colour=colour)
        picture.text(x, 248, name, colour=colour, bold=True)
    picture.text(87, 270, "raises W by v h", size=13)
    picture.text(431, 270, "lowers W by v h", size=13)
    return picture
