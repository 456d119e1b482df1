"""Run a lesson as far as it goes and write what came out as HTML: `lesson_html.py lesson.ipynb page.html`."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

CELL_SECONDS = 120


def main(notebook, page):
    """Execute, stop at the first error, and write the page either way."""
    lesson = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        lesson,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError:
        pass  # the page shows it where it happened
    except (CellTimeoutError, DeadKernelError) as error:
        lesson.cells.append(nbformat.v4.new_markdown_cell(f"**The lesson stopped here:** {error}"))
    body, _ = HTMLExporter().from_notebook_node(lesson)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
