"""The benchmark's reader: three formats give the same rolls, and nothing in a file is ever run."""

import contextlib
import json
import os
import pickle
import struct

import numpy as np
import pytest
from scipy.io import savemat

from musiclab.data import DataError
from musiclab.data.corpora.benchmark import load_benchmark

SETS = {
    "train": [[[60, 64, 67], [60], []], [[21, 108]]],
    "valid": [[[55]], [[*range(40, 55)]]],  # fifteen notes at once, as in the denser sets
    "test": [[[72], [71]]],
}


def expected():
    rolls = {}
    for split, pieces in SETS.items():
        rolls[split] = []
        for piece in pieces:
            roll = np.zeros((len(piece), 88), np.float32)
            for t, frame in enumerate(piece):
                roll[t, np.array(frame, int) - 21] = 1
            rolls[split].append(roll)
    return rolls


def write(folder, kind):
    file = folder / f"set.{kind}"
    if kind == "json":
        file.write_text(json.dumps(SETS), encoding="utf-8")
    elif kind == "mat":
        cells = {}
        for split, rolls in expected().items():
            cells[f"{split}data"] = np.empty((1, len(rolls)), object)
            cells[f"{split}data"][0, :] = rolls
        savemat(file, cells)
    else:
        file.write_bytes(
            pickle.dumps(
                {s: [[tuple(f) for f in p] for p in ps] for s, ps in SETS.items()}, protocol=2
            )
        )
    return file


@pytest.mark.parametrize("kind", ["json", "pickle", "pkl", "mat"])
def test_every_format_gives_the_same_rolls(tmp_path, kind):
    rolls = load_benchmark(write(tmp_path, kind))
    for split, pieces in expected().items():
        assert len(rolls[split]) == len(pieces)
        for ours, theirs in zip(rolls[split], pieces):
            assert ours.dtype == np.float32
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle(tmp_path, protocol):
    file = tmp_path / "set.pkl"
    file.write_bytes(pickle.dumps(SETS, protocol=protocol))
    assert load_benchmark(file)["test"][0].sum() == 2


class Trap:
    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_hostile_pickles_run_nothing(tmp_path, protocol):
    sprung = tmp_path / "sprung"
    for call in [(os.mkdir, (str(sprung),)), (eval, (f"__import__('os').mkdir({str(sprung)!r})",))]:
        file = tmp_path / "trap.pickle"
        file.write_bytes(pickle.dumps({**SETS, "extra": Trap(call)}, protocol=protocol))
        with pytest.raises(DataError, match="would run code"):
            load_benchmark(file)
    assert not sprung.exists()


def test_a_pickle_that_asks_for_a_huge_memo_is_refused(tmp_path):
    file = tmp_path / "memo.pickle"
    file.write_bytes(b"\x80\x02}r" + struct.pack("<I", 2**31 - 1) + b".")
    with pytest.raises(DataError, match="exhaust memory"):
        load_benchmark(file)


def test_lists_within_lists_do_not_grow_for_ever(tmp_path):
    level = [60]
    for _ in range(60):
        level = [level] * 10
    file = tmp_path / "laughs.pickle"
    file.write_bytes(pickle.dumps({**SETS, "train": [level]}))
    with pytest.raises(DataError, match="no MIDI pitch"):
        load_benchmark(file)


@pytest.mark.parametrize("kind", ["json", "pickle", "mat"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_files_are_damaged(tmp_path, kind, share):
    file = write(tmp_path, kind)
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(DataError, match=r"set\."):
        load_benchmark(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test": [[[20]]]}, "test, piece 0, frame 0: pitch 20 is outside"),
        ({"valid": [[[60]], [[60], [60.5]]]}, "valid, piece 1, frame 1: 60.5 is no MIDI pitch"),
        ({"train": [[["C4"]]]}, "'C4' is no MIDI pitch"),
        ({"train": [60]}, "no list of frames"),
        ({"train": []}, "a split has no music"),
        ({"train": None}, "holds no lists named"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, words):
    file = tmp_path / "set.json"
    file.write_text(json.dumps({**SETS, **change}), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        load_benchmark(file)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"read from \.pickle"):
        load_benchmark(tmp_path / "set.csv")
    with pytest.raises(DataError, match="can't be read"):
        load_benchmark(tmp_path / "set.json")


def test_a_matrix_of_another_width_is_refused(tmp_path):
    cell = np.empty((1, 1), object)
    cell[0, 0] = np.zeros((3, 87))
    savemat(tmp_path / "set.mat", {"traindata": cell, "validdata": cell, "testdata": cell})
    with pytest.raises(DataError, match=r"\(T, 88\)"):
        load_benchmark(tmp_path / "set.mat")
    savemat(tmp_path / "set.mat", {"traindata": cell})
    with pytest.raises(DataError, match="lacks validdata, testdata"):
        load_benchmark(tmp_path / "set.mat")


def test_a_matlab_file_that_crashes_scipy_is_refused(tmp_path):
    """A cell array whose first element says it holds more than the file: SciPy ends the process on some of these."""
    file = tmp_path / "damaged.mat"
    cells = np.empty((1, 1), object)
    cells[0, 0] = np.eye(2, 88)
    savemat(file, {f"{split}data": cells for split in ("train", "valid", "test")})
    raw = file.read_bytes()
    assert len(load_benchmark(file)["train"]) == 1
    rng = np.random.default_rng(0)
    for _ in range(12):
        damaged = bytearray(raw)
        for place in rng.integers(128, len(raw), 6):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        with contextlib.suppress(DataError):
            assert load_benchmark(file).keys() == {"train", "valid", "test"}


def test_a_killed_reader_of_matlab_files_is_a_damaged_file(tmp_path, monkeypatch):
    import subprocess

    killed = subprocess.CompletedProcess([], -11, b"", b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    file = tmp_path / "crash.mat"
    file.write_bytes(b"MATLAB")
    with pytest.raises(DataError, match=r"crash\.mat is damaged"):
        load_benchmark(file)
