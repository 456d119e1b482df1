"""Clean-up of outputs: no scripts, no warnings counted as failures, no hidden tests in feedback."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from instructor.grading import master_notebook, submission_report

__all__ = ["HideTests", "KeepWarningsApart", "MakeSafe"]

SAFE = ("text/plain", "image/png", "image/jpeg")
MOST_TEXT = 20_000  # characters of one output
HIDDEN_FAILED = "A hidden test failed: the answer is right for the cases in the cell above, and wrong for others."
STOPPED = "The test was stopped: it took too long or too much memory, or ended its kernel."
TAMPERED = "The programs that test this answer were changed; your instructor will look at it."
NOT_RUN = "The test was not run, since cells before it took the time."


class KeepWarningsApart(NbGraderPreprocessor):
    """Turns what a test cell wrote to stderr, such as a warning, into a note: nbgrader would give 0 for it."""

    def preprocess(self, nb, resources):
        for cell in nb.cells:
            if cell.cell_type != "code" or not utils.is_grade(cell):
                continue
            for output in cell.outputs:
                if output.output_type == "stream" and output.name == "stderr":
                    output.name, output.text = "stdout", "[stderr] " + output.text
                    name = cell.metadata.nbgrader.grade_id
                    submission_report.add(
                        nb,
                        f"{name}: wrote to stderr: {' '.join(output.text.split()[1:])[:80]}",
                        name,
                    )
        return nb, resources


class MakeSafe(NbGraderPreprocessor):
    """No script of a student's runs in the browser of whoever looks, and it asks no other host for anything.

    HTML is text, pictures are bitmaps, and a picture's address leads into the notebook.
    """

    def preprocess(self, nb, resources):
        for cell in nb.cells:
            if not utils.is_locked(cell) and cell.cell_type == "markdown":
                cell.source = _escaped(cell.source, cell.get("attachments") or {})
            for output in cell.get("outputs", []):
                if len(output.get("text", "")) > MOST_TEXT:
                    output.text = output.text[:MOST_TEXT] + "\n... more output was cut ...\n"
                if output.output_type == "error":
                    _shorten(output)
                if "data" in output:
                    kept = {kind: data for kind, data in output.data.items() if kind in SAFE}
                    output.data = kept or {"text/plain": "[shown in the notebook only]"}
                    output.metadata = {}
        return nb, resources


class HideTests(NbGraderPreprocessor):
    """For feedback: the notebook as the student knows it, and of each test no more than what became of it."""

    source = Unicode(help="the folder of masters").tag(config=True)

    def preprocess(self, nb, resources):
        wanted = master_notebook.load(Path(self.source), resources["nbgrader"]["assignment"])
        for cell in nb.cells:
            if cell.cell_type == "code":
                said = _words(cell, wanted) if utils.is_grade(cell) else None
                cell.outputs = (
                    [new_output("stream", name="stdout", text=said + "\n")] if said else []
                )
            if utils.is_grade(cell) and not utils.is_solution(cell):
                cell.source = wanted.shown(cell.metadata.nbgrader.grade_id)
        nb.metadata.pop(submission_report.KEY, None)
        return nb, resources


def _words(cell, wanted):
    """What to tell of a test cell."""
    what = submission_report.outcome(cell)
    if what == "passed":
        return "All tests passed."
    if what == "tampered":
        return TAMPERED
    if what in ("stopped", "not run"):
        return STOPPED if what == "stopped" else NOT_RUN
    errors = [output for output in cell.outputs if output.output_type == "error"]
    said = re.sub(r"\x1b\[[0-9;]*m", "", f"{errors[0].ename}: {errors[0].evalue}") if errors else ""
    if what != "visible" or any(line in said for line in wanted.hidden_lines()):
        return HIDDEN_FAILED
    return said.removeprefix("NotYet: ")


def _escaped(text, pasted):
    """A space behind `<` and `&` ends every tag and entity but no formula; before a colon, a script's address."""
    text = re.sub(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)", r"\g<0> ", text)
    text = re.sub(r"(?i)(script)(\s*:)", r"\1 \2", text)
    # of pictures, those that were pasted in, and are there: nbconvert stops at one that is not
    kept = "|".join(re.escape(name) for name in pasted) or "(?!)"
    text = re.sub(rf"!(?=\[)(?!\[[^\]\n]{{0,200}}\]\(attachment:(?:{kept})\))", "! ", text)
    return re.sub(r"(?i)\\(?=style|class|cssId|require|includegraphics)", r"\\ ", text)


def _shorten(output):
    """An error's message and traceback, of bounded length."""
    output.ename, output.evalue = output.ename[:200], output.evalue[:MOST_TEXT]
    text = "\n".join(output.traceback)
    if len(text) > MOST_TEXT:
        output.traceback = [text[:MOST_TEXT], "... more was cut ..."]
