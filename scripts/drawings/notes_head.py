"""Lesson 08: a chord output note by note, with the numbers of the hand example."""

from scripts.drawings import BLUE, GREY, ORANGE, PURPLE, Drawing

NAME = "08_notes_head"
SYMBOLS = ("C", "D", "E", "F", "END")
# e^z = 4, 2, 1, 2, 1 shared among what is still allowed; D, then F, then END are chosen
COLUMNS = (
    ("first note", (0.4, 0.2, 0.1, 0.2, 0.1), 1),
    ("after D", (0, 0, 0.25, 0.5, 0.25), 3),
    ("after D, F", (0, 0, 0, 0, 1), 4),
)


def draw() -> Drawing:
    """Stage 1 the chain of symbols; stage 2 the probabilities and what is masked."""
    picture = Drawing(520, 300, "Notes head: a chord is output note after note, then END")
    context = picture.box(14, 12, 96, 40, "context c", colour=PURPLE)
    picture.line(context.right, (440, 32))
    for i, (name, _, chosen) in enumerate(COLUMNS):
        x = 130 + 150 * i
        picture.arrow((x, 32), (x, 62))
        picture.text(x, 74, name, size=13, colour=GREY)
        for j, symbol in enumerate(SYMBOLS):
            y = 104 + 32 * j
            colour = ORANGE if j == chosen else BLUE
            picture.circle(x, y, 15, "" if j == 4 else symbol, colour=colour, filled=j == chosen)
            if j == 4:
                picture.text(x, y, symbol, size=13)
        if i < 2:
            y = 104 + 32 * chosen
            picture.arrow((x + 16, y), (x + 84, y), (x + 84, 74), (x + 110, 74), colour=ORANGE)
    picture.stage(2)
    for i, (_, probs, chosen) in enumerate(COLUMNS):
        for j, p in enumerate(probs):
            x, y = 174 + 150 * i, 104 + 32 * j
            if p == 0:
                picture.text(x, y, "–", size=13, colour=GREY)
            else:
                above = 10 if j == chosen and i < 2 else 0  # its arrow leaves here
                picture.text(x, y - above, f"{p:.2f}", size=13, bold=j == chosen)
    picture.text(304, 262, "– masked", size=13, colour=GREY)
    picture.text(260, 284, "p(D, F) = 0.20 × 0.50 × 1.00 = 0.10", size=14)
    return picture
