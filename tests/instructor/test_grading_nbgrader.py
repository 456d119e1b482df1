"""nbgrader's own way through the term works in this folder, in the same sandbox; feedback shows no hidden test."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from getpass import getuser
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory

from instructor.grading import autograde, gradebook, master_notebook, outputs
from tests.instructor import small_course as small
from tests.instructor.test_grading_submissions import SCRIPTS, scripts_and_links

pytestmark = pytest.mark.usefixtures("box")
NAME = small.NAME
SNOOP = "print([one for one in get_ipython().history_manager.input_hist_raw])"


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    """One assignment from its release to the feedback a student fetches, by nbgrader alone; the course's folder."""
    folder = tmp_path_factory.mktemp("term")
    config = autograde.config_of(small.make(folder / "course"))
    config.Exchange.root = str(folder / "exchange")
    config.Exchange.cache = str(folder / "cache")
    (folder / "exchange").mkdir(mode=0o777)
    (folder / "exchange").chmod(0o777)
    (folder / "home").mkdir()
    teacher = NbGraderAPI(config=config)
    happened = {}
    for step in ("generate_assignment", "release_assignment"):
        happened[step] = getattr(teacher, step)(NAME)
    student = folder / "home"
    before = Path.cwd()
    os.chdir(student)
    try:
        _exchange("fetch_assignment", config)
        path = student / NAME / f"{NAME}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        answers = {
            "add": "def add(a, b):\n    return 3",
            "twice": f"{SNOOP}\ndef twice(a):\n    {SNOOP}\n    return 3 * a",
            "why": "\n\n".join(SCRIPTS),
        }
        for name, source in answers.items():
            small.find(notebook, name).source = source
        nbformat.write(notebook, path)
        _exchange("submit", config)
    finally:
        os.chdir(before)
    who = os.environ.get("JUPYTERHUB_USER") or getuser()
    happened["collect"] = teacher.collect(NAME, update=True)
    happened["autograde"] = teacher.autograde(NAME, who)
    happened["generate_feedback"] = teacher.generate_feedback(NAME, who)
    happened["release_feedback"] = teacher.release_feedback(NAME, who)
    return folder / "course", config, who, happened


def _exchange(step, config):
    directory = CourseDirectory(config=config)
    directory.assignment_id = NAME
    make = getattr(ExchangeFactory(config=config), step)
    make(coursedir=directory, config=config, authenticator=Authenticator(config=config)).start()


def test_every_step_succeeds(term):
    happened = term[3]
    assert {step: said["success"] for step, said in happened.items()} == dict.fromkeys(
        happened, True
    )
    assert len(happened) == 6


def test_the_released_version_holds_no_solution(term):
    text = (term[0] / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert small.SECRET not in text
    assert "return a + b" not in text
    assert small.WHY not in text


def test_nbgraders_autograde_gives_the_marks_of_make_grade(term, tmp_path):
    course, config, who, _ = term
    with gradebook.opened(config) as book:
        notebook = book.find_submission(NAME, who).notebooks[0]
        by_nbgrader = {one.name: one.auto_score for one in notebook.grades}
    handed = course / "submitted" / who / NAME / f"{NAME}.ipynb"
    marked, _ = autograde.mark(
        handed.read_bytes(), tmp_path, master_notebook.load(course / "source", NAME), config
    )
    assert by_nbgrader == {name: cell["auto"] for name, cell in marked.cells.items()}
    assert by_nbgrader == {"add-test": 0, "twice-test": 0, "why": None}


@pytest.fixture(scope="module")
def feedback(term):
    course, _, who, _ = term
    return (course / "feedback" / who / NAME / f"{NAME}.html").read_text(encoding="utf-8")


def test_feedback_shows_no_hidden_test(term, feedback):
    course, _, who, _ = term
    seen_by_teacher = (course / "autograded" / who / NAME / f"{NAME}.ipynb").read_text(
        encoding="utf-8"
    )
    assert small.SECRET in seen_by_teacher
    assert small.SECRET not in feedback
    text = re.sub(r"<[^>]+>", "", feedback)
    assert "HIDDEN TESTS" not in text
    assert "Traceback (most recent" not in text
    assert "== 11" not in text


def test_feedback_says_what_is_wrong_in_words(feedback):
    text = re.sub(r"<[^>]+>", "", feedback).replace("&#39;", "'").replace("&quot;", '"')
    assert outputs.HIDDEN_FAILED in text
    assert "twice(4): expected 8, but got 12" in text
    assert "return 3 * a" in text  # the student's own work
    assert 'checks.number(checks.call(add, 1, 2), 3, "add(1, 2)")' in text


def test_no_script_of_a_students_runs_in_feedback(feedback):
    found = scripts_and_links(feedback)
    assert not [
        one for one in found if one.startswith(("javascript", "vbscript")) or "alert(" in one
    ]


def addresses(page):
    """What a browser fetches by itself: scripts, style sheets, pictures, frames."""
    from bs4 import BeautifulSoup

    parsed = BeautifulSoup(page, "html.parser")
    found = [one.get("src") for one in parsed.find_all(["script", "img", "iframe"])]
    return [one for one in found + [one.get("href") for one in parsed.find_all("link")] if one]


def test_feedback_asks_no_other_host(feedback):
    assert [one for one in addresses(feedback) if "//" in one] == []


@pytest.fixture(scope="module")
def formgrader(term):
    """A Jupyter server with formgrader on the term's course: a function that fetches a page."""
    course = term[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"]
    words += ["--ServerApp.port_retries=0", "--IdentityProvider.token=secret"]
    words += [f"--ServerApp.jpserver_extensions={EXTENSIONS}"]
    variables = {**os.environ, "PYTHONPATH": str(small.ROOT)}
    server = subprocess.Popen(
        [sys.executable, *words],
        cwd=course,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def fetch(path):
        end = time.monotonic() + 60
        while True:
            try:
                address = f"http://127.0.0.1:{port}/{path}"
                asked = urllib.request.Request(address, headers={"Authorization": "token secret"})
                with urllib.request.urlopen(asked, timeout=30) as page:
                    return page.read().decode("utf-8")
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > end or getattr(error, "code", None):
                    raise
                time.sleep(0.5)

    yield fetch
    server.kill()
    server.wait()


EXTENSIONS = "{'nbgrader.server_extensions.formgrader': True}"


def test_a_running_formgrader_shows_the_submission_and_nothing_from_elsewhere(term, formgrader):
    _, config, who, _ = term
    with gradebook.opened(config) as book:
        number = book.find_submission(NAME, who).notebooks[0].id
    listed = formgrader(f"formgrader/api/submissions/{NAME}")
    assert json.loads(listed)[0]["student"] == who
    page = formgrader(f"formgrader/submissions/{number}/")
    assert "return 3 * a" in re.sub(r"<[^>]+>", "", page)
    assert small.SECRET in page  # for the instructor
    assert [one for one in addresses(page) if one.split("?")[0].startswith(("http", "//"))] == []
    found = scripts_and_links(page)
    assert not [
        one for one in found if one.startswith(("javascript", "vbscript")) or "alert(" in one
    ]


def test_a_copy_beside_the_master_is_not_released(term, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(term[0], course)
    shutil.rmtree(course / "release")
    shutil.copy(course / "source" / NAME / f"{NAME}.ipynb", course / "source" / NAME / "master.txt")
    said = NbGraderAPI(config=autograde.config_of(course)).generate_assignment(NAME)
    assert not said["success"]
    assert "master.txt, which would be released" in said["log"]
    assert not (course / "release" / NAME).exists()
