"""Make or update `.venv`: what `make lab` and `make test` do first. Standard library only.

`python scripts/environment.py` installs what the lessons need, with `--test` the test tools too, with
`--services` the clients of servers as well. A stamp remembers what was installed from which lists, so
that the second run only compares a checksum.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from musiclab.setup import doctor, machine  # noqa: E402  (found through the line above; needs no package)

VENV = ROOT / ".venv"
WHEELS = ROOT / "wheels"  # in the zip file for a class without a network (`make class-zip`)
LISTS = ("requirements.txt", "constraints.txt", "pyproject.toml")
KINDS = ("lab", "test", "services")  # each on top of the one before
EXTRAS = "[cluster,postgresql,hub]"  # of pyproject.toml
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", "python")


def main():
    """Install unless it is done; 0 if the environment stands, else 1 with the reason in words."""
    kind = next((kind for kind in KINDS[:0:-1] if f"--{kind}" in sys.argv[1:]), KINDS[0])
    if stamp_file(kind).is_file() and stamp_file(kind).read_text(encoding="utf-8") == stamp(kind):
        return 0
    python = suitable_python()
    problems = doctor.python_problems(sys.version_info) if python is None else []
    if not problems:
        problems = doctor.disk_problems(machine.free_disk_gb(ROOT), doctor.INSTALL_GB)
    if problems:
        print("\n".join("- " + problem for problem in problems))
        return 1
    try:
        install(python, kind)
    except subprocess.CalledProcessError as error:
        print(
            f"- The installation stopped (see above; exit status {error.returncode}): run the same command again; "
            "what was downloaded is kept."
        )
        return 1
    return 0


def suitable_python():
    """This Python if the course runs on it, else another that is installed, else None."""
    if not doctor.python_problems(sys.version_info):
        return [sys.executable]
    launchers = [["py", "-3.13"], ["py", "-3.12"], ["py", "-3.11"]] if os.name == "nt" else []
    for words in launchers + [[name] for name in CANDIDATES]:
        # run it: a version manager's stand-in can be on the path without the Python it stands for
        question = [*words, "-c", "import sys; print(*sys.version_info[:2])"]
        try:
            answer = subprocess.run(
                question, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
            ).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if not doctor.python_problems(tuple(int(number) for number in answer.split())):
            return words
    return None


def install(python, kind):
    """Create `.venv` if it is missing or can't be used, install into it, and stamp it last."""
    for old in VENV.glob("installed-*"):
        old.unlink()
    if not usable():
        shutil.rmtree(str(VENV), ignore_errors=True)
        print("Creating .venv ...", flush=True)
        subprocess.run([*python, "-m", "venv", str(VENV)], check=True)
    lists = ["-r", "requirements.txt"]
    lists += [] if kind == "lab" else ["-r", "requirements-test.txt"]
    course = "." + (EXTRAS if kind == "services" else "")
    pip = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    pip += ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []
    subprocess.run([*pip, *lists, "-e", course], cwd=str(ROOT), check=True)
    for each in KINDS[: KINDS.index(kind) + 1]:
        stamp_file(each).write_text(stamp(each), encoding="utf-8")


def usable():
    """Whether `.venv` runs, on a Python of the course, and was made in this folder (it can't be moved)."""
    question = "import sys; print(*sys.version_info[:2])"
    try:
        made = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
        answer = subprocess.run(
            [str(venv_python()), "-c", question], stdout=subprocess.PIPE, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return str(VENV) in made and not doctor.python_problems(
        tuple(int(number) for number in answer.split())
    )


def venv_python():
    """The environment's own Python."""
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def stamp_file(kind):
    """Where it is remembered what was installed."""
    return VENV / f"installed-{kind}"


def stamp(kind):
    """A checksum of all that decides what is installed, and of the folder, which an environment can't leave."""
    digest = hashlib.sha256(str(ROOT).encode("utf-8"))
    for name in LISTS + (() if kind == "lab" else ("requirements-test.txt",)):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
