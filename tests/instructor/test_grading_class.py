"""A class of twelve from what was handed in to the CSV file; killed on the way; marked, mended, graded again."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from instructor.grading import (
    autograde,
    grade_class,
    grade_notebook,
    gradebook,
    kernel,
    master_notebook,
    sandbox,
)
from tests.instructor import small_course as small

pytestmark = pytest.mark.usefixtures("box")
NAME = small.NAME
WRONG = "def add(a, b):\n    return 3"
EXPECTED = {  # add-test, twice-test, why; None: not graded yet
    "ada": (2, 3, None),
    "bob": (0, 0, 0),
    "cyd": (0, 3, None),
    "dan": (2, 0, None),
    "eve": (0, 3, None),
    "fay": (0, 3, None),
    "gil": (None, None, None),
    "hal": (None, None, None),
    "ivy": (2, 3, None),
    "jan": (0, 3, None),
    "kim": (None, None, None),
    "leo": (2, 3, None),
}


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A course whose assignment is in the gradebook, to be copied."""
    course = small.make(tmp_path_factory.mktemp("registered"))
    gradebook.register(autograde.config_of(course), master_notebook.load(course / "source", NAME))
    return course


@pytest.fixture(scope="module")
def handed_in(registered, tmp_path_factory):
    """What twelve students hand in."""
    folder = tmp_path_factory.mktemp("class")

    def hand_in(student, name=f"{NAME}.ipynb", **answers):
        notebook = small.filled(registered, **{**small.RIGHT, **answers})
        return notebook, small.write(folder / student / name, notebook)

    hand_in("ada")
    small.write(folder / "bob" / f"{NAME}.ipynb", small.released(registered))
    hand_in("cyd", add=WRONG)
    hand_in("dan", twice="def twice(a:\n    return")
    hand_in("eve", add="def add(a, b):\n    while True: pass")
    hand_in("fay", add=small.RIGHT["add"] + "\nos._exit(0)")
    for student, content in (("gil", b'{"cells": ['), ("hal", b"")):
        (folder / student).mkdir()
        (folder / student / f"{NAME}.ipynb").write_bytes(content)
    hand_in("ivy", name="my homework (1).ipynb", why="Another reason.")
    notebook, path = hand_in("jan", add="def add(a, b):\n    return 4", why="I know.")
    small.find(notebook, "add-test").source = "assert True"
    small.write(path, notebook)
    (folder / "kim").mkdir()
    hand_in("leo")
    return folder


def words(course, submissions=None):
    more = ["--submissions", str(submissions)] if submissions else []
    return [
        "-m",
        "instructor.grading.grade_class",
        NAME,
        "--course",
        str(course),
        "--jobs",
        "2",
        *more,
    ]


def copy_of(course, folder):
    shutil.copytree(course, folder)
    return folder


def points(course):
    with gradebook.opened(autograde.config_of(course)) as book:
        result = {}
        for student in EXPECTED:
            notebook = book.find_submission(NAME, student).notebooks[0]
            by_name = {cell.name: cell.auto_score for cell in notebook.grades}
            result[student] = tuple(by_name[name] for name in ("add-test", "twice-test", "why"))
        return result


def snapshot(folder):
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {
        path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    }


def is_kept(path):
    return path.suffix != ".csv" and path.name != ".grading"


@pytest.fixture(scope="module")
def graded(registered, handed_in, tmp_path_factory):
    """The class graded in one go, and what was said."""
    course = copy_of(registered, tmp_path_factory.mktemp("graded") / "course")
    done = small.command(*words(course, handed_in))
    assert done.returncode == 0, done.stderr
    return course, done.stdout


def test_every_student_is_graded_or_named(graded):
    course, said = graded
    assert points(course) == EXPECTED
    for line in (
        "NOT GRADED  gil: the file is no notebook",
        "NOT GRADED  hal: the file is empty",
        "NOT GRADED  kim: there is no notebook",
        "note        ivy: the file was called 'my homework (1).ipynb'",
        "note        jan: add-test: its text was changed; the original was used",
        "note        eve: add-test: took longer than 3 s",
        "note        fay: add: the kernel died",
        "REVIEW      ada, leo: word for word the same answers",
        "3 not graded, 8 to mark",
    ):
        assert line in said


