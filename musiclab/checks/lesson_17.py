"""Checks of the exercises of lesson 17."""

import math
from itertools import combinations
from statistics import NormalDist

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson
from musiclab.metrics import listening

lesson = Lesson("17_every_model", written=4)

SEE_UNIT = "lesson 17, section 'The same unit'"
SEE_SCORE = "lesson 17, section 'By ear: what one score is worth'"
SEE_POWER = "lesson 17, section 'How many answers?'"
SEE_CLASS = "lesson 17, section 'A class together'"
SEE_MANY = "lesson 17, section 'Four ways to mislead'"
TWO = "{} should return two results, but it returned {{}}"
Z = NormalDist().inv_cdf(0.975)


def _other(causes, right):
    """The causes whose results differ from the right one."""
    return {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right)}


def examine_units(per_quarter, losses, units, quarters, base):
    found = checks.call(per_quarter, losses, units, quarters, base, see=SEE_UNIT)
    checks.several(found, 2, "the result", TWO.format("per_quarter"), SEE_UNIT)
    bits, factor = np.sum(losses * units) / np.sum(quarters), np.log(base)
    causes = {
        "the base was not converted to e": bits,
        "the base was converted the wrong way: log_b x = ln x / ln b": bits / factor,
        "the mean over pieces weighs short pieces like long ones": np.mean(
            losses * units / quarters
        )
        * factor,
        "the mean loss over pieces was multiplied; a long piece counts for more": np.mean(losses)
        * np.sum(units)
        / np.sum(quarters)
        * factor,
        "divided by units per quarter; multiply": np.mean(losses * quarters / units) * factor,
    }
    right = bits * factor
    what = f"nats per quarter of {len(losses)} pieces, logarithms to base {base:.3g}"
    checks.number(found[0], right, what, SEE_UNIT, _other(causes, right))
    right = np.sum(units) / np.sum(quarters)
    causes = {
        "these are quarters per unit": 1 / right,
        "the mean over pieces; count all pieces together": np.mean(units / quarters),
    }
    checks.number(found[1], right, "units per quarter", SEE_UNIT, _other(causes, right))


def examine_verdict(verdict, k, n, chance, margin, z=Z):
    name = f"{k} of {n}, chance {chance:.3g}, margin {margin:.3g}"
    found = checks.call(verdict, k, n, chance, margin, z, see=SEE_SCORE)
    checks.several(
        found, 4, "the result", "verdict should return four results, but it returned {}", SEE_SCORE
    )
    level = 2 * NormalDist().cdf(z) - 1
    share, low, high = listening.wilson_interval(k, n, level)
    wald = z * math.sqrt(share * (1 - share) / n)
    shift = z**2 / (2 * n)
    causes = {
        "the standard error is taken at the observed share": (share - wald, share + wald),
        "the numerator alone: divide by 1 + z^2 / n": (
            low * (1 + z**2 / n),
            high * (1 + z**2 / n),
        ),
        "the middle is the observed share, not moved towards 1/2": (
            low - (share + shift) / (1 + z**2 / n) + share,
            high - (share + shift) / (1 + z**2 / n) + share,
        ),
        "low and high are exchanged": (high, low),
    }
    causes = {k: v for k, v in causes.items() if not np.allclose(v, (low, high), atol=1e-9)}
    checks.array(found[:2], [low, high], f"low and high, {name}", SEE_SCORE, causes, 1e-6, 1e-9)
    inside = low < chance < high
    rules = {
        "rejected": (not inside, "guessing is rejected if the chance line is outside the interval"),
        "close": (
            chance - margin < low and high < chance + margin,
            "close needs the whole interval within the margin of the chance line",
        ),
    }
    for value, (word, (right, rule)) in zip(found[2:], rules.items()):
        checks.that(
            isinstance(value, (bool, np.bool_)) and value == right,
            f"{word}, {name}: expected {right}, but got {value}. The interval is {low:.3f} to "
            f"{high:.3f}; {rule}",
            SEE_SCORE,
        )


