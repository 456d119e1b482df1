"""Restoring an assignment's own cells in a submission, with the student's answers kept.

Whatever was deleted, changed, doubled or renamed in the assignment's own cells is as it was; cells
that students added stay, at the place they were added. Everything done is noted.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import nbformat
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from instructor.grading import master_notebook, submission_report

__all__ = ["NotThisAssignment", "RestoreCells", "answers", "read", "repaired"]

MOST_BYTES, MOST_CELLS = 50_000_000, 1000


class NotThisAssignment(ValueError):
    """What was handed in can't be graded as this assignment; the message says why."""


class RestoreCells(NbGraderPreprocessor):
    """Takes the place of nbgrader's DeduplicateIds, OverwriteKernelspec and OverwriteCells."""

    source = Unicode(help="the folder of masters").tag(config=True)

    def preprocess(self, nb, resources):
        """Hold a submission against its master, which is named in `resources`."""
        names = resources["nbgrader"]
        return repaired(nb, master_notebook.load(Path(self.source), names["assignment"])), resources


def read(content: bytes) -> nbformat.NotebookNode:
    """Read what a student handed in.

    Args:
        content: the file's bytes.

    Returns:
        The notebook, in nbformat's version 4.

    Raises:
        NotThisAssignment: if it is no notebook.
    """
    if not content.strip():
        raise NotThisAssignment("the file is empty")
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1e6:.0f} MB"
        raise NotThisAssignment(
            f"the file has {size}: clear the outputs in JupyterLab and hand it in again"
        )
    try:
        notebook = nbformat.reads(_without_outputs(content.decode("utf-8-sig")), as_version=4)
        cells = [nbformat.from_dict({"metadata": {}, "id": "", **cell}) for cell in notebook.cells]
        for cell in cells:
            cell.source = "".join(cell.source)
            if not isinstance(cell.metadata, dict) or cell.cell_type not in (
                "code",
                "markdown",
                "raw",
            ):
                raise TypeError("a cell is of no known kind")
    except Exception as error:  # the JSON may hold anything in place of a notebook
        raise NotThisAssignment(
            f"the file is no notebook ({type(error).__name__}: {str(error)[:100]})"
        ) from error
    notebook.cells = cells
    return notebook


def _without_outputs(text):
    """A notebook's JSON without what its cells had put out, which takes long to check and is not used.

    Raises:
        ValueError: if there are more cells than anybody writes.
    """
    stored = json.loads(text)
    sheets = stored.get("worksheets", [])  # before nbformat's version 4
    cells = stored.get("cells", []) + [cell for sheet in sheets for cell in sheet["cells"]]
    if len(cells) > MOST_CELLS:
        raise ValueError(f"it has {len(cells)} cells")
    for cell in cells:
        if cell.get("cell_type") == "code":
            cell["outputs"] = []
    # a surrogate alone is no text: no file could be written with it
    return json.dumps(stored, ensure_ascii=False).encode(errors="replace").decode()


def answers(notebook) -> dict[str, str]:
    """The source of each answer cell of a repaired notebook."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if utils.is_solution(cell)
    }


def repaired(notebook, wanted: master_notebook.Master):
    """The assignment's notebook with the student's answers and added cells, and notes of what was restored.

    Args:
        notebook: what was handed in, as `read` returns it.
        wanted: its master.

    Returns:
        A new notebook.

    Raises:
        NotThisAssignment: if no cell of it belongs to the assignment.
    """
    result = copy.deepcopy(wanted.graded)
    result.metadata = nbformat.from_dict(
        {"kernelspec": wanted.graded.metadata.get("kernelspec", {})}
    )
    own = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in result.cells
        if "nbgrader" in cell.metadata
    }
    found = [_belongs_to(cell, own, wanted) for cell in notebook.cells]
    if not any(found):
        raise NotThisAssignment(f"none of its cells belongs to {wanted.name}")
    places = _places(notebook, found, own, wanted, result)
    _fill_gaps(notebook, found, places, own, wanted, result)
    older = [
        name
        for name, place in places.items()
        if _compare(notebook.cells[place], own[name], wanted.shown(name), result)
    ]
    if older:
        words = f"made from an earlier version of the assignment; the current {', '.join(older)} was used"
        submission_report.add(result, words)
    for name in own.keys() - places.keys():
        review = utils.is_solution(own[name])
        what = (
            "the answer cell was not found" if review else "the cell was missing and was put back"
        )
        submission_report.add(result, f"{name}: {what}", name, review, repair=True)
    if sorted(places.values()) != [places[name] for name in own if name in places]:
        words = "cells were in another order; the assignment's order was used"
        submission_report.add(result, words, repair=True)
    result.cells = _with_added(notebook, found, places, own)
    return result


def _belongs_to(cell, own, wanted):
    """The grade id of the assignment's cell that this one was; None for an added one."""
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    if isinstance(name, str) and name in own:
        return name
    same_id = next(
        (
            one
            for one, given in own.items()
            if given.get("id") and given.get("id") == cell.get("id")
        ),
        None,
    )
    if same_id:
        return same_id
    same = [
        one
        for one in own
        if not utils.is_solution(own[one]) and wanted.shown(one).strip() == cell.source.strip()
    ]
    return same[0] if same else None