def test_the_csv_has_no_zero_for_what_is_not_graded(graded):
    with (graded[0] / "marks" / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        table = {row["student_id"]: row for row in csv.DictReader(file)}
    assert sorted(table) == sorted(EXPECTED)
    for student, marks in EXPECTED.items():
        known = [points for points in marks if points is not None]
        assert table[student]["points_so_far"] == (f"{sum(known):.1f}" if known else "")
        assert table[student]["score"] == ("" if None in marks else f"{sum(known):.1f}")


def test_a_second_run_changes_nothing(graded, handed_in):
    before = snapshot(graded[0])
    again = small.command(*words(graded[0], handed_in))
    assert "12 submissions, 0 to grade" in again.stdout
    assert {path: what for path, what in snapshot(graded[0]).items() if is_kept(path)} == {
        path: what for path, what in before.items() if is_kept(path)
    }
    csv_file = graded[0] / "marks" / f"{NAME}.csv"
    assert hashlib.sha256(csv_file.read_bytes()).hexdigest() == before[csv_file][1]


def test_killed_on_the_way_it_goes_on_where_it_was(graded, registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    process = subprocess.Popen(
        [sys.executable, *words(course, handed_in)],
        cwd=small.ROOT,
        env={**os.environ, "PYTHONPATH": str(small.ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while len(list(course.glob("marks/*/*.json"))) < 5 and time.monotonic() < end:
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(list(course.glob("marks/*/*.json")))
    assert 5 <= done < 12
    assert psutil.wait_procs(children, timeout=5)[1] == []  # nor does anything of it run on
    again = small.command(*words(course, handed_in))
    assert f"12 submissions, {12 - done} to grade" in again.stdout
    assert points(course) == EXPECTED
    name = f"marks/{NAME}.csv"
    assert (course / name).read_bytes() == (graded[0] / name).read_bytes()


@pytest.fixture
def small_class(registered, tmp_path):
    """Ada alone, graded and marked by hand; the course and a function that grades again."""
    course = copy_of(registered, tmp_path / "course")
    folder = tmp_path / "in"
    small.write(
        folder / "ada" / f"{NAME}.ipynb", small.filled(course, **{**small.RIGHT, "add": WRONG})
    )

    def again():
        where, how, lines = grade_class.Course(course, NAME), grade_class.Options(), []
        return grade_class.run(where, folder, how, say=lines.append)[0], lines

    row, _ = again()
    assert (row["score"], row["points_so_far"], row["state"]) == (None, 3.0, "to mark")
    with gradebook.opened(autograde.config_of(course)) as book:
        written = book.find_grade("why", NAME, NAME, "ada")
        written.manual_score, written.needs_manual_grade = 0.5, False
        book.find_comment("why", NAME, NAME, "ada").manual_comment = "Half of it."
        book.db.commit()
    assert again()[0]["score"] == 3.5
    return course, folder, again


def test_a_mended_test_is_graded_again_and_manual_marks_stay(small_class):
    course, _, again = small_class
    mended = small.the_master(add_test="assert checks.call(add, 1, 2) == 3")
    small.write(course / "source" / NAME / f"{NAME}.ipynb", mended)
    row, lines = again()
    assert lines[:2] == [
        f"{NAME} is in the gradebook as its master is now",
        "1 submissions, 1 to grade",
    ]
    assert (row["score"], row["state"]) == (5.5, "graded")
    with gradebook.opened(autograde.config_of(course)) as book:
        assert book.find_comment("why", NAME, NAME, "ada").comment == "Half of it."


def test_a_new_submission_that_cannot_be_read_loses_the_old_points_not_the_manual_ones(small_class):
    course, folder, again = small_class
    (folder / "ada" / f"{NAME}.ipynb").write_bytes(b"{")
    row, lines = again()
    assert (row["score"], row["points_so_far"], row["state"]) == (None, 0.5, "to mark")
    assert any(line.startswith("NOT GRADED  ada: the file is no notebook") for line in lines)
    assert not (course / "autograded" / "ada" / NAME / f"{NAME}.ipynb").exists()


def test_a_lost_gradebook_is_written_anew_from_what_is_kept(small_class):
    course, _, again = small_class
    with gradebook.opened(autograde.config_of(course)) as book:
        book.remove_student("ada")
    row, lines = again()
    assert "1 submissions, 0 to grade" in lines
    assert row["points_so_far"] == 3.0


def dying(monkeypatch, times):
    """Workers that are killed, as by a machine out of memory, at their first `times` submissions."""
    real, calls = grade_class.Worker.grade, []

    def dies(self, job):
        calls.append(job)
        if len(calls) <= times:
            if self.process is None:
                self._start()
            self.process.kill()
            self.process.wait()
            return {"again": "the process that graded it died, or took too long"}
        return real(self, job)

    monkeypatch.setattr(grade_class.Worker, "grade", dies)


def grade_two(course, handed_in, folder, **options):
    for student in ("ada", "leo"):
        shutil.copytree(handed_in / student, folder / student, dirs_exist_ok=True)
    lines = []
    how = grade_class.Options(**options)
    table = grade_class.run(grade_class.Course(course, NAME), folder, how, say=lines.append)
    return {row["student_id"]: row for row in table}, lines


def test_a_worker_that_dies_once_costs_nothing(registered, handed_in, tmp_path, monkeypatch):
    course = copy_of(registered, tmp_path / "course")
    dying(monkeypatch, 1)
    table, lines = grade_two(course, handed_in, tmp_path / "in")
    assert [row["points_so_far"] for row in table.values()] == [5.0, 5.0]
    assert not [line for line in lines if line.startswith("TRY AGAIN")]


def test_a_fault_of_the_machine_is_named_and_not_remembered(
    registered, handed_in, tmp_path, monkeypatch
):
    course = copy_of(registered, tmp_path / "course")
    with monkeypatch.context() as patched:
        dying(patched, 2)
        table, lines = grade_two(course, handed_in, tmp_path / "in")
    failed = next(row for row in table.values() if row["state"] == "try again")
    assert (failed.get("score"), failed["submission"]) == (None, "try again")
    assert sum(line.startswith("TRY AGAIN ") and "died" in line for line in lines) == 1
    assert not grade_class.Course(course, NAME).kept(failed["student_id"]).exists()
    table, lines = grade_two(course, handed_in, tmp_path / "in")
    assert "2 submissions, 1 to grade" in lines
    assert {row["submission"] for row in table.values()} == {"graded"}


def test_old_points_do_not_stand_for_a_submission_the_machine_failed_at(
    registered, handed_in, tmp_path, monkeypatch
):
    course, folder = copy_of(registered, tmp_path / "course"), tmp_path / "in"
    grade_two(course, handed_in, folder)
    small.write(
        folder / "leo" / f"{NAME}.ipynb", small.filled(course, **{**small.RIGHT, "add": WRONG})
    )
    for student in ("ada",):
        shutil.copytree(handed_in / student, folder / student, dirs_exist_ok=True)
    dying(monkeypatch, 2)
    how, lines = grade_class.Options(), []
    table = grade_class.run(grade_class.Course(course, NAME), folder, how, say=lines.append)
    rows = {row["student_id"]: row for row in table}
    assert (rows["leo"]["score"], rows["leo"]["state"]) == (None, "try again")
    assert rows["ada"]["points_so_far"] == 5.0


def test_what_the_time_did_not_suffice_for_is_named_and_graded_by_the_next_run(
    registered, handed_in, tmp_path
):
    course = copy_of(registered, tmp_path / "course")
    table, lines = grade_two(course, handed_in, tmp_path / "in", minutes=0)
    assert {row["state"] for row in table.values()} == {"try again"}
    assert "TRY AGAIN   ada: the time was over" in lines
    assert sorted(table) == ["ada", "leo"]


def test_slow_notebooks_wait_until_the_others_are_done(registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    settings = course / "nbgrader_config.py"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "\nc.BoxedExecute.quick_seconds = 5\n",
        encoding="utf-8",
    )
    slow = "\n".join(["def add(a, b):", "    time.sleep(2.5)", "    return a + b"])
    extra = {**small.RIGHT, "add": slow, "twice": "time.sleep(2)\n" + small.RIGHT["twice"]}
    small.write(tmp_path / "in" / "abe" / f"{NAME}.ipynb", small.filled(course, **extra))
    began = []
    real = grade_class.Worker.grade

    def noting(self, job):
        began.append((job["notebook"].split("/submitted/")[1].split("/")[0], job["seconds"]))
        return real(self, job)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grade_class.Worker, "grade", noting)
        table, _ = grade_two(course, handed_in, tmp_path / "in")
    assert began[0] == ("abe", 5)
    assert began[-1] == ("abe", 20)
    assert [row["points_so_far"] for row in table.values()] == [5.0, 5.0, 5.0]


def test_one_student_is_graded_again_and_nobody_else(registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    grade_two(course, handed_in, tmp_path / "in")
    kept = {one: grade_class.Course(course, NAME).kept(one) for one in ("ada", "leo")}
    before = {one: path.stat().st_mtime_ns for one, path in kept.items()}
    table, lines = grade_two(course, handed_in, tmp_path / "in", students=["leo"])
    assert "2 submissions, 1 to grade" in lines
    assert kept["ada"].stat().st_mtime_ns == before["ada"]
    assert kept["leo"].stat().st_mtime_ns > before["leo"]
    assert [row["points_so_far"] for row in table.values()] == [5.0, 5.0]
    with pytest.raises(ValueError, match="nothing was handed in by nobody"):
        grade_two(course, handed_in, tmp_path / "in", students=["nobody"])


def test_another_musiclab_is_another_key(registered, handed_in, tmp_path, monkeypatch):
    course = copy_of(registered, tmp_path / "course")
    grade_two(course, handed_in, tmp_path / "in")
    package = tmp_path / "other" / "musiclab"
    shutil.copytree(Path(autograde.musiclab.__file__).parent, package)
    (package / "__init__.py").write_text("# changed", encoding="utf-8")
    monkeypatch.setattr(autograde.musiclab, "__file__", str(package / "__init__.py"))
    autograde._course_digest.cache_clear()
    try:
        config = autograde.config_of(course)
        wanted = master_notebook.load(course / "source", NAME)
        changed = autograde.key_of("x", wanted, config)
    finally:
        monkeypatch.undo()
        autograde._course_digest.cache_clear()
    assert changed != autograde.key_of("x", wanted, config)


def test_late_days_come_from_time_stamps(registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    for student, stamp in (("ada", "2026-11-20 22:00:00 UTC"), ("leo", "2026-11-22 10:00:00 UTC")):
        target = course / "submitted" / student / NAME
        shutil.copytree(handed_in / student, target)
        (target / "timestamp.txt").write_text(stamp, encoding="utf-8")
    how = grade_class.Options(due=datetime(2026, 11, 20, 23, 0, tzinfo=UTC))
    lines = []
    rows = grade_class.run(grade_class.Course(course, NAME), None, how, say=lines.append)
    assert {row["student_id"]: row["days_late"] for row in rows} == {"ada": 0, "leo": 2}
    assert "late        leo: 2 days" in lines


def test_a_second_grader_is_told_to_wait(registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    with grade_class.alone(grade_class.Course(course, NAME)):
        done = small.command(*words(course, handed_in))
    assert done.returncode == 2
    assert f"process {os.getpid()} is grading this course: wait for it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_gradebook_is_named_in_one_line(registered, handed_in, tmp_path):
    course = copy_of(registered, tmp_path / "course")
    (course / "gradebook.db").write_bytes(b"no database" * 1000)
    done = small.command(*words(course, handed_in))
    assert done.returncode == 2
    assert "the gradebook can't be used (" in done.stderr
    assert "Traceback" not in done.stderr


def test_leftovers_of_killed_graders_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel.tempfile, "gettempdir", lambda: str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name, pid in (("mlgold", ended.pid), ("mlgnew", os.getpid()), ("mlgwhat", "?")):
        (tmp_path / name / "k").mkdir(parents=True)
        (tmp_path / name / "pid").write_text(str(pid), encoding="ascii")
    kernel.remove_leftovers()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlgnew", "mlgwhat"]


def test_people_who_get_lost_on_the_way_stop_the_run(registered, handed_in, tmp_path, monkeypatch):
    course = copy_of(registered, tmp_path / "course")
    real = grade_class._graded
    monkeypatch.setattr(grade_class, "_graded", lambda *words: list(real(*words))[1:])
    with pytest.raises(RuntimeError, match="2 people handed in, and 1 came out"):
        grade_two(course, handed_in, tmp_path / "in")


def call(course, handed_in, student):
    return [
        str(handed_in / student / f"{NAME}.ipynb"),
        "--assignment",
        NAME,
        "--course",
        str(course),
    ]


def test_one_notebook_in_one_json_out(graded, handed_in, capsys):
    done = small.command(
        "-m", "instructor.grading.grade_notebook", *call(graded[0], handed_in, "cyd")
    )
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert (report["points"], report["max_points"], report["graded"]) == (3.0, 6.0, True)
    messages = {cell["name"]: (cell["points"], cell["message"]) for cell in report["cells"]}
    assert messages["twice-test"] == (3.0, "")
    assert messages["why"] == (None, "not marked yet")
    assert messages["add-test"][0] == 0.0
    assert grade_notebook.main(call(graded[0], handed_in, "gil")) == 1
    assert json.loads(capsys.readouterr().out)["points"] is None


def test_one_notebook_gives_json_also_where_the_machine_fails(
    graded, handed_in, monkeypatch, capsys
):
    def fails(*_):
        raise kernel.MachineFault("no space left")

    monkeypatch.setattr(autograde, "mark", fails)
    assert grade_notebook.main(call(graded[0], handed_in, "ada")) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["state"], report["points"]) == ("try again", None)
    assert report["problem"] == "MachineFault: no space left"


def test_without_bubblewrap_only_unsafe_grades(graded, handed_in, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox._tried.cache_clear()
    try:
        assert grade_notebook.main(call(graded[0], handed_in, "ada")) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "there is no bwrap on this machine" in said.err
        assert "--unsafe" in said.err
        assert grade_notebook.main([*call(graded[0], handed_in, "ada"), "--unsafe"]) == 0
        assert json.loads(capsys.readouterr().out)["points"] == 5.0
    finally:
        sandbox._tried.cache_clear()
