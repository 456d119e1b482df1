"""Where the course and a lesson can be had: the download, and what needs the repository's address.

The address stands in one place, `Repository` in `[project.urls]` of `pyproject.toml`. From it come
the line that clones, the zip file, Binder, Colab, Codespaces and the links to report a problem;
without it the website itself offers the course as a zip file.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat

# in Colab's own versions, which a course of small networks can take; its kernel cannot change them while it runs
COLAB_HAS = "jupyterlab ipykernel ipywidgets traitlets numpy matplotlib scipy tqdm keras".split()
COLAB_HAS += ["tensorflow", "tensorflow-cpu"]


def repository(project: Path) -> str:
    """The repository's address on GitHub as "owner/name", from `Repository` in `[project.urls]`; "" if it has none."""
    urls = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("urls", {})
    return (
        urls.get("Repository", "")
        .removeprefix("https://github.com/")
        .removesuffix(".git")
        .strip("/")
    )


def home(address: str) -> str:
    """Where GitHub publishes the website of a repository, "owner/name"; "" if there is none.

    >>> home("some/course"), home("")
    ('https://some.github.io/course/', '')
    """
    owner, _, name = address.partition("/")
    return f"https://{owner}.github.io/{name}/" if name else ""


def get_the_course(address: str, zip_file: str = "") -> str:
    """Markdown of the ways to get the course, the first thing that a newcomer looks for.

    Args:
      address: of the repository, "owner/name"; "" if there is none.
      zip_file: the course in one file, as the page finds it; "" if the website has none.

    >>> print(get_the_course("", "course.zip"))
    1. <a href="course.zip" download>Download the course</a> (one zip file) and unpack it.
    """
    ways = []
    if address:
        home = f"https://github.com/{address}"
        ways += [
            f"**Clone it:** `git clone {home}.git`, or [download a zip file]"
            f"({home}/archive/refs/heads/main.zip) and unpack it.",
            f"**Nothing to install:** [Binder](https://mybinder.org/v2/gh/{address}/main"
            "?urlpath=lab/tree/notebooks/welcome.ipynb) or "
            f"[Codespaces](https://codespaces.new/{address}) run JupyterLab on another computer; "
            "Colab opens single lessons, from a link at the top of each.",
        ]
    if zip_file:
        ways += [
            f'<a href="{zip_file}" download>Download the course</a> (one zip file) and unpack it.'
        ]
    lines = [f"{number}. {way}" for number, way in enumerate(ways, 1)] or [
        "The notebook of each lesson can be downloaded at the top of its page."
    ]
    if address:
        lines += ["", f"Something does not work? [Say so here]({home}/issues/new/choose)."]
    return "\n".join(lines)


def top_links(notebook: Path, address: str, slides: bool = False) -> str:
    """Markdown for the top of a lesson: download, slides, and Binder and Colab if the repository has an address.

    >>> top_links(Path("07_a.ipynb"), "").count("http")
    0
    """
    links = [f'<a href="../notebooks/{notebook.name}" download>Download this notebook</a>']
    links += [f'<a href="../slides/{notebook.stem}.html">Slides</a>'] if slides else []
    if address:
        binder = (
            f"https://mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/notebooks/{notebook.name}"
        )
        colab = f"https://colab.research.google.com/github/{address}/blob/colab/{notebook.name}"
        problem = f"https://github.com/{address}/issues/new?title={notebook.stem}:%20"
        links += [f'<a href="{binder}">Open in Binder</a>', f'<a href="{colab}">Open in Colab</a>']
        links += [f'<a href="{problem}">Report a problem</a>']
    return f'<p class="lesson-links">{" · ".join(links)}</p>'


def colab_copies(notebooks: list[Path], address: str, requirements: Path, folder: Path) -> None:
    """Write the lessons as Colab needs them: each begins by installing musiclab and what Colab lacks.

    They belong on a branch called `colab`, where the links at the top of the pages look for them.
    """
    text = requirements.read_text(encoding="utf-8")
    listed = re.findall(r"^(([\w-]+)==[^\s;]+)", text, re.M)
    lacking = [pin for pin, name in listed if name not in COLAB_HAS]
    install = (
        f"!git clone -q --depth 1 https://github.com/{address} course\n"
        "%cd -q course/notebooks\n"  # lessons 17 and 19 read tables of results beside them
        f"%pip install -q {' '.join(lacking)} .."
    )
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks:
        lesson = nbformat.read(notebook, as_version=4)
        lesson.cells.insert(1, nbformat.v4.new_code_cell(install, id="install"))
        nbformat.write(lesson, folder / notebook.name)
