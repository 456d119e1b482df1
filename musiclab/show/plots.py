"""Plots of piano rolls, comparisons and loss curves; each takes and returns an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from musiclab.data.encodings.scaling import normalise
from musiclab.data.piece import STEPS_PER_QUARTER, Piece
from musiclab.show.html import as_piece, is_roll, notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "HATCHES", "compare", "loss_curves", "piano_roll"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Eight colours that colour-blind readers tell apart (Okabe and Ito 2008), in the order to use them."""

HATCHES = ("", "////", "....", "\\\\\\\\")
"""Fill patterns to go with the first four colours: colour is never the only sign."""

_NATURALS = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}


def piano_roll(x, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw music as bars on a grid of time and pitch, one colour and pattern per voice.

    A note starts with a dark edge and ends with a gap, so a repeated note is told from a held one;
    where voices sing the same pitch they share its row. Where a piece has velocity, louder notes
    are darker. A piano roll knows no voices and no repeated notes: it gets one colour.

    Args:
      x: a Piece, a voices array (T, V) or a piano roll (T, 88).
      ax: axis to draw on; a new figure without one.
      title: title of the axis.

    Returns:
      The axis, labelled: bars from left to right, pitch names (C4 is MIDI 60) upwards.

    Raises:
      ValueError: if ``x`` is no music.

    >>> piano_roll([60, 60, 62]).get_xlabel()
    'bar'
    """
    piece = as_piece(x)
    ax = _new_axis(piece) if ax is None else ax
    _draw(ax, piece, is_roll(x), title)
    _grid(ax, piece, *_range(piece), piece.steps)
    return ax


def compare(real, generated, titles: tuple[str, str] = ("Real", "Generated")) -> tuple[Axes, Axes]:
    """Two piano rolls side by side on the same scales.

    Args:
      real: music on the left, in any form :func:`piano_roll` takes.
      generated: music on the right.
      titles: titles of the two.

    Returns:
      The two axes; give either to :func:`musiclab.show.figure`.

    Raises:
      ValueError: if either is no music.

    >>> left, right = compare([60] * 16, [72] * 32)
    >>> left.get_xlim() == right.get_xlim(), left.get_ylim() == right.get_ylim()
    (True, True)
    """
    from matplotlib import pyplot as plt

    pieces = [as_piece(x) for x in (real, generated)]
    low, high = _range(*pieces)
    _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for ax, x, piece, title in zip(axes, (real, generated), pieces, titles):
        _draw(ax, piece, is_roll(x), title)
        _grid(ax, piece, low, high, max(p.steps for p in pieces))
    return tuple(axes)


def loss_curves(
    history, baseline: Mapping[str, float] | None = None, ax: Axes | None = None, unit: str = ""
) -> Axes:
    """Loss per epoch on training and held-out pieces, against named baselines.

    Args:
      history: a Keras ``History``, or a mapping with "loss" and, where measured, "val_loss": a
        number per epoch.
      baseline: horizontal lines to beat, name -> loss.
      ax: axis to draw on; a new figure without one.
      unit: unit of the loss with what it is per, such as "nats per note".

    Returns:
      The axis, labelled.

    Raises:
      ValueError: if the history has no "loss", or any loss in it is not finite.

    >>> ax = loss_curves({"loss": [3, 2], "val_loss": [3, 2.5]}, {"always C": 4}, unit="nats per note")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['training pieces', 'held-out pieces', 'always C']
    """
    from matplotlib.ticker import MaxNLocator

    curves = getattr(history, "history", history)
    if not isinstance(curves, Mapping) or not len(curves.get("loss", ())):
        raise ValueError(
            'history has no "loss": pass what fit returned, or {"loss": [...], "val_loss": [...]}'
        )
    ax = _new_axis() if ax is None else ax
    named = (("loss", "training pieces", "-", "o"), ("val_loss", "held-out pieces", "--", "s"))
    for colour, (key, label, line, marker) in zip(COLOURS, named):
        if key in curves:
            values = np.asarray(curves[key], float)
            if not np.isfinite(values).all():
                raise ValueError(
                    f"{key} of epoch {int(np.argmin(np.isfinite(values))) + 1} is not finite: training diverged"
                )
            epochs = np.arange(1, len(values) + 1)
            every = max(1, len(values) // 10)
            ax.plot(
                epochs,
                values,
                line,
                color=colour,
                marker=marker,
                markevery=every,
                markersize=4,
                label=label,
            )
    for i, (label, value) in enumerate((baseline or {}).items()):
        ax.axhline(
            value, color=COLOURS[(6, 3, 4, 5)[i % 4]], linestyle=(":", "-.")[i % 2], label=label
        )
    ax.set(xlabel="epoch", ylabel=f"loss ({unit})" if unit else "loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax


def _new_axis(piece: Piece | None = None):
    from matplotlib import pyplot as plt

    width = 6.4 if piece is None else float(np.clip(2 + piece.steps * 0.07, 5, 10))
    return plt.subplots(figsize=(width, 4), layout="constrained")[1]


def _draw(ax, piece, voiceless, title):
    from matplotlib.patches import Patch, Rectangle

    n_voices = 1 if voiceless else piece.voices.shape[1]
    for start, stop, pitch, voice in notes(piece):
        voice = 0 if voiceless else voice
        lane, lanes = (0, 1) if voiceless else _lane(piece, start, stop, pitch, voice)
        height = 0.84 / lanes
        bottom = pitch + 0.42 - (lane + 1) * height
        ax.add_patch(
            Rectangle(
                (start, bottom),
                stop - start - 0.1,
                height,
                linewidth=0,
                alpha=_shade(piece, start, voice),
                **_fill(voice),
            )
        )
        ax.vlines(start, bottom, bottom + height, color="black", linewidth=2)
    if n_voices > 1:
        keys = [
            Patch(label=name, **_fill(voice)) for voice, name in enumerate(_voice_names(n_voices))
        ]
        ax.legend(
            handles=keys,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=4,
            frameon=False,
            borderaxespad=0.2,
        )
    if title:
        ax.set_title(title, pad=26 if n_voices > 1 else 6)


def _fill(voice):
    colour, hatch = COLOURS[voice % len(COLOURS)], HATCHES[voice % len(HATCHES)]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "hatch_linewidth": 0.7}


def _shade(piece, start, voice):
    """Opacity of a note: by its velocity, where it has one."""
    velocity = 0 if piece.velocity is None else int(piece.velocity[start, voice])
    return 0.25 + 0.75 * normalise(velocity, 0, 127) if velocity else 1.0


def _lane(piece, start, stop, pitch, voice):
    """Which part of its row a note gets, and of how many: voices in unison share the row."""
    same = [v for v in range(piece.voices.shape[1]) if (piece.voices[start:stop, v] == pitch).any()]
    return same.index(voice), len(same)


def _voice_names(n):
    return ("soprano", "alto", "tenor", "bass") if n == 4 else [f"voice {v + 1}" for v in range(n)]


def _range(*pieces):
    """Lowest and highest pitch; middle C where all is silent."""
    sounding = np.concatenate([piece.voices[piece.voices >= 0] for piece in pieces])
    return (int(sounding.min()), int(sounding.max())) if len(sounding) else (60, 60)


def _grid(ax, piece, low, high, steps):
    """Limits, ticks and labels: bar lines on downbeats, names of natural pitches."""
    ax.set(xlim=(-0.5, steps + 0.5), ylim=(low - 1.5, high + 1.5), ylabel="pitch")
    bars = np.flatnonzero(piece.downbeats)
    for step in bars:
        ax.axvline(step, color="0.6", linewidth=0.8, zorder=0)
    if len(bars):
        every = -(-len(bars) // 12)
        ax.set_xticks(bars[::every], np.arange(1, len(bars) + 1)[::every])
        ax.set_xlabel("bar")
    else:
        ticks = np.arange(0, steps + 1, STEPS_PER_QUARTER)
        ax.set_xticks(ticks, ticks // STEPS_PER_QUARTER)
        ax.set_xlabel("quarter")
    if steps <= 16 * 8:
        ax.set_xticks(
            np.arange(piece.pickup % STEPS_PER_QUARTER, steps, STEPS_PER_QUARTER), minor=True
        )
    wanted = (
        _NATURALS
        if high - low <= 14
        else (0, 4, 7)
        if high - low <= 30
        else (0, 7)
        if high - low <= 50
        else (0,)
    )
    ticks = [p for p in range(low - 1, high + 2) if p % 12 in wanted]
    ax.set_yticks(ticks, [f"{_NATURALS[p % 12]}{p // 12 - 1}" for p in ticks])
    ax.grid(axis="y", color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
