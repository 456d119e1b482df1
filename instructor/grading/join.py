"""This machine grades for a class: it joins a Dask scheduler as a worker, if it has a sandbox.

    python -m instructor.grading.join tls://host:8786 --nworkers 4

Words behind the address go to `dask worker`. The sandbox is tried before anything is joined: what
`dask worker --preload` raises is only logged, and the worker would join all the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from instructor.grading import cluster, kernel, sandbox
from instructor.settings import HERE, ROOT

__all__ = ["main", "words"]


def words(address: str, more: list[str]) -> list[str]:
    """The command of a worker that has the resource `sandbox` and grades one submission at a time."""
    fixed = ["--nthreads", "1", "--resources", "sandbox=1", "--memory-limit", "0", "--no-dashboard"]
    return [sys.executable, "-m", "distributed.cli.dask_worker", address, *more, *fixed]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.grading.join", description="Grade for a class, as a Dask worker."
    )
    parser.add_argument("address", help="the scheduler's, such as tls://host:8786")
    parser.add_argument(
        "--course", type=Path, default=HERE, help="nbgrader's course folder (default: instructor/)"
    )
    options, more = parser.parse_known_args(arguments)
    try:
        sandbox.demand(False)
    except sandbox.NoSandbox as error:
        print(f"this machine can't grade: {error}", file=sys.stderr)
        return 2
    kernel.remove_leftovers()
    os.environ[cluster.COURSE] = str(options.course.resolve())
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = words(options.address, more)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
