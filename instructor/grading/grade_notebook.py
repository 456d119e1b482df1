"""Grade one notebook and print points and messages as JSON; nothing is stored.

    python -m instructor.grading.grade_notebook notebook.ipynb --assignment 03_autoencoder

The exit status is 0 if the notebook was graded, 1 if it could not be, 2 if grading is not possible
here at all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from instructor.grading import autograde, master_notebook, sandbox, submission_report
from instructor.settings import HERE

__all__ = ["main", "report"]


def report(marked: autograde.Marked) -> dict:
    """What is printed: points None where a person must mark, or where nothing could be graded."""
    known = [cell["auto"] for cell in marked.cells.values() if cell["auto"] is not None]
    return {
        "assignment": marked.assignment,
        "graded": marked.problem is None,
        "state": marked.state,
        "problem": marked.problem,
        "points": sum(known) if known else None,
        "max_points": sum(cell["max"] for cell in marked.cells.values()) or None,
        "cells": [
            {
                "name": name,
                "points": cell["auto"],
                "max_points": cell["max"],
                "message": cell["message"],
            }
            for name, cell in marked.cells.items()
        ],
        "notes": [note["text"] for note in marked.notes],
        "review": any(note["review"] for note in marked.notes),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.grading.grade_notebook", description="Grade one notebook."
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--assignment", required=True, metavar="NN_name")
    parser.add_argument(
        "--course", type=Path, default=HERE, help="nbgrader's course folder (default: instructor/)"
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="run the notebook's code without a sandbox"
    )
    options = parser.parse_args(arguments)
    try:
        config = autograde.config_of(options.course.resolve(), options.unsafe)
        wanted = master_notebook.load(Path(config.RestoreCells.source), options.assignment)
        sandbox.demand(options.unsafe)
        content = options.notebook.read_bytes()
    except (master_notebook.NoMaster, sandbox.NoSandbox, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as nothing_beside:
            marked, _ = autograde.mark(content, Path(nothing_beside), wanted, config)
    except Exception as error:  # whatever it is, the caller gets JSON
        words = submission_report.plain(f"{type(error).__name__}: {error}")
        marked = autograde.Marked(wanted.name, problem=words, again=True)
    print(json.dumps(report(marked), indent=1, ensure_ascii=False))
    return int(marked.problem is not None)


if __name__ == "__main__":
    sys.exit(main())
