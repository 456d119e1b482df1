"""Lesson 18: the short-time Fourier transform of eight samples."""

from scripts.drawings import BLUE, GREEN, ORANGE, PURPLE, Drawing

NAME = "18_stft"
SAMPLES = (0, 0, 1, 2, 0, -1, 3, 1, -2, 1, 0, 0)
WINDOW = ("0", "½", "1", "½")
FRAME = ("0", "1", "0", "−½")
SPECTRUM = ("½", "−1.5i", "−½")


def draw() -> Drawing:
    """Samples, frames, and one frame through window and transform."""
    picture = Drawing(520, 238, "Short-time Fourier transform of eight samples")
    left, wide = 34, 38
    picture.text(260, 16, "8 samples, with two zeros on each side", size=13)
    for i, value in enumerate(SAMPLES):
        colour = BLUE if 2 <= i < 10 else PURPLE
        picture.box(left + wide * i, 30, wide - 2, 28, str(value).replace("-", "−"), colour=colour)
    for m in range(5):
        y, x, colour = 72 + 16 * m, left + 2 * wide * m, ORANGE if m == 1 else BLUE
        picture.line((x, y), (x + 4 * wide - 2, y), colour=colour, width=3 if m == 1 else 1.6)
        place = (x + 4 * wide + 6, "start") if m < 2 else (x - 8, "end")
        picture.text(place[0], y, f"m = {m}", size=13, anchor=place[1], bold=m == 1)
    rows = (("window w", WINDOW, ORANGE, 156), ("x w", FRAME, BLUE, 202))
    for name, values, colour, y in rows:
        picture.text(94, y + 14, name, anchor="end")
        for i, value in enumerate(values):
            picture.box(110 + wide * i, y, wide - 2, 28, value, colour=colour)
    picture.arrow((110 + 2 * wide, 184), (110 + 2 * wide, 200))
    picture.arrow((110 + 4 * wide, 216), (330, 216), "(18.3)")
    for i, value in enumerate(SPECTRUM):
        picture.box(334 + 58 * i, 202, 56, 28, value, colour=GREEN)
    picture.text(421, 190, "X_1 : bins 0, 1, 2", size=13)
    return picture
