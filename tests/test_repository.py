"""What git ignores, that lists agree with each other, and that the two commands' helpers do what they say."""

import ast
import datetime
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import nbformat
import pytest

from musiclab.setup import welcome
from scripts import environment, reset_lesson, run_tests

ROOT = Path(__file__).resolve().parents[1]
DAY = datetime.date(2026, 11, 20)


def git(*words, cwd=ROOT):
    command = [
        "git",
        "-c",
        f"safe.directory={Path(cwd).as_posix()}",
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t",
        *words,
    ]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path):
    """A repository with one lesson."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "03_forward.ipynb").write_bytes(b"shipped\n")
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    git("init", "-q", cwd=tmp_path)
    git("add", ".", cwd=tmp_path)
    assert git("commit", "-q", "-m", "one", cwd=tmp_path).returncode == 0
    return tmp_path


def test_the_readme_lists_the_lessons_with_their_minutes():
    rows = re.findall(
        r"^\| (\d\d[a-z]?) \|.*\| (\d+) \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    assert rows == [(one.number, one.minutes) for one in welcome.lessons(ROOT / "notebooks")]


IGNORED = """
    notebooks/03_forward_mine_2026-11-20.ipynb  notebooks/03_forward-Copy1.ipynb  notebooks/Untitled.ipynb
    notebooks/.ipynb_checkpoints/03_forward-checkpoint.ipynb  notebooks/my_song.mid  notebooks/a.mp3
    notebooks/exercises/03_forward_mine_2026-11-20.ipynb  notebooks/exercises/03_forward-Copy1.ipynb
    notebooks/exercises/Untitled1.ipynb  notebooks/exercises/my_song.ipynb
    notebooks/03_forward.html  build/lessons/03_forward.html  notebooks/03_forward.executed.ipynb
    notebooks/03_forward.nbconvert.ipynb  .venv/bin/python  musiclab/__pycache__/doctor.cpython-312.pyc
    .pytest_cache/README.md  .ruff_cache/x  .hypothesis/x  dist/x.whl  .DS_Store
"""
KEPT = """
    notebooks/03_forward.ipynb  notebooks/exercises/03_forward.ipynb  musiclab/data/corpora/build.py  data/chorales.npz
    data/weights/rnn.keras  benchmarks/results/lessons.md  tests/browser/test_lab_in_browser.py  .ci/run
    .gitignore  instructor/source/03/03_forward.ipynb
