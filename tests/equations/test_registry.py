"""What the registry of equations must find, and each way in which one can be missing."""

import nbformat
import pytest

from scripts import equations

LESSON = {
    "text": "$$h = W x \\tag{3.1}$$ and a mere step $$a = b \\tag{a}$$",
    "code": "h = W @ x  # Eq. (3.1)",
}
MODULE = '''def h(x):
    """Code.

    Equation: (3.1)
    """
    return x  # Eq. (3.1)
'''
TEST = 'def test_h():\n    """Eq. (3.1) by hand."""\n    assert True\n'


def house(folder, lesson=LESSON, module=MODULE, test=TEST, name="03_autoencoder.ipynb"):
    for part in ("notebooks", "musiclab", "tests/models"):
        (folder / part).mkdir(parents=True)
    cells = (
        [nbformat.v4.new_markdown_cell(lesson["text"]), nbformat.v4.new_code_cell(lesson["code"])]
        if lesson
        else []
    )
    if cells:
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebooks" / name)
    (folder / "musiclab" / "small.py").write_text(module, encoding="utf-8")
    (folder / "tests" / "models" / "test_small.py").write_text(test, encoding="utf-8")
    return equations.collect(folder)


def test_a_complete_equation_has_no_problem(tmp_path):
    found = house(tmp_path)
    assert equations.problems(found) == []
    assert found.text == found.cell == {"3.1": ["03_autoencoder.ipynb"]}
    assert found.docstring == found.line == {"3.1": ["musiclab/small.py"]}
    assert found.test == {"3.1": ["tests/models/test_small.py::test_h"]}


def test_before_its_lesson_is_written_an_equation_needs_none(tmp_path):
    assert equations.problems(house(tmp_path, lesson=None)) == []


def test_a_lesson_may_mark_an_earlier_equation_too(tmp_path):
    later = {"text": "As in lesson 03.", "code": "h = W @ x  # Eq. (3.1)"}
    assert equations.problems(house(tmp_path, lesson=later, name="04_training.ipynb")) == []


def test_a_test_in_a_class_and_a_comment_count(tmp_path):
    test = "class TestH:\n    def test_h(self):\n        assert True  # Eqs. (3.1), (3.2)\n"
    found = house(tmp_path, test=test)
    assert found.test["3.1"] == found.test["3.2"] == ["tests/models/test_small.py::TestH::test_h"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lesson": LESSON | {"text": "no formula"}}, "lacks \\tag{3.1} in a text cell of lesson 03"),
        ({"lesson": LESSON | {"code": "h = W @ x"}}, "lacks # Eq. (3.1) in a code cell of lesson 03"),
        ({"lesson": LESSON | {"code": "h = '# Eq. (3.1)'"}}, "lacks # Eq. (3.1) in a code cell of lesson 03"),
        ({"lesson": LESSON | {"text": LESSON["text"] + "$$\\tag{3.2}$$"}}, "equation (3.2), named in 03_autoencoder"),
        ({"lesson": LESSON | {"code": "h = W @ x  # Eqs. (3.1), (3.7)"}}, "equation (3.7), named in 03_autoencoder"),
        ({"lesson": LESSON | {"text": LESSON["text"] + "$$\\tag{4.1}$$"}}, "its own begin with 3"),
        ({"lesson": LESSON | {"text": LESSON["text"] * 2}}, "has two equations (3.1)"),
        ({"lesson": LESSON | {"text": LESSON["text"] + "$$\\tag{3.1b}$$"}}, "\\tag{3.1b}"),
        ({"module": MODULE.replace("Equation: (3.1)", "")}, "lacks 'Equation: (3.1)' in a docstring"),
        ({"module": MODULE.replace("Equation: (3.1)", "")}, "line marked # Eq. (3.1) but no docstring"),
        ({"module": MODULE.replace("# Eq. (3.1)", "")}, "docstring but no line marked # Eq. (3.1)"),
        ({"module": MODULE.replace("(3.1)\n    \"", "(3.1) to (3.4)\n    \"")}, "each by its number"),
        ({"module": MODULE.replace("Equation: (3.1)", "Equation 3.1")}, "each by its number"),
        ({"test": TEST.replace("Eq. (3.1)", "It")}, "lacks Eq. (3.1) in a test"),
        ({"test": "# Eq. (3.1)\n" + TEST.replace("Eq. (3.1)", "It")}, "lacks Eq. (3.1) in a test"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path, change, said):
    found = equations.problems(house(tmp_path, **change))
    assert any(said in problem for problem in found), found
