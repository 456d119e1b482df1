"""Grade a class: `make grade ASSIGNMENT=03_autoencoder SUBMISSIONS=folder`.

Submissions are graded side by side, each in its sandbox, and written to nbgrader's gradebook as they are done. Killed
at any moment, the same command goes on where it was; a second run grades nothing that has not changed. Notebooks that
take long come last, and an hour bounds it all: what is left then, and what the machine failed at, is named, not
remembered, and graded by the same command again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

from sqlalchemy.exc import DatabaseError
from tqdm import tqdm

from instructor.grading import (
    autograde,
    cluster,
    collect,
    container,
    gradebook,
    gradebook_export,
    kernel,
    master_notebook,
    platform_export,
    sandbox,
    submission_report,
)
from instructor.grading.worker import Worker
from instructor.settings import HERE
from musiclab.data import write_whole

__all__ = ["Busy", "Course", "Options", "main", "run"]

QUICK_SECONDS = 60  # a notebook that takes longer waits until the others are done


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


class Busy(RuntimeError):
    """Another process is grading this course."""


@contextlib.contextmanager
def alone(course: Course):
    """Keep other graders out of a course.

    Raises:
        Busy: if one is there.
    """
    import fcntl  # not on Windows, where the container grades

    path = course.folder / "marks" / ".grading"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise Busy(
                f"process {file.read().strip()} is grading this course: wait for it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@dataclass
class Options:
    """How a class is graded.

    Attributes:
        jobs: how many submissions at once.
        unsafe: without a sandbox.
        students: ids of those to be graded again; the others keep what they have. None means all
          that have changed.
        due: until when it was to be handed in; None leaves what the gradebook has.
        minutes: for all together; what is left then is to be tried again.
        scheduler: address of a Dask scheduler whose workers grade; None grades on this machine.
    """

    jobs: int = 1
    unsafe: bool = False
    students: list[str] | None = None
    due: datetime | None = None
    minutes: float = 60
    scheduler: str | None = None


def run(course: Course, submissions: Path | None, options: Options, say=print) -> list[dict]:
    """Grade what has not been graded yet, write all down, and say what is to be said.

    Args:
        course: where.
        submissions: folder or zip file to take in first; None grades what nbgrader has collected.
        options: how.
        say: called with each line for the instructor.

    Returns:
        The rows of the assignment's CSV file, which is written to `marks`/NN_name.csv.

    Raises:
        Busy: if another process is grading this course.
        NoMaster: if there is no such assignment.
        NoSandbox: if students' code can't run safely here.
        ValueError: if `submissions` can't be read, a student to be graded again is not there, or
          the scheduler can't grade.
    """
    if options.scheduler and options.unsafe:
        raise ValueError("other machines run students' code in a sandbox alone")
    with alone(course):
        return _run(course, submissions, options, say)


def _run(course, submissions, options, say):
    if not options.scheduler:
        sandbox.demand(options.unsafe)
    kernel.remove_leftovers()
    config = autograde.config_of(course.folder, options.unsafe)
    wanted = master_notebook.load(Path(config.RestoreCells.source), course.assignment)
    handed, failed, nobodys = _handed(course, submissions)
    if gradebook.register(config, wanted):
        say(f"{wanted.name} is in the gradebook as its master is now")
    keys = {one.student: _key(one, wanted, config) for one in handed}
    todo = _to_grade(course, handed, keys, options)
    say(f"{len(handed)} submissions, {len(todo)} to grade")
    if not options.unsafe and not options.scheduler and todo:
        say(f"limits: {sandbox.in_force()}")
    states = dict(failed)
    with gradebook.opened(config) as book:
        if options.due is not None:
            gradebook.set_due(book, wanted.name, options.due)
        for one in handed:
            marked = course.recall(one.student)
            if one.student not in todo and marked is not None:
                states[one.student] = marked
                if not gradebook.holds(book, one.student, marked):
                    gradebook.record(book, one.student, marked, None, one.time)
        work = _graded(course, list(todo.values()), wanted, config, options, say)
        for one, marked in tqdm(
            work, total=len(todo), desc=wanted.name, unit="notebook", disable=not todo
        ):
            states[one.student] = marked
            if not marked.again:
                marked.key = keys[one.student]
                gradebook.record(book, one.student, marked, course.recall(one.student), one.time)
                course.remember(one.student, marked)
        table = gradebook_export.rows(book, [wanted.name])
    people = sorted([one.student for one in handed] + list(failed))
    if sorted(states) != people:
        raise RuntimeError(f"{len(people)} people handed in, and {len(states)} came out: {people}")
    table = [_with_state(row, states.get(row["student_id"])) for row in table]
    _write(course, handed, table, states)
    _tell(handed, states, table, nobodys, say)
    return table


def _handed(course, submissions):
    """Who handed in; who could not be taken in by this machine's fault; and what belongs to nobody."""
    if submissions is None:
        return collect.already(course.submitted, course.assignment), {}, []
    with collect.found(submissions, course.assignment) as (everybody, nobodys):
        handed, failed = [], {}
        for one in everybody:
            try:
                collect.store(one, course.submitted, course.assignment)
                handed.append(one)
            except OSError as error:
                words = submission_report.plain(f"it could not be stored ({error})")
                failed[one.student] = autograde.Marked(course.assignment, problem=words, again=True)
    return handed, failed, nobodys


