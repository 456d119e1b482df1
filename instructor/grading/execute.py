"""Execution of a submission in sandboxed kernels, with the outcome of each test cell."""

from __future__ import annotations

import ast
import copy
import random
import time
from pathlib import Path

from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Integer

from instructor.grading import kernel, sandbox, submission_report
from instructor.grading.master_notebook import split_tests

__all__ = ["BoxedExecute"]


class BoxedExecute(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute.

    A test cell runs in two parts, so that it is known whether a visible or a hidden test failed; behind it runs a cell
    that must fail (a canary): where it does not, the tests were tampered with.
    """

    unsafe = Bool(False, help="run students' code without a sandbox").tag(config=True)
    timeout = Integer(60, help="s for one cell").tag(config=True)
    total_seconds = Integer(300, help="s for a whole notebook").tag(config=True)
    startup_timeout = Integer(60, help="s for the kernel to start").tag(config=True)
    iopub_timeout = Integer(4, help="s to wait for output that is late").tag(config=True)
    restarts = Integer(4, help="how many kernels may die").tag(config=True)
    memory_mb = Integer(sandbox.Limits.memory_mb, help="resident memory in MB").tag(config=True)
    address_mb = Integer(sandbox.Limits.address_mb, help="address space of a process in MB").tag(
        config=True
    )
    processes = Integer(sandbox.Limits.processes, help="processes and threads").tag(config=True)
    file_mb = Integer(sandbox.Limits.file_mb, help="size of one file in MB").tag(config=True)
    folder_mb = Integer(sandbox.Limits.folder_mb, help="size of a writable folder in MB").tag(
        config=True
    )
    output_kb = Integer(2000, help="output of one cell in kB").tag(config=True)

    def preprocess(self, nb, resources):
        """Run all cells; outputs and what became of the tests are in the notebook afterwards.

        Raises:
            NoSandbox: if there is no sandbox and `unsafe` is false.
        """
        sandbox.demand(self.unsafe)
        folder = Path(resources.get("metadata", {}).get("path") or ".")
        files = [one for one in sorted(folder.iterdir()) if one.is_file() and not one.is_symlink()]
        files = [one for one in files if one.suffix != ".ipynb"]  # there, the hidden tests stand
        end, done, ended = time.monotonic() + self.total_seconds, set(), {}
        for _ in range(self.restarts + 1):
            if self._run(nb, files, end, done, ended) or time.monotonic() > end:
                break
        self._name_what_was_not_run(nb, done, ended)
        return nb, resources

    def _run(self, nb, files, end, done, ended):
        """Run what is left in a new kernel; say whether that was all.

        Cells before the one that ended the last kernel run again, for what they define.
        """
        limits = sandbox.Limits(
            self.memory_mb, self.address_mb, self.processes, self.file_mb, self.folder_mb
        )
        options = {
            "timeout": self.timeout,
            "startup_timeout": self.startup_timeout,
            "iopub_timeout": self.iopub_timeout,
            "output_bytes": self.output_kb * 1000,
        }
        index = 0
        try:
            with kernel.started(nb, files, limits, end, self.unsafe, **options) as client:
                for index, cell in enumerate(nb.cells):
                    if (
                        cell.cell_type != "code"
                        or index in ended
                        or (index in done and utils.is_grade(cell))
                    ):
                        continue
                    target = copy.deepcopy(cell) if index in done else cell
                    self._run_cell(client, nb, target, index)
                    nb.cells[index] = cell
                    done.add(index)
        except kernel.Stopped as stopped:
            nb.cells[index] = cell
            ended[index] = str(stopped)
            done.add(index)
            cell.outputs.append(_error("KernelStopped", f"{stopped}; this cell was left out"))
            submission_report.add(nb, f"{_name(cell)}: {stopped}", _grade_id(cell))
            if utils.is_grade(cell):
                submission_report.set_outcome(cell, "stopped")
            return False
        return True

    def _run_cell(self, client, nb, cell, index):
        if not utils.is_grade(cell):
            client.run(cell, index)
            if client.late:
                submission_report.add(
                    nb, f"{_name(cell)}: took longer than {self.timeout} s", _grade_id(cell)
                )
            return
        cell.outputs = []
        visible, hidden = split_tests(cell.source)
        outcome = "passed"
        for part, source in (("visible", visible), ("hidden", _runnable(cell.source, hidden))):
            if source.strip():
                step = new_code_cell(source, metadata={})
                try:
                    client.run(step, index)
                finally:
                    cell.outputs += step.outputs
                if client.late:
                    submission_report.add(
                        nb, f"{_name(cell)}: took longer than {self.timeout} s", _grade_id(cell)
                    )
                if utils.has_failed(_without_stderr(step)):
                    outcome = part
                    break
        self._try_canary(client, nb, cell, index)
        submission_report.set_outcome(cell, outcome)

    def _try_canary(self, client, nb, cell, index):
        """Run what must fail."""
        number = random.SystemRandom().randrange(10**6)
        for source in (f"assert {number} == {number + 1}", _CHECK.format(number, number + 1)):
            canary = new_code_cell(source)
            client.run(canary, index)
            if not any(output.output_type == "error" for output in canary.outputs):
                words = "the tests were tampered with: a test that must fail did not"
                submission_report.add(nb, f"{_name(cell)}: {words}", _grade_id(cell), review=True)
                cell.outputs.append(_error("TamperedTests", words))
                return

    def _name_what_was_not_run(self, nb, done, ended):
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code" and index not in done:
                cell.outputs = [
                    _error("NotRun", "this cell was not run, since cells before it took the time")
                ]
                submission_report.add(
                    nb, f"{_name(cell)}: was not run", _grade_id(cell), review=utils.is_grade(cell)
                )
                if utils.is_grade(cell):
                    submission_report.set_outcome(cell, "not run")


_CHECK = "import musiclab.checks as _check\n_check.array([{}.0], [-{}.0], 'the canary')"


def _runnable(whole, hidden):
    """The hidden tests alone, or with the visible ones where they can't stand alone."""
    if not hidden.strip():
        return ""
    try:
        ast.parse(hidden)
    except SyntaxError:
        return whole
    return hidden


def _without_stderr(cell):
    kept = [output for output in cell.outputs if output.get("name") != "stderr"]
    return new_code_cell(cell.source, outputs=kept)


def _error(name, words):
    return new_output("error", ename=name, evalue=words, traceback=[f"{name}: {words}"])


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _name(cell):
    return (
        _grade_id(cell) or f"the cell {cell.source.strip().splitlines()[0][:40]!r}"
        if cell.source.strip()
        else "a cell"
    )
