"""The player of notebooks and pages, in a page of its own that is opened as a file: nothing is loaded."""

import numpy as np
import pytest

from musiclab import show
from musiclab.data import load_chorales

TONE = np.sin(np.arange(32_000) / 8)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A page with two players, the score of the first, a sound with its picture, and a place that a widget fills."""
    chorale = load_chorales()[0]
    parts = [
        show.play(chorale, title="A chorale"),
        show.score(chorale, max_bars=4),
        show.play([60] * 16 + [62] * 16, title="Two notes"),
        show.sound(TONE, 16_000, title="A tone", alt="A level line at 318 Hz"),
    ]
    body = "".join(part.html for part in parts)
    body += f'<div class="widget-html-content">{show.play([64] * 32, title="A stop").html}</div>'
    path = tmp_path_factory.mktemp("page") / "page.html"
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><body>{body}</body></html>'
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def page(browser, file):
    """The page, opened; at the end no error was seen."""
    one, errors = browser.new_page(viewport={"width": 900, "height": 900}), []
    one.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    one.on("pageerror", lambda error: errors.append(str(error)))
    one.goto(file.as_uri())
    yield one
    one.close()
    assert errors == []


def words(page):
    """What the buttons of all players say."""
    return page.locator("musiclab-player button").all_inner_texts()


def plays(page, index):
    """Wait until a player is heard."""
    page.wait_for_function(
        "i => document.querySelectorAll('audio')[i].currentTime > 0.1", arg=index
    )


def test_durations_are_known_before_anything_plays(page):
    chorale = load_chorales()[0]
    seconds = round(chorale.steps * 60 / 80 / 4)
    wanted = [f"0:00 / {seconds // 60}:{seconds % 60:02}", *["0:00 / 0:06", "0:00 / 0:02"]]
    assert page.locator("musiclab-player .time").all_inner_texts() == [*wanted, "0:00 / 0:06"]
    assert page.locator("musiclab-player > audio:visible").count() == 0


def test_one_sounds_at_a_time_by_keyboard(page):
    assert words(page) == ["Play"] * 4
    for index in (0, 1):
        page.locator("musiclab-player button").nth(index).focus()
        page.keyboard.press("Space")
        plays(page, index)
    assert words(page) == ["Play", "Pause", "Play", "Play"]
    playing = "[...document.querySelectorAll('audio')].map((audio) => !audio.paused)"
    assert page.evaluate(playing) == [False, True, False, False]
    page.keyboard.press("Space")
    assert words(page) == ["Play"] * 4


def test_the_arrow_keys_move_the_place_while_it_plays(page):
    player = page.locator("musiclab-player").nth(1)
    player.get_by_role("button").click()
    slider = player.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelectorAll('musiclab-player button')[1].textContent === 'Play'"
    )
    assert player.locator(".time").inner_text() == "0:00 / 0:06"  # it ended, and would begin again
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0:03 of 0:06"
    player.get_by_role("button").click()
    page.wait_for_function("document.querySelectorAll('audio')[1].currentTime > 2.9")


def test_a_cursor_follows_in_the_roll_and_in_the_score(page):
    player = page.locator("musiclab-player").first
    score = page.locator(".musiclab-score")
    assert score.locator(".musiclab-cursor").count() == 0
    slider = player.get_by_role("slider")
    found = []
    for step in (0, 8, 24):
        slider.evaluate("(e, to) => { e.value = to; e.dispatchEvent(new Event('input')); }", step)
        assert float(player.locator("svg .cursor").get_attribute("x")) == step
        line = score.locator(".musiclab-cursor").bounding_box()
        heads = score.locator(f".musiclab-wide [data-at^='{step},']")
        left = min(heads.nth(i).bounding_box()["x"] for i in range(heads.count()))
        assert left - 20 < line["x"] < left + 1
        assert line["height"] > 100  # all four staves
        found.append(line["x"])
    assert found == sorted(found)
    slider.evaluate("e => { e.value = e.max - 4; e.dispatchEvent(new Event('input')); }")
    assert score.locator(".musiclab-cursor").is_hidden()  # beyond what the score shows


def test_a_cursor_moves_over_a_spectrogram(page):
    player = page.locator("musiclab-player").nth(2)
    player.get_by_role("slider").evaluate(
        "e => { e.value = 10; e.dispatchEvent(new Event('input')); }"
    )
    left, right = (float(player.get_attribute(f"data-{side}")) for side in ("from", "to"))
    place = player.locator(".cursor").evaluate("e => e.style.left")
    assert float(place.removesuffix("%")) == pytest.approx(50 * (left + right))


def test_a_slider_of_a_notebook_goes_on_playing(page):
    page.locator("musiclab-player button").nth(3).click()
    page.wait_for_function("document.querySelectorAll('audio')[3].currentTime > 1")
    page.evaluate(
        "html => { document.querySelector('.widget-html-content').innerHTML = html; }",
        show.play([67] * 32, title="The next stop").html,
    )
    assert words(page)[3] == "Pause"
    page.wait_for_function("document.querySelectorAll('audio')[3].currentTime > 0.9")
    page.locator("musiclab-player button").nth(3).click()
    page.evaluate(
        "html => { document.querySelector('.widget-html-content').innerHTML = html; }",
        show.play([69] * 32).html,
    )
    assert words(page) == ["Play"] * 4  # what is paused stays so


def test_without_a_script_the_sound_can_be_played(browser, file):
    context = browser.new_context(java_script_enabled=False)
    one = context.new_page()
    one.goto(file.as_uri())
    assert one.locator("audio[controls]").count() == 4
    assert one.locator("audio").first.is_visible()
    context.close()
