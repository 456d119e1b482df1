"""Grade a class: `make grade ASSIGNMENT=03_autoencoder SUBMISSIONS=folder`.

Submissions are graded side by side, each in its sandbox, and written to nbgrader's gradebook as they are done. Killed
at any moment, the same command goes on where it was; a second run grades nothing that has not changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from instructor.grading import (
    autograde,
    collect,
    container,
    gradebook,
    gradebook_export,
    master_notebook,
    sandbox,
)
from instructor.grading.worker import Worker
from instructor.settings import HERE
from musiclab.data import write_whole

__all__ = ["Course", "main", "run"]


@dataclass
class Course:
    """Where a course keeps what.

    Attributes:
        folder: nbgrader's course folder.
        assignment: the assignment's name.
    """

    folder: Path
    assignment: str

    @property
    def submitted(self) -> Path:
        """The folder of submissions."""
        return self.folder / "submitted"

    def result(self, student: str) -> Path:
        """The graded notebook, as formgrader shows it."""
        return self.folder / "autograded" / student / self.assignment / f"{self.assignment}.ipynb"

    def kept(self, student: str) -> Path:
        """What is remembered of a submission's grading."""
        return self.folder / "marks" / self.assignment / f"{student}.json"

    def recall(self, student: str) -> autograde.Marked | None:
        """What came of the last grading; None if there was none."""
        try:
            return autograde.Marked(**json.loads(self.kept(student).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def remember(self, student: str, marked: autograde.Marked) -> None:
        """Keep what came of a grading."""
        self.kept(student).parent.mkdir(parents=True, exist_ok=True)
        write_whole(
            self.kept(student), (json.dumps(asdict(marked), indent=1) + "\n").encode("utf-8")
        )


def run(
    course: Course, submissions: Path | None, jobs: int, unsafe: bool = False, say=print
) -> list[dict]:
    """Grade what has not been graded yet, write all down, and say what is to be said.

    Args:
        course: where.
        submissions: folder or zip file to take in first; None grades what nbgrader has collected.
        jobs: how many at once.
        unsafe: without a sandbox.
        say: called with each line for the instructor.

    Returns:
        The rows of the assignment's CSV file, which is written to `marks`/NN_name.csv.

    Raises:
        NoMaster: if there is no such assignment.
        NoSandbox: if students' code can't run safely here.
        ValueError: if `submissions` can't be read.
    """
    sandbox.demand(unsafe)
    config = autograde.config_of(course.folder, unsafe)
    wanted = master_notebook.load(Path(config.RestoreCells.source), course.assignment)
    handed, nobodys = _handed(course, submissions)
    if gradebook.register(config, wanted):
        say(f"{wanted.name} is in the gradebook as its master is now")
    todo = {
        one.student: one
        for one in handed
        if _key(one, wanted, config) != _known_key(course, one.student)
    }
    say(f"{len(handed)} submissions, {len(todo)} to grade")
    with gradebook.opened(config) as book:
        for one in handed:
            marked = course.recall(one.student)
            if one.student not in todo and not gradebook.holds(book, one.student, marked):
                gradebook.record(book, one.student, marked, None)
        work = _graded(course, list(todo.values()), wanted, config, jobs, unsafe)
        for student, marked in tqdm(
            work, total=len(todo), desc=wanted.name, unit="notebook", disable=not todo
        ):
            gradebook.record(book, student, marked, course.recall(student))
            course.remember(student, marked)
        table = gradebook_export.rows(book, [wanted.name])
    write_whole(
        course.folder / "marks" / f"{wanted.name}.csv", gradebook_export.text(table).encode("utf-8")
    )
    _tell(course, handed, nobodys, say)
    return table


def _handed(course, submissions):
    if submissions is None:
        return collect.already(course.submitted, course.assignment), []
    handed, nobodys = collect.found(submissions, course.assignment)
    for one in handed:
        collect.store(one, course.submitted, course.assignment)
    return handed, nobodys


def _key(one, wanted, config):
    said = repr((one.problem, sorted(one.notes), sorted(one.files.items()))).encode()
    return autograde.key_of((one.notebook or b"") + said, wanted, config)


def _known_key(course, student):
    marked = course.recall(student)
    return marked and marked.key


def _graded(course, handed, wanted, config, jobs, unsafe):
    """Yield each student with what came of the submission, as they are done."""
    idle, workers = SimpleQueue(), []
    for _ in range(max(1, min(jobs, len(handed)))):
        workers.append(
            Worker(
                course.folder, wanted.name, config.BoxedExecute.get("total_seconds", 300), unsafe
            )
        )
        idle.put(workers[-1])
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            waiting = [pool.submit(_grade, one, course, wanted, config, idle) for one in handed]
            yield from (done.result() for done in as_completed(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.close()


def _grade(one, course, wanted, config, idle):
    if one.problem:
        marked = autograde.ungraded(wanted, None, config, one.problem)
    else:
        worker = idle.get()
        try:
            notebook = course.submitted / one.student / wanted.name / f"{wanted.name}.ipynb"
            answer = worker.grade(
                {"notebook": str(notebook), "result": str(course.result(one.student))}
            )
        finally:
            idle.put(worker)
        if "problem" in answer:
            marked = autograde.ungraded(wanted, one.notebook, config, answer["problem"])
        else:
            marked = autograde.Marked(**answer["marked"])
    if marked.problem:
        course.result(one.student).unlink(missing_ok=True)  # of an earlier submission
    marked.key = _key(one, wanted, config)
    marked.notes += [{"text": text, "cell": None, "review": False} for text in one.notes]
    return one.student, marked


def _tell(course, handed, nobodys, say):
    """What the instructor should know, by name."""
    same = defaultdict(list)
    for one in handed:
        marked = course.recall(one.student)
        if marked.problem:
            say(f"NOT GRADED  {one.student}: {marked.problem}")
        for note in marked.notes:
            say(
                f"{'REVIEW    ' if note['review'] else 'note      '}  {one.student}: {note['text']}"
            )
        if marked.answers:
            same[marked.answers].append(one.student)
    for students in same.values():
        if len(students) > 1:
            say(f"REVIEW      {', '.join(students)}: word for word the same answers")
    for words in nobodys:
        say(f"NOT GRADED  {words}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m instructor.grading.grade_class", description="Grade a class."
    )
    parser.add_argument("assignment", metavar="NN_name")
    parser.add_argument(
        "--submissions", type=Path, help="folder of students' folders, or a learning platform's zip"
    )
    parser.add_argument(
        "--course", type=Path, default=HERE, help="nbgrader's course folder (default: instructor/)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="how many at once (default: cores)"
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="run students' code without a sandbox"
    )
    options = parser.parse_args(arguments)
    course = Course(options.course.resolve(), options.assignment)
    try:
        if not options.unsafe and sandbox.problem() and (engine := container.engine()):
            return container.grade(engine, course.folder, options)
        table = run(course, options.submissions, max(1, options.jobs), options.unsafe)
    except (master_notebook.NoMaster, sandbox.NoSandbox, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    states = [row["state"] for row in table]
    print(", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
    print(f"marks: {course.folder / 'marks' / course.assignment}.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
