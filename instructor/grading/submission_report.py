"""Notes on a submission and outcomes of its tests, kept in the notebook's metadata while it is graded."""

from __future__ import annotations

__all__ = ["add", "of", "outcome", "set_outcome"]

KEY = "grading"


def add(notebook, text: str, cell: str | None = None, review: bool = False) -> None:
    """Note something about a notebook, once.

    Args:
        notebook: the notebook.
        text: what, in words.
        cell: the grade id it is about.
        review: whether the instructor should look at it.
    """
    notes = notebook.metadata.setdefault(KEY, [])
    note = {"text": text, "cell": cell, "review": review}
    if note not in notes:
        notes.append(note)


def of(notebook) -> list[dict]:
    """All notes."""
    return list(notebook.metadata.get(KEY, []))


def set_outcome(cell, what: str) -> None:
    """Say what became of a test cell: "passed", "visible" or "hidden" (which part failed), "stopped", "not run"."""
    cell.metadata[KEY] = what


def outcome(cell) -> str | None:
    """What became of a test cell; None if it is none."""
    return cell.metadata.get(KEY)
