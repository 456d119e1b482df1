"""The table that :func:`musiclab.metrics.looks_like_music` returns.

Lessons: 02, and every lesson that generates.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Report", "Row"]

_HEADINGS = ("measure", "generated", "real music", "verdict", "what it says")


class Row(NamedTuple):
    """One measure of a report: passed if low <= generated <= high; an open side is infinite."""

    measure: str
    generated: float
    low: float
    high: float
    passed: bool
    meaning: str


@dataclass(frozen=True)
class Report:
    """What :func:`looks_like_music` found; prints as a table, and shows as one in a notebook.

    Attributes:
      rows: one per measure. n_generated, n_real: pieces compared.
      memorisation: whether training pieces were given to look for copies of.
    """

    rows: tuple[Row, ...]
    n_generated: int
    n_real: int
    memorisation: bool

    @property
    def passed(self) -> bool:
        """True if every measure passed."""
        return all(row.passed for row in self.rows)

    @property
    def failed(self) -> list[str]:
        """Names of the measures that did not pass."""
        return [row.measure for row in self.rows if not row.passed]

    def __str__(self):
        cells = [_HEADINGS, *map(_cells, self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(_HEADINGS))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip()
            for row in cells
        ]
        return "\n".join([self._verdict(), *lines])

    def _repr_html_(self):
        head = "".join(
            f'<th scope="col" style="text-align:left">{heading}</th>' for heading in _HEADINGS
        )
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:left">{html.escape(text)}</td>' for text in _cells(row)
            )
            + "</tr>"
            for row in self.rows
        )
        caption = f'<caption style="text-align:left">{html.escape(self._verdict())}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _verdict(self):
        verdict = (
            "looks like music"
            if self.passed
            else f"does not look like music: {', '.join(self.failed)}"
        )
        copies = "" if self.memorisation else " (not compared with training pieces)"
        return f"{self.n_generated} generated against {self.n_real} real: {verdict}{copies}"


def _cells(row):
    low, high = row.low > -np.inf, row.high < np.inf
    if low and high:
        span = f"{row.low:.2f} to {row.high:.2f}"
    elif high:
        span = f"at most {row.high:.2f}"
    else:
        span = f"at least {row.low:.2f}" if low else "anything"
    value = "undefined" if np.isnan(row.generated) else f"{row.generated:.2f}"
    return row.measure, value, span, "pass" if row.passed else "FAIL", row.meaning
