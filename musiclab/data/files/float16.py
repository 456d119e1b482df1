"""Weights files that Python and the website's pages both read: float16 arrays behind a JSON header (safetensors)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from musiclab.data.files import storage
from musiclab.data.files.storage import DataError

__all__ = ["read_float16", "write_float16"]


def write_float16(file: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write arrays as float16 in the safetensors layout, whole or not at all.

    The layout: 8 bytes, the header's length as a little-endian integer; the header, JSON with
    ``dtype``, ``shape`` and ``data_offsets`` of each array, and ``__metadata__``; then the numbers,
    little-endian, row by row.

    Args:
      file: where to; its name ends in ``.safetensors``.
      arrays: finite numbers within +-65504, by name.
      metadata: text by name: all that a reader needs to know besides the arrays.

    Raises:
      ValueError: if the name ends otherwise, or a number is no float16.
    """
    from safetensors.numpy import save

    file = Path(file)
    if file.suffix != ".safetensors":
        raise ValueError(f"{file.name}: a weights file's name must end in .safetensors")
    for name, array in arrays.items():
        if not np.all(np.abs(array) <= np.finfo(np.float16).max):
            raise ValueError(f"{name} holds numbers that are not finite as float16")
    halves = {name: np.asarray(arrays[name], "<f2") for name in arrays}
    storage.write_whole(file, save(halves, metadata))


def read_float16(file: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read what :func:`write_float16` wrote; nothing in such a file can run code.

    Args:
      file: a name inside ``data/`` (its checksum is verified), or a ``Path`` of the reader's own.

    Returns:
      The arrays as float32, and the metadata.

    Raises:
      DataError: if the file is missing, damaged or no such file.
    """
    from safetensors import SafetensorError, deserialize

    file, raw = storage.read_verified(file)
    try:
        entries = deserialize(raw)
        header = raw[8 : 8 + int.from_bytes(raw[:8], "little")]
    except SafetensorError as error:
        raise DataError(f"{file.name} is damaged or no weights file: {error}") from None
    arrays = {}
    for name, entry in entries:
        if entry["dtype"] != "F16":
            raise DataError(f"{file.name} holds {name} as {entry['dtype']}: need F16")
        numbers = np.frombuffer(entry["data"], "<f2").astype(np.float32)
        arrays[name] = numbers.reshape(entry["shape"])
    return arrays, _metadata(header)


def _metadata(header):
    import json

    return json.loads(header).get("__metadata__", {})
