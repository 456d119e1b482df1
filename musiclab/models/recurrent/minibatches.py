"""Sequences of different lengths laid side by side, and dealt out in batches.

Lessons: 06, 07, 08.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

__all__ = ["Batches", "cut", "pad"]

LONGEST = 256  # steps trained on at once; longer pieces are cut, which bounds memory


def pad(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences of different lengths as one array, -1 past the end of each.

    Lesson: 06

    Args:
      sequences: arrays (T, ...), alike but for T, of numbers that are never negative.

    Returns:
      (n, longest T, ...), of the first one's dtype.

    Raises:
      ValueError: if there is none, or they differ in more than length.

    >>> pad([np.array([5, 6, 7]), np.array([8])])
    array([[ 5,  6,  7],
           [ 8, -1, -1]])
    """
    shapes = {np.shape(one)[1:] for one in sequences}
    if len(shapes) != 1:
        raise ValueError(
            f"sequences of {len(shapes)} kinds of shape: need one kind, and at least one sequence"
        )
    padded = np.full(
        (len(sequences), max(map(len, sequences)), *shapes.pop()), -1, sequences[0].dtype
    )
    for row, one in zip(padded, sequences):
        row[: len(one)] = one
    return padded


def cut(sequences: Sequence[np.ndarray], longest: int = LONGEST) -> list[np.ndarray]:
    """Cut what is too long to train on at once into equal parts.

    Lesson: 07

    Args:
      sequences: arrays (T, ...).
      longest: steps in a part.

    Returns:
      Parts in order; each is treated as a piece of its own.

    Raises:
      ValueError: if longest is below 1.

    >>> [len(part) for part in cut([np.zeros(5), np.zeros(2)], longest=3)]
    [3, 2, 2]
    """
    if longest < 1:
        raise ValueError(f"parts of {longest} steps: must be at least 1")
    return [part for one in sequences for part in np.array_split(one, -(-len(one) // longest))]


class Batches(keras.utils.PyDataset):
    """Whole pieces in batches, short ones with short ones, so that little is spent on padding.

    Pieces are parted into two groups by length, where that saves most. Each pass shuffles anew.

    Lesson: 07

    Args:
      sequences: arrays (T, ...), as :func:`pad`.
      size: pieces in a batch of short ones; of long ones fewer, for about as many frames.
      seed: for the shuffling; None keeps the order by length and never shuffles.

    Raises:
      ValueError: if there is no sequence or size is below 1.
    """

    def __init__(self, sequences, size=16, seed=None, **kwargs):
        super().__init__(**kwargs)
        if len(sequences) == 0 or size < 1:
            raise ValueError(
                f"{len(sequences)} pieces in batches of {size}: both must be at least 1"
            )
        self.sequences, self.size = list(sequences), size
        self.rng = None if seed is None else np.random.default_rng(seed)
        lengths = np.array([len(one) for one in self.sequences])
        edges = np.unique(lengths)
        padded = [
            (lengths <= edge).sum() * edge + (lengths > edge).sum() * edges[-1] for edge in edges
        ]
        self.edge = int(edges[np.argmin(padded)])
        order = np.argsort(lengths, kind="stable")
        short = int((lengths <= self.edge).sum())
        few = max(1, round(size * self.edge / edges[-1]))
        self.groups = [
            (group, n) for group, n in ((order[:short], size), (order[short:], few)) if len(group)
        ]
        self.on_epoch_end()

    def __len__(self):
        """Batches in a pass."""
        return len(self.batches)

    def __getitem__(self, i):
        """Batch i: the padded sequences, alone in a tuple as Keras wants them."""
        return (pad([self.sequences[k] for k in self.batches[i]]),)

    def on_epoch_end(self):
        """Shuffle for the next pass."""
        groups = [(g if self.rng is None else self.rng.permutation(g), n) for g, n in self.groups]
        self.batches = [g[i : i + n] for g, n in groups for i in range(0, len(g), n)]
        if self.rng is not None:
            self.rng.shuffle(self.batches)
        # Keras takes for fixed what the first two batches have in common: they must not be of one length by chance
        longest = [max(len(self.sequences[k]) for k in batch) for batch in self.batches]
        other = next((i for i, length in enumerate(longest) if length != longest[0]), 0)
        if other > 1:
            self.batches[1], self.batches[other] = self.batches[other], self.batches[1]
