"""Every master keeps the rules and the stored student versions are built from them. `-k 03` asks about one lesson."""

import copy
import re
import shutil

import nbformat
import pytest
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, IncludeHeaderFooter, InstantiateTests, SaveCells
from traitlets.config import Config

from instructor import student_versions
from instructor.answer_verdicts import stubbed
from instructor.answers import load
from instructor.settings import ANSWERS, CODE_STUB, LESSONS, STUDENTS, TEXT_STUB, configure
from instructor.settings import masters as all_masters
from scripts.reset_lesson import lessons, number_of
from tests.instructor import master_rules, sample_master
from tests.instructor.sample_master import (
    CALL,
    CHECKS,
    GUIDE,
    NAME,
    RIGHT,
    SOLUTION,
    START,
    TASK,
    TITLE,
    WRONG,
    cell,
)

MASTERS = all_masters()


def master(**sources):
    """The made-up master with a check as the rules ask for it."""
    return sample_master.master(**{"double_test": CALL} | sources)


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", master_rules.RULES, ids=lambda rule: rule.__name__)
def test_master(path, rule):
    found = list(rule(nbformat.read(path, as_version=4), path))
    assert not found, "\n".join(f"{path.name} {problem}" for problem in found)


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_student_version_is_what_the_master_gives_and_gives_nothing_away(path):
    assert student_versions.difference(path) is None
    text = (STUDENTS / path.name).read_text(encoding="utf-8")
    assert (
        student_versions.leaks(
            nbformat.read(path, as_version=4), text, load(ANSWERS / f"{path.stem}.toml")
        )
        == []
    )


def test_every_lesson_has_exercises():
    to_come = set()  # a lesson leaves this set with its exercises; none enters it
    numbers = {number_of(path) for path in lessons(LESSONS)}
    assert numbers - {number_of(path) for path in MASTERS} == to_come


def test_every_student_version_has_a_master():
    assert student_versions.orphans() == []


