"""Measure the course, on two cores, and write down what was measured on what: ``make bench``.

python -m benchmarks.run                   # everything
python -m benchmarks.run --only lessons    # or data, sound, speed, latent, page, grading
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import data, latent, lessons, sound, speed
from benchmarks.process import use_cores
from benchmarks.record import RESULTS, ROOT, page, store

__all__ = ["BENCHMARKS", "main"]


def _grading() -> list[dict]:
    from benchmarks import grading  # with all of nbgrader

    return grading.rows()


def _page() -> list[dict]:
    from benchmarks import page as harmoniser  # with a browser

    return harmoniser.rows()


BENCHMARKS = {
    "lessons": lessons.rows,
    "data": data.rows,
    "sound": sound.rows,
    "speed": speed.rows,
    "latent": latent.rows,
    "page": _page,
}
if (ROOT / "instructor").is_dir():  # not in the student edition
    BENCHMARKS["grading"] = _grading
KEYS = {"lessons": ("lesson",)}  # columns that name a row, where it is not "what"


def main(arguments: list[str] | None = None, folder: Path = RESULTS) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure the course."
    )
    parser.add_argument(
        "--only", choices=BENCHMARKS, help="measure this alone; the other results stay"
    )
    options = parser.parse_args(arguments)
    use_cores()
    for name in [options.only] if options.only else BENCHMARKS:
        print(f"measuring {name} ...", flush=True)
        try:
            rows = BENCHMARKS[name]()
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        if rows:
            keep = name == "grading"  # the row of a large class is measured alone
            store(name, rows, folder, key=KEYS.get(name, ("what",)), keep=keep)
    print(page(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
