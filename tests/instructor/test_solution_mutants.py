"""Mutants of a solution: one change each, caught unless it makes no difference; equal rewritings pass."""

import ast
import re

import pytest

from instructor import solution_mutants as mutation
from instructor.answer_verdicts import judged
from instructor.answers import read
from instructor.settings import SOURCE, masters
from scripts.reset_lesson import number_of
from tests.instructor.sample_master import master

SOURCE_OF_CELL = '''def share(rolls, least=2):
    """What is kept."""
    extra = 5 + 1
    ### BEGIN SOLUTION
    kept = [r for r in rolls if r.sum(axis=0) > least and not r.any()]
    if len(kept) >= 3:
        kept = kept[:-1]
    total = max(len(kept), 1) - 0.5
    return total, kept.copy()
    ### END SOLUTION'''


class Cell:
    id = "share"
    source = SOURCE_OF_CELL


@pytest.fixture(scope="module")
def made():
    return mutation.mutants(Cell, None)


@pytest.mark.parametrize(
    "after",
    [
        "r.sum(axis=0) >= least and",
        "r.sum(axis=1) >",
        "r.sum() >",
        "r.mean(axis=0)",
        "> least or not",
        "and r.any()",
        "not r.all()",
        "if len(kept) > 3",
        "if len(kept) >= 4",
        "if True",
        "if False",
        "kept = kept[:]",
        "kept = kept[:-2]",
        "min(len(kept), 1)",
        "+ 0.5",
        "- 0.55",
        "return (kept.copy(), total)",
        "return (total, kept)",
        "pass",
    ],
)
def test_each_kind_of_change_is_made(made, after):
    assert any(after in one.after for one in made), [one.after for one in made]


def test_a_mutant_differs_in_the_solution_alone_and_parses(made):
    assert len({one.code for one in made}) == len(made) > 30
    for one in made:
        assert "extra = 5 + 1" in one.code
        assert one.before != one.after
        ast.parse(one.code)


def test_the_same_mutants_are_drawn_each_time():
    few = mutation.mutants(Cell, 7)
    assert few == mutation.mutants(Cell, 7)
    assert len(few) == 7


def test_survivors_are_found_and_killed_mutants_are_not():
    nb = master()
    cell = next(one for one in nb.cells if one.id == "double")
    cases = [
        mutation.Answer(m.exercise, "wrong", m.name, m.code) for m in mutation.mutants(cell, None)
    ]
    verdicts, _ = judged(nb, cases)
    assert {v.points for v in verdicts if v.answer.kind == "wrong"} == {0}
    weak = master(double_test="from musiclab import checks\nchecks.number(double(0), 0, 'twice 0')")
    verdicts, _ = judged(weak, cases)
    assert any(v.points == v.most for v in verdicts if v.answer.kind == "wrong")


def test_rewritings_are_equal_answers():
    nb = master()
    cell = next(one for one in nb.cells if one.id == "double")
    renamed, taken = mutation.rewritings(cell, {"see", "x", "double"})
    assert "twice_the_number_of_mine = x * 2" in renamed.code
    assert taken.code.startswith("see = None\ndef double")
    verdicts, _ = judged(nb, [renamed])
    assert [v.points for v in verdicts if v.answer.kind == "right"] == [2]


def test_every_equivalent_mutant_is_one_and_has_its_reason():
    known = mutation.equivalent()
    assert all(len(reason.split()) > 3 for reason in known.values())
    for path in masters():
        notebook = read(SOURCE / path.stem / path.name)
        cells = {cell.id: cell for cell in notebook.cells}
        for place, name in known:
            lesson, exercise = place.split(" ", 1)
            if lesson == number_of(path):
                names = {one.name for one in mutation.mutants(cells[exercise], None)}
                assert name in names, f"{place}: no such mutant: {name}"


def test_an_entry_without_reason_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "equivalent.toml"
    file.write_text(
        '[[mutant]]\nlesson = "00"\nexercise = "x"\nbefore = "a"\nafter = "b"\n', "utf-8"
    )
    monkeypatch.setattr(mutation, "EQUIVALENT", file)
    with pytest.raises(
        ValueError, match=re.escape("needs lesson, exercise, before, after, reason")
    ):
        mutation.equivalent()
