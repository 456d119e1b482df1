"""Synchronous training on several processes of this machine with TensorFlow's MultiWorkerMirroredStrategy.

Lesson: 19.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import psutil
import tensorflow as tf
from keras import ops

from musiclab.data.files.storage import load_arrays, save_arrays
from musiclab.models.autoencoders import elbo
from musiclab.training import save_model

__all__ = ["Trained", "WorkerError", "train_on_workers", "vae_loss"]

_ROOT = Path(__file__).resolve().parents[1]
_START = """
import sys
unused = ("sklearn", "matplotlib", "IPython")  # Keras imports them where they are installed
sys.modules.update(dict.fromkeys(unused))
import musiclab  # first of all: it keeps TensorFlow quiet
import keras
for name in unused:
    del sys.modules[name]
from musiclab.workers import work
work(sys.argv[1], int(sys.argv[2]))
"""


class WorkerError(RuntimeError):
    """A worker failed or did not answer in time; the message says which, and its last words."""


class Trained(NamedTuple):
    """What :func:`train_on_workers` found.

    Attributes:
      losses: float64, the loss of each step of this call, over the whole batch.
      weights: the model's weights after the last step.
      seconds: per step, the first left out, which compiles the graph.
      memory_mb: memory that each worker process has to itself, at the end of its training;
        TensorFlow's program, some hundred MB more, is shared by all processes of a machine.
    """

    losses: np.ndarray
    weights: list[np.ndarray]
    seconds: float
    memory_mb: list[float]


def vae_loss(model, pairs, epsilon):
    """Negative ELBO of each window (B,), for :func:`train_on_workers` and a :class:`VAE`.

    Args:
      model: the VAE. pairs: pitch and onset (B, T, V, 2). epsilon: noise (B, Z).
    """
    from musiclab.models.autoencoders.vae import PITCHES

    mu, log_sigma = model.infer(pairs)  # (B, Z)
    logits = model.decoder(elbo.reparameterise(mu, log_sigma, epsilon))
    log_p = elbo.log_p_given_z(
        pairs[..., 0], pairs[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
    )
    return model.beta * ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1) - log_p


def train_on_workers(
    model: keras.Model,
    loss: Callable,
    x: np.ndarray,
    workers: int = 2,
    steps: int = 20,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    noise: int = 0,
    seed: int = 0,
    checkpoint: Path | None = None,
    timeout: float = 120,
) -> Trained:
    """Train a copy of a model with Adam on worker processes that average their gradients at each step.

    Every worker holds the whole model and takes its share of each batch. Order and noise depend on
    seed, step and sample, never on the worker, so that any number of workers takes the same steps.
    The processes are started as programs of their own and talk over free ports of this machine:
    it works the same in a notebook, on Linux, macOS and Windows. None outlives this call.

    Equations: (19.1), (19.2)

    Lesson: 19

    Args:
      model: a model of this course; it is not changed.
      loss: (model, x (B, ...), noise (B, noise)) to the loss of each sample (B,); a function of an
        importable module.
      x: samples (N, ...).
      workers: how many processes.
      steps: steps in all, those of a checkpoint included.
      batch_size: of the whole batch, a multiple of ``workers``.
      learning_rate: of Adam.
      noise: normal numbers that the loss needs for each sample.
      seed: for order and noise.
      checkpoint: a ``.npz`` to go on from if it is there, and to write at the end; weights, the
        optimizer's state and the number of steps.
      timeout: seconds for the whole, after which all workers are ended.

    Raises:
      ValueError: if the batch can't be shared evenly, or the loss can't be imported by name.
      WorkerError: if a worker fails, or time is up.
    """
    if workers < 1 or batch_size % workers or not 0 < batch_size <= len(x):
        raise ValueError(
            f"batches of {batch_size} of {len(x)} samples on {workers} workers: need equal shares, "
            "and no batch larger than the data"
        )
    if loss.__module__ == "__main__":
        raise ValueError("the loss must stand in a module, where the workers can import it")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        save_model(model, folder / "model.keras")
        np.save(folder / "x.npy", x, allow_pickle=False)
        job = {
            "model": type(model).__module__,
            "loss": [loss.__module__, loss.__qualname__],
            "workers": workers,
            "steps": steps,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "noise": noise,
            "seed": seed,
            "checkpoint": str(Path(checkpoint).resolve()) if checkpoint else None,
            "ports": _free_ports(workers),
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        _run(folder, workers, timeout)
        found = [load_arrays(folder / f"{rank}.npz") for rank in range(workers)]
    return Trained(
        found[0]["losses"],
        [found[0][f"w{i}"].reshape(w.shape) for i, w in enumerate(model.get_weights())],
        found[0]["seconds"].item(),
        [one["memory_mb"].item() for one in found],
    )


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _run(folder, workers, timeout):
    """Start the workers and wait for them; whatever happens, all have ended on return."""
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    until, running, logs = time.monotonic() + timeout, [], []
    try:
        for rank in range(workers):
            logs.append((folder / f"{rank}.log").open("w", encoding="utf-8"))
            command = [sys.executable, "-c", _START, str(folder), str(rank)]
            # a worker whose input ends knows that the process which started it is gone
            running.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=logs[-1],
                    stderr=logs[-1],
                    env=environment,
                )
            )
        while any(one.poll() is None for one in running):
            failed = [rank for rank, one in enumerate(running) if one.poll() not in (None, 0)]
            if failed or time.monotonic() > until:
                break
            time.sleep(0.05)
    finally:
        late = [rank for rank, one in enumerate(running) if one.poll() is None]
        for one in running:
            one.kill()
            one.wait()
            one.stdin.close()
        for log in logs:
            log.close()
    failed = [rank for rank, one in enumerate(running) if one.returncode and rank not in late]
    if failed or late:
        rank = (failed or late)[0]
        what = "failed" if failed else f"was not done after {timeout:g} s"
        words = (folder / f"{rank}.log").read_text(encoding="utf-8", errors="replace")
        raise WorkerError(f"worker {rank} {what}: {words.strip()[-600:] or 'it said nothing'}")


def work(folder: Path, rank: int) -> None:
    """The whole life of a worker process: its share of every batch of the job in a folder."""
    folder = Path(folder)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    workers, batch_size = job["workers"], job["batch_size"]
    strategy = tf.distribute.get_strategy()
    if workers > 1:
        addresses = [f"127.0.0.1:{port}" for port in job["ports"]]
        task = {"type": "worker", "index": rank}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    if workers > 1:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    importlib.import_module(job["model"])
    module, name = job["loss"]
    losses_of = getattr(importlib.import_module(module), name)
    with strategy.scope():
        model = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
        optimizer = keras.optimizers.Adam(job["learning_rate"])
        optimizer.build(model.trainable_variables)
    state = [*model.weights, *optimizer.variables]
    checkpoint = Path(job["checkpoint"]) if job["checkpoint"] else None
    start = 0
    if checkpoint and checkpoint.exists():
        arrays = load_arrays(checkpoint)
        start = arrays["step"].item()
        for i, variable in enumerate(state):
            variable.assign(arrays[f"s{i}"].reshape(variable.shape))

    def update(x, noise):
        with tf.GradientTape() as tape:
            losses = losses_of(model, x, noise)  # (B / workers,)
            # every worker divides by the size of the whole batch
            share = tf.reduce_sum(losses) / batch_size  # Eq. (19.2)
        gradients = tape.gradient(share, model.trainable_variables)
        # under the strategy apply_gradients first adds up the gradients of all workers
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # Eq. (19.1)
        return share

    @tf.function
    def step_on_all(x, noise):
        return strategy.reduce("sum", strategy.run(update, (x, noise)), axis=None)

    x, losses, clock = np.load(folder / "x.npy", mmap_mode="r"), [], [time.perf_counter()]
    for step in range(start, job["steps"]):
        rows = batch_rows(len(x), batch_size, step, job["seed"])
        rows = rows.reshape(workers, -1)[rank]  # this worker's share
        noise = sample_noise(rows, step, job["noise"], job["seed"])
        losses.append(float(step_on_all(tf.constant(x[rows]), tf.constant(noise))))
        clock.append(time.perf_counter())
    values = [np.asarray(variable) for variable in state]
    if checkpoint and rank == 0:
        save_arrays(
            checkpoint,
            {f"s{i}": v for i, v in enumerate(values)} | {"step": np.array(job["steps"])},
        )
    weights = {f"w{i}": w for i, w in enumerate(values[: len(model.weights)])}
    own = psutil.Process().memory_full_info().uss
    found = {"losses": np.array(losses), "memory_mb": np.array(own / 2**20), **weights}
    found["seconds"] = np.array(np.median(np.diff(clock)[1:]) if len(clock) > 2 else np.nan)
    save_arrays(folder / f"{rank}.npz", found)
    if workers > 1:  # nobody leaves while another is still in its last step
        until = time.monotonic() + 30
        while time.monotonic() < until and not all(
            (folder / f"{i}.npz").exists() for i in range(workers)
        ):
            time.sleep(0.02)
    sys.stdout.flush()
    os._exit(0)  # TensorFlow's own farewell can wait for other workers for minutes


def batch_rows(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Indices (batch_size,) of the samples of a step: shuffled anew for each pass over n samples."""
    per_pass = n // batch_size
    order = np.random.default_rng((seed, step // per_pass)).permutation(n)
    return order[step % per_pass * batch_size :][:batch_size]


def sample_noise(rows: np.ndarray, step: int, size: int, seed: int) -> np.ndarray:
    """Normal noise float32 (B, size) of the samples of a step, each seeded by its own number."""
    draws = [np.random.default_rng((seed, step, int(row))).standard_normal(size) for row in rows]
    return np.array(draws, np.float32).reshape(len(rows), size)


def _end_with_parent():
    while os.read(0, 1):  # a buffered read would hold a lock that the interpreter's end needs
        pass
    os._exit(1)
