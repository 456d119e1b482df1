"""The pad: a button writes what its row and column say, and an error is told in words."""

import pytest

from musiclab import show
from musiclab.data import Piece


def written(i, j):
    """A tone for each button but the last, which cannot be written."""
    if (i, j) == (1, 2):
        raise ValueError("too <many> notes")
    return Piece([[60 + 10 * i + j]] * 4)


def test_a_button_writes_its_own_place():
    pressed = []
    widget = show.pad(
        lambda i, j: pressed.append((i, j)) or written(i, j), ["a", "b"], ["x", "y", "z"]
    )
    buttons, below = widget.children
    assert "Press a button" in below.value
    buttons[1, 0].click()
    assert pressed == [(1, 0)]
    assert "x, b" in below.value
    assert "<audio" in below.value
    buttons[0, 2].click()
    assert pressed[1:] == [(0, 2)]
    assert "z, a" in below.value


def test_an_error_is_told_and_the_pad_goes_on():
    buttons, below = show.pad(written, ["a", "b"], ["x", "y", "z"]).children
    buttons[1, 2].click()
    assert "too &lt;many&gt; notes" in below.value
    assert "alert" in below.value
    buttons[0, 0].click()
    assert "x, a" in below.value


@pytest.mark.parametrize(("rows", "columns"), [([], ["x"]), (["a"], [])])
def test_a_pad_without_buttons_is_refused(rows, columns):
    with pytest.raises(ValueError, match="at least one of each"):
        show.pad(written, rows, columns)
