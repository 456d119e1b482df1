"""Figures for lessons: embedded as PNG, closed, with labels checked and alternative text.

Every plotting cell ends the same way::

    ax = show.piano_roll(piece)
    show.figure(ax, alt="Four voices over two bars; the bass moves by step while the soprano holds
    C5.")
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from musiclab.show.html import Shown, card, data_uri

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure"]

_DPI = 100
_LEAST = 520  # pixels to which a figure may shrink


def figure(drawn: Axes | Figure, alt: str) -> Shown:
    """Embed a finished figure with its alternative text: the last line of a plotting cell.

    A notebook's own way (leaving a figure open) stores a picture without alternative text, which
    neither nbconvert nor Sphinx can add later. This one embeds the picture with its text, and
    closes the figure, so that it is not shown twice. Several in one cell:
    ``display(show.figure(...), show.figure(...))``.

    Args:
      drawn: a matplotlib figure, or any axis of it.
      alt: what the figure shows, in a sentence or two: the finding, not "a plot". With numbers in
        the picture, the ones that matter.

    Returns:
      The figure as HTML with an embedded PNG.

    Raises:
      ValueError: if ``alt`` is empty, the figure is, or an axis lacks a label (turn an axis that
        needs none off with ``ax.axis("off")``; of axes that share a scale one label is enough; a
        colour bar needs one).

    >>> from musiclab import show
    >>> show.figure(show.piano_roll([60, 60, 62]), alt="C4 for two 16ths, then D4")
    <figure: C4 for two 16ths, then D4>
    """
    from matplotlib import pyplot as plt

    fig = drawn if hasattr(drawn, "savefig") else getattr(drawn, "figure", None)
    if not hasattr(fig, "savefig"):
        raise ValueError(
            f"a {type(drawn).__name__} is no figure: pass a matplotlib figure or one of its axes"
        )
    try:
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows")
        if not fig.axes:
            raise ValueError("the figure has no axes: draw something first")
        for ax in fig.axes:
            _check_labels(ax)
        png = io.BytesIO()
        # no version in the file: the bytes should depend on the picture alone
        fig.savefig(
            png,
            format="png",
            dpi=_DPI,
            bbox_inches="tight",
            facecolor="white",
            metadata={"Software": None},
        )
    finally:
        plt.close(fig)
    picture, width = _smaller(png.getvalue())
    # on a phone a wide figure scrolls in its own box rather than shrink until nobody can read it
    size = f"width:{width}px;max-width:100%;min-width:{min(width, _LEAST)}px"
    html = card(data_uri("image/png", picture), alt, size)
    return Shown(f'<div style="overflow-x:auto">{html}</div>', f"figure: {' '.join(alt.split())}")


def _check_labels(ax):
    if not ax.axison or not ax.get_visible():
        return
    x, y = (
        next(
            (
                label
                for other in group.get_siblings(ax)
                if (label := getattr(other, f"get_{name}label")())
            ),
            "",
        )
        for name, group in (("x", ax.get_shared_x_axes()), ("y", ax.get_shared_y_axes()))
    )
    where = f"axis {ax.figure.axes.index(ax) + 1} ({ax.get_title() or 'untitled'})"
    if ax.get_label() == "<colorbar>":
        if not (x or y):
            raise ValueError(
                f"{where}: the colour bar has no label: say what its colours mean, with the unit"
            )
        return
    for name, label in (("x", x), ("y", y)):
        if not label:
            raise ValueError(
                f'{where} has no {name} label: ax.set_{name}label("what (unit)"), or ax.axis("off")'
            )


def _smaller(png):
    """The same picture in at most 256 colours, a third of the bytes and no visible change in a plot; and its width."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return min(out.getvalue(), png, key=len), image.width