def examine_power(power, n, share, chance, significance):
    found = checks.call(power, n, share, chance, significance, see=SEE_POWER)
    k = np.arange(n + 1)
    p_values = np.array([listening.binomial_p_value(int(i), n, chance) for i in k])
    choose = np.array([math.comb(n, int(i)) for i in k], float)
    heard = choose * share**k * (1 - share) ** (n - k)
    guessed = choose * chance**k * (1 - chance) ** (n - k)
    rejects = p_values <= significance
    above = np.cumsum(guessed[::-1])[::-1] <= significance
    right = float(heard[rejects].sum())
    causes = {
        "this is the share of false alarms: count with the true share": guessed[rejects].sum(),
        "this is the probability of not rejecting": 1 - right,
        "one-sided: too few right answers reject guessing as well": heard[above].sum(),
        "this is the number of counts that reject": rejects.sum(),
        "the mean share alone was tested": p_values[round(n * share)],
    }
    what = f"the power of {n} answers, true share {share:.3g}, chance {chance:.3g}"
    checks.number(found, right, what, SEE_POWER, _other(causes, right), 1e-6, 1e-9)


def examine_listeners(leave_one_out, right, answers):
    found = checks.call(leave_one_out, right, answers, see=SEE_CLASS)
    checks.several(found, 2, "the result", TWO.format("leave_one_out"), SEE_CLASS)
    K, n, G = right.sum(), answers.sum(), len(right)
    share, apart = K / n, right / answers
    checks.number(
        found[0],
        share,
        f"the pooled share of {G} listeners",
        SEE_CLASS,
        _other(
            {"the mean of the listeners' shares; pool the answers instead": apart.mean()}, share
        ),
    )
    without = np.array([(K - k) / (n - m) for k, m in zip(right, answers)])
    squares = np.sum((without - without.mean()) ** 2)
    wanted = math.sqrt((G - 1) / G * squares)
    causes = {
        "this is the variance: take the root": wanted**2,
        "the shares without one listener vary too little: multiply by G - 1": math.sqrt(
            squares / G
        ),
        "the factor is (G - 1) / G, not its inverse": math.sqrt(squares * G / (G - 1)),
        "the factor (G - 1) / G is missing": math.sqrt(squares),
        "as if the answers were independent": math.sqrt(share * (1 - share) / n),
        "each listener's own share was taken, not the share without them": apart.std(ddof=1)
        / math.sqrt(G),
    }
    causes = {k: v for k, v in causes.items() if not np.isclose(v, wanted)}
    checks.number(
        found[1], wanted, f"the standard error, {G} listeners", SEE_CLASS, causes, 1e-6, 1e-10
    )


def _expected(scores, n):
    """By enumeration: the mean of the lowest over all sets of n."""
    return float(np.mean([min(chosen) for chosen in combinations(scores, n)]))


def examine_best(expected_best, scores, n):
    found = checks.call(expected_best, scores, n, see=SEE_MANY)
    right = _expected(scores, n)
    causes = {
        "the lowest of all: only n of them are tried": np.min(scores),
        "the highest of each set; lower is better here": -_expected(-scores, n),
        "the lowest of the first n, which is one set of many": np.min(scores[:n]),
        "the mean of the n lowest": np.sort(scores)[:n].mean(),
        "the mean of all scores": np.mean(scores),
    }
    what = f"the expected best of {n}, from {len(scores)} scores"
    checks.number(found, right, what, SEE_MANY, _other(causes, right), 1e-6, 1e-9)


def examine_tries(tries_needed, scores, reported):
    found = checks.call(tries_needed, scores, reported, see=SEE_MANY)
    sizes = range(1, len(scores) + 1)
    right = min((n for n in sizes if _expected(scores, n) <= reported), default=None)
    checks.that(
        found is right if right is None else (found is not None and found == right),
        f"a report of {reported:.3g} from {len(scores)} scores: expected {right}, but got {found}. "
        "It is the least n whose expected best is not above the report, or None",
        SEE_MANY,
    )


