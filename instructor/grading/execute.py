"""Execution of a submission in sandboxed kernels, with the outcome of each test cell."""

from __future__ import annotations

import ast
import copy
import random
import secrets
import time
from pathlib import Path

from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Integer

from instructor.grading import kernel, kernel_guard, sandbox, submission_report, suspicious_code
from instructor.grading.collect import EXCHANGE
from instructor.grading.master_notebook import split_tests

__all__ = ["BoxedExecute"]


class BoxedExecute(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute.

    A test cell runs in two parts, so that it is known whether a visible or a hidden test failed. It
    has passed if the kernel said so and its last line was reached; what stands in its outputs
    decides nothing. Behind it, the kernel's observer looks for changes, and tests run that must
    fail (canaries): where one does not, the tests were tampered with, and the points are 0 until a
    person gives them.
    """

    unsafe = Bool(False, help="run students' code without a sandbox").tag(config=True)
    timeout = Integer(60, help="s for one cell").tag(config=True)
    total_seconds = Integer(300, help="s for a whole notebook").tag(config=True)
    quick_seconds = Integer(
        60, help="s after which a notebook waits until all others are done"
    ).tag(config=True)
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
        # in a notebook, hidden tests may stand; the time stamp is nbgrader's
        files = [one for one in files if one.suffix != ".ipynb" and one.name not in EXCHANGE]
        self._look_at_code(nb, files)
        files = self._without_shadows(nb, files)
        end, done, ended = time.monotonic() + self.total_seconds, set(), {}
        for _ in range(self.restarts + 1):
            try:
                if self._run(nb, files, end, done, ended) or time.monotonic() > end:
                    break
            except kernel.Stopped:  # before the first cell: the time is over
                break
        self._name_what_was_not_run(nb, done, ended)
        for cell in filter(utils.is_grade, nb.cells):
            if cell.cell_type == "code":
                _hold_to_outcome(cell)
        return nb, resources

    def _look_at_code(self, nb, files):
        """Flag code that no exercise needs, and that could deceive a test."""
        for cell in nb.cells:
            if cell.cell_type == "code" and not utils.is_locked(cell):
                for what in suspicious_code.found(cell.source):
                    words = f"{_name(cell)}: to be looked at: its code {what}"
                    submission_report.add(nb, words, _grade_id(cell), review=True)
        for file in files:
            if file.suffix == ".py":
                for what in suspicious_code.found(file.read_text("utf-8", errors="replace")):
                    words = f"{file.name}: to be looked at: its code {what}"
                    submission_report.add(nb, words, review=True)

    def _without_shadows(self, nb, files):
        """Leave out files that Python would import in place of a library."""
        kept = []
        for file in files:
            if suspicious_code.shadows(file.name):
                words = (
                    f"{file.name}: was left out, since it would take a library's place; rename it"
                )
                submission_report.add(nb, words, review=True)
            else:
                kept.append(file)
        return kept

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
            self._note_delay(client, nb, cell)
            return
        cell.outputs = []
        visible, hidden = split_tests(cell.source)
        outcome = "passed"
        for part, source in (("visible", visible), ("hidden", _runnable(cell.source, hidden))):
            if not source.strip():
                continue
            name = secrets.token_hex(8)
            step = new_code_cell(f"{source}\n{kernel_guard.passed(name)}", metadata={})
            try:
                client.run(step, index)
            finally:
                cell.outputs += step.outputs
            self._note_delay(client, nb, cell)
            if not (client.succeeded and client.report.wait_for(name, client.report.passed)):
                outcome = part
                break
        if self._tampered(client, nb, cell, index):
            outcome = "tampered"
        submission_report.set_outcome(cell, outcome)

    def _note_delay(self, client, nb, cell):
        if client.late:
            words = f"{_name(cell)}: took longer than {self.timeout} s"
            submission_report.add(nb, words, _grade_id(cell))

    def _tampered(self, client, nb, cell, index):
        """Run what must fail, and take in what the kernel's observer has seen."""
        name, words = secrets.token_hex(8), None
        number = random.SystemRandom().randrange(10**6)
        for source in (
            kernel_guard.check(name) + f"assert {number} == {number + 1}",
            random.SystemRandom().choice(_MUST_FAIL).format(number),
        ):
            canary = new_code_cell(source)
            client.run(canary, index)
            if client.succeeded:
                words = "the tests were tampered with: a test that must fail did not"
        report = client.report
        if not report.wait_for(name, report.intact):
            words = words or "the tests were tampered with: the kernel's observer was silenced"
        if report.changed:
            words = (
                words or f"the tests were tampered with: {', '.join(report.changed[:5])} changed"
            )
        for what in report.read:
            seen = f"to be looked at: the code reads the programs that run it ({what})"
            submission_report.add(nb, seen, review=True)
        if words:
            submission_report.add(nb, f"{_name(cell)}: {words}", _grade_id(cell), review=True)
            cell.outputs.append(_error("TamperedTests", words))
        return words is not None

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


_MUST_FAIL = (
    "import musiclab.checks as _check\n_check.array([{0}.0], [-{0}.5], 'the values')",
    "from musiclab import checks\nchecks.number({0}, -{0} - 1, 'the number')",
    "from musiclab import checks\nchecks.that({0} < 0, 'the number is negative')",
    "import numpy\nassert numpy.allclose([{0}.0, 1.0], [{0}.0, 2.0])",
    "import numpy\nnumpy.testing.assert_allclose([{0}.0], [{0}.5], atol=1e-9)",
    "from musiclab import checks\nchecks.kind({0}, str, 'the number')",
)


def _runnable(whole, hidden):
    """The hidden tests alone, or with the visible ones where they can't stand alone."""
    if not hidden.strip():
        return ""
    try:
        ast.parse(hidden)
    except SyntaxError:
        return whole
    return hidden


def _hold_to_outcome(cell):
    """Leave in a test's outputs nothing from which nbgrader would take other points than the outcome gives."""
    passed = submission_report.outcome(cell) == "passed"
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.output_type = "display_data"
            output.pop("execution_count", None)
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if passed:
        cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    elif not errors:
        cell.outputs.append(_error("TestFailed", "the test did not come to its end"))


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
