"""What is solved in a student's exercise notebooks: ``python -m musiclab.checks [folder]``."""

import sys
from pathlib import Path

from musiclab.checks.exercises import progress


def main(arguments: list[str] | None = None) -> int:
    """Print the table of :func:`musiclab.checks.exercises.progress`; 1 if there is no notebook."""
    arguments = sys.argv[1:] if arguments is None else arguments
    rows = progress(Path(arguments[0]) if arguments else None)
    if len(rows) < 2:
        print("no exercise notebook here: call this where the course's folder notebooks is")
        return 1
    head = ("notebook", "exercises solved", "points", "written answers begun")
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("Points count when the notebook was saved after its checks said 'Right.'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
