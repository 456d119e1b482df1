"""A sandboxed kernel does not outlive the process that grades, whenever that is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from instructor.grading import kernel
from tests.instructor import small_course as small

PATIENCE = 120  # seconds for what takes one
# a grader whose kernel's first process waits for a gate before it becomes bubblewrap
GRADER = """
import sys, time
import nbformat
from pathlib import Path
from instructor.grading import kernel, sandbox

real, wait = sandbox.command, 'echo $$ > "$0/started"; read line < "$0/gate"; exec "$@"'
folder, held = sys.argv[1:]
if held == "held":
    sandbox.command = lambda *options: ["/bin/sh", "-c", wait, folder, *real(*options)]
cells = [nbformat.v4.new_code_cell("import time\\nprint('here')")]
notebook = nbformat.v4.new_notebook(cells=cells)
limits, end = sandbox.Limits(), time.monotonic() + 600
with kernel.started(notebook, [], limits, end, timeout=60, startup_timeout=300) as client:
    client.run(notebook.cells[0], 0)
    Path(folder, "started").write_text(str(client.km.provisioner.process.pid))
    time.sleep(600)
"""


def until(found, what):
    """Wait until `found` gives something; what it gave."""
    end = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return value


def folder_of(process):
    """The grader's folder for a kernel, as the kernel's command names it."""
    words = [word for word in process.cmdline() if word.startswith("/")]
    paths = [path for word in words for path in (Path(word), *Path(word).parents)]
    return str(next(path for path in paths if path.name.startswith(kernel.PREFIX)))


def all_of(home):
    """Processes of a sandbox, known by the path of its connection file."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(word.startswith(home) for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize("moment", ["held", "running"])
def test_a_kernel_ends_with_a_grader_that_is_killed(tmp_path, moment):
    os.mkfifo(tmp_path / "gate")
    grader = subprocess.Popen([sys.executable, "-c", GRADER, tmp_path, moment], cwd=small.ROOT)
    home = ""
    try:
        written = tmp_path / "started"
        until(lambda: written.exists() and written.read_text().strip(), "no kernel was started")
        first = psutil.Process(int(written.read_text()))
        home = folder_of(first)
        assert all_of(home)
        grader.kill()
        grader.wait()
        if moment == "held":  # only now it becomes bubblewrap, whose parent is gone
            (tmp_path / "gate").write_text("go\n")
        until(lambda: not all_of(home), "a kernel outlives its grader")
    finally:
        grader.kill()
        grader.wait()
        for one in all_of(home) if home else []:
            one.kill()


@pytest.fixture
def gate(tmp_path):
    """What waits at a gate: the program before a kernel, which prints in the place of one."""
    report = kernel.Report(*(tmp_path / name for name in kernel.PIPES))
    words = [sys.executable, "-I", "-S", "-c", kernel.GATE, *(tmp_path / n for n in kernel.PIPES)]
    waits = subprocess.Popen(
        [*words, sys.executable, "-c", "print('kernel')"], stdout=subprocess.PIPE, text=True
    )
    yield report, waits
    waits.kill()
    waits.communicate()


@pytest.mark.usefixtures("box")
def test_a_kernel_starts_when_its_grader_opens_the_gate(gate):
    report, waits = gate
    report.open_gate(waits)
    assert waits.communicate(timeout=PATIENCE)[0] == "kernel\n"
    report.close()


@pytest.mark.usefixtures("box")
def test_a_kernel_whose_grader_is_gone_never_starts(gate):
    report, waits = gate
    report.close()  # as the system does for a grader that was killed, whenever that is
    assert waits.communicate(timeout=PATIENCE)[0] == ""


@pytest.mark.usefixtures("box")
def test_a_gate_is_not_waited_for_when_the_sandbox_has_ended(tmp_path):
    report = kernel.Report(*(tmp_path / name for name in kernel.PIPES))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(RuntimeError, match="its sandbox ended"):
        report.open_gate(ended)
    report.close()
