"""Lesson 13: fine-tuning through a code that is drawn, and the straight-through estimator."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "13_straight_through"


def draw() -> Drawing:
    """The way of the numbers, and below it the way of the gradient."""
    picture = Drawing(520, 206, "Fine-tuning: up to a code, a draw, down to a reconstruction")
    v = picture.box(4, 60, 52, 50, "v", "(V,)", GREY)
    q = picture.box(104, 60, 76, 50, "q", "0.3", PURPLE)
    h = picture.box(250, 60, 56, 50, "h", "0 or 1", BLUE)
    rebuilt = picture.box(356, 60, 76, 50, "p̂", "(V,)", ORANGE)
    loss = picture.box(468, 60, 48, 50, "J", "", GREY)
    picture.arrow(v.right, q.left, "up", at=(80, 70))
    picture.arrow(q.right, h.left, "draw", at=(214, 70), dashed=True)
    picture.arrow(h.right, rebuilt.left, "down", at=(330, 70))
    picture.arrow(rebuilt.right, loss.left)
    picture.text(215, 22, "1 with probability q, else 0", size=13)
    picture.line((215, 32), (215, 58), colour=GREY, dashed=True)
    picture.text(436, 22, "cross-entropy (13.6)", size=13)
    for start, end in ((490, 398), (390, 282), (142, 34)):
        picture.arrow((start, 114), (start, 138), (end, 138), (end, 112), colour=GREEN)
    picture.arrow((274, 114), (274, 160), (150, 160), (150, 112), colour=GREEN)
    picture.text(212, 148, "× 1", bold=True, colour=GREEN)
    picture.text(212, 178, "straight through", size=13, colour=GREEN)
    picture.text(440, 178, "backpropagation", size=13, colour=GREEN)
    picture.text(70, 178, "backpropagation", size=13, colour=GREEN)
    return picture
