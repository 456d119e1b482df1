"""The class that is measured is what students hand in, and the committed figures keep the promise."""

import json

import pytest

from benchmarks import grading
from benchmarks.record import RESULTS
from instructor.answers import load
from instructor.grading import master_notebook, restore_cells
from instructor.grading.sample_class import submission
from instructor.settings import ANSWERS, SOURCE


def test_submissions_are_mixtures_of_stored_answers():
    wanted = master_notebook.load(SOURCE, grading.ASSIGNMENT)
    answers = load(ANSWERS / f"{grading.ASSIGNMENT}.toml")
    made = [restore_cells.answers(submission(wanted, answers, number)) for number in range(20)]
    codes = {one.code for one in answers}
    assert len({json.dumps(one, sort_keys=True) for one in made}) == 20
    assert all(
        source in codes or source.startswith("Answer ") for one in made for source in one.values()
    )


def test_committed_figures():
    file = RESULTS / "grading.json"
    if not file.exists():
        pytest.skip("grading not measured yet: make bench")
    alone, few, many, *larger = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert (alone["submissions"], few["submissions"], many["submissions"]) == (20, 20, 200)
    assert few["ratio"] >= 2.2
    for row in (many, *larger):
        assert row["second_half_s"] <= 1.2 * row["first_half_s"]  # the time for each does not grow
    assert many["peak_mb"] <= 1.5 * few["peak_mb"]
    assert all(row["submissions"] >= 500 and row["peak_mb"] < 2000 for row in larger)
