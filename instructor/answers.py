"""Grade the stored answers: each right one must get full points, each wrong one less, the untouched stub none.

    python -m instructor.answers                     # every master
    python -m instructor.answers 03_autoencoder      # one

An answer takes the place of its cell; that cell and all up to the next answer cell are run, from the same state each
time. The table says what caught what. Each lesson has a process of its own; two run at once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from instructor.cells import Namespace, TooLong
from instructor.settings import ANSWERS, BEGIN_HIDDEN, ROOT, SOURCE, masters
from musiclab.check import NotYet

FEWEST = {"wrong": 6, "right": 2}
ANSWER_SECONDS = 20  # for each cell with a stored answer in place
MASTER_SECONDS = 120  # for each cell of the solved master, on a busy machine
LESSON_SECONDS = 900  # for all answers of a lesson; an answer that no interrupt stops ends here
AT_ONCE = min(2, os.cpu_count() or 1)


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
        caught: "visible" or "hidden", after the part of the test cell that refused it first; "" if none did.
        words: the first refusal's message, on one line.
        problems: what is wrong with the answer or its tests, in words; empty if all is as it should be.
    """

    answer: Answer
    points: float
    most: float
    caught: str
    words: str
    problems: tuple[str, ...]


def load(path: Path) -> list[Answer]:
    """The answers stored for a lesson.

    Raises:
        ValueError: if the file is no TOML, or an entry lacks a key, has one too many, or is of no known kind.
    """
    try:
        stored = [Answer(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("answer", [])]
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    if unknown := {answer.kind for answer in stored} - set(FEWEST):
        raise ValueError(f'{path.name}: kind is "right" or "wrong", not {", ".join(sorted(unknown))}')
    return stored


def grade(master, stored: list[Answer]) -> tuple[list[Verdict], list[str]]:
    """Grade a lesson's answers in this process.

    Args:
        master: the notebook with its solutions.
        stored: answers to its exercises.

    Returns:
        A verdict per answer, each exercise's solution and stub before the stored ones; and the problems of the whole.
    """
    from instructor.masters import without_solutions

    stubs = without_solutions(master)
    exercises = [cell.id for cell in master.cells if _role(cell) == "answer"]
    problems, verdicts, space = count_problems(exercises, stored), [], Namespace()
    for exercise, cells in _spans(master):
        if exercise is None:
            problems += _run_given(space, cells)
            continue
        begin = space.keep()
        for answer in _cases(exercise, cells[0], stubs, stored):
            space.restore(begin)
            verdicts.append(_judge(space, answer, cells))
            if answer.kind == "solution":
                solved = space.keep()
        space.restore(solved)
    return verdicts, problems + blank_problems(stubs)


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
            twice = [text for text, count in Counter(getattr(one, key).strip() for one in own).items() if count > 1]
            problems += [f"{exercise}: two answers have the {key} {text[:60]!r}" for text in twice]
    return problems


def blank_problems(stubs) -> list[str]:
    """Run a notebook without solutions from top to bottom: each test refuses in words, nothing else goes wrong."""
    space, problems = Namespace(), []
    for cell in stubs.cells:
        if cell.cell_type != "code":
            continue
        error = space.run(cell.source, cell.id, MASTER_SECONDS).error
        fits = NotYet if _role(cell) == "test" else (NotImplementedError, NotYet, type(None))
        if not isinstance(error, fits):
            problems.append(f"{cell.id}: with nothing solved, gives {_said(error)}; expected words from musiclab.check")
    return problems


def _spans(master):
    """(None, code cells before the first answer), then (grade id, [answer cell and those up to the next])."""
    spans = [(None, [])]
    for cell in master.cells:
        if cell.cell_type == "code":
            if _role(cell) == "answer":
                spans.append((cell.id, []))
            spans[-1][1].append(cell)
    return spans


def _cases(exercise, cell, stubs, stored):
    stub = next(one.source for one in stubs.cells if one.id == exercise)
    built_in = [Answer(exercise, "solution", "the solution", cell.source), Answer(exercise, "stub", "the stub", stub)]
    return built_in + [answer for answer in stored if answer.exercise == exercise]


def _run_given(space, cells):
    outcomes = [(cell, space.run(cell.source, cell.id, MASTER_SECONDS)) for cell in cells]
    return [f"{cell.id}: stops with {_said(outcome.error)}" for cell, outcome in outcomes if outcome.error]


def _judge(space, answer, cells):
    """Run a span with an answer in place of its first cell, and hold the points against what they should be."""
    most, points, refusals, problems = 0, 0, [], []
    limit = MASTER_SECONDS if answer.kind == "solution" else ANSWER_SECONDS
    good = answer.kind in ("right", "solution")
    tests = [place for place, cell in enumerate(cells) if _role(cell) == "test"]
    # what is given after the last test, such as players, prepares the next exercise: run once is enough
    needed = cells if answer.kind == "solution" else cells[: max(tests, default=0) + 1]
    for cell in needed:
        source = answer.code if cell is cells[0] else cell.source
        outcome = space.run(source, cell.id, limit)
        if _role(cell) != "test":
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
    return Verdict(answer, points, most, caught, words, tuple(problems))


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
        yield f"{cell.id}: refuses with {_said(error)}, not in words from musiclab.check"
    elif kind == "wrong" and isinstance(error.__context__, (NameError, SyntaxError)):
        yield f"{cell.id}: refuses it only since it does not run: {error.__context__}"


def _part(cell, line):
    """Which part of a test cell a line is in."""
    before = cell.source.split(BEGIN_HIDDEN)[0]
    return "hidden" if line > before.count("\n") + 1 else "visible"


def _role(cell):
    """ "answer", "test" or "" for a cell of a master."""
    marks = cell.metadata.get("nbgrader", {})
    if cell.cell_type != "code" or not (marks.get("solution") or marks.get("grade")):
        return ""
    return "test" if marks.get("grade") else "answer"


def _said(error):
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}" if error else "no error"


