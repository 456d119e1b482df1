"""Lesson 13: the deep belief network, layer on layer, with the numbers of the example by hand."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "13_stack"


def draw() -> Drawing:
    """Stage 1 the lower RBM; stage 2 the RBM above it; stage 3 a primer in the visible layer."""
    picture = Drawing(520, 322, "A deep belief network: visible layer, two hidden layers")
    picture.box(10, 246, 300, 54, "v  (1664,)", "64 cells of 26 symbols", GREY)
    picture.box(70, 134, 180, 50, "h^1  (120,)", "the code", BLUE)
    picture.arrow((104, 245), (104, 186), dashed=True, colour=PURPLE)
    picture.text(94, 208, "q(h^1 | v)", anchor="end", size=13, colour=PURPLE)
    picture.text(94, 226, "up, (13.2)", anchor="end", size=13, colour=PURPLE)
    picture.arrow((216, 184), (216, 244), colour=ORANGE)
    picture.text(226, 208, "p(v | h^1)", anchor="start", size=13, colour=ORANGE)
    picture.text(226, 226, "down, (13.1)", anchor="start", size=13, colour=ORANGE)
    picture.text(160, 216, "W^1", bold=True)
    picture.text(432, 166, "lower RBM", bold=True)
    picture.text(432, 186, "learns two bars", size=13)
    picture.line((352, 142), (342, 142), (342, 300), (352, 300), colour=GREY)
    picture.box(70, 22, 180, 50, "", "", GREY, dashed=True)
    picture.stage(2)
    picture.box(70, 22, 180, 50, "h^2  (120,)", "", BLUE)
    picture.arrow((160, 103), (160, 73), colour=GREEN)
    picture.arrow((160, 103), (160, 133), colour=GREEN)
    picture.text(186, 103, "W^2", bold=True)
    picture.text(146, 103, "both ways", anchor="end", size=13, colour=GREEN)
    picture.text(432, 42, "top RBM", bold=True)
    picture.text(432, 62, "learns the codes", size=13)
    picture.line((334, 22), (324, 22), (324, 178), (334, 178), colour=GREEN)
    picture.text(432, 86, "ln p(h^1):", size=13, colour=GREEN)
    picture.text(432, 104, "−0.866, −0.546", size=13, colour=GREEN)
    picture.text(432, 226, "q: 0.231, 0.769", size=13, colour=PURPLE)
    picture.text(432, 246, "ln p(v | h^1):", size=13, colour=ORANGE)
    picture.text(432, 264, "−1.667, −0.787", size=13, colour=ORANGE)
    picture.text(432, 126, "(h^1 = 0, h^1 = 1)", size=13, colour=GREY)
    picture.stage(3)
    picture.box(14, 250, 143, 46, "", "", GREEN, dashed=True)
    picture.box(163, 250, 143, 46, "", "", ORANGE, dashed=True)
    picture.text(85, 311, "bar 1: put back", size=13, colour=GREEN)
    picture.text(235, 311, "bar 2: drawn", size=13, colour=ORANGE)
    return picture