def _to_grade(course, handed, keys, options):
    """{student: submission} of those whose marks are not those of what was handed in, or are asked for."""
    if options.students is not None:
        todo = {one.student: one for one in handed if one.student in options.students}
        if missing := sorted(set(options.students) - set(todo)):
            raise ValueError(f"nothing was handed in by {', '.join(missing)}")
        unknown = [one for one in handed if course.recall(one.student) is None]
        return {one.student: one for one in unknown} | todo
    return {
        one.student: one
        for one in handed
        if (marked := course.recall(one.student)) is None or marked.key != keys[one.student]
    }


def _key(one, wanted, config):
    said = repr((one.digest, one.problem, sorted(one.notes)))
    return autograde.key_of(said, wanted, config)


def _graded(course, handed, wanted, config, options, say):
    """Yield each submission with what came of it, as they are done; those that take long come last."""
    most = config.BoxedExecute.get("total_seconds", 300)
    quick = min(most, config.BoxedExecute.get("quick_seconds", QUICK_SECONDS))
    end = time.monotonic() + options.minutes * 60
    for one in handed:
        if one.problem:
            yield (
                one,
                _finished(one, autograde.Marked(course.assignment, problem=one.problem), course),
            )
    left = {one.student: one for one in handed if not one.problem}
    if not left:
        return
    if options.scheduler:
        grader = cluster.Cluster(options.scheduler, wanted, config)
    else:
        grader = _ThisMachine(course, min(options.jobs, len(left)), options.unsafe)
    with contextlib.closing(grader):
        for seconds in dict.fromkeys((quick, most)):
            jobs = {student: _paths(course, student) for student in left}
            for student, answer in grader.grade(jobs, seconds, end) if jobs else ():
                marked = (
                    autograde.Marked(**answer["marked"])
                    if "marked" in answer
                    else autograde.Marked(
                        course.assignment,
                        problem=submission_report.plain(answer["again"]),
                        again=True,
                    )
                )
                if seconds == most or not _took_long(marked):
                    one = left.pop(student)
                    yield one, _finished(one, marked, course)
        for one in left.values():
            late = autograde.Marked(course.assignment, problem="the time was over", again=True)
            yield one, _finished(one, late, course)
    if options.scheduler:
        say("graded on " + ", ".join(f"{host}: {n}" for host, n in sorted(grader.places.items())))


def _paths(course, student):
    """Where a submission is, and where what the instructor sees is to be."""
    return (
        course.submitted / student / course.assignment / f"{course.assignment}.ipynb",
        course.result(student),
    )


