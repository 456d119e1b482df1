"""The little that all models share in training: seeds, progress, histories, saving and loading.

Lessons: 03 onwards.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.files import storage
from musiclab.data.files.storage import DataError

__all__ = [
    "GraphCache",
    "Progress",
    "WarmUpCosineDecay",
    "in_batches",
    "load_model",
    "save_model",
    "set_seed",
    "train",
]


def set_seed(seed: int) -> None:
    """Seed Python's, NumPy's and TensorFlow's global generators, which Keras' layers and shuffles draw from.

    The same machine then trains to the same weights; another one to nearly the same, because sums
    are taken in another order. TensorFlow's stricter switch is left alone: it rules out XLA, with
    which lesson 04 takes about a third less time.

    Lesson: all.

    Args:
      seed: 0 to 2**32 - 1.

    Raises:
      ValueError: if seed is not such an integer.

    >>> set_seed(1)
    >>> a = keras.random.normal((2,)).numpy()
    >>> set_seed(1)
    >>> bool((a == keras.random.normal((2,)).numpy()).all())
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed!r}: must be an integer from 0 to 2**32 - 1")
    keras.utils.set_random_seed(int(seed))


def train(model: keras.Model, x, y=None, held_out=None, title: str = "training", **fit) -> dict:
    """``model.fit`` with one clean progress line, and the history as plain numbers.

    Lesson: 04 onwards.

    Args:
      model: compiled.
      x, y: as for ``fit``.
      held_out: samples (or an (x, y) pair) to measure the loss on after each pass; never trained
        on.
      title: what the progress line calls it.
      **fit: further arguments of ``fit``, such as ``epochs`` and ``batch_size``.

    Returns:
      Lists of floats, one per pass over the data, under Keras' names: "loss", and "val_loss" where
      ``held_out`` was given; and "seconds", the wall time of the whole.

    Raises:
      ValueError: if the model is not compiled, or has learnt nothing but NaN.
    """
    if not model.compiled:
        raise ValueError(
            "the model has no loss yet: call model.compile(optimizer=..., loss=...) first"
        )
    callbacks = [*fit.pop("callbacks", []), Progress(title)]
    start = time.perf_counter()
    fitted = model.fit(x, y, validation_data=held_out, verbose=0, callbacks=callbacks, **fit)
    history = {name: [float(v) for v in values] for name, values in fitted.history.items()}
    if not np.isfinite(history["loss"][-1]):
        raise ValueError(
            f"the loss became {history['loss'][-1]} in {title}: lower the learning rate"
        )
    history["seconds"] = time.perf_counter() - start
    return history


class Progress(keras.callbacks.Callback):
    """One line that grows while a model trains and stays behind as one line of result.

    In a notebook the line is updated in place; in a terminal likewise; in a pipe only the last
    line is written. Training that ends within ``after`` seconds leaves no output at all.

    Lesson: 04 onwards.

    Args:
      title: what is being trained.
      after: seconds before anything is shown.
    """

    def __init__(self, title: str = "training", after: float = 2.0):
        super().__init__()
        self.title, self.after = title, after

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self.start = self.shown = time.perf_counter()
        self.line, self.epoch = None, 0
        self.epochs, self.steps = self.params.get("epochs") or 1, self.params.get("steps") or 1

    def on_epoch_begin(self, epoch, logs=None):
        """Note the pass."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Update the line, at most five times a second."""
        now = time.perf_counter()
        if now - self.start >= self.after and now - self.shown >= 0.2:
            self.shown = now
            done = min(1.0, (self.epoch + (batch + 1) / self.steps) / self.epochs)
            bar = ("#" * round(20 * done)).ljust(20, ".")  # ASCII: some terminals have nothing else
            self._show(
                f"{self.title} [{bar}] {done:4.0%}, {now - self.start:.0f} s{_numbers(logs)}"
            )

    def on_epoch_end(self, epoch, logs=None):
        """Keep the pass's results for the last line."""
        self.results, self.epoch = logs, epoch + 1

    def on_train_end(self, logs=None):
        """Leave one line, if any was shown."""
        if self.line is not None:
            seconds = time.perf_counter() - self.start
            passes = f"{self.epoch} pass{'es' * (self.epoch != 1)}"
            self._show(f"{self.title}: {passes} in {seconds:.0f} s{_numbers(self.results)}")
            self.line.close()

    def _show(self, text):
        self.line = self.line or (_NotebookLine() if _in_notebook() else _TerminalLine())
        self.line.show(text)


class WarmUpCosineDecay(keras.callbacks.Callback):
    """Learning rate with a linear warm-up, then a cosine decay to a fiftieth of its peak.

    Args:
      warm_up: share of all steps spent rising.
    """

    def __init__(self, warm_up=0.03):
        super().__init__()
        self.warm_up = warm_up

    def on_train_begin(self, logs=None):
        """Note the highest rate, which the optimizer was given."""
        self.highest, self.epoch = float(self.model.optimizer.learning_rate), 0

    def on_epoch_begin(self, epoch, logs=None):
        """Note the pass."""
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """Set the rate of this step, or of the steps that Keras executes together."""
        steps = self.params["epochs"] * self.params["steps"]
        step = self.epoch * self.params["steps"] + batch
        rising = min(1, (step + 1) / (self.warm_up * steps))
        rate = rising * (0.51 + 0.49 * np.cos(np.pi * step / steps))
        self.model.optimizer.learning_rate.assign(self.highest * rate)

    def on_train_end(self, logs=None):
        """Put the highest rate back, for the next training."""
        self.model.optimizer.learning_rate.assign(self.highest)


