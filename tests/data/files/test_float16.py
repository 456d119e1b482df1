"""Weights files: the layout byte by byte, the round trip, and what is refused."""

import json

import numpy as np
import pytest

from musiclab.data import DataError
from musiclab.data.files.float16 import read_float16, write_float16


def test_the_layout_is_what_a_page_reads(tmp_path):
    """Read without the library, as JavaScript does."""
    file, array = tmp_path / "a.safetensors", np.array([[0.5, -2.0], [1 / 3, 0.0]])
    write_float16(file, {"w": array}, {"version": "1"})
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert header["__metadata__"] == {"version": "1"}
    assert (header["w"]["dtype"], header["w"]["shape"]) == ("F16", [2, 2])
    start, stop = header["w"]["data_offsets"]
    numbers = np.frombuffer(raw[8 + length + start : 8 + length + stop], "<f2").reshape(2, 2)
    np.testing.assert_allclose(numbers, array, rtol=1e-3)
    arrays, said = read_float16(file)
    assert said == {"version": "1"}
    assert arrays["w"].dtype == np.float32
    np.testing.assert_array_equal(arrays["w"], numbers)


def test_what_is_no_float16_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.safetensors"):
        write_float16(tmp_path / "a.bin", {}, {})
    for number in (1e6, np.nan, -np.inf):
        with pytest.raises(ValueError, match="w holds numbers that are not finite as float16"):
            write_float16(tmp_path / "a.safetensors", {"w": np.array([number])}, {})
    assert list(tmp_path.iterdir()) == []


def test_damaged_and_missing_files_are_named(tmp_path):
    file = tmp_path / "a.safetensors"
    with pytest.raises(DataError, match=r"a\.safetensors can't be read"):
        read_float16(file)
    write_float16(file, {"w": np.ones(8)}, {})
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DataError, match="damaged"):
        read_float16(file)
