"""Points that the stored answers get from a master's tests, compared with what they should get."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import dataclass

from instructor.cell_runner import Namespace, TooLong
from instructor.settings import BEGIN_HIDDEN, BEGIN_SOLUTION, CODE_STUB, END_SOLUTION
from musiclab.checks import NotYet, hard_cases

FEWEST = {"wrong": 6, "right": 2}
ANSWER_SECONDS = 20  # for each cell with a wrong answer in place, which may never end
MASTER_SECONDS = 120  # for each cell otherwise, on a busy machine


@dataclass(frozen=True)
class Answer:
    """A stored answer: `code` for the cell `exercise`, of `kind` "right", "wrong", "solution" or "stub"."""

    exercise: str
    kind: str
    name: str
    code: str


@dataclass(frozen=True)
class Verdict:
    """What an answer got.

    Attributes:
        answer: the answer.
        points: how many it got.
        most: how many there are.
        caught: "visible" or "hidden", after the part of the test cell that refused it first; "" if
          none did.
        words: the first refusal's message, on one line.
        problems: what is wrong with the answer or its tests, in words; empty if all is as it should
          be.
        tried: kinds of hard cases that the tests tried on it, and how many of each.
    """

    answer: Answer
    points: float
    most: float
    caught: str
    words: str
    problems: tuple[str, ...]
    tried: tuple[tuple[str, int], ...] = ()


def grade(master, stored: list[Answer]) -> tuple[list[Verdict], list[str]]:
    """Grade a lesson's answers in this process.

    Args:
        master: the notebook with its solutions.
        stored: answers to its exercises.

    Returns:
        A verdict per answer, each exercise's solution and stub before the stored ones; and the
        problems of the whole.
    """
    exercises = [cell.id for cell in master.cells if role(cell) == "answer"]
    verdicts, problems = judged(master, stored)
    return verdicts, count_problems(exercises, stored) + problems + blank_problems(master)


def judged(master, stored: list[Answer]) -> tuple[list[Verdict], list[str]]:
    """The verdicts of :func:`grade`, and what went wrong in the cells that are given."""
    problems, verdicts, space = [], [], Namespace()
    for exercise, cells in _spans(master):
        if exercise is None:
            problems += _run_given(space, cells)
            continue
        begin = space.keep()
        for answer in _cases(cells[0], stored):
            space.restore(begin)
            verdicts.append(_judge(space, answer, cells))
            if answer.kind == "solution":
                solved = space.keep()
        space.restore(solved)
    return verdicts, problems


def count_problems(exercises: list[str], stored: list[Answer]) -> list[str]:
    """Whether there are enough answers, none twice, and none to an exercise that isn't there."""
    problems = [
        f'"{one.name}" answers {one.exercise}, which is no answer cell'
        for one in stored
        if one.exercise not in exercises
    ]
    for exercise in exercises:
        own = [answer for answer in stored if answer.exercise == exercise]
        for kind, fewest in FEWEST.items():
            count = sum(answer.kind == kind for answer in own)
            if count < fewest:
                problems.append(f"{exercise}: has {count} {kind} answers, and needs {fewest}")
        for key in ("name", "code"):
            twice = [
                text
                for text, count in Counter(getattr(one, key).strip() for one in own).items()
                if count > 1
            ]
            problems += [f"{exercise}: two answers have the {key} {text[:60]!r}" for text in twice]
    return problems


def blank_problems(master) -> list[str]:
    """Run a master without its solutions from top to bottom: each test refuses in words, nothing else goes wrong."""
    space, problems = Namespace(), []
    for cell in master.cells:
        if cell.cell_type != "code":
            continue
        error = space.run(stubbed(cell.source), cell.id, MASTER_SECONDS).error
        fits = NotYet if role(cell) == "test" else (NotImplementedError, NotYet, type(None))
        if not isinstance(error, fits):
            problems.append(
                f"{cell.id}: with nothing solved, gives {_said(error)}; expected words from musiclab.checks"
            )
    return problems


def stubbed(source: str) -> str:
    """A cell as students get it: the stub in place of each solution.

    As nbgrader's ClearSolutions, to which a test holds it, and without nbgrader, which takes
    seconds to import.
    """
    region = rf"^([ \t]*)[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*$"
    return re.sub(
        region, lambda found: textwrap.indent(CODE_STUB, found[1]), source, flags=re.S | re.M
    )


