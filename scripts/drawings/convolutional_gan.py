"""Lesson 11: the convolutional generator and its discriminator, layer after layer over time."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "11_generator_discriminator"
WIDE, HIGH = 224, 18  # of a row of time steps


def draw() -> Drawing:
    """Stage 1 the generator, downwards; stage 2 the discriminator, upwards; stage 3 the group."""
    picture = Drawing(520, 372, "A convolutional generator and its discriminator")
    picture.text(118, 14, "generator G", bold=True, colour=BLUE)
    z = picture.box(78, 28, 80, 40, "z", "(64,)", GREY, dashed=True)
    _row(picture, 6, 100, 8, BLUE, (2,))
    picture.arrow(z.bottom, (118, 98))
    picture.text(124, 84, "Dense", size=13, anchor="start")
    _row(picture, 6, 174, 16, BLUE, (3, 4, 5, 6))
    _fan(picture, 6, 118, 174, 8, 16, {2: (3, 4, 5, 6)})
    _row(picture, 6, 248, 32, BLUE, (9, 10, 11, 12))
    _fan(picture, 6, 192, 248, 16, 32, {5: (9, 10, 11, 12)})
    picture.text(260, 109, "beats", size=13)
    picture.text(260, 183, "8ths", size=13)
    picture.text(260, 257, "16ths", size=13)
    picture.text(230, 133, "Conv1DTranspose", size=13, anchor="end")
    picture.text(230, 207, "Conv1DTranspose", size=13, anchor="end")
    fake = picture.box(60, 318, 116, 44, "G(z)", "(32, 4, 50)", ORANGE)
    picture.arrow((118, 266), fake.top)
    picture.text(126, 298, "choice (11.2)", size=13, anchor="start")
    picture.stage(2)
    picture.text(402, 14, "discriminator D", bold=True, colour=GREEN)
    real = picture.box(344, 318, 116, 44, "x, real", "(32, 4, 50)", GREY)
    picture.arrow(fake.right, (300, 340), (300, 296), (360, 296), (360, 268))
    picture.text(236, 326, "one or", size=13)
    picture.text(236, 354, "the other", size=13)
    picture.arrow(real.top, (402, 268))
    _row(picture, 290, 248, 32, GREEN, (9, 10, 11, 12))
    _row(picture, 290, 174, 16, GREEN, (3, 4, 5, 6))
    _fan(picture, 290, 192, 248, 16, 32, {5: (9, 10, 11, 12)})
    _row(picture, 290, 100, 8, GREEN, (2,))
    _fan(picture, 290, 118, 174, 8, 16, {2: (3, 4, 5, 6)})
    picture.text(514, 207, "Conv1D, stride 2", size=13, anchor="end")
    picture.text(514, 133, "Conv1D, stride 2", size=13, anchor="end")
    logit = picture.box(362, 28, 80, 40, "s", "logit", GREEN)
    picture.arrow((402, 100), logit.bottom)
    picture.text(410, 84, "Dense", size=13, anchor="start")
    picture.stage(3)
    group = picture.box(176, 28, 148, 40, "σ of the group", "(11.4)", PURPLE, dashed=True)
    picture.arrow((330, 100), (330, 80), (250, 80), group.bottom, colour=PURPLE)
    picture.arrow(group.right, logit.left, colour=PURPLE)
    return picture


def _row(picture, x, y, n, colour, marked):
    """A row of n time steps, some of them marked."""
    width = WIDE / n
    for i in range(n):
        left = x + i * width
        picture.box(left, y, width, HIGH, colour=ORANGE if i in marked else colour, round=2)


def _fan(picture, x, above, below, n_above, n_below, ties):
    """Lines from steps of one row to those of the next that a kernel ties them to."""
    for one, others in ties.items():
        start = (x + (one + 0.5) * WIDE / n_above, above)
        for other in others:
            picture.line(start, (x + (other + 0.5) * WIDE / n_below, below), colour=ORANGE)
