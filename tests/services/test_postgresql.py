"""The gradebook on a real PostgreSQL server: the marks of SQLite, many writers at once, formgrader."""

import csv
import multiprocessing
import sys
import time

import pytest
import requests

from instructor.grading import autograde, gradebook, master_notebook
from instructor.grading.grade_class import Course
from tests.services.conftest import ASSIGNMENT, TOKEN, grade, jupyter, make_course, marks

pytestmark = pytest.mark.service
WRITERS, EACH = 4, 40


def on(database):
    """The line of `nbgrader_config.py` that the guide gives."""
    return f"c.CourseDirectory.db_url = {database!r}"


@pytest.fixture(scope="module")
def graded(postgresql, handed_in, box, tmp_path_factory):
    """The class of twelve, graded into PostgreSQL."""
    course = make_course(tmp_path_factory.mktemp("course") / "course", on(postgresql("twelve")))
    grade(course, "--submissions", handed_in)
    assert not (course / "gradebook.db").exists()
    return course


def test_the_marks_are_those_of_sqlite(graded, local):
    assert (local / "gradebook.db").exists()
    assert marks(graded) == marks(local)
    with (graded / "marks" / f"{ASSIGNMENT}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert len({row["points_so_far"] for row in rows}) > 3  # no table of zeros


def test_a_second_run_grades_nothing(graded, handed_in):
    assert "12 submissions, 0 to grade" in grade(graded, "--submissions", handed_in).stdout


def test_points_given_by_hand_in_formgrader_are_kept(graded, handed_in, local):
    config = autograde.config_of(graded)
    with jupyter(graded) as address:
        ask = _session(address)
        listed = ask.get(f"{address}/formgrader/api/submissions/{ASSIGNMENT}", timeout=60).json()
        assert {one["student"] for one in listed} == {
            path.name for path in handed_in.iterdir() if path.is_dir()
        }
        with gradebook.opened(config) as book:
            notebook = book.find_submission(ASSIGNMENT, "ada").notebooks[0]
            by_hand = [one for one in notebook.grades if one.auto_score is None]
            number, given = notebook.id, by_hand[0].id
            points = notebook.score
        page = ask.get(f"{address}/formgrader/submissions/{number}/", timeout=60)
        assert page.status_code == 200
        assert "HIDDEN TESTS" in page.text  # the instructor's page
        answer = ask.put(
            f"{address}/formgrader/api/grade/{given}", json={"manual_score": 1.0}, timeout=60
        )
        assert answer.json()["manual_score"] == 1.0
    grade(graded, "--submissions", handed_in, "--student", "ada")
    with gradebook.opened(config) as book:
        assert book.find_submission(ASSIGNMENT, "ada").notebooks[0].score == points + 1


def _session(address):
    """A client of the Jupyter server, once that answers."""
    ask, end = requests.Session(), time.monotonic() + 60
    ask.headers["Authorization"] = f"token {TOKEN}"
    while True:
        try:
            page = ask.get(f"{address}/formgrader", timeout=60)
        except requests.ConnectionError:
            assert time.monotonic() < end, "the Jupyter server does not answer"
            time.sleep(0.3)
            continue
        assert page.status_code == 200
        ask.headers["X-XSRFToken"] = ask.cookies.get("_xsrf", "")
        return ask


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_no_write_of_four_writers_at_once_is_lost(engine, request, tmp_path):
    settings = ""
    if engine == "postgresql":
        settings = on(request.getfixturevalue("postgresql")("writers"))
    course = make_course(tmp_path / "course", settings)
    config = autograde.config_of(course)
    wanted = master_notebook.load(course / "source", ASSIGNMENT)
    gradebook.register(config, wanted)
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(WRITERS), context.Queue()
    writers = [
        context.Process(target=_write, args=(course, number, ready, answers))
        for number in range(WRITERS)
    ]
    for one in writers:
        one.start()
    failed = [words for _ in writers for words in answers.get(timeout=150)]
    for one in writers:
        one.join(timeout=30)
    assert failed == []
    with gradebook.opened(config) as book:
        assert sorted(one.id for one in book.students) == [f"s{n:02}" for n in range(EACH)]
        for one in book.assignment_submissions(ASSIGNMENT):
            scores = {grade.auto_score for grade in one.notebooks[0].grades}
            assert len(scores) == 1, f"{one.student.id}: marks of two writers are mixed"
            assert scores <= {float(number) for number in range(WRITERS)}


def _write(course, number, ready, answers):
    """One instructor's `make grade`: marks for the same students at the same time as the others."""
    failed = []
    try:
        config = autograde.config_of(course)
        wanted = master_notebook.load(course / "source", ASSIGNMENT)
        names = [
            cell.metadata.nbgrader.grade_id
            for cell in wanted.graded.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        ]
        cells = {name: {"auto": float(number), "comment": None} for name in names}
        marked = autograde.Marked(ASSIGNMENT, cells=cells)
        with gradebook.opened(config) as book:
            ready.wait(timeout=60)
            for student in range(EACH):
                try:
                    gradebook.record(book, f"s{student:02}", marked, None)
                except Exception as error:
                    failed.append(f"s{student:02}: {type(error).__name__}: {error}"[:300])
    except Exception as error:
        failed.append(f"writer {number}: {type(error).__name__}: {error}")
    answers.put(failed)


def test_without_the_client_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    from instructor.grading import grade_class

    course = Course(make_course(tmp_path / "course", on("postgresql://a@localhost/b")), ASSIGNMENT)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    status = grade_class.main([ASSIGNMENT, "--course", str(course.folder), "--unsafe"])
    assert status == 2
    assert '".[postgresql]"' in capsys.readouterr().err
