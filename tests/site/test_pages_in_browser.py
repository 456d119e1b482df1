"""Every page in a browser: no error, no request that leaves the machine, readable for all, fits a phone, plays."""

import gzip
import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image
from scipy.stats import binomtest

from musiclab.metrics.listening_answers import merge_answers, read_answers

WHOLE = os.environ.get("MUSICLAB_SITE", "")
PICTURES = Path(__file__).resolve().parents[2] / "site" / "pictures"
AXE = Path(__file__).resolve().parent / "axe" / "axe.min.js"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
WIDTHS = (360, 768, 1280, 1440)
SMALL = re.compile(
    r"(?!slides/)(?!lessons/(?!index|00|01|exercises/(?:index|01))|reference/api/(?!index|musiclab\.models\.recurrent))(?!genindex|py-modindex)"
)
RUN_AXE = """async rules => {
    const found = await axe.run(document, rules ? {runOnly: rules} : {});
    return found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")}`);
}"""
MATHS = """async () => {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    return {
        formulas: document.querySelectorAll("div.math, span.math").length,
        drawn: document.querySelectorAll("mjx-container").length,
        errors: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map(e => e.textContent),
    };
}"""
WIDER = """() => {
    const page = document.documentElement.scrollWidth - window.innerWidth;
    if (page <= 0) return "";
    const wide = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
    return `${page} px, such as ${wide.slice(-2).map(e => e.outerHTML.slice(0, 120)).join(" | ")}`;
}"""

CODE_OUT = """() => [...document.querySelectorAll("div.highlight pre")]
    .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.innerText.slice(0, 200))"""
TEXT_OUT = """() => [...document.querySelectorAll("main svg text")].filter(text => {
    let svg = text.ownerSVGElement;
    while (svg.ownerSVGElement) svg = svg.ownerSVGElement;
    const [inner, outer] = [text, svg].map(part => part.getBoundingClientRect());
    return inner.width && (inner.left < outer.left - 1 || inner.right > outer.right + 1
        || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1);
}).map(text => text.textContent)"""
BOX_OUT = """() => [...document.querySelectorAll(".course-map a")].flatMap(link => {
    const box = link.querySelector("rect").getBoundingClientRect();
    return [...link.querySelectorAll("text")].filter(text => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return left < box.left || right > box.right || top < box.top - 1 || bottom > box.bottom + 1;
    }).map(text => text.textContent);
})"""

SLIDE = """() => {
    const slide = deck.getCurrentSlide(), text = slide.cloneNode(true);
    text.querySelectorAll("pre, code, mjx-container, aside").forEach(e => e.remove());
    const undrawn = text.textContent.match(/\\$[^$]+\\$|\\\\[a-z]+/g) || [];
    const errors = [...slide.querySelectorAll("mjx-merror")].map(e => e.textContent);
    const below = (part) => part.getBoundingClientRect().top - part.parentElement.getBoundingClientRect().top;
    const players = [...slide.querySelectorAll(".musiclab-player > .controls")]
        .filter(part => part.offsetHeight && part.parentElement.querySelector("svg, img"));
    const lost = players.map(below).filter(y => y < 40 || y > 400);
    const box = slide.getBoundingClientRect();
    const seen = box.height > 600 && box.top >= 0 && box.bottom <= innerHeight + 1 ? slide.innerText : "";
    return [slide.scrollWidth - slide.clientWidth, [...undrawn, ...errors].join(" "), seen, lost.length];
}"""
CUT_OFF = """() => [...document.querySelectorAll("div.math")].filter(box => {
    const left = box.getBoundingClientRect().left - 1;
    return box.scrollLeft === 0 && [...box.children].some(part => part.getBoundingClientRect().left < left);
}).map(box => box.id || box.textContent.slice(0, 80))"""


