"""Constraints while sampling: parallel fifths, octaves and unisons excluded by a mask."""

from __future__ import annotations

from keras import ops

__all__ = ["parallel_moves"]


def parallel_moves(before, now, own, keys: int):
    """Mask of the next pitches of a voice that would make parallels with given voices.

    Parallels as :func:`musiclab.metrics.parallel_perfects` counts them: both voices move in the
    same direction, and their interval modulo the octave is a fifth both times or an octave both
    times. A voice that holds or rests makes none.

    Args:
      before, now: int (n, G), what each given voice sounds now and on the next step: 0 = rest, else
        pitches numbered by semitones from 1.
      own: int (n,), what the voice itself sounds now, in that numbering.
      keys: how many numbers there are, 0 included.

    Returns:
      bool tensor (n, keys), True where the rule forbids it; never for 0 or for ``own``.

    >>> ops.where(parallel_moves([[8]], [[10]], [1], keys=6))[1].numpy().tolist()
    [3]
    """
    before, now, own = (ops.cast(part, "int32") for part in (before, now, own))
    a, b = before[:, :, None], now[:, :, None]  # (n, G, 1)
    mine, k = own[:, None, None], ops.arange(keys)[None, None]  # (n, 1, 1), (1, 1, keys)
    was, would = ops.mod(ops.abs(a - mine), 12), ops.mod(ops.abs(b - k), 12)
    perfect = (was == would) & ((was == 0) | (was == 7))
    together = (b - a) * (k - mine) > 0
    return ops.any(perfect & together & (a > 0) & (b > 0) & (mine > 0) & (k > 0), axis=1)
