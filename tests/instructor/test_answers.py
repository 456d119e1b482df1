"""The stored answers can be read and are enough; on a made-up master, whatever the runner is there to find is found."""

import subprocess
from pathlib import Path

import nbformat
import pytest

from instructor import answer_verdicts, answers
from instructor.answer_verdicts import grade
from instructor.answers import load, table
from instructor.settings import ANSWERS, masters
from scripts import run_tests
from tests.instructor.sample_master import NAME, RIGHT, SOLUTION, TEST, WRONG, answer, master

STORED = RIGHT + WRONG


def problems(stored=STORED, **sources):
    """Everything that grading finds wrong, on one line each."""
    verdicts, found = grade(master(**sources), stored)
    return [f"{one.answer.name}: {problem}" for one in verdicts for problem in one.problems] + found


@pytest.mark.parametrize("path", masters(), ids=lambda path: path.stem)
def test_answers_are_stored_and_enough(path):
    nb = nbformat.read(path, as_version=4)
    exercises = [cell.id for cell in nb.cells if answer_verdicts.role(cell) == "answer"]
    assert exercises
    assert answer_verdicts.count_problems(exercises, load(ANSWERS / f"{path.stem}.toml")) == []


def test_every_file_of_answers_has_a_master():
    assert {path.stem for path in ANSWERS.glob("*")} <= {path.stem for path in masters()}


def test_a_good_master_and_good_answers():
    verdicts, found = grade(master(), STORED)
    assert found == []
    assert [one.problems for one in verdicts] == [()] * len(verdicts)
    assert [(one.answer.kind, one.points, one.most) for one in verdicts] == [
        ("solution", 2, 2),
        ("stub", 0, 2),
        ("right", 2, 2),
        ("right", 2, 2),
        *[("wrong", 0, 2)] * 6,
    ]
    caught = {one.answer.name: one.caught for one in verdicts}
    assert caught["return 6"] == "hidden"  # fits the visible check alone
    assert caught["return x"] == "visible"
    assert caught["return x + x"] == ""
    said = table("99_made_up", verdicts, found, 1.0)
    assert said.startswith(
        "99_made_up: 6 wrong answers (4 caught by visible checks, 2 by hidden tests, 0 survive), 2 right"
    )
    assert "wrong    0/2 hidden  return 6 -> twice 0: expected 0, but got 6." in said


FOUND = {
    "a survivor": (
        {"stored": [*STORED, answer("return 2 * x")]},
        "return 2 * x: SURVIVOR: gets all 2 points",
    ),
    "a right answer refused": (
        {"stored": [*STORED, answer("return 7", "right")]},
        "return 7: gets 0 of 2 points",
    ),
    "a right answer that stops": (
        {"stored": [*STORED, answer("def twice", "right")]},
        "double stops with SyntaxError",
    ),
    "a wrong answer that can't run": (
        {"stored": [*STORED, answer("return y")]},
        "only since it does not run: name 'y'",
    ),
    "a solution refused": ({"double": SOLUTION.replace("* 2", "* 1")}, "the solution: gets 0"),
    "points for nothing": (
        {"double_test": "from musiclab import checks"},
        "the stub: gets 2 of 2 points for nothing",
    ),
    "a stub refused without words": (
        {"double": "### BEGIN SOLUTION\ny = 2\n### END SOLUTION", "double_test": "assert y == 2"},
        "the stub: double-test: refuses with NameError: name 'y' is not defined, not in words",
    ),
    "a refusal without words": (
        {"double_test": TEST.replace("checks.call(double, 3, see=see)", "double(3)[0]")},
        "refuses with TypeError",
    ),
    "words on stderr": (
        {"double_test": TEST + "\nimport sys\nprint('late', file=sys.stderr)"},
        "writes to stderr, for which nbgrader gives 0: late",
    ),
    "words on stderr from C": (
        {"double_test": TEST + "\nimport os\n_ = os.write(2, b'deep')"},
        "gives 0: deep",
    ),
    "a warning": ({"double_test": TEST + "\nimport warnings\nwarnings.warn('odd')"}, "gives 0:"),
    "a value that would be points": (
        {"double_test": TEST + "\n1"},
        "its last line gives 1, which nbgrader takes for points",
    ),
    "given code that stops": ({"start": "1 / 0"}, "start: stops with ZeroDivisionError"),
    "given code that asks for the answer": (
        {"start": "double(1)"},
        "with nothing solved, gives NameError",
    ),
    "too few wrong ones": ({"stored": STORED[:-1]}, "double: has 5 wrong answers, and needs 6"),
    "too few right ones": ({"stored": STORED[1:]}, "double: has 1 right answers, and needs 2"),
    "one answer twice": (
        {"stored": [*STORED, answer("return 0", name="another")]},
        "double: two answers have the code",
    ),
    "one name twice": (
        {"stored": [*STORED, answer("return 1", name="return 0")]},
        "double: two answers have the name",
    ),
    "an answer to nothing": (
        {"stored": [*STORED, answer("return 0", exercise="triple")]},
        "answers triple, which is no answer cell",
    ),
}