"""


@pytest.mark.parametrize("name", IGNORED.split())
def test_git_ignores(clone, name):
    assert git("check-ignore", "--no-index", name, cwd=clone).returncode == 0


@pytest.mark.parametrize("name", KEPT.split())
def test_git_keeps(clone, name):
    assert git("check-ignore", "--no-index", name, cwd=clone).returncode == 1


def test_direct_pins_and_constraints_agree():
    lines = [
        line.split("#")[0].split(";")[0].strip()
        for name in ("requirements.txt", "requirements-test.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    ]
    direct = {line.replace("_", "-") for line in lines if line and not line.startswith("-")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    services = {name: lines for name, lines in extras.items() if name != "lessons"}
    assert f"[{','.join(services)}]" == environment.EXTRAS
    direct |= {re.sub(r"\[.*\]", "", line) for lines in services.values() for line in lines}
    assert all("==" in line for line in direct), direct
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert direct - {line.split(";")[0].strip() for line in text.splitlines()} == set()


def test_every_requirement_says_who_needs_it():
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith("#"):
            assert re.search(r"# (all|none|\d\d)", line), line


def test_a_student_has_every_package_that_lessons_and_musiclab_import():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "musiclab").rglob("*.py")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        sources += [cell.source for cell in cells if cell.cell_type == "code"]
    nodes = [node for text in sources for node in ast.walk(ast.parse(text))]
    words = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    words |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {word.split(".")[0] for word in words} - set(sys.stdlib_module_names) - {"musiclab"}
    assert "numpy" in foreign
    text = (
        re.sub(r"#.*", "", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
        .replace("-", "_")
        .lower()
    )
    listed = set(re.findall(r"^(\w+)==", text, re.M))
    brought_by = {"IPython": "ipykernel", "psutil": "ipykernel", "PIL": "matplotlib"}
    assert {name for name in foreign if brought_by.get(name, name) not in listed} == set()


def test_reset_keeps_the_students_version(clone, capsys):
    notebook = clone / "notebooks" / "03_forward.ipynb"
    for text in (b"mine\n", b"mine again\n"):
        notebook.write_bytes(text)
        assert reset_lesson.main(["3"], clone) == 0
        assert notebook.read_bytes() == b"shipped\n"
    kept = {file.read_bytes() for file in notebook.parent.glob("*_mine_*.ipynb")}
    assert kept == {b"mine\n", b"mine again\n"}
    assert git("status", "--porcelain", cwd=clone).stdout == ""
    assert len(list(notebook.parent.iterdir())) == 3  # no temporary file is left
    assert "03_forward_mine_" in capsys.readouterr().out


def test_reset_of_an_unchanged_or_deleted_lesson(clone):
    notebook = clone / "notebooks" / "03_forward.ipynb"
    assert reset_lesson.main(["03"], clone) == 0
    assert list(notebook.parent.iterdir()) == [notebook]
    notebook.unlink()
    assert reset_lesson.main(["03"], clone) == 0
    assert notebook.read_bytes() == b"shipped\n"


def test_exercises_are_reset_when_asked_for_and_only_then(clone, capsys):
    lesson = clone / "notebooks" / "03_forward.ipynb"
    exercises = clone / "notebooks" / "exercises" / "03_forward.ipynb"
    exercises.parent.mkdir()
    exercises.write_bytes(b"to be solved\n")
    git("add", ".", cwd=clone)
    git("commit", "-q", "-m", "exercises", cwd=clone)
    for file in (lesson, exercises):
        file.write_bytes(b"mine\n")
    assert reset_lesson.main(["03"], clone) == 0
    assert exercises.read_bytes() == b"mine\n"
    assert reset_lesson.main(["03", "--exercises"], clone) == 0
    assert exercises.read_bytes() == b"to be solved\n"
    assert "notebooks/exercises/03_forward_mine_" in capsys.readouterr().out
    exercises.unlink()
    lesson.write_bytes(b"mine\n")
    assert reset_lesson.main(["03"], clone) == 0
    assert lesson.read_bytes() == b"shipped\n"
    assert not exercises.exists()
    assert reset_lesson.main(["3", "--exercises"], clone) == 0
    assert exercises.read_bytes() == b"to be solved\n"
    assert git("status", "--porcelain", cwd=clone).stdout == ""


def test_an_appendix_is_reset_by_its_name(clone, capsys):
    notebook = clone / "notebooks" / reset_lesson.APPENDICES[0]
    notebook.write_bytes(b"shipped\n")
    git("add", ".", cwd=clone)
    git("commit", "-q", "-m", "appendix", cwd=clone)
    notebook.write_bytes(b"mine\n")
    assert reset_lesson.main([notebook.stem], clone) == 0
    assert notebook.read_bytes() == b"shipped\n"
    assert f"notebooks/{notebook.stem}_mine_" in capsys.readouterr().out
    assert reset_lesson.appendices(clone / "notebooks") == [notebook]
    assert reset_lesson.main(["algebra"], clone) == 1
    assert f"one of 03, {notebook.stem}." in capsys.readouterr().out


@pytest.mark.parametrize("number", ["", "07", "three", "../03"])
def test_reset_of_no_lesson(clone, capsys, number):
    assert reset_lesson.main([number], clone) == 1
    assert "one of 03" in capsys.readouterr().out


def test_reset_without_a_repository_touches_nothing(tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    notebook = tmp_path / "notebooks" / "03_forward.ipynb"
    notebook.write_bytes(b"mine\n")
    assert reset_lesson.main(["03"], tmp_path) == 1
    assert notebook.read_bytes() == b"mine\n"
    assert "download the course again" in capsys.readouterr().out


def test_the_students_versions_are_no_lessons(tmp_path):
    for name in ("00_a.ipynb", "00_a_mine_2026-11-20.ipynb", "00_a-Copy1.ipynb", "Untitled.ipynb"):
        (tmp_path / name).touch()
    assert [file.name for file in reset_lesson.lessons(tmp_path)] == ["00_a.ipynb"]


def test_a_lesson_may_have_a_second_notebook(tmp_path):
    for name in ("16_creating.ipynb", "16b_control.ipynb", "17_table.ipynb", "1b_x.ipynb"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    found = reset_lesson.lessons(tmp_path)
    assert [reset_lesson.number_of(file) for file in found] == ["16", "16b", "17"]
    assert reset_lesson.find_lesson("16b", tmp_path).name == "16b_control.ipynb"
    assert reset_lesson.find_lesson("16", tmp_path).name == "16_creating.ipynb"
    for number in ("16c", "b16", "016b", "16bb"):
        with pytest.raises(LookupError, match="16, 16b, 17"):
            reset_lesson.find_lesson(number, tmp_path)


def test_stamp_depends_on_the_lists(monkeypatch, tmp_path):
    for name in (*environment.LISTS, "requirements-test.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    before = environment.stamp("lab"), environment.stamp("test")
    assert before == (environment.stamp("lab"), environment.stamp("test"))
    (tmp_path / "requirements-test.txt").write_text("new", encoding="utf-8")
    assert environment.stamp("lab") == before[0]
    assert environment.stamp("test") != before[1]
    (tmp_path / "constraints.txt").write_text("new", encoding="utf-8")
    assert environment.stamp("lab") != before[0]


def test_a_python_that_only_seems_to_be_there_is_not_taken(monkeypatch, tmp_path):
    stand_in = tmp_path / "python3.13"
    stand_in.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(environment.sys, "version_info", (3, 14, 0))
    assert environment.suitable_python() is None


def run_notebook(folder, *sources, options=()):
    """Run cells as `make test` runs a lesson."""
    lesson = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    file = folder / "99_example.ipynb"
    nbformat.write(lesson, file)
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--rootdir",
        str(ROOT),
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    words += ["-p", "conftest", "--nbval-lax", "--nbval-current-env", *options, str(file)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        words, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_good_notebook_passes(tmp_path):
    done = run_notebook(tmp_path, "x = 1", "assert x == 1")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_kernel_that_dies_fails_within_a_minute(tmp_path):
    done = run_notebook(
        tmp_path, "import os; os._exit(1)", "1 + 1", options=["--nbval-cell-timeout=600"]
    )
    assert done.returncode == 1
    assert "the kernel died" in done.stdout
    assert "2 failed" in done.stdout


def test_a_cell_that_hangs_fails_at_its_timeout(tmp_path):
    done = run_notebook(
        tmp_path, "import time; time.sleep(100)", options=["--nbval-cell-timeout=2"]
    )
    assert done.returncode == 1
    assert "Timeout of 2 seconds" in done.stdout


def test_report_counts(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        textwrap.dedent("""\
            <testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/></testsuites>"""),
        encoding="utf-8",
    )
    part = run_tests.Part("x")
    run_tests.read_report(report, part)
    assert (part.passed, part.failed, part.skipped) == (4, 3, 3)
    assert "FAILED" in part.row()


def test_summary_ends_with_the_total(capsys):
    parts = [run_tests.Part("a", passed=2), run_tests.Part("b", passed=1, failed=1)]
    assert run_tests.summary(parts, offline=True, seconds=3) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 1 failed"
    assert run_tests.summary(parts[:1], offline=True, seconds=2) == 0


def test_a_failing_part_without_a_report_counts_as_failed():
    part = run_tests.pytest_part("nothing there", ["no/such/folder"], 60)
    assert part.failed == 1


def test_a_quiet_part_says_all_at_its_end(capfd):
    run_tests.pytest_part("nothing there", ["no/such/folder"], 60, quiet=True)
    said = capfd.readouterr().out
    assert said.startswith("\n=== nothing there\n")
    assert "no/such/folder" in said
