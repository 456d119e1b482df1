"""Grading with servers: two Dask workers against one, one of two killed, and a class of 40 on JupyterHub.

python -m benchmarks.grading_services     # measures on this machine and writes results/grading_services.json; by root

Workers and scheduler are on one machine, so that two workers are two cores; the marks of both runs
must be the same.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.grading import ASSIGNMENT, GradingFails, make_class
from benchmarks.process import beside_others
from benchmarks.record import store
from instructor.hub import rehearsal
from instructor.settings import ROOT

__all__ = ["cluster_rows", "hub_rows", "main"]

NAME, SIZE, CLASS = "grading_services", 20, 40
WAIT_SECONDS = 240  # for scheduler and workers to be there
GRADING_SECONDS = 3600


def cluster_rows() -> list[dict]:
    """Grade a class of 20 with one Dask worker, with two, and with two of which one is killed at work.

    Returns:
      Rows with ``what``, ``students``, ``wall_s`` and ``note``.

    Raises:
      GradingFails: if a run fails, or the marks differ.
    """
    rows, marks = [], []
    runs = {"1 Dask worker": (1, False), "2 Dask workers": (2, False)}
    runs["2 Dask workers, one killed at work"] = (2, True)
    for what, (workers, killed) in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            course = Path(folder) / "course"
            make_class(course, SIZE)
            seconds = _graded_by(course, workers, killed, Path(folder))
            marks.append((course / "marks" / f"{ASSIGNMENT}.csv").read_bytes())
            graded = len(list(course.glob("autograded/*/*/*.ipynb")))
        note = f"{graded} graded"
        if rows:
            note += f", the same marks; {rows[0]['wall_s'] / seconds:.2f} times as fast as one"
        if graded != SIZE or marks[-1] != marks[0]:
            raise GradingFails(f"{what}: {graded} of {SIZE} graded, or with other marks")
        row = {"what": f"make grade, {what}", "students": SIZE, "wall_s": round(seconds, 1)}
        rows.append(row | {"note": note})
    return rows


def _graded_by(course, workers, killed, folder):
    from distributed import Client

    address = f"tcp://127.0.0.1:{rehearsal.free_port()}"
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": variables}
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    words += ["--port", address.rpartition(":")[2], "--no-dashboard"]
    running = [subprocess.Popen(words, **quiet)]
    try:
        for number in range(workers):
            words = [sys.executable, "-m", "instructor.grading.join", address, "--nworkers", "1"]
            words += ["--course", str(course), "--local-directory", str(folder / str(number))]
            running.append(subprocess.Popen(words, **quiet))
        with Client(address, timeout=WAIT_SECONDS) as client:  # what is measured is grading
            client.wait_for_workers(workers, timeout=WAIT_SECONDS)
        begin = time.perf_counter()
        words = [sys.executable, "-m", "instructor.grading.grade_class", ASSIGNMENT]
        words += ["--course", str(course), "--scheduler", address]
        pipe = subprocess.PIPE
        grading = subprocess.Popen(
            words, cwd=ROOT, env=variables, stdout=pipe, stderr=pipe, text=True
        )
        running.append(grading)
        while killed and not _at_work(running[1]):
            if grading.poll() is not None:
                raise GradingFails("all was graded before the worker was killed")
            time.sleep(0.1)
        if killed:
            _kill(running[1])
        said, errors = grading.communicate(timeout=GRADING_SECONDS)
        if grading.returncode:
            raise GradingFails(said[-1000:] + errors[-1000:])
        return time.perf_counter() - begin
    finally:
        for one in reversed(running):
            _kill(one)


def _tree(process):
    """A process and those below it; none if it has ended."""
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _at_work(process):
    """Whether a Dask worker has begun its first submission."""
    for one in _tree(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "instructor.grading.worker" in one.cmdline():
                return True
    return False


def _kill(process):
    for one in _tree(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


def hub_rows(students: int = CLASS) -> list[dict]:
    """Take a class through an assignment on a real JupyterHub, each step by all students at once.

    Returns:
      Rows as :func:`cluster_rows`, one for each step.
    """
    with rehearsal.Rehearsal(students) as hub:
        hub.all_day()
        if lost := [name for name in hub.students if not hub.feedback(name)]:
            raise GradingFails(f"no feedback came to {', '.join(lost)}")
    rows = [
        {"what": f"JupyterHub: {step}", "students": students, "wall_s": seconds, "note": ""}
        for step, seconds in hub.seconds.items()
    ]
    total = round(sum(hub.seconds.values()), 1)
    note = f"{hub.peak_mb} MB for the hub and all servers"
    return [
        *rows,
        {"what": "JupyterHub: all", "students": students, "wall_s": total, "note": note},
    ]


def main() -> int:
    if why := rehearsal.missing():
        print(why, file=sys.stderr)
        return 2
    beside = beside_others()
    rows = [*cluster_rows(), *hub_rows()]
    for row in rows:
        row["note"] = "; ".join(filter(None, (row["note"], beside)))
    store(NAME, rows, command=f"python -m benchmarks.{NAME}")
    for row in rows:
        print(f"{row['what']:<45}{row['students']:>4}{row['wall_s']:>8.1f} s  {row['note']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
