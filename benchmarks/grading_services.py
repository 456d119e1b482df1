"""Grading beyond one process: two Dask workers against one, and a class of 40 on JupyterHub.

python -m benchmarks.grading_services     # measures on this machine and writes results/grading_services.json; by root

Workers and scheduler are on one machine, so that two workers are two cores; the marks of both runs
must be the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.grading import ASSIGNMENT, GradingFails, make_class
from benchmarks.record import RESULTS, record
from instructor.hub import rehearsal
from instructor.settings import ROOT
from musiclab.data import write_whole

__all__ = ["cluster_rows", "hub_rows", "main"]

NAME, SIZE, CLASS = "grading_services", 20, 40


def cluster_rows() -> list[dict]:
    """Grade a class of 20 with one Dask worker, then with two.

    Returns:
      Rows with ``what``, ``students``, ``wall_s`` and ``note``.

    Raises:
      GradingFails: if a run fails, or the marks differ.
    """
    rows, marks = [], []
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            course = Path(folder) / f"course{workers}"
            make_class(course, SIZE)
            seconds = _graded_by(course, workers, Path(folder) / f"scratch{workers}")
            marks.append((course / "marks" / f"{ASSIGNMENT}.csv").read_bytes())
            note = "" if workers == 1 else f"{rows[0]['wall_s'] / seconds:.2f} times as fast"
            what = f"make grade, {workers} Dask worker{'s' * (workers > 1)}"
            rows.append({"what": what, "students": SIZE, "wall_s": round(seconds, 1), "note": note})
    if marks[0] != marks[1]:
        raise GradingFails("one worker and two give different marks")
    return rows


def _graded_by(course, workers, scratch):
    port = rehearsal.free_port()
    address = f"tcp://127.0.0.1:{port}"
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": variables}
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    running = [subprocess.Popen([*words, "--port", str(port), "--no-dashboard"], **quiet)]
    words = [sys.executable, "-m", "instructor.grading.join", address, "--nworkers", str(workers)]
    words += ["--course", str(course), "--local-directory", str(scratch)]
    running.append(subprocess.Popen(words, **quiet))
    try:
        time.sleep(15)  # both workers have joined: what is measured is grading
        begin = time.perf_counter()
        words = [sys.executable, "-m", "instructor.grading.grade_class", ASSIGNMENT]
        words += ["--course", str(course), "--scheduler", address]
        done = subprocess.run(
            words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise GradingFails(done.stdout[-1000:] + done.stderr[-1000:])
        return time.perf_counter() - begin
    finally:
        for one in reversed(running):
            one.terminate()
            one.wait(timeout=30)


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
    rows = [*cluster_rows(), *hub_rows()]
    made = record(NAME, rows) | {"command": f"python -m benchmarks.{NAME}"}
    write_whole(RESULTS / f"{NAME}.json", (json.dumps(made, indent=1) + "\n").encode("utf-8"))
    for row in rows:
        print(f"{row['what']:<45}{row['students']:>4}{row['wall_s']:>8.1f} s  {row['note']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
