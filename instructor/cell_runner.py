"""Cell runner: executes cells in this process, in a namespace whose state can be saved and restored."""

from __future__ import annotations

import _thread
import ast
import contextlib
import copy
import dataclasses
import io
import linecache
import os
import random
import signal
import sys
import tempfile
import threading
import types
import warnings

import numpy as np


class TooLong(BaseException):
    """A cell ran into its time limit. No Exception, so that a cell's `except Exception` does not swallow it."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes:
        error: what it raised, None if it ran to its end.
        line: the line of the cell, from 1, on which the error came up; 0 without an error or
          outside the cell.
        value: what its last line gives if that is an expression: what a notebook shows below the
          cell.
        stderr: what was written there, also by code in C; nbgrader gives such a test cell no
          points.
    """

    error: BaseException | None
    line: int
    value: object
    stderr: str


class Namespace:
    """What the cells of one notebook share, as the module `__main__`.

    >>> space = Namespace()
    >>> space.run("x = [1, 2]", "a").error is None
    True
    >>> before = space.keep()
    >>> space.run("x.append(3)", "b").error is None
    True
    >>> space.restore(before)
    >>> space.run("x", "c").value
    [1, 2]
    """

    def __init__(self):
        from IPython.display import display

        self.module = types.ModuleType("__main__")
        self.names = vars(self.module)
        self.names["display"] = display  # as in a kernel

    def run(self, source, name, seconds=20.0):
        """Run one cell; no error of it comes through.

        Args:
            source: Python, without magic.
            name: what the cell is called in tracebacks.
            seconds: time limit, in s of the clock. A call into C is not stopped before it returns.

        Returns:
            Outcome.
        """
        file = f"<{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        kept = sys.modules["__main__"]
        sys.modules["__main__"] = self.module  # dataclasses and pickles look their module up
        error = value = None
        with _captured() as said:
            try:
                # catch_warnings forgets which warnings have been shown: a fresh kernel would show
                # them
                with warnings.catch_warnings(), _limited(seconds):
                    warnings.showwarning = _warn  # whatever collects warnings around us
                    value = _execute(ast.parse(source, file), file, self.names)
            except BaseException as raised:
                error = raised
            finally:
                sys.modules["__main__"] = kept
        return Outcome(error, _line(error, file), value, said())

    def keep(self):
        """A copy of everything that cells can change; see `restore`."""
        copies = _Copies()
        return types.SimpleNamespace(
            names=copies.of(self.names),
            weights=[(model, *_numbers(model)) for model in copies.models.values()],
            modules={module: dict(vars(module)) for module in self._modules()},
            chance=(random.getstate(), np.random.get_state()),  # noqa: NPY002  (an answer may use it all the same)
        )

    def restore(self, kept):
        """Put back what `keep` returned, which stays good for another time.

        Arrays, lists, dicts, sets, and objects of the cells' and the course's own classes come back
        as copies; Keras models get back their weights; names in modules that were bound anew are
        bound as before. Other objects are shared.
        """
        names = _Copies().of(kept.names)
        self.names.clear()  # the same dict: functions look their globals up in it
        self.names.update(names)
        for model, weights, state in kept.weights:
            _set_numbers(model, weights, state)
        for module, bound in kept.modules.items():
            now = vars(module)
            now.update(
                {name: value for name, value in bound.items() if now.get(name, now) is not value}
            )
        random.setstate(kept.chance[0])
        np.random.set_state(kept.chance[1])  # noqa: NPY002
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")  # more than 20 open figures make it warn

    def _modules(self):
        named = {value for value in self.names.values() if isinstance(value, types.ModuleType)}
        named |= {
            module for name, module in sys.modules.items() if name.split(".")[0] == "musiclab"
        }
        return named | {np, np.random, np.linalg}


