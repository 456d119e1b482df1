"""The zip file for a class without a network: unpacked elsewhere, it installs from its own wheels alone."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile

import pytest

from instructor import class_zip, student_edition
from instructor.settings import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="packing needs git"),
]
SETUP = ("__init__.py", "setup/__init__.py", "setup/doctor.py", "setup/machine.py")


def write_wheel(folder, name, module):
    """A wheel with one module, as pip reads it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD,,\n"
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{file},sha256={digest.decode()},{len(text.encode())}\n"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for file, text in [*files.items(), (f"{info}/RECORD", record)]:
            archive.writestr(file, text)


BACKEND = """
    import shutil
    from pathlib import Path
    def build_editable(folder, settings=None, metadata=None):
        name = "smallcourse-1.0-py3-none-any.whl"
        shutil.copy(Path(__file__).with_name("made") / name, folder)
        return name
    def build_wheel(folder, settings=None, metadata=None):
        return build_editable(folder)
"""


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder in place of the network: the requirement, what builds the course, and its builder."""
    folder = tmp_path / "index"
    write_wheel(folder, "tinything", "VALUE = 7\n")
    write_wheel(folder, "tinybuilder", textwrap.dedent(BACKEND))
    write_wheel(folder, "editables", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def course(tmp_path):
    """A course of a few files: the real script that installs, one requirement, a builder of its own."""
    folder = tmp_path / "course"
    for name in SETUP:
        (folder / "musiclab" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "musiclab" / name, folder / "musiclab" / name)
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "environment.py", folder / "scripts")
    files = {
        "requirements.txt": "tinything==1.0\n",
        "constraints.txt": "",
        "pyproject.toml": '[build-system]\nrequires = ["tinybuilder"]\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n[project]\nname = "smallcourse"\nversion = "1.0"\n',
        "backend.py": "from tinybuilder import build_wheel\n" + textwrap.dedent(BACKEND),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_wheel(folder / "made", "smallcourse", "")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def test_it_installs_from_its_own_wheels(index, course, tmp_path, monkeypatch):
    target = tmp_path / "class.zip"
    assert class_zip.pack(target, course) == 3
    assert [file.name for file in tmp_path.glob("class.zip*")] == ["class.zip"]
    shutil.rmtree(index)
    shutil.rmtree(course)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / student_edition.TOP
    assert {file.stem.partition("-")[0] for file in (folder / "wheels").iterdir()} == {
        "tinything",
        "tinybuilder",
        "editables",
    }
    # an address where nothing answers: a request would fail
    own = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    words = [sys.executable, "scripts/environment.py"]
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    python = folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    said = subprocess.run(
        [python, "-c", "import tinything, smallcourse; print(tinything.VALUE)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "7"


def test_without_the_packages_nothing_is_left(index, course, tmp_path):
    (index / "tinything-1.0-py3-none-any.whl").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        class_zip.pack(tmp_path / "class.zip", course)
    assert list(tmp_path.glob("class.zip*")) == []
