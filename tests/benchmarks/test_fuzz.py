"""The fuzz command: a short run without faults, and faults that it must notice."""

import time

import pytest

from benchmarks import fuzz
from musiclab.data import DataError


def test_a_short_run_finds_no_fault_and_reads_and_refuses_files_of_every_kind():
    found = fuzz.run(120, seed=1, kinds=tuple(k for k in fuzz.KINDS if k != "mat"))
    assert found["faults"] == []
    assert sum(found["read"].values()) >= 30
    assert sum(found["refused"].values()) >= 30


def test_damaged_matlab_files_are_refused():
    assert fuzz.run(8, seed=1, kinds=("mat",))["faults"] == []


def test_a_mutation_is_the_same_each_time():
    files = fuzz.originals()
    one, two, other = (fuzz.mutated("mid", n, 0, files) for n in (3, 3, 6))
    assert one == two != other


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (lambda *_: 1 / 0, "ZeroDivisionError"),
        (lambda *_: print("music21 says"), "printed"),
        (lambda *_: refuse("KeyError: 'x'"), "a parser's text"),
        (lambda *_: time.sleep(0.02) or sum(range(10**6)), "of CPU time"),
    ],
)
def test_faults_are_noticed(monkeypatch, tmp_path, reader, words):
    monkeypatch.setattr(fuzz, "_read", reader)
    monkeypatch.setattr(fuzz, "_CPU", 0.005)
    if words != "of CPU time":
        monkeypatch.setattr(fuzz, "_CPU", 5.0)
    assert words in fuzz._outcome("mid", tmp_path / "a.mid", fuzz._peak())["fault"]


def refuse(message):
    raise DataError(message)
