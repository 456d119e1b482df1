"""A real JupyterHub with the shipped configuration: one teacher and three students go through an assignment."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from instructor.hub import rehearsal
from tests.services.conftest import ASSIGNMENT, missing

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def day(box):
    """The hub, after everything from the release to the feedback."""
    if why := rehearsal.missing():
        missing(why)
    with rehearsal.Rehearsal(students=3) as hub:
        hub.all_day()
        yield hub


@pytest.fixture(scope="module")
def rows(day):
    """The marks that the teacher's `make grade` wrote."""
    path = day.home(day.teacher) / "course" / "instructor" / "marks" / f"{ASSIGNMENT}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_every_student_is_graded(day, rows):
    assert sorted(rows) == sorted(day.students)
    assert {row["submission"] for row in rows.values()} == {"graded"}
    assert len({row["points_so_far"] for row in rows.values()}) > 1  # not all the same
    assert all(row["timestamp"] for row in rows.values())


def test_every_student_gets_the_own_feedback_without_hidden_tests(day, rows):
    for name in day.students:
        (page,) = day.feedback(name)
        assert ASSIGNMENT in page
        assert "BEGIN HIDDEN" not in page
        notebook = day.home(name) / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        assert "BEGIN HIDDEN" not in notebook.read_text(encoding="utf-8")
    assert len({day.feedback(name)[0] for name in day.students}) == 3


def test_what_the_exchange_needs_lies_beside_the_graded_notebook(day):
    for name in day.students:
        graded = day.home(day.teacher) / "course/instructor/autograded" / name / ASSIGNMENT
        handed = graded.parents[2] / "submitted" / name / ASSIGNMENT
        for file in ("timestamp.txt", "submission_secret.txt"):
            assert (graded / file).read_bytes() == (handed / file).read_bytes()


def test_formgrader_answers_the_teacher_alone(day):
    assert day.ask(day.teacher, "GET", "formgrader/api/assignments").json()[0]["name"] == ASSIGNMENT
    with pytest.raises(rehearsal.Failed, match="404"):
        day.ask(day.students[0], "GET", "formgrader/api/assignments")


def test_a_student_reaches_neither_the_teachers_server_nor_files(day):
    url = f"{day.address}/user/{day.teacher}/api/contents"
    token = day.tokens[day.students[0]]
    answer = requests.get(url, headers={"Authorization": f"token {token}"}, timeout=60)
    assert answer.status_code in (403, 404)
    student = day.students[0]
    private = [day.home(day.teacher) / "course" / "instructor", day.home(day.students[1])]
    private += [day.folder / "hub", day.folder / "exchange" / "musiclab" / "inbound"]
    for path in private:
        assert path.is_dir()
        words = ["runuser", "-u", student, "--", "ls", str(path)]
        assert subprocess.run(words, capture_output=True, check=False).returncode, path


def test_accounts_of_a_killed_rehearsal_are_taken_away_and_no_others():
    if why := rehearsal.missing():
        missing(why)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()  # a process number that nothing runs under
    alive = subprocess.Popen(["sleep", "60"])
    left, other, beside = (f"mlclass{gone.pid}x01", f"mlclass{alive.pid}x01", "mlclassroom")
    try:
        for name in (left, other, beside):
            subprocess.run(["useradd", "--create-home", name], check=True)
        assert left in rehearsal.left_behind()
        assert not {other, beside} & set(rehearsal.left_behind())
        sleeper = subprocess.Popen(["runuser", "-u", left, "--", "sleep", "60"])
        rehearsal.remove_left_behind()
        assert sleeper.wait(timeout=20) != 0
        accounts = Path("/etc/passwd").read_text(encoding="utf-8")
        assert f"{left}:" not in accounts
        assert f"{other}:" in accounts
        assert f"{beside}:" in accounts
    finally:
        alive.kill()
        alive.wait()
        for name in (left, other, beside):
            subprocess.run(["userdel", "-f", "-r", name], capture_output=True, check=False)


def test_without_root_it_says_what_it_needs():
    words = [sys.executable, "-m", "instructor.hub.rehearsal", "--students", "1"]
    if rehearsal.missing() is None:
        words = ["runuser", "-u", "nobody", "--", *words]
    done = subprocess.run(
        words, cwd=rehearsal.ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip()
