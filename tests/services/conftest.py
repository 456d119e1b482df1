"""Real servers for the tests of services: what is missing is skipped with words, in CI an error."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from instructor.grading import sample_class
from instructor.hub.rehearsal import free_port
from instructor.settings import HERE, SOURCE
from tests.instructor import small_course as small
from tests.instructor.conftest import box  # noqa: F401  (a fixture)

ASSIGNMENT = "00_first_listen"


def missing(words):
    """Skip, saying what is not there; fail where continuous integration should have installed it."""
    pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)


@pytest.fixture(scope="session")
def handed_in(tmp_path_factory):
    """The class of twelve, as `instructor.grading.sample_class` writes it."""
    folder = tmp_path_factory.mktemp("class")
    sample_class.write_class(ASSIGNMENT, folder)
    return folder


def make_course(folder, settings=""):
    """A course folder with the real settings, the real master and some settings more; returns it."""
    shutil.copytree(SOURCE / ASSIGNMENT, folder / "source" / ASSIGNMENT)
    text = (HERE / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(f"{text}\n{settings}\n", encoding="utf-8")
    return folder


def grade(course, *words, seconds=400):
    """Run what `make grade` runs; returns the process, which ended well."""
    done = small.command(
        *("-m", "instructor.grading.grade_class", ASSIGNMENT, "--course", course, *words),
        seconds=seconds,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def marks(course):
    """The bytes of the CSV file that `make grade` wrote."""
    return (course / "marks" / f"{ASSIGNMENT}.csv").read_bytes()


@pytest.fixture(scope="session")
def local(handed_in, box, tmp_path_factory):  # noqa: F811
    """The class graded as ever: on this machine, with SQLite."""
    course = make_course(tmp_path_factory.mktemp("local") / "course")
    grade(course, "--submissions", handed_in)
    return course


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of its own: a function that makes a database and returns its address."""
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed: `make services-environment`")
    programs = _postgresql_programs()
    if programs is None:
        missing("PostgreSQL is not installed (Debian: `sudo apt install postgresql`)")
    with _running(programs) as (ask, address):

        def database(name):
            ask(f"create database {name}")
            return f"{address}/{name}"

        yield database


def _postgresql_programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = str(found[-1]) if found else shutil.which("initdb")
    return Path(path).parent if path else None


@contextmanager
def _running(programs):
    import psycopg

    folder, port = Path(tempfile.mkdtemp(prefix="musiclab-postgresql-")), free_port()
    # PostgreSQL refuses to run as root
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")

    def run(*words):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        subprocess.run([*user, *map(str, words)], cwd=folder, check=True, timeout=60, **quiet)

    data, log = folder / "data", folder / "log"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        run(programs / "initdb", "-D", data, "-A", "trust", "-U", "teacher", "--no-sync")
        run(programs / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        address = f"postgresql://teacher@127.0.0.1:{port}"

        def ask(words):
            with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
                connection.execute(words)

        yield ask, address
    finally:
        if (data / "postmaster.pid").exists():
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def jupyter(course):
    """A Jupyter server with formgrader on a course; yields its address, to be asked with `TOKEN`."""
    port = free_port()
    words = ["-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"]
    words += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    words += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    variables = {**os.environ, "PYTHONPATH": str(small.ROOT)}
    server = subprocess.Popen([sys.executable, *words], cwd=course, env=variables, **quiet)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


TOKEN = "a-token-of-the-tests"
