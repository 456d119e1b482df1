"""Lesson 16: cells of four voices with some hidden, and the network that predicts them all at once."""

from scripts.drawings import BLUE, GREEN, ORANGE, PURPLE, Drawing

NAME = "16_harmonise"
VOICES = ("soprano", "alto", "tenor", "bass")
CELLS = ("G4 – A4 – B4 –", "D4 ? ? E4 – ?", "? ? C4 – ? ?", "G3 – ? ? ? ?")  # a dash is held
BARS = ((9, 22, 15, 5), (20, 8, 6, 14), (5, 11, 25, 7))


def draw() -> Drawing:
    """Stage 1 what goes in and what comes out; stage 2 the layers in between."""
    picture = Drawing(520, 396, "Masked prediction of four voices")
    for row, (voice, cells) in enumerate(zip(VOICES, CELLS)):
        y = 10 + 30 * row
        picture.text(72, y + 13, voice, size=13, anchor="end")
        for column, cell in enumerate(cells.split()):
            hidden = cell == "?"
            colour = ORANGE if hidden else BLUE
            picture.box(82 + 48 * column, y, 44, 26, "", colour=colour, dashed=hidden, round=3)
            picture.text(104 + 48 * column, y + 13, cell, size=13)
    picture.text(442, 42, "blue: visible", colour=BLUE)
    picture.text(442, 66, "orange: hidden", colour=ORANGE)
    picture.text(442, 100, "form: metre,", size=13)
    picture.text(442, 117, "fermatas", size=13)
    picture.arrow((224, 132), (224, 158))
    picture.box(10, 160, 500, 124, "", colour=GREEN)
    picture.text(20, 174, "network", bold=True, anchor="start")
    picture.arrow((224, 286), (224, 312))
    for column, heights in enumerate(BARS):
        x = 132 + 88 * column
        picture.line((x - 34, 344), (x + 34, 344), width=1)
        for k, height in enumerate(heights):
            picture.line(
                (x - 24 + 16 * k, 344), (x - 24 + 16 * k, 344 - height), colour=ORANGE, width=9
            )
    picture.text(400, 332, "...")
    picture.text(224, 362, "for every hidden cell a distribution", colour=ORANGE)
    picture.text(224, 382, "p(cell | all visible cells, form)", size=13)
    picture.stage(2)
    added = picture.box(20, 194, 112, 48, "embeddings", "added: (T, d)", BLUE)
    convolved = picture.box(156, 194, 172, 48, "gated convolutions", "δ = 1, 2, 4, 8, 1, 2", GREEN)
    logits = picture.box(352, 194, 148, 48, "logits", "(T, 4 voices, 123)", ORANGE)
    picture.arrow(added.right, convolved.left)
    picture.arrow(convolved.right, logits.left)
    picture.text(226, 265, "counterpoint table: moves of visible notes", colour=PURPLE, size=13)
    picture.arrow((372, 265), (426, 265), (426, 244), colour=PURPLE)
    return picture
