"""A made-up class of twelve submissions for trying out grading.

    python -m instructor.grading.sample_class 03_autoencoder somewhere/class

The answers are mixtures of the stored right and wrong ones; one student hands in the untouched
notebook, one a file that is cut off.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

import nbformat
from nbgrader import utils

from instructor.answers import load as stored_answers
from instructor.grading import master_notebook
from instructor.settings import ANSWERS, SOURCE

__all__ = ["NAMES", "main", "submission", "write_class"]

NAMES = (
    "ada",
    "ben",
    "carla",
    "david",
    "emma",
    "felix",
    "greta",
    "hugo",
    "ida",
    "jonas",
    "karla",
    "leo",
)


def submission(wanted: master_notebook.Master, answers: list, number: int):
    """A notebook as a student may hand it in: a mixture, by its number, of stored answers.

    Args:
        wanted: the assignment.
        answers: those stored beside its master.
        number: from 0.

    Returns:
        A notebook.
    """
    notebook = copy.deepcopy(wanted.released)
    for place, cell in enumerate(filter(utils.is_solution, notebook.cells)):
        kind = "wrong" if (number + place) % 3 == 0 else "right"
        mine = [
            one.code
            for one in answers
            if (one.exercise, one.kind) == (cell.metadata.nbgrader.grade_id, kind)
        ]
        cell.source = (
            mine[(number * (2 * place + 1) + place) % len(mine)] if mine else f"Answer {number}."
        )
    return notebook


def write_class(name: str, folder: Path) -> list[Path]:
    """Write a folder for each of twelve students; returns the notebooks' paths.

    Raises:
        NoMaster: if there is no such assignment.
        ValueError: if its stored answers can't be read.
    """
    wanted, answers = master_notebook.load(SOURCE, name), stored_answers(ANSWERS / f"{name}.toml")
    paths = []
    for number, student in enumerate(NAMES):
        notebook = wanted.released if number == 1 else submission(wanted, answers, number)
        path = Path(folder) / student / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(notebook, version=4)
        path.write_text(
            text[: len(text) // 2] if number == 2 else text, encoding="utf-8", newline="\n"
        )
        paths.append(path)
    return paths


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.grading.sample_class", description="Make a class to grade."
    )
    parser.add_argument("assignment", metavar="NN_name")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        paths = write_class(options.assignment, options.folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(paths)} submissions of {options.assignment} in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
