"""Which lesson needs which, read from the lessons' own prerequisites, and drawn."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from scripts.website import fill

BOX, GAP_X, GAP_Y = (186, 50), 18, 36  # in SVG units, which are CSS pixels at full size


def prerequisites(notebook: Path) -> tuple[list[str], list[str]]:
    """Numbers of the lessons that a lesson needs, and of those that only help."""
    header = nbformat.read(notebook, as_version=4).cells[0].source
    text = re.search(r"\*\*Prerequisites:\*\*(.*?)(?:\n\n|\Z)", header, re.S)
    words = re.sub(r"\([^)]*\)", "", " ".join(text[1].split())) if text else ""
    helping = re.findall(r"\b(\d\d[a-z]?) helps", words)
    return [n for n in re.findall(r"\b\d\d[a-z]?\b", words) if n not in helping], helping


def draw(needs: dict[str, tuple[list[str], list[str]]], titles: dict[str, str]) -> str:
    """The map as SVG, each lesson below all that it needs; every box is a link.

    An arrow that others imply is left out: who needs 02 needs 01, too.
    """
    direct = {n: [m for m in needs[n][0] if m in needs] for n in needs}
    above = {}
    for n in sorted(needs):
        above[n] = set(direct[n]).union(*(above[m] for m in direct[n]))
    drawn = {n: [m for m in direct[n] if not any(m in above[k] for k in direct[n])] for n in needs}
    row = {}
    for n in sorted(needs):
        row[n] = 1 + max((row[m] for m in drawn[n]), default=-1)
    rows = [[n for n in sorted(needs) if row[n] == k] for k in range(max(row.values()) + 1)]
    place = _places(rows, drawn)
    width = max(x for x, _ in place.values()) + BOX[0] + GAP_X
    height = len(rows) * (BOX[1] + GAP_Y)
    helping = [
        (m, n, "helps") for n in needs for m in needs[n][1] if m in needs and row[m] < row[n]
    ]
    arrows = [(kind, _path(place[m], place[n])) for m, n, kind in helping]
    arrows += [("needs", _path(place[m], place[n])) for n in drawn for m in drawn[n]]
    words = "; ".join(
        f"{n} {titles[n]} needs {', '.join(direct[n]) or 'nothing'}" for n in sorted(needs)
    )
    return fill(
        "map.svg",
        width=f"{width:g}",
        height=f"{height:g}",
        least=f"{min(width, 620):g}",
        words=words,
        arrows=arrows,
        boxes=[_box(n, titles[n], *place[n]) for n in place],
    )


def _places(rows, drawn):
    """Upper left corners: each box near the middle of what it needs, so that few arrows cross."""
    middle, place = {}, {}
    for k, members in enumerate(rows):
        wish = {
            n: sum(middle[m] for m in drawn[n]) / len(drawn[n]) if drawn[n] else 0.0
            for n in members
        }
        last = -1e9
        for n in sorted(members, key=lambda n: (wish[n], n)):
            last = middle[n] = max(wish[n], last + BOX[0] + GAP_X)
        shift = sum(wish[n] - middle[n] for n in members) / len(members)
        for n in members:
            middle[n] += shift
            place[n] = (middle[n], k * (BOX[1] + GAP_Y) + 3)
    left = min(middle.values()) - GAP_X
    return {n: (x - left, y) for n, (x, y) in place.items()}


def _path(start, end):
    """A curve from the lower edge of one box to the upper edge of another."""
    x1, y1, x2, y2 = start[0] + BOX[0] / 2, start[1] + BOX[1], end[0] + BOX[0] / 2, end[1] - 1
    bend = max(GAP_Y * 0.6, (y2 - y1) * 0.4)
    return f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"


def _box(number, title, x, y):
    """A lesson's box for the template: its place, its number and one or two lines of its title."""
    lines = [""]
    for word in title.split():
        if len(lines[-1]) + len(word) > 23:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        lines = [lines[0], lines[1] + " …"]
    heights = [30] if len(lines) == 1 else [21, 38]
    return {
        "number": number,
        "x": f"{x:g}",
        "y": f"{y:g}",
        "w": BOX[0],
        "h": BOX[1],
        "x_number": f"{x + 9:g}",
        "y_number": f"{y + 30:g}",
        "lines": [(f"{x + 32:g}", f"{y + h:g}", line) for h, line in zip(heights, lines)],
    }
