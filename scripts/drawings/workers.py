"""Lesson 19: two workers, their shares of a batch, the mean of their gradients, and one update."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, Drawing

NAME = "19_workers"


def draw() -> Drawing:
    """Stage 1 the workers and their gradients; 2 the all-reduce and the update.

    The numbers are those of the lesson's example by hand: four samples, w = 1, a rate of 0.4.
    """
    picture = Drawing(520, 270, "One step of synchronous SGD on two workers")
    rows = ((64, "(1, 2) (2, 2)", "−0.50", "worker 0"), (196, "(3, 3) (1, 3)", "−1.00", "worker 1"))
    for y, samples, gradient, name in rows:
        share = picture.box(4, y - 28, 116, 56, samples, "its samples", GREY)
        worker = picture.box(150, y - 28, 92, 56, name, "w = 1", BLUE)
        found = picture.box(272, y - 24, 62, 48, gradient, "mean", ORANGE)
        picture.arrow(share.right, worker.left)
        picture.arrow(worker.right, found.left)
    picture.text(303, 24, "gradient", colour=ORANGE)
    picture.stage(2)
    mean = picture.box(362, 98, 64, 64, "−0.75", "mean", GREEN)
    picture.arrow((334, 64), (394, 64), mean.top)
    picture.arrow((334, 196), (394, 196), mean.bottom)
    new = picture.box(446, 102, 72, 56, "w = 1.3", "on both", BLUE)
    picture.arrow(mean.right, new.left)
    path = (482, 158), (482, 248), (196, 248), (196, 225)
    picture.line(*path, colour=BLUE, dashed=True, arrow=True)
    path = (482, 102), (482, 12), (196, 12), (196, 35)
    picture.line(*path, colour=BLUE, dashed=True, arrow=True)
    return picture
