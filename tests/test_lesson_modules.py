"""The table of lessons and modules is what the lessons' imports say."""

import nbformat
import pytest

from scripts import lesson_modules


def test_the_table_is_up_to_date():
    assert lesson_modules.main(["--check"]) == 0, "run python -m scripts.lesson_modules"


@pytest.fixture
def course(tmp_path):
    """Two modules, one of which a package passes on, and one lesson."""
    for name, names in (
        ("data/notes", ["load"]),
        ("models/chain", ["Chain"]),
        ("models/hidden", []),
    ):
        file = tmp_path / "musiclab" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"__all__ = {names}\n", encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("from musiclab.data import load", ["musiclab.data.notes"]),
        ("from musiclab import data\ndata.load()", ["musiclab.data.notes"]),
        ("from musiclab import data as d\nd.load()", ["musiclab.data.notes"]),
        ("from musiclab.models import chain as c", ["musiclab.models.chain"]),
        ("from musiclab.models.chain import Chain", ["musiclab.models.chain"]),
        ("from musiclab import data", []),
    ],
)
def test_what_a_lesson_imports(course, code, modules):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbformat.write(nb, course / "notebooks" / "03_words.ipynb")
    assert lesson_modules.by_lesson(course) == {"03": modules}
    assert lesson_modules.by_module(course)["musiclab.models.hidden"] == []