# The rules


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where the made-up master is, and beside it its checks."""
    monkeypatch.setattr(master_rules, "CHECKS", tmp_path)
    (tmp_path / "lesson_00.py").write_text(CHECKS, encoding="utf-8")
    file = tmp_path / NAME / f"{NAME}.ipynb"
    file.parent.mkdir()
    nbformat.write(master(), file)
    return file


def test_a_good_master_passes(path):
    assert master_rules.problems(master(), path) == []


LISTEN = TASK.format(1, "Twice", "implement", 2, 5, "Write `double`.")
BAD = [
    ("title", {"title": TITLE.replace("00", "7")}, "a title that names lesson 00"),
    (
        "title",
        {"title": TITLE.replace("public", "secret")},
        "does not say in its first cell that it is practice",
    ),
    ("title", {"title": TITLE.replace("../00", "00")}, "does not link its lesson"),
    ("title", {"title": TITLE.replace("**Points:** 5.", "")}, "does not give its totals"),
    (
        "title",
        {"title": TITLE.replace("5.", "6.", 1)},
        "promises 6 points in its title, and its exercises have 5",
    ),
    (
        "title",
        {"title": TITLE.replace("15", "20")},
        "promises 20 minutes in its title, and its exercises have 15",
    ),
    (
        "heads",
        {"double_text": LISTEN.replace("implement", "guess")},
        "is of kind guess: one of compute",
    ),
    (
        "heads",
        {"double_text": LISTEN.replace("**Objective:** 4", "**Objective:** 5")},
        "and the lesson has 4",
    ),
    (
        "heads",
        {"double_text": LISTEN.replace("**Points:** 2", "**Points:** 3")},
        "3 points, and its cells give 2",
    ),
    (
        "heads",
        {"double_text": LISTEN.replace("**Time:** about 5 minutes. ", "")},
        "no '**Kind:** k.",
    ),
    (
        "heads",
        {"double_text": LISTEN.replace("Exercise 1", "Exercise 3")},
        "expected '## Exercise 1: '",
    ),
    ("heads", {"double_text": "Do it."}, "has 1 exercises: 2 to 6"),
    (
        "sections",
        {"start": START + "\nsee = \"lesson 00, section 'Sing'\""},
        "lesson 00 has no such section",
    ),
    (
        "sections",
        {"start": START + "\nsee = \"lesson 77, section 'Count'\""},
        "lesson 77 has no such",
    ),
    ("first_code", {"start": "import numpy\n" + START}, "does not import musiclab first"),
    (
        "answers_and_tests",
        {"double": "def double(x):\n    return 2 * x"},
        "all of it would be taken out",
    ),
    ("answers_and_tests", {"double_test": CALL.replace("### BEGIN", "# ")}, "has no hidden tests"),
    ("answers_and_tests", {"double_test": CALL.replace("from musiclab", "#", 1)}, "does not begin"),
    (
        "answers_and_tests",
        {"double_test": CALL.replace("lesson_00.d", "lesson_00\nd")},
        "hands names",
    ),
    ("answers_and_tests", {"double_test": CALL.replace("(double)", "([1])")}, "hands names"),
    (
        "answers_and_tests",
        {"double_test": CALL.replace("lesson_00.double(double)", "x = 1")},
        "or none",
    ),
    ("answers_and_tests", {"double_test": CALL.replace("@apart\n", "")}, "not one function"),
    (
        "answers_and_tests",
        {"double_test": CALL.replace("    from musiclab import checks\n", "")},
        "use checks, a name of the notebook",
    ),
    (
        "points_agree",
        {"double_test": CALL.replace("lesson_00.double", "lesson_00.twice")},
        "says 0",
    ),
    ("written", {"why": GUIDE.replace("Marking guide", "Note")}, "needs a model answer"),
    ("written", {"why": "**Marking guide.** " + 10 * "word "}, "needs a model answer"),
    ("as_in_lessons", {"start": START + "\n%time"}, "uses magic"),
    ("as_in_lessons", {"why_text": "## Exercise 2: [this](nowhere.ipynb)"}, "which does not exist"),
]


@pytest.mark.parametrize(("rule", "changed", "words"), BAD, ids=[words for *_, words in BAD])
def test_each_rule_catches(path, rule, changed, words):
    found = list(getattr(master_rules, rule)(master(**changed), path))
    assert any(words in problem for problem in found), found


def test_metadata_rules_catch(path):
    nb = master()
    nb.cells[4].metadata.nbgrader.points = -1
    assert any("nbgrader says" in problem for problem in master_rules.nbgrader_agrees(nb, path))
    nb = master()
    nb.cells[1].metadata.nbgrader.grade_id = "begin"
    assert any(
        "is start and has the grade id begin" in problem
        for problem in master_rules.nbgrader_agrees(nb, path)
    )
    nb = master()
    nb.cells[1].metadata.nbgrader.locked = False
    assert any("is not locked" in problem for problem in master_rules.nbgrader_agrees(nb, path))
    assert any("locked cell of imports" in problem for problem in master_rules.first_code(nb, path))
    nb = master()
    nb.cells.append(cell("start", "code", "1 + 1"))
    assert any(
        "two cells with the id start" in problem
        for problem in master_rules.nbgrader_agrees(nb, path)
    )
    nb = master()
    nb.cells[0].metadata = {}
    assert any(
        "students could change" in problem for problem in master_rules.nbgrader_agrees(nb, path)
    )
    del nb.cells[4]
    assert any(
        "has no test cell" in problem for problem in master_rules.answers_and_tests(nb, path)
    )


def test_a_check_that_says_other_points_than_its_cell_gives_is_caught(path):
    nb = master()
    nb.cells[4].metadata.nbgrader.points = 4
    nb.cells[6].metadata.nbgrader.points = 1
    found = list(master_rules.points_agree(nb, path))
    assert found[0] == "double-test: gives 4 points, and its check says 2"
    assert found[1] == "has 1 points for written answers, and its checks say 3"


def test_checks_that_tell_nowhere_to_read_again_are_caught(path):
    file = path.parent.parent / "lesson_00.py"
    file.write_text(CHECKS.replace("section", "part"), encoding="utf-8")
    assert any("nowhere to read" in one for one in master_rules.sections(master(), path))


def test_stored_rules_catch(path):
    nb = master()
    nb.cells[4].metadata.pop("jupyter")
    assert any("is collapsed" in one for one in master_rules.nothing_stored(nb, path))
    nb = master()
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="said")]
    nb.cells[3].metadata.collapsed = True
    found = list(master_rules.nothing_stored(nb, path))
    assert any("outputs" in problem for problem in found)
    assert any("metadata that no cell needs: collapsed" in problem for problem in found)
    path.with_suffix(".py").touch()
    assert any(f"release {NAME}.py" in problem for problem in master_rules.nothing_beside(nb, path))
    elsewhere = path.with_name("00_other.ipynb")
    assert any(
        "with the name of a lesson" in problem
        for problem in master_rules.nothing_beside(nb, elsewhere)
    )


# The building


@pytest.fixture
def folder(tmp_path, path, monkeypatch):
    """An empty folder for student versions of the made-up master, which has no stored answers."""
    monkeypatch.setattr(student_versions, "ANSWERS", tmp_path / "answers")
    return tmp_path / "exercises"


def test_the_steps_are_nbgraders_own():
    left_out = {IncludeHeaderFooter, InstantiateTests, SaveCells}
    steps = GenerateAssignment.preprocessors.default_args[0]
    assert [step for step in steps if step not in left_out] == list(student_versions.STEPS)


def test_what_students_get():
    student = nbformat.reads(student_versions.student_version(master()), as_version=4)
    text = {cell.id: cell.source for cell in student.cells}
    assert text["double"] == SOLUTION.split("### BEGIN")[0].rstrip(
        " "
    ) + "    " + CODE_STUB.replace("\n", "\n    ")
    assert text["double-test"] == CALL.split("\n### BEGIN")[0]
    assert text["why"] == TEXT_STUB
    assert [text[name] for name in ("title", "start")] == [TITLE, START]
    locked = {cell.id for cell in student.cells if not cell.metadata.get("editable", True)}
    assert locked == {"title", "start", "double-text", "double-test", "why-text"}
    assert all(cell.metadata.deletable is False for cell in student.cells)
    marks = student.cells[4].metadata.nbgrader
    assert (marks.points, marks.cell_type, len(marks.checksum)) == (2, "code", 32)


def test_building_twice_changes_nothing(path, folder):
    assert student_versions.build(path, folder)
    before = (folder / path.name).read_bytes()
    assert student_versions.difference(path, folder) is None
    assert not student_versions.build(path, folder)
    assert (folder / path.name).read_bytes() == before
    assert before.endswith(b"}\n")
    assert b"\r" not in before
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_a_difference_is_said_in_words(path, folder):
    assert (
        student_versions.difference(path, folder) == f"{NAME}.ipynb is missing: run make exercises"
    )
    student_versions.build(path, folder)
    target = folder / path.name
    target.write_bytes(target.read_bytes().replace(b"Twice a number", b"Thrice a number"))
    said = student_versions.difference(path, folder)
    assert re.match(
        rf"{NAME}.ipynb is not what its master gives \(line \d+: .*Thrice.* instead of .*Twice",
        said,
    )
    student_versions.build(path, folder)
    target.write_bytes(target.read_bytes().replace(b"\n", b"\r\n"))
    assert "other line ends instead of LF" in student_versions.difference(path, folder)


def test_a_version_that_gives_something_away_is_not_written(path, folder):
    nbformat.write(master(title=TITLE + "\n\ntwice_the_number = x * 2"), path)
    with pytest.raises(ValueError, match="of a solution"):
        student_versions.build(path, folder)
    assert not folder.exists()


def test_the_command(path, folder, monkeypatch, capsys):
    monkeypatch.setattr(student_versions, "STUDENTS", folder)
    monkeypatch.setattr(student_versions, "masters", lambda: [path])
    for function in (student_versions.build, student_versions.difference, student_versions.orphans):
        monkeypatch.setattr(function, "__defaults__", (folder,))
    assert student_versions.main(["--check"]) == 1
    assert "is missing" in capsys.readouterr().out
    assert not folder.exists()
    assert student_versions.main([]) == 0
    assert student_versions.main(["--check"]) == 0
    assert student_versions.main(["99_nothing"]) == 1
    assert "there is no master 99_nothing" in capsys.readouterr().out
    shutil.copy(folder / path.name, folder / "98_old.ipynb")
    shutil.copy(folder / path.name, folder / f"{NAME}_mine_2026-11-20.ipynb")
    assert student_versions.main(["--check"]) == 1
    assert capsys.readouterr().out == "98_old.ipynb has no master\n"
    path.write_text("{}", encoding="utf-8")
    assert student_versions.main([]) == 1
    assert f"{NAME}.ipynb: " in capsys.readouterr().out


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_the_stubs_that_are_graded_are_those_that_students_get(path):
    nb = nbformat.read(path, as_version=4)
    cleared, _ = ClearSolutions(config=configure(Config())).preprocess(copy.deepcopy(nb), {})
    for before, after in zip(nb.cells, cleared.cells):
        if before.cell_type == "code":
            assert stubbed(before.source) == after.source, before.id


# The leaks

STUDENT = nbformat.reads(student_versions.student_version(master()), as_version=4)
PLANTED = {
    "a marker": ("start", "### BEGIN SOLUTION", "holds the marker 'BEGIN SOLUTION'"),
    "a marker of hidden tests": (
        "double-test",
        "### END HIDDEN TESTS",
        "holds the marker 'END HIDDEN TESTS'",
    ),
    "a line of the solution": (
        "double",
        "    return twice_the_number",
        "'return twice_the_number' is not for students",
    ),
    "the same elsewhere": ("why-text", "Try return twice_the_number, too.", "is not for students"),
    "a hidden test": ("double-test", CALL.splitlines()[-5].strip(), "is not for students"),
    "a model answer": ("why", GUIDE.splitlines()[0], "is not for students"),
    "a marking guide": ("why-text", GUIDE.splitlines()[-1], "tells '**Marking guide.**"),
    "a right answer": ("start", RIGHT[0].code, 'holds the stored answer "return x + x"'),
    "a wrong answer": ("start", WRONG[2].code, 'holds the stored answer "return 6"'),
    "a stub that does not parse": ("double", "def", "double: does not parse"),
}


def test_no_leak_where_there_is_none():
    assert student_versions.leaks(master(), nbformat.writes(STUDENT), RIGHT + WRONG) == []


@pytest.mark.parametrize(("name", "planted", "words"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_leak_is_found(name, planted, words):
    spoilt = copy.deepcopy(STUDENT)
    for one in spoilt.cells:
        if one.id == name:
            one.source += "\n" + planted
    found = student_versions.leaks(master(), nbformat.writes(spoilt), RIGHT + WRONG)
    assert any(words in leak for leak in found), found


def test_a_solution_that_the_master_itself_tells_is_found():
    right = "def right(x):\n    twice_the_number = x * 2\n    return twice_the_number\n\n\n"
    telling = CALL.replace("lesson_00.double(", right + "lesson_00.double(", 1)
    told = master(double_test=telling)
    assert "double-test: tells 'twice_the_number = x * 2' of a solution" in student_versions.leaks(
        told, student_versions.student_version(told)
    )


def test_output_in_a_student_version_is_found():
    student = nbformat.reads(student_versions.student_version(master()), as_version=4)
    student.cells[1].outputs = [nbformat.v4.new_output("stream", text="said")]
    assert "start: holds output" in student_versions.leaks(master(), nbformat.writes(student))
