"""Merge a class's answers to the website's listening test, and say what they show.

python -m instructor.listening_answers answers --code 7c      # or: make listening ANSWERS=answers
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from musiclab.metrics.listening_answers import COLUMNS, merge_answers, summarise
from musiclab.show.table import table

__all__ = ["main"]

MERGED = "all_answers.csv"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.listening_answers", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="the CSV files that listeners handed in")
    parser.add_argument("--code", help="the class code that all must have")
    options = parser.parse_args(arguments)
    files = [file for file in sorted(options.folder.glob("*.csv")) if file.name != MERGED]
    try:
        answers = merge_answers(files, options.code)
    except ValueError as error:
        print(f"{options.folder}: {error}", file=sys.stderr)
        return 1
    with (options.folder / MERGED).open("w", encoding="utf-8", newline="\n") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *answers])
    rows = []
    for row in summarise(answers):
        shares = [f"{share:.0%}" for share in row.interval]
        counts = f"1 in {row.choices}", f"{row.right} of {row.answers}", row.listeners
        rows.append((row.model, *counts, *shares, f"{row.design_effect:.1f}"))
    heads = ["model", "chance", "right", "listeners", "share", "from", "to", "design effect"]
    print(table(rows, heads, f"{len(files)} files; all answers are in {MERGED}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
