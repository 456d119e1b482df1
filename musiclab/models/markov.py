"""Markov chains over notes: the next one depends on the few before it, and all it takes is counting.

Lessons: 02, and as a baseline wherever melodies are generated.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from musiclab.sampling import check_temperature, probabilities

__all__ = ["END", "START", "UNKNOWN", "MarkovChain"]

START, END, UNKNOWN = "<start>", "<end>", "<unknown>"


class MarkovChain:
    """A chain of order n: each symbol is drawn given the n before it.

    Counts of long contexts are few, so each order leans on the next shorter one, as if that had been
    heard ``smoothing`` times more. With c(h) the number of times context h was heard, c(h, x) the
    number of times x came next, h' the context without its oldest symbol, and K symbols in all,

        p(x | h) = (c(h, x) + smoothing * p(x | h')) / (c(h) + smoothing),

    down to 1 / K below the empty context. With ``smoothing`` 0 it is the plain share c(h, x) / c(h)
    of the longest context ever heard: then what never happened is impossible.

    Equation: (2.1)
    Lesson: 02
    Source: MacKay and Peto, "A hierarchical Dirichlet language model", 1995.

    Attributes:
      order: how many symbols back it looks, n >= 0.
      smoothing: strength of the shorter context, in symbols heard, >= 0.
      symbols: after ``fit``: the symbols heard, END, and UNKNOWN, which stands for all others; K of them.

    >>> chain = MarkovChain(order=1, smoothing=1.0).fit([["a", "b"], ["a", "b"]])
    >>> chain.symbols
    ['a', 'b', '<end>', '<unknown>']
    >>> chain.probabilities(["a"]).round(3)
    array([0.107, 0.774, 0.107, 0.012])
    """

    def __init__(self, order: int = 2, smoothing: float = 10.0):
        if not isinstance(order, int | np.integer) or order < 0:
            raise ValueError(
                f"order {order!r}: need a whole number of symbols to look back, 0 or more"
            )
        if not (math.isfinite(smoothing) and smoothing >= 0):
            raise ValueError(f"smoothing {smoothing!r}: need a finite number, 0 or more")
        self.order, self.smoothing = int(order), float(smoothing)
        self.symbols = None

    def fit(self, sequences: Iterable[Sequence[Hashable]]) -> MarkovChain:
        """Count what follows what, replacing earlier counts.

        Lesson: 02

        Args:
          sequences: each a melody as symbols, such as :func:`musiclab.data.melody_to_symbols` gives.

        Returns:
          The chain itself.

        Raises:
          ValueError: if there is no sequence, or a symbol is START, END or UNKNOWN.
        """
        counts = [defaultdict(Counter) for _ in range(self.order + 1)]
        seen = set()
        for sequence in _several(sequences):
            seen.update(sequence)
            for context, symbol in self._pairs(sequence):
                for k in range(self.order + 1):
                    counts[k][context[self.order - k :]][symbol] += 1
        self._counts = [{h: (sum(c.values()), c) for h, c in level.items()} for level in counts]
        self.symbols = [*sorted(seen, key=repr), END, UNKNOWN]
        self._index = {symbol: i for i, symbol in enumerate(self.symbols)}
        return self

    def probabilities(self, before: Sequence[Hashable] = ()) -> np.ndarray:
        """What may come next.

        Lesson: 02

        Args:
          before: the melody so far, from its beginning; empty for the first symbol.

        Returns:
          float64 (K,), in the order of ``symbols``; sums to 1.

        Raises:
          ValueError: before ``fit``.
        """
        self._check_fitted()
        probs = self._estimate(self._context(before), self._dense)
        return np.broadcast_to(probs, len(self.symbols)).copy()

    def log_likelihood(self, sequences: Iterable[Sequence[Hashable]]) -> np.ndarray:
        """Log-probability of each sequence, its end included: the sum over its symbols.

        Equation: (2.2)
        Lesson: 02

        Args:
          sequences: N melodies as symbols; symbols never heard count as UNKNOWN.

        Returns:
          float64 (N,), nats, <= 0; -inf for what the chain thinks impossible.

        Raises:
          ValueError: before ``fit``, or as :meth:`fit`.
        """
        self._check_fitted()
        sums = []
        for sequence in _several(sequences):
            probs = [
                self._probability(symbol, context) for context, symbol in self._pairs(sequence)
            ]
            sums.append(sum(math.log(p) if p > 0 else -math.inf for p in probs))  # Eq. (2.2)
        return np.array(sums)

    def nll(self, sequences: Iterable[Sequence[Hashable]]) -> float:
        """How surprised the chain is by a note, on average: nats per symbol, ends counted as symbols.

        Pooled: all notes of all sequences weigh the same.

        Equation: (2.3)
        Lesson: 02

        Args:
          sequences: as for :meth:`log_likelihood`.

        Returns:
          Nats per symbol, >= 0.
        """
        sequences = _several(sequences)
        n_symbols = sum(len(sequence) + 1 for sequence in sequences)
        return float(-self.log_likelihood(sequences).sum() / n_symbols)  # Eq. (2.3)

    def perplexity(self, sequences: Iterable[Sequence[Hashable]]) -> float:
        """The same as a number of notes: as unsure as among so many equally likely ones.

        Equation: (2.4)
        Lesson: 02

        Args:
          sequences: as for :meth:`log_likelihood`.

        Returns:
          >= 1.
        """
        return float(np.exp(self.nll(sequences)))  # Eq. (2.4)

    def sample(
        self, n: int, seed: int, temperature: float = 1.0, max_length: int = 200
    ) -> list[list]:
        """Draw melodies, each symbol given those before it, until the chain ends them.

        A temperature below 1 favours what is likely anyway, above 1 it evens chances out: log-probabilities
        are divided by it before they are made to sum to 1 again.

        Equation: (2.5)
        Lesson: 02

        Args:
          n: how many.
          seed: the same gives the same melodies.
          temperature: above 0; 1 is the chain itself.
          max_length: a melody still going on after so many symbols is cut.

        Returns:
          n lists of symbols heard in training, END left off; one may be empty.

        Raises:
          ValueError: before ``fit``, or if temperature or a number is out of range.
        """
        self._check_fitted()
        check_temperature(temperature)
        if n < 1 or max_length < 1:
            raise ValueError(
                f"n={n}, max_length={max_length}: draw at least one melody of at least one symbol"
            )
        rng, cumulated = np.random.default_rng(seed), {}
        return [self._sample_one(rng, temperature, max_length, cumulated) for _ in range(n)]

    def _sample_one(self, rng, temperature, max_length, cumulated):
        melody = []
        while len(melody) < max_length:
            context = self._context(melody)
            if context not in cumulated:
                with np.errstate(divide="ignore"):  # what is impossible stays so
                    log_p = np.log(
                        self._estimate(context, self._dense)[:-1]
                    )  # UNKNOWN can't be sung
                cumulated[context] = np.cumsum(probabilities(log_p / temperature))  # Eq. (2.5)
            chances = cumulated[context]
            symbol = self.symbols[
                np.searchsorted(chances, rng.random() * chances[-1], side="right")
            ]
            if symbol == END:
                break
            melody.append(symbol)
        return melody

    def _estimate(self, context, count):
        """Probabilities after a context; ``count`` picks from a Counter the counts of those wanted."""
        probs = 1 / len(self.symbols)
        for k in range(self.order + 1):
            heard, after = self._counts[k].get(context[self.order - k :], (0, None))
            if not heard:
                break  # then no longer context was heard either
            probs = (count(after) + self.smoothing * probs) / (heard + self.smoothing)  # Eq. (2.1)
        return probs

    def _probability(self, symbol, context):
        return self._estimate(context, lambda after: after.get(symbol, 0))

    def _dense(self, after):
        counts = np.zeros(len(self.symbols))
        counts[[self._index[symbol] for symbol in after]] = list(after.values())
        return counts

    def _context(self, before):
        last = tuple(before[max(len(before) - self.order, 0) :])
        return (START,) * (self.order - len(last)) + last

    def _pairs(self, sequence):
        """(context, symbol) for each symbol of a sequence and its end."""
        padded = (*(START,) * self.order, *sequence, END)
        return [
            (padded[i : i + self.order], padded[i + self.order]) for i in range(len(sequence) + 1)
        ]

    def _check_fitted(self):
        if self.symbols is None:
            raise ValueError("this chain has heard nothing yet: call fit(sequences) first")


def _several(sequences):
    sequences = list(sequences)
    if not sequences:
        raise ValueError("there is no sequence: pass a list of melodies, each a list of symbols")
    for sequence in sequences:
        if isinstance(sequence, str | tuple) or not isinstance(sequence, Sequence | np.ndarray):
            raise ValueError(
                f"found {sequence!r} where a melody should be: pass a list of lists of symbols"
            )
        if any(symbol in (START, END, UNKNOWN) for symbol in sequence if isinstance(symbol, str)):
            raise ValueError(
                f"{START}, {END} and {UNKNOWN} are the chain's own symbols: leave them out"
            )
    return sequences
