"""Checks of the exercises of lesson 16."""

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("16_harmonise")

SEE_ORDERS = "lesson 16, section 'One network for every order'"
SEE_SWEEPS = "lesson 16, section 'Sweep by sweep'"
SEE_TABLE = "lesson 16, section 'The table read as a textbook'"


def differing(causes, right):
    """The causes whose wrong result differs from the right one in this case."""
    return {
        cause: wrong
        for cause, wrong in causes.items()
        if np.shape(wrong) == np.shape(right) and not np.allclose(wrong, right)
    }


def examine_estimate(estimate, log_p, hidden, free):
    seen = [float(x) for x, h in zip(np.ravel(log_p), np.ravel(hidden)) if h]
    count, total = len(seen), sum(seen)
    cells = int(np.sum(free))
    right = cells * total / count
    causes = {
        "D counts the free cells, not all cells": np.size(free) * total / count,
        "the mean is over the hidden cells: divide by their number": cells * total,
        "the mean over the hidden cells has to be multiplied by D": total / count,
        "divide by the number of hidden cells, not of free ones": total,
        "the sign: ln p is negative": -right,
    }
    with np.errstate(all="ignore"):
        found = checks.call(estimate, log_p, hidden, free, see=SEE_ORDERS)
    what = f"the estimate from {count} hidden of {cells} free cells"
    checks.number(found, right, what, SEE_ORDERS, differing(causes, right))


def examine_masks(masks, free, u):
    sweeps = len(u)

    def below(share):
        return np.array([u[n] < share(n) for n in range(sweeps)])

    def annealed(n):
        return max(0.05, 1 - n / (0.75 * sweeps))

    right = below(annealed) & free
    causes = {
        "the share never falls below 0.05": below(lambda n: 1 - n / (0.75 * sweeps)) & free,
        "the share falls over three quarters of the sweeps, not over all": free
        & below(lambda n: max(0.05, 1 - n / sweeps)),
        "sweeps are counted from 0": free & below(lambda n: annealed(n + 1)),
        "cells that are not free are never hidden": below(annealed),
        "this says which cells stay": ~right,
        "a cell is hidden where its number is below the share": free & ~right,
    }
    found = checks.call(masks, free, u, see=SEE_SWEEPS)
    causes = {cause: wrong for cause, wrong in causes.items() if not np.array_equal(wrong, right)}
    checks.array(found, right, f"the masks with N = {sweeps}", SEE_SWEEPS, causes)


def examine_move(move, table, upper, lower, s):
    rise, other = upper[1] - upper[0], lower[1] - lower[0]
    motion = 1 if rise * other == 0 else 2 if rise * other > 0 else 0
    before, now = (upper[0] - lower[0]) % 12, (upper[1] - lower[1]) % 12
    entry = table[before, now, motion]
    right = entry * s if motion == 2 else entry
    swapped = table[now, before, motion]
    causes = {
        "the strictness acts in similar motion alone": entry * s,
        "in similar motion the entry is multiplied by s": entry,
        "the interval before is the first index, the one now the second": swapped
        * (s if motion == 2 else 1),
        "contrary and similar motion are swapped": table[before, now, 2 - motion]
        * (s if motion == 2 else 1),
        "the interval goes from the lower voice up to the upper": table[
            -before % 12, -now % 12, motion
        ]
        * (s if motion == 2 else 1),
    }
    found = checks.call(move, table, upper, lower, s, see=SEE_TABLE)
    what = f"the move of {upper} over {lower} with s = {s:g}"
    checks.number(found, right, what, SEE_TABLE, differing(causes, right))


