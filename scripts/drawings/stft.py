"""Lesson 18: the short-time Fourier transform of eight samples, and the way back."""

from scripts.drawings import BLUE, GREEN, ORANGE, PURPLE, Drawing

NAME = "18_stft"
SAMPLES = (0, 0, 1, 2, 0, -1, 3, 1, -2, 1, 0, 0)
WINDOW = ("0", "½", "1", "½")
FRAME = ("0", "1", "0", "−½")
SPECTRUM = ("½", "−1.5i", "−½")


def draw() -> Drawing:
    """Samples, frames, one frame through window and transform; then overlap-add back to samples."""
    picture = Drawing(520, 392, "Short-time Fourier transform of eight samples, and its inverse")
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
    picture.stage(2)
    picture.arrow((421, 198), (421, 232), "", at=(460, 214))
    picture.text(432, 215, "inverse transform, times w", size=13, anchor="end")
    back = (("0", "½", "0", "−¼"), ("0", "¼", "1", "¼"))
    picture.text(94, 250, "x w^2", anchor="end")
    picture.text(94, 288, "w^2", anchor="end")
    for values, colour, y in zip(back, (BLUE, ORANGE), (236, 274)):
        for i, value in enumerate(values):
            picture.box(334 + 44 * i, y, 42, 28, value, colour=colour)
        picture.line((110, y + 14), (326, y + 14), colour=colour, dashed=True)
    picture.arrow((260, 306), (260, 330))
    picture.text(274, 317, "add all frames, divide (18.4)", size=13, anchor="start")
    for i, value in enumerate(SAMPLES[2:10]):
        label = str(value).replace("-", "−")
        picture.box(left + wide * (i + 2), 334, wide - 2, 28, label, colour=BLUE)
    picture.text(260, 378, "the same 8 samples", size=13)
    return picture
