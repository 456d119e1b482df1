"""Lesson 08: independent Bernoulli outputs on four keys, with the numbers of the hand example."""

from scripts.drawings import BLUE, GREY, ORANGE, PURPLE, Drawing

NAME = "08_bernoulli_head"
KEYS = "CDEF"


def draw() -> Drawing:
    """The context, a probability for each key, and one draw for each key."""
    picture = Drawing(520, 250, "Independent Bernoulli outputs: each key is drawn on its own")
    context = picture.box(14, 92, 96, 54, "context c", "(C,)", colour=PURPLE)
    picture.text(62, 166, "earlier frames", size=13, colour=GREY)
    for i, key in enumerate(KEYS):
        y = 54 + 47 * i
        unit = picture.circle(224, y, 18, key, colour=BLUE)
        picture.arrow(context.right, unit.left)
        picture.arrow(unit.right, (330, y), "0.5", at=(284, y - 13))
        picture.circle(346, y, 14, "1" if key in "CF" else "0", colour=ORANGE, filled=key in "CF")
    picture.text(224, 14, "sigmoid", size=13, colour=GREY)
    picture.text(284, 14, "ŷ_k", bold=True)
    picture.text(346, 14, "draw", size=13, colour=GREY)
    picture.text(440, 96, "here C and F:", size=13)
    picture.text(440, 116, "neither chord", size=13)
    picture.text(440, 136, "of the two", size=13)
    picture.text(260, 232, "p(C, E) = p(D, F) = 0.5^4 = 1/16", size=14)
    return picture
