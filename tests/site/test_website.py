"""What the website is made of: links, targets, the map, the bibliography, the cache, addresses."""

import ast
import base64
import builtins
import re
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest

from musiclab import show
from musiclab.data import read_music
from musiclab.setup.welcome import FAMILIES
from scripts import build_site
from scripts.website import (
    addresses,
    course_map,
    equations,
    lessons,
    listen,
    media,
    pages,
    run,
    slides,
)

ROOT = Path(__file__).resolve().parents[2]


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def test_lessons_become_links_where_they_exist():
    names = {"05": "05_vae", "10": "10_gan"}
    text = "In lesson 05, as lessons 05, 10 and 11 show; `lesson 05`, $lesson 10$ and page 05 are no links."
    text += " Lesson\n10 ends; so do lessons 05 and 10."
    wanted = (
        text.replace("Lesson\n10", "Lesson\n[10](10_gan.ipynb)")
        .replace("05 and 10.", "[05](05_vae.ipynb) and [10](10_gan.ipynb).")
        .replace("In lesson 05", "In lesson [05](05_vae.ipynb)")
    )
    wanted = wanted.replace("lessons 05, 10", "lessons [05](05_vae.ipynb), [10](10_gan.ipynb)")
    assert lessons.with_links(text, names) == wanted


def test_a_second_notebook_of_a_lesson_becomes_a_link():
    names = {"16": "16_a", "16b": "16b_b"}
    text = "lessons 16 and 16b, lesson 16b; lesson 16"
    wanted = "lessons [16](16_a.ipynb) and [16b](16b_b.ipynb), lesson [16b](16b_b.ipynb)"
    assert lessons.with_links(text, names) == wanted + "; lesson [16](16_a.ipynb)"


def test_numbers_of_equations_are_no_lessons():
    assert (
        lessons.with_links("lesson 05 and 10.2", {"05": "a", "10": "b"})
        == "lesson [05](a.ipynb) and 10.2"
    )


def test_exercises_can_be_read():
    cells = [
        nbformat.v4.new_markdown_cell(
            "# Exercises for lesson 05\n\nAs in lesson 05, see lesson 06."
        ),
        nbformat.v4.new_code_cell("raise NotImplementedError"),
    ]
    names = {"05": "05_a", "06": "06_b"}
    page = lessons.exercise_page(notebook(*cells), Path("notebooks/exercises/05_a.ipynb"), names)
    text = page.cells[0].source
    assert text.startswith("# Exercises for lesson 05\n\n<p")
    assert 'href="../../notebooks/exercises/05_a.ipynb" download' in text
    assert "make reset EXERCISES=05" in text
    assert text.endswith("As in lesson [05](../05_a.ipynb), see lesson [06](../06_b.ipynb).")
    assert page.cells[1].source == "raise NotImplementedError"


def test_a_source_of_the_website_becomes_its_page():
    text = "Take [the test](../site/listen/which_is_bach.md), or read [this](06_c.ipynb)."
    wanted = "Take [the test](../listen/which_is_bach.md), or read [this](06_c.ipynb)."
    assert lessons.with_site_pages(text) == wanted


def test_slides_follow_the_headings():
    long = "The first sentence stays. " + "Others go to the notes. " * 9 + "A **term** is defined."
    html = nbformat.v4.new_output("display_data", {"text/html": "<audio></audio>"})
    widget = nbformat.v4.new_output("display_data", {lessons.WIDGET: {}, "text/plain": "Slider()"})
    cells = [
        nbformat.v4.new_markdown_cell("# 07 · T\n\n**Why?** Because.\n\n1. You can.\n\nRun time"),
        nbformat.v4.new_code_cell("import numpy"),
        nbformat.v4.new_markdown_cell(
            f"Settings.\n\n## A part\n\n{long}\n\n[x](exercises/07_a.ipynb)"
        ),
        nbformat.v4.new_code_cell("y = 1\n" * 20, outputs=[html, widget]),
        nbformat.v4.new_code_cell("y = 1\n" * 20 + "z = y  # Eq. (7.1)"),
        nbformat.v4.new_markdown_cell("After the result."),
    ]
    deck = slides.Deck(notebook(*cells)).notebook
    kinds = [cell.metadata.slideshow.slide_type for cell in deck.cells]
    texts = [cell.source for cell in deck.cells]
    assert texts[:3] == ["# 07 · T", "Why?", "1. You can."]
    assert texts[3:6] == [
        "## A part",
        "The first sentence stays. A **term** is defined.",
        "[x](../lessons/exercises/07_a.html)",
    ]
    assert kinds[:6] == ["slide", "-", "-", "slide", "-", "-"]
    code = [cell for cell in deck.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[html], []]
    assert [cell.metadata.transient.remove_source for cell in code] == [True, False]
    assert texts[-1] == "After the result."
    assert texts[-2] == '<p class="kicker">A part</p>'
    assert texts[kinds.index("notes")] == long
    assert not any("Settings" in text or "import" in text for text in texts)