@pytest.mark.parametrize(("case", "words"), FOUND.values(), ids=FOUND.keys())
def test_what_is_wrong_is_found(case, words):
    assert any(words in problem for problem in problems(**case)), problems(**case)


LEAKS = {
    "a list of the notebook": "numbers.append(3)\nreturn x",
    "a list in a dict": "table['a'][0] = 5\nreturn x",
    "an array": "array[0] = 5\nreturn x",
    "an object of the notebook's own class": "box.inside.append(1)\nreturn x",
    "another function": "def double(x):\n    return x\n\n\ndef doubled_numbers():\n    return [2, 4]\n\n\none = max",
    "a checking function": "checks.number = checks.array = lambda *_: None\nreturn x",
    "a function of NumPy": "np.abs = lambda value: 0\nreturn x",
    "the state of chance": "np.random.seed(x)\nreturn x",
    "a generator": "rng.random()\nreturn x",
    "a model's weights": "model.set_weights([np.ones(2)])\nreturn x",
    "a name of the tests": "global see\nsee = None\nreturn x",
}
STATE = """
import numpy as np
class Box:
    def __init__(self):
        self.inside = []
class Model:
    weights = [np.zeros(2)]
    def get_weights(self):
        return [self.weights[0].copy()]
    def set_weights(self, weights):
        self.weights[0][:] = weights[0]
box, table, array, model, numbers = Box(), {"a": [1]}, np.zeros(2), Model(), [1, 2]
rng = np.random.default_rng(0)
np.random.seed(0)
def one():
    return 1
def doubled_numbers():
    return [double(x) for x in numbers]
"""
AS_BEFORE = """
import numpy as np
checks.array(numbers, [1, 2], "numbers")
checks.array(table["a"], [1], "table")
checks.array(array, [0, 0], "array")
checks.array(model.get_weights()[0], [0, 0], "model")
checks.number(len(box.inside), 0, "box")
checks.number(one(), 1, "one")
checks.number(np.abs(-3), 3, "abs")
checks.number(np.random.get_state()[1][0], 0, "random state")
checks.number(rng.bit_generator.state["state"]["state"] % 1000, STATE_OF_0, "rng")
checks.that(see is not None, "see")
"""


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS.keys())
def test_nothing_leaks_from_one_answer_to_the_next(code):
    import numpy as np

    state = np.random.default_rng(0).bit_generator.state["state"]["state"] % 1000
    start = "import musiclab\nfrom musiclab import checks\n" + STATE
    test = TEST.replace("### END", AS_BEFORE.replace("STATE_OF_0", str(state)) + "### END")
    stored = [answer(code, name="leaks"), *STORED]
    found = problems(stored, start=start, double_test=test)
    # the right ones pass after it and the wrong ones are caught, whatever became of itself
    assert [problem for problem in found if not problem.startswith("leaks: ")] == []
    assert np.abs(-3) == 3


