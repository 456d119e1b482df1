"""Lesson 12: a restricted Boltzmann machine, first one pair of units, then two of each kind."""

from scripts.drawings import BLUE, GREY, ORANGE, Drawing

NAME = "12_rbm"
STATES = (("0  0", "0", 0.22), ("1  0", "1", 0.08), ("0  1", "1", 0.08), ("1  1", "−1", 0.61))


def draw() -> Drawing:
    """Stage 1 one visible and one hidden unit with its four states; stage 2 two units of each kind."""
    picture = Drawing(520, 270, "A restricted Boltzmann machine with the lesson's numbers")
    for y, name in ((62, "hidden"), (202, "visible")):
        picture.text(4, y, name, size=13, anchor="start")
    picture.line((96, 176), (96, 88), width=3)
    picture.text(84, 132, "3", bold=True)
    picture.circle(96, 62, 26, "h_1", ORANGE)
    picture.circle(96, 202, 26, "v_1", BLUE)
    picture.text(96, 22, "b_1 = −1", size=13)
    picture.text(96, 244, "E: a_1 = −1", size=13)
    for y in (62, 202):
        picture.circle(230, y, 26, "", GREY)
    picture.text(405, 22, "the pair v_1, h_1 alone", bold=True)
    for x, name, anchor in ((322, "v h", "start"), (372, "E", "middle"), (400, "p", "start")):
        picture.text(x, 58, name, size=13, anchor=anchor)
    for row, (state, energy, p) in enumerate(STATES):
        y = 92 + 38 * row
        picture.text(322, y, state, size=13, anchor="start")
        picture.text(372, y, energy)
        picture.box(400, y - 11, round(110 * p), 22, "", "", GREY, round=2)
        picture.text(400 + round(110 * p) + 6, y, f"{p}", size=13, anchor="start")
    picture.stage(2)
    picture.line((230, 176), (230, 88), width=3)
    picture.line((114, 183), (212, 81), dashed=True)
    picture.line((212, 183), (114, 81), dashed=True)
    picture.text(244, 132, "3", bold=True)
    picture.text(128, 146, "−2", bold=True)
    picture.text(198, 146, "−2", bold=True)
    picture.circle(230, 62, 26, "h_2", ORANGE)
    picture.circle(230, 202, 26, "v_2", BLUE)
    picture.text(230, 22, "b_2 = −1", size=13)
    picture.text(230, 244, "E flat: a_2 = −1", size=13)
    return picture
