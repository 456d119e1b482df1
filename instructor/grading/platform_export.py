"""Marks in the layouts that Moodle, Canvas and Blackboard import."""

from __future__ import annotations

import csv
import io

from instructor.grading.gradebook_export import as_text

__all__ = ["FILES", "text"]

FILES = {"moodle": "{}_moodle.csv", "canvas": "{}_canvas.csv", "blackboard": "{}_blackboard.csv"}


def text(platform: str, assignment: str, rows: list[dict], origins: dict[str, dict]) -> str:
    """The marks of an assignment as a platform imports them; a mark that does not exist is left empty.

    - Moodle: *Upload grading worksheet* in the assignment.
    - Canvas: *Import* in the gradebook; the columns before the assignment's are those that Canvas
    demands.
    - Blackboard: *Upload grades*; students are found by their user names.

    Args:
        platform: "moodle", "canvas" or "blackboard".
        assignment: the assignment's name.
        rows: as `gradebook_export.rows` gives them.
        origins: {student's id: {"id": the platform's, "name": the name there}}.
    """
    known = [(row, origins[row["student_id"]]) for row in rows if row["student_id"] in origins]
    most = max((row["max_score"] for row in rows), default=0)
    if platform == "moodle":
        head = ["Identifier", "Full name", "Grade", "Maximum grade"]
        body = [
            [f"Participant {who['id']}", who["name"], row.get("score"), most] for row, who in known
        ]
    elif platform == "canvas":
        head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]
        body = [["    Points Possible", "", "", "", "", most]]
        body += [[who["name"], who["id"], "", "", "", row.get("score")] for row, who in known]
    else:
        head = ["Username", f"{assignment} [Total Pts: {most:g} Score]"]
        body = [[who["id"], row.get("score")] for row, who in known]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for line in body:
        writer.writerow([as_text(value) for value in line])
    return out.getvalue()
