"""Checks of the exercises of lesson 13."""

from itertools import product

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("13_deep_belief_network", written=4)

SEE_CELLS = "lesson 13, section 'One symbol per cell'"
SEE_BOUND = "lesson 13, section 'Why another layer may be added'"
SEE_PRIMER = "lesson 13, section 'From a primer'"


def check_cells(cell_probs, n, cells, K, H, tau, rng, scale=1.0):
    h = rng.integers(0, 2, (n, H)).astype(float)
    W, a = scale * rng.normal(size=(cells * K, H)), scale * rng.normal(size=cells * K)
    with np.errstate(all="ignore"):
        found = checks.call(cell_probs, h, W, a, K, tau, see=SEE_CELLS)
        z = np.array(
            [
                [a[u] + sum(W[u, j] * row[j] for j in range(H)) for u in range(cells * K)]
                for row in h
            ]
        )
        right, plain, hot = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
        for c in range(cells):
            own = slice(c * K, (c + 1) * K)
            for u in range(c * K, (c + 1) * K):
                right[:, u] = 1 / np.exp((z[:, own] - z[:, u : u + 1]) / tau).sum(axis=1)
                plain[:, u] = 1 / np.exp(z[:, own] - z[:, u : u + 1]).sum(axis=1)
                hot[:, u] = 1 / np.exp((z[:, own] - z[:, u : u + 1]) * tau).sum(axis=1)
        powers = np.exp(z / tau)
        likely = {
            "one softmax over the whole row: each cell has its own": powers
            / powers.sum(axis=1, keepdims=True),
            "a sigmoid was taken of each unit, where a cell needs a softmax": 1
            / (1 + np.exp(-z / tau)),
            "the temperature is not used": plain,
            "multiplied by tau instead of divided": hot,
            "divided by tau after the softmax, where it is no logarithm any more": plain / tau,
            "after the power 1 / tau, a cell's numbers must sum to 1 again": plain ** (1 / tau),
            "cells were cut across: a cell's K units are neighbours": (
                powers.reshape(n, K, cells) / powers.reshape(n, K, cells).sum(axis=1, keepdims=True)
            ).reshape(n, -1),
        }
    likely = {
        cause: value
        for cause, value in likely.items()
        if np.isfinite(value).all() and not np.allclose(value, right)
    }
    checks.array(
        found,
        right,
        f"probabilities of {cells} cells of {K} symbols at tau = {tau}",
        SEE_CELLS,
        likely,
        rtol=1e-4,
    )


def _log_bernoulli(outcome, logits):
    """ln of the probability of zeros and ones of independent Bernoulli variables, by their logits."""
    signed = np.where(np.asarray(outcome) == 1, logits, -np.asarray(logits))
    return -np.logaddexp(0, -signed).sum(axis=-1)


def check_bound(lower_bound, v, W, a, b, log_p_h=None):
    h = np.array(list(product([0, 1], repeat=len(b))))
    own = h @ b + np.logaddexp(0, a + h @ W.T).sum(axis=1)
    own = own - np.logaddexp.reduce(own)
    given = own if log_p_h is None else log_p_h
    with np.errstate(all="ignore"):
        found = checks.call(lower_bound, v, W, a, b, given, see=SEE_BOUND)
    log_q = np.array([[_log_bernoulli(state, b + row @ W) for state in h] for row in v])
    log_p_v = np.array([[_log_bernoulli(row, a + W @ state) for state in h] for row in v])
    q, exact = np.exp(log_q), np.logaddexp.reduce(log_p_v + given, axis=1)
    right = (q * (log_p_v + given - log_q)).sum(axis=1)
    likely = {
        "the last term, -ln q, is missing": (q * (log_p_v + given)).sum(axis=1),
        "the sign of ln q is turned round": (q * (log_p_v + given + log_q)).sum(axis=1),
        "what the layers above think, ln p(h), is missing": (q * (log_p_v - log_q)).sum(axis=1),
        "a mean over the states of h: q is the weight": (log_p_v + given - log_q).mean(axis=1),
        "this is ln p(v) itself; the bound is a mean of logarithms": exact,
        "summed over the rows, too": right.sum(),
    }
    likely = {
        cause: value
        for cause, value in likely.items()
        if np.shape(value) != right.shape or not np.allclose(value, right)
    }
    what = f"the bound with {'its own p(h)' if log_p_h is None else 'another p(h)'}"
    checks.array(found, right, what, SEE_BOUND, likely, rtol=1e-4, atol=1e-6)
    checks.that(
        np.all(np.asarray(found) <= exact + 1e-4),
        f"{what} should be at most ln p(v), {exact}, but it is {found}",
        SEE_BOUND,
    )


