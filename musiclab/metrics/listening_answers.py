"""Answers of blind listening tests: read and merge the CSV files of a class, and summarise them by model.

The website's test "Which one is Bach?" offers the file when its last round is over. One line is one
answer::

    code,listener,round,choices,model,bach,answer
    7c,3f9a01bc,1,2,Markov chain,B,A

``code`` is the class code or empty, ``listener`` a random identifier, ``bach`` where Bach's piece
stood, ``answer`` the piece that the listener took for Bach's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from musiclab.metrics.listening import (
    Interval,
    binomial_p_value,
    clustered_interval,
    wilson_interval,
)

__all__ = ["COLUMNS", "Answer", "Summary", "merge_answers", "read_answers", "summarise"]

COLUMNS = ("code", "listener", "round", "choices", "model", "bach", "answer")
LETTERS = "ABC"


class Answer(NamedTuple):
    """One round of one listener: a line of the file; see the module.

    Attributes:
      choices: pieces to choose from, 2 or 3. model: who wrote the others.
    """

    code: str
    listener: str
    round: int
    choices: int
    model: str
    bach: str
    answer: str

    @property
    def right(self) -> bool:
        """Whether the listener found Bach."""
        return self.answer == self.bach


class Summary(NamedTuple):
    """Answers about one model, or about all with the same number of choices.

    Attributes:
      model: its name, or "all models". choices: 2 or 3; the chance line is one over it.
      right, answers, listeners: how many.
      interval: share of right answers with its interval at 95%; clustered by listener where there
        are several.
      design_effect: how many answers count for one independent one; 1 for a single listener.
      p_value: of guessing, as if all answers were independent.
    """

    model: str
    choices: int
    right: int
    answers: int
    listeners: int
    interval: Interval
    design_effect: float
    p_value: float


def read_answers(path: str | Path) -> list[Answer]:
    """The answers in one file.

    Args:
      path: a CSV file with a line of :data:`COLUMNS` first; UTF-8, with or without byte-order mark.

    Returns:
      One per line, in the file's order.

    Raises:
      ValueError: names the file and the line, what is wrong and what would be right.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: it is not text in UTF-8; save it as CSV UTF-8") from error
    if not lines:
        raise ValueError(f"{path.name}: the file is empty")
    if ";" in lines[0] and "," not in lines[0]:
        raise ValueError(f"{path.name}: separated by semicolons; save it with commas")
    rows = list(csv.reader(lines))
    if tuple(rows[0]) != COLUMNS:
        raise ValueError(
            f"{path.name}: the first line is {','.join(rows[0])!r}; it should be {','.join(COLUMNS)}"
        )
    answers = [_answer(row, f"{path.name}, line {i}") for i, row in enumerate(rows[1:], 2) if row]
    if not answers:
        raise ValueError(f"{path.name}: there is no answer below the first line")
    return answers


def merge_answers(paths: Iterable[str | Path], code: str | None = None) -> list[Answer]:
    """The answers of a class; a file handed in twice counts once.

    Args:
      paths: files as :func:`read_answers` takes them.
      code: the class code that all must have; None takes any, if all have the same.

    Returns:
      Answers without repetitions, by listener and round.

    Raises:
      ValueError: if there is no file, one is not as it should be, codes differ, or two files give
        different answers for the same round of the same listener.
    """
    found, origin = {}, {}
    for path in map(Path, paths):
        for one in read_answers(path):
            key = (one.listener, one.round)
            wanted = code if code is not None else next(iter(found.values()), one).code
            if one.code != wanted:
                raise ValueError(
                    f"{path.name}: class code {one.code!r}, but {wanted!r} is wanted; "
                    "leave out the files of other classes"
                )
            if found.setdefault(key, one) != one:
                raise ValueError(
                    f"{path.name} and {origin[key]} give different answers for round {one.round} "
                    f"of listener {one.listener}: keep the file that was downloaded"
                )
            origin.setdefault(key, path.name)
    if not found:
        raise ValueError("there is no file of answers: pass at least one")
    return [found[key] for key in sorted(found)]


def summarise(answers: Iterable[Answer]) -> list[Summary]:
    """Share of right answers with interval: of all, then model by model, two-way apart from three-way.

    Args:
      answers: as :func:`merge_answers` returns them.

    Returns:
      For each number of choices a row "all models", then one for each model, from the least often
      recognised on.

    Raises:
      ValueError: if there is no answer.
    """
    answers = list(answers)
    if not answers:
        raise ValueError("there is no answer to summarise")
    rows = []
    for choices in sorted({one.choices for one in answers}):
        some = [one for one in answers if one.choices == choices]
        names = sorted({one.model for one in some})
        by_model = [_summary(name, [one for one in some if one.model == name]) for name in names]
        rows += [_summary("all models", some)]
        rows += sorted(by_model, key=lambda row: (row.interval.share, row.model))
    return rows


def _summary(model, answers):
    counts = {}
    for one in answers:
        right, n = counts.get(one.listener, (0, 0))
        counts[one.listener] = (right + one.right, n + 1)
    right, n = map(list, zip(*counts.values()))
    interval, effect = wilson_interval(sum(right), sum(n)), 1.0
    if len(counts) > 1:
        interval, effect = clustered_interval(right, n)
    choices = answers[0].choices
    p_value = binomial_p_value(sum(right), sum(n), 1 / choices)
    return Summary(model, choices, sum(right), sum(n), len(counts), interval, effect, p_value)


def _answer(row, where):
    if len(row) != len(COLUMNS):
        raise ValueError(f"{where}: {len(row)} entries; {len(COLUMNS)} are needed")
    code, listener, number, choices, model, bach, answer = (entry.strip() for entry in row)
    if not re.fullmatch(r"[0-9a-f]{8}", listener):
        raise ValueError(f"{where}: listener {listener!r}; need eight digits or letters a to f")
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise ValueError(f"{where}: round {number!r}; need a whole number from 1 on")
    if choices not in ("2", "3"):
        raise ValueError(f"{where}: {choices!r} choices; a round has 2 or 3")
    if not model:
        raise ValueError(f"{where}: no model is named")
    letters = LETTERS[: int(choices)]
    for name, letter in (("bach", bach), ("answer", answer)):
        if len(letter) != 1 or letter not in letters:
            raise ValueError(f"{where}: {name} is {letter!r}; need one of {', '.join(letters)}")
    return Answer(code, listener, int(number), int(choices), model, bach, answer)
