"""Lesson 13: one cell of three symbols given two hidden units, with the numbers of the example by hand."""

from scripts.drawings import BLUE, GREY, ORANGE, PURPLE, Drawing

NAME = "13_softmax_cell"
INPUTS = (
    ("rest", "0.0 − 1.0 = −1.0", "0.049"),
    ("hold", "0.5 + 0.5 = 1.0", "0.359"),
    ("C", "−0.5 + 2.0 = 1.5", "0.592"),
)


def draw() -> Drawing:
    """The hidden units, the input of each symbol, and the softmax over them."""
    picture = Drawing(520, 240, "One cell of a softmax RBM: hidden units, inputs, probabilities")
    off = picture.circle(40, 84, 22, "0", GREY, size=16)
    on = picture.circle(40, 162, 22, "1", ORANGE, size=16, filled=True)
    picture.text(40, 20, "h, given", bold=True)
    picture.text(40, 198, "on", size=13)
    picture.text(40, 48, "off", size=13)
    picture.text(190, 20, "inputs of one cell", bold=True)
    picture.text(190, 226, "bias + weights of units that are on", size=13, colour=GREY)
    picture.box(300, 40, 50, 164, "", "", PURPLE)
    picture.text(325, 114, "soft-")
    picture.text(325, 132, "max")
    picture.text(434, 20, "probabilities", bold=True)
    picture.text(434, 226, "they sum to 1", size=13, colour=GREY)
    for i, (symbol, total, share) in enumerate(INPUTS):
        y = 64 + 58 * i
        place = picture.box(122, y - 22, 136, 44, symbol, total, BLUE)
        picture.arrow(off.right, place.left, colour=GREY, dashed=True)
        picture.arrow(on.right, place.left, colour=ORANGE)
        picture.arrow(place.right, (299, y))
        picture.arrow((350, y), (383, y))
        picture.box(384, y - 14, 120 * float(share), 28, "", "", ORANGE, round=2)
        picture.text(392 + 120 * float(share), y, share, anchor="start")
    return picture
