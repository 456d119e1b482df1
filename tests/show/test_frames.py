"""One of several outputs at a time: what is hidden, what is named, and that two choices do not interfere."""

import re

import pytest

from musiclab import show
from musiclab.show.html import Shown

OUTPUTS = {"0": Shown("<b>begin</b>", "begin"), "<125>": Shown("<b>end</b>", "end")}


def test_each_button_shows_its_own_output():
    html = show.frames(OUTPUTS, "training steps").html
    ids = re.findall(r'<input type="radio" name="[\w-]+" id="([\w-]+)"', html)
    assert len(ids) == len(set(ids)) == 2
    assert re.findall(r'<label for="([\w-]+)"[^>]*>([^<]*)</label>', html) == [
        (ids[0], "0"),
        (ids[1], "&lt;125&gt;"),
    ]
    for k, name in enumerate(ids, start=1):
        assert f"#{name}:checked~div>div:nth-child({k}){{display:block}}" in html
    assert html.count(" checked") == 1
    assert html.index("<b>begin</b>") < html.index("<b>end</b>")
    assert "<legend" in html
    assert "training steps</legend>" in html


def test_two_choices_on_a_page_have_names_of_their_own():
    one, other = (show.frames(OUTPUTS, label).html for label in ("steps", "seconds"))
    assert not set(re.findall(r'id="([\w-]+)"', one)) & set(re.findall(r'id="([\w-]+)"', other))
    assert one == show.frames(OUTPUTS, "steps").html


def test_it_is_described_in_words():
    assert repr(show.frames(OUTPUTS, "steps")) == "<frames, steps: 0 (begin); <125> (end)>"


def test_bad_calls_are_named():
    with pytest.raises(ValueError, match="1 outputs: a choice needs at least 2"):
        show.frames({"0": OUTPUTS["0"]}, "steps")
    with pytest.raises(ValueError, match="label is empty"):
        show.frames(OUTPUTS, " ")
