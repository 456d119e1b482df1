"""Markov chains over notes, estimated by counting, with smoothing towards shorter contexts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from musiclab.data.encodings.note_sequence import END, START, UNKNOWN
from musiclab.sampling.ancestral import check_temperature
from musiclab.sampling.distributions import softmax

__all__ = ["END", "START", "UNKNOWN", "MarkovChain"]


class MarkovChain:
    """Markov chain of order n: each symbol depends on the n before it.

    Counts of long contexts are small, so each order is smoothed towards the next shorter one, as if
    the context had been seen ``smoothing`` more times, each continued as the shorter context
    predicts. With c(h) the count of context h, c(h, x) that of x after h, h' the context without
    its oldest symbol, and K symbols in all,

        p(x | h) = (c(h, x) + smoothing * p(x | h')) / (c(h) + smoothing),

    down to 1 / K below the empty context. With ``smoothing`` 0 it is the relative frequency
    c(h, x) / c(h) in the longest context seen, and what never occurred has probability 0.

    Equation: (2.1)
    Source: MacKay and Peto, "A hierarchical Dirichlet language model", 1995.

    Attributes:
      order: number of symbols it depends on, n >= 0.
      smoothing: weight of the shorter context, in counts, >= 0.
      symbols: after ``fit``: those that occurred, END, and UNKNOWN for all others; K of them.

    >>> chain = MarkovChain(order=1, smoothing=1.0).fit([["a", "b"], ["a", "b"]])
    >>> chain.symbols
    ['a', 'b', '<end>', '<unknown>']
    >>> chain.probabilities(["a"]).round(3)
    array([0.107, 0.774, 0.107, 0.012])
    """

    def __init__(self, order: int = 2, smoothing: float = 10.0):
        if not isinstance(order, int | np.integer) or order < 0:
            raise ValueError(f"order {order!r}: need a whole number of symbols, 0 or more")
        if not (math.isfinite(smoothing) and smoothing >= 0):
            raise ValueError(f"smoothing {smoothing!r}: need a finite number, 0 or more")
        self.order, self.smoothing, self.symbols = int(order), float(smoothing), None

    def fit(self, sequences: Iterable[Sequence[Hashable]]) -> MarkovChain:
        """Count which symbol follows which context; earlier counts are replaced.

        Args:
          sequences: melodies as symbols, such as :func:`musiclab.data.melody_to_symbols` gives.

        Returns:
          The chain itself.

        Raises:
          ValueError: if there is no sequence, or a symbol is START, END or UNKNOWN.
        """
        counts = [defaultdict(Counter) for _ in range(self.order + 1)]
        occurring = set()
        for sequence in _checked(sequences):
            occurring.update(sequence)
            for context, symbol in self._pairs(sequence):
                for k in range(self.order + 1):
                    counts[k][context[self.order - k :]][symbol] += 1
        self._counts = [{h: (sum(c.values()), c) for h, c in level.items()} for level in counts]
        self.symbols = [*sorted(occurring, key=repr), END, UNKNOWN]
        self._index = {symbol: i for i, symbol in enumerate(self.symbols)}
        return self

    def probabilities(self, before: Sequence[Hashable] = ()) -> np.ndarray:
        """Distribution of the next symbol.

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
        """Log-probability of each sequence, END included: the sum over its symbols.

        Equation: (2.2)

        Args:
          sequences: N melodies as symbols; those that did not occur in ``fit`` count as UNKNOWN.

        Returns:
          float64 (N,), nats, <= 0; -inf for what is impossible.

        Raises:
          ValueError: before ``fit``, or as :meth:`fit`.
        """
        self._check_fitted()
        sums = []
        for sequence in _checked(sequences):
            probs = [self._probability(symbol, h) for h, symbol in self._pairs(sequence)]
            sums.append(sum(math.log(p) if p > 0 else -math.inf for p in probs))  # Eq. (2.2)
        return np.array(sums)

    def nll(self, sequences: Iterable[Sequence[Hashable]]) -> float:
        """Cross-entropy in nats per symbol, pooled over all symbols, ends included.

        Equation: (2.3)

        Args:
          sequences: as for :meth:`log_likelihood`.

        Returns:
          Nats per symbol, >= 0.
        """
        sequences = list(sequences)
        n_symbols = sum(len(sequence) + 1 for sequence in sequences)
        return float(-self.log_likelihood(sequences).sum() / n_symbols)  # Eq. (2.3)

    def perplexity(self, sequences: Iterable[Sequence[Hashable]]) -> float:
        """exp of :meth:`nll`: the number of equally likely symbols with the same uncertainty, >= 1.

        Equation: (2.4)
        """
        return float(np.exp(self.nll(sequences)))  # Eq. (2.4)

    def sample(
        self, n: int, seed: int, temperature: float = 1.0, max_length: int = 200
    ) -> list[list]:
        """Generate sequences, each symbol drawn given those before it, until END.

        Log-probabilities are divided by the temperature: below 1 favours likely symbols, above 1
        evens out the distribution.

        Equation: (2.5)

        Args:
          n: how many.
          seed: the same gives the same melodies.
          temperature: above 0; 1 is the chain itself.
          max_length: a melody without END after so many symbols is cut there.

        Returns:
          n lists of symbols that occurred in training, without END; one may be empty.

        Raises:
          ValueError: before ``fit``, or if temperature or a number is out of range.
        """
        self._check_fitted()
        check_temperature(temperature)
        if n < 1 or max_length < 1:
            raise ValueError(f"n={n}, max_length={max_length}: both must be at least 1")
        rng, cumulated = np.random.default_rng(seed), {}
        return [self._sample_one(rng, temperature, max_length, cumulated) for _ in range(n)]

    def _sample_one(self, rng, temperature, max_length, cumulated):
        melody = []
        while len(melody) < max_length:
            context = self._context(melody)
            if context not in cumulated:
                known = self._estimate(context, self._dense)[:-1]  # UNKNOWN has no pitch
                with np.errstate(divide="ignore"):  # ln 0 = -inf: impossible stays impossible
                    log_p = np.log(known)
                cumulated[context] = np.cumsum(softmax(log_p / temperature))  # Eq. (2.5)
            u = rng.random() * cumulated[context][-1]
            symbol = self.symbols[np.searchsorted(cumulated[context], u, side="right")]
            if symbol == END:
                break
            melody.append(symbol)
        return melody

    def _estimate(self, context, count):
        """Probabilities after a context; ``count`` picks the counts of the symbols wanted."""
        probs = 1 / len(self.symbols)
        for k in range(self.order + 1):
            total, after = self._counts[k].get(context[self.order - k :], (0, None))
            if not total:
                break  # then no longer context occurred either
            probs = (count(after) + self.smoothing * probs) / (total + self.smoothing)  # Eq. (2.1)
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
        n, padded = self.order, (*(START,) * self.order, *sequence, END)
        return [(padded[i : i + n], padded[i + n]) for i in range(len(sequence) + 1)]

    def _check_fitted(self):
        if self.symbols is None:
            raise ValueError("this chain has no counts yet: call fit(sequences) first")


def _checked(sequences):
    sequences = list(sequences)
    if not sequences:
        raise ValueError("there is no sequence: pass a list of melodies, each a list of symbols")
    for sequence in sequences:
        if isinstance(sequence, str | tuple) or not isinstance(sequence, Sequence | np.ndarray):
            raise ValueError(f"found {sequence!r} instead of a melody: pass lists of symbols")
        if any(symbol in (START, END, UNKNOWN) for symbol in sequence if isinstance(symbol, str)):
            raise ValueError(f"{START}, {END} and {UNKNOWN} are not notes: leave them out")
    return sequences
