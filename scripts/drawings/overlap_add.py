"""Lesson 18: weighted overlap-add, the way back from five frames to eight samples."""

from scripts.drawings import BLUE, GREEN, ORANGE, PURPLE, Drawing

NAME = "18_overlap_add"
FRAMES = (
    ("0", "0", "1", "½"),
    ("0", "½", "0", "−¼"),
    ("0", "−¼", "3", "¼"),
    ("0", "¼", "−2", "¼"),
    ("0", "¼", "0", "0"),
)
SUM = ("0", "0", "1", "1", "0", "−½", "3", "½", "−2", "½", "0", "0")
SQUARES = ("0", "¼", "1", "½", "1", "½", "1", "½", "1", "½", "1", "¼")
SAMPLES = ("1", "2", "0", "−1", "3", "1", "−2", "1")
LEFT, WIDE = 62, 38


def draw() -> Drawing:
    """Each frame times the window in its place; their sum; the sum of squared windows; the quotient."""
    picture = Drawing(520, 352, "Inverse of the short-time Fourier transform by overlap-add")
    picture.text(290, 14, "inverse transform of each frame, times w", size=13)
    for m, values in enumerate(FRAMES):
        y = 28 + 30 * m
        picture.text(LEFT - 8, y + 12, f"m = {m}", size=13, anchor="end")
        for i, value in enumerate(values):
            x = LEFT + WIDE * (2 * m + i)
            picture.box(x, y, WIDE - 2, 24, value, colour=ORANGE if m == 1 else BLUE)
    rows = (("sum", SUM, GREEN, 194), ("sum w^2", SQUARES, PURPLE, 236))
    for name, values, colour, y in rows:
        picture.text(LEFT - 8, y + 12, name, size=13, anchor="end")
        for i, value in enumerate(values):
            faded = not 2 <= i < 10
            picture.box(LEFT + WIDE * i, y, WIDE - 2, 24, value, colour=colour, dashed=faded)
    picture.arrow((290, 264), (290, 288))
    picture.text(304, 276, "divide (18.4)", size=13, anchor="start")
    for i, value in enumerate(SAMPLES):
        picture.box(LEFT + WIDE * (i + 2), 294, WIDE - 2, 24, value, colour=BLUE)
    picture.text(LEFT - 8, 306, "x", size=13, anchor="end")
    picture.text(290, 336, "the eight samples; dashed: the zeros around them", size=13)
    return picture
