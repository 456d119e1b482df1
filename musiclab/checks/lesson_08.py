"""Checks of the exercises of lesson 08."""

from itertools import combinations

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson
from musiclab.metrics import nll_per_frame

lesson = Lesson("08_chords", written=3)

SEE_COINS = "lesson 08, section 'Independent keys cannot make a chord'"
SEE_CHORD = "lesson 08, section 'One note after another'"
SEE_TABLE = "lesson 08, section 'Memory or output?'"


def check_costs(costs, frames, coins, whole, name, likely=None):
    found = checks.call(costs, frames, see=SEE_COINS)
    checks.several(
        found,
        2,
        "the result",
        "costs should return two numbers, independent keys and whole chords, but it returned {}",
        SEE_COINS,
        kinds=(tuple, list, np.ndarray),
    )
    checks.number(
        found[0], coins, f"what independent keys need for {name}", SEE_COINS, likely=likely
    )
    causes = {
        "this is in bits": whole / np.log(2),
        "this is the sum over all frames": len(frames) * whole,
    }
    checks.number(found[1], whole, f"what whole chords need for {name}", SEE_COINS, likely=causes)


def _weights(said):
    """C, D, E, F, END weigh 4, 2, 1, 2, 1, whatever was said."""
    return np.log([4.0, 2.0, 1.0, 2.0, 1.0])


def network(K, seed, size=1.0):
    W = size * np.random.default_rng(seed).normal(size=(K + 2, K + 1))
    return lambda said: W[0] + sum(W[1 + note] for note in said) + len(said) * W[-1]


def check_sum(chord_log_likelihood, K, seed, size=1.0):
    sets = [list(notes) for m in range(K + 1) for notes in combinations(range(K), m)]
    nats = [
        checks.call(chord_log_likelihood, notes, network(K, seed, size), K, see=SEE_CHORD)
        for notes in sets
    ]
    for notes, one in zip(sets, nats):
        checks.that(
            np.size(one) == 1, f"ln p of {notes} should be one number, but it is {one!r}", SEE_CHORD
        )
    total = sum(np.exp(np.ravel(one)[0]) for one in nats)
    checks.number(
        total,
        1.0,
        f"the probabilities of all {len(sets)} sets of {K} keys added up",
        SEE_CHORD,
        rtol=1e-6,
    )


def check_table(table, losses, lengths, K):
    right = nll_per_frame([-K * np.array(row, float)[:n] for row, n in zip(losses, lengths)])
    found = checks.call(table, losses, lengths, K, see=SEE_TABLE)
    checks.several(
        found,
        3,
        "the result",
        "table should return three numbers, but it returned {}",
        SEE_TABLE,
        kinds=(tuple, list, np.ndarray),
    )
    real = np.arange(np.shape(losses)[1]) < np.reshape(lengths, (-1, 1))
    means = (losses * real).sum(axis=1) / np.array(lengths) * K
    likely = {
        "still averaged over keys: a frame costs the sum": right.pooled / K,
        "the padding is counted": K * np.mean(losses),
        "the padding is left out of the sum, but still counted as frames": K
        * np.mean(losses * real),
        "this is the mean over pieces: pooled, a long piece counts more": right.per_piece,
    }
    checks.number(found[0], right.pooled, "nats per frame, pooled", SEE_TABLE, likely=likely)
    likely = {"this is the pooled mean: here each piece counts the same": right.pooled}
    checks.number(
        found[1], right.per_piece, "nats per frame, mean over pieces", SEE_TABLE, likely=likely
    )
    likely = {
        "the deviation is divided by n instead of n - 1": means.std() / np.sqrt(len(means)),
        "frames are counted, not pieces": (K * np.array(losses)[real]).std() / np.sqrt(real.sum()),
        "this is the deviation itself, not yet over the root of n": means.std(ddof=1),
        "over n instead of its root": means.std(ddof=1) / len(means),
    }
    checks.number(
        found[2], right.standard_error, "the standard error over pieces", SEE_TABLE, likely=likely
    )


def cut(p, P, within=False):
    """Symbol by symbol, the likeliest first, until P is reached; or as long as it is not."""
    kept, total = np.zeros(len(p)), 0.0
    for s in sorted(range(len(p)), key=lambda s: -p[s]):
        if total + within * p[s] < P:
            kept[s] = p[s]
        total += p[s]
    return kept


