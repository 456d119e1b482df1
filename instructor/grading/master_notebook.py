"""The master notebook of an assignment: its graded and its released version."""

from __future__ import annotations

import copy
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from instructor.settings import BEGIN_HIDDEN, END_HIDDEN, configure

__all__ = ["BEFORE", "Master", "NoMaster", "load", "only_the_master", "split_tests"]

# as `nbgrader generate_assignment` does before it writes to the gradebook, and after
BEFORE = (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums)
AFTER = (ClearHiddenTests, ClearMarkScheme, ComputeChecksums)
SHORT = 12  # a line of fewer characters tells nothing of a hidden test


class NoMaster(ValueError):
    """There is no such assignment, or it can't be used; the message says why."""


@dataclass(frozen=True)
class Master:
    """An assignment.

    Attributes:
        name: such as "03_autoencoder".
        graded: its notebook with stubs and with hidden tests.
        released: the notebook that students got.
        digest: changes whenever anything in the master does.
    """

    name: str
    graded: nbformat.NotebookNode
    released: nbformat.NotebookNode
    digest: str

    def shown(self, grade_id: str) -> str:
        """What students see of a cell."""
        return self._sources[0][grade_id]

    def hidden_lines(self) -> set[str]:
        """The lines of all hidden tests that students may not see."""
        return self._sources[1]

    @functools.cached_property
    def _sources(self):
        shown = {
            cell.metadata.nbgrader.grade_id: cell.source
            for cell in self.released.cells
            if "nbgrader" in cell.metadata
        }
        known = {line.strip() for cell in self.released.cells for line in cell.source.splitlines()}
        hidden = {
            line.strip()
            for cell in self.graded.cells
            for line in split_tests(cell.source)[1].splitlines()
        }
        return shown, {line for line in hidden - known if len(line) >= SHORT}


def load(source: Path, name: str) -> Master:
    """Read an assignment from the folder of masters.

    Args:
        source: nbgrader's source folder.
        name: the assignment's name, which is its folder's and its notebook's.

    Returns:
        Master.

    Raises:
        NoMaster: if there is none, or it is not a notebook nbgrader takes.
    """
    path = Path(source) / name / f"{name}.ipynb"
    if not path.is_file():
        known = sorted(
            one.parent.name for one in Path(source).glob("*/*.ipynb") if one.stem == one.parent.name
        )
        raise NoMaster(f"there is no assignment {name!r}; there are {', '.join(known) or 'none'}")
    only_the_master(path.parent)
    content = path.read_bytes()
    return _load(name, content)


@functools.lru_cache(maxsize=4)
def _load(name, content):
    try:
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        graded = _apply(notebook, BEFORE)
        released = _apply(graded, AFTER)
    except Exception as error:
        raise NoMaster(f"the master of {name} can't be used: {error}") from error
    return Master(name, graded, released, hashlib.sha256(content).hexdigest())


def only_the_master(folder: Path) -> None:
    """Refuse a folder with anything beside the master: nbgrader would release it, a copy with its solutions.

    Raises:
        NoMaster: if there is something else.
    """
    extra = sorted(
        one.name for one in Path(folder).iterdir() if one.name != f"{Path(folder).name}.ipynb"
    )
    extra = [
        name for name in extra if name != ".ipynb_checkpoints"
    ]  # nbgrader leaves this out by itself
    if extra:
        raise NoMaster(
            f"beside the master in {Path(folder).name} lies {', '.join(extra)}, which would be released"
        )


def split_tests(source: str) -> tuple[str, str]:
    """The part of a test cell that students see, and its hidden lines.

    >>> split_tests("a\\n### BEGIN HIDDEN TESTS\\nb\\n### END HIDDEN TESTS\\nc")
    ('a\\nc', 'b')
    """
    parts, hidden = ([], []), False
    for line in source.split("\n"):
        if BEGIN_HIDDEN in line or END_HIDDEN in line:
            hidden = BEGIN_HIDDEN in line
        else:
            parts[hidden].append(line)
    return "\n".join(parts[0]), "\n".join(parts[1])


def _apply(notebook, steps):
    notebook, config = copy.deepcopy(notebook), configure(Config())
    for step in steps:
        notebook, _ = step(config=config).preprocess(notebook, {})
    return notebook
