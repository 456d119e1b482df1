"""The welcome notebook's table says what the notebooks say."""

import json
import os
from pathlib import Path

import pytest

from musiclab.setup import doctor, welcome

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def lesson(folder, name, text, changed):
    file = folder / name
    cell = {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}
    file.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    os.utime(file, (changed, changed))
    return file


@pytest.fixture
def course(tmp_path):
    text = (
        "# 03 · A net\n\n**What does\nit do?** More.\n**Time to work through:** about 75 minutes."
    )
    lesson(tmp_path, "03_net.ipynb", text, 1000)
    lesson(tmp_path, "03_net-Copy1.ipynb", text, 9000)
    lesson(tmp_path, "16b_control.ipynb", "# 16b · Control", 1010)
    return tmp_path


def test_a_lesson_is_read_from_its_first_cell(course):
    first, second = welcome.lessons(course)
    assert first[1:5] == ("03", "A net", "What does it do?", "75")
    assert second[1:5] == ("16b", "Control", "", "")


def test_the_last_lesson_saved_is_where_one_was(course):
    assert welcome.last_worked_on(course) is None  # unpacked, and nothing done
    assert "Begin with" in welcome.overview(course)
    os.utime(course / "16b_control.ipynb", (5000, 5000))
    assert welcome.last_worked_on(course).number == "16b"
    assert "You last worked on [16b Control](16b_control.ipynb)" in welcome.overview(course)


def test_a_damaged_notebook_is_named_and_hides_no_other(course):
    (course / "04_cut.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert [one.number for one in welcome.lessons(course)] == ["03", "04", "16b"]
    assert "JSONDecodeError" in welcome.overview(course)


def test_the_course_has_every_lesson_with_its_time_and_the_exercises_there_are():
    text = welcome.overview(NOTEBOOKS)
    for one in welcome.lessons(NOTEBOOKS):
        assert one.minutes, one.file.name
        assert one.question, one.file.name
        assert f"({one.file.name})" in text
        there = (NOTEBOOKS / "exercises" / one.file.name).is_file()
        assert (f"(exercises/{one.file.name})" in text) == there


def test_the_machine_is_spoken_of_in_words(monkeypatch):
    monkeypatch.setattr(doctor, "diagnose", list)
    assert welcome.check() == "This machine is ready for the lessons."
    monkeypatch.setattr(doctor, "diagnose", lambda: ["Not installed: numpy."])
    assert welcome.check() == "- Not installed: numpy."
