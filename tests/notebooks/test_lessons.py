"""Every lesson keeps the rules. `pytest tests/notebooks -k 03` asks about one."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from scripts.clean_notebooks import LESSONS, clean_file
from scripts.reset_lesson import APPENDICES, appendices, lessons, number_of
from tests.notebooks.rules import OF_LESSONS, RULES

NOTEBOOKS = lessons(LESSONS)
WITH_APPENDICES = [*NOTEBOOKS, *appendices(LESSONS)]


@pytest.mark.parametrize("path", WITH_APPENDICES, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_lesson(path: Path, rule):
    if path.name in APPENDICES and rule in OF_LESSONS:
        pytest.skip("a rule of lessons")
    if path.name == "welcome.ipynb" and rule.__name__ in ("code_lengths", "words", "proof"):
        pytest.skip("it teaches nothing")
    nb = nbformat.read(path, as_version=4)
    found = list(rule(nb, path))
    assert not found, "\n".join(f"{path.name} {problem}" for problem in found)


@pytest.mark.parametrize("path", WITH_APPENDICES, ids=lambda path: path.stem)
def test_stored_bytes(path: Path):
    assert not clean_file(path, check=True), (
        f"{path.name} is not clean: run python scripts/clean_notebooks.py"
    )


def test_every_appendix_is_there():
    assert [path.name for path in appendices(LESSONS)] == list(APPENDICES)


def test_one_notebook_per_lesson():
    numbers = Counter(number_of(path) for path in NOTEBOOKS)
    assert [number for number, count in numbers.items() if count > 1] == []


def test_nothing_else_is_stored_beside_the_lessons():
    if shutil.which("git") is None or not (LESSONS.parent / ".git").exists():
        pytest.skip("no git clone")
    command = ["git", "-c", f"safe.directory={LESSONS.parent.as_posix()}", "ls-files", "*.ipynb"]
    stored = subprocess.run(
        command, cwd=LESSONS, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    assert {name for name in stored if name and "/" not in name} <= {
        path.name for path in WITH_APPENDICES
    }