def check_complete(complete, n, given, frames, voices, symbols, rounds, rng):
    shape = n, frames, voices, symbols
    draws = [
        np.eye(symbols)[rng.integers(0, symbols, shape[:3])].reshape(n, -1)
        for _ in range(rounds + 1)
    ]
    v, asked = draws.pop(), []

    def one_round(rows):
        checks.that(
            np.shape(rows) == v.shape,
            f"one_round was given shape {np.shape(rows)}, not {v.shape}",
            SEE_PRIMER,
        )
        checks.that(
            len(asked) < rounds, f"one_round was called more than {rounds} times", SEE_PRIMER
        )
        asked.append(np.array(rows))
        return draws[len(asked) - 1].copy()

    found = checks.call(
        complete, v, given, frames, voices, symbols, rounds, one_round, see=SEE_PRIMER
    )
    what = f"{given} of {frames} frames known, {rounds} rounds"
    checks.that(
        len(asked) == rounds or (given == frames and not asked),
        f"one_round was called {len(asked)} times: expected {rounds}, with {what}",
        SEE_PRIMER,
    )
    wanted = [v]
    for drawn in draws:
        cells = drawn.reshape(shape).copy()
        cells[:, :given] = v.reshape(shape)[:, :given]
        wanted.append(cells.reshape(n, -1))
    striped = np.tile(np.arange(frames) < given, voices * symbols)
    turned = np.repeat(np.arange(frames) >= given, voices * symbols)
    for t, (got, right) in enumerate(zip([*asked, found], wanted)):
        drawn = v if t == 0 else draws[t - 1]
        mistakes = {
            "the primer was not put back": drawn,
            "the mask runs in the wrong order: a frame's units are neighbours in a row": np.where(
                striped, v, drawn
            ),
            "known and unknown are swapped": np.where(turned, v, drawn),
            "unknown cells start empty: the first round starts from v": np.where(~turned, v, 0),
        }
        likely = {
            cause: value for cause, value in mistakes.items() if not np.array_equal(value, right)
        }
        name = "the result" if t == rounds else f"what round {t + 1} starts from"
        checks.array(got, right, f"{name}, with {what}", SEE_PRIMER, likely)


@lesson.exercise(points=4, ready_made=("musiclab.models.energy.softmax_rbm.softmax_probs",))
def cells(cell_probs):
    rng = np.random.default_rng(13)
    check_cells(cell_probs, 3, 2, 3, 4, 1.0, rng)
    check_cells(cell_probs, 2, 4, 3, 2, 0.5, rng)
    check_cells(cell_probs, 1, 3, 4, 2, 1.0, rng, scale=200.0)
    check_cells(cell_probs, 3, 2, 3, 2, 0.001, rng)
    check_cells(cell_probs, 2, 1, 5, 3, 30.0, rng)
    check_cells(cell_probs, 2, 2, 3, 2, 100.0, rng, scale=500.0)
    check_cells(cell_probs, 2, 2, 3, 2, 0.0009, rng, scale=0.0)


@lesson.exercise(points=5, ready_made=("musiclab.models.energy.dbn_bound.variational_bound",))
def bound(lower_bound):
    rng = np.random.default_rng(23)
    check_bound(
        lower_bound,
        np.array([[1.0, 0.0]]),
        np.array([[1.0], [-1.0]]),
        np.array([0.0, 0.5]),
        np.array([0.2]),
    )
    machine = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    rows = rng.integers(0, 2, (5, 4)).astype(float)
    check_bound(lower_bound, rows, *machine)
    check_bound(lower_bound, rows, *machine, np.log(rng.dirichlet(np.ones(8))))
    check_bound(lower_bound, rows[:1], *machine)
    check_bound(lower_bound, rows, *(5 * part for part in machine))


@lesson.exercise(points=4)
def primer(complete):
    rng = np.random.default_rng(33)
    check_complete(complete, 2, 2, 4, 3, 5, 3, rng)
    check_complete(complete, 3, 1, 5, 2, 3, 2, rng)
    check_complete(complete, 1, 3, 4, 2, 3, 1, rng)
    check_complete(complete, 1, 1, 3, 1, 3, 150, rng)