def test_formulas_become_targets_with_their_code():
    equation = equations.Equation("7.2", code=["musiclab.models.recurrent.numpy_cells.lstm_step"])
    text = "before\n\n$$f=1\\tag{7.2}$$\n\nafter $$x$$ and\n\n$$y\\tag{a}$$\n"
    reworked = lessons.with_targets(text, {"7.2": equation})
    assert "(eq-7-2)=\n\n$$f=1\\tag{7.2}$$\n" in reworked
    assert "{py:obj}`lstm_step <musiclab.models.recurrent.numpy_cells.lstm_step>`" in reworked
    assert reworked.count(")=\n") == 1


def test_every_formula_of_the_lessons_gets_its_target():
    found = equations.collect(ROOT)
    assert len(found) > 80
    for path, _ in lessons.titles(ROOT / "notebooks").values():
        text = "\n\n".join(
            c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"
        )
        numbers = re.findall(r"\\tag\{(\d+)\.(\d+)\}", text)
        targets = re.findall(r"\(eq-(\d+)-(\d+)\)=", lessons.with_targets(text, found))
        assert sorted(targets) == sorted(numbers), path.name


def test_every_equation_has_a_test_and_its_code_is_public():
    for equation in equations.collect(ROOT).values():
        assert equation.tests, equation.number
        assert equation.code, (
            f"({equation.number}): no public name of musiclab has it in its docstring"
        )


def test_widgets_give_way_to_sliders_and_stderr_is_left_out():
    widget = nbformat.v4.new_output(
        "display_data", {lessons.WIDGET: {}, "text/plain": "FloatSlider()"}
    )
    warning = nbformat.v4.new_output("stream", name="stderr", text="a warning")
    kept = nbformat.v4.new_output("stream", name="stdout", text="kept")
    cells = (
        nbformat.v4.new_markdown_cell("# 02 · Title\n\ntext"),
        nbformat.v4.new_code_cell("slider"),
    )
    cells[1].outputs = [widget, widget, warning, kept]
    page = lessons.page(notebook(*cells), "02", {}, {}, "LINKS", "<div>stops</div>")
    assert [output.get("text") or output.data["text/html"] for output in page.cells[1].outputs] == [
        "<div>stops</div>",
        "kept",
    ]
    assert page.cells[0].source == "# 02 · Title\n\nLINKS\n\ntext"
    cells[1].outputs = [widget]
    page = lessons.page(notebook(*cells), "02", {}, {}, "LINKS", "")
    assert "JupyterLab" in page.cells[1].outputs[0].data["text/html"]


def test_links_to_binder_and_colab_need_an_address(tmp_path):
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "x"\n', encoding="utf-8")
    assert addresses.repository(project) == ""
    assert "http" not in addresses.top_links(Path("07_a.ipynb"), "")
    project.write_text(
        '[project.urls]\nRepository = "https://github.com/some/course.git"\n', encoding="utf-8"
    )
    assert addresses.repository(project) == "some/course"
    links = addresses.top_links(Path("07_a.ipynb"), "some/course")
    assert (
        "https://mybinder.org/v2/gh/some/course/main?urlpath=lab/tree/notebooks/07_a.ipynb" in links
    )
    assert "https://colab.research.google.com/github/some/course/blob/colab/07_a.ipynb" in links


