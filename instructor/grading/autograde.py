"""Automatic marks of one notebook by nbgrader's preprocessors, without a gradebook."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader import utils
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

import musiclab
from instructor.grading import master_notebook, restore_cells, submission_report
from musiclab import data

__all__ = ["Marked", "config_of", "key_of", "mark"]

IN_GRADEBOOK = (
    SaveAutoGrades,
    AssignLatePenalties,
)  # steps that write there; here, marks are handed back instead


MOST_MESSAGE = 2000  # characters of a test's message
GRADED, RESTORED = "graded", "graded after repair"
NOT_GRADABLE, TRY_AGAIN = "not gradable", "try again"


@dataclass
class Marked:
    """What came of a submission.

    Attributes:
        assignment: the assignment's name.
        cells: {grade id: {"auto": points, None where a person must mark, "max": points, "message":
          words, "comment":
            nbgrader's automatic comment}}; empty if nothing could be graded.
        answers: digest of what the student wrote; None if all answers are untouched.
        notes: see `notes`.
        problem: why it could not be graded, in words; None if it was.
        again: whether that was the machine's fault, so that it is not remembered and graded again.
        key: what the marks depend on; see `key_of`.
    """

    assignment: str
    cells: dict = field(default_factory=dict)
    answers: str | None = None
    notes: list = field(default_factory=list)
    problem: str | None = None
    again: bool = False
    key: str = ""

    @property
    def state(self) -> str:
        """One of four: graded, graded after repair, not gradable (the file's fault), try again (the machine's)."""
        if self.problem:
            return TRY_AGAIN if self.again else NOT_GRADABLE
        return RESTORED if any(note.get("repair") for note in self.notes) else GRADED


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


def key_of(submission: str, wanted: master_notebook.Master, config: Config) -> str:
    """A digest of all that marks depend on: the submission, the master, the settings, `musiclab`, this program.

    Args:
        submission: a digest of what was handed in.
        wanted: the assignment.
        config: the course's.
    """
    settings = json.dumps(config.get("BoxedExecute", {}), sort_keys=True, default=str)
    parts = (submission, wanted.digest, settings, _course_digest())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def _course_digest():
    """Of what submissions are run with, once in the life of this process."""
    package, digest = Path(musiclab.__file__).parent, hashlib.sha256()
    files = [*sorted(package.rglob("*.py")), data.path("SHA256SUMS")]
    for file in [*files, *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def mark(content: bytes, folder: Path, wanted: master_notebook.Master, config: Config):
    """Grade one notebook.

    Args:
        content: the notebook as handed in.
        folder: where the student's other files lie.
        wanted: the assignment.
        config: the course's.

    Returns:
        Marked, and the notebook as the instructor should see it, None if there was nothing to
        grade.

    Raises:
        NoSandbox: if students' code can't run safely here.
        MachineFault: if the machine failed, not the submission.
    """
    marked = Marked(wanted.name)
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


def _graded(notebook):
    return [cell for cell in notebook.cells if utils.is_grade(cell)]


def _points(cell):
    """A graded cell's points: a test's by its outcome, never by its outputs; a written answer's from a person."""
    name, most = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
    if cell.cell_type == "code" and not utils.is_solution(cell):
        auto = most if submission_report.outcome(cell) == "passed" else 0.0
    else:
        auto, _ = utils.determine_grade(cell)
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
    return f"{errors[0].ename}: {errors[0].evalue}"[:MOST_MESSAGE] if errors else ""


def _digest(notebook, wanted):
    """One number for all that the student wrote; None for nothing."""
    given = restore_cells.answers(notebook)
    if all(text.strip() == wanted.shown(name).strip() for name, text in given.items()):
        return None
    return hashlib.sha256(
        json.dumps({k: v.strip() for k, v in sorted(given.items())}).encode()
    ).hexdigest()
