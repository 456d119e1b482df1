"""Checks of the exercises of lesson 19."""

from itertools import pairwise

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("19_beyond_one_laptop", written=3)

SEE_WORKERS = "lesson 19, section 'Several workers'"
SEE_SHARDS = "lesson 19, section 'A folder becomes a collection'"
SEE_CHECKPOINT = "lesson 19, the paragraph on checkpoints in section 'Several workers'"
SEE_LAW = "lesson 19, section 'How much would more data help?'"
RATE = 0.1


def _other(causes, right):
    """The causes whose results differ from the right one."""
    return {
        cause: wrong
        for cause, wrong in causes.items()
        if np.shape(wrong) != np.shape(right) or not np.allclose(wrong, right)
    }


def shares(rng, sizes, shapes=((3,), (2, 4), ())):
    """Gradients of each sample, and what the workers hand in: their means, NaN without samples."""
    of_samples = [rng.normal(1, 3, (sum(sizes), *shape)) for shape in shapes]
    ends = np.cumsum([0, *sizes])
    means = [
        [
            g[start:stop].mean(axis=0) if stop > start else np.full(g.shape[1:], np.nan)
            for g in of_samples
        ]
        for start, stop in pairwise(ends)
    ]
    return of_samples, means


def examine_reduce(whole_gradient, rng, sizes, **shapes):
    of_samples, means = shares(rng, sizes, **shapes)
    found = checks.call(whole_gradient, means, np.array(sizes), see=SEE_WORKERS)
    K = len(of_samples)
    words = f"whole_gradient should return one array for each of {K}, but it returned {{}}"
    checks.several(found, K, "the result of whole_gradient", words, SEE_WORKERS)
    for i, samples in enumerate(of_samples):
        right = np.add.reduce(samples) / len(samples)
        worker_means = [one[i] for one, size in zip(means, sizes) if size]
        causes = {
            "the mean of the workers' means: a worker with more samples counts for more": np.mean(
                worker_means, axis=0
            ),
            "the means were added without weights": np.sum(worker_means, axis=0),
            "the sum over samples: divide by the size of the whole batch": right * len(samples),
            "divided by the number of workers instead of samples": right
            * len(samples)
            / len(sizes),
            "a worker without samples, whose mean is 0 / 0, must not take part": np.full_like(
                right, np.nan
            ),
        }
        what = f"gradient {i} of shape {right.shape}, shares of {', '.join(map(str, sizes))}"
        checks.array(found[i], right, what, SEE_WORKERS, _other(causes, right))


def examine_starts(window_starts, offsets, length):
    found = checks.call(window_starts, np.array(offsets), length, see=SEE_SHARDS)
    words = "window_starts should return two arrays, but it returned {} things"
    checks.several(found, 2, "the result of window_starts", words, SEE_SHARDS)

    def pairs(reach):
        return np.array(
            [
                (row, piece)
                for piece, (start, stop) in enumerate(pairwise(offsets))
                for row in range(start, stop)
                if row + reach <= stop
            ],
            int,
        ).reshape(-1, 2)

    right = pairs(length)
    local = right[:, 0] - np.asarray(offsets)[right[:, 1]]
    causes = {
        "windows cross from one piece into the next": np.arange(max(0, offsets[-1] - length + 1)),
        "the last window of each piece is missing": pairs(length + 1)[:, 0],
        "one window too many: it ends after its piece": pairs(length - 1)[:, 0],
        "rows are counted from the start of the piece, not of the shard": local,
        "windows may overlap: every row that fits is a start": right[local % length == 0, 0],
    }
    what = f"starts of windows of {length} rows, offsets {', '.join(map(str, offsets))}"
    checks.array(found[0], right[:, 0], what, SEE_SHARDS, _other(causes, right[:, 0]))
    ends = np.asarray(offsets)
    causes = {
        "pieces are counted from 0": right[:, 1] + 1,
        "a piece without rows was taken for the one that starts at the same row": np.searchsorted(
            ends, right[:, 0], side="left"
        ),
    }
    what = f"pieces of these starts, offsets {', '.join(map(str, offsets))}"
    checks.array(found[1], right[:, 1], what, SEE_SHARDS, _other(causes, right[:, 1]))


