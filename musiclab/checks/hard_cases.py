"""Hard cases of the arguments that exercises take, by kind: what a wrong answer most often does not survive.

Each function yields (description, value) pairs and notes its kind in :data:`tried`, from which
``python -m instructor.answers`` reports which kinds the tests of an exercise try.

Lesson: all exercise notebooks.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from musiclab.checks import NotYet, call

__all__ = [
    "as_given",
    "fresh",
    "hash_orders",
    "lengths",
    "log_probs",
    "logits",
    "probs",
    "rolls",
    "seeds",
    "tokens",
    "tried",
]

tried: Counter[str] = Counter()
"""How many cases of each kind have been asked for since it was last cleared."""


def _kind(function):
    @functools.wraps(function)
    def noted(*words, **keywords):
        for case in function(*words, **keywords):
            tried[function.__name__] += 1
            yield case

    return noted


@_kind
def logits(rng: np.random.Generator, rows: int, k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Logits (rows, k) that overflow, or that only a maximum taken row by row keeps apart.

    >>> [name for name, _ in logits(np.random.default_rng(0), 2, 3)][:2]
    ['logits around 0', 'logits in the thousands']
    """
    z = rng.normal(size=(rows, k))
    far_apart = 2000.0 * np.arange(rows)[:, None] - 1000.0
    yield "logits around 0", z
    yield "logits in the thousands", z + 5000.0
    yield "logits below minus a thousand", z - 3000.0
    yield "rows of logits far from one another", z + far_apart
    yield "a logit a thousand below the others", np.where(np.arange(k) == k - 1, -1000.0, z)
    yield "a logit three thousand above the others", np.where(np.arange(k) == 0, 3000.0, z)
    yield "equal logits", np.full((rows, k), 7.0)


@_kind
def probs(rng: np.random.Generator, rows: int, k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Probabilities (rows, k), each row with sum 1: even, uneven, with zeros, and sure."""
    p = rng.dirichlet(np.ones(k), rows)
    yield "probabilities", p
    yield "equal probabilities", np.full((rows, k), 1.0 / k)
    few = np.where(np.arange(k) < max(k // 2, 1), p, 0.0)
    yield "probabilities with zeros", few / few.sum(axis=1, keepdims=True)
    yield "one sure symbol", np.eye(k)[rng.integers(0, k, rows)]
    tiny = np.where(np.arange(k) == 0, 1.0, 1e-12)
    yield "probabilities of 1e-12", np.tile(tiny / tiny.sum(), (rows, 1))


@_kind
def log_probs(rng: np.random.Generator, n: int) -> Iterator[tuple[str, np.ndarray]]:
    """Log-probabilities (n,) in nats: usual ones, beyond what exp holds, and impossible ones."""
    usual = np.log(rng.uniform(0.05, 1.0, n))
    yield "log-probabilities", usual
    yield "log-probabilities below minus a thousand", usual - 1200.0
    yield "log-probabilities far from one another", usual - 900.0 * np.arange(n)
    yield "an impossible one among them", np.where(np.arange(n) == n - 1, -np.inf, usual)


@_kind
def tokens(rng: np.random.Generator, n: int, k: int) -> Iterator[tuple[str, np.ndarray]]:
    """Tokens (n,), 0 to k - 1: any, all alike, the last symbol, and as unsigned bytes."""
    yield "tokens", rng.integers(0, k, n)
    yield "tokens all alike", np.zeros(n, int)
    yield "the last token of the vocabulary", np.full(n, k - 1)
    yield "tokens as unsigned bytes", rng.integers(0, min(k, 256), n).astype(np.uint8)


@_kind
def rolls(rng: np.random.Generator, steps: int, keys: int) -> Iterator[tuple[str, np.ndarray]]:
    """Piano rolls (steps, keys) of 0 and 1: sparse, full, silent, and of other dtypes."""
    roll = (rng.random((steps, keys)) < 0.3).astype(np.uint8)
    yield "a roll of unsigned bytes", roll
    yield "a roll of truth values", roll.astype(bool)
    yield "a roll of floats", roll.astype(np.float32)
    yield "a silent roll", np.zeros((steps, keys), np.uint8)
    yield "a roll with every key", np.ones((steps, keys), np.uint8)


@_kind
def lengths(longest: int) -> Iterator[tuple[str, int]]:
    """Lengths: one, two, an odd one, and more than a visible example has."""
    for n in (1, 2, 7, longest):
        yield f"length {n}", n


@_kind
def seeds() -> Iterator[tuple[str, int]]:
    """Seeds of a random number generator, 0 and a large one among them."""
    for seed in (0, 1, 2**31 - 1):
        yield f"seed {seed}", seed


@_kind
def as_given(*arrays: np.ndarray) -> Iterator[tuple[str, tuple[np.ndarray, ...]]]:
    """The same numbers as other arrays: float32, read-only, in Fortran's order, as a view."""

    def floats(dtype):
        return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays)

    yield "float32", floats(np.float32)
    frozen = tuple(a.copy() for a in arrays)
    for one in frozen:
        one.flags.writeable = False
    yield "read-only arrays", frozen
    yield "arrays in Fortran's order", tuple(np.asfortranarray(a) for a in arrays)
    wide = [np.repeat(np.atleast_1d(a), 2, axis=-1)[..., ::2] for a in arrays]
    yield "views of larger arrays", tuple(w.reshape(a.shape) for w, a in zip(wide, arrays))


class _Name(str):
    """A text whose place in a set depends on a salt, as that of a `str` does on PYTHONHASHSEED."""

    salt = 0

    def __hash__(self):
        return hash((str(self), self.salt))

    def __deepcopy__(self, memo):
        return self


@_kind
def hash_orders(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The same names, in the same order, as PYTHONHASHSEED would place them in sets: three times otherwise.

    >>> orders = [list(set(names)) for _, names in hash_orders([*"abcdefgh"])]
    >>> orders[0] != orders[1] or orders[1] != orders[2]
    True
    """
    for salt in range(3):
        kind = type("_Name", (_Name,), {"salt": salt})
        yield f"names under another PYTHONHASHSEED ({salt})", [kind(name) for name in names]


def fresh(function: Callable, *arguments, see: str | None = None):
    """Call an answer and demand that the arrays it returns are not those that it was given.

    Args:
      function: the student's function.
      arguments: handed on as they are, not as copies.
      see: where to read again.

    Returns:
      What the function returns.

    Raises:
      NotYet: if an array in the result shares memory with one in the arguments.
    """
    tried["fresh"] += 1
    kept = []

    def keep(*given):
        kept[:] = [*_arrays(given)]
        return function(*given)

    keep.__name__ = getattr(function, "__name__", "the function")
    result = call(keep, *arguments, see=see)
    for found in _arrays(result):
        if any(np.shares_memory(found, one) for one in kept):
            raise NotYet(
                f"{keep.__name__} hands back an array that it was given, not a new one: whoever changes "
                "the result later changes the argument too. Compute a new array."
                + (f"\nRead again: {see}." if see else "")
            )
    return result


def _arrays(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _arrays(part)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))
