"""Lesson 16b: a Markov chain through two given notes, with messages that run backwards."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, Drawing

NAME = "16b_bridge"


def draw() -> Drawing:
    """Stage 1 the chain between two notes; stage 2 the messages and what they change."""
    picture = Drawing(520, 250, "A note drawn between two given ones")
    for x, label in ((60, "given"), (260, "free"), (460, "given")):
        picture.text(x, 20, label, bold=True)
    start = picture.box(12, 98, 96, 44, "C", "on the beat", ORANGE)
    upper = picture.box(220, 50, 80, 44, "C", "", BLUE)
    lower = picture.box(220, 146, 80, 44, "D", "", BLUE)
    end = picture.box(420, 98, 80, 44, "D", "next beat", ORANGE)
    picture.arrow(start.right, upper.left, "0.9", at=(152, 82))
    picture.arrow(start.right, lower.left, "0.1", at=(152, 160))
    picture.arrow(upper.right, end.left, "0.1", at=(368, 82))
    picture.arrow(lower.right, end.left, "0.5", at=(368, 160))
    picture.stage(2)
    picture.text(260, 38, "m = 0.1", colour=GREEN, size=13)
    picture.text(260, 134, "m = 0.5", colour=GREEN, size=13)
    picture.text(260, 106, "0.09, so 0.64", size=13)
    picture.text(260, 202, "0.05, so 0.36", size=13)
    picture.arrow((420, 226), (108, 226), colour=GREEN)
    picture.text(260, 242, "messages run backwards", colour=GREEN, size=13)
    picture.text(60, 160, "drawn forwards", colour=GREY, size=13)
    return picture
