"""Layouts in which Moodle, Canvas and Blackboard pack the submissions of a class: whose is which file.

- Moodle (*Download all submissions*): `Full Name_ID_assignsubmission_file_/name`, or the same without folders,
  `Full Name_ID_assignsubmission_file_name`; online text is `..._assignsubmission_onlinetext_/onlinetext.html`.
  ID is the participant's number in this assignment; Moodle replaces underscores in names by spaces.
- Canvas (*Download Submissions*): `name_ID_FILE_name`, late ones `name_LATE_ID_FILE_name`; online text is
  `name_ID_text.html`. A file handed in again has a higher number FILE and `-1`, `-2`, ... behind its name.
- Blackboard (*Assignment File Download*): `Assignment_user_attempt_2026-11-20-23-59-00_name`, and for each attempt a
  report `Assignment_user_attempt_2026-11-20-23-59-00.txt` that begins `Name: Full Name (user)`.

What students name comes last in all of them, so the first place that fits tells the student, never a later one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["File", "by_layout", "layout_of"]

LAYOUTS = {  # the strictest first
    "moodle": re.compile(
        r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
    ),
    "blackboard": re.compile(
        r"(?P<name>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:(?P<report>\.txt)|_(?P<file>.+))"
    ),
    "canvas": re.compile(
        r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?:(?P<number>\d+)_(?P<file>.+)|(?P<kind>text|link)\.html)"
    ),
}


@dataclass(frozen=True)
class File:
    """A file of somebody's.

    Attributes:
        path: as packed.
        name: the file's own name, which the student gave.
        student: the student's name as the platform gives it.
        platform_id: the platform's number or name of the student, "" if it gives none.
        attempt: what the later of several attempts has more of; "" where there is one.
        kind: "file"; "text" is what was written into the platform itself, "report" is the
          platform's own.
        late: whether the platform says that it was late.
    """

    path: PurePosixPath
    name: str
    student: str
    platform_id: str = ""
    attempt: str = ""
    kind: str = "file"
    late: bool = False


def layout_of(paths: list[PurePosixPath]) -> str | None:
    """The platform that packed these files, or None: the strictest layout that most of them have."""
    names = [path.parts[0] for path in paths if path.parts]
    for layout, pattern in LAYOUTS.items():
        fitting = sum(pattern.fullmatch(name) is not None for name in names)
        if fitting and 2 * fitting > len(names):
            return layout
    return None


def by_layout(layout: str, paths: list[PurePosixPath], first_line) -> tuple[list[File], list]:
    """Whose the files of a platform's archive are.

    Args:
        layout: as `layout_of` gives it.
        paths: of all files.
        first_line: a function that gives the first line of a file, for Blackboard's reports.

    Returns:
        The files; and the paths that do not tell whose they are.

    >>> by_layout("moodle", [PurePosixPath("Ada L_12_assignsubmission_file_/hw.ipynb")], None)[0][0].student
    'Ada L'
    >>> by_layout("canvas", [PurePosixPath("lovelaceada_LATE_12_34_hw-1.ipynb")], None)[0][0].late
    True
    """
    pattern, files, rest = LAYOUTS[layout], [], []
    for path in paths:
        if match := pattern.fullmatch(path.parts[0]):
            files.append(_file(layout, path, match.groupdict()))
        else:
            rest.append(path)
    return (_with_users(files, first_line) if layout == "blackboard" else files), rest


def _file(layout, path, found):
    inside = str(PurePosixPath(*path.parts[1:])) if len(path.parts) > 1 else found.get("file") or ""
    if layout == "moodle":
        kind = "file" if found["kind"] == "file" else "text"
        return File(path, inside, found["name"], found["id"], kind=kind)
    if layout == "canvas":
        kind = "text" if found["kind"] else "file"
        number = (found["number"] or "").zfill(20)
        return File(path, inside, found["name"], found["id"], number, kind, bool(found["late"]))
    kind = "report" if found["report"] else "file"
    return File(path, inside, found["name"], "", found["time"], kind)


def _with_users(files, first_line):
    """Blackboard's user names: from the reports, else what is behind the part that all names begin with."""
    users = {}
    for file in files:
        if file.kind == "report":
            told = re.fullmatch(r"Name:.*\(([^()]+)\)\s*", first_line(file.path))
            if told and file.student.endswith(f"_{told[1]}"):
                users[file.student] = told[1]
    heads = sorted({file.student for file in files})
    parts = [head.split("_") for head in heads]
    common = 0
    while len(heads) > 1 and len({tuple(one[: common + 1]) for one in parts}) == 1:
        common += 1
    for head, one in zip(heads, parts):
        users.setdefault(head, "_".join(one[min(common, len(one) - 1) or -1 :]))
    return [
        File(one.path, one.name, users[one.student], users[one.student], one.attempt, one.kind)
        for one in files
    ]
