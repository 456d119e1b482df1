"""What building, checking and grading the exercises share: where things are and what stands in a solution's place."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SOURCE = HERE / "source"  # NN_name/NN_name.ipynb: the masters, nbgrader's source folder
ANSWERS = HERE / "answers"  # NN_name.toml
STUDENTS = ROOT / "notebooks" / "exercises"  # NN_name.ipynb, built from the masters
LESSONS = ROOT / "notebooks"
TEMPLATES = HERE / "grading" / "templates"  # of the pages that nbgrader makes

# Raises, so that an untouched exercise can't pass; parses, so that the notebook runs.
CODE_STUB = (
    "# Write your code here, in place of the next line.\n"
    'raise NotImplementedError("this exercise is not solved yet")'
)
TEXT_STUB = "*Write your answer here, in place of this line.*"

BEGIN_SOLUTION, END_SOLUTION = "BEGIN SOLUTION", "END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


def configure(config):
    """Put what replaces solutions into a traitlets configuration, such as nbgrader's `c`; returns it."""
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    config.ClearSolutions.text_stub = TEXT_STUB
    return config


def masters():
    """The masters that exist, in order of their lessons."""
    return sorted(path for path in SOURCE.glob("*/*.ipynb") if path.stem == path.parent.name)
