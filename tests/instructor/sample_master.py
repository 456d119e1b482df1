"""A made-up master with one exercise to program and one to write, which keeps every rule, and answers to it."""

import nbformat

from instructor.answer_verdicts import Answer

NAME = "00_first_listen"  # a lesson that is there, with a section 'Count'
TITLE = f"""# Exercises 00 · Doubles

Practice for [the lesson](../{NAME}.ipynb); the solutions are public.

**Points:** 5. **Time:** about 15 minutes."""
START = """import musiclab
from musiclab import checks

numbers = [1, 2]


def doubled_numbers():
    return [double(x) for x in numbers]"""
TASK = """## Exercise {}: {}

**Kind:** {}. **Points:** {}. **Time:** about {} minutes. **Objective:** 4, what counting misses.

{}"""
SOLUTION = '''def double(x):
    """Twice a number."""
    ### BEGIN SOLUTION
    twice_the_number = x * 2
    return twice_the_number
    ### END SOLUTION'''
TEST = """from musiclab import checks

see = "lesson 00, section 'Count'"
checks.number(checks.call(double, 3, see=see), 6, "twice 3", see)
### BEGIN HIDDEN TESTS
for x in (0, -1.5, 20):
    checks.number(checks.call(double, x, see=see), x + x, f"twice {x}", see)
checks.array(doubled_numbers(), [2, 4], "the doubles of 1 and 2", see)
### END HIDDEN TESTS"""
CALL = """from musiclab.checks import lesson_00

lesson_00.double(double)
### BEGIN HIDDEN TESTS
from musiclab.checks.exercises import apart


@apart
def _hidden(double):
    from musiclab import checks

    for x in (0, -1.5, 20):
        checks.number(checks.call(double, x), x + x, f"twice {x}")


_hidden(double)
### END HIDDEN TESTS"""
CHECKS = """from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("00_first_listen", written=3)
see = "lesson 00, section 'Count'"


@lesson.exercise(points=2)
def double(double):
    checks.number(checks.call(double, 3, see=see), 6, "twice 3", see)
"""  # what lesson_00.py would hold for CALL
GUIDE = """**Model answer.** Twice a number is the number taken two times, whichever number it is.

**Marking guide.** 3 points for two times, and none for a number that was only found by trying."""
CELLS = {
    "title": ("markdown", TITLE, {}),
    "start": ("code", START, {}),
    "double-text": ("markdown", TASK.format(1, "Twice", "implement", 2, 5, "Write `double`."), {}),
    "double": ("code", SOLUTION, {"solution": True, "locked": False}),
    "double-test": ("code", TEST, {"grade": True, "points": 2}),
    "why-text": ("markdown", TASK.format(2, "Why", "explain", 3, 10, "What is a double?"), {}),
    "why": ("markdown", GUIDE, {"solution": True, "grade": True, "locked": False, "points": 3}),
}


def master(**sources):
    """The master, with other sources for some cells: `double_test="..."` for the cell double-test."""
    changed = {name.replace("_", "-"): source for name, source in sources.items()}
    assert changed.keys() <= CELLS.keys()
    cells = [
        cell(name, kind, changed.get(name, source), **marks)
        for name, (kind, source, marks) in CELLS.items()
    ]
    return nbformat.v4.new_notebook(cells=cells)


def cell(name, kind, source, **marks):
    """A cell with nbgrader's metadata, locked unless `marks` say otherwise."""
    given = {
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "schema_version": 3,
        "grade_id": name,
    }
    made = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    shown = {"jupyter": {"source_hidden": True}} if kind == "code" and marks.get("grade") else {}
    return made(source, id=name, metadata={"nbgrader": given | marks} | shown)


def answer(code, kind="wrong", name=None, exercise="double"):
    """An answer whose function has these lines, or which is all of this code if it has a `def` or a `class`."""
    whole = code if "def " in code else "def double(x):\n    " + code.replace("\n", "\n    ")
    return Answer(exercise, kind, name or code, whole)


RIGHT = [answer("return x + x", "right"), answer("return sum(x for _ in range(2))", "right")]
WRONG = [answer(f"return {value}") for value in ("0", "x", "6", "-2 * x", "x ** 2 - x", "None")]
