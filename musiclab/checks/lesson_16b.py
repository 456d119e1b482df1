"""Checks of the exercises of lesson 16b."""

from itertools import pairwise, product

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("16b_control")


def examine_guide(guide, told, untold, weight):
    see = "lesson 16b, section 'Guidance'"
    moved = told + weight * (told - untold)
    right = moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)
    other = told + weight * (untold - told)
    mixed = (1 - weight) * untold + weight * told
    causes = {
        "the result is not normalised: each row's probabilities add up to 1": moved,
        "normalised over rows and columns together": moved - np.logaddexp.reduce(moved, axis=None),
        "the difference has the wrong sign": other
        - np.logaddexp.reduce(other, axis=1, keepdims=True),
        "with weight 0 it must be what the model says that is told": mixed
        - np.logaddexp.reduce(mixed, axis=1, keepdims=True),
        "return ln p, not p": np.exp(right),
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right)}
    with np.errstate(all="ignore"):
        result = checks.call(guide, told, untold, weight, see=see)
    checks.array(result, right, f"ln p with weight {weight}", see, causes, rtol=1e-6, atol=1e-8)


def chain(rng, states, steps):
    """First probabilities (K,), transitions (K, K) and allowed states (T, K), some at each t."""
    first, p = rng.dirichlet(np.ones(states)), rng.dirichlet(np.ones(states), states)
    allowed = rng.random((steps, states)) < 0.5
    allowed[np.arange(steps), rng.integers(states, size=steps)] = True
    return first, p, allowed


def examine_messages(messages, first, p, allowed):
    see = "lesson 16b, section 'Through given notes'"
    steps, states = allowed.shape
    right, kept = np.zeros((steps, states)), 0.0
    for t in range(steps):  # every path from t on, one after the other
        for path in product(range(states), repeat=steps - t):
            chance = np.prod([p[i, j] for i, j in pairwise(path)])
            later = all(allowed[t + 1 + n, j] for n, j in enumerate(path[1:]))
            right[t, path[0]] += chance * later
            kept += first[path[0]] * chance * later * allowed[0, path[0]] if t == 0 else 0.0
    wrong = {
        "transposed: p[i, j] leads from i to j": p.T,
        "the states that are allowed at t + 1 have to be taken into account": None,
    }
    causes = {}
    for cause, matrix in wrong.items():
        m = np.ones((steps, states))
        for t in range(steps - 2, -1, -1):
            m[t] = p @ m[t + 1] if matrix is None else matrix @ (allowed[t + 1] * m[t + 1])
        causes[cause] = m
    last = np.arange(steps)[:, None] == steps - 1
    causes["a message asks nothing of the state at t itself, only of those after it"] = np.where(
        last, right, right * allowed
    )
    causes["at the end nothing more is asked: the last message is 1 for every state"] = np.where(
        last, allowed, right
    )
    causes["each m_t is a probability for every state: its row need not add up to 1"] = (
        right / right.sum(axis=1, keepdims=True)
    )
    causes = {cause: m for cause, m in causes.items() if not np.allclose(m, right)}
    with np.errstate(all="ignore"):
        result = checks.call(messages, first, p, allowed, see=see)
    words = "messages should return m and keeps, but it returned {} things"
    checks.several(result, 2, "the result of messages", words, see)
    m, keeps = result
    checks.array(m, right, f"the messages of {steps} steps", see, causes, rtol=1e-6, atol=1e-9)
    causes = {
        "the first state has to be allowed, too": float(first @ right[0]),
        "weight the messages of the first states by their probabilities": float(
            allowed[0] @ right[0]
        ),
    }
    causes = {cause: number for cause, number in causes.items() if not np.isclose(number, kept)}
    checks.number(keeps, kept, "the probability of keeping to all", see, causes, 1e-6, 1e-9)


def examine_nce(contrastive, cosines, s):
    see = "lesson 16b, section 'A contrastive loss'"
    logits = s * np.asarray(cosines)
    rows = np.logaddexp.reduce(logits, axis=1) - np.diag(logits)
    columns = np.logaddexp.reduce(logits, axis=0) - np.diag(logits)
    right = np.mean(rows + columns) / 2
    causes = {
        "only one direction: each row's and each column's partner has to be found": rows.mean(),
        "only one direction, over the columns": columns.mean(),
        "a sum over the pairs instead of the mean": right * len(logits),
        "both directions were added: the loss is their mean": 2 * right,
        "the sign: the loss is minus a log-probability": -right,
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, right)}
    with np.errstate(all="ignore"):
        result = checks.call(contrastive, cosines, s, see=see)
    checks.number(
        result, right, f"InfoNCE of {len(logits)} pairs with s = {s}", see, causes, 1e-6, 1e-9
    )


