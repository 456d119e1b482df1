"""Worker processes, each grading one submission after another.

python -m instructor.grading.worker COURSE ASSIGNMENT [--unsafe]     # what a `Worker` starts: one JSON line each way
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import nbformat

from instructor.grading import autograde, master_notebook, submission_report
from instructor.settings import ROOT
from musiclab.data import write_whole

__all__ = ["Worker", "main", "serve"]

SPARE_SECONDS = 120  # beyond the notebook's own time, for kernels to start and end
MEMORY = 3_000_000_000  # address space of the worker itself, whatever a submission makes of it


class Worker:
    """A process that grades what it is given.

    Args:
        course: nbgrader's course folder.
        assignment: the assignment's name.
        unsafe: without a sandbox.
    """

    def __init__(self, course: Path, assignment: str, unsafe: bool = False):
        self.words = [sys.executable, "-m", "instructor.grading.worker", str(course), assignment]
        self.words += ["--unsafe"] if unsafe else []
        self.process = None

    def grade(self, job: dict) -> dict:
        """Grade one submission.

        Args:
            job: {"notebook": path of what was handed in, "result": path for what the instructor
              sees, "seconds": time
                for its cells}.

        Returns:
            {"marked": the fields of `Marked`}, or {"again": words} where the machine failed.
        """
        if self.process is None or self.process.poll() is not None:
            self._start()
        clock = threading.Timer(job["seconds"] + SPARE_SECONDS, self.process.kill)
        clock.start()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            clock.cancel()
        if not answer:
            self.close()
            return {"again": "the process that graded it died, or took too long"}
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()

    def _start(self):
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.words,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=variables,
        )


def serve(course: Path, assignment: str, unsafe: bool, lines, answer) -> None:
    """Grade what comes in, until nothing more comes.

    Args:
        course: nbgrader's course folder.
        assignment: the assignment's name.
        unsafe: without a sandbox.
        lines: jobs, each a line of JSON.
        answer: called with each result, a line of JSON.
    """
    config = autograde.config_of(course, unsafe)
    wanted = master_notebook.load(Path(config.RestoreCells.source), assignment)
    for line in lines:
        job = json.loads(line)
        try:
            answer(json.dumps(_graded(job, wanted, config)))
        except (
            Exception
        ) as error:  # whatever it is, it is not the student's file, and stops nobody else
            words = submission_report.plain(f"{type(error).__name__}: {error}")
            answer(json.dumps({"again": f"could not be graded ({words})"}))


def _graded(job, wanted, config):
    handed, result = Path(job["notebook"]), Path(job["result"])
    config.BoxedExecute.total_seconds = job["seconds"]
    marked, notebook = autograde.mark(handed.read_bytes(), handed.parent, wanted, config)
    if notebook is not None:
        result.parent.mkdir(parents=True, exist_ok=True)
        write_whole(result, nbformat.writes(notebook, version=4).encode("utf-8"))
    return {"marked": asdict(marked)}


def _until_closed(stream, lines):
    """Hand lines on; when the other side is gone, be gone at once, and the kernel with us."""
    for line in stream:
        lines.put(line)
    os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    from queue import SimpleQueue

    course, assignment, *rest = sys.argv[1:] if arguments is None else arguments
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints, only answers go to the other side
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    lines = SimpleQueue()
    threading.Thread(target=_until_closed, args=(sys.stdin, lines), daemon=True).start()
    serve(
        Path(course),
        assignment,
        "--unsafe" in rest,
        iter(lines.get, None),
        lambda text: print(text, file=out, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
