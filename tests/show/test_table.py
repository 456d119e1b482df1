"""Tables: the same cells as HTML and as text, aligned, and readable on a narrow or dark page."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from musiclab import show


class _Cells(HTMLParser):
    """The text of each row of a table, and the styles and scopes of its cells."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.open, self.styles, self.scopes = [], False, [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.open = True
            self.rows[-1].append("")
            self.styles.append(dict(attrs)["style"])
            self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag):
        self.open &= tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


ROWS = [("hold rate", 0.7349, 12, True), ("a < b", float("nan"), None, False)]
HEADS = ["measure", "value", "n", "passed"]


def test_html_and_text_hold_the_same_cells():
    found = show.table(ROWS, HEADS, title="Two & more")
    cells = [HEADS, ["hold rate", "0.73", "12", "yes"], ["a < b", "–", "–", "no"]]
    assert _Cells(found.html).rows == cells
    lines = found.text.splitlines()
    assert lines[0] == "Two & more"
    assert [re.split(r"\s{2,}", line) for line in lines[1:]] == [
        [cell for cell in row if cell] for row in cells
    ]
    assert ">Two &amp; more</caption>" in found.html
    assert repr(found) == str(found) == found.text
    assert found._repr_html_() == found.html


def test_numbers_stand_under_one_another():
    lines = show.table({"a": [1.5], "long label": [-10.25]}, ["", "x"]).text.splitlines()
    assert lines == ["                 x", "a             1.50", "long label  -10.25"]
    styles = _Cells(show.table(ROWS, HEADS).html).styles
    assert ["right" in style for style in styles] == [False, True, True, False] * 3


def test_rows_may_be_an_array_mappings_or_a_mapping_of_either():
    wanted = [["", "x", "y"], ["a", "1.0", "2.0"], ["b", "3.0", "4.0"]]
    by_name = {"a": {"x": 1.0, "y": 2.0}, "b": {"y": 4.0, "x": 3.0}}
    for rows, columns in (
        (by_name, None),
        (by_name, ["", "x", "y"]),
        ({"a": (1.0, 2.0), "b": np.array([3.0, 4.0])}, ["", "x", "y"]),
        ([{"": "a", "x": 1.0, "y": 2.0}, {"": "b", "x": 3.0, "y": 4.0}], None),
    ):
        assert _Cells(show.table(rows, columns, digits=1).html).rows == wanted
    array = show.table(np.array([[1, 2], [3, 4]]), ["x", "y"])
    assert _Cells(array.html).rows == [["x", "y"], ["1", "2"], ["3", "4"]]
    assert _Cells(show.table({"a": np.float32(0.5)}, ["", "x"]).html).rows[1] == ["a", "0.50"]


def test_pages_narrow_dark_and_read_aloud():
    found = show.table(ROWS, HEADS)
    assert found.html.startswith('<div style="overflow-x:auto">')
    assert "color:inherit" in found.html
    assert not re.search(r"background|#[0-9a-f]{3}|black|white(?!-space)", found.html)
    parsed = _Cells(found.html)
    assert all("padding" in style for style in parsed.styles)
    assert parsed.scopes == ["col"] * 4 + ["row", None, None, None] * 2


@pytest.mark.parametrize(
    ("rows", "columns", "why"),
    [
        ([], ["a"], "at least one"),
        ({}, None, "at least one"),
        ([(1, 2)], None, "name them, one heading for each of the 2 cells"),
        ([(1, 2), (1,)], ["a", "b"], r"row 1 has 1 cells, the table 2 columns \(a, b\)"),
        ({"x": {"a": 1}, "y": {"b": 2}}, None, "row 1 has 1 cells"),
    ],
)
def test_tables_that_are_none_are_refused(rows, columns, why):
    with pytest.raises(ValueError, match=why):
        show.table(rows, columns)


def test_a_corner_without_words_is_no_heading():
    html = show.table({"a": {"x": 1.0}}).html
    assert html.count('<th scope="col"') == 1
    assert re.search(r"<thead><tr><td[^>]*></td><th", html)


def test_short_cells_stay_in_one_line_and_sentences_have_room():
    words = "bars in which no voice sounds at all"
    html = show.table([("empty bars", "0.15 to 1.00", words)], ["measure", "range", "meaning"]).html
    cells = {text: style for style, text in re.findall(r'style="([^"]*)">([^<]+)</t[dh]>', html)}
    assert cells["0.15 to 1.00"].endswith("white-space:nowrap")
    assert cells[words].endswith("min-width:14rem")
    assert cells["meaning"] == cells[words]
