"""Statistics of blind listening tests: intervals, exact test, sample size, answers clustered by listener.

An answer is right or wrong. A two-alternative test ("which of the two is Bach?") has the chance line
1/2, a three-way test 1/3: the share of right answers of someone who guesses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

__all__ = [
    "Interval",
    "answers_needed",
    "binomial_p_value",
    "clustered_interval",
    "exact_power",
    "wilson_interval",
]


class Interval(NamedTuple):
    """A share and its confidence interval, each from 0 to 1."""

    share: float
    low: float
    high: float


def wilson_interval(right: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share: all true shares from which the observed one is not far.

    Equation: (17.1)
    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Args:
      right: right answers, 0 to n. n: independent answers, above 0; an effective number need not
        be whole.
      level: of confidence, between 0 and 1.

    Returns:
      See :class:`Interval`.

    Raises:
      ValueError: if n is not above 0, right is not from 0 to n, or the level not between 0 and 1.

    >>> low, high = wilson_interval(8, 12)[1:]
    >>> round(low, 3), round(high, 3)
    (0.391, 0.862)
    """
    _check_count(right, n)
    _check_between(level=level)
    z, p = _normal_quantile((1 + level) / 2), right / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = middle - half, middle + half  # Eq. (17.1)
    return Interval(p, min(p, max(0.0, low)), max(p, min(1.0, high)))  # rounding may overshoot


def binomial_p_value(right: int, n: int, chance: float = 0.5) -> float:
    """Two-sided exact binomial test of guessing: the probability of a count no likelier than this.

    Equation: (17.2)

    Args:
      right: right answers, a whole number from 0 to n. n: independent answers, at least 1.
      chance: share of right answers of someone who guesses, between 0 and 1.

    Returns:
      0 to 1; below the level of significance, guessing is rejected.

    Raises:
      ValueError: if counts are not whole or out of range, or chance not between 0 and 1.

    >>> round(binomial_p_value(9, 10), 4)
    0.0215
    """
    _check_count(right, n, whole=True)
    _check_between(chance=chance)
    p = _binomial(n, chance)
    as_unlikely = p <= p[right] * (1 + 1e-7)  # equal counts despite rounding
    return float(min(1.0, p[as_unlikely].sum()))  # Eq. (17.2)


def answers_needed(
    share: float, chance: float = 0.5, significance: float = 0.05, power: float = 0.8
) -> int:
    """Independent answers that a two-sided test of guessing needs, by the normal approximation.

    Equation: (17.3)

    Args:
      share: the true share of right answers that the test should notice.
      chance: share of someone who guesses.
      significance: probability of rejecting guessing although it is true.
      power: probability of rejecting it if ``share`` is true.

    Returns:
      The number of answers, rounded up.

    Raises:
      ValueError: if any is not between 0 and 1, or share equals chance.

    >>> answers_needed(0.6), answers_needed(0.75)
    (194, 29)
    """
    _check_between(share=share, chance=chance, significance=significance, power=power)
    if share == chance:
        raise ValueError(f"share and chance are both {share}: no number of answers can tell them")
    z_significance, z_power = _normal_quantile(1 - significance / 2), _normal_quantile(power)
    spread = z_significance * math.sqrt(chance * (1 - chance))
    spread += z_power * math.sqrt(share * (1 - share))
    return math.ceil((spread / (share - chance)) ** 2)  # Eq. (17.3)


def exact_power(n: int, share: float, chance: float = 0.5, significance: float = 0.05) -> float:
    """Probability that n answers reject guessing by :func:`binomial_p_value`, if ``share`` is true.

    Args:
      n: independent answers, at least 1. share, chance, significance: as :func:`answers_needed`;
        with share = chance it is the share of false alarms, at most the significance.

    Returns:
      0 to 1.

    Raises:
      ValueError: as :func:`answers_needed`.

    >>> round(exact_power(12, 0.6), 2)
    0.09
    """
    _check_count(0, n, whole=True)
    _check_between(share=share, chance=chance, significance=significance)
    rejects = [binomial_p_value(right, n, chance) <= significance for right in range(n + 1)]
    return float(_binomial(n, share)[rejects].sum())


def clustered_interval(
    right: Sequence[int], n: Sequence[int], level: float = 0.95
) -> tuple[Interval, float]:
    """Interval of the pooled share when each listener gave several answers.

    Answers of one listener are alike: some hear better than others. The design effect is the
    variance of the pooled share, estimated from how listeners differ, over that of independent
    answers. Wilson's interval is taken with the number of answers divided by it.

    Equation: (17.4)
    Source: Kish, "Survey sampling", 1965; the variance is the cluster-robust one of Liang and
      Zeger, 1986, with the factor G / (G - 1).

    Args:
      right: right answers of each listener. n: answers of each listener, at least 1 each; two
        listeners or more.
      level: of confidence.

    Returns:
      The interval, and the design effect, at least 1: answers never count for more than
      independent ones.

    Raises:
      ValueError: if there are fewer than two listeners, or the counts don't fit.

    >>> interval, effect = clustered_interval([10, 10, 2, 2], [12, 12, 12, 12])
    >>> round(effect, 2), round(interval.low, 2)
    (7.11, 0.2)
    """
    if len(right) != len(n) or len(n) < 2:
        raise ValueError(
            f"{len(right)} counts of right answers and {len(n)} of answers: need one of each for "
            "every listener, and two listeners or more"
        )
    for r, m in zip(right, n):
        _check_count(r, m, whole=True)
    right, n = np.asarray(right, float), np.asarray(n, float)
    total, listeners = n.sum(), len(n)
    share = float(right.sum() / total)
    clustered = listeners / (listeners - 1) * np.sum((right - n * share) ** 2) / total**2
    independent = share * (1 - share) / total
    effect = max(1.0, float(clustered / independent)) if independent else 1.0  # Eq. (17.4)
    effective = float(total) / effect
    return wilson_interval(share * effective, effective, level), effect


def _binomial(n, p):
    """Probabilities of 0 to n successes in n draws, each with probability p, (n + 1,)."""
    k = np.arange(n + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    log_choose = log_factorial[n] - log_factorial - log_factorial[::-1]
    return np.exp(log_choose + k * math.log(p) + (n - k) * math.log1p(-p))


def _normal_quantile(p):
    return NormalDist().inv_cdf(p)


def _check_count(right, n, whole=False):
    if whole and (int(right) != right or int(n) != n):
        raise ValueError(f"{right} right of {n}: need whole numbers of answers")
    if not (n > 0 and 0 <= right <= n):
        raise ValueError(f"{right} right of {n}: need at least one answer, and 0 to {n} right ones")


def _check_between(**shares):
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name} is {share}: need a number between 0 and 1")
