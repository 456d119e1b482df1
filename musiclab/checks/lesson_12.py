"""Checks of the exercises of lesson 12."""

from itertools import product

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson

lesson = Lesson("12_restricted_boltzmann_machine", written=4)

SEE_KEY = "lesson 12, section 'Two keys, two hidden units'"
SEE_CHAIN, SEE_P_CHAIN = (
    "lesson 12, section 'Gibbs sampling'",
    "lesson 12, section 'Two keys, two hidden units'",
)
SEE_CD, SEE_TWO_CD = (
    "lesson 12, section 'Contrastive divergence'",
    "lesson 12, section 'Two phases'",
)


def _listed(states, v, W, a, b):
    """ln of the sum over all hidden states of exp(-E(v, h)), by a list of them: (n,)."""
    rows = []
    for row in np.asarray(v, float):
        energies = [-(row @ a) - h @ b - row @ W @ h for h in states(len(b))]
        rows.append(np.logaddexp.reduce(-np.array(energies)))
    return np.array(rows)


def check_key(key_given_others, states, v, i, W, a, b):
    with np.errstate(all="ignore"):
        found = checks.call(key_given_others, v, i, W, a, b, see=SEE_KEY)
        without, with_it = (
            _listed(states, np.where(np.arange(len(a)) == i, one, v), W, a, b) for one in (0, 1)
        )
        rise = with_it - without
        right = 1 / (1 + np.exp(-rise))
        h = 1 / (1 + np.exp(-(b + v @ W)))
        likely = {
            "the difference is turned round: low free energy means likely": 1 - right,
            "the probability of what v holds there, not of 1": np.where(
                v[:, i] == 1, right, 1 - right
            ),
            "the hidden units were replaced by their probabilities: here they must be summed away": 1
            / (1 + np.exp(-(a[i] + h @ W[i]))),
            "the visible bias is missing": 1 / (1 + np.exp(a[i] - rise)),
        }
    likely = {
        cause: value
        for cause, value in likely.items()
        if np.isfinite(value).all() and not np.allclose(value, right)
    }
    checks.array(found, right, f"p(v_{i} = 1 | the others)", SEE_KEY, likely)


def _joint(W, a, b):
    """p(v, h) of all states by their energies, (2^V, 2^H)."""
    V, H = W.shape
    minus_E = np.array([[np.dot(v, a) + np.dot(h, b) + np.dot(np.dot(v, W), h) for h in product([0, 1], repeat=H)]
                        for v in product([0, 1], repeat=V)])  # fmt: skip
    p = np.exp(minus_E - minus_E.max())
    return p / p.sum()


def check_table(gibbs_table, W, a, b):
    found = checks.call(gibbs_table, W, a, b, see=SEE_CHAIN)
    p = _joint(W, a, b)
    up, down = p / p.sum(axis=1, keepdims=True), p / p.sum(axis=0)
    right = np.einsum("rh,sh->rs", up, down)
    v, h = (np.array(list(product([0, 1], repeat=n))) for n in W.shape)
    on = 1 / (1 + np.exp(-(a + 1 / (1 + np.exp(-(b + v @ W))) @ W.T)))
    ups, downs = (1 / (1 + np.exp(-x)) for x in (b + v @ W, a + h @ W.T))
    likely = {
        "from and to are swapped: rows are where the chain is now": right.T,
        "all hidden states count alike: weigh them by p(h | v)": np.full_like(up, 1 / len(h))
        @ down.T,
        "hidden units passed on their probabilities: sum over their states": np.array(
            [[np.prod(np.where(s == 1, row, 1 - row)) for s in v] for row in on]
        ),
        "only units that are on were counted: one that is off has probability 1 - p": np.prod(
            np.where(h == 1, ups[:, None], 1), axis=2
        )
        @ np.prod(np.where(v == 1, downs[:, None], 1), axis=2),
        "each row is where the chain is after for ever, not after one step": np.tile(
            p.sum(axis=1), (len(v), 1)
        ),
    }
    likely = {cause: value for cause, value in likely.items() if not np.allclose(value, right)}
    checks.array(
        found,
        right,
        f"the table for {W.shape[0]} visible and {W.shape[1]} hidden units",
        SEE_CHAIN,
        likely,
    )
    found = np.asarray(found)
    checks.array(found.sum(axis=1), np.ones(len(v)), "the sum of each row", SEE_CHAIN)
    checks.array(
        p.sum(axis=1) @ found,
        p.sum(axis=1),
        "the machine's own p(v) after one more step: it stays",
        SEE_P_CHAIN,
    )