def _quadratic(rng, size, steps, scale):
    """Gradient of a quadratic loss with other samples at each step, and the list of steps asked for."""
    targets, asked = rng.normal(size=(steps + 1, size)), []

    def gradient(w, t):
        asked.append(int(t))
        return scale * (np.asarray(w) - targets[t]) * np.arange(1, len(w) + 1)

    return gradient, asked


def _adam(gradient, w, steps, m=0.0, v=0.0, first=0, asked=0):
    """Adam's steps after `first`, with the samples of the steps after `asked`."""
    for t in range(1, steps + 1):
        g = gradient(w, asked + t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        tall, wide = m / (1 - 0.9 ** (first + t)), v / (1 - 0.999 ** (first + t))
        w = w - RATE * tall / (np.sqrt(wide) + 1e-7)
    return w, m, v


def examine_resume(train, rng, size, parts, scale=2.0):
    steps, w = sum(parts), rng.normal(size=size)
    gradient, steps_asked = _quadratic(rng, size, steps, scale)
    right = _adam(gradient, w, steps)[0]
    half, m, v = _adam(gradient, w, parts[0])
    rest, done = steps - parts[0], parts[0]

    def resumed(**kept):
        return _adam(gradient, half, rest, **kept)[0]

    causes = {
        "the running mean v of the squares was not kept": resumed(m=m, first=done, asked=done),
        "the running mean m was not kept": resumed(v=v, first=done, asked=done),
        "neither m nor v was kept": resumed(first=done, asked=done),
        "the steps are counted from 1 again, so that samples come a second time": resumed(m=m, v=v),
        "m and v begin anew, and so does the count of the steps": resumed(),
        "the count begins anew in the correction of m and v": resumed(m=m, v=v, asked=done),
        "the samples begin anew": resumed(m=m, v=v, first=done),
        "it went on from the weights given, not from those of the checkpoint": _adam(
            gradient, w, rest, m, v, done, done
        )[0],
    }
    steps_asked.clear()
    saved, kept = None, []
    for part in parts:
        saved = _called(train, gradient, w if saved is None else np.zeros(size), part, saved)
        kept.append(saved)
    what = f"the weights after {' + '.join(map(str, parts))} steps"
    causes = _other(causes, right) if len(parts) > 1 else {}
    checks.array(saved["w"], right, what, SEE_CHECKPOINT, causes, rtol=1e-6, atol=1e-9)
    checks.that(
        steps_asked == list(range(1, steps + 1)),
        f"train should ask for the gradients of steps 1 to {steps}, each once, but it asked for those of {steps_asked}",
        SEE_CHECKPOINT,
    )
    if len(parts) > 1:  # an older checkpoint still is what it was
        again = _called(train, gradient, np.zeros(size), rest, kept[0])
        what = f"the weights after {parts[0]} + {rest} steps, from the first checkpoint once more"
        cause = {"something is kept outside of the checkpoint, or changed in it": again["w"]}
        checks.array(again["w"], right, what, SEE_CHECKPOINT, cause, rtol=1e-6, atol=1e-9)


def _called(train, gradient, w, steps, saved):
    found = checks.call(train, gradient, w, steps, saved, see=SEE_CHECKPOINT)
    checks.kind(found, dict, "the checkpoint that train returns", SEE_CHECKPOINT)
    checks.that("w" in found, 'the checkpoint should hold the weights as "w"', SEE_CHECKPOINT)
    return found


def examine_law(power_law, D, L, t):
    found = checks.call(power_law, np.array(D), np.array(L), t, see=SEE_LAW)
    words = "power_law should return a, b, low and high, but it returned {} things"
    checks.several(found, 4, "the result of power_law", words, SEE_LAW)
    n, X = len(D), np.stack([np.ones(len(D)), -np.log(D)], axis=1)
    (ln_a, b), *_ = np.linalg.lstsq(X, np.log(L), rcond=None)
    rest = np.log(L) - X @ [ln_a, b]
    wide = np.sqrt(np.linalg.inv(X.T @ X)[1, 1])
    error = np.sqrt(np.sum(rest**2) / (n - 2)) * wide
    straight = np.polyfit(D, L, 1)
    what = f"of {n} points"
    causes = {
        "this is ln a": ln_a,
        "logarithms to base 10 need 10 ** log10 a": np.exp(ln_a / np.log(10)),
        "the line was fitted to D and L themselves, not to their logarithms": straight[1],
    }
    checks.number(
        found[0], np.exp(ln_a), f"the scale a {what}", SEE_LAW, _other(causes, np.exp(ln_a))
    )
    causes = {
        "b is minus the gradient of the line": -b,
        "the line was fitted to D and L themselves, not to their logarithms": -straight[0],
        "ln D was fitted against ln L": -np.polyfit(np.log(L), np.log(D), 1)[0],
        "a line through the first and last point only": -np.log(L[-1] / L[0])
        / np.log(D[-1] / D[0]),
    }
    checks.number(found[1], b, f"the exponent b {what}", SEE_LAW, _other(causes, b))
    for place, (name, sign) in enumerate((("low", -1), ("high", 1)), start=2):
        right = b + sign * t * error
        causes = {
            "the squares are divided by n - 2: two numbers were fitted": b
            + sign * t * error * np.sqrt((n - 2) / n),
            "the squares are divided by n - 2, not n - 1": b
            + sign * t * error * np.sqrt((n - 2) / (n - 1)),
            "this is one standard error; the interval has t of them": b + sign * error,
            "this is the scatter about the line, not the standard error of b": b
            + sign * t * error / wide,
            "the ends are exchanged": b - sign * t * error,
        }
        checks.number(found[place], right, f"{name} {what}", SEE_LAW, _other(causes, right))


def curve(rng, n, a, b, noise, spread=4):
    """Points (D, L) about a power law, in no order."""
    D = np.exp(rng.uniform(3, 3 + spread, n))
    return D, a * D**-b * np.exp(rng.normal(0, noise, n))


@lesson.exercise(points=3)
def reduce(whole_gradient):
    rng = np.random.default_rng(191)
    examine_reduce(whole_gradient, rng, (2, 2))
    examine_reduce(whole_gradient, rng, (1, 3))
    examine_reduce(whole_gradient, rng, (3, 3, 3, 1), shapes=((2, 2),))
    examine_reduce(whole_gradient, rng, (4, 3, 0))


@lesson.exercise(points=4)
def starts(window_starts):
    examine_starts(window_starts, [0, 5, 9], 3)
    examine_starts(window_starts, [0, 2, 8, 9], 4)
    examine_starts(window_starts, [0, 3, 3, 6], 3)
    examine_starts(window_starts, [0, 2], 5)


@lesson.exercise(points=4)
def resume(train):
    rng = np.random.default_rng(193)
    examine_resume(train, rng, 3, (5,))
    examine_resume(train, rng, 3, (3, 4))
    examine_resume(train, rng, 2, (1, 2, 4))
    examine_resume(train, rng, 3, (2, 2), scale=1e-6)


@lesson.exercise(points=4, ready_made=("musiclab.metrics.power_law.fit_power_law",))
def law(power_law):
    rng = np.random.default_rng(194)
    examine_law(power_law, *curve(rng, 6, 20.0, 0.3, 0.05), 2.776)
    examine_law(power_law, *curve(rng, 3, 4.0, 0.5, 0.2), 12.706)
    examine_law(power_law, *curve(rng, 30, 0.5, -0.2, 0.1), 2.048)
