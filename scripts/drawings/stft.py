"""Lesson 18: the short-time Fourier transform of eight samples."""

from scripts.drawings import BLUE, GREEN, ORANGE, PURPLE, Drawing

NAME = "18_stft"
SAMPLES = (0, 0, 1, 2, 0, -1, 3, 1, -2, 1, 0, 0)
WINDOW = ("0", "½", "1", "½")
FRAME = ("0", "1", "0", "−½")
SPECTRUM = ("½", "−1.5i", "−½")


def draw() -> Drawing:
    """Samples, frames, and one frame through window and transform."""
    picture = Drawing(520, 204, "Short-time Fourier transform of eight samples")
    left, wide = 34, 38
    picture.text(260, 16, "8 samples, with two zeros on each side", size=13)
    for i, value in enumerate(SAMPLES):
        colour = BLUE if 2 <= i < 10 else PURPLE
        picture.box(left + wide * i, 30, wide - 2, 28, str(value).replace("-", "−"), colour=colour)
    for m in range(5):
        y = 72 + 13 * (m % 2)
        x = left + 2 * wide * m
        picture.line((x, y), (x + 4 * wide - 2, y), colour=ORANGE, width=3 if m == 1 else 1.6)
        picture.text(x + 2 * wide, y + 21 - 13 * (m % 2), f"m = {m}" if m != 1 else "", size=13)
    picture.text(left + 4 * wide, 106, "frame m = 1", size=13, bold=True, colour=ORANGE)
    rows = (("window w", WINDOW, ORANGE, 122), ("x w", FRAME, BLUE, 168))
    for name, values, colour, y in rows:
        picture.text(94, y + 14, name, anchor="end")
        for i, value in enumerate(values):
            picture.box(110 + wide * i, y, wide - 2, 28, value, colour=colour)
    picture.arrow((110 + 2 * wide, 150), (110 + 2 * wide, 166))
    picture.arrow((110 + 4 * wide, 182), (330, 182), "(18.3)")
    for i, value in enumerate(SPECTRUM):
        picture.box(334 + 58 * i, 168, 56, 28, value, colour=GREEN)
    picture.text(421, 158, "X_1 : bins 0, 1, 2", size=13)
    return picture
