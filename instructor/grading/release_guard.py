"""Check before `nbgrader generate_assignment`, which would release all files beside a master."""

from __future__ import annotations

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor

from instructor.grading import master_notebook

__all__ = ["OnlyTheMaster"]


class OnlyTheMaster(NbGraderPreprocessor):
    """Refuses to release an assignment whose folder holds more than its master."""

    def preprocess(self, nb, resources):
        master_notebook.only_the_master(Path(resources["metadata"]["path"]))
        return nb, resources
