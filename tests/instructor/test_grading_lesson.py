"""A lesson that needs TensorFlow, graded in the sandbox: right answers get all points, an untouched notebook none."""

import copy

import pytest
from nbgrader import utils

from instructor.answers import load as stored_answers
from instructor.grading import autograde, master_notebook
from instructor.settings import ANSWERS, SOURCE
from tests.instructor import small_course as small

pytestmark = pytest.mark.usefixtures("box")
LESSON = "03_autoencoder"


@pytest.fixture(scope="module")
def wanted():
    return master_notebook.load(SOURCE, LESSON)


def graded(notebook, wanted, folder):
    config = autograde.config_of(SOURCE.parent)
    marked, _ = autograde.mark(small.content(notebook), folder, wanted, config)
    tests = [
        cell for cell in wanted.graded.cells if utils.is_grade(cell) and cell.cell_type == "code"
    ]
    assert "tensorflow" in str(wanted.graded.cells) or "keras" in str(wanted.graded.cells)
    return marked, [marked.cells[cell.metadata.nbgrader.grade_id] for cell in tests]


def test_right_answers_of_a_tensorflow_lesson_get_all_points(wanted, tmp_path):
    notebook = copy.deepcopy(wanted.released)
    stored = stored_answers(ANSWERS / f"{LESSON}.toml")
    for cell in filter(utils.is_solution, notebook.cells):
        own = [one.code for one in stored if one.exercise == cell.metadata.nbgrader.grade_id]
        right = [one.code for one in stored if one.code in own and one.kind == "right"]
        cell.source = right[0] if right else "An answer in words."
    marked, tests = graded(notebook, wanted, tmp_path)
    assert marked.state == "graded"
    assert [note["text"] for note in marked.notes if note["review"]] == []
    assert [cell["auto"] for cell in tests] == [cell["max"] for cell in tests]
    assert len(tests) >= 3


def test_an_untouched_tensorflow_lesson_gets_no_points(wanted, tmp_path):
    marked, tests = graded(wanted.released, wanted, tmp_path)
    assert {cell["auto"] for cell in tests} == {0}
    assert all("not written yet" in cell["message"] for cell in tests)
    assert marked.answers is None