@pytest.fixture(scope="module")
def visits(site, address, browser):
    """What was seen on each page."""
    names = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    names = [name for name in names if not name.startswith("_")]
    page = browser.new_context(viewport=DESK, reduced_motion="reduce").new_page()
    found, now = {}, {}
    page.on("request", lambda request: now["requests"].append(request.url))
    page.on(
        "console",
        lambda message: now["errors"].append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: now["errors"].append(str(error)))
    for name in names if WHOLE else [name for name in names if SMALL.match(name)]:
        now.update(requests=[], errors=[])
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)
        page.goto(f"{address}/{name}", wait_until="load")
        seen = {"maths": page.evaluate(MATHS)}
        page.wait_for_timeout(60)  # what scrolls has become reachable by then
        page.evaluate(AXE.read_text(encoding="utf-8"))
        seen["light"] = page.evaluate(RUN_AXE, None)
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(60)
        seen["dark"] = page.evaluate(RUN_AXE, None if WHOLE else ["color-contrast"])
        seen["theme"] = page.evaluate("document.documentElement.dataset.theme")
        seen["code"], seen["text"], seen["wider"] = page.evaluate(CODE_OUT), [], {}
        for width in sorted(WIDTHS, reverse=True):  # the phone's comes last
            page.set_viewport_size({"width": width, "height": PHONE["height"]})
            seen["wider"][width] = page.evaluate(WIDER)
            seen["text"] += page.evaluate(TEXT_OUT)
        page.wait_for_timeout(60)
        seen["cut off"] = page.evaluate(CUT_OFF)
        found[name] = seen | {"requests": list(now["requests"]), "errors": list(now["errors"])}
    page.close()
    return found


def test_pages_were_visited(visits):
    assert {
        "index.html",
        "start.html",
        "lessons/00_first_listen.html",
        "listen/gallery.html",
    } <= set(visits)


def test_no_page_has_an_error_in_the_console(visits):
    assert {name: seen["errors"] for name, seen in visits.items() if seen["errors"]} == {}


def test_no_request_leaves_the_machine(visits, address):
    requests = [url for seen in visits.values() for url in seen["requests"]]
    assert len(requests) > 10, "the browser's requests were not seen"
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visits, theme):
    assert {name: seen[theme] for name, seen in visits.items() if seen[theme]} == {}


def test_the_front_page_is_light(visits, site, address):
    """As hosts of static pages send it, compressed, and before anything plays."""
    names = {
        url.removeprefix(address).partition("?")[0].lstrip("/")
        for url in visits["index.html"]["requests"]
    }
    contents = {name: (site / name).read_bytes() for name in names if (site / name).is_file()}
    packed = (".html", ".css", ".js", ".json")
    weight = sum(
        len(gzip.compress(content, 6)) if name.endswith(packed) else len(content)
        for name, content in contents.items()
    )
    assert 50_000 < weight <= 600_000


def test_dark_is_dark(visits):
    assert {seen["theme"] for seen in visits.values()} == {"dark"}


@pytest.mark.parametrize(("theme", "low", "high"), [("light", 255, 255), ("dark", 190, 225)])
def test_figures_stand_on_a_card_that_does_not_dazzle(browser, address, theme, low, high):
    context = browser.new_context(viewport=DESK, color_scheme=theme)
    page = context.new_page()
    page.goto(f"{address}/lessons/01_music_as_numbers.html")
    card = page.locator(".musiclab-card").first
    card.scroll_into_view_if_needed()
    page.wait_for_function("img => img.complete", arg=card.locator("img").element_handle())
    with Image.open(io.BytesIO(card.screenshot())) as picture:
        paper = picture.convert("RGB").getpixel((8, 8))
    context.close()
    assert all(low <= part <= high for part in paper), paper


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(visits, width):
    wider = {name: seen["wider"][width] for name, seen in visits.items()}
    assert {name: found for name, found in wider.items() if found} == {}


def test_code_fits_at_a_desk(visits):
    assert {name: seen["code"] for name, seen in visits.items() if seen["code"]} == {}


def test_no_text_is_outside_its_drawing(visits):
    assert {name: seen["text"] for name, seen in visits.items() if seen["text"]} == {}


def test_formulas_can_be_scrolled_to_their_beginning(visits):
    assert {name: seen["cut off"] for name, seen in visits.items() if seen["cut off"]} == {}


def test_every_formula_is_drawn(visits):
    maths = {name: seen["maths"] for name, seen in visits.items()}
    assert sum(one["formulas"] for one in maths.values()) > 100
    assert {
        name: one for name, one in maths.items() if one["formulas"] > one["drawn"] or one["errors"]
    } == {}