def _places(notebook, found, own, wanted, result):
    """{grade id: index of the cell that counts}; of several the last that was worked on."""
    places = {}
    for name in own:
        all_of_it = [index for index, one in enumerate(found) if one == name]
        changed = [
            index for index in all_of_it if notebook.cells[index].source != wanted.shown(name)
        ]
        if len(all_of_it) > 1:
            words = f"{name}: there {len(all_of_it)} times; the last one counts"
            submission_report.add(result, words, name, repair=True)
        if all_of_it:
            places[name] = (changed if utils.is_solution(own[name]) and changed else all_of_it)[-1]
    return places


def _fill_gaps(notebook, found, places, own, wanted, result):
    """Find answers whose cells have lost all that names them: between the cells they stood between."""
    names = list(own)
    for position, name in enumerate(names):
        if name in places or not utils.is_solution(own[name]):
            continue
        before = max((places[one] for one in names[:position] if one in places), default=-1)
        after = min(
            (places[one] for one in names[position:] if one in places), default=len(notebook.cells)
        )
        free = [index for index in range(before + 1, after) if found[index] is None]
        free = [
            index
            for index in free
            if _could_be(notebook.cells[index], own[name], wanted.shown(name))
        ]
        if len(free) == 1:
            places[name], found[free[0]] = free[0], name
            submission_report.add(
                result,
                f"{name}: its cell had lost its name and was found by its place",
                name,
                repair=True,
            )


def _could_be(cell, given, stub):
    """Whether a nameless cell may be the answer: same kind, and defines what the stub defines."""
    wanted = re.findall(r"^(?:def|class) \w+", stub, re.M) if given.cell_type == "code" else []
    return cell.cell_type == given.cell_type and all(line in cell.source for line in wanted)


def _compare(cell, given, shown, result):
    """Take the answer over; of anything else, note what was changed; say whether it is of an earlier master."""
    name = given.metadata.nbgrader.grade_id
    marks = cell.metadata.get("nbgrader")
    own = isinstance(marks, dict) and marks.get("grade_id") == name
    if cell.cell_type != given.cell_type:
        words = f"{name}: was turned into a {cell.cell_type} cell; turned back"
        submission_report.add(result, words, name, repair=True)
    if not own:
        words = f"{name}: its nbgrader metadata were lost; put back"
        submission_report.add(result, words, name, repair=True)
    if utils.is_solution(given):
        given.source = cell.source
        _keep_pictures(cell, given)
        return False
    same_text = cell.source.strip() == shown.strip()
    same_points = not own or marks.get("points") == given.metadata.nbgrader.get("points")
    if own and not (same_text and same_points) and _as_released(cell):
        return True
    if not same_points:
        words = f"{name}: its points were changed; put back"
        submission_report.add(result, words, name, repair=True)
    if not same_text:
        words = f"{name}: its text was changed; the original was used"
        submission_report.add(result, words, name, repair=True)
    return False


def _as_released(cell):
    """Whether a cell is as nbgrader has released it, be it from an earlier master."""
    try:
        return cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return False


def _keep_pictures(cell, given):
    """Pictures in a written answer, in formats that hold no script."""
    kept = {}
    for name, kinds in dict(cell.get("attachments") or {}).items():
        if isinstance(kinds, dict):
            safe = {
                kind: data
                for kind, data in kinds.items()
                if kind in ("image/png", "image/jpeg", "image/gif")
            }
            kept.update({name: safe} if safe else {})
    if kept and given.cell_type == "markdown":
        given.attachments = kept


def _with_added(notebook, found, places, own):
    """The assignment's cells, each followed by what the student added behind it."""
    added, anchor = {None: []}, None
    for index, cell in enumerate(notebook.cells):
        name = found[index]
        if name is not None and places.get(name) == index:
            anchor = name
        elif name is None or utils.is_solution(own[name]):
            added.setdefault(anchor, []).append(_extra(cell, index))
    cells = list(added[None])
    for name, cell in own.items():
        cells += [cell, *added.get(name, [])]
    return cells


def _extra(cell, index):
    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    return make(cell.source, id=f"added-{index}")
