"""Drawings of models: stored as they are drawn, whole, readable, shown stage by stage."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from musiclab import show
from scripts.drawings import SMALLEST, Drawing
from scripts.drawings.__main__ import FOLDER, drawn

WANTED = drawn()
SVG = "{http://www.w3.org/2000/svg}"


def test_stored_drawings_are_what_their_modules_draw():
    stored = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.svg")}
    assert stored.keys() == WANTED.keys(), "run python -m scripts.drawings"
    assert [name for name in WANTED if stored[name] != WANTED[name]] == []


@pytest.mark.parametrize("name", WANTED)
def test_text_stays_inside_and_is_large_enough_for_a_phone(name):
    root = ElementTree.fromstring(WANTED[name])
    _, _, width, height = map(float, root.get("viewBox").split())
    assert root.find(f"{SVG}title").text.strip()
    for text in root.iter(f"{SVG}text"):
        size, x, y = (float(text.get(key)) for key in ("font-size", "x", "y"))
        said = "".join(text.itertext())
        assert size >= SMALLEST
        wide = 0.62 * size * len(said)  # no common font is wider on average
        left = {"middle": x - wide / 2, "start": x, "end": x - wide}[text.get("text-anchor")]
        assert left >= 0, said
        assert left + wide <= width, said
        assert size / 2 <= y <= height - size / 2, said


@pytest.mark.parametrize("name", WANTED)
def test_only_accents_have_a_colour_of_their_own(name):
    colours = set(re.findall(r'(?:fill|stroke)="(#?\w+)"', WANTED[name]))
    assert not {"black", "white", "#000", "#fff", "#000000", "#ffffff"} & colours


def test_stages_are_held_back():
    whole = show.drawing("06_rnn_unrolled", "A loop, unrolled.").html
    first = show.drawing("06_rnn_unrolled", "A loop.", stage=1).html
    assert "hidden" not in whole
    assert first.count('visibility="hidden"') == 2
    assert 'aria-label="A loop."' in first


def test_bad_calls_are_named():
    with pytest.raises(ValueError, match="06_rnn_unrolled"):
        show.drawing("nothing", "alt")
    with pytest.raises(ValueError, match="stages 1 to 3"):
        show.drawing("06_rnn_unrolled", "alt", stage=4)
    with pytest.raises(ValueError, match="alt text"):
        show.drawing("06_rnn_unrolled", " ")


def test_what_a_phone_cannot_show_is_refused():
    with pytest.raises(ValueError, match="at most 520"):
        Drawing(521, 10, "wide")
    with pytest.raises(ValueError, match="at least 13"):
        Drawing(100, 10, "small").text(5, 5, "x", size=12)


def test_indices_and_powers_return_to_the_line():
    picture = Drawing(100, 40, "indices")
    picture.text(50, 20, "W_{hh}^T < x")
    shifts = [float(one) for one in re.findall(r'dy="([-\d]+)"', picture.svg())]
    assert sum(shifts) == 0
    assert "&lt;" in picture.svg()
