"""Where a lesson can be had besides its page: the download, and Binder and Colab once the repository has an address.

The address stands in one place, `Repository` in `[project.urls]` of `pyproject.toml`; without it no
link is shown.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat


def repository(project: Path) -> str:
    """The repository's address on GitHub as "owner/name", from `Repository` in `[project.urls]`; "" if it has none."""
    urls = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("urls", {})
    return (
        urls.get("Repository", "")
        .removeprefix("https://github.com/")
        .removesuffix(".git")
        .strip("/")
    )


def top_links(notebook: Path, address: str) -> str:
    """Markdown for the top of a lesson: the download, and Binder and Colab where the repository has an address.

    >>> top_links(Path("07_a.ipynb"), "").count("http")
    0
    """
    links = [f'<a href="../notebooks/{notebook.name}" download>Download this notebook</a>']
    if address:
        binder = (
            f"https://mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/notebooks/{notebook.name}"
        )
        colab = f"https://colab.research.google.com/github/{address}/blob/colab/{notebook.name}"
        links += [f'<a href="{binder}">Open in Binder</a>', f'<a href="{colab}">Open in Colab</a>']
    return f'<p class="lesson-links">{" · ".join(links)}</p>'


def colab_copies(notebooks: list[Path], address: str, requirements: Path, folder: Path) -> None:
    """Write the lessons as Colab needs them: each begins by installing musiclab and what Colab lacks.

    They belong on a branch called `colab`, where the links at the top of the pages look for them.
    """
    text = requirements.read_text(encoding="utf-8")
    lacking = [
        re.search(rf"^{name}==[^\s;]+", text, re.M)[0]
        for name in ("music21", "verovio", "pretty_midi")
    ]
    install = f"%pip install -q {' '.join(lacking)} git+https://github.com/{address}"
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks:
        lesson = nbformat.read(notebook, as_version=4)
        lesson.cells.insert(1, nbformat.v4.new_code_cell(install, id="install"))
        nbformat.write(lesson, folder / notebook.name)
