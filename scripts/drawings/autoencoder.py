"""Lesson 03: a small autoencoder as an hourglass, filled in with the numbers of its hand example."""

from itertools import pairwise
from math import hypot

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "03_hourglass"
COLUMNS = (66, 196, 326, 456)  # x, h_1, h_2, x_hat
HEIGHTS = {2: (138, 222), 3: (104, 180, 256)}  # of the units of a layer, by their number
COLOURS = (BLUE, PURPLE, ORANGE, GREEN)
RADIUS = 21

NAMES = ("x", "h_1", "h_2", "x̂")
VALUES = (("1", "1", "0"), ("0", "1"), ("1", "1.5"), ("1", "0.75", "0"))
WEIGHTS = (
    (("1", "−2", "1"), ("0.5", "1", "−1")),
    (("1", "2"), ("−1", "1")),
    (("0.5", "0"), ("0", "0.5"), ("1", "−1")),
)
BIASES = (("0", "−0.5"), ("−1", "0.5"), ("0.5", "0", "0.5"))
ONE_BAR = ("768", "64", "32", "768")  # units of the layers for a bar
MATRICES = ("64 × 768", "32 × 64", "768 × 32")


def draw() -> Drawing:
    """Stage 1 the parts, 2 one unit, 3 to 5 the layers with their numbers, 6 sizes for a bar."""
    picture = Drawing(520, 386, "An autoencoder with 3, 2, 2 and 3 units, with its numbers")
    _outline(picture)
    for x, name, colour, values in zip(COLUMNS, NAMES, COLOURS, VALUES, strict=True):
        picture.text(x, 44, name, bold=True)
        for y in HEIGHTS[len(values)]:
            picture.circle(x, y, RADIUS, colour=colour)
    for left, right in pairwise(COLUMNS):
        picture.arrow((left + 20, 44), (right - 20, 44), colour=GREY)
    for y, key, value in zip(HEIGHTS[3], "CEG", VALUES[0], strict=True):
        picture.text(18, y, key)
        picture.text(COLUMNS[0], y, value)
        picture.text(502, y, key)
    picture.stage(2)
    _unit(picture, 0, 1)
    picture.stage(3)
    _unit(picture, 0, 0)
    for layer in (1, 2):
        picture.stage(layer + 3)
        for i in range(len(WEIGHTS[layer])):
            _unit(picture, layer, i)
    picture.stage(6)
    picture.text(8, 336, "one bar:", anchor="start", size=13, bold=True)
    for x, size in zip(COLUMNS, ONE_BAR, strict=True):
        picture.text(x, 356, size, bold=True)
    for (left, right), matrix in zip(pairwise(COLUMNS), MATRICES, strict=True):
        picture.text((left + right) / 2, 356, matrix, size=13, colour=GREY)
    for k in range(3):
        picture.text((COLUMNS[k] + COLUMNS[k + 1]) / 2, 374, f"W_{k + 1}", size=13, colour=GREY)
    return picture


def _outline(picture):
    """The two funnels of the hourglass, and what each part is called."""
    for ends, colour in (((34, 58), (356, 92)), BLUE), (((488, 58), (296, 92)), GREEN):
        (wide, top), (narrow, high) = ends
        bottom, low = 354 - top, 354 - high
        corners = ((wide, top), (narrow, high), (narrow, low), (wide, bottom), (wide, top))
        picture.line(*corners, colour=colour, dashed=True, width=1)
    picture.text(196, 16, "encoder", bold=True, colour=BLUE)
    picture.text(326, 16, "code", bold=True, colour=ORANGE)
    picture.text(430, 16, "decoder", bold=True, colour=GREEN)
    for x, name in ((COLUMNS[0], "input"), (COLUMNS[3], "reconstruction")):
        picture.text(x, 312, name, size=13)


def _unit(picture, layer, i):
    """Unit i of the layer after ``layer``: arrows with weights, bias and output."""
    for j in range(len(WEIGHTS[layer][i])):
        _edge(picture, layer, j, i)
    x, y = COLUMNS[layer + 1], HEIGHTS[len(VALUES[layer + 1])][i]
    picture.text(x, y, VALUES[layer + 1][i])
    bias = BIASES[layer][i]
    if bias != "0":
        signed = bias if bias.startswith("−") else f"+{bias}"
        picture.text(x, y - RADIUS - 10, signed, size=13, colour=GREY)


def _edge(picture, layer, j, i):
    """An arrow from unit j of a layer to unit i of the next, broken where its weight stands."""
    weight = WEIGHTS[layer][i][j]
    half = 6 + 4 * len(weight)
    start = COLUMNS[layer], HEIGHTS[len(VALUES[layer])][j]
    end = COLUMNS[layer + 1], HEIGHTS[len(VALUES[layer + 1])][i]
    length, to = hypot(end[0] - start[0], end[1] - start[1]), _distance(layer, j, i)
    picture.line(_at(start, end, RADIUS), _at(start, end, to - half), colour=GREY)
    last = _at(start, end, length - RADIUS)
    picture.line(_at(start, end, to + half), last, colour=GREY, arrow=True)
    picture.text(*_at(start, end, to), weight, size=13)


def _distance(layer, j, i):
    """How far along its arrow a weight stands: where the arrows are apart."""
    n_from, n_to = len(VALUES[layer]), len(VALUES[layer + 1])
    rise = abs(HEIGHTS[n_to][i] - HEIGHTS[n_from][j])
    length = hypot(COLUMNS[layer + 1] - COLUMNS[layer], rise)
    if n_from == 3:
        return RADIUS + (26 if rise < 60 else 34)
    if n_to == 3:
        return length - RADIUS - (28 if rise < 60 else 36)
    return RADIUS + 28


def _at(start, end, distance):
    """The point at a distance from the start of an arrow."""
    (x1, y1), (x2, y2) = start, end
    share = distance / hypot(x2 - x1, y2 - y1)
    return x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
