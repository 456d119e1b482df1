"""Student versions of the exercises, built from their masters and checked for leaked solutions.

    python -m instructor.student_versions                  # build all of notebooks/exercises/
    python -m instructor.student_versions 03_autoencoder   # build one
    python -m instructor.student_versions --check          # change nothing; exit 1 on a difference or a leak

The steps are nbgrader's own, as in `nbgrader generate_assignment`, without its database.
"""

from __future__ import annotations

import argparse
import ast
import copy
import itertools
import sys
from pathlib import Path

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from instructor.answers import load
from instructor.settings import (
    ANSWERS,
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    CODE_STUB,
    END_HIDDEN,
    END_SOLUTION,
    STUDENTS,
    TEXT_STUB,
    configure,
    masters,
)
from musiclab.data import write_whole
from scripts.clean_notebooks import METADATA

STEPS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)
DISTINCTIVE = (
    20  # a shorter line, such as `return x`, may stand anywhere without giving anything away
)
MARKERS = (BEGIN_SOLUTION, END_SOLUTION, BEGIN_HIDDEN, END_HIDDEN, "MARK SCHEME")


def student_version(master) -> str:
    """The text of the notebook that students get.

    Raises:
        RuntimeError: if a region has no end, or is in a cell of the wrong kind.
        ValidationError: if the cells' nbgrader metadata contradict each other.
    """
    notebook = _apply(master, STEPS)
    notebook.metadata = nbformat.from_dict(METADATA)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def _apply(master, steps):
    notebook, resources, config = copy.deepcopy(master), {}, configure(Config())
    for step in steps:
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook


def build(path: Path, folder: Path = STUDENTS) -> bool:
    """Write the student version of a master, whole or not at all; say whether the file changed.

    Raises:
        ValueError: if the version would give something away; the file is then left as it is.
    """
    master = nbformat.read(path, as_version=4)
    text = student_version(master)
    if found := leaks(master, text, _stored(path)):
        raise ValueError("\n".join(found))
    target = folder / path.name
    changed = not target.is_file() or target.read_bytes() != text.encode("utf-8")
    if changed:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode("utf-8"))
    return changed


def difference(path: Path, folder: Path = STUDENTS) -> str | None:
    """How the stored student version differs from what its master gives, in words; None if it does not."""
    target = folder / path.name
    if not target.is_file():
        return f"{target.name} is missing: run make exercises"
    wanted = student_version(nbformat.read(path, as_version=4))
    stored = target.read_bytes()
    if stored == wanted.encode("utf-8"):
        return None
    pairs = itertools.zip_longest(
        stored.decode("utf-8", errors="replace").splitlines(),
        wanted.splitlines(),
        fillvalue="nothing",
    )
    line, (is_there, should_be) = next(
        ((number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]),
        (1, ("other line ends", "LF")),
    )
    return (
        f"{target.name} is not what its master gives (line {line}: {is_there.strip():.60} instead of "
        f"{should_be.strip():.60}): change the master, then run make exercises"
    )


def orphans(folder: Path = STUDENTS) -> list[str]:
    """Student versions without a master, in words."""
    names = {path.name for path in masters()}
    extra = [
        path.name for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb")) if path.name not in names
    ]
    return [
        f"{name} has no master" for name in extra if "_mine_" not in name and "-Copy" not in name
    ]


def leaks(master, text: str, answers=()) -> list[str]:
    """What a student version gives away, or has that does not run, in words.

    Args:
        master: the notebook with its solutions.
        text: the student version's text.
        answers: the stored answers, none of which may be in it.
    """
    student = nbformat.reads(text, as_version=4)
    found = [f"holds the marker {marker!r}" for marker in MARKERS if marker in text]
    kept, removed = _regions(master)
    for cell in student.cells:
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        allowed = kept.get(cell.id, set())
        found += [
            f"{cell.id}: {line!r:.70} is not for students" for line in lines if line not in allowed
        ]
        given = cell.cell_type == "code" and not cell.metadata.nbgrader.get("grade")
        if not given:  # the code to be mended may share lines with its solution
            found += [
                f"{cell.id}: tells {line!r:.70} of a solution" for line in lines if line in removed
            ]
        found += [
            f'{cell.id}: holds the stored answer "{one.name}"'
            for one in answers
            if _holds(lines, one.code)
        ]
        found += _not_running(cell)
    return found


def _regions(master):
    """{cell id: lines that students may read, with the stubs}, and the set of distinctive lines taken out."""
    kept, removed = {}, set()
    stubs = {line.strip() for stub in (CODE_STUB, TEXT_STUB) for line in stub.splitlines()}
    for cell in master.cells:
        marks, inside, own = cell.metadata.get("nbgrader", {}), False, []
        whole = marks.get("solution") and BEGIN_SOLUTION not in cell.source
        for line in map(str.strip, cell.source.splitlines()):
            if BEGIN_SOLUTION in line or BEGIN_HIDDEN in line:
                inside = True
            elif END_SOLUTION in line or END_HIDDEN in line:
                inside = False
            elif not (inside or whole):
                own.append(line)
            elif marks.get("solution") and len(line) >= DISTINCTIVE:
                removed.add(line)
        kept[cell.id] = set(own) | (stubs if marks.get("solution") else set())
    return kept, removed


def _holds(lines, code):
    wanted = [line.strip() for line in code.splitlines() if line.strip()]
    return any(
        lines[start : start + len(wanted)] == wanted
        for start in range(len(lines) - len(wanted) + 1)
    )


def _not_running(cell):
    if cell.cell_type != "code":
        return
    if cell.outputs or cell.execution_count is not None:
        yield f"{cell.id}: holds output"
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f"{cell.id}: does not parse: {error}"


def _stored(path):
    file = ANSWERS / f"{path.stem}.toml"
    return load(file) if file.is_file() else []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the students' versions of the exercises.")
    parser.add_argument("names", nargs="*", metavar="NN_name", help="default: every master")
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing; exit 1 if a version is not as it should be",
    )
    options = parser.parse_args(arguments)
    chosen = [path for path in masters() if path.stem in options.names or not options.names]
    problems = [
        f"there is no master {name}"
        for name in options.names
        if name not in {path.stem for path in chosen}
    ]
    problems += [] if options.names else orphans()
    for path in chosen:
        try:
            if options.check:
                text = student_version(master := nbformat.read(path, as_version=4))
                problems += [f"{path.name}: {leak}" for leak in leaks(master, text, _stored(path))]
                problems += [said for said in [difference(path)] if said]
            elif build(path):
                print(f"{path.name}: built")
        except (
            Exception
        ) as error:  # nbgrader's own are of many kinds, and the other masters are still to be built
            problems.append(f"{path.name}: {error}")
    print("\n".join(problems) or f"{len(chosen)} exercise notebooks are as their masters give them")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
