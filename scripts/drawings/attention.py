"""Lesson 15: one query compared with three keys, and the mean of the values, with the hand example's numbers."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "15_attention"
NOTES, INPUTS = ("C", "G", "C"), ("1, 0", "0, 1", "1, 1")
SCORES, WEIGHTS = ("1.41", "0.71", "2.12"), ("0.28", "0.14", "0.58")
KEYS, VALUES = ("1, 0", "0, 1", "1, 1"), ("10, 0", "0, 10", "10, 10")
COLUMNS = (110, 236, 362)  # left edges of the boxes


def draw() -> Drawing:
    """Keys, the query and their scores; above them the values, their weights and the output."""
    picture = Drawing(520, 368, "Attention of the third of three notes")
    for t, x in enumerate(COLUMNS):
        picture.box(x, 308, 90, 46, f"x_{t + 1}: {NOTES[t]}", INPUTS[t], GREY)
        picture.box(x, 236, 90, 46, f"k_{t + 1}", KEYS[t], BLUE)
        picture.arrow((x + 45, 308), (x + 45, 284))
        picture.box(x, 164, 90, 46, f"s_{{3{t + 1}}}", SCORES[t], PURPLE)
        picture.arrow((x + 45, 236), (x + 45, 212))
    picture.box(8, 164, 62, 46, "q_3", "2, 1", ORANGE)
    picture.line((452, 340), (486, 340), (486, 224), (39, 224), colour=ORANGE)
    picture.arrow((39, 224), (39, 212), colour=ORANGE)
    picture.arrow((70, 187), (108, 187), colour=ORANGE)
    for x in COLUMNS[:2]:
        picture.arrow((x + 90, 187), (x + 124, 187), colour=ORANGE)
    picture.box(8, 14, 82, 46, "o_3", "8.6, 7.2", GREEN)
    for t, x in enumerate(COLUMNS):
        picture.box(x, 92, 90, 46, f"v_{t + 1}", VALUES[t], GREEN)
        picture.arrow((x + 45, 164), (x + 45, 140), colour=PURPLE)
        picture.text(x + 74, 152, WEIGHTS[t], size=13, colour=PURPLE)
        picture.line((x + 45, 92), (x + 45, 37), colour=GREEN)
    picture.arrow((407, 37), (92, 37), colour=GREEN)
    picture.text(255, 18, "weighted sum of the values", size=13, colour=GREEN)
    return picture
