"""What the welcome notebook shows: the lessons with their times, what is solved, where one stopped.

Everything is read from the notebooks in the course's folder; nothing is stored.

Lessons: none; the welcome notebook.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import NamedTuple

from musiclab.checks import exercises
from musiclab.setup import doctor

__all__ = ["FAMILIES", "Lesson", "check", "family", "last_worked_on", "lessons", "overview"]

FAMILIES = {
    0: "Music as numbers, and a first generator",
    3: "Autoencoders",
    6: "Recurrent networks",
    10: "Adversarial networks",
    12: "Energy-based models",
    15: "Attention, and creating with a model",
    17: "Judging, sound, and beyond one laptop",
}


class Lesson(NamedTuple):
    """A lesson as its first cell describes it.

    Attributes:
      file: the notebook.
      number: such as "03" or "16b".
      title: of the lesson.
      question: the one it answers; "" where it names none.
      minutes: to work through it; "" where it does not say.
      changed: when the file was last saved, in seconds since 1970.
    """

    file: Path
    number: str
    title: str
    question: str
    minutes: str
    changed: float


def lessons(folder: Path = Path()) -> list[Lesson]:
    """Read the first cell of each lesson.

    Args:
      folder: of the notebooks; a student's copies (``_mine_``, ``-Copy1``) are no lessons.

    Returns:
      The lessons in order; a notebook that can't be read says so in place of its question.
    """
    found = []
    for file in sorted(folder.glob("[0-9][0-9]*_*.ipynb")):
        if "_mine_" in file.name or "-Copy" in file.name:
            continue
        number = file.name.split("_")[0]
        try:
            cell = json.loads(file.read_text(encoding="utf-8"))["cells"][0]["source"]
            text = cell if isinstance(cell, str) else "".join(cell)
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            text = f"# {file.stem}\n**Can it be read? No ({type(error).__name__}): `make reset`?**"
        title = text.split("\n", 1)[0].split("·", 1)[-1].strip("# ")
        question = re.search(r"\*\*([^*]*\?)\*\*", text)
        minutes = re.search(r"\*\*Time to work through:\*\* about (\d+) minutes", text)
        question, minutes = (" ".join(m[1].split()) if m else "" for m in (question, minutes))
        changed = file.stat().st_mtime
        found.append(Lesson(file, number, title, question, minutes, changed))
    return found


def last_worked_on(folder: Path = Path()) -> Lesson | None:
    """The lesson that was saved last, after the course was unpacked; None if none was.

    Args:
      folder: of the notebooks.
    """
    found = lessons(folder)
    oldest = min((lesson.changed for lesson in found), default=0.0)
    latest = max(found, key=lambda lesson: lesson.changed, default=None)
    # unpacking or cloning writes all of them within a minute
    return latest if latest is not None and latest.changed > oldest + 60 else None


def family(number: str) -> str:
    """The part of the course that a lesson belongs to.

    >>> family("04"), family("16b") == family("15")
    ('Autoencoders', True)
    """
    return FAMILIES[max(first for first in FAMILIES if first <= int(number[:2]))]


def overview(folder: Path = Path()) -> str:
    """The course as Markdown: a table per family of models, and a line that says where to go on.

    Args:
      folder: of the notebooks.

    Returns:
      Markdown with links that JupyterLab opens.
    """
    solved = {row[0]: row[1:] for row in exercises.progress(folder / "exercises")}
    lines = []
    here = last_worked_on(folder)
    if here is None:
        lines += ["**Begin with [00 First listen](00_first_listen.ipynb).**", ""]
    else:
        day = time.strftime("%d %B", time.localtime(here.changed)).lstrip("0")
        link = f"[{here.number} {here.title}]({here.file.name})"
        lines += [f"**You last worked on {link}, on {day}.**", ""]
    last = None
    for lesson in lessons(folder):
        if family(lesson.number) != last:
            last = family(lesson.number)
            lines += ["", f"### {last}", "", "| lesson | | minutes | exercises solved |"]
            lines += ["|:--|:--|--:|:--|"]
        done, points, _ = solved.get(lesson.file.stem, ("", "", ""))
        exercise = f"[{done}](exercises/{lesson.file.name})" if done else ""
        points = f", {points} points" if points else ""
        lines += [
            f"| [{lesson.number} {lesson.title}]({lesson.file.name}) | {lesson.question} "
            f"| {lesson.minutes} | {exercise}{points} |"
        ]
    return "\n".join(lines)


def check() -> str:
    """Say whether this machine is ready, or what is wrong and what to do, as Markdown."""
    problems = doctor.diagnose()
    if problems:
        return "\n".join(f"- {problem}" for problem in problems)
    return "This machine is ready for the lessons."