@pytest.mark.parametrize("name", ["index", "lessons/00_first_listen", "listen/gallery"])
def test_players_play(browser, address, name):
    page = browser.new_page()
    page.goto(f"{address}/{name}.html")
    player = page.locator("musiclab-player").first
    assert re.fullmatch(r"0:00 / 0:[1-5]\d|0:00 / 1:\d\d", player.locator(".time").inner_text())
    player.get_by_role("button").click()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.2", timeout=10_000)
    assert page.evaluate("document.querySelector('audio').error") is None
    page.close()


def test_the_listening_test_by_keyboard(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/listen/which_is_bach.html")
    stored = page.evaluate("Object.keys(localStorage).length")
    page.locator(".quiz button").focus()
    page.keyboard.press("Enter")
    heading = page.locator(".quiz h2")
    n = int(re.search(r"of (\d+)", heading.inner_text())[1])
    assert 1 <= n <= 12
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE, None) == []
    for number in range(1, n + 1):
        assert heading.inner_text().startswith(f"Round {number} of {n}")
        assert heading.evaluate("e => e === document.activeElement")
        files = page.locator(".quiz audio").evaluate_all(
            "all => all.map(a => a.getAttribute('src'))"
        )
        assert len(set(files)) == 2
        assert page.locator(".quiz .time").count() == 2
        page.get_by_role("button", name="A is Bach").focus()
        page.keyboard.press("Enter")
    right = int(re.search(r"(\d+) times out of", heading.inner_text())[1])
    wanted = binomtest(right, n).proportion_ci(0.95, method="wilson")
    said = page.locator(".quiz-summary").inner_text()
    assert f"from {wanted.low:.0%} to {wanted.high:.0%}" in said.replace("-0%", "0%")
    lines = page.locator(".quiz li").all_inner_texts()
    assert len(lines) == n
    assert sum(line.startswith("right") for line in lines) == right
    assert (
        sum(line.startswith("right; Bach was A") for line in lines) == right
    )  # every answer was A
    assert page.locator(".quiz svg .chance").count() == 1
    assert page.evaluate(RUN_AXE, None) == []
    assert page.evaluate("Object.keys(localStorage).length") == stored
    assert page.evaluate("document.cookie") == ""
    page.close()


def test_a_class_gets_the_same_rounds_and_hands_in_files(browser, address, tmp_path):
    played, files = [], []
    for _ in range(2):
        page = browser.new_page(accept_downloads=True)
        asked = []
        page.on("request", lambda request: asked.append(request.url))  # noqa: B023
        page.goto(f"{address}/listen/which_is_bach.html?class=7c&rounds=1")
        code = page.locator("input[name=code]")
        assert code.input_value() == "7c"
        assert code.get_attribute("readonly") is not None
        page.locator(".quiz button").click()
        assert page.locator(".quiz h2").inner_text().startswith("Round 1 of 1")
        sources = page.locator(".quiz audio").evaluate_all("all => all.map(a => a.src)")
        played.append(set(sources))
        page.get_by_role("button", name="A is Bach").click()
        said = page.locator(".quiz li").inner_text()
        assert page.locator(".quiz-models td").nth(1).inner_text() in ("0 of 1", "1 of 1")
        assert page.locator(".quiz-missed audio").count() == (0 if said.startswith("right") else 2)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(RUN_AXE, None) == []
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download my answers").click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
        files.append(file)
        (answer,) = read_answers(file)
        assert answer.right == said.startswith("right")
        assert answer.answer == "A"
        assert said.endswith(answer.model)
        assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
        page.close()
    assert played[0] == played[1]
    assert len(merge_answers(files, code="7c")) == 2  # two listeners


def test_a_name_with_a_comma_and_quotes_is_one_entry(browser, address, tmp_path):
    page = browser.new_page()
    page.goto(f"{address}/listen/which_is_bach.html")
    model = 'VAE, the "small" one'
    text = page.evaluate(
        "by => answersAsCsv('', '0123abcd', [{by, bachFirst: false}, {by, bachFirst: true}], [true, false])",
        model,
    )
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = read_answers(tmp_path / "a.csv")
    assert [(one.model, one.bach, one.answer) for one in found] == [
        (model, "B", "B"),
        (model, "A", "B"),
    ]
    page.close()


