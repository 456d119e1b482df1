"""Fiddle tunes from Ryan's Mammoth Collection (Boston, 1883), each with its dance.

Lessons: 01, 02.
"""

from __future__ import annotations

from dataclasses import dataclass

from musiclab.data.corpora.chorales import unpack
from musiclab.data.piece import Piece

__all__ = ["Tune", "load_tunes"]


@dataclass(frozen=True, eq=False, repr=False)
class Tune(Piece):
    """A melody with one voice.

    Lesson: 01

    Attributes:
      dance: "reel", "jig", "hornpipe", "strathspey", ... in lower case; "" where the book names
        none.
      rounded: the largest distance, in quarter notes, by which a note was moved to reach the grid
        of
        16ths: 0 for most tunes, 1/12 where there are triplets.
    """

    dance: str = ""
    rounded: float = 0.0


def load_tunes() -> list[Tune]:
    """The tunes, in the order of their names.

    Raises:
      DataError: if the file is missing or damaged.

    >>> {tune.voices.shape[1] for tune in load_tunes()}
    {1}
    """
    return unpack("tunes.npz", Tune, ("dance", "rounded"), n_voices=1)
