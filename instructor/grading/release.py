"""A guard before `nbgrader generate_assignment`: it copies all that lies beside a master to the students."""

from __future__ import annotations

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor

from instructor.grading import master

__all__ = ["OnlyTheMaster"]


class OnlyTheMaster(NbGraderPreprocessor):
    """Refuses to release an assignment whose folder holds more than its master."""

    def preprocess(self, nb, resources):
        master.only_the_master(Path(resources["metadata"]["path"]))
        return nb, resources