def pieces(rng, P):
    """Losses, units and quarters of P pieces: more units in some pieces than in others."""
    quarters = rng.integers(20, 200, P)
    return rng.uniform(0.5, 4.0, P), rng.integers(1, 5, P) * quarters + 1, quarters


@lesson.exercise(points=2)
def units(per_quarter):
    rng = np.random.default_rng(171)
    two = np.array([1.0, 3.0]), np.array([40, 10]), np.array([20, 20])
    for base in (2.0, math.e, 10.0):
        examine_units(per_quarter, *two, base)
        examine_units(per_quarter, *pieces(rng, 7), base)
    examine_units(per_quarter, *pieces(rng, 1), 2.0)


@lesson.exercise(points=4, ready_made=("musiclab.metrics.listening.wilson_interval",))
def verdict(verdict):
    examine_verdict(verdict, 8, 12, 0.5, 0.1)
    for k, n in ((12, 12), (0, 12), (1, 1), (0, 1), (6, 12), (116, 194), (78, 194)):
        for chance in (1 / 2, 1 / 3):
            examine_verdict(verdict, k, n, chance, 0.1)
    examine_verdict(verdict, 5000, 10000, 0.5, 0.05)
    examine_verdict(verdict, 5150, 10000, 0.5, 0.05)  # different, and close
    examine_verdict(verdict, 4850, 10000, 0.5, 0.05)
    examine_verdict(verdict, 210, 400, 0.5, 0.06)  # one end within the margin, the other not
    examine_verdict(verdict, 190, 400, 0.5, 0.06)
    examine_verdict(verdict, 30, 50, 0.5, 0.2, z=1.0)


@lesson.exercise(
    points=3,
    ready_made=(
        "musiclab.metrics.listening.exact_power",
        "musiclab.metrics.listening.binomial_p_value",
    ),
)
def power(power):
    examine_power(power, 12, 0.6, 0.5, 0.05)
    for n, share, chance, significance in (
        (12, 0.9, 1 / 2, 0.05),
        (12, 0.6, 1 / 3, 0.05),
        (12, 0.05, 1 / 3, 0.05),
        (25, 0.3, 1 / 2, 0.1),
        (40, 0.5, 1 / 2, 0.05),
        (1, 0.9, 1 / 2, 0.05),
        (2, 0.9, 1 / 10, 0.2),
        (194, 0.6, 1 / 2, 0.05),
    ):
        examine_power(power, n, share, chance, significance)


@lesson.exercise(points=3, ready_made=("musiclab.metrics.listening.clustered_interval",))
def listeners(leave_one_out):
    rng = np.random.default_rng(174)
    examine_listeners(leave_one_out, np.array([10, 10, 2, 2]), np.full(4, 12))
    examine_listeners(leave_one_out, np.array([1, 3]), np.array([4, 4]))
    examine_listeners(leave_one_out, np.array([6, 6, 6]), np.full(3, 12))
    answers = rng.integers(3, 40, 9)
    examine_listeners(leave_one_out, rng.binomial(answers, 0.6), answers)


@lesson.exercise(points=4)
def unmask(expected_best, tries_needed):
    rng = np.random.default_rng(175)
    log = np.array([4.0, 1.0, 3.0, 2.0])
    for n in (1, 2, 3, 4):
        examine_best(expected_best, log, n)
    ties = np.array([2.0, 5.0, 2.0, 5.0, 0.0, 5.0])
    for n in (1, 2, 5):
        examine_best(expected_best, ties, n)
        examine_best(expected_best, rng.normal(size=11), n)
    examine_best(expected_best, np.array([3.0]), 1)
    for reported in (0.5, 1.0, 1.2, 1.25, 1.7, 2.4, 2.6, 9.0):
        examine_tries(tries_needed, log, reported)
    for reported in (-9.0, -1.2, -0.5, 0.0, 0.5):
        examine_tries(tries_needed, rng.normal(size=10), reported)
