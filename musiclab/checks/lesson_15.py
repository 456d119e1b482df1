"""Checks of the exercises of lesson 15."""

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("15_transformer")

SEE_ATTENTION = "lesson 15, section 'Attention by hand'"
SEE_MASK = "lesson 15, section 'Nothing from the future'"
SEE_POSITIONS = "lesson 15, section 'Positions'"
SEE_HEADS = "lesson 15, section 'From attention to a block'"
SEE_CACHE = "lesson 15, section 'Writing with a cache'"


def _mean(q, k, v, scale, seen, bias=0.0):
    """Attention row by row, with a mask of bools (T, T)."""
    rows = []
    for i, query in enumerate(q):
        scores = (k @ query) * scale + np.broadcast_to(bias, seen.shape)[i]
        weights = np.exp(np.where(seen[i], scores - scores[seen[i]].max(), -np.inf))
        rows.append(weights @ v / weights.sum())
    return np.array(rows)


def _differ(mistakes, right):
    return {
        cause: value
        for cause, value in mistakes.items()
        if not np.allclose(value, right, rtol=1e-4, atol=1e-6)
    }


def examine_attention(attend, q, k, v, table):
    T, W = len(q), len(table)
    found = checks.call(attend, q, k, v, table, see=SEE_ATTENTION)
    distance = np.arange(T)[:, None] - np.arange(T)
    past, scale = (distance >= 0) & (distance < W), 1 / np.sqrt(q.shape[1])
    bias = table[np.clip(abs(distance), 0, W - 1)]
    right = _mean(q, k, v, scale, past, bias)
    mistakes = {
        "the scores are not divided by the root of d": _mean(q, k, v, 1.0, past, bias),
        "they are divided by d, not by its root": _mean(q, k, v, scale**2, past, bias),
        "later tokens are seen": _mean(q, k, v, scale, abs(distance) < W, bias),
        "tokens further back than the table reaches are seen": _mean(
            q, k, v, scale, distance >= 0, bias
        ),
        "the bias is missing": _mean(q, k, v, scale, past),
        "the table is read backwards: its first number is for distance 0": _mean(
            q, k, v, scale, past, np.where(past, table[W - 1 - np.clip(distance, 0, W - 1)], 0.0)
        ),
        "the bias is subtracted": _mean(q, k, v, scale, past, -bias),
    }
    what = f"attention of {T} tokens with a table of {W} distances"
    checks.array(found, right, what, SEE_MASK, _differ(mistakes, right), rtol=1e-5, atol=1e-8)


def examine_turn(turn, x, positions):
    found = checks.call(turn, x, positions, see=SEE_POSITIONS)
    half = x.shape[1] // 2

    def turned(sign=1, root=half, x=x, positions=positions):
        pairs = x[:, :half] + 1j * x[:, half:]
        angles = np.outer(positions, 1000.0 ** (-np.arange(half) / root))
        pairs = pairs * np.exp(sign * 1j * angles)
        return np.concatenate([pairs.real, pairs.imag], axis=1)

    right, order = turned(), np.argsort([*range(0, 2 * half, 2), *range(1, 2 * half, 2)])
    beside = np.argsort(order)  # columns 0, 2, ... and then 1, 3, ...
    mistakes = {
        "turned the other way": turned(sign=-1),
        "the speeds fall too slowly: the exponent is -j / (d / 2)": turned(root=2 * half),
        "neighbouring columns are paired: column j goes with j + d / 2": turned(x=x[:, beside])[
            :, order
        ],
        "the rows are numbered from 0: turn each by its position": turned(
            positions=np.arange(len(x))
        ),
        "nothing was turned": x,
    }
    what = f"{len(x)} rows of {x.shape[1]} columns at positions {positions[0]} to {positions[-1]}"
    checks.array(found, right, what, SEE_POSITIONS, _differ(mistakes, right), rtol=1e-5, atol=1e-8)


