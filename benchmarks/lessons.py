"""Time and memory of each lesson, run from top to bottom in a fresh kernel, as a student does with Run All.

python -m benchmarks.lessons 03 07            # measures these lessons and says what to put in their headers
python -m benchmarks.lessons 03 07 --store    # and writes their rows, too; those of other lessons stay
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from benchmarks.process import use_cores
from benchmarks.record import store
from musiclab.setup import lab
from scripts.reset_lesson import is_called, lessons, number_of

__all__ = ["LESSONS", "LessonFails", "measure", "rows"]

LESSONS = Path(__file__).resolve().parents[1] / "notebooks"
CELL_SECONDS = (
    120  # twice what a whole lesson may take: a slow lesson is measured, a hanging one is not
)

# asked of the kernel after the last cell, since only the process itself knows its peak
ASK = """
import json as _json, sys as _sys, time as _time
def _peak():
    if _sys.platform == "linux":  # ru_maxrss there also counts the process that started this one
        with open("/proc/self/status") as status:
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024
    if _sys.platform == "win32":
        import psutil
        return psutil.Process().memory_info().peak_wset
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(_json.dumps([_time.process_time(), _peak()]))
"""


class LessonFails(RuntimeError):
    """A lesson does not run to its end, so that it can't be measured; the message says which cell and why."""


def measure(path: Path) -> dict:
    """Run a lesson and measure it.

    Args:
      path: the notebook.

    Returns:
      ``lesson`` (file name without its ending), ``wall_s`` from the start of the kernel to the end
      of the last cell, ``cpu_s`` of all threads, ``peak_mb`` of the kernel's process (10^6 bytes),
      ``slowest_cell_s``, and the ``seed`` that the lesson sets.

    Raises:
      LessonFails: if a cell raises, hangs or ends the kernel.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    nb = nbformat.read(path, as_version=4)
    ours = KernelSpecManager(
        kernel_dirs=[]
    )  # no kernel of the same name from elsewhere: this Python's own
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ours)
    client = NotebookClient(
        nb, km=manager, timeout=CELL_SECONDS, resources={"metadata": {"path": str(path.parent)}}
    )
    took = []
    started = time.perf_counter()
    try:
        # nothing of the user's own Jupyter and IPython takes part, as in `make test`
        # a manager of one's own is left running by nbclient unless told otherwise, kernel and all
        with (
            TemporaryDirectory() as own,
            client.setup_kernel(cleanup_kc=True, env=lab.environment(dict(os.environ), Path(own))),
        ):
            for index, cell in enumerate(nb.cells):
                began = time.perf_counter()
                client.execute_cell(cell, index)
                took.append(time.perf_counter() - began)
            wall = time.perf_counter() - started
            question = nbformat.v4.new_code_cell(ASK)
            nb.cells.append(question)
            client.execute_cell(question, len(nb.cells) - 1)
    except CellExecutionError as error:
        raise LessonFails(
            f"{path.name} fails in cell {len(took) + 1}: {error.ename}: {error.evalue}"
        ) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise LessonFails(
            f"{path.name} fails in cell {len(took) + 1}: {str(error).splitlines()[0]}"
        ) from None
    cpu, peak = json.loads(question.outputs[0].text)
    return {
        "lesson": path.stem,
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_mb": round(peak / 1e6),
        "slowest_cell_s": round(max(took, default=0.0), 1),
        "seed": _seed(nb),
    }


def rows() -> list[dict]:
    """Measure every lesson, one after another."""
    return [measure(path) for path in lessons(LESSONS)]


def _seed(nb):
    code = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
    found = re.search(r"^seed = (\d+)", code, re.M)
    return found and int(found[1])


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lessons", description="Measure single lessons."
    )
    parser.add_argument("numbers", nargs="+", metavar="NN", help="number of a lesson, such as 03")
    parser.add_argument(
        "--store", action="store_true", help="write the rows, too: on an idle machine"
    )
    options = parser.parse_args(arguments)
    paths = {n: [one for one in lessons(LESSONS) if is_called(one, n)] for n in options.numbers}
    if unknown := [number for number, found in paths.items() if not found]:
        there = ", ".join(map(number_of, lessons(LESSONS)))
        parser.error(f"no lesson {', '.join(unknown)}: there are {there}")
    use_cores()
    for [path] in paths.values():
        try:
            row = measure(path)
        except LessonFails as error:
            print(error, file=sys.stderr)
            return 1
        print(row)
        print(f"Run time: {row['wall_s']:.0f} s on two cores; memory: {row['peak_mb']} MB")
        if options.store:
            order = [one.stem for one in lessons(LESSONS)]
            store("lessons", [row], folder, key=("lesson",), keep=True, order=order)
    return 0


if __name__ == "__main__":
    sys.exit(main())
