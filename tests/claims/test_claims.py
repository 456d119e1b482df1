"""Sentences that state results have claims; claims fail when a sentence or a number turns."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from scripts import claims
from scripts.claims import Claim, Claims
from scripts.reset_lesson import appendices, lessons

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(claims.FOLDER.rglob("*.toml"))


def notebook_of(file):
    if file.parent.name == "exercises":
        return ROOT / "instructor" / "source" / file.stem / f"{file.stem}.ipynb"
    return ROOT / "notebooks" / f"{file.stem}.ipynb"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_text_and_claims_agree(file):
    notebook = notebook_of(file)
    if file.parent.name == "exercises" and not notebook.parents[1].is_dir():
        pytest.skip("the student edition has no masters")
    found = claims.problems(nbformat.read(notebook, as_version=4), claims.load(file))
    assert not found, "\n".join(found)


def test_claims_belong_to_notebooks():
    folder = ROOT / "notebooks"
    names = {path.stem for path in [*lessons(folder), *appendices(folder)]}
    assert {file.stem for file in FILES} <= names


TEXT = """# Title

Three of four pass: the loss falls by 12 %. It is *blue*. See lesson 07 and Eq. (7.2).

- The chain is shorter than before.

$$x = 1$$

| a | 5 of them |
|---|---|
"""


def notebook(text=TEXT, code='show.figure(fig, alt="A line that falls.")'):
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
    return nbformat.v4.new_notebook(cells=cells)


COVERED = Claims(
    (
        Claim("the loss falls by 12 %", "loss < 1", "loss = 2"),
        Claim("The chain is shorter than before.", "chain < 9"),
        Claim("A line that falls.", "line[0] > line[-1]"),
    ),
    {"definition": ["5 of them"]},
)


def test_sentences_with_numbers_comparisons_and_alt_texts_are_found():
    found = [one for one in claims.sentences(notebook()) if claims.stated(one)]
    assert found == [
        "Three of four pass: the loss falls by 12 %.",
        "The chain is shorter than before.",
        "5 of them",
        "A line that falls.",
    ]


def test_all_covered_is_no_problem():
    assert claims.problems(notebook(), COVERED) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.replace("12 %", "13 %"), "no such sentence"),
        (TEXT + "\nIt wins.\n", "neither claim nor reason: 'It wins.'"),
        (TEXT.replace("5 of them", "some"), "a reason for a sentence that is not there"),
    ],
)
def test_a_changed_text_is_noticed(text, words):
    assert any(words in problem for problem in claims.problems(notebook(text), COVERED))


def test_an_alt_text_without_claim_is_noticed_even_without_a_number():
    changed = notebook(code='show.figure(fig, alt="A blue line.")')
    assert any("A blue line." in problem for problem in claims.problems(changed, COVERED))


def test_a_file_without_any_control_is_noticed():
    without = Claims(tuple(Claim(one.says, one.holds) for one in COVERED.claims), COVERED.unclaimed)
    assert any("control" in problem for problem in claims.problems(notebook(), without))


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ('[[claim]]\nsays = "x"\nholds = "1 +"\n', "invalid syntax"),
        ('[[claim]]\nsays = "x"\n', "holds"),
        ('[unclaimed]\nboring = ["x"]\n', "boring"),
        ("claim = 3 4", "bad.toml"),
    ],
)
def test_a_bad_file_is_named(tmp_path, stored, words):
    file = tmp_path / "bad.toml"
    file.write_text(stored, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        claims.load(file)


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        (Claim("s", "x == 3"), None),
        (Claim("s", "x == 4"), "no longer true: s"),
        (Claim("s", "x == 3", "x = 4"), None),
        (Claim("s", "x > 0", "x = 4"), "holds for its control too"),
    ],
)
def test_the_cell_of_a_claim(claim, error):
    (source,) = claims.cells(Claims((claim,), {}))
    names = {"x": 3}
    if error is None:
        exec(source, names)
        assert names["x"] == 3  # the control changes nothing for what follows
    else:
        with pytest.raises(AssertionError, match=re.escape(error)):
            exec(source, names)


def test_nbval_runs_claims_in_the_lessons_kernel(tmp_path):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 3")])
    (tmp_path / "notebooks").mkdir()
    nbformat.write(lesson, tmp_path / "notebooks" / "99_example.ipynb")
    (tmp_path / "99_example.toml").write_text(
        '[[claim]]\nsays = "a"\nholds = "x == 3"\n[[claim]]\nsays = "b"\nholds = "x == 4"\n',
        encoding="utf-8",
    )
    code = (
        "import sys, pytest; from pathlib import Path; from scripts import claims; "
        "claims.FOLDER = Path(sys.argv[1]); "
        "sys.exit(pytest.main(['-q', '-p', 'conftest', '--nbval-lax', '--nbval-current-env', "
        "'-c', 'pyproject.toml', '--rootdir', '.', sys.argv[1] + '/notebooks/99_example.ipynb']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "no longer true: " in done.stdout
