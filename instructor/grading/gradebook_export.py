"""Export of marks as CSV. A mark that does not exist is empty, never 0."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from musiclab.data import write_whole

__all__ = ["COLUMNS", "CsvMarks", "as_text", "rows", "text"]

COLUMNS = (
    "assignment",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "timestamp",
    "days_late",  # begun days behind the due date, with the student's extension if there is one
    "score",  # with all that people and tests have given; empty as long as a cell has no points yet
    "points_so_far",  # the sum of what is there already
    "late_submission_penalty",
    "max_score",
    "state",  # graded, to review, to mark, not graded, try again, nothing handed in
    # graded, graded after repair, not gradable, try again; empty where nbgrader exports
    "submission",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute


class CsvMarks(ExportPlugin):
    """Takes the place of nbgrader's CSV exporter, which writes 0 for what is not graded and quotes nothing."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file named by `--to`, or `grades.csv`."""
        content = text(rows(gradebook, self.assignment, [str(one) for one in self.student]))
        write_whole(Path(self.to or "grades.csv"), content.encode("utf-8"))


def rows(book: Gradebook, assignments=(), students=()) -> list[dict]:
    """One row for each assignment and student.

    Args:
        book: an open gradebook.
        assignments: names; none means all.
        students: ids; none means all.
    """
    return [
        _row(book, assignment, student)
        for assignment in book.assignments
        if assignment.name in assignments or not assignments
        for student in sorted(book.students, key=lambda one: one.id)
        if student.id in students or not students
    ]


def text(table: list[dict]) -> str:
    r"""The table as CSV, every field quoted.

    >>> text([{"student_id": "=1+1", "score": None}]).splitlines()[1].split(",")[1:7]
    ['"\'=1+1"', '""', '""', '""', '""', '""']
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    for row in table:
        writer.writerow({name: as_text(value) for name, value in row.items()})
    return out.getvalue()


def _row(book, assignment, student):
    row = {
        "assignment": assignment.name,
        "max_score": assignment.max_score,
        "student_id": student.id,
    }
    row |= {
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
    }
    try:
        submission = book.find_submission(assignment.name, student.id)
    except MissingEntry:
        return row | {"state": "nothing handed in"}
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    given = [
        grade for grade in grades if grade.auto_score is not None or grade.manual_score is not None
    ]
    penalty = submission.late_submission_penalty or 0.0
    so_far = max(0.0, sum(grade.score for grade in given) - penalty) if given else None
    return row | {
        "timestamp": submission.timestamp,
        "days_late": math.ceil(submission.total_seconds_late / 86_400),
        "late_submission_penalty": penalty,
        "points_so_far": so_far,
        "score": so_far if len(given) == len(grades) else None,
        "state": _state(grades, given),
    }


def _state(grades, given):
    if not given:
        return "not graded"
    if len(given) < len(grades):
        return "to mark"
    return "to review" if any(grade.needs_manual_grade for grade in grades) else "graded"


def as_text(value) -> str:
    """A field's text, which no spreadsheet takes for a formula."""
    if value is None:
        return ""
    words = str(value)
    return "'" + words if isinstance(value, str) and words.startswith(FORMULA) else words
