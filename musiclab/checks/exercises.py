"""Checks of a lesson's exercises: run apart from the student's notebook, with points said aloud.

A module ``musiclab.checks.lesson_NN`` holds one :class:`Lesson` and a function for each exercise.
A notebook calls that function with the answers, so that neither can overwrite a name of the other.

Lesson: all exercise notebooks.
"""

from __future__ import annotations

import builtins
import functools
import json
import os
import re
import sys
import types
from pathlib import Path

from musiclab.checks import NotYet

__all__ = ["Lesson", "apart", "progress"]

RIGHT = re.compile(r"^Right\. (\d+) points?;", re.M)
# Set by the graders of a course that allows it; read once, before any answer runs.
ALLOWED = os.environ.get("MUSICLAB_READY_MADE") == "allow"


class Lesson:
    """The checks of one lesson's exercises, and the points of those that have passed.

    Args:
      name: of the lesson, such as "06_recurrent_networks".
      written: points of the exercises that a person marks.

    >>> lesson = Lesson("99_doubles", written=3)
    >>> @lesson.exercise(points=2)
    ... def double(answer):
    ...     assert answer(4) == 8
    >>> double(lambda x: 2 * x)
    Right. 2 points; 2 of 5 so far. (3 of the 5 are for written answers.)
    """

    def __init__(self, name: str, written: int = 0):
        self.name, self.written = name, written
        self.points: dict[str, int] = {}  # by exercise, what a right answer gives
        self.passed: set[str] = set()

    def exercise(self, points: int, ready_made: tuple[str, ...] = ()):
        """Make a function the check of the exercise of that name.

        Args:
          points: what a right answer gives.
          ready_made: functions of musiclab that are the solution, as "module.name": an answer that
            calls one is refused.

        Returns:
          A decorator. The check gets the answers as positional arguments and what the notebook
          gives as keywords; it raises NotYet, and prints the points if it does not.
        """

        def decorate(check):
            self.points[check.__name__] = points

            @functools.wraps(check)
            def run(*answers, **given):
                self.passed.discard(check.__name__)
                for answer in answers:
                    _refuse_ready_made(answer, ready_made)
                check(*answers, **given)
                self.passed.add(check.__name__)
                print(self._said(points))

            return run

        return decorate

    def _said(self, points):
        total = sum(self.points.values()) + self.written
        now = sum(self.points[name] for name in self.passed)
        words = f"Right. {points} point{'s' * (points != 1)}; {now} of {total} so far."
        if self.written:
            words += f" ({self.written} of the {total} are for written answers.)"
        return words


def apart(function):
    """Give a test in a notebook global names of its own, in which it finds none of the notebook's.

    Args:
      function: a function without free names: it imports what it needs and gets the answers as
        arguments.

    Returns:
      The function; Python's built-in names are the only global ones that it finds.

    >>> see = "a name of the notebook"
    >>> @apart
    ... def test():
    ...     return "see" in globals()
    >>> test()
    False
    """
    names = {"__builtins__": builtins, "__name__": "tests_apart"}
    return types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )


def progress(folder: Path | None = None) -> list[tuple[str, str, str, str]]:
    """What is solved in the exercise notebooks, read from the outputs stored in them.

    Args:
      folder: where the notebooks are; by default ``exercises``, here or in ``notebooks``.

    Returns:
      A row per notebook and one for all: its name; exercises solved, as "2 of 4"; points, as
      "8 of 17"; written answers begun, as "0 of 1". A notebook that can't be read has its reason in
      the second column.
    """
    places = [Path("exercises"), Path("notebooks", "exercises"), Path()]
    folder = folder or next(
        (one for one in places if list(one.glob("[0-9][0-9]*_*.ipynb"))), Path()
    )
    rows, sums = [], [0] * 6
    for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb")):
        try:
            counts = _counts(json.loads(path.read_text(encoding="utf-8"))["cells"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            rows.append((path.stem, f"can't be read: {type(error).__name__}", "", ""))
            continue
        sums = [a + b for a, b in zip(sums, counts)]
        rows.append((path.stem, *_of(counts)))
    return [*rows, ("all", *_of(sums))]


def _counts(cells):
    """Exercises solved and all, points reached and all, written answers begun and all."""
    solved = tests = points = most = begun = written = 0
    for cell in cells:
        marks, source = cell["metadata"].get("nbgrader", {}), "".join(cell["source"])
        if not marks.get("grade"):
            continue
        most += int(marks["points"])
        if cell["cell_type"] == "code":
            said = "".join("".join(one.get("text", "")) for one in cell.get("outputs", []))
            reached = RIGHT.search(said) is not None
            tests, solved, points = (
                tests + 1,
                solved + reached,
                points + reached * int(marks["points"]),
            )
        else:
            written, begun = written + 1, begun + ("Write your answer here" not in source)
    return [solved, tests, points, most, begun, written]


def _of(counts):
    return tuple(f"{counts[i]} of {counts[i + 1]}" for i in (0, 2, 4))


def _refuse_ready_made(answer, ready_made):
    """Refuse an answer that, itself or through a function of the notebook, calls the package's solution."""
    if ALLOWED or not ready_made:
        return
    todo, seen = [answer], set()
    while todo:
        function = todo.pop()
        code = getattr(function, "__code__", None)
        if (
            not isinstance(code, types.CodeType) or id(function) in seen
        ):  # a class has none of its own
            continue
        seen.add(id(function))
        if (name := f"{function.__module__}.{function.__name__}") in ready_made:
            raise NotYet(
                f"this answer calls {name}, which is the solution of this exercise. For points, "
                "write it yourself; to compare, call the package's function in a cell of your own."
            )
        todo += _called(code, function.__globals__)


def _called(code, names):
    """What a function may call: its global names, and what of modules it names."""
    used = {part for one in _codes(code) for part in one.co_names}
    found = [names[part] for part in used if part in names]
    found += [sys.modules[part] for part in used if part in sys.modules and "musiclab" in part]
    modules = [one for one in found if isinstance(one, types.ModuleType)]
    for module in modules:  # grows while it is read: a.b.c is three modules
        inside = [vars(module)[part] for part in used if part in vars(module)]
        modules += [
            one for one in inside if isinstance(one, types.ModuleType) and one not in modules
        ]
        found += inside
    return [one for one in found if callable(one)]


def _codes(code):
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
