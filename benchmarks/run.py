"""Measure the course, on two cores, and write down what was measured on what: ``make bench``.

python -m benchmarks.run                   # everything
python -m benchmarks.run --only lessons    # or data, sound, speed, latent, page, grading
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks import data, latent, lessons, sound, speed
from benchmarks.record import RESULTS, ROOT, page, record
from musiclab.data import write_whole

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
CORES = 2  # what the course promises to run on


def main(arguments: list[str] | None = None, folder: Path = RESULTS) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure the course."
    )
    parser.add_argument(
        "--only", choices=BENCHMARKS, help="measure this alone; the other results stay"
    )
    options = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    for name in [options.only] if options.only else BENCHMARKS:
        print(f"measuring {name} ...", flush=True)
        try:
            rows = BENCHMARKS[name]()
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        if rows:
            write_whole(
                folder / f"{name}.json",
                (json.dumps(record(name, rows), indent=1) + "\n").encode("utf-8"),
            )
    written = page(folder)
    write_whole(folder / "README.md", written.encode("utf-8"))
    print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
