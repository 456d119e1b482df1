"""Checks run apart from the notebook, say the points and refuse ready-made answers; progress is read from notebooks."""

import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from musiclab import checks
from musiclab.checks import NotYet, __main__, exercises
from musiclab.checks.exercises import Lesson, apart, progress
from musiclab.models.recurrent import numpy_cells
from musiclab.models.recurrent.numpy_cells import rnn_step

READY = ("musiclab.models.recurrent.numpy_cells.rnn_step",)


@pytest.fixture
def lesson():
    lesson = Lesson("99_doubles", written=3)

    @lesson.exercise(points=2, ready_made=READY)
    def double(answer):
        checks.number(checks.call(answer, 3), 6, "twice 3")

    @lesson.exercise(points=1)
    def names(answer, given=0):
        checks.number(answer() + given, 5, "the sum")

    return lesson, double, names


def test_a_right_answer_is_told_its_points_and_the_sum(lesson, capsys):
    _, double, names = lesson
    double(lambda x: 2 * x)
    names(lambda: 2, given=3)
    double(lambda x: x + x)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Right. 2 points; 2 of 6 so far. (3 of the 6 are for written answers.)"
    assert said[1].startswith("Right. 1 point; 3 of 6 so far.")
    assert said[2].startswith("Right. 2 points; 3 of 6 so far.")  # counted once


def test_a_wrong_answer_says_nothing_else_and_loses_its_points(lesson, capsys):
    lesson, double, _ = lesson
    double(lambda x: 2 * x)
    with pytest.raises(NotYet, match="expected 6"):
        double(lambda x: x)
    assert lesson.passed == set()
    assert capsys.readouterr().out.count("Right") == 1


def helper(x):
    return numpy_cells.rnn_step(x)


def inside(x):
    from musiclab.models.recurrent.numpy_cells import rnn_step as ready

    return [ready(one) for one in x]


def by_whole_name(x):
    import musiclab.models.recurrent.numpy_cells

    return musiclab.models.recurrent.numpy_cells.rnn_step(x)


def test_a_class_among_the_names_of_an_answer_is_passed_over(lesson, capsys):
    names = {"Function": types.FunctionType}  # its __code__ belongs to no function
    lesson[1](types.FunctionType((lambda x: isinstance(Function, type) and 2 * x).__code__, names))  # noqa: F821
    assert capsys.readouterr().out.startswith("Right. 2 points")


@pytest.mark.parametrize(
    "answer",
    [rnn_step, lambda x: rnn_step(x), lambda x: helper(x), inside, by_whole_name],
    ids=["itself", "called", "through a helper", "imported inside", "by its whole name"],
)
def test_the_packages_own_solution_is_refused(lesson, answer, monkeypatch):
    with pytest.raises(NotYet, match="rnn_step, which is the solution of this exercise"):
        lesson[1](answer)
    monkeypatch.setattr(exercises, "ALLOWED", True)
    with pytest.raises(
        NotYet, match=r"stopped with|does not take"
    ):  # now tried, and it does not fit
        lesson[1](answer)


def test_an_instructor_allows_ready_made_answers_by_a_variable():
    words = "from musiclab.checks import exercises; print(exercises.ALLOWED)"
    for value, said in (("allow", "True"), ("refuse", "False"), ("", "False")):
        variables = {**os.environ, "MUSICLAB_READY_MADE": value}
        run = subprocess.run(
            [sys.executable, "-c", words], env=variables, capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == said


def test_a_test_apart_finds_no_name_of_the_notebook():
    space = {"np": "not NumPy", "sum": None, "apart": apart, "helper": None}
    code = """
@apart
def _hidden(answer):
    import numpy as np
    def helper(x):
        return sum([x, 1])
    assert helper(answer) == np.abs(-3)
_hidden(2)
"""
    exec(code, space)
    assert space["np"] == "not NumPy"
    assert space["sum"] is None
    with pytest.raises(NameError):
        exec("@apart\ndef f():\n    return helper\nf()", space)


def notebook(*cells):
    return json.dumps({"cells": [{"source": "", "outputs": [], "metadata": {}} | c for c in cells]})


def test_cell(points, said):
    marks = {"nbgrader": {"grade": True, "points": points}}
    outputs = [{"output_type": "stream", "text": [said]}] if said else []
    return {"cell_type": "code", "metadata": marks, "outputs": outputs}


test_cell.__test__ = False


def test_progress_is_read_from_saved_notebooks(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "notebooks" / "exercises"
    folder.mkdir(parents=True)
    written = {"nbgrader": {"grade": True, "points": 3}}
    text = {"cell_type": "markdown", "metadata": written}
    stub = "*Write your answer here, in place of this line.*"
    (folder / "01_a.ipynb").write_text(
        notebook(
            test_cell(4, "Right. 4 points; 4 of 9 so far.\n"),
            test_cell(2, "Not yet: Right. 2 points; no\n"),
            text | {"source": ["An answer."]},
        ),
        encoding="utf-8",
    )
    (folder / "02_b.ipynb").write_text(notebook(test_cell(5, ""), text | {"source": stub}), "utf-8")
    (folder / "03_c.ipynb").write_text("{", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert progress() == [
        ("01_a", "1 of 2", "4 of 9", "1 of 1"),
        ("02_b", "0 of 1", "0 of 8", "0 of 1"),
        ("03_c", "can't be read: JSONDecodeError", "", ""),
        ("all", "1 of 3", "4 of 17", "1 of 2"),
    ]
    assert __main__.main([]) == 0
    assert "01_a      1 of 2" in capsys.readouterr().out
    monkeypatch.chdir(folder.parent)
    assert len(progress()) == 4
    assert __main__.main([str(tmp_path)]) == 1
    assert "no exercise notebook here" in capsys.readouterr().out


def test_an_answer_may_be_no_function(lesson):
    with pytest.raises(NotYet, match="a function was expected"):
        lesson[1](np.ones(3))
