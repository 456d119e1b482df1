"""Lesson 01: two quarters of a chorale as score, voices with onsets, tokens and piano roll."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Drawing

NAME = "01_bar_as_numbers"

# the first eight steps of BWV 244.54: (pitch, steps) of each note, highest voice first
VOICES = {
    "soprano": [(69, 4), (74, 4)],
    "alto": [(65, 4), (65, 2), (67, 2)],
    "tenor": [(62, 4), (62, 2), (64, 2)],
    "bass": [(62, 2), (60, 2), (58, 4)],
}
COLOURS = dict(zip(VOICES, (BLUE, ORANGE, GREEN, PURPLE)))
LOW, LEFT, WIDE, ROW = 21, 76, 44, 22
STAFF_STEP = 4  # from a line of the staff to the space beside it
LETTERS = {58: -1, 60: 0, 62: 1, 64: 2, 65: 3, 67: 4, 69: 5, 74: 8}  # letters above C4


def draw() -> Drawing:
    """Stage 1 the score; 2 the voices with their onsets; 3 the tokens; 4 the piano roll."""
    picture = Drawing(520, 622, "Two quarters of a chorale as score, voices, tokens and piano roll")
    _score(picture)
    picture.stage(2)
    picture.arrow((252, 166), (252, 194), "to steps of a 16th (1.1)", at=(348, 180))
    _table(picture, 200, "pitch", lambda pitch, age: str(pitch))
    picture.stage(3)
    picture.arrow((252, 292), (252, 320), "(1.3)", at=(282, 306))
    picture.arrow((232, 320), (232, 292), "back", at=(204, 306))
    _table(picture, 326, "token", lambda pitch, age: "1" if age else str(pitch - LOW + 2))
    picture.stage(4)
    picture.line((436, 244), (500, 244), (500, 434), (252, 434))
    picture.arrow((252, 434), (252, 448), "(1.2)", at=(474, 420))
    _roll(picture, 454)
    return picture


def _score(picture):
    """Two staves: stems up for the soprano and the tenor, down for the alto and the bass."""
    bottom = {"soprano": (64, 2), "alto": (64, 2), "tenor": (150, -10), "bass": (150, -10)}
    for y in (64, 150):
        for line in range(5):
            height = y - 2 * STAFF_STEP * line
            picture.line((LEFT, height), (LEFT + 8 * WIDE, height), colour=GREY, width=1)
    picture.line((LEFT + 4 * WIDE, 32), (LEFT + 4 * WIDE, 150), colour=GREY)
    picture.text(LEFT + 8 * WIDE + 8, 48, "score", size=13, bold=True, anchor="start")
    for voice, notes in VOICES.items():
        y, lowest = bottom[voice]
        up, step = voice in ("soprano", "tenor"), 0
        for pitch, steps in notes:
            x = LEFT + (step + 0.5) * WIDE
            height = y - STAFF_STEP * (LETTERS[pitch] - lowest)
            if y == 150 and LETTERS[pitch] >= 0:
                picture.line((x - 9, 110), (x + 9, 110), colour=GREY, width=1)
            picture.circle(x, height, 4.4, colour=COLOURS[voice], filled=True)
            side, tip = (x + 4, height - 22) if up else (x - 4, height + 22)
            picture.line((side, height), (side, tip), colour=COLOURS[voice])
            if steps == 2:
                picture.line(
                    (side, tip), (side + 6, tip + (7 if up else -7)), colour=COLOURS[voice]
                )
            step += steps


def _table(picture, y, what, number):
    """One row per voice, one column per step; the step on which a note is struck has a frame."""
    for row, (voice, notes) in enumerate(VOICES.items()):
        height, step = y + ROW * (row + 0.5), 0
        picture.text(LEFT - 8, height, voice, size=13, anchor="end")
        for pitch, steps in notes:
            for age in range(steps):
                x = LEFT + step * WIDE
                text = number(pitch, age)
                if age == 0:
                    picture.box(x + 2, height - 10, WIDE - 4, 20, text, colour=COLOURS[voice])
                else:
                    picture.text(x + WIDE / 2, height, text, size=13, colour=COLOURS[voice])
                step += 1
    picture.text(LEFT + 8 * WIDE + 8, y + 0.5 * ROW, what, size=13, bold=True, anchor="start")


def _roll(picture, y):
    """One row per key, one column per step, one colour: no voices and no onsets."""
    low, high = 58, 74
    sounds = set()
    for notes in VOICES.values():
        step = 0
        for pitch, steps in notes:
            sounds |= {(pitch, step + age) for age in range(steps)}
            step += steps
    for edge in range(9):
        x = LEFT + edge * WIDE
        picture.line((x, y), (x, y + 9 * (high - low + 1)), colour=GREY, width=0.5)
    for pitch, step in sorted(sounds):
        x, height = LEFT + step * WIDE, y + 9 * (high - pitch)
        picture.box(x, height, WIDE, 9, colour=RED, round=0)
    for pitch, name in ((74, "D5"), (69, "A4"), (65, "F4"), (62, "D4"), (58, "B♭3")):
        picture.text(LEFT - 8, y + 9 * (high - pitch) + 4.5, name, size=13, anchor="end")
    picture.text(LEFT + 8 * WIDE + 8, y + 10, "roll", size=13, bold=True, anchor="start")
