"""Lesson 16: five sweeps of blocked Gibbs sampling, of which each rewrites fewer cells."""

from scripts.drawings import BLUE, ORANGE, Drawing

NAME = "16_sweeps"
SHARES = ("1", "0.73", "0.47", "0.20", "0.05")
HIDDEN = (  # alto, tenor and bass, eight 8ths each; x is hidden
    ("xxxxxxxx", "xxxxxxxx", "xxxxxxxx"),
    ("xx.xxx.x", "x.xxxx.x", "xxxx.xx."),
    ("x..x..xx", ".x.xx...", "xx..x.x."),
    ("..x.....", "x....x..", "......x."),
    ("........", "....x...", "........"),
)


def draw() -> Drawing:
    """A grid of cells per sweep, and what is done with the hidden ones."""
    picture = Drawing(520, 148, "Five sweeps")
    for n, (share, rows) in enumerate(zip(SHARES, HIDDEN)):
        left = 6 + 104 * n
        picture.text(left + 44, 12, f"n = {n}", bold=True)
        for row, cells in enumerate(("........", *rows)):
            for column, cell in enumerate(cells):
                x, y = left + 11 * column, 26 + 17 * row
                if cell == "x":
                    picture.line((x, y + 7), (x + 9, y + 7), colour=ORANGE, width=14)
                else:
                    picture.box(x, y, 9, 14, colour=BLUE, round=2)
        if n:
            picture.arrow((left - 14, 59), (left - 3, 59))
        picture.text(left + 44, 108, f"α = {share}", colour=ORANGE)
    picture.text(260, 134, "orange cells are hidden and drawn anew, given the blue ones", size=14)
    return picture