class _Copies:
    """One round of copying, in which an object that stands in two places stays one object."""

    def __init__(self):
        self.done = {}
        self.models = {}

    def of(self, value):
        """A copy of `value` if it is of a kind that cells change in place, else `value` itself."""
        if id(value) not in self.done:
            new = self._start(value)
            self.done[id(value)] = (
                new,
                value,
            )  # holding the original keeps its id from being used again
            if new is not value:
                self._fill(new, value)
        return self.done[id(value)][0]

    def _start(self, value):
        if hasattr(value, "get_weights") and not isinstance(value, type):
            self.models[id(value)] = value
        elif isinstance(value, np.ndarray) and value.flags.writeable:
            return copy.deepcopy(value)
        elif isinstance(value, tuple):
            parts = [self.of(part) for part in value]
            if all(part is old for part, old in zip(parts, value)):
                return value
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        elif isinstance(value, (np.random.Generator, random.Random)):
            return copy.deepcopy(value)
        elif isinstance(value, (list, dict, set, bytearray)) or _own(value):
            return copy.copy(value)
        return value

    def _fill(self, new, value):
        if isinstance(value, list):
            new[:] = [self.of(part) for part in value]
        elif isinstance(value, dict):
            new.update(
                {key: self.of(part) for key, part in value.items() if key != "__warningregistry__"}
            )
        elif _own(value):
            vars(new).update({name: self.of(part) for name, part in vars(value).items()})


def _own(value):
    """Whether this is an object of a class that the cells or the course have made."""
    home = getattr(type(value), "__module__", None) or ""
    return home.split(".")[0] in ("__main__", "musiclab") and hasattr(value, "__dict__")


def _numbers(model):
    """A Keras model's weights and the state of its optimizer, as arrays."""
    optimizer = getattr(model, "optimizer", None)
    return model.get_weights(), [
        np.array(variable) for variable in getattr(optimizer, "variables", [])
    ]


def _set_numbers(model, weights, state):
    if len(weights) == len(model.get_weights()):
        model.set_weights(weights)
    for variable, number in zip(getattr(getattr(model, "optimizer", None), "variables", []), state):
        variable.assign(number)


def _execute(parsed, file, names):
    """Run as a notebook does: the value of a last line that is an expression is returned."""
    last = parsed.body[-1] if parsed.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(parsed, file, "exec"), names)
        return None
    exec(compile(ast.Module(parsed.body[:-1], []), file, "exec"), names)
    return eval(compile(ast.Expression(last.value), file, "eval"), names)


def _warn(*what):
    sys.stderr.write(warnings.formatwarning(*what[:4]))


def _line(error, file):
    """The cell's own line that was being run, not one in a function that the cell defines."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    place = getattr(error, "__traceback__", None)
    while place is not None and place.tb_frame.f_code.co_filename != file:
        place = place.tb_next
    return place.tb_lineno if place is not None else 0


@contextlib.contextmanager
def _limited(seconds):
    """Raise TooLong in the main thread after some seconds, on any system."""

    def late(*_):
        raise TooLong(f"was stopped after {seconds:g} s")

    before = signal.signal(signal.SIGINT, late)
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    try:
        yield
        timer.cancel()
        timer.join()
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _captured():
    """Swallow what goes to stdout and stderr, from Python or from C; yields a function that returns stderr's text."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = sys.stdout, sys.stderr
        for stream in before:
            stream.flush()
        copies = [os.dup(1), os.dup(2)]
        words = []
        try:
            for number, file in ((1, out), (2, err)):
                os.dup2(file.fileno(), number)
            sys.stdout, sys.stderr = _writer(1), _writer(2)
            yield lambda: "".join(words)
        finally:
            for stream in before:
                stream.flush()  # what still waits there was written during the cell
            sys.stdout, sys.stderr = before
            for number, old in zip((1, 2), copies):
                os.dup2(old, number)
                os.close(old)
            err.seek(0)
            words.append(err.read().decode("utf-8", errors="replace"))


def _writer(number):
    # unbuffered and never closed: a logger that a cell has set up may hold on to it
    raw = os.fdopen(number, "wb", 0, closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True)
