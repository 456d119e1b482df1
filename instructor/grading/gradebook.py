"""Writing to nbgrader's gradebook: assignments and automatic points, never over manual points."""

from __future__ import annotations

import contextlib
import logging
import random
import shutil
import warnings
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from nbgrader import utils
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import DBAPIError, IntegrityError, SAWarning
from traitlets.config import Config

from instructor.grading.autograde import Marked
from instructor.grading.master_notebook import Master, NoMaster

HELP = (
    "close formgrader and other programs that use it; if it is damaged, move gradebook.db away and put back a copy, or "
    "run this command again without it: automatic points come back from marks/, manual ones only from a copy"
)
ATTEMPTS = 6  # at a write that another writer got in the way of
__all__ = ["holds", "opened", "record", "register", "set_due"]


def opened(config: Config) -> Gradebook:
    """The course's gradebook, wherever `CourseDirectory.db_url` says it is; to be used in a `with`.

    Raises:
        ValueError: if it is on a server whose client is not installed.
    """
    directory = CourseDirectory(config=config)
    try:
        return Gradebook(directory.db_url, directory.course_id)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the gradebook is on a server, and its client is not installed ({error}); for PostgreSQL: "
            '.venv/bin/pip install -c constraints.txt -e ".[postgresql]"'
        ) from None


def register(config: Config, wanted: Master) -> bool:
    """Bring an assignment into the gradebook as its master is now, and release it; say whether that was needed.

    Raises:
        NoMaster: if nbgrader refuses, as it does when cells were added or taken away after students
          handed in.
    """
    directory = CourseDirectory(config=config)
    released = Path(directory.format_path(directory.release_directory, ".", wanted.name))
    with opened(config) as book:
        if _known(book, wanted) == _cells(wanted) and (released / f"{wanted.name}.ipynb").is_file():
            return False
    directory.assignment_id = wanted.name
    for attempt in range(ATTEMPTS):
        maker = GenerateAssignment(coursedir=directory, config=config)
        maker.force = True
        done = utils.capture_log(maker)
        if done["success"] or "UNIQUE" not in done.get("log", "").upper():
            break
        _wait(attempt)
    if not done["success"]:
        said = [line for line in done.get("log", "").splitlines() if "Error" in line] or [
            "see its master"
        ]
        shutil.rmtree(released, ignore_errors=True)
        raise NoMaster(f"nbgrader does not take {wanted.name}: {said[-1].strip()}")
    return True


def holds(book: Gradebook, student: str, marked: Marked) -> bool:
    """Whether the gradebook has exactly these automatic points of a student's."""
    try:
        grades = book.find_submission(marked.assignment, student).notebooks[0].grades
    except MissingEntry:
        return False
    return all(grade.auto_score == _auto(marked, grade.name) for grade in grades)


def set_due(book: Gradebook, assignment: str, due: datetime) -> None:
    """Write down until when an assignment is to be handed in.

    Args:
        book: an open gradebook that has the assignment.
        assignment: its name.
        due: with a time zone.
    """
    book.find_assignment(assignment).duedate = due.astimezone(UTC).replace(tzinfo=None)
    book.db.commit()


def record(
    book: Gradebook,
    student: str,
    marked: Marked,
    before: Marked | None,
    time: datetime | None = None,
) -> None:
    """Write a student's automatic points down, again where another writer got in the way.

    nbgrader looks whether a row is there and then inserts it: of two writers that do so at once, the
    database refuses one. Where two wait for each other, PostgreSQL ends one of them (SQLSTATE 40P01; all
    of class 40 ask for another attempt).

    A cell is marked for review where a person has to give points, where something is to be looked
    at, where the submission could not be graded, and where a person's points stand on an answer or
    on automatic points that are no longer the same.

    Args:
        book: an open gradebook that has the assignment.
        student: the student's id.
        marked: what came of the submission.
        before: what was recorded the last time.
        time: when it was handed in, with a time zone, if that is known.
    """
    for attempt in range(ATTEMPTS):
        try:
            with _without_tracebacks():
                _record(book, student, marked, before, time)
            return
        except (InvalidEntry, DBAPIError) as error:
            book.db.rollback()  # else the next student's write fails, too
            if attempt == ATTEMPTS - 1 or not _got_in_the_way(error):
                raise
            _wait(attempt)


def _got_in_the_way(error):
    """Whether another writer is to blame: a row was there first, or the database ended a deadlock."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, (InvalidEntry, IntegrityError)) or state.startswith("40")


def _wait(attempt):
    """A random time, longer at each attempt, so that two writers do not meet again."""
    sleep(random.uniform(0, 0.05 * 2**attempt))


@contextlib.contextmanager
def _without_tracebacks():
    """Keep what nbgrader logs about a refused row from the instructor, who is told if it stays refused."""
    log = logging.getLogger("tornado.application")
    log.addFilter(_not_rolled_back)
    try:
        yield
    finally:
        log.removeFilter(_not_rolled_back)


def _not_rolled_back(record):
    return not record.getMessage().startswith("Rolling back session")


def _record(book, student, marked, before, handed_in):
    _student(book, student)
    with warnings.catch_warnings(
        action="ignore", category=SAWarning
    ):  # nbgrader builds rows in an order of its own
        submission = book.update_or_create_submission(marked.assignment, student)
    if handed_in is not None:
        submission.timestamp = handed_in.astimezone(UTC).replace(tzinfo=None)
    new = (
        before is None
        or before.answers != marked.answers
        or bool(before.problem) != bool(marked.problem)
    )
    review = {note["cell"] for note in marked.notes if note["review"]}
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            auto = _auto(marked, grade.name)
            if new or grade.auto_score != auto:
                grade.auto_score = auto
                flagged = auto is None or grade.name in review or None in review
                grade.needs_manual_grade = flagged or grade.manual_score is not None
        for comment in notebook.comments:
            comment.auto_comment = marked.cells.get(comment.name, {}).get("comment")
    book.db.commit()


def _student(book, name):
    try:
        book.find_student(name)
    except MissingEntry:
        book.add_student(name)


def _auto(marked, name):
    return marked.cells[name]["auto"] if name in marked.cells else None


def _cells(wanted):
    cells = [cell.metadata.nbgrader for cell in wanted.graded.cells if "nbgrader" in cell.metadata]
    return {cell.grade_id: cell.checksum for cell in cells}


def _known(book, wanted):
    try:
        cells = book.find_notebook(wanted.name, wanted.name).source_cells
    except MissingEntry:
        return None
    return {cell.name: cell.checksum for cell in cells}