def test_a_class_code_decides_the_selection(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/listen/which_is_bach.html")
    draw = "code => shuffled([...Array(30).keys()], randomFrom(code)).slice(0, 8)"
    first = page.evaluate(draw, "7c")
    assert page.evaluate(draw, "7c") == first
    others = [page.evaluate(draw, f"class-{i}") for i in range(20)]
    assert len({tuple(one) for one in others}) == 20
    page.close()


def test_the_listening_test_shuffles(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/listen/which_is_bach.html")
    firsts = page.evaluate("""() => Array.from({length: 200}, () => shuffled([0, 1, 2])[0])""")
    assert all(firsts.count(i) > 30 for i in range(3))
    page.close()


@pytest.mark.skipif(not WHOLE, reason="the lessons with sliders are not run for the small website")
def test_sliders_by_keyboard(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/listen/sliders.html")
    assert page.locator(".stops").count() >= 3
    for i in range(page.locator(".stops").count()):
        box = page.locator(".stops").nth(i)
        control = box.locator(".stops-control input")
        control.focus()
        page.keyboard.press("Home")
        seen = []
        for _ in range(box.locator(".stop").count()):
            assert box.locator(".stop:visible").count() == 1
            seen.append(box.locator(".stop:visible").get_attribute("data-value"))
            assert box.locator("output").inner_text() == seen[-1]
            assert control.get_attribute("aria-valuetext") == seen[-1]
            page.keyboard.press("ArrowRight")
        assert len(set(seen)) == len(seen) >= 3
        player = box.locator(".stop:visible musiclab-player")
        assert player.count() == 1
        player.get_by_role("button").focus()
        page.keyboard.press("Enter")
        control.focus()
        page.keyboard.press("Home")  # the music goes on at the new stop
        words = box.locator("musiclab-player button").all_inner_texts()
        assert (words[0], words.count("Pause")) == ("Pause", 1)
    page.close()


def test_search_finds(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=peephole")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    assert "07_lstm_gating.html" in " ".join(
        page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
    )
    page.close()


# the wide ones stand for systems without Times, the narrow one for a face like it
FONTS = ["Times, serif", "DejaVu Sans Mono, monospace", "sans-serif", "DejaVu Serif Condensed"]


def test_slides_fit_and_are_whole(site, address, browser):
    decks = sorted((site / "slides").glob("*.html"))
    assert decks
    wrong, requests = [], []
    for file in decks:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{address}/slides/{file.name}")
        page.wait_for_function("window.deck && deck.isReady()")
        count = page.evaluate("deck.getTotalSlides()")
        assert count > 10, file.name
        for n in range(count):
            page.wait_for_function("deck.getCurrentSlide().dataset.ready === ''")
            wide, undrawn, shown, lost = page.evaluate(SLIDE)
            if wide > 1 or undrawn or not shown.strip() or lost:
                wrong.append(f"{file.name}, slide {n + 1}: {wide} px too wide, {undrawn}")
            page.keyboard.press("Space")
        assert page.evaluate("deck.isLastSlide()")
        page.close()
    assert wrong == []
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def drawn():
    """A score, the score of the README, and every drawing of the lessons."""
    from musiclab.data import load_chorales
    from musiclab.show import score

    drawings = sorted((PICTURES.parents[1] / "notebooks" / "figures").glob("*.svg"))
    files = [PICTURES / "chorale_score.svg", *drawings]
    return score(load_chorales()[0]).html + "".join(f.read_text(encoding="utf-8") for f in files)


@pytest.mark.parametrize("font", FONTS)
def test_no_text_is_outside_its_drawing_in_any_font(browser, drawn, font):
    style = f"<style>text, tspan {{ font-family: {font} !important }}</style>"
    for width in (900, 360):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_content(f"{style}<main>{drawn}</main>")
        names = page.locator(".musiclab-score text:visible").all_text_contents()
        assert names[:4] == ["Soprano", "Alto", "Tenor", "Bass"]
        assert page.evaluate(TEXT_OUT) == []
        page.close()


@pytest.mark.parametrize("font", FONTS)
def test_the_map_keeps_its_words_in_their_boxes(browser, address, font):
    page = browser.new_page()
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{address}/lessons/index.html")
        page.add_style_tag(content=f".course-map text {{ font-family: {font} !important }}")
        shown = page.locator(".course-map svg:visible a")
        assert shown.count() >= 18
        assert page.evaluate(BOX_OUT) == []
    page.close()
