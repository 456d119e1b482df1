"""What scripts/clean_notebooks.py takes out, what it leaves alone, and that it does so once and for all."""

import json

import pytest

from scripts import clean_notebooks
from scripts.clean_notebooks import clean, clean_file

DIRTY = {
    "cells": [
        {
            "cell_type": "markdown",
            "id": "03-title",
            "metadata": {"collapsed": True},
            "source": ["# Title\r\n", "text"],
        },
        {
            "cell_type": "code",
            "id": "6f1c0a52-0000-4000-8000-000000000000",
            "metadata": {"tags": ["hide-input"]},
            "source": "x = 1",
            "execution_count": 7,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "x = 1",
            "execution_count": None,
            "outputs": [],
        },
        {
            "cell_type": "code",
            "id": "03-title",
            "metadata": {},
            "source": "",
            "execution_count": None,
            "outputs": [],
        },
    ],
    "metadata": {
        "kernelspec": {"name": "mine", "display_name": "my laptop"},
        "language_info": {"version": "3.12.1"},
    },
    "nbformat": 4,
    "nbformat_minor": 4,
}


def cells(text):
    return json.loads(text)["cells"]


@pytest.fixture
def cleaned():
    return clean(json.dumps(DIRTY), "03")


def test_what_running_and_editing_left_is_gone(cleaned):
    notebook = json.loads(cleaned)
    assert notebook["metadata"] == clean_notebooks.METADATA
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    assert [cell.get("outputs") for cell in notebook["cells"]] == [None, [], [], []]
    assert [cell.get("execution_count", "none") for cell in notebook["cells"]] == [
        "none",
        None,
        None,
        None,
    ]


def test_the_words_and_the_code_stay(cleaned):
    assert ["".join(cell["source"]) for cell in cells(cleaned)] == [
        "# Title\ntext",
        "x = 1",
        "x = 1",
        "",
    ]


def test_cleaning_twice_changes_nothing(cleaned):
    assert clean(cleaned, "03") == cleaned


def test_layout_is_one_space_and_a_last_newline(cleaned):
    assert cleaned.startswith('{\n "cells": [\n  {\n')
    assert cleaned.endswith("}\n")
    assert not cleaned.endswith("\n\n")
    assert "\r" not in cleaned


def test_ids_are_the_lessons_own_and_unique(cleaned):
    ids = [cell["id"] for cell in cells(cleaned)]
    assert ids[0] == "03-title"
    assert all(name.startswith("03-") for name in ids)
    assert len(set(ids)) == 4


def test_ids_depend_on_nothing_but_the_notebook(cleaned):
    assert clean(json.dumps(DIRTY), "03") == cleaned


def test_an_id_survives_an_edit_and_a_cell_put_before_it(cleaned):
    notebook = json.loads(cleaned)
    before = [cell["id"] for cell in notebook["cells"]]
    notebook["cells"][1]["source"] = "x = 2  # edited"
    notebook["cells"].insert(
        1, {"cell_type": "code", "metadata": {}, "source": "new", "outputs": []}
    )
    after = [cell["id"] for cell in cells(clean(json.dumps(notebook), "03"))]
    assert [*after[:1], *after[2:]] == before


def test_a_pasted_picture_is_not_thrown_away():
    notebook = json.loads(json.dumps(DIRTY))
    notebook["cells"][0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    assert cells(clean(json.dumps(notebook), "03"))[0]["attachments"] == {
        "a.png": {"image/png": "AAAA"}
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no notebook"),
        ("<<<<<<< HEAD\n{}", "no notebook"),
        ("[]", "no notebook"),
        ('{"nbformat": 4, "cells": [{"cell_type": "poem", "source": "x"}]}', "no notebook"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "no notebook"),
        ('{"nbformat": 3, "cells": []}', "format 3"),
    ],
)
def test_what_is_no_notebook_is_named(text, words):
    with pytest.raises(ValueError, match=words):
        clean(text, "03")


def test_a_file_is_cleaned_in_place_and_check_leaves_it(tmp_path, capsys):
    lesson = tmp_path / "03_autoencoder.ipynb"
    lesson.write_text(json.dumps(DIRTY), encoding="utf-8")
    before = lesson.read_bytes()
    assert clean_notebooks.main([str(lesson), "--check"]) == 1
    assert lesson.read_bytes() == before
    assert clean_notebooks.main([str(lesson)]) == 0
    assert lesson.read_text(encoding="utf-8") == clean(before.decode(), "03")
    assert clean_notebooks.main([str(lesson), "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{lesson.name}: is not clean",
        f"{lesson.name}: cleaned",
    ]
    assert list(tmp_path.iterdir()) == [lesson]


def test_a_damaged_file_is_named_and_left_while_the_others_are_cleaned(tmp_path, capsys):
    damaged, good = tmp_path / "03_a.ipynb", tmp_path / "04_b.ipynb"
    damaged.write_text("{", encoding="utf-8")
    good.write_text(json.dumps(DIRTY), encoding="utf-8")
    assert clean_notebooks.main([str(damaged), str(good)]) == 1
    assert damaged.read_text(encoding="utf-8") == "{"
    assert not clean_file(good)
    assert capsys.readouterr().err.startswith("03_a.ipynb: no notebook")


def test_a_name_without_its_lesson_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"draft\.ipynb.*with its number"):
        clean_file(tmp_path / "draft.ipynb")


def test_a_second_notebook_of_a_lesson_has_ids_of_its_own(tmp_path):
    path = tmp_path / "16b_control.ipynb"
    path.write_text(json.dumps(DIRTY), encoding="utf-8")
    assert clean_file(path)
    assert all(cell["id"].startswith("16b-") for cell in cells(path.read_text(encoding="utf-8")))


def test_an_appendix_gives_its_name_to_its_cells(tmp_path):
    path = tmp_path / "mathematics.ipynb"
    path.write_text(json.dumps(DIRTY), encoding="utf-8")
    assert clean_file(path)
    stored = path.read_text(encoding="utf-8")
    assert all(cell["id"].startswith("mathematics-") for cell in cells(stored))
    assert not clean_file(path)
    with pytest.raises(ValueError, match=r"algebra\.ipynb: the name of a lesson"):
        clean_file(path.rename(tmp_path / "algebra.ipynb"))
