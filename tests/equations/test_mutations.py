"""The mutation runner itself: what it must notice, what it must report as a survivor, what it must refuse."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from tests.equations.mutations import Mutation, changed, fault, load, run

MODULE = '''def mean_square(x):
    """Equation: (1.1)"""
    return sum(v**2 for v in x) / len(x)  # Eq. (1.1)


def forever(x):
    while x < 0:
        pass
    return x
'''
TESTS = """import pytest

from musiclab.small import forever, mean_square


def test_by_hand():
    assert mean_square([1, 3]) == 5  # Eq. (1.1)


def test_too_weak():
    assert mean_square([1, 1]) == 1


def test_fails_anyway():
    assert mean_square([1, 3]) == 6


def test_is_skipped():
    pytest.skip("not today")


def test_ends():
    assert forever(1) == 1


@pytest.fixture
def prepared():
    assert mean_square([1, 3]) == 5


def test_prepared(prepared):
    pass
"""
GOOD = Mutation(
    "1.1", "musiclab/small.py", "v**2 for", "v for", "tests/test_small.py::test_by_hand"
)
WEAK = replace(GOOD, test="tests/test_small.py::test_too_weak")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    files = {
        "musiclab/__init__.py": "",
        "musiclab/small.py": MODULE,
        "tests/test_small.py": TESTS,
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "--import-mode=importlib"\n',
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return folder


@pytest.fixture(scope="module")
def outcomes(root):
    """Everything tried in one process, one after another, so that one could spoil the next."""
    tried = {
        "noticed": GOOD,
        "survivor": WEAK,
        "mean for a sum": replace(GOOD, find=" / len(x)", replace=""),
        "fails anyway": replace(GOOD, test="tests/test_small.py::test_fails_anyway"),
        "skipped": replace(GOOD, test="tests/test_small.py::test_is_skipped"),
        "no such test": replace(GOOD, test="tests/test_small.py::test_nowhere"),
        "hangs": replace(
            GOOD, find="x < 0", replace="x > 0", test="tests/test_small.py::test_ends"
        ),
        "after the hang": replace(WEAK, find="v**2 for", replace="-v for"),
        "misspelt": replace(GOOD, replace="w**2 for"),
        "in a fixture": replace(GOOD, test="tests/test_small.py::test_prepared"),
        "not there": replace(GOOD, find="nowhere"),
        "again": replace(GOOD, replace="-v for"),
    }
    before = (root / "musiclab/small.py").read_bytes()
    found = dict(zip(tried, run(list(tried.values()), root, seconds=4)))
    assert (root / "musiclab/small.py").read_bytes() == before
    return found


@pytest.mark.parametrize(
    ("tried", "verdict", "why"),
    [
        ("noticed", "noticed", "failed in call, AssertionError"),
        ("survivor", "survived", "passed"),
        ("mean for a sum", "noticed", "AssertionError"),
        ("fails anyway", "error", "does not pass without the mutation"),
        ("skipped", "error", "does not pass without the mutation: skipped"),
        ("no such test", "error", "no test ran"),
        ("hangs", "error", "hangs or ends the process"),
        ("after the hang", "noticed", "AssertionError"),
        ("misspelt", "error", "NameError"),
        ("in a fixture", "error", "failed in setup"),
        ("not there", "error", "stands 0 times"),
        ("again", "noticed", "AssertionError"),
    ],
)
def test_verdict(outcomes, tried, verdict, why):
    assert outcomes[tried].verdict == verdict, outcomes[tried]
    assert why in outcomes[tried].why


def test_the_hanging_one_is_named_by_where_it_hung(outcomes):
    assert "small.py" in outcomes["hangs"].why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"find": "x"}, "stands 7 times"),
        ({"replace": "v**2 for "}, "changes nothing"),
        ({"replace": "v**2) for"}, "no Python"),
        ({"file": "musiclab/lost.py"}, "no file musiclab/lost.py"),
        ({"test": "tests/test_lost.py::test_a"}, "no test file"),
    ],
)
def test_what_cannot_be_a_mutation_is_refused(root, change, why):
    mutation = replace(GOOD, **change)
    if change.get("find") == "x":
        why = f"stands {MODULE.count('x')} times"
    assert why in fault(mutation, root)


def test_a_good_mutation_has_no_fault(root):
    assert fault(GOOD, root) is None


def test_the_store_is_read(tmp_path):
    store = tmp_path / "mutations.toml"
    entry = '[[mutation]]\nequation = "1.1"\nfile = "a.py"\nfind = "a"\nreplace = "b"\n'
    store.write_text(entry + 'test = "t.py::t"\n', encoding="utf-8")
    assert load(store) == [Mutation("1.1", "a.py", "a", "b", "t.py::t")]
    for text in (entry, entry + 'test = "t"\nwhy = "x"\n', "[[mutation"):
        store.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"mutations\.toml"):
            load(store)


def test_only_what_has_changed_is_tried(root, tmp_path):
    mutations = [GOOD, replace(GOOD, file="musiclab/other.py", test="tests/test_other.py::test_x")]
    assert changed(mutations, root) == mutations  # no git: nothing says what has changed
    copy = tmp_path / "clone"
    shutil.copytree(root, copy)
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(["git", *identity, *words], cwd=copy, check=True)
    assert changed(mutations, copy) == []
    (copy / GOOD.file).write_text(MODULE + "\n", encoding="utf-8")
    assert changed(mutations, copy) == [GOOD]
