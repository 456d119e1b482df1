"""Run a lesson as far as it goes and write what came out as HTML: `lesson_html.py lesson.ipynb page.html`."""

from __future__ import annotations

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

CELL_SECONDS = 120


def main(notebook, page):
    """Execute, stop at the first error, and write the page either way."""
    try:
        lesson = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or "it is no notebook, or only a part of one"
        raise SystemExit(f"{notebook} can't be read: {reason}") from None
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path, help="the lesson")
    parser.add_argument("page", type=Path, help="the HTML file to write")
    options = parser.parse_args()
    main(options.notebook, options.page)