def role(cell) -> str:
    """What a cell of a master is for: "answer", "test", or "" for neither."""
    marks = cell.metadata.get("nbgrader", {})
    if cell.cell_type != "code" or not (marks.get("solution") or marks.get("grade")):
        return ""
    return "test" if marks.get("grade") else "answer"


def _spans(master):
    """(None, code cells before the first answer), then (grade id, [answer cell and those up to the next])."""
    spans = [(None, [])]
    for cell in master.cells:
        if cell.cell_type == "code":
            if role(cell) == "answer":
                spans.append((cell.id, []))
            spans[-1][1].append(cell)
    return spans


def _cases(cell, stored):
    stub = stubbed(cell.source)
    built_in = [
        Answer(cell.id, "solution", "the solution", cell.source),
        Answer(cell.id, "stub", "the stub", stub),
    ]
    return built_in + [answer for answer in stored if answer.exercise == cell.id]


def _run_given(space, cells):
    outcomes = [(cell, space.run(cell.source, cell.id, MASTER_SECONDS)) for cell in cells]
    return [
        f"{cell.id}: stops with {_said(outcome.error)}"
        for cell, outcome in outcomes
        if outcome.error
    ]


def _judge(space, answer, cells):
    """Run a span with an answer in place of its first cell, and hold the points against what they should be."""
    most, points, refusals, problems = 0, 0, [], []
    hard_cases.tried.clear()
    good = answer.kind in ("right", "solution")
    limit = MASTER_SECONDS if good else ANSWER_SECONDS
    tests = [place for place, cell in enumerate(cells) if role(cell) == "test"]
    # what is given after the last test, such as players, prepares the next exercise: run once is
    # enough
    needed = cells if answer.kind == "solution" else cells[: max(tests, default=0) + 1]
    for cell in needed:
        source = answer.code if cell is cells[0] else cell.source
        outcome = space.run(source, cell.id, limit)
        if role(cell) != "test":
            if outcome.error and (good or isinstance(outcome.error, SyntaxError)):
                problems.append(f"{cell.id} stops with {_said(outcome.error)}")
            continue
        worth = cell.metadata.nbgrader.points
        most += worth
        if outcome.error is None:
            points += worth
        else:
            refusals.append((cell, outcome))
        problems += _test_problems(cell, outcome, answer.kind)
    problems += _point_problems(answer.kind, points, most, refusals)
    caught, words = "", ""
    if refusals:
        cell, outcome = refusals[0]
        caught, words = _part(cell, outcome.line), " ".join(str(outcome.error).split())
    tried = tuple(sorted(hard_cases.tried.items()))
    return Verdict(answer, points, most, caught, words, tuple(problems), tried)


def _point_problems(kind, points, most, refusals):
    if kind in ("right", "solution") and points < most:
        return [f"gets {points:g} of {most:g} points: {_said(refusals[0][1].error)}"]
    if kind == "wrong" and points == most:
        return [f"SURVIVOR: gets all {most:g} points"]
    if kind == "stub" and points:
        return [f"gets {points:g} of {most:g} points for nothing"]
    return []


def _test_problems(cell, outcome, kind):
    """What is wrong with how a test cell takes an answer, whatever the points."""
    error = outcome.error
    if outcome.value is not None:
        yield f"{cell.id}: its last line gives {outcome.value!r:.40}, which nbgrader takes for points"
    if outcome.stderr and kind in ("right", "solution"):
        yield f"{cell.id}: writes to stderr, for which nbgrader gives 0: {outcome.stderr.strip().splitlines()[-1]:.90}"
    if error is None:
        return
    if not isinstance(error, (NotYet, TooLong)):
        yield f"{cell.id}: refuses with {_said(error)}, not in words from musiclab.checks"
    elif kind == "wrong" and isinstance(error.__context__, (NameError, SyntaxError)):
        yield f"{cell.id}: refuses it only since it does not run: {error.__context__}"


def _part(cell, line):
    """Which part of a test cell a line is in."""
    before = cell.source.split(BEGIN_HIDDEN)[0]
    return "hidden" if line > before.count("\n") + 1 else "visible"


def _said(error):
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}" if error else "no error"