def examine_heads(heads, x, W_QKV, W_O, H):
    T, D = x.shape
    found = checks.call(heads, x, W_QKV, W_O, H, see=SEE_HEADS)
    past, all_seen = np.tril(np.ones((T, T), bool)), np.ones((T, T), bool)
    parts = (x @ W_QKV).reshape(T, H, 3, D // H)

    right_scale = np.sqrt(H / D)

    def joined(scale=right_scale, seen=past, after=False, mixed=False):
        outs = []
        for h in range(H):
            q, k, v = parts[:, h, 0], parts[:, h, 1], parts[:, h, 2]
            if after:
                weights = _mean(q, k, np.eye(T), scale, all_seen) * past
                outs.append(weights @ v)
            else:
                outs.append(_mean(q, k, v, scale, seen))
        side = np.stack(outs) if mixed else np.stack(outs, axis=1)
        return side.reshape(T, D) @ W_O

    right = joined()
    mistakes = {
        "the mask is applied after the softmax: the weights no longer sum to 1": joined(after=True),
        "later tokens are seen": joined(seen=all_seen),
        "the scores are divided by the root of D; each head has D / H units": joined(
            scale=1 / np.sqrt(D)
        ),
        "the heads are joined one below the other, not side by side for each token": joined(
            mixed=True
        ),
    }
    what = f"{H} heads over {T} tokens of {D} units"
    checks.array(found, right, what, SEE_HEADS, _differ(mistakes, right), rtol=1e-5, atol=1e-8)


def examine_cache(step, q, k, v, window):
    """Token after token, against attention over the whole window."""
    T = len(q)
    cache = np.zeros((0, k.shape[1])), np.zeros((0, v.shape[1]))
    distance = np.arange(T)[:, None] - np.arange(T)
    scale = 1 / np.sqrt(q.shape[1])
    right = _mean(q, k, v, scale, (distance >= 0) & (distance < window))
    mistakes = {
        "the token does not see itself": _late(q, k, v, scale, window),
        "more than window tokens are seen: the newest is one of them, the oldest falls out": _mean(
            q, k, v, scale, (distance >= 0) & (distance <= window)
        ),
        "the scores are not divided by the root of d": _mean(
            q, k, v, 1.0, (distance >= 0) & (distance < window)
        ),
    }
    for t in range(T):
        found = checks.call(step, q[t], k[t], v[t], cache, window, see=SEE_CACHE)
        words = "step should return the output and the cache, but it returned {} things"
        checks.several(found, 2, "the result of step", words, SEE_CACHE)
        out, cache = found
        likely = _differ({cause: value[t] for cause, value in mistakes.items()}, right[t])
        checks.array(out, right[t], f"token {t + 1} of {T}, window {window}", SEE_CACHE, likely)
        words = "the cache should be keys and values, but it has {} parts"
        checks.several(cache, 2, "the cache", words, SEE_CACHE)
        first = max(0, t + 1 - window)
        for name, part, whole in zip(("keys", "values"), cache, (k, v)):
            what = f"the {name} kept after token {t + 1}, window {window}"
            checks.array(part, whole[first : t + 1], what, SEE_CACHE)
        cache = tuple(np.array(part, float) for part in cache)


def _late(q, k, v, scale, window):
    rows = [v[0]]
    for t in range(1, len(q)):
        first = max(0, t - window)
        rows.append(
            _mean(q[t : t + 1], k[first:t], v[first:t], scale, np.ones((1, t - first), bool))[0]
        )
    return np.array(rows)


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.models.attention.attention.attention",
        "musiclab.models.attention.attention.multi_head",
    ),
)
def attention(attend):
    rng = np.random.default_rng(15)
    for T, d, width, W in ((3, 2, 2, 3), (6, 4, 3, 8), (7, 5, 1, 3), (1, 2, 4, 2)):
        q, k = rng.normal(size=(2, T, d))
        examine_attention(attend, q, k, rng.normal(size=(T, width)), rng.normal(size=W))
    q, k = 60 * rng.normal(size=(2, 5, 4))
    examine_attention(attend, q, k, rng.normal(size=(5, 2)), rng.normal(size=5))


@lesson.exercise(points=3, ready_made=("musiclab.models.attention.attention.rotate",))
def rotary(turn):
    rng = np.random.default_rng(25)
    for T, d, start in ((3, 4, 0), (4, 8, 100), (1, 2, 5)):
        examine_turn(turn, rng.normal(size=(T, d)), np.arange(start, start + T))


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.models.attention.attention.attention",
        "musiclab.models.attention.attention.multi_head",
    ),
)
def heads(several_heads):
    rng = np.random.default_rng(35)
    for T, D, H in ((4, 6, 2), (3, 4, 1), (5, 6, 3), (1, 4, 2)):
        W_QKV, W_O = rng.normal(size=(D, 3 * D)), rng.normal(size=(D, D))
        examine_heads(several_heads, rng.normal(size=(T, D)), W_QKV, W_O, H)


@lesson.exercise(points=3, ready_made=("musiclab.models.attention.attention.attention",))
def cache(step):
    rng = np.random.default_rng(45)
    for T, d, width, window in ((5, 3, 2, 5), (6, 2, 4, 3), (4, 4, 1, 1)):
        q, k = rng.normal(size=(2, T, d))
        examine_cache(step, q, k, rng.normal(size=(T, width)), window)
    q, k = 60 * rng.normal(size=(2, 4, 3))
    examine_cache(step, q, k, rng.normal(size=(4, 2)), 4)