def table(name: str, verdicts: list[Verdict], problems: list[str], seconds: float) -> str:
    """The report of a lesson: what caught what, and whatever is not as it should be."""
    lines, exercise = [], None
    for verdict in verdicts:
        answer = verdict.answer
        if answer.exercise != exercise:
            exercise = answer.exercise
            lines.append(f"  {exercise}")
        lines.append(
            f"    {answer.kind:<8} {verdict.points:g}/{verdict.most:g} {verdict.caught:<7} {answer.name}"
            + (f" -> {verdict.words:.100}" if verdict.words else "")
        )
        lines += [f"      !! {problem}" for problem in verdict.problems]
    lines += [f"  !! {problem}" for problem in problems]
    count = Counter((verdict.answer.kind, verdict.caught) for verdict in verdicts)
    wrong, survivors = count["wrong", "visible"] + count["wrong", "hidden"], count["wrong", ""]
    faults = len(problems) + sum(len(verdict.problems) for verdict in verdicts)
    head = (
        f"{name}: {wrong + survivors} wrong answers ({count['wrong', 'visible']} caught by visible checks, "
        f"{count['wrong', 'hidden']} by hidden tests, {survivors} survive), "
        f"{count['right', '']} right ones pass; {faults} problems; {seconds:.1f} s"
    )
    return "\n".join([head, *lines])


def report(name: str) -> int:
    """Grade one lesson's answers in this process and print its table; 0 if there is no problem."""
    begin = time.monotonic()
    try:
        stored = load(ANSWERS / f"{name}.toml")
        master = nbformat.read(SOURCE / name / f"{name}.ipynb", as_version=4)
    except (OSError, ValueError) as error:
        print(f"{name}: {error}")
        return 1
    verdicts, problems = grade(master, stored)
    print(table(name, verdicts, problems, time.monotonic() - begin))
    return int(bool(problems) or any(verdict.problems for verdict in verdicts))


def report_apart(name: str) -> tuple[int, str]:
    """`report` in a process of its own: its status and what it printed."""
    words = [sys.executable, "-m", "instructor.answers", "--here", name]
    variables = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=variables,
            capture_output=True,
            timeout=LESSON_SECONDS,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return 1, f"{name}: !! was stopped after {LESSON_SECONDS} s"
    ended = done.stdout.startswith(f"{name}: ")  # what TensorFlow says to stderr when it starts is not worth showing
    return done.returncode, done.stdout.rstrip() if ended else f"{name}: !! died\n{done.stdout}{done.stderr[-2000:]}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Grade the stored answers of the exercises.")
    parser.add_argument("names", nargs="*", metavar="NN_name", help="default: every master")
    parser.add_argument("--here", action="store_true", help="in this process, one after another")
    options = parser.parse_args(arguments)
    names = options.names or [path.stem for path in masters()]
    if options.here:
        os.environ.setdefault("MPLBACKEND", "agg")  # no windows
        return max([report(name) for name in names], default=0)
    worst = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for status, said in pool.map(report_apart, names):
            print(said, flush=True)
            worst = max(worst, abs(status))
    return min(worst, 1)


if __name__ == "__main__":
    sys.exit(main())
