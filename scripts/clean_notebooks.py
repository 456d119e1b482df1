"""Write notebooks the one way they are stored: no outputs, stable cell ids, nothing of the machine they were edited on.

    python scripts/clean_notebooks.py            # every lesson
    python scripts/clean_notebooks.py --check    # change nothing; exit 1 if one isn't clean

A cell's id is ``NN-`` and a name, NN being the lesson (in an appendix, the file's name). An id of
that form stays as it is, whatever happens to the cell or around it, so that a change shows as a
change of that cell alone. A cell without one (JupyterLab gives new cells a random id) gets the
lesson and a hash of what it says. Of two cells with one id, the second is the copy: it gets a new
one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat

from musiclab.data import write_whole
from scripts.reset_lesson import APPENDICES, LESSON, appendices, lessons, number_of

LESSONS = Path(__file__).resolve().parents[1] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def clean(text: str, lesson: str) -> str:
    """Clean a notebook.

    Args:
      text: the notebook file's text.
      lesson: with what cell ids begin, see :func:`prefix`.

    Returns:
      The text to store: indented by 1, keys sorted, LF, ends with a newline. Cleaning it again
      changes nothing.

    Raises:
      ValueError: if the text is no notebook of format 4.
    """
    try:
        notebook = json.loads(text)
        if notebook["nbformat"] != 4:
            raise ValueError(
                f"format {notebook['nbformat']}: save it from JupyterLab, which makes it format 4"
            )
        seen: set[str] = set()
        cells = [_clean_cell(cell, lesson, seen) for cell in notebook["cells"]]
        whole = nbformat.from_dict(
            {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
        )
        nbformat.validate(whole)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(
            f"no notebook that can be cleaned ({error!s:.300}): did a merge leave its markers?"
        ) from None
    return nbformat.writes(whole, version=4).rstrip("\n") + "\n"


def clean_file(path: Path, check: bool = False) -> bool:
    """Clean one notebook file in place, whole or not at all; say whether it needed it.

    Raises:
      ValueError: if its name is neither a lesson's nor an appendix's, or it is no notebook.
    """
    lesson, before = prefix(path), path.read_bytes()
    try:
        after = clean(before.decode("utf-8"), lesson).encode("utf-8")
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    if before != after and not check:
        write_whole(path, after)
    return before != after


def prefix(path: Path) -> str:
    """With what a notebook's cell ids begin: a lesson's number, an appendix's name.

    Raises:
      ValueError: if the file is neither a lesson nor an appendix.
    """
    if path.name in APPENDICES:
        return path.stem
    if not LESSON.match(path.name):
        raise ValueError(
            f"{path.name}: the name of a lesson begins with its number, as in 03_autoencoder.ipynb or 16b_control.ipynb"
        )
    return number_of(path)


def _clean_cell(cell, lesson, seen):
    source = cell["source"]
    source = (source if isinstance(source, str) else "".join(source)).replace("\r\n", "\n")
    kept = {"cell_type": cell["cell_type"], "metadata": {}, "source": source}
    if "attachments" in cell:
        kept["attachments"] = cell[
            "attachments"
        ]  # a picture someone pasted in: theirs to take out, not ours to lose
    if cell["cell_type"] == "code":
        kept |= {"outputs": [], "execution_count": None}
    name = cell.get("id")
    if (
        not isinstance(name, str)
        or not re.fullmatch(rf"{lesson}-[a-z0-9-]{{1,40}}", name)
        or name in seen
    ):
        name = _new_id(cell["cell_type"] + source, lesson, seen)
    seen.add(name)
    return kept | {"id": name}


def _new_id(content, lesson, seen):
    for copy in range(len(seen) + 1):
        name = f"{lesson}-{hashlib.sha256(f'{copy}{content}'.encode()).hexdigest()[:8]}"
        if name not in seen:
            return name
    raise AssertionError("more names than cells: one must be free")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Clean notebooks for storing.")
    parser.add_argument("files", nargs="*", type=Path, help="default: every lesson")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a notebook isn't clean"
    )
    options = parser.parse_args(arguments)
    status = 0
    for path in options.files or [*lessons(LESSONS), *appendices(LESSONS)]:
        try:
            changed = clean_file(path, options.check)
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        if changed:
            print(f"{path.name}: {'is not clean' if options.check else 'cleaned'}")
            status |= options.check
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
