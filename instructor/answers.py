"""Grade the stored answers: each right one must get full points, each wrong one less, the untouched stub none.

    python -m instructor.answers                     # every master
    python -m instructor.answers 03_autoencoder      # one

An answer takes the place of its cell; that cell and all up to the exercise's last test are run, from the same state
each time. The table says what caught what, and which kinds of hard cases (`musiclab.checks.hard_cases`) the tests of
each exercise try. The lessons are shared out to two processes, each of which starts TensorFlow
once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from instructor.answer_verdicts import FEWEST, Answer, Verdict, grade
from instructor.settings import ANSWERS, ROOT, SOURCE, masters

LESSON_SECONDS = 300  # for all answers of a lesson; what no interrupt stops ends here
AT_ONCE = min(2, os.cpu_count() or 1)


def load(path: Path) -> list[Answer]:
    """The answers stored for a lesson.

    Raises:
        ValueError: if the file is no TOML, or an entry lacks a key, has one too many, or is of no
          known kind.
    """
    try:
        stored = [
            Answer(**entry)
            for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("answer", [])
        ]
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    if unknown := {answer.kind for answer in stored} - set(FEWEST):
        raise ValueError(
            f'{path.name}: kind is "right" or "wrong", not {", ".join(sorted(unknown))}'
        )
    return stored


class Node(dict):
    """A part of a notebook, whose entries are attributes."""

    __getattr__ = dict.__getitem__


def read(path: Path):
    """A notebook as `grade` takes it; nbformat, which checks it in the tests of the masters, takes seconds to import.

    Raises:
        OSError: if it can't be read.
        ValueError: if it is no notebook.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"), object_hook=Node)
    if "cells" not in notebook:
        raise ValueError("is no notebook")
    for cell in notebook.cells:
        cell["source"] = "".join(cell.source)
    return notebook


def table(name: str, verdicts: list[Verdict], problems: list[str], seconds: float) -> str:
    """The report of a lesson: what caught what, and whatever is not as it should be."""
    lines, exercise = [], None
    for verdict in verdicts:
        answer = verdict.answer
        if answer.exercise != exercise:
            exercise = answer.exercise
            kinds = ", ".join(f"{kind} {count}" for kind, count in verdict.tried)
            lines.append(f"  {exercise}" + (f" (hard cases tried: {kinds})" if kinds else ""))
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
        verdicts, problems = grade(
            read(SOURCE / name / f"{name}.ipynb"), load(ANSWERS / f"{name}.toml")
        )
    except (OSError, ValueError) as error:
        print(f"{name}: {error}")
        return 1
    print(table(name, verdicts, problems, time.monotonic() - begin), flush=True)
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()  # the next lesson starts as in a fresh process
    return int(bool(problems) or any(verdict.problems for verdict in verdicts))


def apart(
    names: list[str], words=("instructor.answers", "--here"), seconds=LESSON_SECONDS
) -> tuple[int, str]:
    """Run a command on some lessons in a process of its own: its status and what it printed.

    Args:
        names: of the masters.
        words: module and arguments before the names.
        seconds: for each lesson.
    """
    variables = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        [sys.executable, "-m", *words, *names],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            said, errors = child.communicate(timeout=seconds * len(names))
        except subprocess.TimeoutExpired:
            child.kill()
            said, errors = child.communicate()
            errors += f"\nstopped after {seconds * len(names)} s"
    lost = [name for name in names if f"{name}: " not in said]
    if lost:  # what TensorFlow says to stderr when it starts is not worth showing otherwise
        said += f"{lost[0]}: !! the process ended over it: {errors[-2000:]}\n"
    return int(child.returncode != 0 or bool(lost)), said.rstrip()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Grade the stored answers of the exercises.")
    parser.add_argument("names", nargs="*", metavar="NN_name", help="default: every master")
    parser.add_argument("--here", action="store_true", help="in this process, one after another")
    options = parser.parse_args(arguments)
    names = options.names or [path.stem for path in masters()]
    if options.here:
        os.environ.setdefault("MPLBACKEND", "agg")  # no windows
        return max([report(name) for name in names], default=0)
    shares = [names[start::AT_ONCE] for start in range(AT_ONCE) if names[start:]]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(apart, shares))
    print("\n".join(said for _, said in results))
    return max((status for status, _ in results), default=0)


if __name__ == "__main__":
    sys.exit(main())