class GraphCache:
    """Mixin: a model's methods as TensorFlow graphs, each traced on first use and then kept."""

    def graph(self, method: Callable, **options) -> Callable:
        """The method as a ``tf.function``, made once for each method and model.

        Args:
          method: a bound method of this model; retraced for new input shapes as TensorFlow does.
          **options: as ``tf.function``; those of the first call count.

        Returns:
          The compiled function.
        """
        # past Keras' tracking of attributes, so that it is neither saved nor copied
        kept = self.__dict__.setdefault("_graphs", {})
        if method.__name__ not in kept:
            kept[method.__name__] = tf.function(method, **options)
        return kept[method.__name__]


def in_batches(function: Callable, *arrays: np.ndarray, size: int = 512):
    """Apply a function of tensors to arrays batch by batch, so that memory does not grow with N.

    Args:
      function: from as many tensors as there are arrays, each (B, ...), to one tensor (B, ...) or
        a tuple of tensors.
      arrays: (N, ...) each, N at least 1.
      size: B, rows of a batch.

    Returns:
      An array (N, ...), or a tuple of arrays where the function returns a tuple.

    >>> in_batches(lambda x: (x + 1, -x), np.arange(3), size=2)
    (array([1, 2, 3]), array([ 0, -1, -2]))
    """
    parts = [function(*(a[i : i + size] for a in arrays)) for i in range(0, len(arrays[0]), size)]
    return keras.tree.map_structure(
        lambda *columns: np.concatenate([np.asarray(c) for c in columns]), *parts
    )


def save_model(model: keras.Model, file: Path) -> None:
    """Write a model as ``.keras``, whole or not at all.

    Lesson: 05 onwards.

    Args:
      model: built.
      file: a path that ends in ``.keras``.

    Raises:
      ValueError: if the name ends otherwise.
    """
    file = Path(file)
    if file.suffix != ".keras":
        raise ValueError(f"{file.name}: a model's file name must end in .keras")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / file.name)
        storage.write_whole(file, (Path(folder) / file.name).read_bytes())


def load_model(file: str | Path, like: keras.Model) -> keras.Model:
    """Read a model from ``.keras`` without running code from the file (Keras' safe mode).

    Lesson: 05 onwards.

    Args:
      file: a name inside ``data/`` (its checksum is verified), or a ``Path`` of the reader's own.
      like: a model of the architecture expected; it is not changed.

    Returns:
      The stored model.

    Raises:
      DataError: if the file is missing, damaged, unsafe, or holds another architecture; says which
        and how they differ.
    """
    file, _ = storage.read_verified(file)
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON, HDF5 and Keras each raise their own kinds
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(
            f"{file.name} is damaged or no saved model of this course: {reason}"
        ) from None
    if difference := _difference(model, like):
        raise DataError(f"{file.name} holds another architecture: {difference}")
    if not all(np.isfinite(w).all() for w in model.get_weights()):
        raise DataError(
            f"{file.name} holds weights that are not finite numbers: train and save it again"
        )
    return model


def _difference(model, like):
    """What tells two models apart, in words; empty if nothing does."""
    if type(model) is not type(like):
        return f"a {type(model).__name__} is stored, a {type(like).__name__} was expected"
    stored, wanted = model.get_config(), like.get_config()
    for key in sorted(stored.keys() | wanted.keys()):
        if key not in ("name", "trainable", "dtype", "layers") and stored.get(key) != wanted.get(
            key
        ):
            return f"{key} is {stored.get(key)!r} there, {wanted.get(key)!r} here"
    shapes = [[tuple(w.shape) for w in m.weights] for m in (model, like)]
    return (
        ""
        if shapes[0] == shapes[1]
        else f"weights of shapes {shapes[0]} are stored, {shapes[1]} were expected"
    )


def _numbers(logs):
    names = {"loss": "loss", "val_loss": "held-out"}
    return "".join(f", {names[k]} {v:.4g}" for k, v in (logs or {}).items() if k in names)


def _in_notebook():
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None


class _NotebookLine:
    """One output that is replaced by the next; plain text, so that it reads well everywhere."""

    handle = None

    def show(self, text):
        from IPython.display import display

        if self.handle is None:
            self.handle = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self.handle.update({"text/plain": text}, raw=True)

    def close(self):
        pass


class _TerminalLine:
    """The same line over and over where there is a terminal, else only the last."""

    text = ""

    def show(self, text):
        if sys.stdout.isatty():
            sys.stdout.write("\r" + text.ljust(len(self.text)))
            sys.stdout.flush()
        self.text = text

    def close(self):
        sys.stdout.write("\n" if sys.stdout.isatty() else self.text + "\n")
        sys.stdout.flush()
