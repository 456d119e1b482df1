"""Notes on a submission and outcomes of its tests, kept in the notebook's metadata while it is graded."""

from __future__ import annotations

__all__ = ["add", "of", "outcome", "plain", "set_outcome"]

KEY = "grading"
MOST_NOTES, MOST_CHARACTERS = 60, 300


def add(
    notebook, text: str, cell: str | None = None, review: bool = False, repair: bool = False
) -> None:
    """Note something about a notebook, once.

    Args:
        notebook: the notebook.
        text: what, in words.
        cell: the grade id it is about.
        review: whether the instructor should look at it.
        repair: whether something of the submission was restored.
    """
    notes = notebook.metadata.setdefault(KEY, [])
    note = {"text": plain(text), "cell": cell, "review": review, "repair": repair}
    if note not in notes and len(notes) < MOST_NOTES * (1 + review):
        notes.append(note)


def plain(text: str) -> str:
    r"""A note on one line, of bounded length, with control characters shown and not sent to a terminal.

    >>> plain("a\x1b[2Kb\nc")
    'a\\x1b[2Kb c'
    """
    words = " ".join(str(text)[: 2 * MOST_CHARACTERS].split())
    shown = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in words
    )
    return shown if len(shown) <= MOST_CHARACTERS else shown[:MOST_CHARACTERS] + "..."


def of(notebook) -> list[dict]:
    """All notes."""
    return list(notebook.metadata.get(KEY, []))


def set_outcome(cell, what: str) -> None:
    """Say what became of a test cell.

    Args:
        cell: the cell.
        what: "passed", "visible" or "hidden" (the part that failed), "stopped", "not run" or
          "tampered".
    """
    cell.metadata[KEY] = what


def outcome(cell) -> str | None:
    """What became of a test cell; None if it is none."""
    return cell.metadata.get(KEY)
