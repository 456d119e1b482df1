"""Lesson 02: a Markov chain of order 1, and the path of a melody through it."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, Drawing

NAME = "02_markov_chain"

PATH = (("C", "0.44"), ("D", "0.42"), ("E", "0.74"), ("F", "0.42"), ("G", "0.70"), ("end", "0.74"))


def draw() -> Drawing:
    """Stage 1 states and relative frequencies; stage 2 the path of C D E F G, smoothed."""
    picture = Drawing(520, 330, "A Markov chain over the notes C to G, and a melody's path in it")
    picture.circle(52, 130, 30, "start", colour=GREY)
    c = picture.circle(180, 60, 22, "C", size=16)
    d = picture.circle(320, 60, 22, "D", size=16)
    e = picture.circle(250, 160, 22, "E", size=16)
    f = picture.circle(350, 160, 22, "F", size=16)
    g = picture.circle(440, 160, 22, "G", size=16)
    end = picture.circle(470, 60, 26, "end", colour=GREY)
    picture.arrow((79, 115), (159, 70), "½", at=(112, 82))
    picture.arrow((82, 135), e.left, "½", at=(150, 160))
    picture.arrow(c.right, d.left, "½")
    picture.arrow((308, 79), (265, 143), "1", at=(298, 115))
    picture.arrow((236, 142), (194, 77), "½", at=(203, 115))
    picture.arrow(e.right, f.left, "½")
    picture.arrow(f.right, g.left, "1")
    picture.arrow((447, 138), (461, 87), "1", at=(466, 114))
    picture.arrow(c.top, (180, 16), (470, 16), end.top, "½", at=(325, 28))
    picture.stage(2)
    picture.text(20, 216, "The melody C D E F G, smoothed:", anchor="start", colour=ORANGE)
    before = picture.circle(40, 262, 24, "start", colour=GREY, size=13)
    for i, (name, p) in enumerate(PATH):
        place = picture.circle(
            117 + 76 * i, 262, 20, name, colour=GREY if name == "end" else BLUE, size=13
        )
        picture.arrow(before.right, place.left, colour=GREEN)
        picture.text(before.right[0] + (place.left[0] - before.right[0]) / 2, 244, p, size=13)
        before = place
    picture.text(260, 308, "product 0.030, sum of logarithms −3.49 nats", colour=ORANGE)
    return picture
