"""How fast the course's own LSTM cell is beside Keras', and a sampling loop in one graph beside the same in Python."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

__all__ = ["rows", "timed"]

SHAPE = {"batch": 32, "steps": 64, "inputs": 88, "units": 256}
TIMES = 15
FRAMES, PIECES = 64, 16


def timed(functions: dict, times: int = TIMES) -> dict:
    """Run functions in turn, so that what else the machine does meets all alike.

    Args:
      functions: by name, without arguments. times: runs of each after two that don't count.

    Returns:
      By name ``cpu_ms`` and ``wall_ms``: medians of one run.
    """
    spent = {name: [] for name in functions}
    for run in range(times + 2):
        for name, function in functions.items():
            cpu, wall = time.process_time(), time.perf_counter()
            function()
            if run >= 2:
                spent[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    medians = {
        name: [1e3 * median(column) for column in zip(*runs)] for name, runs in spent.items()
    }
    return {
        name: {"cpu_ms": round(cpu, 1), "wall_ms": round(wall, 1)}
        for name, (cpu, wall) in medians.items()
    }


def rows() -> list[dict]:
    """Measure both pairs.

    Returns:
      Rows with ``what``, ``cpu_ms``, ``wall_ms`` and ``ratio``: the row's CPU time over that of
      what it is compared with, or 1 for the latter.
    """
    return [
        *_pair(timed(_cells()), "keras.layers.LSTM"),
        *_pair(timed(_loops(), times=5), "loop in Python"),
    ]


def _pair(found, base):
    ordered = sorted(found.items(), key=lambda item: item[0] != base)
    return [
        {"what": name, **spent, "ratio": round(spent["cpu_ms"] / found[base]["cpu_ms"], 3)}
        for name, spent in ordered
    ]


def _cells():
    """Forward and backward pass of one layer over a batch, in a graph."""
    import keras
    import tensorflow as tf

    from musiclab.models.recurrent.recurrent_stack import PeepholeLSTMCell

    rng = np.random.default_rng(0)
    x = tf.constant(
        rng.random((SHAPE["batch"], SHAPE["steps"], SHAPE["inputs"])) < 0.05, tf.float32
    )

    def step(layer):
        layer.build(x.shape)
        weights = [w.value for w in layer.trainable_variables]

        @tf.function
        def run():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(layer(x)))
            return tape.gradient(loss, weights)

        return lambda: tf.nest.map_structure(np.asarray, run())

    cell = keras.layers.RNN(PeepholeLSTMCell(SHAPE["units"]), return_sequences=True)
    return {
        "keras.layers.LSTM": step(keras.layers.LSTM(SHAPE["units"], return_sequences=True)),
        "PeepholeLSTMCell in keras.layers.RNN": step(cell),
    }


def _loops():
    """Sampling with the chord model, the same frames twice: as a graph, and step by step from Python."""
    import tensorflow as tf

    from musiclab.models.recurrent.chord_model import ChordModel

    model = ChordModel("gru", "notes")
    arguments = (
        model.initial_state(PIECES),
        tf.constant(FRAMES),
        tf.constant([0, 0]),
        tf.constant(1.0),
    )
    return {
        "loop in Python": lambda: model.generate(*arguments).numpy(),
        "one graph loop": lambda: model.sample(PIECES, seed=0, steps=FRAMES),
    }
