"""The student edition holds the course, nothing of the instructors', and nothing that breaks without it."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from instructor import student_edition
from instructor.settings import CODE_STUB, ROOT, masters

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="packing needs a git clone"
)


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """The packed course, unpacked elsewhere."""
    folder = tmp_path_factory.mktemp("students")
    student_edition.pack(folder / "course.zip")
    with zipfile.ZipFile(folder / "course.zip") as archive:
        archive.extractall(folder)
    return folder / student_edition.TOP


def names(edition):
    return [path.relative_to(edition).as_posix() for path in edition.rglob("*") if path.is_file()]


def test_what_is_in_it(edition):
    found = names(edition)
    assert {"README.md", "Makefile", "requirements.txt", "notebooks/00_first_listen.ipynb"} <= set(
        found
    )
    assert {f"notebooks/exercises/{path.name}" for path in masters() if is_stored(path)} <= set(
        found
    )
    assert [name for name in found if "instructor" in name] == []


def is_stored(path):
    return (ROOT / "notebooks" / "exercises" / path.name).relative_to(
        ROOT
    ).as_posix() in student_edition.files()


def test_no_solution_is_in_it(edition):
    for path in edition.rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert re.search("BEGIN SOLUTION|BEGIN HIDDEN|[Mm]arking guide", text) is None, path.name
    assert CODE_STUB.splitlines()[0] in (
        edition / "notebooks/exercises/00_first_listen.ipynb"
    ).read_text(encoding="utf-8")


def test_no_code_in_it_needs_what_was_left_out(edition):
    for path in edition.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            needs = [
                name
                for name in imported
                if name.startswith(("instructor", "tests.instructor", "benchmarks.grading"))
            ]
            assert not needs, f"{path.relative_to(edition)} imports {needs}"


def test_no_link_in_it_leads_to_what_was_left_out(edition):
    for path in edition.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:\s]+)", path.read_text(encoding="utf-8")):
            assert "instructor/" not in target, f"{path.relative_to(edition)} links to {target}"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_works_in_it(edition):
    def make(*words):
        return subprocess.run(
            ["make", *words], cwd=edition, capture_output=True, encoding="utf-8", check=False
        )

    said = make("help")
    assert said.returncode == 0, said.stderr
    assert "make lab" in said.stdout
    assert "instructor" not in said.stdout
    targets = re.findall(
        r"^\.PHONY: (.*)", (edition / "Makefile").read_text(encoding="utf-8"), re.M
    )
    for target in " ".join(targets).split():
        planned = make("--dry-run", target)
        assert planned.returncode == 0, planned.stderr
        modules = re.findall(r"python -m ([\w.]+)", planned.stdout)
        files = [
            f"{module.replace('.', '/')}.py"
            for module in modules
            if module not in ("pip", "pytest")
        ]
        files += re.findall(r"\s(\w+/[\w/]+\.py)\b", planned.stdout)
        assert files or target == "help", planned.stdout
        for file in files:
            as_package = edition / file.removesuffix(".py") / "__main__.py"
            there = (edition / file).is_file() or as_package.is_file()
            assert there, f"make {target} needs {file}"


def test_its_own_tests_know_of_no_masters(edition):
    code = "import run_tests; print(run_tests.masters())"
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = ['scripts', '.']; {code}"]
    done = subprocess.run(words, cwd=edition, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == "[]\n", done.stderr


def test_measuring_works_in_it_without_git(edition):
    files = ["tests/benchmarks/test_run.py", "tests/benchmarks/test_results.py"]
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-k",
        "record or page or table",
    ]
    done = subprocess.run(
        [*words, *files], cwd=edition, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_packing_again_gives_the_same_bytes(tmp_path):
    student_edition.pack(tmp_path / "a.zip")
    student_edition.pack(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip", "b.zip"]


@pytest.fixture
def small(tmp_path):
    """A tiny course under git."""
    for name in (
        "README.md",
        "instructor/source/a.ipynb",
        "tests/instructor/test_a.py",
        "tests/test_b.py",
        "run",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "run").chmod(0o755)
    for words in (["init", "-q"], ["add", "."], ["update-index", "--chmod=+x", "run"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "untracked.txt").touch()
    return tmp_path


def test_only_what_git_knows_is_packed(small):
    assert student_edition.files(small) == {
        "README.md": False,
        "run": True,
        "tests/test_b.py": False,
    }
    assert student_edition.pack(small / "out" / "a.zip", small) == 3
    with zipfile.ZipFile(small / "out" / "a.zip") as archive:
        modes = {entry.filename: oct(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes == {
        "musiclab/README.md": "0o100644",
        "musiclab/run": "0o100755",
        "musiclab/tests/test_b.py": "0o100644",
    }


def test_a_lost_file_stops_the_packing(small, tmp_path):
    (small / "README.md").unlink()
    with pytest.raises(LookupError, match=r"not there: README\.md"):
        student_edition.pack(small / "a.zip", small)
    assert not list(small.glob("*.zip*"))


def test_no_git_no_release(tmp_path):
    with pytest.raises(LookupError, match="git can't list"):
        student_edition.files(tmp_path / "nowhere")


def test_nothing_is_packed_while_a_student_version_is_not_right(monkeypatch, tmp_path):
    monkeypatch.setattr(student_edition, "check_students", lambda words: 1)
    monkeypatch.setattr(student_edition, "ROOT", Path(tmp_path))
    assert student_edition.main() == 1
    assert list(tmp_path.iterdir()) == []