class _ThisMachine:
    """Worker processes of this machine, with the two methods of `cluster.Cluster`."""

    def __init__(self, course, jobs, unsafe):
        self.idle, self.workers = SimpleQueue(), []
        for _ in range(max(1, jobs)):
            self.workers.append(Worker(course.folder, course.assignment, unsafe))
            self.idle.put(self.workers[-1])
        self.pool = ThreadPoolExecutor(len(self.workers))

    def grade(self, jobs, seconds, end):
        """Yield (student, answer) as they are done; who is left at the end is not yielded."""
        work = [
            self.pool.submit(self._grade, student, *paths, seconds, end)
            for student, paths in jobs.items()
        ]
        for done in as_completed(work):
            student, answer = done.result()
            if answer is not None:
                yield student, answer

    def _grade(self, student, notebook, result, seconds, end):
        if time.monotonic() > end:
            return student, None
        job = {"notebook": str(notebook), "result": str(result), "seconds": seconds}
        for _ in range(2):  # what the machine fails at is tried twice
            worker = self.idle.get()
            try:
                answer = worker.grade(job)
            except Exception as error:
                answer = {"again": f"{type(error).__name__}: {error}"}
            finally:
                self.idle.put(worker)
            if "marked" in answer:
                break
        return student, answer

    def close(self):
        """End the processes."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for worker in self.workers:
            worker.close()


def _took_long(marked):
    return any(
        kernel.TOO_LONG in note["text"] or "was not run" in note["text"] for note in marked.notes
    )


def _finished(one, marked, course):
    """What came of a submission, with the notes of its collection; no graded notebook of an earlier one stays."""
    if marked.problem and not marked.again:
        course.result(one.student).unlink(missing_ok=True)
    if course.result(one.student).is_file():
        notebook, _ = _paths(course, one.student)
        for name in collect.EXCHANGE:  # nbgrader's feedback looks for them there
            if (notebook.parent / name).is_file():
                content = (notebook.parent / name).read_bytes()
                write_whole(course.result(one.student).parent / name, content)
    marked.notes += [
        {"text": submission_report.plain(text), "cell": None, "review": False} for text in one.notes
    ]
    return marked


def _with_state(row, marked):
    """A row of the marks; where the last submission is not graded by the machine's fault, no old points stand."""
    if marked is None:
        return row
    if marked.again:
        row |= {"score": None, "points_so_far": None, "state": autograde.TRY_AGAIN}
    return row | {"submission": marked.state}


def _write(course, handed, table, states):
    """The marks as CSV, for people and, where a platform's export was graded, for the platform."""
    folder = course.folder / "marks"
    known = {row["student_id"] for row in table}
    table += [
        {"assignment": course.assignment, "student_id": student, "state": autograde.TRY_AGAIN}
        | {"submission": autograde.TRY_AGAIN}
        for student in sorted(states)
        if student not in known
    ]
    content = gradebook_export.text(table)
    write_whole(folder / f"{course.assignment}.csv", content.encode("utf-8"))
    for platform, name in platform_export.FILES.items():
        mine = {
            one.student: one.platform for one in handed if one.platform.get("platform") == platform
        }
        if mine:
            graded = [row for row in table if row["student_id"] in mine and "max_score" in row]
            text = platform_export.text(platform, course.assignment, graded, mine)
            write_whole(folder / name.format(course.assignment), text.encode("utf-8-sig"))


def _tell(handed, states, table, nobodys, say):
    """What the instructor should know, by name."""
    same = defaultdict(list)
    late = {row["student_id"]: row.get("days_late") or 0 for row in table}
    for student, marked in sorted(states.items()):
        if marked.problem:
            word = "TRY AGAIN " if marked.again else "NOT GRADED"
            say(f"{word}  {student}: {submission_report.plain(marked.problem)}")
        for note in marked.notes:
            word = "REVIEW    " if note["review"] else "note      "
            say(f"{word}  {student}: {submission_report.plain(note['text'])}")
        if marked.answers:
            same[marked.answers].append(student)
    for one in handed:
        if late.get(one.student):
            say(f"late        {one.student}: {late[one.student]} days")
        elif one.late and one.time is None:
            say(f"late        {one.student}: the platform says so, and not by how much")
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
    parser.add_argument(
        "--student", action="append", metavar="ID", help="grade this one again, and nobody else"
    )
    parser.add_argument(
        "--due",
        type=_moment,
        metavar="'2026-11-20 23:59'",
        help="until when, in this machine's time",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=60,
        help="for all together (default: 60); then run it again",
    )
    parser.add_argument(
        "--scheduler", metavar="tls://HOST:8786", help="grade on the workers of this Dask scheduler"
    )
    options = parser.parse_args(arguments)
    course = Course(options.course.resolve(), options.assignment)
    try:
        here = not options.unsafe and not options.scheduler
        if here and sandbox.problem() and (engine := container.engine()):
            return container.grade(engine, course.folder, options)
        table = run(
            course,
            options.submissions,
            Options(
                max(1, options.jobs),
                options.unsafe,
                options.student,
                options.due,
                options.minutes,
                options.scheduler,
            ),
        )
    except (master_notebook.NoMaster, sandbox.NoSandbox, Busy, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except DatabaseError as error:
        words = submission_report.plain(str(error.orig))
        print(f"the gradebook can't be used ({words}): {gradebook.HELP}", file=sys.stderr)
        return 2
    states = [row["state"] for row in table]
    print(", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
    print(f"marks: {course.folder / 'marks' / course.assignment}.csv")
    return int(autograde.TRY_AGAIN in states)


def _moment(text):
    """A day, or a day and a time, of this machine's time zone.

    Raises:
        ValueError: if it is neither.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


if __name__ == "__main__":
    sys.exit(main())