@lesson.exercise(points=3)
def coins(costs):
    check_costs(
        costs,
        np.array([[1, 0, 1, 0], [0, 1, 0, 1]]),
        4 * np.log(2),
        np.log(2),
        "the lesson's two chords: C with E, or D with F",
    )
    rng = np.random.default_rng(81)
    for K, n in ((3, 8), (5, 30)):
        frames = (rng.random((n, K)) < rng.uniform(0.3, 0.7, K)).astype(int)
        frames[0], frames[1] = 0, 1
        y = frames.sum(axis=0) / n
        each = -(frames * np.log(y) + (1 - frames) * np.log(1 - y)).mean(axis=0)
        kinds = {tuple(row): sum(map(np.array_equal, frames, [row] * n)) for row in frames}
        likely = {
            "the mean over keys: a frame costs the sum": each.mean(),
            "this is in bits": each.sum() / np.log(2),
            "keys that don't sound cost, too: the second half of Eq. (8.1) is missing": -(
                y * np.log(y)
            ).sum(),
            "this is the sum over all frames": n * each.sum(),
        }
        check_costs(
            costs,
            frames,
            each.sum(),
            sum(c / n * np.log(n / c) for c in kinds.values()),
            f"{n} random frames",
            likely,
        )
    for name, frames in hard_cases.rolls(rng, 6, 88):
        rows = frames.astype(float)
        y = rows.mean(axis=0)
        inside = y[(y > 0) & (y < 1)]
        each = -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside)).sum()
        _, counts = np.unique(rows, axis=0, return_counts=True)
        whole = (counts / 6 * np.log(6 / counts)).sum()
        check_costs(costs, frames, each, whole, f"{name}, 6 frames of 88 keys")
    shared = np.zeros((8, 88), int)
    shared[:, 87], shared[::2, 0] = 1, 1
    check_costs(costs, shared, np.log(2), np.log(2), "8 frames that share the highest of 88 keys")
    for n, k in ((600, 300), (2000, 1), (200, 1)):
        rare = np.zeros((n, 3), int)
        rare[:k, 1] = 1
        y = k / n
        cost = -(y * np.log(y) + (1 - y) * np.log(1 - y))
        check_costs(costs, rare, cost, cost, f"{n} frames, in {k} of which a key sounds")


@lesson.exercise(points=4)
def chord(chord_log_likelihood):
    likely = {
        "END is missing": np.log(4 / 10 * 1 / 6),
        "nothing is masked: after C, C can't be said any more": np.log(4 / 10 * 1 / 10 * 1 / 10),
        "the last note itself should be masked, too": np.log(4 / 10 * 1 / 10 * 1 / 4),
        "this is the probability; its logarithm is wanted": 4 / 10 * 1 / 6 * 1 / 3,
        "END should always be possible": np.log(4 / 9 * 1 / 5),
    }
    found = checks.call(chord_log_likelihood, [0, 2], _weights, 4, see=SEE_CHORD)
    checks.number(
        found,
        np.log(4 / 10 * 1 / 6 * 1 / 3),
        "ln p of C with E with the lesson's weights",
        SEE_CHORD,
        likely=likely,
    )
    checks.number(
        checks.call(chord_log_likelihood, [], _weights, 4, see=SEE_CHORD),
        np.log(0.1),
        "ln p of silence: END at once",
        SEE_CHORD,
    )
    check_sum(chord_log_likelihood, 4, 81)
    rng = np.random.default_rng(89)

    def towers(said):
        """Logits of four keys and END, of which a key that is masked after the first note is far above."""
        return np.array([3000.0, 0.0, 1.0, 2.0, 0.5])

    after = np.array([1.0, 2.0, 0.5])
    right = -3000.0 + 2.0 - np.logaddexp.reduce(after) + 0.5 - 0.5
    found = checks.call(chord_log_likelihood, [1, 3], towers, 4, see=SEE_CHORD)
    cause = "the largest logit was taken among masked keys, too: then those that are left underflow"
    checks.number(found, right, "ln p where a masked logit is 3000", SEE_CHORD, {cause: -np.inf})
    for name, z in hard_cases.logits(rng, 1, 4):
        found = checks.call(chord_log_likelihood, [0], lambda said, z=z[0]: z, 3, see=SEE_CHORD)
        right = 2 * z[0, 0] - z[0, 0] - np.logaddexp.reduce(z[0])
        right += z[0, 3] - np.logaddexp.reduce(z[0, 1:])
        checks.number(found, right, f"ln p of a single note with {name}", SEE_CHORD)


