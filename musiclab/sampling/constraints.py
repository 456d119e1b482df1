"""A rule of four-part writing as a mask on what a model may write.

Lessons: 08, 09.
"""

from __future__ import annotations

from keras import ops

__all__ = ["parallel_moves"]


def parallel_moves(before, now, own, keys: int):
    """Which next pitches of a voice would make parallel fifths, octaves or unisons with voices that are given.

    That is what :func:`musiclab.metrics.parallel_perfects` counts: both move the same way, and the interval,
    modulo the octave, is a fifth both times or an octave both times. Who holds or rests never does.

    Lessons: 08, 09

    Args:
      before, now: int (n, G), what each given voice sounds now and on the next step: 0 = rest, else any numbering
        of pitches by semitones from 1.
      own: int (n,), what the voice itself sounds now, in that numbering.
      keys: how many numbers there are, 0 included.

    Returns:
      bool tensor (n, keys), True where the rule forbids it; never for 0 or for ``own``.

    >>> ops.where(parallel_moves([[8]], [[10]], [1], keys=6))[1].numpy().tolist()
    [3]
    """
    before, now, own = (ops.cast(part, "int32") for part in (before, now, own))
    a, b, mine, k = (
        before[:, :, None],
        now[:, :, None],
        own[:, None, None],
        ops.arange(keys)[None, None],
    )
    was, would = ops.mod(ops.abs(a - mine), 12), ops.mod(ops.abs(b - k), 12)
    perfect = (was == would) & ((was == 0) | (was == 7))
    together = (b - a) * (k - mine) > 0
    return ops.any(perfect & together & (a > 0) & (b > 0) & (mine > 0) & (k > 0), axis=1)
