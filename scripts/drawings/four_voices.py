"""Lesson 08: one step of the four-voice model, and the counterpoint table on two voices."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "08_four_voices"
VOICES = ("soprano", "bass", "alto", "tenor")


def draw() -> Drawing:
    """Stage 1 the voices of a step, one after another; stage 2 the table between two of them."""
    picture = Drawing(520, 350, "One step of the four-voice model, and its counterpoint table")
    memory = picture.box(14, 14, 84, 46, "GRU", "h_t", colour=PURPLE)
    told = picture.box(14, 86, 84, 58, "known", "metre, form", colour=GREY)
    picture.line(told.right, (112, 115), (112, 37))
    picture.line(memory.right, (466, 37))
    for i, voice in enumerate(VOICES):
        x = 128 + 98 * i
        box = picture.box(x, 70, 82, 46, voice, "softmax", colour=BLUE)
        picture.arrow((x + 41, 37), box.top)
        picture.arrow(box.bottom, (x + 41, 148), colour=ORANGE)
        picture.text(x + 41, 160, "token", size=13, colour=ORANGE)
        if i < 3:
            picture.arrow((x + 66, 154), (x + 107, 117), colour=ORANGE)
    picture.stage(2)
    picture.line((14, 182), (506, 182), colour=GREY, dashed=True)
    picture.text(70, 206, "before", size=13, colour=GREY)
    picture.text(192, 206, "now", size=13, colour=GREY)
    upper, lower = (
        picture.box(40, y, 60, 34, n, colour=BLUE) for y, n in ((220, "G4"), (290, "C3"))
    )
    upper_now = picture.box(162, 220, 60, 34, "A4", colour=BLUE)
    lower_now = picture.box(162, 290, 60, 34, "D3", colour=ORANGE, dashed=True)
    picture.arrow(upper.right, upper_now.left)
    picture.arrow(lower.right, lower_now.left)
    picture.text(70, 272, "7", bold=True)
    picture.text(192, 272, "7", bold=True)
    picture.text(131, 272, "similar", size=13)
    table = picture.box(272, 246, 112, 52, "table T", "[7, 7, similar]", colour=GREEN)
    picture.arrow((226, 272), table.left)
    picture.arrow(table.right, (420, 272))
    picture.text(462, 262, "added to", size=13)
    picture.text(456, 282, "logit of D3", size=13)
    picture.text(131, 338, "candidate of the bass: D3", size=13, colour=GREY)
    return picture