def test_the_ways_to_get_the_course():
    alone = addresses.get_the_course("", "course.zip")
    assert 'href="course.zip" download' in alone
    assert "https:" not in alone
    ways = addresses.get_the_course("some/course", "course.zip")
    for part in (
        "git clone https://github.com/some/course.git",
        "https://github.com/some/course/archive/refs/heads/main.zip",
        "https://mybinder.org/v2/gh/some/course/main?urlpath=lab/tree/notebooks/welcome.ipynb",
        "https://codespaces.new/some/course",
        "https://github.com/some/course/issues/new/choose",
        'href="course.zip" download',
    ):
        assert part in ways, part
    assert "top of its page" in addresses.get_the_course("", "")
    assert "issues/new?title=07_a" in addresses.top_links(Path("07_a.ipynb"), "some/course")


def test_the_zip_on_the_website_is_the_student_edition(tmp_path):
    pytest.importorskip("instructor.student_edition")
    assert build_site.course_as_zip(tmp_path / "course.zip") == "course.zip"
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        names = archive.namelist()
    assert "musiclab/README.md" in names
    assert not [name for name in names if name.startswith("musiclab/instructor/")]


def test_colab_copies_install_first(tmp_path):
    path = next(iter(lessons.titles(ROOT / "notebooks").values()))[0]
    addresses.colab_copies([path], "some/course", ROOT / "requirements.txt", tmp_path)
    cells = nbformat.read(tmp_path / path.name, as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    clone, folder, install = code[0].splitlines()
    assert clone == "!git clone -q --depth 1 https://github.com/some/course course"
    assert folder == "%cd -q course/notebooks"
    words = install.split()
    assert words[:3] == ["%pip", "install", "-q"]
    assert words[-1] == ".."
    installed = {word.partition("==")[0] for word in words[3:-1]}
    listed = set(
        re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    )
    assert {"music21", "verovio", "pretty_midi", "safetensors"} <= installed
    assert installed | set(addresses.COLAB_HAS) == listed
    assert not installed & set(addresses.COLAB_HAS)
    assert code[1:] == [
        c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"
    ]


def test_prerequisites_of_a_header(tmp_path):
    header = "**Prerequisites:** lessons 01, 02 (nats, lesson 03) and\n06; 07 helps.\n\n**Run time:** 12 s\n"
    file = tmp_path / "09_a.ipynb"
    nbformat.write(notebook(nbformat.v4.new_markdown_cell(header)), str(file))
    assert course_map.prerequisites(file) == (["01", "02", "06"], ["07"])
    header = "**Prerequisites:** [lessons 05](05_a.ipynb) and 16; [lesson 16b](16b_c.ipynb) helps."
    nbformat.write(notebook(nbformat.v4.new_markdown_cell(header)), str(file))
    assert course_map.prerequisites(file) == (["05", "16"], ["16b"])


def test_the_map_leads_from_earlier_to_later_and_shows_every_lesson():
    found = lessons.titles(ROOT / "notebooks")
    needs = {number: course_map.prerequisites(path) for number, (path, _) in found.items()}
    for number, (needed, helping) in needs.items():
        assert all(other < number for other in needed + helping)
        assert needed or number == "00"
    titles = {number: title for number, (_, title) in found.items()}
    minutes = dict.fromkeys(found, "90")
    drawing = course_map.draw(needs, titles, minutes, {n: f"L{n}.html" for n in found})
    for kind in course_map.SIZES:
        part = re.search(rf'<svg class="map-{kind}".*?</svg>', drawing, re.S)[0]
        assert re.findall(r'href="L(\d\d[a-z]?)\.html"', part) == sorted(found)
        assert part.count("90 min") == len(found)
        words = [re.sub("<[^>]+>", " ", box) for box in re.findall(r"<a .*?</a>", part, re.S)]
        for box, number in zip(words, sorted(found)):
            assert titles[number] in " ".join(box.split())  # nothing is left out
        boxes = re.findall(r'<rect x="\d+" y="(\d+)" width="\d+" height="(\d+)"', part)
        tops, heights = np.array(boxes, int).T
        assert (tops[1:] > (tops + heights)[:-1]).all(), "two boxes overlap"
        families = [int(n[:2]) for n in found]
        shown = re.findall(r'class="family"[^>]*>([^<]+)<', part)
        wanted = {max(first for first in FAMILIES if first <= n) for n in families}
        assert " ".join(shown) == " ".join(FAMILIES[first] for first in sorted(wanted))


def test_arrows_say_what_needs_and_what_helps():
    needs = {"00": ([], []), "01": (["00"], []), "02": (["00", "01"], []), "03": (["01"], ["02"])}
    words = {n: n for n in needs}
    drawing = course_map.draw(needs, words, words, words)
    arrows = re.findall(r'<path class="(\w+) l(\d\d) l(\d\d)"', drawing)
    wanted = [("helps", "02", "03")]  # that 02 needs 00 follows from the other arrows
    wanted += [("needs", "00", "01"), ("needs", "01", "02"), ("needs", "01", "03")]
    assert arrows == wanted * len(course_map.SIZES)


def test_the_index_leads_to_lessons_and_appendices(tmp_path):
    found = lessons.titles(ROOT / "notebooks")
    appendices = lessons.appendices(ROOT / "notebooks")
    assert [title for _, title in appendices] == ["Mathematics you need"]
    pages.lesson_index(found, dict.fromkeys(found, "?"), appendices, tmp_path)
    text = (tmp_path / "index.md").read_text(encoding="utf-8")
    tree = text.partition("```{toctree}")[2].split()
    for notebook, title in [*found.values(), *appendices]:
        assert f"{title}]({notebook.name})" in text
        assert notebook.stem in tree


def test_every_lesson_of_the_plan_is_there():
    there = lessons.titles(ROOT / "notebooks")
    assert {number[:2] for number in there} == {f"{n:02}" for n in range(20)}


def test_every_key_is_in_the_bibliography_and_every_reading_in_the_lists():
    bibliography = (ROOT / "site" / "references.bib").read_text(encoding="utf-8")
    entries = {key: body for key, body in re.findall(r"@\w+\{(\w+),(.*)", bibliography)}
    assert len(entries) == len(re.findall(r"^@", bibliography, re.M)), "a key is there twice"
    reading = pages.reading_lists(ROOT / "site" / "reading.toml")
    assert {key for keys in reading.values() for key in keys} == set(entries)
    for number, (path, _) in lessons.titles(ROOT / "notebooks").items():
        text = nbformat.read(path, as_version=4).cells[-1].source.partition("Where to read on")[2]
        assert number in reading, f"site/reading.toml says nothing about lesson {number}"
        years = {re.search(r"year = \{(\d+)\}", entries[key])[1] for key in reading[number]}
        assert set(re.findall(r"\((?:\w+ )?((?:19|20)\d\d)\)", text)) <= years, (
            f"lesson {number} names more"
        )


def test_embedded_music_becomes_files(tmp_path):
    html = show.play([60] * 8, title="One note").html
    reworked = media.as_files(html, tmp_path, "../_media")
    assert "data:" not in reworked
    names = re.findall(r"\.\./_media/([\w.]+)", reworked)
    assert sorted(name.rpartition(".")[2] for name in names) == ["mid", "mp3", "mxl"]
    assert (tmp_path / names[1]).read_bytes()[:4] == b"MThd"
    assert re.findall(r'download="([^"]*)"', reworked) == ["one-note.mid", "one-note.mxl"]
    assert read_music(tmp_path / names[2]).voices[:, 0].tolist() == [60] * 8
    assert media.as_files(html, tmp_path, "../_media") == reworked
    assert len(list(tmp_path.iterdir())) == 3


def test_rounds_give_nothing_away(tmp_path):
    low, high = (
        base64.b64encode(show.mp3_bytes(*show.synthesize([pitch] * 8, bpm=60))).decode("ascii")
        for pitch in (60, 72)
    )
    found = [{"model": "</script> a model", "model_mp3": low, "bach_mp3": high}]
    html = listen.rounds(found, tmp_path)
    assert html.count("</script>") == 1
    assert len(re.findall(r'"seconds": 2\.\d', html)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{20}\.mp3", file.name) for file in tmp_path.iterdir())


def test_the_key_of_a_run_depends_on_what_matters(tmp_path, monkeypatch):
    path = tmp_path / "09_a.ipynb"
    nbformat.write(notebook(nbformat.v4.new_code_cell("1", id="a")), str(path))
    first = run.key(path)
    assert run.key(path) == first
    nbformat.write(notebook(nbformat.v4.new_code_cell("2", id="a")), str(path))
    second = run.key(path)
    monkeypatch.setattr(run, "_versions", lambda: {"numpy": "0"})
    assert len({first, second, run.key(path)}) == 3


def test_a_run_hands_over_its_extra_and_is_cached(tmp_path, monkeypatch):
    extras = tmp_path / "extras"
    path = tmp_path / "99_a.ipynb"
    nbformat.write(notebook(nbformat.v4.new_code_cell("x = 1; x", id="a")), str(path))
    monkeypatch.setattr(run, "extra_of", lambda notebook: extras / "99.py")
    monkeypatch.setattr(
        run, "key", lambda notebook: "0" * 64
    )  # the real one changes while someone edits musiclab
    extras.mkdir()
    (extras / "99.py").write_text("site_found['rounds'].append({'model': x})\n", encoding="utf-8")
    executed = run.run(path, tmp_path / "cache")
    lesson = nbformat.read(executed, as_version=4)
    assert run.take_extra(lesson) == {"gallery": [], "rounds": [{"model": 1}], "sliders": []}
    assert [cell.source for cell in lesson.cells] == ["x = 1; x"]
    monkeypatch.setattr(run, "NotebookClient", None)  # what is cached is not run again
    assert run.run(path, tmp_path / "cache") == executed == run.newest(path, tmp_path / "cache")


def test_what_a_widget_captures_is_no_output_of_its_cell(tmp_path):
    path = tmp_path / "97_a.ipynb"
    source = "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('captured')\nout"
    nbformat.write(notebook(nbformat.v4.new_code_cell(source, id="a")), str(path))
    lesson = nbformat.read(run.run(path, tmp_path / "cache"), as_version=4)
    assert [sorted(output.data) for output in lesson.cells[0].outputs] == [
        [lessons.WIDGET, "text/plain"]
    ]
    assert "widgets" not in lesson.metadata


def bound(source):
    """Names that code gives a value, at its outermost level or anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


WITH_EXTRA = [
    path for path, _ in lessons.titles(ROOT / "notebooks").values() if run.extra_of(path).is_file()
]


@pytest.mark.parametrize("path", WITH_EXTRA, ids=lambda path: path.stem)
def test_an_extra_uses_names_of_its_lesson(path):
    cells = nbformat.read(path, as_version=4).cells
    lesson = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
    source = run.extra_of(path).read_text(encoding="utf-8")
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    known = (
        bound(lesson)
        | bound(source)
        | bound((run.EXTRAS / "prelude.py").read_text(encoding="utf-8"))
    )
    assert used - known - set(dir(builtins)) == set()


def test_every_lesson_that_generates_is_in_the_gallery():
    without = {"01", "03"}  # they encode, and generate nothing
    there = {file.stem for file in run.EXTRAS.glob("[0-9][0-9]*.py")}
    lacking = set(lessons.titles(ROOT / "notebooks")) - without - there
    assert not lacking, (
        f"site/extras lacks {sorted(lacking)}: a piece for the gallery, a round for the listening test"
    )


def test_a_failing_cell_says_where(tmp_path):
    path = tmp_path / "98_a.ipynb"
    nbformat.write(notebook(nbformat.v4.new_code_cell("1 / 0", id="a")), str(path))
    with pytest.raises(RuntimeError, match=r"98_a\.ipynb(?s:.*)ZeroDivisionError"):
        run.run(path, tmp_path / "cache")
    assert run.newest(path, tmp_path / "cache") is None


def test_tables_of_results_have_every_row(tmp_path):
    pages.results(ROOT / "benchmarks" / "results", tmp_path / "results.md")
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| 00\\_first\\_listen |" in text
    assert text.count("Measured by") == len(list((ROOT / "benchmarks" / "results").glob("*.json")))


def test_the_glossary_is_complete():
    text = (ROOT / "site" / "reference" / "glossary.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    rows = [row for row in rows if row[0] != "term"]
    assert len(rows) > 60
    assert all(len(row) == 3 and row[1] and re.search(r"[\u4e00-\u9fff]", row[2]) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)


def test_the_page_on_data_names_every_file_and_no_checksum():
    page = pages.data_page(ROOT / "data" / "README.md")
    assert not re.search(r"[0-9a-f]{64}", page)
    for line in (ROOT / "data" / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        assert f"| `{line.split()[-1]}` |" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {row.count(" | ") for row in rows if not row.startswith("|--")} == {3}