@lesson.exercise(points=4)
def table(table):
    rng = np.random.default_rng(83)
    for n, T, K in ((3, 6, 10), (5, 9, 88)):
        lengths_now = rng.integers(2, T + 1, n)
        check_table(table, rng.gamma(2.0, size=(n, T)), lengths_now, K)
    check_table(table, rng.gamma(2.0, size=(2, 20)), np.array([1, 20]), 3)
    check_table(table, rng.gamma(2.0, size=(4, 3)).astype(np.float32), np.array([3, 3, 3, 3]), 88)
    check_table(table, rng.gamma(2.0, size=(6, 120)), rng.integers(60, 121, 6), 5)


@lesson.exercise(
    points=4,
    ready_made=("musiclab.metrics.likelihood.mixture", "musiclab.sampling.distributions.nucleus"),
)
def mix(mixture, nucleus):
    see, see_draw = (
        "lesson 08, section 'Two models, one opinion'",
        "lesson 08, section 'Sampling with care'",
    )
    rng = np.random.default_rng(84)
    for M, T in ((2, 4), (3, 5)):
        p = rng.random((M, T))
        likely = {
            "the mean of the logarithms: average the probabilities": np.log(p).mean(axis=0),
            "the probabilities are added up, not averaged": np.log(p.sum(axis=0)),
            "these are probabilities: their logarithm is wanted": p.mean(axis=0),
        }
        checks.array(
            checks.call(mixture, np.log(p), see=see),
            np.log(p.mean(axis=0)),
            f"{M} models mixed",
            see,
            likely=likely,
        )
    found = checks.call(mixture, np.array([[-2000.0], [-2000.0]]), see=see)
    checks.array(found, [-2000.0], "two models that agree on -2000 nats", see)
    for K, P in ((5, 0.7), (12, 0.9), (6, 0.05)):
        p = rng.dirichlet(np.full(K, 0.8))
        kept = cut(p, P)
        short = cut(p, P, within=True)
        likely = {
            "they don't add up to 1": kept,
            "the probabilities are in falling order, not in that of p": np.sort(kept / kept.sum())[
                ::-1
            ],
            "the tail was kept and the likeliest were cut off": (p - kept)
            / max((p - kept).sum(), 1e-9),
            "the symbol with which P is reached was cut off": short / max(short.sum(), 1e-9),
        }
        checks.array(
            checks.call(nucleus, p, P, see=see_draw),
            kept / kept.sum(),
            f"the nucleus of {P}",
            see_draw,
            likely=likely,
        )
    for name, log_p in hard_cases.log_probs(rng, 4):
        with np.errstate(all="ignore"):
            found = checks.call(mixture, log_p[:, None], see=see)
        checks.array(found, [np.logaddexp.reduce(log_p) - np.log(4)], f"four models, {name}", see)
    for name, rows in hard_cases.probs(rng, 2, 6):
        for P in (0.3, 0.8, 1.0):
            p = rows[0]
            kept = np.where([p[p > one].sum() < P - 1e-12 for one in p], p, 0.0)
            if np.isclose([p[p > one].sum() for one in p], P, atol=1e-9).any():
                continue  # a sum that is P but for rounding
            found = checks.call(nucleus, p, P, see=see_draw)
            checks.array(found, kept / kept.sum(), f"the nucleus of {P} of {name}", see_draw)
    with np.errstate(all="ignore"):
        never = checks.call(mixture, np.array([[-np.inf, -1.0], [-np.inf, -np.inf]]), see=see)
    right = [-np.inf, -1.0 - np.log(2)]
    checks.array(
        never, right, "a frame that all models hold impossible, and one that one does", see
    )
    for p, P in (([0.4995, 0.3, 0.2005], 0.5), ([1 - 1e-8, 1e-8], 1.0), ([0.5, 0.3, 0.2], 0.45)):
        p = np.array(p)
        kept = np.where([p[p > one].sum() < P for one in p], p, 0.0)
        found = checks.call(nucleus, p, P, see=see_draw)
        what = f"the nucleus of {P} of {p.tolist()}"
        checks.array(found, kept / kept.sum(), what, see_draw, rtol=1e-6, atol=1e-12)
