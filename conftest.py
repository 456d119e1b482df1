"""For every test run: nothing of the user's own Jupyter takes part, and a lesson whose kernel dies fails at once.

nbval waits for the answer of a dead kernel until its cell timeout has passed; here it looks every second whether the
kernel still lives, and says so when it does not. After a notebook's last cell its claims run in the same kernel.
"""

import os
import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from musiclab.setup import lab
from scripts import claims

_collect_cells = IPyNbFile.collect
_wait_for_message = RunningKernel.get_message


def pytest_configure(config):
    """Point Jupyter and IPython at an empty folder; kernels that tests start inherit this."""
    config.own_settings = Path(tempfile.mkdtemp(prefix="musiclab-tests-"))
    changed = lab.environment(dict(os.environ), config.own_settings)
    os.environ.clear()
    os.environ.update(changed)
    RunningKernel.get_message = _message_from_living_kernel
    IPyNbFile.collect = _collect_cells_and_claims


def pytest_unconfigure(config):
    """Take the folder away."""
    shutil.rmtree(config.own_settings, ignore_errors=True)


def _message_from_living_kernel(self, stream, timeout=None):
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        try:
            return _wait_for_message(
                self, stream, timeout=max(0.0, min(1.0, end - time.monotonic()))
            )
        except Empty:
            if not self.is_alive():
                pytest.fail("the kernel died while it ran this cell", pytrace=False)
            if time.monotonic() >= end:
                raise


def _collect_cells_and_claims(self):
    """The notebook's cells, then a cell for each claim of its own, in the same kernel."""
    yield from _collect_cells(self)
    file = claims.file_of(Path(self.path))
    stored = claims.cells(claims.load(file)) if file.is_file() else []
    for number, source in enumerate(stored, 1):
        cell = nbformat.v4.new_code_cell(source)
        options = defaultdict(bool, check=False)
        yield IPyNbCell.from_parent(
            self, name=f"claim {number}", cell_num=1000 + number, cell=cell, options=options
        )
