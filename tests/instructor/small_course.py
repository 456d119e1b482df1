"""A course of one tiny assignment without TensorFlow, and what students make of it."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from instructor.grading import master_notebook

ROOT = Path(__file__).resolve().parents[2]
NAME = "90_small"
SECRET = "a-line-that-only-the-hidden-test-holds"
LIMITS = """
c.BoxedExecute.timeout = 3
c.BoxedExecute.total_seconds = 20
c.BoxedExecute.iopub_timeout = 1
c.BoxedExecute.memory_mb = 600
c.BoxedExecute.processes = 100
"""
START = "import os, sys, time\nfrom musiclab import checks"
ADD = "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION"
ADD_TEST = f"""\
checks.number(checks.call(add, 1, 2), 3, "add(1, 2)")
### BEGIN HIDDEN TESTS
wanted = "{SECRET}"
assert checks.call(add, 5, 6) == 11, wanted
### END HIDDEN TESTS"""
TWICE = "def twice(a):\n    ### BEGIN SOLUTION\n    return 2 * a\n    ### END SOLUTION"
TWICE_TEST = 'checks.number(checks.call(twice, 4), 8, "twice(4)")'
WHY = "Since adding commutes: the marking guide."

RIGHT = {
    "add": "def add(a, b):\n    return b + a",
    "twice": "def twice(a):\n    return a + a",
    "why": "It does.",
}


def cell(kind, name, source, points=None, answer=False):
    """A cell as a master has it."""
    marks = {
        "grade": points is not None,
        "grade_id": name,
        "locked": not answer,
        "schema_version": 3,
    }
    marks |= {"solution": answer, "task": False} | ({} if points is None else {"points": points})
    return (new_code_cell if kind == "code" else new_markdown_cell)(
        source, id=name, metadata={"nbgrader": marks}
    )


def the_master(add_test=ADD_TEST):
    """The assignment with its solutions: 2 and 3 points by tests, 1 by hand."""
    cells = [
        cell("markdown", "title", "# Two functions"),
        cell("code", "start", START),
        cell("code", "add", ADD, answer=True),
        cell("code", "add-test", add_test, 2),
        cell("code", "twice", TWICE, answer=True),
        cell("code", "twice-test", TWICE_TEST, 3),
        cell("markdown", "why", WHY, 1, answer=True),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def make(folder, limits=LIMITS, notebook=None):
    """A course folder with the real settings and shorter limits; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = (ROOT / "instructor" / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(settings + limits, encoding="utf-8")
    write(folder / "source" / NAME / f"{NAME}.ipynb", notebook or the_master())
    return folder


def write(path, notebook):
    """Write a notebook, making folders; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def released(folder):
    """What students get."""
    return copy.deepcopy(master_notebook.load(folder / "source", NAME).released)


def find(notebook, name):
    """The cell of a name."""
    return next(one for one in notebook.cells if one.id == name)


def filled_blank(wanted):
    """The students' notebook, from a master already loaded."""
    return copy.deepcopy(wanted.released)


def filled(folder, **answers):
    """The students' notebook with some answers filled in."""
    notebook = released(folder)
    for name, source in answers.items():
        find(notebook, name).source = source
    return notebook


def content(notebook):
    """A notebook's bytes."""
    return nbformat.writes(notebook, version=4).encode("utf-8")


def command(*words, cwd=ROOT, seconds=120, **more):
    """Run Python with the course's packages in reach."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
