"""Automatic marks of one notebook by nbgrader's preprocessors, without a gradebook."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader import utils
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from instructor.grading import master_notebook, restore_cells, submission_report

__all__ = ["Marked", "config_of", "key_of", "mark", "ungraded"]

IN_GRADEBOOK = (
    SaveAutoGrades,
    AssignLatePenalties,
)  # steps that write there; here, marks are handed back instead


@dataclass
class Marked:
    """What came of a submission.

    Attributes:
        assignment: the assignment's name.
        cells: {grade id: {"auto": points, None where a person must mark, "max": points, "message": words, "comment":
            nbgrader's automatic comment}}; empty if nothing could be graded.
        answers: digest of what the student wrote; None if all answers are untouched.
        notes: see `notes`.
        problem: why it could not be graded, in words; None if it was.
        key: what the marks depend on; see `key_of`.
    """

    assignment: str
    cells: dict = field(default_factory=dict)
    answers: str | None = None
    notes: list = field(default_factory=list)
    problem: str | None = None
    key: str = ""


def config_of(course: Path, unsafe: bool = False) -> Config:
    """The course's configuration, as nbgrader reads it.

    Args:
        course: nbgrader's course folder.
        unsafe: run students' code without a sandbox.
    """
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    if unsafe:
        config.BoxedExecute.unsafe = True
    return config


def key_of(content: bytes | None, wanted: master_notebook.Master, config: Config) -> str:
    """A digest of all that marks depend on: the submission, the master, how code is run."""
    settings = json.dumps(config.get("BoxedExecute", {}), sort_keys=True, default=str)
    parts = (content or b"", wanted.digest.encode(), settings.encode())
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def mark(content: bytes, folder: Path, wanted: master_notebook.Master, config: Config):
    """Grade one notebook.

    Args:
        content: the notebook as handed in.
        folder: where the student's other files lie.
        wanted: the assignment.
        config: the course's.

    Returns:
        Marked, and the notebook as the instructor should see it, None if there was nothing to grade.

    Raises:
        NoSandbox: if students' code can't run safely here.
    """
    marked = Marked(wanted.name, key=key_of(content, wanted, config))
    try:
        notebook = restore_cells.read(content)
        resources = {
            "nbgrader": {"assignment": wanted.name, "notebook": wanted.name},
            "metadata": {"path": str(folder)},
        }
        for step in (
            *config.Autograde.sanitize_preprocessors,
            *config.Autograde.autograde_preprocessors,
        ):
            if step in IN_GRADEBOOK:
                marked.cells = {name: one for name, one in map(_points, _graded(notebook))}
                marked.answers = _digest(notebook, wanted)
            else:
                notebook, resources = step(config=config)(notebook, resources)
    except restore_cells.NotThisAssignment as error:
        marked.problem = str(error)
        return marked, None
    marked.notes = submission_report.of(notebook)
    return marked, notebook


def ungraded(
    wanted: master_notebook.Master, content: bytes | None, config: Config, problem: str
) -> Marked:
    """What to record of a submission that was not graded."""
    return Marked(wanted.name, problem=problem, key=key_of(content, wanted, config))


def _graded(notebook):
    return [cell for cell in notebook.cells if utils.is_grade(cell)]


def _points(cell):
    """A graded cell's points and what to say about them, by nbgrader's own rule."""
    name, most = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
    try:
        auto, _ = utils.determine_grade(cell)
    except (ValueError, KeyError, TypeError):  # a result that claims more points than there are
        auto = 0.0
        cell.metadata[submission_report.KEY] = "visible"
    unchanged = utils.is_solution(cell) and cell.metadata.nbgrader.get(
        "checksum"
    ) == utils.compute_checksum(cell)
    message = "not marked yet" if auto is None else "no answer" if unchanged else _message(cell)
    auto = None if auto is None else float(auto)
    return name, {
        "auto": auto,
        "max": most,
        "message": message,
        "comment": "No response." if unchanged else None,
    }


def _message(cell):
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return f"{errors[0].ename}: {errors[0].evalue}" if errors else ""


def _digest(notebook, wanted):
    """One number for all that the student wrote; None for nothing."""
    given = restore_cells.answers(notebook)
    if all(text.strip() == wanted.shown(name).strip() for name, text in given.items()):
        return None
    return hashlib.sha256(
        json.dumps({k: v.strip() for k, v in sorted(given.items())}).encode()
    ).hexdigest()
