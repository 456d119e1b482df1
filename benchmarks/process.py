"""Processes that benchmarks measure in: cores, threads, and what a command of a benchmark answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.record import ROOT

__all__ = ["CORES", "answer", "beside_others", "scored", "use_cores", "use_threads"]

CORES = 2  # what the course promises to run on


def use_cores(count: int = CORES) -> None:
    """Run this process and those it starts on so many cores, where the system can bind them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def use_threads(count: int = 1) -> None:
    """Let TensorFlow compute with so many threads; 0: as many as it takes by itself."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def beside_others() -> str:
    """What others take of the machine is not measured, but said: words on its load, none where it is idle."""
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else 0
    if load < 1:
        return ""
    waiting = ", of lower priority" if os.nice(0) < 0 else ""
    return f"beside other programs (load {load:.0f}{waiting})"


def answer(benchmark: str, *arguments) -> dict | float:
    """Run a benchmark's command in a process of its own.

    Args:
      benchmark: its module in this package. arguments: of its command.

    Returns:
      What the last line that it printed says in JSON.

    Raises:
      RuntimeError: if the process failed.
    """
    words = [f"benchmarks.{benchmark}", *map(str, arguments)]
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"status {done.returncode} of python -m {' '.join(words)}")
    return json.loads(done.stdout.splitlines()[-1])


def scored(benchmark: str, *arguments) -> dict:
    """As :func:`answer`, of a command that may write arrays to the file behind ``--scores``: they are under "test"."""
    with tempfile.TemporaryDirectory() as folder:
        scores = Path(folder) / "scores.npz"
        found = answer(benchmark, *arguments, "--scores", scores)
        if scores.exists():
            with np.load(scores) as arrays:
                found["test"] = [arrays[name] for name in arrays]
        return found
