"""The cells of a MATLAB file, read in a process of its own: SciPy crashes on damaged ones.

Run as a script: the file on standard input, the name of each cell array as an argument, an ``.npz``
on standard output. Exit status 3: an array is missing, its name on standard error.
"""

import io
import sys

import numpy as np

_MEMORY, _SECONDS = 2 * 2**30, 60  # the largest of the four sets needs 0.4 GB and 3 seconds


def main(names: list[str]) -> int:
    """Read standard input, write standard output, return the exit status."""
    _limit()
    from scipy.io import loadmat

    cells = loadmat(io.BytesIO(sys.stdin.buffer.read()))
    missing = [name for name in names if name not in cells]
    if missing:
        print(", ".join(missing), file=sys.stderr)
        return 3
    arrays = {
        f"{name}{number}": cell if cell.dtype.kind in "biuf" else np.array("no numbers")
        for name in names
        for number, cell in enumerate(map(np.asarray, cells[name].ravel()))
    }
    np.savez(sys.stdout.buffer, **arrays)
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, _SECONDS)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