def examine_ranks(mrr, similarity, relevant):
    see = "lesson 16b, section 'Late interaction'"
    ranks = []
    for row, wanted in zip(similarity, relevant):
        best = max(value for value, good in zip(row, wanted) if good)
        ranks.append(1 + sum(value > best for value in row))
    ranks = np.array(ranks, float)
    worst = [1 + sum(v > min(np.array(r)[w]) for v in r) for r, w in zip(similarity, relevant)]
    right = float(np.mean(1 / ranks))
    with np.errstate(all="ignore"):
        causes = {
            "take the mean of 1 / rank, not 1 / the mean rank": 1 / ranks.mean(),
            "ranks begin with 1, not with 2": float(np.mean(1 / (ranks + 1))),
            "the first relevant piece counts, not the last": float(np.mean(1 / np.array(worst))),
            "the mean of the ranks": ranks.mean(),
        }
        result = checks.call(mrr, similarity, relevant, see=see)
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, right)}
    checks.number(result, right, f"the MRR of {len(ranks)} queries", see, causes)


def _ln(rng, rows, columns):
    return np.log(rng.dirichlet(np.ones(columns), rows))


@lesson.exercise(points=4, ready_made=("musiclab.models.beat_chain.guided",))
def guide(guide):
    rng = np.random.default_rng(161)
    for weight in (0.0, 0.5, 3.0, 8.0):
        examine_guide(guide, _ln(rng, 4, 5), _ln(rng, 4, 5), weight)
    examine_guide(guide, _ln(rng, 1, 2), _ln(rng, 1, 2), 1.0)
    low = np.array([[-1e-9, -900.0, -2000.0], [np.log(0.5), np.log(0.5), -3000.0]])
    examine_guide(guide, low, np.log(np.full((2, 3), 1 / 3)), 2.0)
    half = np.log(np.full((2, 2), 0.5))
    examine_guide(guide, half, np.array([[-900.0, 0.0], [np.log(0.5), np.log(0.5)]]), 2.0)


@lesson.exercise(points=4)
def messages(messages):
    rng = np.random.default_rng(164)
    p = np.array([[0.9, 0.1], [0.5, 0.5]])  # the lesson's example
    allowed = np.array([[True, False], [True, True], [False, True]])
    examine_messages(messages, np.array([1.0, 0.0]), p, allowed)
    examine_messages(messages, np.array([0.5, 0.5]), p, allowed)
    for states, steps in ((3, 4), (4, 3), (2, 1), (3, 5)):
        examine_messages(messages, *chain(rng, states, steps))
    examine_messages(messages, np.full(2, 0.5), np.eye(2), np.array([[1, 0], [0, 1]], bool))


@lesson.exercise(points=4, ready_made=("musiclab.models.embedding.info_nce",))
def contrastive(contrastive):
    rng = np.random.default_rng(162)
    examine_nce(contrastive, np.eye(2), 3.0)
    examine_nce(contrastive, np.ones((5, 5)), 2.0)
    examine_nce(contrastive, np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.3], [-0.5, 0.0, 0.4]]), 4.0)
    examine_nce(contrastive, rng.uniform(-1, 1, (6, 6)), 1000.0)
    examine_nce(contrastive, np.array([[0.3]]), 5.0)


@lesson.exercise(points=3, ready_made=("musiclab.metrics.retrieval.mean_reciprocal_rank",))
def mrr(mrr):
    rng = np.random.default_rng(163)
    table = np.array([[0.9, 0.5, 0.1], [0.2, 0.3, 0.8], [0.5, 0.6, 0.7]])
    one = np.array([[True, False, False], [False, True, False], [True, False, False]])
    examine_ranks(mrr, table, one)
    several = np.array([[False, True, True], [True, False, True], [True, True, False]])
    examine_ranks(mrr, table, several)
    examine_ranks(mrr, -table, one)
    examine_ranks(
        mrr, rng.random((7, 20)), np.eye(20, dtype=bool)[:7] | np.eye(20, dtype=bool)[7:14]
    )
    examine_ranks(mrr, np.array([[0.1, 0.2]]), np.array([[True, True]]))
