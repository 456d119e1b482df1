"""Which lesson needs which, read from the lessons' own first cells, and drawn."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import nbformat

from musiclab.setup.welcome import family
from scripts.website import fill

LINE, PAD, GAP = 17, 9, 8  # height of a line of text, of a box's edge, between boxes, in CSS pixels
# two drawings, for a desk and for a phone: width, room for the arrows at the left, letters in a line of a title
SIZES = {"wide": (760, 230, 47), "narrow": (336, 76, 22)}
TITLE_AT, NEAREST = 66, 15


def prerequisites(notebook: Path) -> tuple[list[str], list[str]]:
    """Numbers of the lessons that a lesson needs, and of those that only help."""
    header = nbformat.read(notebook, as_version=4).cells[0].source
    text = re.search(r"\*\*Prerequisites:\*\*(.*?)(?:\n\n|\Z)", header, re.S)
    words = re.sub(r"\([^)]*\)", "", " ".join(text[1].split())) if text else ""
    helping = re.findall(r"\b(\d\d[a-z]?)\]? helps", words)
    return [n for n in re.findall(r"\b\d\d[a-z]?\b", words) if n not in helping], helping


def draw(
    needs: dict[str, tuple[list[str], list[str]]],
    titles: dict[str, str],
    minutes: dict[str, str],
    addresses: dict[str, str],
) -> str:
    """The map as two SVG drawings, of which a page shows the one that fits: a column of boxes, each a link.

    Families stand together. Arrows run beside the boxes, from what is needed to what needs it; one
    that others imply is left out, since who needs 02 needs 01, too.

    Args:
      needs: by number, the lessons that it needs and those that help.
      titles: of the lessons. minutes: to work through them; "" where it is unknown.
      addresses: of their pages.
    """
    needed = {n: [m for m in needs[n][0] if m in needs] for n in needs}
    above = {}
    for n in sorted(needs):
        above[n] = set(needed[n]).union(*(above[m] for m in needed[n]))
    links = [
        ("helps", m, n) for n in needs for m in needs[n][1] if m in needs and m not in above[n]
    ]
    links += [
        ("needs", m, n)
        for n in needs
        for m in needed[n]
        if not any(m in above[k] for k in needed[n])
    ]
    words = "; ".join(
        f"{n} {titles[n]} needs {', '.join(needed[n]) or 'nothing'}" for n in sorted(needs)
    )
    drawings = [
        _drawing(kind, *SIZES[kind], links, titles, minutes, addresses, words) for kind in SIZES
    ]
    return fill("map.svg", drawings=drawings, numbers=sorted(needs))


def _drawing(kind, width, arrows, letters, links, titles, minutes, addresses, words):
    """One drawing for the template: its size, family headings, boxes and arrows."""
    y, last, headings, boxes, middle = 0, None, [], [], {}
    for n in sorted(titles):
        if family(n) != last:
            last = family(n)
            y += GAP
            for line in textwrap.wrap(last, letters + 8):
                y += LINE
                headings.append({"x": arrows, "y": y, "text": line})
            y += GAP
        lines = textwrap.wrap(titles[n], letters)
        height = max(2, len(lines)) * LINE + PAD
        middle[n] = y + height / 2
        begin = middle[n] - LINE * (len(lines) / 2 - 0.75)
        boxes.append(
            {
                "number": n,
                "address": addresses[n],
                "minutes": minutes[n],
                "y": y,
                "height": height,
                "lines": [(f"{begin + LINE * i:g}", line) for i, line in enumerate(lines)],
                "middle": f"{middle[n]:g}",
            }
        )
        y += height + GAP
    longest = max((middle[n] - middle[m] for _, m, n in links), default=1)
    paths = []
    for link, m, n in links:
        reach = NEAREST + (arrows - 2 * NEAREST) * (middle[n] - middle[m]) / longest
        start, end, bend = middle[m] + 6, middle[n] - 6, arrows - reach * 4 / 3
        path = f"M{arrows} {start:g}C{bend:.0f} {start:g} {bend:.0f} {end:g} {arrows - 1} {end:g}"
        paths.append({"kind": link, "ends": (m, n), "d": path})
    return {
        "kind": kind,
        "width": width,
        "height": y,
        "x": arrows,
        "box_width": width - arrows - 2,
        "title_x": arrows + TITLE_AT,
        "headings": headings,
        "boxes": boxes,
        "paths": paths,
        "words": words,
    }
