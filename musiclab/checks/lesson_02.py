"""Checks of the exercises of lesson 02."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("02_first_generator", written=4)


def _examine_split(fair_split, rng, n, names, share, seed, shifts):
    see = "lesson 02, section 'The trap: which order is best?'"
    pool = [names[i] for i in rng.integers(0, len(names), n)]
    tunes = [
        [(int(rng.integers(50, 80)), int(rng.integers(1, 9))) for _ in range(6)] for _ in range(n)
    ]
    for k in range(n):
        tunes[k][k % 6] = (-1, 3)  # each has a rest
    result = checks.call(fair_split, tunes, pool, share, seed, shifts, see=see)
    checks.several(
        result, 2, "fair_split(...)", "fair_split should return two lists, but it returned {}", see
    )
    learn, held = (
        [tuple(tuple(map(int, note)) for note in tune) for tune in part] for part in result
    )
    written = {tuple(tune): family for tune, family in zip(tunes, pool)}
    checks.that(
        all(tune in written for tune in held),
        "expected held-out melodies as they were written, but some are none of the melodies given. Likely cause: they "
        "were moved to another key",
        see,
    )
    checks.that(len(set(held)) == len(held), "a melody is held out more than once", see)
    away = {written[tune] for tune in held}
    here = {written[tune] for tune in written if tune not in set(held)}
    checks.that(
        not away & here,
        f"expected whole families on one side, but {len(away & here)} of {len(away | here)} are on both. Likely "
        "cause: melodies were drawn instead of families",
        see,
    )
    wanted = round(share * len(set(pool)))
    total = len(set(pool))
    checks.that(
        len(away) == wanted,
        f"expected {wanted} of {total} families held out, but got {len(away)}",
        see,
    )
    moved = []
    for tune, family in zip(tunes, pool):
        if family not in away:
            moved += [tuple((a + k if a >= 0 else a, b) for a, b in tune) for k in shifts]
    n = len(moved)
    checks.that(
        len(learn) == len(moved),
        f"expected {n} melodies to learn from, each other melody once for every shift, but got {len(learn)}",
        see,
    )
    rests = [(a, b) for tune in learn for a, b in tune if a < 21]
    checks.that(
        all(a == -1 for a, _ in rests),
        "a rest, pitch -1, was moved to another key like a note",
        see,
    )
    kept = sum(a == -1 for a, _ in rests)
    checks.that(kept == len(learn), "rests became notes: -1 plus a shift is no longer a rest", see)
    checks.that(
        sorted(learn) == sorted(moved),
        "the melodies to learn from are not the other melodies, moved by every shift",
        see,
    )
    again = checks.call(fair_split, tunes, pool, share, seed, shifts, see=see)
    again = [tuple(tuple(map(int, note)) for note in tune) for tune in again[1]]
    checks.that(again == held, "the same seed gave another split", see)
    return frozenset(away)


@lesson.exercise(points=5)
def judge(judge, table):
    see = "lesson 02, section 'How likely is a melody?'"
    melodies = [["C", "D"], ["D"], ["C", "C", "D", "C", "C"]]
    steps = [[0.5, 0.25, 0.1], [0.5, 0.1], [0.5, 0.25, 0.25, 0.8, 0.25, 0.5]]
    logs = [np.log(one) for one in steps]
    wanted = np.array([one.sum() for one in logs])
    with np.errstate(all="ignore"):
        result = checks.call(judge, melodies, table, see=see)
    checks.several(
        result,
        3,
        "judge(melodies, p)",
        "judge should return L, ell and N_eff, but it returned {} things",
        see,
    )
    L, ell, N_eff = result
    causes = {
        "the end of the melody was not counted": [one[:-1].sum() for one in logs],
        "the first note, after START, was not counted": [one[1:].sum() for one in logs],
        "the logarithm has base 2: those are bits, not nats": wanted / np.log(2),
        "these are probabilities: take the logarithm": np.exp(wanted),
        "each melody was divided by its length already: L is a sum": [one.mean() for one in logs],
    }
    checks.array(L, wanted, "L", see, causes)
    right = -wanted.sum() / 11
    causes = {
        "a mean of the melodies' own means: divide once, by all notes": -np.mean(
            [one.mean() for one in logs]
        ),
        "the ends were not counted as notes": -wanted.sum() / 8,
        "that is nats per melody": -wanted.mean(),
        "the sign is missing: nats per note are not negative": -right,
    }
    checks.number(ell, right, "ell", see, causes)
    own = [np.exp(-one.mean()) for one in logs]
    causes = {"a mean of the melodies' own perplexities": np.mean(own), "a power of 2": 2**right}
    checks.number(N_eff, np.exp(right), "N_eff", see, causes)
    rare = {start: {0: 1e-15, "": 0.5} for start in table if start not in ("C", "D")}
    end = next(symbol for symbol in table["C"] if symbol not in ("C", "D"))
    rare |= {0: {"": 0.25, end: 0.5}, "": {end: 1e-30, 0: 0.5}}
    logs = np.log([1e-15, 0.25, 1e-30]).sum(), np.log([0.5, 0.5, 0.5]).sum()
    L, ell, _ = checks.call(judge, [[0, ""], ["", 0]], rare, see=see)
    checks.array(L, logs, "L of melodies with the symbols 0 and '' and tiny probabilities", see)
    checks.number(ell, -sum(logs) / 6, "ell of these melodies", see)


@lesson.exercise(points=4, ready_made=("musiclab.sampling.distributions.temperature",))
def sharpen(sharpen):
    see = "lesson 02, section 'Draw, with a temperature'"
    rng = np.random.default_rng(22)
    p = rng.dirichlet(np.ones(5))
    for tau in (1.0, 0.5, 2.0):
        right = p ** (1 / tau)
        right = right / right.sum()
        softmax = np.exp(p / tau) / np.exp(p / tau).sum()
        causes = {"the result does not sum to 1 yet": p ** (1 / tau)}
        if tau != 1:
            causes |= {
                "the probabilities were divided by tau: divide their logarithms": p,
                "a softmax of the probabilities: take their logarithms first": softmax,
                "multiplied by tau instead of divided": p**tau / (p**tau).sum(),
            }
        with np.errstate(all="ignore"):
            q = checks.call(sharpen, p, tau, see=see)
        checks.array(q, right, f"one distribution at temperature {tau}", see, causes)
    rows = rng.dirichlet(np.ones(4), size=3)
    right = rows**2 / (rows**2).sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        q = checks.call(sharpen, rows, 0.5, see=see)
    checks.array(
        q,
        right,
        "three distributions at once",
        see,
        {"all rows together sum to 1": rows**2 / (rows**2).sum()},
    )
    with np.errstate(all="ignore"):
        q = checks.call(sharpen, np.array([0.5, 0.3, 0.2]), 0.001, see=see)
    checks.array(q, [1, 0, 0], "a very low temperature", see)
    for name, p in hard_cases.probs(rng, 3, 4):
        for tau in (0.001, 0.5, 30.0):
            with np.errstate(divide="ignore", under="ignore"):
                logits = np.log(p) / tau
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            right = weights / weights.sum(axis=1, keepdims=True)
            with np.errstate(all="ignore"):
                q = checks.call(sharpen, p, tau, see=see)
            checks.array(q, right, f"three rows of {name} at temperature {tau}", see)
    uneven = np.array([[1 - 3e-4, 1e-4, 1e-4, 1e-4], [0.25, 0.25, 0.25, 0.25]])
    with np.errstate(all="ignore"):
        q = checks.call(sharpen, uneven, 0.001, see=see)
    cause = "the largest logit of all rows was subtracted: take each row's own"
    checks.array(
        q,
        [[1, 0, 0, 0], [0.25] * 4],
        "a sure row and an even one at a very low temperature",
        see,
        {cause: [[1, 0, 0, 0], [np.nan] * 4]},
    )
    for p, tau in (
        ([0.5 + 1e-7, 0.5 - 1e-7], 1e-5),
        ([0.0, 0.5, 0.5], 1e6),
        ([1 - 1e-9, 1e-9], 1.0),
        ([0.2, 0.0, 0.8], 1e-4),
    ):
        p = np.array(p)
        with np.errstate(all="ignore"):
            logits = np.log(p) / tau
            q = checks.call(sharpen, p, tau, see=see)
        right = np.exp(logits - logits.max())
        right /= right.sum()
        checks.array(q, right, f"{p.tolist()} at temperature {tau}", see, rtol=1e-4, atol=1e-13)


@lesson.exercise(points=5)
def fair_split(fair_split):
    rng = np.random.default_rng(23)
    for seed in range(3):
        _examine_split(fair_split, rng, 30, "abcdefgh", 0.25, seed, (-2, -1, 0, 1, 2))
    for share in (0.0, 0.4, 0.7, 1.0):
        _examine_split(fair_split, rng, 20, "abcdefgh", share, 5, (0, 12))
    see = "lesson 02, section 'The trap: which order is best?'"
    learn, _ = checks.call(fair_split, [[(0, 4), (-1, 2)]], ["a"], 0.0, 1, (0, 3), see=see)
    right = [[0, 4, -1, 2], [3, 4, -1, 2]]
    checks.array(
        sorted(np.ravel(tune).tolist() for tune in learn), right, "a melody with MIDI pitch 0", see
    )
    names = [f"tune {i % 9}" for i in range(27)]
    tunes = [[(60 + i, 4), (-1, 2)] for i in range(27)]
    held = []
    for _, given in hard_cases.hash_orders(names):
        _, away = checks.call(fair_split, tunes, given, 0.34, 3, (0,), see=see)
        held.append(sorted(tuple(tuple(map(int, note)) for note in tune) for tune in away))
    checks.that(
        held[0] == held[1] == held[2],
        "the same seed gives another split when Python is started anew. Likely cause: a set has no fixed "
        "order (it hangs on PYTHONHASHSEED); sort the names before you draw",
        see,
    )
    _examine_split(fair_split, rng, 22, "abcdefghijk", 0.1, 4, (2,))
    _examine_split(fair_split, rng, 22, "abcdefghijk", 0.13, 6, (-1, 3))
    twice = [[(60, 4), (-1, 1)], [(60, 4), (-1, 1)], [(62, 2), (-1, 1)]]
    for share in (0.0, 1.0):
        parts = checks.call(fair_split, twice, ["a", "a", "b"], share, 1, (0,), see=see)
        counts = [len(part) for part in parts]
        what = "how many melodies are learnt and held out, where two are alike"
        checks.array(counts, [0, 3] if share else [3, 0], what, see)
