"""Lesson 04: backpropagation through the autoencoder of the hand example."""

from math import hypot

from scripts.drawings import GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "04_backpropagation"
HEIGHTS = {2: (92, 204), 3: (64, 148, 232)}  # of the units of a layer, by their number
COLUMNS = (46, 168, 288, 396)  # x, h_1, h_2, x_hat
RADIUS = 20

KEYS = ("C", "E", "G")
VALUES = (("1", "1", "0"), ("0", "1"), ("1", "1.5"), ("1", "0.75", "0"))
WEIGHTS = (
    (("1", "−2", "1"), ("0.5", "1", "−1")),
    (("1", "2"), ("−1", "1")),
    (("0.5", "0"), ("0", "0.5"), ("1", "−1")),
)
BIASES = (("0", "−0.5"), ("−1", "0.5"), ("0.5", "0", "0.5"))
DELTAS = (("0", "−0.25"), ("0", "−0.25"), ("0", "−0.5", "0"))
PATH = (0, 1, 1, 1)  # unit of each layer on the path that is followed backwards


def draw() -> Drawing:
    """Stage 1 the forward pass; stage 2 the chain rule along one path; stage 3 every delta."""
    picture = Drawing(520, 376, "Backpropagation through a small autoencoder, with its numbers")
    _forward(picture)
    picture.stage(2)
    _one_path(picture)
    picture.stage(3)
    for x, deltas in zip(COLUMNS[1:], DELTAS, strict=True):
        for y, delta in zip(HEIGHTS[len(deltas)], deltas, strict=True):
            picture.text(x, y + RADIUS + 11, f"δ {delta}", size=13, bold=True, colour=ORANGE)
    return picture


def _forward(picture):
    for x, name in zip(COLUMNS, ("x", "h_1", "h_2", "x̂"), strict=True):
        picture.text(x, 16, name, bold=True)
    for layer, weights in enumerate(WEIGHTS):
        for i, row in enumerate(weights):
            for j, weight in enumerate(row):
                _edge(picture, layer, j, i, weight)
    for x, values in zip(COLUMNS, VALUES, strict=True):
        for y, value in zip(HEIGHTS[len(values)], values, strict=True):
            picture.circle(x, y, RADIUS, value)
    for x, biases in zip(COLUMNS[1:], BIASES, strict=True):
        for y, bias in zip(HEIGHTS[len(biases)], biases, strict=True):
            if bias != "0":
                signed = bias if bias.startswith("−") else f"+{bias}"
                picture.text(x, y - RADIUS - 10, signed, size=13, colour=GREY)
    for y, key in zip(HEIGHTS[3], KEYS, strict=True):
        picture.text(12, y, key)
    picture.text(488, 105, "loss", bold=True)
    loss = picture.box(458, 122, 60, 52, "0.0625", colour=PURPLE)
    for y in HEIGHTS[3]:
        picture.arrow((COLUMNS[3] + RADIUS, y), (loss.left[0], 148 + (y - 148) / 6), colour=GREY)


def _edge(picture, layer, j, i, weight):
    """An arrow from unit j of a layer to unit i of the next, broken where its weight stands."""
    n_from, n_to = len(VALUES[layer]), len(VALUES[layer + 1])
    x1, y1 = COLUMNS[layer], HEIGHTS[n_from][j]
    x2, y2 = COLUMNS[layer + 1], HEIGHTS[n_to][i]
    length = hypot(x2 - x1, y2 - y1)

    def at(distance):
        return x1 + (x2 - x1) * distance / length, y1 + (y2 - y1) * distance / length

    # labels where the arrows are apart: near the side with three units
    if n_from == 3:
        label = RADIUS + (24 if abs(y2 - y1) < 60 else 30)
    elif n_to == 3:
        label = length - RADIUS - (24 if abs(y2 - y1) < 60 else 32)
    else:
        label = RADIUS + 26
    half = 6 + 4 * len(weight)
    picture.line(at(RADIUS), at(label - half), colour=GREY)
    picture.line(at(label + half), at(length - RADIUS), colour=GREY, arrow=True)
    picture.text(*at(label), weight, size=13)


def _one_path(picture):
    points = [
        (x, HEIGHTS[len(values)][unit])
        for x, values, unit in zip(COLUMNS, VALUES, PATH, strict=True)
    ]
    for x, y in points:
        picture.circle(x, y, RADIUS + 4, colour=ORANGE)
    picture.text(66, 112, "w =", size=13, bold=True, colour=ORANGE)
    y = 322
    picture.text(8, 286, "Backwards along the ringed path:", anchor="start", colour=ORANGE)
    stations = (*COLUMNS, 488)
    results = ("−0.25", "−0.25", "−0.25", "−0.5", "1")
    factors = (("f_1′ · x", "× 1 × 1"), ("W_2 · f_2′", "× 1 × 1"), ("W_3", "× 0.5"))
    factors += (("2(x̂ − x)", "× −0.5"),)
    for x, result in zip(stations, results, strict=True):
        picture.text(x, y, result, bold=True, colour=ORANGE)
    for left, right, (name, factor) in zip(stations, stations[1:], factors, strict=False):
        picture.arrow((right - 26, y), (left + 26, y), colour=ORANGE)
        picture.text((left + right) / 2, y - 16, factor, size=13, colour=ORANGE)
        picture.text((left + right) / 2, y + 17, name, size=13)
    names = ("∂L/∂w", "∂L/∂h_1", "∂L/∂h_2", "∂L/∂x̂", "∂L/∂L")
    for x, name in zip(stations, names, strict=True):
        picture.text(x, y + 38, name, size=13, colour=GREEN)
