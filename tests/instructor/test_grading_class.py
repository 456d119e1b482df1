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
from pathlib import Path

import psutil
import pytest

from instructor.grading import (
    autograde,
    grade_class,
    grade_notebook,
    gradebook,
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
    assert {path: what for path, what in snapshot(graded[0]).items() if path.suffix != ".csv"} == {
        path: what for path, what in before.items() if path.suffix != ".csv"
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
        lines = []
        return grade_class.run(grade_class.Course(course, NAME), folder, 1, say=lines.append)[
            0
        ], lines

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


def test_a_worker_that_dies_costs_one_submission(registered, handed_in, tmp_path, monkeypatch):
    course = copy_of(registered, tmp_path / "course")
    real, calls = grade_class.Worker.grade, []

    def dies_once(self, job):
        calls.append(job)
        if len(calls) == 1:
            self._start()
            self.process.kill()
        return real(self, job)

    monkeypatch.setattr(grade_class.Worker, "grade", dies_once)
    folder = tmp_path / "in"
    for student in ("ada", "leo"):
        shutil.copytree(handed_in / student, folder / student)
    lines = []
    table = grade_class.run(grade_class.Course(course, NAME), folder, 1, say=lines.append)
    assert sorted(str(row["points_so_far"]) for row in table) == ["5.0", "None"]
    assert sum(line.startswith("NOT GRADED") and "died" in line for line in lines) == 1


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