def _rebuilt(v, W, a, b, k, draw, passed=lambda probs: None, start_h=False):
    """Chain row by row; `passed` draws hidden units, None for `draw` as for visible ones."""

    def p(x):
        return 1 / (1 + np.exp(-x))

    n, (_V, _H) = len(v), W.shape

    def up(rows):
        return p(b + np.einsum("nv,vh->nh", rows, W))

    now = v
    for _ in range(k):
        h = passed(up(now))
        h = draw(up(now)) if h is None else h
        now = draw(p(a + np.einsum("nh,vh->nv", h, W)))
    h, last = up(v), up(v) if start_h else up(now)
    means = [np.einsum("nv,nh->vh", x, y) / n for x, y in ((v, h), (now, last))]
    return means[0] - means[1], (v - now).mean(axis=0), (h - last).mean(axis=0)


def check_cd(cd_step, n, V, H, k, rng, scale=1.0):
    thresholds = {shape: rng.uniform(0.05, 0.95, shape) for shape in ((n, V), (n, H))}

    def draw(probs):
        shape = np.shape(probs)
        checks.that(
            shape in thresholds,
            f"draw was given shape {shape}: expected (n, V) or (n, H), of {(n, V, H)}",
            SEE_CD,
        )
        return (np.asarray(probs) > thresholds[shape]).astype(float)

    v = rng.integers(0, 2, (n, V)).astype(float)
    W, a, b = scale * rng.normal(size=(V, H)), rng.normal(size=V), rng.normal(size=H)
    found = checks.call(cd_step, v, W, a, b, k, draw, see=SEE_CD)
    checks.several(
        found,
        3,
        "the result of cd_step",
        "cd_step should return dW, da and db, but it returned {} things",
        SEE_CD,
    )
    right = _rebuilt(v, W, a, b, k, draw)
    mistakes = {
        "positive and negative phase are swapped: this goes down the likelihood": [
            -part for part in right
        ],
        "hidden units passed on their probabilities instead of a draw": _rebuilt(
            v, W, a, b, k, draw, np.array
        ),
        "probabilities travelled in the whole chain: nothing was drawn": _rebuilt(
            v, W, a, b, k, np.array
        ),
        "the negative phase pairs the chain's v with the data's h": _rebuilt(
            v, W, a, b, k, draw, start_h=True
        ),
        "the chain made one step too many": _rebuilt(v, W, a, b, k + 1, draw),
        "sums over the rows instead of means": [n * part for part in right],
    }
    if k > 1:
        mistakes["the chain made one step only, not k"] = _rebuilt(v, W, a, b, 1, draw)
    for place, name in enumerate(("dW", "da", "db")):
        likely = {cause: value[place] for cause, value in mistakes.items()}
        likely = {
            cause: value for cause, value in likely.items() if not np.allclose(value, right[place])
        }
        where = SEE_CD if place else SEE_TWO_CD
        checks.array(found[place], right[place], f"{name} with k = {k}", where, likely)