def test_an_endless_loop_ends(monkeypatch):
    monkeypatch.setattr(answer_verdicts, "ANSWER_SECONDS", 0.3)
    verdicts, found = grade(
        master(),
        [
            *STORED,
            answer("while True:\n    try:\n        x += 1\n    except Exception:\n        pass"),
        ],
    )
    assert found == []
    assert verdicts[-1].words == "was stopped after 0.3 s"
    assert verdicts[-1].problems == ()


def test_an_answer_that_leaves_is_only_wrong():
    assert (
        problems(
            [
                *STORED,
                answer("raise SystemExit"),
                answer("def double(x):\n    return x\n\n\nexit()"),
            ]
        )
        == []
    )


def test_warnings_are_seen_each_time_as_in_a_fresh_kernel():
    warns = 'def double(x):\n    import warnings\n    warnings.warn("odd")\n    return 2 * x{}'
    stored = [*STORED, answer(warns.format(""), "right"), answer(warns.format(" + 0"), "right")]
    assert sum("gives 0" in problem for problem in problems(stored)) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[answer]]\nexercise = 'a'", "missing 3 required"),
        (
            "[[answer]]\nexercise='a'\nkind='wrong'\nname='n'\ncode=''\npoints=1",
            "unexpected keyword argument 'points'",
        ),
        (
            "[[answer]]\nexercise='a'\nkind='false'\nname='n'\ncode=''",
            '"right" or "wrong", not false',
        ),
        ("[[answer]", "02.toml: "),
    ],
)
def test_a_bad_file_of_answers_is_refused_in_words(tmp_path, text, words):
    (tmp_path / "02.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"02\.toml") as error:
        load(tmp_path / "02.toml")
    assert words in str(error.value)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course with the made-up master and answers, one of which survives."""
    (tmp_path / NAME).mkdir()
    nbformat.write(master(), tmp_path / NAME / f"{NAME}.ipynb")
    entries = [
        f"[[answer]]\nexercise = 'double'\nkind = '{one.kind}'\nname = '{one.name}'\ncode = '''\n{one.code}'''\n"
        for one in [*STORED, answer("return 2 * x")]
    ]
    (tmp_path / f"{NAME}.toml").write_text("\n".join(entries), encoding="utf-8")
    monkeypatch.setattr(answers, "SOURCE", tmp_path)
    monkeypatch.setattr(answers, "ANSWERS", tmp_path)
    return tmp_path


def test_a_survivor_fails_the_run_and_is_named(folder, capsys):
    assert answers.main(["--here", NAME]) == 1
    assert "!! SURVIVOR: gets all 2 points" in capsys.readouterr().out
    text = (folder / f"{NAME}.toml").read_text(encoding="utf-8")
    (folder / f"{NAME}.toml").write_text(text[: text.rindex("[[answer]]")], encoding="utf-8")
    assert answers.main(["--here", NAME]) == 0
    assert "0 survive), 2 right ones pass; 0 problems" in capsys.readouterr().out


def test_a_master_that_is_not_there(folder, capsys):
    assert answers.main(["--here", "99_nothing"]) == 1
    assert "99_nothing: " in capsys.readouterr().out
    assert answers.main(["99_nothing"]) == 1  # in a process of its own
    assert "99_nothing: " in capsys.readouterr().out


def test_make_test_counts_lessons_with_and_without_problems(monkeypatch, capsys):
    verdicts, _ = grade(master(), STORED)
    said = "\n".join(
        table(name, verdicts, found, 1.0) for name, found in (("98_a", []), ("99_b", ["b: is odd"]))
    )
    done = subprocess.CompletedProcess([], 1, stdout=said.encode())
    monkeypatch.setattr(run_tests.subprocess, "run", lambda *words, **settings: done)
    part = run_tests.answers_part([Path("98_a.ipynb"), Path("99_b.ipynb")])
    assert (part.passed, part.failed) == (1, 1)
    assert "!! b: is odd" in capsys.readouterr().out
