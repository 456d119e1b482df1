"""The files of the website: links and anchors resolve, nothing is too large, what is promised is there."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SITE_MB, ZIP_MB, LESSON_MB = 60, 25, 2


class _Page(HTMLParser):
    """Ids and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.titles = set(), [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self.links += [found[name] for name in ("href", "src") if found.get(name)]
        self.titles += tag == "h1"


@pytest.fixture(scope="module")
def pages(site):
    files = [
        file for file in site.rglob("*.html") if file.relative_to(site).parts[0] != "_static"
    ]  # the theme's parts
    return {file: _Page(file.read_text(encoding="utf-8")) for file in files}


def test_every_internal_link_and_anchor_resolves(site, pages):
    missing = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                missing.append(f"{file.relative_to(site)}: {link}")
            elif (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].ids
            ):
                missing.append(f"{file.relative_to(site)}: {link} has no such anchor")
    assert missing == []


def test_pages_load_nothing_from_elsewhere(site):
    # links lead outside, a page's own parts don't
    loads = re.compile(
        r"<(?:script|img|audio|iframe|source)[^>]*\ssrc=\"(https?:)?//|<link[^>]*href=\"(https?:)?//"
    )
    assert [
        file.name for file in site.rglob("*.html") if loads.search(file.read_text(encoding="utf-8"))
    ] == []


def test_no_markup_is_left_for_the_reader(site):
    role = re.compile(r":(?:func|class|meth|mod|data|attr):")
    assert [
        file.name for file in site.rglob("*.html") if role.search(file.read_text(encoding="utf-8"))
    ] == []


def test_sizes(site):
    files = {file: file.stat().st_size / 1e6 for file in site.rglob("*") if file.is_file()}
    # the course as a file is a download of its own, most of it the weights
    course = sum(size for file, size in files.items() if file.suffix == ".zip")
    assert course <= ZIP_MB
    assert sum(files.values()) - course <= SITE_MB
    for page in (site / "lessons").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        media = {site / "_media" / name for name in re.findall(r"_media/([\w.]+)", text)}
        # MIDI and MusicXML are for those who download them
        loaded = files[page] + sum(files[file] for file in media if file.suffix in (".png", ".mp3"))
        assert loaded <= LESSON_MB, f"{page.name}, its pictures and its sound: {loaded:.1f} MB"


def test_lessons_show_what_they_promise(site, pages):
    for notebook in (ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"):
        page = site / "lessons" / f"{notebook.stem}.html"
        text = page.read_text(encoding="utf-8")
        assert pages[page].titles == 1
        assert "objectives" in text
        assert "Run time" in text
        assert f"../notebooks/{notebook.name}" in pages[page].links
        assert (site / "notebooks" / notebook.name).read_bytes() == notebook.read_bytes()
        assert "prev-next-area" in text
    first = (site / "lessons" / "00_first_listen.html").read_text(encoding="utf-8")
    for part in ("<audio", "musiclab-score", "<img"):
        assert part in first


def test_exercises_can_be_read_beside_their_lesson(site, pages):
    notebooks = list((ROOT / "notebooks" / "exercises").glob("[0-9][0-9]*_*.ipynb"))
    assert notebooks
    index = pages[site / "lessons" / "exercises" / "index.html"]
    for notebook in notebooks:
        name = f"{notebook.stem}.html"
        page = site / "lessons" / "exercises" / name
        text = page.read_text(encoding="utf-8")
        assert f"exercises/{name}" in pages[site / "lessons" / name].links
        assert name in index.links
        assert f"../../notebooks/exercises/{notebook.name}" in pages[page].links
        assert "NotImplementedError" in text
        assert 'class="n">checks</span>' in text or 'class="nn">musiclab.checks</span>' in text
        copy = site / "notebooks" / "exercises" / notebook.name
        assert copy.read_bytes() == notebook.read_bytes()


def test_the_front_page_has_a_description_and_a_picture_for_links(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    found = dict(re.findall(r'<meta content="([^"]+)" (?:name|property)="([\w:]+)"', text))
    found = {name: content for content, name in found.items()}
    assert len(found["description"]) > 60
    picture = found["og:image"]
    assert "_static/" in picture
    with Image.open(site / "_static" / picture.rpartition("/")[2]) as preview:
        assert preview.size == (1200, 630)


def test_equations_lead_to_code_and_back(site):
    lesson = (site / "lessons" / "07_lstm_gating.html").read_text(encoding="utf-8")
    code = (site / "reference" / "api" / "musiclab.models.recurrent.numpy_cells.html").read_text(
        encoding="utf-8"
    )
    both = (site / "reference" / "equations.html").read_text(encoding="utf-8")
    assert (
        "musiclab.models.recurrent.numpy_cells.html#musiclab.models.recurrent.numpy_cells.lstm_step"
        in lesson
    )
    assert "lessons/07_lstm_gating.html#eq-7-2" in code
    assert "lessons/07_lstm_gating.html#eq-7-2" in both
    assert "musiclab.models.recurrent.numpy_cells.lstm_step" in both


@pytest.mark.parametrize(
    "folder", ["site/_static/mathjax", "site/_static/reveal", "tests/site/axe"]
)
def test_what_others_wrote_is_as_they_wrote_it(folder):
    notes = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"SHA-256 of `([\w.-]+)`: `([0-9a-f]{64})`", notes))
    vendored = [file for file in (ROOT / folder).iterdir() if file.suffix in (".js", ".css")]
    assert {file.name for file in vendored} == set(found)
    for name, wanted in found.items():
        assert hashlib.sha256((ROOT / folder / name).read_bytes()).hexdigest() == wanted
    assert (ROOT / folder / "LICENSE").is_file()
