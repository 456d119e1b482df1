"""Pad of buttons: what each of them writes is played below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from musiclab.data.piece import Piece
from musiclab.show.audio import play

__all__ = ["pad"]


def pad(write: Callable[[int, int], Piece], rows: Sequence[str], columns: Sequence[str], bpm=100):
    """Show a grid of buttons that write music; Tab and Enter reach and press them, too.

    Args:
      write: row, column (from 0, the first row on top) -> a piece.
      rows, columns: what the buttons are called, "column, row".
      bpm: quarters per minute of the players.

    Returns:
      A widget: the buttons, and below them the player of the one that was pressed last. An error of
      ``write`` is told there in its own words.

    Raises:
      ValueError: if there is no row or no column.

    >>> pad(lambda i, j: Piece([[60 + i + j]] * 4), ["high"], ["left", "right"]).children[0][0, 1].description
    'right, high'
    """
    import ipywidgets as widgets

    if not rows or not columns:
        raise ValueError(f"{len(rows)} rows and {len(columns)} columns: need at least one of each")
    buttons = widgets.GridspecLayout(len(rows), len(columns))
    below = widgets.HTML("Press a button: what it writes is played here.")

    def press(button):
        try:
            piece = write(*places[button])
        except ValueError as error:
            below.value = f"<p role='alert'>{escape(str(error))}</p>"
        else:
            below.value = play(piece, bpm=bpm, title=button.description).html

    places = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            button = widgets.Button(description=f"{column}, {row}", layout={"width": "auto"})
            button.on_click(press)
            buttons[i, j], places[button] = button, (i, j)
    return widgets.VBox([buttons, below])
