"""Lesson 16b: two pieces as windows, and the similarity by late interaction."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, Drawing

NAME = "16b_late_interaction"
COSINES = ((0.9, 0.2, 0.1), (0.3, 0.5, 0.4))


def draw() -> Drawing:
    """Windows of the query in rows, of the piece in columns, the highest cosine of each row marked."""
    picture = Drawing(520, 236, "Late interaction: each window of the query finds its like")
    picture.text(60, 20, "query", bold=True, colour=ORANGE)
    picture.text(288, 20, "windows of a piece", bold=True, colour=BLUE)
    for column in range(3):
        picture.box(162 + 92 * column, 40, 70, 36, f"p_{column + 1}", "", BLUE)
    for row, cosines in enumerate(COSINES):
        y = 96 + 60 * row
        window = picture.box(24, y, 70, 40, f"q_{row + 1}", "", ORANGE)
        picture.arrow(window.right, (156, y + 20))
        for column, cosine in enumerate(cosines):
            best = cosine == max(cosines)
            x = 162 + 92 * column
            picture.box(x, y, 70, 40, f"{cosine}", "", GREEN if best else GREY, dashed=not best)
        picture.text(470, y + 20, f"max {max(cosines)}", colour=GREEN)
    picture.text(470, 216, "mean 0.7", bold=True)
    picture.text(288, 216, "cosines of unit vectors", size=13)
    return picture