def examine_after(after, joint, p, alpha):
    rows, columns = joint.shape
    first, second = joint.sum(axis=1), joint.sum(axis=0)

    def mixed(both, by_first, by_second, stay=None):
        result = np.zeros(joint.shape)
        for a, b in np.ndindex(rows, columns):
            result[a, b] = alpha**2 * both[a, b]
            result[a, b] += alpha * (1 - alpha) * (by_first[a, b] + by_second[a, b])
            result[a, b] += (1 - alpha) ** 2 * (p if stay is None else stay)[a, b]
        return result

    outer = first[:, None] * second
    by_first = joint / second * p.sum(axis=0)
    by_second = joint / first[:, None] * p.sum(axis=1)[:, None]
    right = mixed(outer, by_first, by_second)
    causes = {
        "cells that are hidden together are drawn independently": mixed(joint, by_first, by_second),
        "hidden cells are drawn by the network, not from what stood there": mixed(
            p.sum(axis=1)[:, None] * p.sum(axis=0), by_first, by_second
        ),
        "the cell that stays has the distribution that it had before the sweep": mixed(
            outer, joint, joint
        ),
        "either of the two cells may be the hidden one": mixed(outer, by_first, 0 * by_second),
        "where nothing is hidden the chord stays as it was": mixed(
            outer, by_first, by_second, joint
        ),
    }
    with np.errstate(all="ignore"):
        found = checks.call(after, joint, p, alpha, see=SEE_SWEEPS)
    what = f"the distribution after a sweep with alpha = {alpha:g}"
    checks.array(found, right, what, SEE_SWEEPS, differing(causes, right), rtol=1e-6, atol=1e-9)


@lesson.exercise(points=3)
def estimate(estimate):
    rng = np.random.default_rng(1601)
    half, free = np.full((2, 2), np.log(0.5)), np.array([[False, True], [False, True]])
    for hidden in (free, free & [[True], [False]]):
        examine_estimate(estimate, half, hidden, free)
    free = np.tile([False, True, True, True], (6, 1))
    hidden = free & (rng.random(free.shape) < 0.4)
    hidden[2, 3] = True
    log_p = -3 * rng.random(free.shape)
    examine_estimate(estimate, log_p, hidden, free)
    examine_estimate(estimate, np.where(hidden, log_p, -np.inf), hidden, free)


@lesson.exercise(points=3, ready_made=("musiclab.models.attention.inpainting.annealed_masks",))
def masks(masks):
    rng = np.random.default_rng(1602)
    free = np.tile([False, True, True, True], (5, 1))
    for sweeps in (4, 1, 9, 60):
        examine_masks(masks, free, rng.random((sweeps, 5, 4)))
    examine_masks(masks, free[:1], np.full((4, 1, 4), 0.05))  # not below the last share
    examine_masks(masks, free[:1, :2], np.array([[[0.0, 0.999]], [[0.33, 0.34]], [[0.04, 0.05]]]))


@lesson.exercise(
    points=4, ready_made=("musiclab.models.recurrent.counterpoint_table.CounterpointTable.logits",)
)
def move(move):
    table = np.random.default_rng(1603).normal(size=(12, 12, 3))
    moves = {  # upper before and now, lower before and now
        "a parallel fifth": ([67, 69], [60, 62]),
        "contrary": ([67, 69], [48, 47]),
        "one stays": ([67, 67], [48, 53]),
        "both stay": ([67, 67], [48, 48]),
        "crossed": ([60, 58], [64, 61]),
        "far apart": ([79, 72], [41, 36]),
    }
    for upper, lower in moves.values():
        for s in (2.5, 1.0, 0.0):
            examine_move(move, table, upper, lower, s)


@lesson.exercise(points=4)
def after(after):
    rng = np.random.default_rng(1604)
    two = np.diag([0.5, 0.5])
    for alpha in (1.0, 2 / 3, 0.05, 0.0):
        examine_after(after, two, np.full((2, 2), 0.25), alpha)
        examine_after(after, two, np.array([[0.7, 0.1], [0.2, 0.0]]), alpha)
    joint, p = rng.dirichlet(np.ones(12), 2).reshape(2, 3, 4)
    examine_after(after, joint, p, 0.4)
    examine_after(after, joint, joint, 0.1)
