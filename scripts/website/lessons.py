"""An executed lesson as a page of the website.

Formulas become targets and name the code that computes them, lessons that are spoken of become
links, sound and pictures become files, and a slider that would need a kernel becomes one with
precomputed stops.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from scripts.reset_lesson import appendices as shipped_appendices
from scripts.reset_lesson import lessons as shipped_lessons
from scripts.reset_lesson import number_of
from scripts.website import media
from scripts.website.equations import Equation

_FORMULA = re.compile(r"^\$\$.*?\$\$[.,;]?[ \t]*$", re.M | re.S)
_TAG = re.compile(r"\\tag\{(\d+\.\d+)\}")
_SPOKEN_OF = re.compile(
    r"\b[Ll]essons?\s\d\d[a-z]?(?!\w)(?:(?:,|\sand|,\sand|\sor|\sto|\swith)\s\d\d[a-z]?(?!\w|\.\d))*"
)
_APART = re.compile(
    r"(```.*?```|\$\$.*?\$\$|`[^`]*`|\$[^$\n]+\$|^#.*?$|\[[^\]]*\]\([^)]*\))", re.M | re.S
)
WELCOME = "welcome.ipynb"  # the way into JupyterLab; the website has its own
NO_KERNEL = "<p>This part answers to you in JupyterLab; on a page it can't.</p>"
WIDGET = "application/vnd.jupyter.widget-view+json"


def titles(folder: Path) -> dict[str, tuple[Path, str]]:
    """Number to notebook and title of each lesson, such as {"07": (path, "LSTM gating")}."""
    found = {}
    for notebook in shipped_lessons(folder):
        first = nbformat.read(notebook, as_version=4).cells[0].source.splitlines()[0]
        found[number_of(notebook)] = (notebook, first.split("·", 1)[-1].strip("# "))
    return found


def appendices(folder: Path) -> list[tuple[Path, str]]:
    """Notebook and title of each appendix, which has no number."""
    first = {
        file: nbformat.read(file, as_version=4).cells[0].source.splitlines()[0]
        for file in shipped_appendices(folder)
        if file.name != WELCOME
    }
    return [(file, title.strip("# ")) for file, title in first.items()]


def page(
    lesson,
    number: str,
    names: dict[str, str],
    equations: dict[str, Equation],
    links: str,
    sliders: str,
):
    """Rework an executed notebook, in place, for Sphinx.

    Args:
      lesson: the notebook, without the website's extra.
      number: of the lesson, such as "07"; "" for an appendix.
      names: file name without its ending of each lesson there is, by number.
      equations: what each numbered equation's code is.
      links: Markdown for the top of the page: download and the like.
      sliders: HTML that takes the place of widgets; where it is empty, a sentence does.
    """
    lesson.metadata.pop("widgets", None)
    others = {other: name for other, name in names.items() if other != number}
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            text = with_site_pages(with_links(cell.source, others))
            cell.source = with_targets(text, equations)
            continue
        kept, shown = [], False
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                if not shown:
                    kept.append(
                        nbformat.v4.new_output("display_data", {"text/html": sliders or NO_KERNEL})
                    )
                shown = True
            elif output.get("name") != "stderr":
                kept.append(output)
        cell.outputs = kept
    title, _, rest = lesson.cells[0].source.partition("\n")
    lesson.cells[0].source = f"{title}\n\n{links}\n{rest}"
    return lesson


def exercise_page(exercises, notebook: Path, names: dict[str, str]):
    """Rework the students' version of a lesson's exercises, in place, to be read on the website.

    Args:
      exercises: the notebook. notebook: where it is. names: as :func:`page`.
    """
    number = number_of(notebook)
    file = f"../../notebooks/exercises/{notebook.name}"
    how = (
        f'<p class="lesson-links"><a href="{file}" download>Download this notebook</a></p>\n\n'
        "This page is for reading: a check needs Python. Open the notebook in JupyterLab (`make lab`, folder "
        "`exercises`), write your answer in place of the line that raises an error, and run the "
        f"cell below it: the check says what it expected and what it found. `make reset EXERCISES={number}` "
        "brings back the exercises as they are here, and keeps yours."
    )
    for cell in exercises.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, names, "../")
    title, _, rest = exercises.cells[0].source.partition("\n")
    exercises.cells[0].source = f"{title}\n\n{how}\n{rest}"
    return exercises


def with_links(text: str, names: dict[str, str], folder: str = "") -> str:
    """Markdown in which every lesson that is spoken of and exists is a link; formulas and code stay as they are.

    >>> with_links("see lesson 03, and lessons 05 and 99", {"03": "03_a", "05": "05_b"})
    'see lesson [03](03_a.ipynb), and lessons [05](05_b.ipynb) and 99'
    """

    def link(found):
        return re.sub(
            r"\d\d[a-z]?",
            lambda m: f"[{m[0]}]({folder}{names[m[0]]}.ipynb)" if m[0] in names else m[0],
            found[0],
        )

    parts = _APART.split(text)
    return "".join(part if i % 2 else _SPOKEN_OF.sub(link, part) for i, part in enumerate(parts))


def with_site_pages(text: str) -> str:
    """Markdown in which a link to a source of the website leads to its page, a neighbour of the lessons.

    >>> with_site_pages("[Test](../site/listen/which_is_bach.md).")
    '[Test](../listen/which_is_bach.md).'
    """
    return text.replace("](../site/", "](../")


def with_targets(text: str, equations: dict[str, Equation]) -> str:
    """Markdown in which each numbered formula is a target, followed by the code that computes it."""

    def rework(found):
        numbers = _TAG.findall(found[0])
        if not numbers:
            return found[0]
        targets = "".join(f"(eq-{number.replace('.', '-')})=\n\n" for number in numbers)
        code = [
            name for number in numbers if number in equations for name in equations[number].code
        ]
        links = ", ".join(
            f"{{py:obj}}`{name.split('.')[-1]} <{name}>`" for name in dict.fromkeys(code)
        )
        after = f"\n\n```{{div}} eq-code\nIn code: {links}\n```\n" if links else ""
        return f"\n{targets}{found[0].strip()}{after}"

    return _FORMULA.sub(rework, text)


def html_as_files(lesson, folder: Path) -> None:
    """Write what the outputs carry to files beside the pages, in place."""
    for cell in lesson.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = media.as_files(
                    output.data["text/html"], folder, "../_media"
                )
