"""Bach's four-part chorales, ready to learn from.

Lessons: 00, 01, and most after them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musiclab.data.files.storage import DataError, load_arrays
from musiclab.data.piece import Piece

__all__ = ["SPLITS", "Chorale", "load_chorales", "pack", "unpack"]

SPLITS = ("train", "valid", "test")

_PER_VOICE = ("voices", "onsets", "spelling")
PER_STEP = (*_PER_VOICE, "downbeats", "beat", "fermatas")
_PER_PIECE = ("pickup", "tonic", "mode", "key_method", "key_signature", "time_signature", "name")


@dataclass(frozen=True, eq=False, repr=False)
class Chorale(Piece):
    """A four-part piece: soprano, alto, tenor, bass.

    Lesson: 00

    Attributes:
      bwv: its number in the Bach catalogue, such as "bwv66.6"; for an instructor's own music the
        file's name.
      split: "train", "valid" or "test" of the published benchmark; works that it lacks are "train",
        or "excluded" where they share a melody with a piece held out.
      melody: name of the melody family, that is of its first member.
      split_melody: "train", "valid" or "test" such that no family crosses splits.
    """

    bwv: str = ""
    split: str = "train"
    melody: str = ""
    split_melody: str = "train"


def load_chorales(
    split: str | None = None, by: str = "benchmark", music: str = "chorales.npz"
) -> list[Chorale]:
    """The chorales of one split, or all of them.

    Lesson: 00

    Args:
      split: "train", "valid", "test", or None for all three.
      by: "benchmark" for the published split, across which melodies leak; "melody" for one in which
        no melody family crosses splits.
      music: a file in ``data/``: the course's own, or one that ``make data MUSIC=folder`` built.

    Returns:
      Chorales in the catalogue's order; never those marked "excluded".

    Raises:
      ValueError: on an unknown ``split`` or ``by``.
      DataError: if the file is missing, damaged, or holds something else.

    >>> [len(load_chorales(split)) > 20 for split in ("train", "valid", "test")]
    [True, True, True]
    """
    if split not in (None, *SPLITS) or by not in ("benchmark", "melody"):
        raise ValueError(
            f"split={split!r}, by={by!r}: split is one of {SPLITS} or None, by is 'benchmark' or 'melody'"
        )
    chorales = unpack(music, Chorale, ("bwv", "split", "melody", "split_melody"), n_voices=4)
    key = "split" if by == "benchmark" else "split_melody"
    wanted = SPLITS if split is None else (split,)
    return [c for c in chorales if c.split != "excluded" and getattr(c, key) in wanted]


def pack(pieces: list[Piece], extra: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Lay pieces end to end in plain arrays, as :func:`unpack` reads them.

    Lesson: 01

    Args:
      pieces: at least one, all of one type.
      extra: names of that type's own text attributes.

    Returns:
      Arrays by name: those of every step concatenated, those of every piece stacked, and "steps"
      (n,).

    Raises:
      ValueError: if there is no piece.
    """
    if not pieces:
        raise ValueError("there is no piece to store")
    arrays = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in PER_STEP}
    arrays |= {name: np.array([getattr(p, name) for p in pieces]) for name in (*_PER_PIECE, *extra)}
    return arrays | {"steps": np.array([p.steps for p in pieces], np.int32)}


def unpack(file: str, kind: type, extra: tuple[str, ...], n_voices: int) -> list:
    """Read what :func:`pack` laid out.

    Lesson: 01

    Args:
      file: a name in ``data/``.
      kind: :class:`Piece` or a subclass.
      extra: names of its own text attributes.
      n_voices: how many voices each piece must have.

    Returns:
      The pieces, in the file's order.

    Raises:
      DataError: if the file is missing, damaged or holds something else.
    """
    arrays = load_arrays(file)
    names = (*_PER_PIECE, *extra)
    missing = {*PER_STEP, *names, "steps"} - arrays.keys()
    if missing:
        raise DataError(f"{file} holds no such music: it lacks {', '.join(sorted(missing))}")
    stops = np.cumsum(arrays["steps"])
    shapes = {name: arrays[name].shape for name in PER_STEP}
    wide, long = (int(stops[-1]), n_voices), (int(stops[-1]),)
    if any(shape != (wide if name in _PER_VOICE else long) for name, shape in shapes.items()):
        raise DataError(
            f"{file} holds no such music: its arrays are {shapes}, voices should be {wide}"
        )
    for name in PER_STEP:
        arrays[name].flags.writeable = False
    columns = [arrays[name].tolist() for name in names]
    pieces = []
    for start, stop, values in zip(stops - arrays["steps"], stops, zip(*columns)):
        # Past Piece's checks, which would take twenty times as long: they were passed when the
        # file was built, and its checksum says that it is that file.
        piece = object.__new__(kind)
        piece.__dict__.update({name: arrays[name][start:stop] for name in PER_STEP})
        piece.__dict__.update(zip(names, values))
        pieces.append(piece)
    return pieces
