"""Data files: found, checked, written whole, and never run."""

import hashlib
import io
import json
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from musiclab.data import (
    DataError,
    load_arrays,
    path,
    record_checksum,
    results,
    save_arrays,
    sha256,
    write_whole,
)
from musiclab.data.files import storage


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "some.npz"
    save_arrays(file, {"a": np.arange(5, dtype=np.int16), "b": np.array(["x", "yz"])})
    return file


def test_arrays_come_back_with_their_types(saved):
    arrays = load_arrays(saved)
    assert arrays["a"].dtype == np.int16
    assert arrays["a"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["b"].tolist() == ["x", "yz"]


def test_the_same_arrays_give_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.npz"
    save_arrays(again, {"b": np.array(["x", "yz"]), "a": np.arange(5, dtype=np.int16)})
    assert again.read_bytes() == saved.read_bytes()


def test_numpy_reads_them_too(saved):
    with np.load(saved, allow_pickle=False) as arrays:
        assert arrays["a"].tolist() == [0, 1, 2, 3, 4]


def test_sha256_agrees_with_hashlib(saved):
    assert sha256(saved) == hashlib.sha256(saved.read_bytes()).hexdigest()


@pytest.mark.parametrize("cut", [0, 1, 20, -1, -30])
def test_truncated_files_are_damaged(saved, cut):
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"some\.npz"):
        load_arrays(saved)


def test_every_single_changed_byte_is_noticed_or_harmless(saved):
    original = saved.read_bytes()
    expected = load_arrays(saved)
    for place in range(0, len(original), 3):
        changed = bytearray(original)
        changed[place] ^= 0xFF
        saved.write_bytes(changed)
        try:
            arrays = load_arrays(saved)
        except DataError:
            continue
        for name in arrays.keys() & expected.keys():
            np.testing.assert_array_equal(arrays[name], expected[name])


def test_pickles_are_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").write_text, ("run",))

    file = tmp_path / "trap.npz"
    np.savez(file, a=np.array([Trap()], dtype=object))
    with pytest.raises(DataError, match="pickled objects"):
        load_arrays(file)
    assert not (tmp_path / "sprung").exists()


def test_object_arrays_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Python objects"):
        save_arrays(tmp_path / "x.npz", {"a": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": (2**29,)}
    )
    file = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as out,
    ):
        out.write(buffer.getvalue())
        for _ in range(2**9):
            out.write(bytes(2**20))
    assert file.stat().st_size < 2**20
    with pytest.raises(DataError, match="refused"):
        load_arrays(file)


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match=r"no data file 'nothing\.npz'"):
        load_arrays("nothing.npz")


@pytest.mark.parametrize("name", ["../README.md", "/etc/hostname", "weights/../../README.md"])
def test_names_cannot_lead_out_of_the_data_folder(name):
    with pytest.raises(DataError):
        path(name)


def test_a_wrong_checksum_is_named(tmp_path, monkeypatch):
    data = tmp_path / "data"
    save_arrays(data / "a.npz", {"a": np.zeros(3)})
    (data / "jsb_split.csv").touch()
    monkeypatch.setattr(storage, "_HERE", tmp_path / "musiclab" / "data" / "files" / "storage.py")
    with pytest.raises(DataError, match="not listed"):
        load_arrays("a.npz")
    record_checksum(data / "a.npz")
    assert load_arrays("a.npz")["a"].tolist() == [0, 0, 0]
    save_arrays(data / "a.npz", {"a": np.ones(3)})
    with pytest.raises(DataError, match=r"a\.npz does not match its checksum"):
        load_arrays("a.npz")
    raw = (data / "a.npz").read_bytes()
    with pytest.raises(DataError, match=r"a\.npz does not match its checksum"):
        storage.verify_checksum(data / "a.npz", raw)
    record_checksum(data / "a.npz")
    storage.verify_checksum(data / "a.npz", raw)
    with pytest.raises(DataError, match=r"a\.npz does not match its checksum"):
        storage.verify_checksum(data / "a.npz", raw[:-1])


def test_own_music_has_a_list_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "data" / "jsb_split.csv").touch()
    monkeypatch.setattr(storage, "_HERE", tmp_path / "musiclab" / "data" / "files" / "storage.py")
    save_arrays(tmp_path / "data" / "own" / "mine.npz", {"a": np.zeros(3)})
    record_checksum(tmp_path / "data" / "own" / "mine.npz")
    assert load_arrays("own/mine.npz")["a"].shape == (3,)
    assert not (tmp_path / "data" / "SHA256SUMS").exists()


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    file = tmp_path / "kept.txt"
    write_whole(file, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(storage.Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert [f.name for f in tmp_path.iterdir()] == ["kept.txt"]


def test_results_are_found_in_a_clone_and_in_a_wheel(tmp_path, monkeypatch):
    for folder in ("benchmarks/results", "site/musiclab/_results"):
        (tmp_path / folder).mkdir(parents=True)
        file = tmp_path / folder / "speed.json"
        file.write_text(json.dumps({"rows": [folder]}), encoding="utf-8")
    for root, wanted in (("clone", "benchmarks/results"), ("wheel", "site/musiclab/_results")):
        home = tmp_path / ("site" if root == "wheel" else "") / "musiclab"
        monkeypatch.setattr(storage, "_HERE", home / "data" / "files" / "storage.py")
        assert results("speed")["rows"] == [wanted]


def test_unknown_and_damaged_results_are_named(tmp_path, monkeypatch):
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "speed.json").write_text("{", encoding="utf-8")
    (tmp_path / "benchmarks" / "secret.json").write_text("{}", encoding="utf-8")
    home = tmp_path / "musiclab" / "data" / "files" / "storage.py"
    monkeypatch.setattr(storage, "_HERE", home)
    with pytest.raises(DataError, match=r"speed\.json is damaged"):
        results("speed")
    for name in ("sped", "../secret"):
        with pytest.raises(DataError, match=rf"no results of '{name}': there are speed"):
            results(name)


def test_the_wheel_carries_what_lessons_read():
    root = Path(__file__).resolve().parents[3]
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert wheel == {
        "data": "musiclab/_files",
        "notebooks/figures": "musiclab/_figures",
        "benchmarks/results": "musiclab/_results",
    }
