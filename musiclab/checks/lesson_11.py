"""Checks of the exercises of lesson 11."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson
from musiclab.data.encodings import two_bars

lesson = Lesson("11_recurrent_and_convolutional_gans", written=4)

SEE_CHOICE = "lesson 11, section 'A choice with a gradient'"
SEE_GROUPS = "lesson 11, section 'Three stabilisers'"
SEE_VARIETY, SEE_COLLAPSE_VARIETY = (
    "lesson 11, section 'Training, for a start'",
    "lesson 11, section 'Break it: collapse'",
)


def _softmax_of(logits):
    powers = np.exp(logits - np.max(logits))
    return powers / powers.sum()


def check_choice(choose, logits, g):
    """The reference multiplies by the whole matrix of derivatives, one choice after another."""
    with np.errstate(all="ignore"):
        result = checks.call(choose, logits, g, see=SEE_CHOICE)
    checks.several(
        result,
        2,
        "the result of choose",
        "choose should return y and the gradient, but it returned {} things",
        SEE_CHOICE,
    )
    logits, g = (np.array(values, dtype=float) for values in (logits, g))
    y, p, slope = np.zeros(logits.shape), np.zeros(logits.shape), np.zeros(logits.shape)
    for place in np.ndindex(logits.shape[:-1]):
        p[place] = _softmax_of(logits[place])
        y[(*place, int(np.argmax(logits[place])))] = 1
        slope[place] = (np.diag(p[place]) - np.outer(p[place], p[place])) @ g[place]
    checks.array(
        result[0],
        y,
        "y",
        SEE_CHOICE,
        {"the softmax itself: what is handed on must be the choice": p},
        atol=1e-6,
    )
    mistakes = {
        "this is the derivative of the choice: use the softmax's instead": np.zeros(slope.shape),
        "g is handed on as it is, not through the softmax": g,
        "a logit also makes all the other p smaller: subtract the mean of g, weighted by p": p * g,
        "the derivative is taken at the choice, not at p": y
        * (g - (y * g).sum(axis=-1, keepdims=True)),
        "the mean of g is weighted by the choice, not by p": p
        * (g - (y * g).sum(axis=-1, keepdims=True)),
        "one sum over all choices, where each has its own": p * (g - (p * g).sum()),
        "the sign of a descent step: only the gradient is asked for": -slope,
    }
    likely = {
        cause: wrong
        for cause, wrong in mistakes.items()
        if not np.allclose(wrong, slope, rtol=1e-4)
    }
    checks.array(result[1], slope, "the gradient", SEE_CHOICE, likely, rtol=1e-4, atol=1e-6)


def _sigma_of(rows):
    """Eq. (11.4) entry by entry."""
    total = 0.0
    for j in range(rows.shape[1]):
        mean = sum(rows[:, j]) / len(rows)
        total += (sum((value - mean) ** 2 for value in rows[:, j]) / len(rows)) ** 0.5
    return total / rows.shape[1]


def check_deviations(deviations, f, m):
    with np.errstate(all="ignore"):
        found = checks.call(deviations, f, m, see=SEE_GROUPS)
    f = np.asarray(f, float)
    n, size = len(f), m if len(f) % m == 0 else len(f)
    wanted = np.array([[_sigma_of(f[i - i % size : i - i % size + size])] for i in range(n)])
    parts = f.reshape(-1, size, f.shape[1])
    mistakes = {
        "the whole batch is taken for one group": np.full((n, 1), _sigma_of(f)),
        "divided by m - 1 instead of m": wanted * np.sqrt(size / max(size - 1, 0.5)),
        "the variance: its root is missing": np.repeat(parts.var(axis=1).mean(axis=1), size)[
            :, None
        ],
        "the root of the mean variance, not the mean of the roots": np.repeat(
            np.sqrt(parts.var(axis=1).mean(axis=1)), size
        )[:, None],
        "features of one window are compared with each other, not windows": np.repeat(
            parts.std(axis=2).mean(axis=1), size
        )[:, None],
        "the numbers are right, but given to the wrong windows": np.tile(
            parts.std(axis=1).mean(axis=1), size
        )[:, None],
        "every second window, or third, is put in a group: they are the next to one another": np.tile(
            np.array([_sigma_of(f[k :: n // size]) for k in range(n // size)]), size
        )[:, None],
    }
    likely = {
        cause: wrong
        for cause, wrong in mistakes.items()
        if not np.allclose(wrong, wanted, atol=5e-3)
    }
    checks.array(
        found,
        wanted,
        f"what {n} windows in groups of {m} are told",
        SEE_GROUPS,
        likely,
        rtol=1e-4,
        atol=2e-3,
    )


def _distances_of(some, others):
    """All of one set to all of another, by matrix products."""
    a, b = (np.reshape(x, (len(x), -1)).astype(float) for x in (some, others))
    both = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1) - both
    return np.where(either > 0, 1 - both / np.maximum(either, 1), 0.0)


def _mean_of_pairs(some):
    n = len(some)
    return _distances_of(some, some).sum() / (n * (n - 1))


def check_variety(variety_left, generated, real, what):
    with np.errstate(all="ignore"):
        found = checks.call(variety_left, generated, real, see=SEE_VARIETY)
    wanted = _mean_of_pairs(generated) / _mean_of_pairs(real)
    inside, outside = _distances_of(generated, generated), _distances_of(generated, real)
    mistakes = {
        "generated windows are compared with real ones, not with one another": outside.mean()
        / _mean_of_pairs(real),
        "both sets are compared with real windows": outside.mean()
        / _distances_of(real, real).mean(),
        "each window is compared with itself, too, which is always 0": inside.mean()
        / _distances_of(real, real).mean(),
        "generated windows are compared with themselves, too, which is always 0": inside.mean()
        / _mean_of_pairs(real),
        "only neighbours are compared: any two should be": np.diag(inside, 1).mean()
        / np.diag(_distances_of(real, real), 1).mean(),
        "not divided by what real windows have": _mean_of_pairs(generated),
    }
    likely = {cause: wrong for cause, wrong in mistakes.items() if not np.isclose(wrong, wanted)}
    checks.number(found, wanted, what, SEE_COLLAPSE_VARIETY if wanted == 0 else SEE_VARIETY, likely)


@lesson.exercise(points=4, ready_made=("musiclab.models.adversarial.networks.straight_through",))
def choice(choose):
    rng = np.random.default_rng(11)
    check_choice(choose, np.array([1.0, 2.0, 0.5]), np.array([-1.0, 0.0, 0.0]))
    check_choice(choose, rng.normal(size=(2, 4)), rng.normal(size=(2, 4)))
    for _, logits in hard_cases.logits(rng, 3, 5):
        check_choice(choose, logits, rng.normal(size=(3, 5)))
    check_choice(choose, rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 1, 3)))
    for near in (1e-4, 1e-9, 1e-20):
        check_choice(choose, np.array([0.0, near]), np.array([1.0, -2.0]))
    check_choice(
        choose, np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([[100.0, 0.0], [0.0, -4000.0]])
    )


@lesson.exercise(points=4)
def groups(deviations):
    rng = np.random.default_rng(22)
    check_deviations(deviations, np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), 3)
    check_deviations(deviations, 5 * rng.normal(size=(6, 4)) * np.array([1, 0.2, 3, 1]), 3)
    A, B = np.array([0.0, 4.0]), np.array([2.0, 0.0])
    check_deviations(deviations, np.array([A, B, A, B]), 2)
    check_deviations(deviations, np.array([A, A, B, B]), 2)
    check_deviations(deviations, rng.normal(size=(7, 3)), 4)
    check_deviations(deviations, rng.normal(size=(1, 3)), 4)
    check_deviations(deviations, rng.normal(size=(8, 1)), 4)
    check_deviations(deviations, rng.normal(size=(6, 2)) + 100, 2)


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.metrics.similarity.diversity",
        "musiclab.metrics.similarity.pairwise_distances",
    ),
)
def variety(variety_left):
    some = two_bars.piano_rolls(two_bars.load_bars("valid", common_key=True)[::40]) > 0
    np.random.default_rng(33)
    check_variety(
        variety_left,
        some[[3, 3, 3, 3]],
        some[:5],
        "what is left of variety in one window written four times",
    )
    check_variety(variety_left, some[6:9], some[:6], "what 3 real windows have against 6 others")
    silent = np.zeros((1, *some.shape[1:]), bool)
    check_variety(
        variety_left, np.concatenate([silent, some[:2]]), some[:5], "a silent window among them"
    )
    check_variety(variety_left, np.concatenate([silent, silent]), some[:5], "two silent windows")
