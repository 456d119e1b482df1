"""Small labelled tables: HTML in a notebook, aligned text in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from numbers import Integral, Real

import numpy as np

from musiclab.show.html import Shown

__all__ = ["table"]

_ABSENT = "–"
_SHORT, _LONG = 16, 28  # letters
_CELL = "padding:.2rem .7rem;border-bottom:1px solid rgba(128,128,128,.35);text-align:"


class Table(Shown):
    """A table with its text form; made by :func:`table`."""

    def __repr__(self) -> str:
        return self.text


def table(
    rows: Iterable | Mapping,
    columns: Sequence[str] | None = None,
    title: str | None = None,
    digits: int = 2,
) -> Table:
    """A labelled table of numbers and words: what a cell ends with in place of a bare tuple, dict or array.

    Args:
      rows: sequences of cells, such as a list of tuples or a 2-D array; or a mapping from each
        row's label to its cells, a sequence or a mapping from heading to cell.
      columns: the headings, one for each cell. A mapping's first heading stands over the labels.
        None takes the headings from the rows, which are then mappings.
      title: a caption above the table.
      digits: decimals of floats. Other cells: integers and text as they are, True and False as yes
        and no, None and nan as a dash.

    Returns:
      The table as HTML, and as text for ``print`` and screens without HTML. Numbers are aligned
      right.

    Raises:
      ValueError: if there is no row, headings are missing, or a row has more or fewer cells than
        headings.

    >>> print(table([("hold rate", 0.731), ("bars", 12)], ["measure", "value"]))
    measure    value
    hold rate   0.73
    bars          12
    >>> print(table({"real": {"hold": 0.7, "scale": None}}))
          hold  scale
    real  0.70      –
    """
    columns, rows = _columns_and_rows(rows, columns)
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    cells = [[_text(cell, digits) for cell in row] for row in rows]
    return Table(_html(columns, cells, right, title), _plain(columns, cells, right, title))


def _columns_and_rows(rows, columns):
    if isinstance(rows, Mapping):
        named = [cells for cells in rows.values() if isinstance(cells, Mapping)]
        if columns is None and named:
            columns = ["", *named[0]]
        rows = [[label, *_cells(cells, columns)] for label, cells in rows.items()]
    else:
        rows = list(rows)
        if columns is None and rows and isinstance(rows[0], Mapping):
            columns = list(rows[0])
        rows = [_cells(row, columns) for row in rows]
    if not rows:
        raise ValueError("rows: there is none; a table needs at least one")
    if columns is None:
        raise ValueError(f"columns: name them, one heading for each of the {len(rows[0])} cells")
    columns = [str(column) for column in columns]
    for i, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(
                f"row {i} has {len(row)} cells, the table {len(columns)} columns ({', '.join(columns)})"
            )
    return columns, rows


def _cells(row, columns):
    if isinstance(row, Mapping):
        return [row[column] for column in columns or row if column in row]
    return [row] if isinstance(row, str) or not np.iterable(row) else list(row)


def _is_number(cell):
    return cell is None or (isinstance(cell, Real) and not isinstance(cell, bool))


def _text(cell, digits):
    if cell is None or (isinstance(cell, Real) and np.isnan(cell)):
        return _ABSENT
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, Real) and not isinstance(cell, Integral):
        return f"{cell:.{digits}f}"
    return str(cell)


def _html(columns, cells, right, title):
    style = [
        _CELL + ("right" if to_right else "left") + _wrapping(column, [row[i] for row in cells])
        for i, (column, to_right) in enumerate(zip(columns, right))
    ]
    head = "".join(
        f'<th scope="col" style="{look}">{escape(column)}</th>'
        if column
        else f'<td style="{look}"></td>'
        for look, column in zip(style, columns)
    )
    body = "".join(f"<tr>{_html_row(row, style)}</tr>" for row in cells)
    caption = (
        f'<caption style="text-align:left;font-weight:600;padding:.3rem 0">{escape(title)}</caption>'
        if title
        else ""
    )
    # a wide table scrolls in its own box on a phone; colours are the page's own, light or dark
    return (
        '<div style="overflow-x:auto"><table class="musiclab" style="border-collapse:collapse;'
        f'color:inherit;font-size:.9em;margin:.5rem 0">{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _wrapping(heading, cells):
    """On a phone rows stay low: what is short does not wrap, and sentences have room."""
    longest = max(len(text) for text in [heading, *cells])
    return ";white-space:nowrap" if longest <= _SHORT else ";min-width:14rem" * (longest > _LONG)


def _html_row(row, style):
    first = f'<th scope="row" style="{style[0]};font-weight:normal">{escape(row[0])}</th>'
    return first + "".join(
        f'<td style="{look}">{escape(cell)}</td>' for look, cell in zip(style[1:], row[1:])
    )


def _plain(columns, cells, right, title):
    lines = [columns, *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    texts = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([title, *texts] if title else texts)
