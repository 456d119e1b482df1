"""Drawings of the models, as SVG files in ``notebooks/figures``.

    python -m scripts.drawings            # write all of them
    python -m scripts.drawings --check    # exit 1 if a stored one differs

Each module of this package draws one lesson: it has ``NAME``, as ``"07_lstm_cell"``, and ``draw()``,
which returns a :class:`Drawing`. Text stays text; lines and text take the page's own colour, and the
accents are readable on white and on black. A drawing is at most 520 units wide and its letters at
least 13, so that it can be read on a phone.
"""

from __future__ import annotations

import re
from html import escape
from math import hypot

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PURPLE", "RED", "Drawing"]

# Okabe and Ito's colours in middle tones: 3:1 or more on white and on black
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = (
    "#3d85c6",
    "#c7781a",
    "#1f9d76",
    "#d0562a",
    "#b5669b",
    "#808080",
)
WIDEST, SMALLEST = 520, 13


class Drawing:
    """Boxes, arrows and text on a grid of units; what follows ``stage(n)`` belongs to that stage.

    >>> picture = Drawing(200, 60, "Two boxes")
    >>> a, b = picture.box(10, 10, 60, 40, "x", "(B, D)"), picture.box(120, 10, 60, 40, "h")
    >>> picture.arrow(a.right, b.left, "W")
    >>> "<title>Two boxes</title>" in picture.svg()
    True
    """

    def __init__(self, width: int, height: int, title: str):
        if width > WIDEST:
            raise ValueError(
                f"{width} units wide: at most {WIDEST}, or a phone makes it unreadable"
            )
        self.width, self.height, self.title = width, height, title
        self._stages = {1: []}
        self._stage = 1

    def stage(self, number: int) -> None:
        """Let what follows belong to a stage, which a lesson can hold back."""
        self._stage = number
        self._stages.setdefault(number, [])

    def box(self, x, y, w, h, text="", below="", colour=BLUE, dashed=False, round=6) -> Place:
        """A box with a text in it and, smaller, a second line, such as its shape; where it is."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._add(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{round}" fill="{colour}" '
            f'fill-opacity="0.16" stroke="{colour}" stroke-width="1.6"{dash}/>'
        )
        middle = y + h / 2
        if text and below:
            self.text(x + w / 2, middle - 8, text, bold=True)
            self.text(x + w / 2, middle + 9, below, size=SMALLEST)
        elif text:
            self.text(x + w / 2, middle, text, bold=True)
        return Place(x, y, w, h)

    def circle(self, x, y, r, text="", colour=BLUE, size=14, filled=False) -> Place:
        """A circle around (x, y): a unit, or an operation such as + or sigma; where it is."""
        opacity = 0.6 if filled else 0.16
        self._add(
            f'<circle cx="{x}" cy="{y}" r="{r}" fill="{colour}" fill-opacity="{opacity}" '
            f'stroke="{colour}" stroke-width="1.6"/>'
        )
        if text:
            self.text(x, y, text, size=size)
        return Place(x - r, y - r, 2 * r, 2 * r)

    def line(self, *points, colour="currentColor", dashed=False, arrow=False, width=1.6) -> None:
        """A line through points (x, y), with an arrowhead at its end if so asked."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._add(
            f'<polyline points="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"{dash}/>'
        )
        if arrow:
            self._head(points[-2], points[-1], colour)

    def arrow(self, *points, colour="currentColor", dashed=False, at=None, above=True) -> None:
        """An arrow through points (x, y); a last argument that is text labels its middle.

        ``at`` moves the label to a point of its own; ``above`` says on which side it stands.
        """
        *points, label = points if isinstance(points[-1], str) else (*points, "")
        self.line(*points, colour=colour, dashed=dashed, arrow=True)
        if label:
            (x1, y1), (x2, y2) = points[len(points) // 2 - 1], points[len(points) // 2]
            x, y = at or ((x1 + x2) / 2, (y1 + y2) / 2 + (-13 if above else 14))
            self.text(x, y, label)

    def text(self, x, y, text, size=14, bold=False, anchor="middle", colour="currentColor") -> None:
        """Text centred on (x, y); ``_x`` and ``^x`` (or ``_{xy}``) lower and raise what follows."""
        if size < SMALLEST:
            raise ValueError(f"letters of {size}: at least {SMALLEST}")
        weight = ' font-weight="600"' if bold else ""
        self._add(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
            f'dominant-baseline="central" fill="{colour}"{weight}>{_indexed(text)}</text>'
        )

    def svg(self) -> str:
        """The whole drawing."""
        groups = [
            f'<g data-stage="{number}">\n' + "\n".join(parts) + "\n</g>"
            for number, parts in sorted(self._stages.items())
        ]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'style="width:100%;max-width:{round(1.35 * self.width)}px;height:auto;'
                'font-family:system-ui,sans-serif" color-scheme="light dark">',
                f"<title>{escape(self.title)}</title>",
                *groups,
                "</svg>\n",
            ]
        )

    def _head(self, start, end, colour):
        (x1, y1), (x, y) = start, end
        length = hypot(x - x1, y - y1)
        u, v = (x - x1) / length, (y - y1) / length  # the arrow's direction
        corners = [(x, y), *((x - 9 * u - s * 4 * v, y - 9 * v + s * 4 * u) for s in (-1, 1))]
        path = " ".join(f"{a:.5g},{b:.5g}" for a, b in corners)
        self._add(f'<polygon points="{path}" fill="{colour}"/>')

    def _add(self, element):
        self._stages[self._stage].append(element)


class Place:
    """Where something was drawn: its middle and the middles of its sides, as points (x, y)."""

    def __init__(self, x, y, w, h):
        self.left, self.right = (x, y + h / 2), (x + w, y + h / 2)
        self.top, self.bottom = (x + w / 2, y), (x + w / 2, y + h)
        self.middle = (x + w / 2, y + h / 2)


def _indexed(text):
    """Escape a text and set its indices and powers with shifted baselines."""
    found, shift = [], 0
    for mark, braced, one, plain in re.findall(r"([_^])(?:{([^}]*)}|(.))|([^_^]+)", text):
        level = {"_": 4, "^": -5, "": 0}[mark]
        size = ' font-size="78%"' if mark else ""
        found.append(f'<tspan dy="{level - shift}"{size}>{escape(braced or one or plain)}</tspan>')
        shift = level
    return "".join(found) if len(found) > 1 else escape(text)
