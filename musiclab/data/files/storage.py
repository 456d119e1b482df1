"""The course's data files: found, read without unpickling, checked, and written atomically."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

__all__ = [
    "DataError",
    "load_arrays",
    "path",
    "read_verified",
    "record_checksum",
    "results",
    "save_arrays",
    "sha256",
    "verify_checksum",
    "write_whole",
]

_HERE = Path(__file__).resolve()
_MAX_BYTES = 256 * 2**20  # no file of the course comes near; a zip bomb does


class DataError(ValueError):
    """A data file is missing, damaged or not what its checksum promises; the message says which and what to do."""


def path(name: str) -> Path:
    """Find a data file of the course, in a clone (``data/``) or in an installed wheel.

    Args:
      name: file name relative to ``data/``, such as ``"chorales.npz"`` or ``"weights/rnn.keras"``.

    Returns:
      The file's path.

    Raises:
      DataError: if there is no such file, or the name leads out of the data folder.

    >>> path("jsb_split.csv").name
    'jsb_split.csv'
    """
    found = _find(name, _HERE.parents[3] / "data", _HERE.parents[2] / "_files")
    if found is None:
        raise DataError(
            f"there is no data file {name!r}: see data/README.md for those there are; `make data` rebuilds the music"
        )
    return found


def results(name: str) -> dict:
    """Read the committed results of a benchmark, in a clone or in an installed wheel.

    Args:
      name: of the benchmark, such as ``"every_model"``: a file of ``benchmarks/results``, without
        ``.json``.

    Returns:
      The record: its ``"rows"``, and with which command, versions and machine they were measured.

    Raises:
      DataError: if there is no such file, or it is damaged.

    >>> results("control")["command"]
    'python -m benchmarks.control'
    """
    folders = _HERE.parents[3] / "benchmarks" / "results", _HERE.parents[2] / "_results"
    found = _find(f"{name}.json", *folders)
    if found is None:
        known = sorted({file.stem for folder in folders for file in folder.glob("*.json")})
        raise DataError(f"there are no results of {name!r}: there are {', '.join(known)}")
    try:
        return json.loads(found.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{found.name} is damaged: it is no JSON") from None


def _find(name: str, *folders: Path) -> Path | None:
    """A file in the first folder that has it; None if none has, or the name leads out of them."""
    for folder in folders:
        found = (folder / name).resolve()
        if folder.is_dir() and found.is_relative_to(folder.resolve()) and found.is_file():
            return found
    return None


def sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def load_arrays(file: str | Path) -> dict[str, np.ndarray]:
    """Read a ``.npz`` of plain arrays; never unpickles.

    Args:
      file: a name inside ``data/``, whose checksum is verified, or a ``Path`` of the reader's own,
        for which there is none.

    Returns:
      The arrays by name.

    Raises:
      DataError: missing, truncated, damaged, wrong checksum, holds pickled objects, or unpacks to
        over 256 MiB.
    """
    file, raw = read_verified(file)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _MAX_BYTES:
            raise DataError(
                f"{file.name} would unpack to {size // 2**20} MiB: refused, the limit is {_MAX_BYTES // 2**20}"
            )
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except DataError:
        raise
    except ValueError as error:
        if "pickle" in str(error):
            raise DataError(
                f"{file.name} holds pickled objects: refused, they could run code; save plain arrays"
            ) from None
        raise DataError(f"{file.name} is damaged") from None
    except Exception:  # zipfile, zlib and NumPy raise a dozen kinds
        raise DataError(f"{file.name} is damaged or no .npz file") from None


def read_verified(file: str | Path) -> tuple[Path, bytes]:
    """Read a file whole, and verify its checksum where the course has one.

    Args:
      file: a name inside ``data/``, whose checksum is verified, or a ``Path`` of the reader's own,
        for which there is none.

    Returns:
      Where it is, and its bytes.

    Raises:
      DataError: missing, unreadable, wrong checksum.
    """
    own = isinstance(file, Path)
    file = file if own else path(file)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file.name} can't be read: {error.strerror or error}") from None
    if not own:
        verify_checksum(file, raw)
    return file, raw


def save_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as a compressed ``.npz``, whole or not at all, and the same bytes each time.

    Args:
      file: where to.
      arrays: plain arrays by name; object arrays are refused.

    Raises:
      ValueError: on an array of Python objects.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            array = np.asarray(arrays[name])
            if array.dtype.hasobject:
                raise ValueError(f"{name} holds Python objects: only plain arrays are stored")
            one = io.BytesIO()
            np.lib.format.write_array(one, np.ascontiguousarray(array), allow_pickle=False)
            # a fixed date: the bytes must depend on the arrays alone
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, one.getvalue())
    write_whole(file, buffer.getvalue())


def write_whole(file: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old one or the new one, never half."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes files private
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def record_checksum(file: Path) -> None:
    """Write a file's SHA-256 into the ``SHA256SUMS`` that vouches for its folder.

    Args:
      file: a file inside ``data/``; one of an instructor's own (``data/own/``) gets a list of its
        own there.
    """
    file = Path(file)
    listing = _listing(file)
    sums = {**_read_sums(listing), file.relative_to(listing.parent).as_posix(): sha256(file)}
    write_whole(listing, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode())


def verify_checksum(file: Path, raw: bytes) -> None:
    """Compare what was read from a file inside ``data/`` with the ``SHA256SUMS`` that vouches for its folder.

    Args:
      file: the file.
      raw: all its bytes.

    Raises:
      DataError: if the file is not listed, or the bytes are not those that were.
    """
    listing = _listing(file)
    name = file.relative_to(listing.parent).as_posix()
    wanted = _read_sums(listing).get(name)
    if wanted is None:
        raise DataError(f"{name} is not listed in {listing.name}: build it with `make data`")
    if hashlib.sha256(raw).hexdigest() != wanted:
        raise DataError(
            f"{name} does not match its checksum: it was changed or damaged; `git checkout -- data` restores the "
            "course's files, `make data` builds them anew"
        )


def _listing(file):
    """data/own/ vouches for itself: it is the reader's, and git ignores it; data/ vouches for the rest."""
    root = path("jsb_split.csv").parent
    own = root / "own"
    return (own if Path(file).resolve().is_relative_to(own) else root) / "SHA256SUMS"


def _read_sums(listing):
    if not listing.is_file():
        return {}
    lines = listing.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
