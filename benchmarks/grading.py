"""How fast a class is graded: nbgrader alone, one after another and unprotected, against `make grade` in its sandbox.

python -m benchmarks.grading     # prints the rows; `python -m benchmarks.run --only grading` writes them down
python -m benchmarks.grading --lesson 03_autoencoder --size 500     # one large class alone; its row is written down
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil

from benchmarks.process import use_cores
from benchmarks.record import store
from instructor.answers import load as stored_answers
from instructor.grading import autograde, gradebook, master_notebook
from instructor.grading.sample_class import submission
from instructor.settings import ANSWERS, HERE, ROOT, SOURCE

__all__ = ["GradingFails", "make_class", "rows"]

ASSIGNMENT = (
    "06_recurrent_networks"  # no TensorFlow, four functions: neither the quickest nor the slowest
)
FEW, MANY = 20, 200
SERIAL = """
import sys
sys.path.insert(0, {root!r})
from instructor.settings import configure
c = configure(get_config())
c.CourseDirectory.course_id = "musiclab"
c.CourseDirectory.root = {course!r}
c.Execute.timeout = 60
"""


class GradingFails(RuntimeError):
    """A run did not end well, or its marks are not those of the other; the message says which."""


def make_class(course: Path, size: int, lesson: str = ASSIGNMENT) -> None:
    """Write a course folder whose `submitted` folder holds a class."""
    (course / "source").mkdir(parents=True)
    shutil.copytree(SOURCE / lesson, course / "source" / lesson)
    wanted, answers = (
        master_notebook.load(course / "source", lesson),
        stored_answers(ANSWERS / f"{lesson}.toml"),
    )
    for number in range(size):
        file = course / "submitted" / f"student{number:03}" / lesson / f"{lesson}.ipynb"
        file.parent.mkdir(parents=True)
        nbformat.write(submission(wanted, answers, number), file)
    shutil.copy(HERE / "nbgrader_config.py", course)
    gradebook.register(autograde.config_of(course), wanted)


def rows() -> list[dict]:
    """Grade a class of 20 both ways, and one of 200.

    Returns:
      Rows with ``what``, ``submissions``, ``wall_s``, ``s_each``, ``first_half_s``,
      ``second_half_s`` (of the time from the first submission done to the last), ``peak_mb`` (of
      all processes together) and ``ratio``: how many times faster than nbgrader alone.

    Raises:
      GradingFails: if the marks of both ways are not the same, or a run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        alone, few, many = (Path(folder) / name for name in ("alone", "few", "many"))
        for course, size in ((alone, FEW), (few, FEW), (many, MANY)):
            make_class(course, size)
        settings = SERIAL.format(root=str(ROOT), course=str(alone))
        (alone / "nbgrader_config.py").write_text(settings, encoding="utf-8")
        made = [
            _row(
                "nbgrader alone, no sandbox",
                alone,
                FEW,
                ["-m", "nbgrader", "autograde", ASSIGNMENT],
            ),
            _row("make grade", few, FEW, _make_grade(few)),
            _row("make grade, a large class", many, MANY, _make_grade(many)),
        ]
        if _marks(alone) != _marks(few):
            raise GradingFails("nbgrader alone and `make grade` give different marks")
    base = made[0]["s_each"]
    return [row | {"ratio": round(base / row["s_each"], 2)} for row in made]


def _make_grade(course, lesson=ASSIGNMENT):
    return [
        "-m",
        "instructor.grading.grade_class",
        lesson,
        "--course",
        str(course),
        "--jobs",
        str(_cores()),
        "--minutes",
        "600",
    ]


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _row(what, course, size, words):
    began = time.perf_counter()
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=course,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = []
    watch = threading.Thread(target=_watch, args=(process, peak))
    watch.start()
    status, wall = process.wait(), time.perf_counter() - began
    watch.join()
    done = sorted(path.stat().st_mtime for path in course.glob("autograded/*/*/*.ipynb"))
    if status or len(done) != size:
        raise GradingFails(
            f"{what}: exit status {status}, {len(done)} of {size} submissions graded"
        )
    middle = done[size // 2 - 1]
    return {
        "what": what,
        "submissions": size,
        "wall_s": round(wall, 1),
        "s_each": round(wall / size, 2),
        "first_half_s": round(middle - done[0], 1),
        "second_half_s": round(done[-1] - middle, 1),
        "peak_mb": round(max(peak) / 1e6),
    }


def _watch(process, peak):
    """Note the resident memory of a process with all its children, shared pages counted in each, twice a second."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        for one in [root, *root.children(recursive=True)]:
            try:
                total += one.memory_info().rss
            except psutil.Error:
                continue
        peak.append(total)
        time.sleep(0.5)


def _marks(course):
    with gradebook.opened(autograde.config_of(course)) as book:
        return {
            (submitted.student.id, grade.name): grade.auto_score
            for submitted in book.assignment_submissions(ASSIGNMENT)
            for notebook in submitted.notebooks
            for grade in notebook.grades
        }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure grading.")
    parser.add_argument("--lesson", default=ASSIGNMENT, metavar="NN_name")
    parser.add_argument("--size", type=int, help="of one class, graded by `make grade` alone")
    options = parser.parse_args(arguments)
    use_cores()
    try:
        if options.size:
            with tempfile.TemporaryDirectory() as folder:
                course = Path(folder) / "large"
                make_class(course, options.size, options.lesson)
                words = _make_grade(course, options.lesson)
                row = _row(f"make grade, {options.lesson}", course, options.size, words)
            print(row)
            command = (
                f"python -m benchmarks.grading --lesson {options.lesson} --size {options.size}"
            )
            store("grading", [row | {"ratio": "-"}], keep=True, command=command)
            return 0
        for row in rows():
            print(row)
    except GradingFails as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
