"""What students do to an assignment's cells is undone, and noted; their answers come through."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from instructor.grading import autograde, master_notebook, restore_cells, submission_report
from tests.instructor import small_course as small


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return small.make(tmp_path_factory.mktemp("course"))


@pytest.fixture
def wanted(course):
    return master_notebook.load(course / "source", small.NAME)


@pytest.fixture
def answered(course):
    return small.filled(course, **small.RIGHT)


def delete_test(notebook):
    notebook.cells.remove(small.find(notebook, "add-test"))


def edit_test(notebook):
    small.find(notebook, "add-test").source = "assert True"


def edit_start(notebook):
    small.find(notebook, "start").source = "def add(a, b): return 11"


def edit_points(notebook):
    small.find(notebook, "add-test").metadata.nbgrader.points = 100


def copy_cells(notebook):
    for name in ("add-test", "add"):
        place = notebook.cells.index(small.find(notebook, name))
        again = copy.deepcopy(notebook.cells[place])
        again.id = f"copy-of-{name}"
        notebook.cells.insert(place + 1, again)


def change_cell_ids(notebook):
    for index, cell in enumerate(notebook.cells):
        cell.id = f"new{index}"


def change_grade_ids(notebook):
    for name in ("add", "add-test"):
        small.find(notebook, name).metadata.nbgrader.grade_id = "x" + name


def change_types(notebook):
    place = notebook.cells.index(small.find(notebook, "add-test"))
    old = notebook.cells[place]
    notebook.cells[place] = new_markdown_cell(old.source, id=old.id, metadata=old.metadata)


def strip_metadata(notebook):
    notebook.metadata = nbformat.from_dict({})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})


def strip_metadata_and_ids(notebook):
    strip_metadata(notebook)
    change_cell_ids(notebook)


def reverse(notebook):
    notebook.cells.reverse()


def spoil_metadata(notebook):
    notebook.cells[2].metadata = nbformat.from_dict({"nbgrader": "what?"})
    notebook.cells[3].metadata = nbformat.from_dict(
        {"nbgrader": {"grade_id": ["add-test"], "points": "many"}}
    )


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (delete_test, "add-test: the cell was missing and was put back"),
        (edit_test, "add-test: its text was changed; the original was used"),
        (edit_start, "start: its text was changed"),
        (edit_points, "add-test: its points were changed; put back"),
        (copy_cells, "add-test: there 2 times; the last one counts"),
        (change_cell_ids, None),
        (change_grade_ids, "add: its nbgrader metadata were lost; put back"),
        (change_types, "add-test: was turned into a markdown cell; turned back"),
        (strip_metadata, "why: its nbgrader metadata were lost"),
        (strip_metadata_and_ids, "add: its cell had lost its name and was found by its place"),
        (reverse, "cells were in another order"),
        (spoil_metadata, "add-test: its nbgrader metadata were lost"),
    ],
)
def test_what_is_graded_is_the_assignment_with_the_answers(answered, wanted, harm, said):
    untouched = restore_cells.repaired(answered, wanted)
    harmed = copy.deepcopy(answered)
    harm(harmed)
    result = restore_cells.repaired(restore_cells.read(small.content(harmed)), wanted)
    own = [cell for cell in result.cells if "nbgrader" in cell.metadata]
    assert own == untouched.cells
    words = [note["text"] for note in submission_report.of(result)]
    assert submission_report.of(untouched) == []
    assert any(said in one for one in words) if said else words == []


def test_the_notebook_graded_has_the_hidden_tests_and_the_points(answered, wanted):
    result = restore_cells.repaired(answered, wanted)
    test = small.find(result, "add-test")
    assert small.SECRET in test.source
    assert test.metadata.nbgrader.points == 2
    assert restore_cells.answers(result) == small.RIGHT


def test_a_deleted_answer_is_reported_and_looked_at(answered, wanted):
    answered.cells.remove(small.find(answered, "add"))
    result = restore_cells.repaired(answered, wanted)
    note = next(one for one in submission_report.of(result) if one["cell"] == "add")
    assert note["text"] == "add: the answer cell was not found"
    assert note["review"]
    assert note["repair"]
    assert "NotImplementedError" in small.find(result, "add").source


def test_of_several_copies_the_one_worked_on_counts(answered, wanted):
    again = copy.deepcopy(small.find(small.filled_blank(wanted), "add"))
    again.id = "copy"
    answered.cells.append(again)
    assert (
        restore_cells.answers(restore_cells.repaired(answered, wanted))["add"] == small.RIGHT["add"]
    )


def test_added_cells_stay_where_they_were_added(answered, wanted):
    answered.cells.insert(2, new_code_cell("helper = 1", id="mine"))
    answered.cells.append(
        nbformat.v4.new_raw_cell("<script>", id="raw", metadata={"format": "text/html"})
    )
    sources = [
        (cell.cell_type, cell.source) for cell in restore_cells.repaired(answered, wanted).cells
    ]
    assert sources[2] == ("code", "helper = 1")
    assert sources[-1] == ("markdown", "<script>")


def test_pictures_of_a_written_answer_stay_but_no_drawing_with_script(answered, wanted):
    cell = small.find(answered, "why")
    cell.attachments = {
        "a.png": {"image/png": "AA=="},
        "b.svg": {"image/svg+xml": "<svg onload='x'/>"},
    }
    assert small.find(restore_cells.repaired(answered, wanted), "why").attachments == {
        "a.png": {"image/png": "AA=="}
    }


def test_the_students_kernel_and_widgets_are_not_taken_over(answered, wanted):
    answered.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "evil"}, "widgets": {}, "title": "</title>"}
    )
    result = restore_cells.repaired(answered, wanted)
    assert set(result.metadata) <= {"kernelspec", "grading"}
    assert result.metadata.kernelspec.name == "python3"


def test_a_notebook_of_another_assignment_is_reported(wanted):
    other = nbformat.v4.new_notebook(cells=[new_code_cell("1 + 1")])
    with pytest.raises(
        restore_cells.NotThisAssignment, match=r"none of its cells belongs to 90_small"
    ):
        restore_cells.repaired(restore_cells.read(small.content(other)), wanted)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"cells": [', "no notebook"),
        (b"\xff\xfe\x00", "no notebook"),
        (b"[]", "no notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}', "no notebook"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "x", "source": ""}]}',
            "no note",
        ),
        (b" " * 10 + b"x" * 50_000_001, "50 MB: clear the outputs"),
    ],
    ids=[
        "empty",
        "blank",
        "cut off",
        "no text",
        "a list",
        "a number for a cell",
        "a cell of no kind",
        "too large",
    ],
)
def test_what_is_no_notebook_is_reported_and_gets_no_zero(course, wanted, tmp_path, content, said):
    marked, shown = autograde.mark(content, tmp_path, wanted, autograde.config_of(course))
    assert said in marked.problem
    assert marked.cells == {}
    assert shown is None


def test_an_old_format_is_read(answered):
    cell = {
        "cell_type": "code",
        "input": "x = 1",
        "language": "python",
        "outputs": [],
        "metadata": {},
    }
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    assert restore_cells.read(json.dumps(old).encode()).cells[0].source == "x = 1"


def test_the_masters_split_of_its_tests(wanted):
    assert small.SECRET not in wanted.shown("add-test")
    assert "checks.number" in wanted.shown("add-test")
    assert wanted.hidden_lines() == {
        f'wanted = "{small.SECRET}"',
        "assert checks.call(add, 5, 6) == 11, wanted",
    }


def test_a_master_that_is_not_there(course):
    with pytest.raises(
        master_notebook.NoMaster, match=r"no assignment '91_none'; there are 90_small"
    ):
        master_notebook.load(course / "source", "91_none")


def test_nothing_may_lie_beside_a_master(tmp_path):
    course = small.make(tmp_path)
    (course / "source" / small.NAME / "copy.py").write_text("# with solutions", encoding="utf-8")
    with pytest.raises(master_notebook.NoMaster, match=r"copy\.py, which would be released"):
        master_notebook.load(course / "source", small.NAME)


def test_who_has_an_earlier_version_is_not_told_to_have_changed_it(course, answered):
    later = small.the_master(add_test="assert checks.call(add, 2, 2) == 4\nassert add(0, 0) == 0")
    folder = small.make(course.parent / "later", notebook=later)
    wanted = master_notebook.load(folder / "source", small.NAME)
    result = restore_cells.repaired(answered, wanted)
    assert [note["text"] for note in submission_report.of(result)] == [
        "made from an earlier version of the assignment; the current add-test was used"
    ]
    assert not any(note["review"] or note["repair"] for note in submission_report.of(result))
    assert "add, 2, 2" in small.find(result, "add-test").source


@pytest.mark.parametrize("harm", [None, edit_test])
def test_the_states_of_what_was_and_was_not_repaired(answered, wanted, harm):
    if harm:
        harm(answered)
    notes = submission_report.of(restore_cells.repaired(answered, wanted))
    state = autograde.Marked(small.NAME, notes=notes).state
    assert state == ("graded after repair" if harm else "graded")
    assert autograde.Marked(small.NAME, problem="x").state == "not gradable"
    assert autograde.Marked(small.NAME, problem="x", again=True).state == "try again"