def check_gap(free_energy_gap, n, m, V, H, scale, rng):
    see = "lesson 12, section 'A machine of chords'"
    W, a, b = (
        scale * rng.normal(size=(V, H)),
        scale * rng.normal(size=V),
        scale * rng.normal(size=H),
    )
    train, valid = rng.integers(0, 2, (n, V)), rng.integers(0, 2, (m, V))

    def energies(rows, bias=a, hidden=b):
        found = []
        for row in rows:
            inputs = [hidden[j] + sum(row[i] * W[i, j] for i in range(V)) for j in range(H)]
            softplus = sum(max(x, 0.0) + np.log1p(np.exp(-abs(x))) for x in inputs)
            found.append(-sum(row * bias) - softplus)
        return np.array(found)

    with np.errstate(all="ignore"):
        found = checks.call(free_energy_gap, train, valid, W, a, b, see=see)
    right = energies(valid).mean() - energies(train).mean()
    likely = {
        "training less validation: the gap is the other way round": -right,
        "sums instead of means: the sets have different sizes": energies(valid).sum()
        - energies(train).sum(),
        "the biases of the visible units are missing": energies(valid, 0 * a).mean()
        - energies(train, 0 * a).mean(),
        "the biases of the hidden units are missing": energies(valid, a, 0 * b).mean()
        - energies(train, a, 0 * b).mean(),
    }
    likely = {cause: wrong for cause, wrong in likely.items() if not np.isclose(wrong, right)}
    what = f"the gap of {m} validation and {n} training frames"
    checks.number(found, right, what, see, likely, rtol=1e-5, atol=1e-7)


@lesson.exercise(points=4)
def key(key_given_others, states):
    rng = np.random.default_rng(12)
    check_key(
        key_given_others,
        states,
        states(2),
        0,
        np.array([[3.0, -2.0], [-2.0, 3.0]]),
        np.array([-1.0, -1.0]),
        np.array([-1.0, -1.0]),
    )
    check_key(
        key_given_others,
        states,
        rng.integers(0, 2, (5, 6)),
        4,
        rng.normal(0, 2, (6, 3)),
        rng.normal(size=6),
        rng.normal(size=3),
    )
    for scale in (1e-3, 30.0):
        W, a, b = (
            scale * rng.normal(size=(4, 3)),
            scale * rng.normal(size=4),
            scale * rng.normal(size=3),
        )
        check_key(key_given_others, states, rng.integers(0, 2, (1, 4)), 2, W, a, b)


@lesson.exercise(points=5)
def chain(gibbs_table):
    rng = np.random.default_rng(21)
    check_table(
        gibbs_table,
        np.array([[3.0, -2.0], [-2.0, 3.0]]),
        np.array([-1.0, -1.0]),
        np.array([-1.0, -1.0]),
    )
    check_table(gibbs_table, rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2))
    check_table(gibbs_table, 4 * rng.normal(size=(2, 3)), rng.normal(size=2), rng.normal(size=3))
    check_table(gibbs_table, rng.normal(size=(1, 1)), rng.normal(size=1), rng.normal(size=1))
    for heavy in (300.0, -300.0):
        check_table(gibbs_table, np.array([[heavy]]), np.zeros(1), np.zeros(1))


@lesson.exercise(points=4, ready_made=("musiclab.models.energy.rbm_functions.cd_gradient",))
def cd(cd_step):
    rng = np.random.default_rng(31)
    check_cd(cd_step, 6, 4, 3, 1, rng)
    check_cd(cd_step, 5, 3, 4, 3, rng)
    check_cd(cd_step, 1, 3, 2, 2, rng)
    check_cd(cd_step, 4, 3, 2, 1, rng, scale=5.0)
    check_cd(cd_step, 3, 2, 2, 9, rng)


@lesson.exercise(points=3)
def free_energy_gap(free_energy_gap):
    rng = np.random.default_rng(41)
    for n, m, V, H, scale in ((4, 4, 3, 2, 1.0), (8, 3, 5, 4, 1.0), (3, 2, 4, 2, 2000.0)):
        check_gap(free_energy_gap, n, m, V, H, scale, rng)
