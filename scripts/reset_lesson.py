"""Restore a lesson as shipped and keep the student's version beside it: `make reset LESSON=03`.

Its exercises, which hold the student's work, are only touched when asked for: `make reset
EXERCISES=03`. The appendix has a name in place of a number: `make reset LESSON=mathematics`.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# notebooks beside the lessons, without number and exercises
APPENDICES = ("mathematics.ipynb", "welcome.ipynb")
LESSON = re.compile(r"(\d\d[a-z]?)_")  # how a lesson's file name begins: 03_, or 16b_


def lessons(folder):
    """The notebooks of the course, in order: not the student's versions, not copies made in JupyterLab."""
    found = sorted(path for path in folder.glob("*.ipynb") if LESSON.match(path.name))
    return [file for file in found if "_mine_" not in file.name and "-Copy" not in file.name]


def number_of(notebook):
    """A lesson's number: `03`, or `16b` for the second notebook of lesson 16."""
    return LESSON.match(notebook.name)[1]


def appendices(folder):
    """The notebooks of :data:`APPENDICES` that a folder holds."""
    return [folder / name for name in APPENDICES if (folder / name).is_file()]


def find_lesson(name, folder):
    """The notebook of a lesson by its number, or of an appendix by its name."""
    found = [file for file in [*lessons(folder), *appendices(folder)] if is_called(file, name)]
    if found:
        return found[0]
    there = [number_of(file) for file in lessons(folder)] or ["none yet"]
    there += [file.stem for file in appendices(folder)]
    raise LookupError(f"There is no lesson {name!r}: say LESSON= and one of {', '.join(there)}.")


def is_called(file, name):
    """Whether a notebook is lesson `name` (`3` and `03` are `03_words.ipynb`) or the appendix of that name."""
    if file.name in APPENDICES:
        return file.stem == name
    asked = re.fullmatch(r"(\d{1,2})([a-z]?)", name)
    return bool(asked) and number_of(file) == f"{int(asked[1]):02d}{asked[2]}"


def shipped_version(notebook, root):
    """The lesson's bytes in the last commit; LookupError says what to do if there is no repository."""
    name = notebook.relative_to(root).as_posix()
    remedy = f"download the course again and copy {name} out of it."
    try:
        # -c: in a container the folder may belong to another user, which git would refuse
        words = ["git", "-c", f"safe.directory={root.as_posix()}", "show", f"HEAD:{name}"]
        done = subprocess.run(words, cwd=root, capture_output=True, check=False)
    except OSError:
        raise LookupError(
            f"git is not installed, so the lesson as shipped can't be found: {remedy}"
        ) from None
    if done.returncode:
        raise LookupError(f"This folder is no git clone that holds {name}: {remedy}")
    return done.stdout


def free_name(notebook, day):
    """A name for the student's version that nothing has yet."""
    stem = f"{notebook.stem}_mine_{day.isoformat()}"
    candidate, count = notebook.with_name(f"{stem}.ipynb"), 1
    while candidate.exists():
        count += 1
        candidate = notebook.with_name(f"{stem}_{count}.ipynb")
    return candidate


def restore(notebook, shipped, day):
    """Put the shipped bytes in place, whole or not at all; returns where the student's version is, None if same."""
    kept = None
    if notebook.exists():
        mine = notebook.read_bytes()
        if mine == shipped:
            return None
        kept = free_name(notebook, day)
        with kept.open("xb") as file:  # x: fails rather than overwrite
            file.write(mine)
    handle, temporary = tempfile.mkstemp(dir=notebook.parent, prefix=f".{notebook.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(shipped)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(notebook)
    return kept


def deleted_lessons(root, folder):
    """Notebooks of the last commit that the student has deleted from a folder, or renamed."""
    words = ["git", "-c", f"safe.directory={root.as_posix()}", "ls-files", "--deleted", "notebooks"]
    try:
        gone = [
            root / line
            for line in subprocess.run(
                words, cwd=root, capture_output=True, text=True
            ).stdout.split()
        ]
    except OSError:
        return []
    return [file for file in gone if file.parent == folder]


def main(arguments=None, root=ROOT):
    """Restore one lesson; 0 if done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lesson", help="number of the lesson, such as 03 or 16b, or mathematics")
    parser.add_argument("--exercises", action="store_true", help="its exercise notebook instead")
    options = parser.parse_args(arguments)
    number, folder = (
        options.lesson.strip(),
        root / "notebooks" / ("exercises" if options.exercises else ""),
    )
    try:
        gone = [file for file in deleted_lessons(root, folder) if is_called(file, number)]
        notebook = gone[0] if gone else find_lesson(number, folder)
        kept = restore(notebook, shipped_version(notebook, root), datetime.date.today())
    except LookupError as error:
        print(error)
        return 1
    print(
        f"{notebook.name} is as shipped. If it is open in JupyterLab, choose File > Reload Notebook from Disk."
    )
    if kept:
        print(f"Your version is {kept.relative_to(root).as_posix()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
