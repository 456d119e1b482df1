"""Drawings of models: SVG files of ``notebooks/figures``, shown as a whole or stage by stage."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from musiclab.show.html import Shown

__all__ = ["drawing"]

_HERE = Path(__file__).resolve()
_FOLDERS = (_HERE.parents[2] / "notebooks" / "figures", _HERE.parents[1] / "_figures")


def drawing(name: str, alt: str, stage: int | None = None) -> Shown:
    """Show a drawing inside the page, where it takes the page's own text colour, light or dark.

    Args:
      name: of a file in ``notebooks/figures``, without ``.svg``.
      alt: what the drawing shows, in a sentence or two.
      stage: how many of its stages to show, at least 1; None shows all.

    Returns:
      The drawing as HTML.

    Raises:
      ValueError: if there is no such drawing or stage, or ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("a drawing needs an alt text: say what it shows")
    files = [folder / f"{name}.svg" for folder in _FOLDERS]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        known = sorted({path.stem for folder in _FOLDERS for path in folder.glob("*.svg")})
        raise ValueError(f"there is no drawing {name!r}: there are {', '.join(known)}")
    svg = file.read_text(encoding="utf-8")
    stages = max(map(int, re.findall(r'data-stage="(\d+)"', svg)), default=1)
    if stage is not None and not 1 <= stage <= stages:
        raise ValueError(f"stage {stage}: {name} has stages 1 to {stages}")
    for late in range((stage or stages) + 1, stages + 1):
        svg = svg.replace(f'data-stage="{late}"', f'data-stage="{late}" visibility="hidden"')
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, flags=re.S)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt, quote=True)}" ', 1)
    return Shown(
        f'<figure class="musiclab" style="margin:.5rem 0">{svg}</figure>', f"drawing: {alt}"
    )
