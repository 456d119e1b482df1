"""Lesson 17: from twelve rounds to a share with its interval, and what more answers change."""

from musiclab.metrics.listening import wilson_interval
from scripts.drawings import BLUE, GREEN, GREY, ORANGE, Drawing

NAME = "17_rounds_to_interval"
RIGHT = (1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1)  # eight of twelve
LEFT, WIDTH = 96, 356  # of the scale from 0% to 100%


def draw() -> Drawing:
    """Stage 1 the rounds, their share and its interval; stage 2 the same share of 12 and of 194 answers."""
    picture = Drawing(520, 300, "From rounds to an interval")
    for i, right in enumerate(RIGHT):
        x = LEFT + 14 + 30 * i
        picture.circle(x, 34, 12, "+" if right else "−", GREEN if right else GREY)
    picture.text(52, 34, "rounds")
    picture.line((_x(0), 258), (_x(1), 258))
    for share in (0, 0.25, 0.5, 0.75, 1):
        picture.text(_x(share), 280, f"{share:.0%}")
    picture.line((_x(0.5), 74), (_x(0.5), 258), colour=ORANGE)
    picture.text(_x(0.5), 64, "chance", colour=ORANGE)
    _interval(picture, 8, 12, 104, "8 of 12", BLUE)
    picture.stage(2)
    _interval(picture, 7.2, 12, 164, "60% of 12", GREY)
    _interval(picture, 116.4, 194, 220, "60% of 194", GREEN)
    return picture


def _x(share):
    return LEFT + WIDTH * share


def _interval(picture, right, n, y, label, colour):
    share, low, high = wilson_interval(right, n)
    picture.text(46, y, label)
    picture.line((_x(low), y), (_x(high), y), colour=colour)
    picture.text(_x(high) + 52, y, f"{low:.0%} to {high:.0%}")
    for end in (low, high):
        picture.line((_x(end), y - 8), (_x(end), y + 8), colour=colour)
    picture.circle(_x(share), y, 6, "", colour)
