"""The published polyphonic-music benchmark, read from a file that the reader has.

Four sets (JSB Chorales, MuseData, Nottingham, Piano-midi.de) go with N. Boulanger-Lewandowski, Y.
Bengio and P. Vincent, "Modeling temporal dependencies in high-dimensional sequences", ICML 2012.
They are not ours to ship. They circulate as ``.pickle``, ``.json`` and ``.mat``; this reads all
three and runs nothing.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import pickletools
import reprlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from musiclab.data.files.storage import DataError

__all__ = ["load_benchmark"]

_SPLITS = ("train", "valid", "test")
_LOW, _HIGH = 21, 108  # MIDI pitches of the 88 keys
_MAX_BYTES = 64 * 2**20  # MuseData, the largest, has 30 MB as a pickle
_MAX_FRAMES = 2_000_000

# What a pickle of dicts, lists, tuples, numbers and strings is made of. Everything that imports,
# calls or builds an object is missing on purpose; so is anything added to the format later.
_PLAIN = frozenset(
    "PROTO FRAME STOP MARK POP POP_MARK DUP "
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT NONE NEWTRUE NEWFALSE "
    "STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINBYTES SHORT_BINBYTES "
    "EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS "
    "GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE".split()
)


def load_benchmark(path: str | Path) -> dict[str, list[np.ndarray]]:
    """Read one of the four sets as piano rolls.

    Args:
      path: a ``.pickle``/``.pkl``, ``.json`` or ``.mat`` file. The first two hold, for "train",
        "valid" and "test", lists of pieces, each a list of frames, each a list of MIDI pitches; the
        third holds ``traindata``, ``validdata`` and ``testdata``, cells of matrices (T, 88).

    Returns:
      For each split its pieces, float32 (T, 88), 1 where key 21 + column sounds. One row is a
      quarter note in JSB Chorales; each set has a step of its own. Pieces without a frame are left
      out.

    Raises:
      DataError: the file is missing, too large, damaged, of another kind, holds anything but
        numbers and lists (a hostile pickle is refused before it is opened), or a pitch outside
        21-108; the message says where.

    >>> load_benchmark("nowhere.json")
    Traceback (most recent call last):
    musiclab.data.files.storage.DataError: nowhere.json can't be read: No such file or directory
    """
    path = Path(path)
    readers = {
        ".json": _from_json,
        ".pickle": _from_pickle,
        ".pkl": _from_pickle,
        ".mat": _from_mat,
    }
    if path.suffix.lower() not in readers:
        raise DataError(
            f"{path.name}: the benchmark is read from .pickle, .pkl, .json or .mat files"
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(
                f"{path.name} has over {_MAX_BYTES // 2**20} MiB: none of the four sets is so large"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} can't be read: {error.strerror}") from None
    try:
        sets = readers[path.suffix.lower()](raw)
    except DataError as error:
        raise DataError(f"{path.name} {error}") from None
    except Exception:  # damaged bytes make parsers raise nearly anything
        raise DataError(f"{path.name} is damaged, or no file of its kind") from None
    rolls = {split: _rolls(sets[split], f"{path.name}, {split}") for split in _SPLITS}
    if not all(rolls.values()):
        raise DataError(
            f"{path.name}: a split has no music; expected pieces in each of {', '.join(_SPLITS)}"
        )
    return rolls


def _from_json(raw: bytes) -> dict:
    return _three_splits(json.loads(raw))


def _from_pickle(raw: bytes) -> dict:
    for count, (opcode, argument, _) in enumerate(
        pickletools.genops(raw)
    ):  # names instructions, follows none
        if opcode.name not in _PLAIN:
            raise DataError(
                f"is a pickle that would run code ({opcode.name}): refused, nothing was executed"
            )
        if "PUT" in opcode.name and int(argument) > count:
            raise DataError("is a pickle made to exhaust memory: refused")
    return _three_splits(pickle.load(io.BytesIO(raw), encoding="latin1"))


def _from_mat(raw: bytes) -> dict:
    """Read the cells in a process of its own, which a damaged file may crash or fill."""
    names = [f"{split}data" for split in _SPLITS]
    command = [sys.executable, str(Path(__file__).with_name("mat_cells.py")), *names]
    # one thread: each reserves address space, which the process has little of
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=raw, capture_output=True, env=environment, timeout=120, check=False
    )
    message = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 3:
        raise DataError(f"lacks {message}")
    if "No module named 'scipy'" in message:
        raise DataError("is a MATLAB file, which SciPy reads: pip install scipy")
    if done.returncode:
        raise DataError("is damaged")
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as arrays:
        return {
            split: [arrays[key] for key in arrays.files if key.startswith(name)]
            for split, name in zip(_SPLITS, names)
        }


def _three_splits(sets) -> dict:
    if not isinstance(sets, dict) or not all(
        isinstance(sets.get(split), list | tuple) for split in _SPLITS
    ):
        raise DataError(f"holds no lists named {', '.join(_SPLITS)}")
    return sets


def _rolls(pieces: Iterable, where: str) -> list[np.ndarray]:
    rolls, left = [], _MAX_FRAMES
    for number, piece in enumerate(pieces):
        here = f"{where}, piece {number}"
        roll = _check(piece, here) if isinstance(piece, np.ndarray) else _roll(piece, here)
        left -= len(roll)
        if left < 0:
            raise DataError(
                f"{where} has over {_MAX_FRAMES} frames: none of the four sets is so long"
            )
        rolls += [roll] if len(roll) else []
    return rolls


def _roll(piece, where: str) -> np.ndarray:
    if not isinstance(piece, list | tuple) or len(piece) > _MAX_FRAMES:
        raise DataError(f"{where} is no list of frames")
    roll = np.zeros((len(piece), _HIGH - _LOW + 1), np.float32)
    for step, frame in enumerate(piece):
        for pitch in frame if isinstance(frame, list | tuple) and len(frame) <= 128 else [frame]:
            if isinstance(pitch, bool) or not isinstance(pitch, int | float) or pitch != int(pitch):
                raise DataError(f"{where}, frame {step}: {reprlib.repr(pitch)} is no MIDI pitch")
            if not _LOW <= pitch <= _HIGH:
                raise DataError(f"{where}, frame {step}: pitch {pitch} is outside {_LOW}-{_HIGH}")
            roll[step, int(pitch) - _LOW] = 1.0
    return roll


def _check(roll: np.ndarray, where: str) -> np.ndarray:
    if roll.ndim != 2 or roll.shape[1] != _HIGH - _LOW + 1 or not np.isin(roll, (0, 1)).all():
        raise DataError(
            f"{where}: need a matrix (T, 88) of zeros and ones, not {roll.dtype} of shape {roll.shape}"
        )
    return roll.astype(np.float32)
