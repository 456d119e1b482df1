"""Grading a class on several machines, with Dask: `make grade ... SCHEDULER=tls://host:8786`.

Submissions travel as bytes, and so do graded notebooks: machines share the course's code and nothing
else. Whoever runs `make grade` alone writes to the gradebook. A task asks for the resource `sandbox`,
which only a worker started by `instructor.grading.join` has; a worker that dies costs no submission,
since the scheduler gives its tasks to another.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from instructor.grading import autograde, collect, master_notebook, sandbox
from instructor.grading.worker import Worker
from instructor.settings import HERE
from musiclab.data import write_whole

__all__ = ["COURSE", "Cluster", "grade_there"]

COURSE = "MUSICLAB_COURSE"  # variable of a worker: its course folder
RESOURCE = {"sandbox": 1}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAIT_SECONDS = 30  # for the first worker
HOW_TO = (
    "is the scheduler there, and does ~/.config/dask/tls.yaml name your certificate? See "
    "instructor/README.md, 'Grading on several machines'"
)
_WORKERS = {}  # in a worker: its grading process, with the version of the course that it has loaded


class Cluster:
    """A Dask cluster that grades.

    Args:
        address: the scheduler's, such as "tls://host:8786".
        wanted: the assignment.
        config: the course's.

    Raises:
        ValueError: if Dask is not installed, nobody answers there, or no worker has a sandbox.
    """

    def __init__(self, address: str, wanted: master_notebook.Master, config):
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise ValueError(
                'a scheduler needs Dask: .venv/bin/pip install -c constraints.txt -e ".[cluster]"'
            ) from None
        parts = urlsplit(address)
        if parts.scheme != "tls" and parts.hostname not in LOOPBACK:
            raise ValueError(
                f"{address} is open to everybody in the network, who could run programs as you: start the scheduler "
                "with TLS, and say tls://host:8786"
            )
        try:
            self.client = Client(address, timeout=20)
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(f"no connection to {address} ({error}): {HOW_TO}") from None
        self.places = Counter()  # {host: submissions graded there}
        self._wanted, self._key = wanted, autograde.key_of("", wanted, config)
        if not self._with_sandbox():
            self.close()
            raise ValueError(
                f"no worker with a sandbox has joined {address}: start `python -m instructor.grading.join {address}` "
                "on each machine that is to grade"
            )

    def grade(self, jobs: dict, seconds: float, end: float):
        """Yield (student, answer) as they are done; an answer is that of `Worker.grade`.

        Args:
            jobs: {student: (path of the notebook, path for what the instructor sees)}.
            seconds: time for a notebook's cells.
            end: `time.monotonic()` at which to stop; who is left then is not yielded.
        """
        from distributed import CancelledError, as_completed

        todo = {}
        for student, (notebook, _) in jobs.items():
            beside = {
                path.name: path.read_bytes()
                for path in sorted(notebook.parent.iterdir())
                if path.is_file() and path != notebook and path.name not in collect.EXCHANGE
            }
            task = self.client.submit(
                grade_there,
                self._wanted.name,
                self._wanted.digest,
                self._key,
                notebook.read_bytes(),
                beside,
                seconds,
                pure=False,
                resources=RESOURCE,
            )
            todo[task] = student
        try:
            for task in as_completed(todo, timeout=max(0.1, end - time.monotonic())):
                student = todo[task]
                try:
                    answer = task.result()
                except (Exception, CancelledError) as error:  # such as one that killed four workers
                    answer = {"again": f"{type(error).__name__}: {error}"[:300]}
                if content := answer.pop("content", None):
                    result = jobs[student][1]
                    result.parent.mkdir(parents=True, exist_ok=True)
                    write_whole(result, content)
                self.places[answer.pop("where", "nowhere")] += "marked" in answer
                yield student, answer
        except TimeoutError:
            pass
        finally:
            self.client.cancel(list(todo))

    def close(self) -> None:
        """Leave the cluster; it stays for others."""
        self.client.close()

    def _with_sandbox(self):
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
            if any(one["resources"].get("sandbox") for one in workers):
                return True
            time.sleep(0.5)
        return False


def grade_there(
    assignment: str,
    digest: str,
    key: str,
    notebook: bytes,
    files: dict[str, bytes],
    seconds: float,
) -> dict:
    """Grade one submission, on whatever machine this is.

    Args:
        assignment: its name.
        digest: of the master it is to be graded by.
        key: `autograde.key_of` that master, the settings and the programs.
        notebook: what was handed in.
        files: {name: content} of what lay beside it.
        seconds: time for its cells.

    Returns:
        What `Worker.grade` answers, with `content`, the notebook for the instructor, and `where`.
    """
    sandbox.demand(False)
    course, host = Path(os.environ.get(COURSE, HERE)), socket.gethostname()
    config = autograde.config_of(course)
    wanted = master_notebook.load(Path(config.RestoreCells.source), assignment)
    if wanted.digest != digest:
        return {"again": f"the course on {host} is another version: its master differs"}
    if autograde.key_of("", wanted, config) != key:
        return {
            "again": f"the course on {host} is another version: its settings or programs differ"
        }
    if key not in _WORKERS:
        for old in _WORKERS.values():
            old.close()
        _WORKERS.clear()
        _WORKERS[key] = Worker(course, assignment)
    with tempfile.TemporaryDirectory() as folder:
        handed = Path(folder) / "handed"
        handed.mkdir()
        for name, content in files.items():
            (handed / Path(name).name).write_bytes(content)
        path, result = handed / f"{assignment}.ipynb", Path(folder) / "result.ipynb"
        path.write_bytes(notebook)
        job = {"notebook": str(path), "result": str(result), "seconds": seconds}
        answer = _WORKERS[key].grade(job)
        content = result.read_bytes() if result.is_file() else None
    return answer | {"content": content, "where": host}
