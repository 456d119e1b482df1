"""What training a Boltzmann machine needs beside its formulas: batches in bunches, and averages of weights.

Lessons: 12, 13, 14.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

__all__ = ["Average", "Bunches"]

TOGETHER = (
    50  # updates in one call of a graph, which would else spend much of its time on being called
)


class Average:
    """Moving averages of weights: what is measured in training, and what remains after it.

    Lesson: 12

    Args:
      variables: TensorFlow's. keep: share of the average that an update leaves.
    """

    def __init__(self, variables, keep):
        self.variables, self.keep = list(variables), keep
        self.others = [
            tf.Variable(variable) for variable in self.variables
        ]  # averages, or weights while swapped

    def update(self, count):
        """Take in the weights as they are after ``count`` more updates, a float tensor."""
        for variable, average in zip(self.variables, self.others):
            average.assign_add((1 - self.keep**count) * (variable - average))

    def swap(self):
        """Weights and averages change places."""
        for variable, average in zip(self.variables, self.others):
            value = tf.identity(variable)
            variable.assign(average)
            average.assign(value)


class Bunches:
    """Whole batches, shuffled, up to 50 at a time, each with a random seed of its own: ((m, n, V), int32 (m, 2)).

    Lesson: 12

    Args:
      x: rows (N, V). size: n; where it exceeds N, n is N.
      seed: for shuffles and the seeds.

    Raises:
      ValueError: if size is below 1.
    """

    def __init__(self, x, size, seed):
        if size < 1:
            raise ValueError(f"batches of {size} rows: must be at least 1")
        self.x, self.size, self.rng = x, min(size, len(x)), np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        """Bunches in a pass."""
        return -(-len(self.batches) // TOGETHER)

    def __getitem__(self, i):
        """Bunch i."""
        part = slice(i * TOGETHER, (i + 1) * TOGETHER)
        return self.x[self.batches[part]], self.seeds[part]

    def on_epoch_end(self):
        """Shuffle for the next pass."""
        whole = len(self.x) // self.size
        self.batches = self.rng.permutation(len(self.x))[: whole * self.size].reshape(
            whole, self.size
        )
        self.seeds = self.rng.integers(2**31, size=(whole, 2), dtype=np.int32)
