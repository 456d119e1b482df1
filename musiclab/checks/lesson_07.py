"""Checks of the exercises of lesson 07."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("07_lstm_gating", written=3)

SHAPES_STEP = {"W_x": ("H", "D"), "W_h": ("H", "H"), "W_c": ("H",), "b_": ("H",)}
SEE_EXPERIMENT = (
    "lesson 07, section 'Three layers, with dropout', and lesson 02 on families of melodies"
)


def random_step(rng, n, D, H, size=1.0):
    names = [
        f"{kind}{gate}"
        for kind in ("W_x", "W_h", "W_c", "b_")
        for gate in "ifco"
        if kind + gate != "W_cc"
    ]
    shape = {"H": H, "D": D}
    w = {name: size * rng.normal(size=[shape[s] for s in SHAPES_STEP[name[:-1]]]) for name in names}
    return rng.normal(size=(n, D)), np.tanh(rng.normal(size=(n, H))), 2 * rng.normal(size=(n, H)), w


def one_by_one(x, h_prev, c_prev, w):
    """Each number by itself: six tables (n, H)."""
    found = np.zeros((6, *h_prev.shape))
    for r, k in np.ndindex(h_prev.shape):
        old = c_prev[r, k]
        a = {
            g: w["b_" + g][k] + sum(w["W_x" + g][k] * x[r]) + sum(w["W_h" + g][k] * h_prev[r])
            for g in "ifco"
        }
        i, f = ((1 + np.tanh((a[g] + w["W_c" + g][k] * old) / 2)) / 2 for g in "if")
        cell = i * np.tanh(a["c"]) + f * old
        o = (1 + np.tanh((a["o"] + w["W_co"][k] * cell) / 2)) / 2
        found[:, r, k] = i, f, np.tanh(a["c"]), cell, o, np.tanh(cell) * o
    return found


def _last_cell(f, written, t=None, nudge=0.0):
    c = np.zeros(f.shape[1])
    for step in range(len(f)):
        c = f[step] * c + written[step] + (nudge if step == t else 0.0)
    return c


def _watched(experiment, families, candidates, seed, scores):
    """Run an experiment on pieces 0, 1, 2, ... with models that write down what they are shown."""
    fitted, asked = [], []

    def fit(candidate, pieces):
        fitted.append((candidate, tuple(pieces)))
        return candidate

    def nats(model, pieces):
        asked.append((model, tuple(pieces)))
        return scores(model, [families[i] for i in pieces])

    result = checks.call(
        experiment,
        list(range(len(families))),
        families,
        candidates,
        fit,
        nats,
        seed,
        see=SEE_EXPERIMENT,
    )
    checks.several(
        result,
        2,
        "the result",
        "expected the candidate chosen and its nats, but {} things were returned",
        SEE_EXPERIMENT,
    )
    checks.that(
        sorted(str(c) for c, _ in fitted) == sorted(map(str, candidates)),
        f"expected each of {list(candidates)} fitted once, but fitted were {[c for c, _ in fitted]}",
        SEE_EXPERIMENT,
    )
    checks.that(
        len({pieces for _, pieces in fitted}) == 1,
        "the candidates were fitted on different pieces",
        SEE_EXPERIMENT,
    )
    return result, set(fitted[0][1]), asked


def check_experiment(experiment, families, candidates, seed, scores):
    (best, figure), train, asked = _watched(experiment, families, candidates, seed, scores)
    tunes = {i: name for i, name in enumerate(families)}
    trained = {tunes[i] for i in train}
    crossing = [tunes[i] for _, pieces in asked for i in pieces if tunes[i] in trained]
    checks.that(
        not crossing,
        f"the tune {crossing[:1]} is in training and is asked about, too. Split families, not pieces",
        SEE_EXPERIMENT,
    )
    parts = {frozenset(pieces) for _, pieces in asked}
    checks.that(
        len(parts) == 2,
        f"expected questions about 2 sets, validation and test, but there were {len(parts)}",
        SEE_EXPERIMENT,
    )
    counts = {part: sum(frozenset(pieces) == part for _, pieces in asked) for part in parts}
    test, valid = sorted(parts, key=counts.get)
    checks.that(
        counts[test] == 1,
        f"each set was asked at least {counts[test]} times. The test set may be asked once, about the model chosen",
        SEE_EXPERIMENT,
    )
    checks.that(not test & valid, "validation and test share pieces", SEE_EXPERIMENT)
    checks.that(
        not {tunes[i] for i in test} & {tunes[i] for i in valid},
        "validation and test share a tune",
        SEE_EXPERIMENT,
    )
    checks.that(
        train | test | valid == set(tunes),
        "some pieces are in none of the three sets",
        SEE_EXPERIMENT,
    )
    fifth = len(set(families)) // 5
    for name, part in (("validation", valid), ("test", test)):
        checks.number(
            len({tunes[i] for i in part}),
            fifth,
            f"the number of tunes in the {name} set",
            SEE_EXPERIMENT,
        )
    means = {c: scores(c, [families[i] for i in sorted(valid)]) for c in candidates}
    checks.that(
        best == min(candidates, key=means.get),
        f"on validation {means} nats; chosen was {best}, which is not the least",
        SEE_EXPERIMENT,
    )
    checks.number(
        figure,
        scores(best, [families[i] for i in sorted(test)]),
        "the nats returned, of the test set",
        SEE_EXPERIMENT,
    )
    return frozenset(test)


def score(model, names):
    """Some number of nats that depends on the model and on the set alone."""
    rng = np.random.default_rng(
        [len(str(model)), *(ord(letter) for letter in str(model) + "".join(sorted(names)))]
    )
    return float(rng.uniform(1, 3))


@lesson.exercise(points=5, ready_made=("musiclab.models.recurrent.numpy_cells.lstm_step",))
def step(lstm_step):
    NAMES = (
        "the input gate",
        "the forget gate",
        "the candidate",
        "the new cell",
        "the output gate",
        "the new hidden state",
    )
    rng = np.random.default_rng(71)
    see = "lesson 07, section 'One gate at a time'"
    for n, D, H in ((2, 3, 2), (4, 2, 3)):
        x, h_prev, c_prev, w = random_step(rng, n, D, H)
        found = checks.call(lstm_step, x, h_prev, c_prev, w, see=see)
        checks.several(
            found, 6, "the result", "lstm_step should return six arrays, but it returned {}", see
        )
        right = one_by_one(x, h_prev, c_prev, w)
        i, f, new, cell, o, _ = right
        blind, late = ({**w, name: 0 * w[name]} for name in ("W_ci", "W_cf"))
        logit = np.log(o / (1 - o))
        likely = [
            {
                "its peephole is missing": one_by_one(x, h_prev, c_prev, blind)[0],
                "input and forget gate are swapped": f,
            },
            {
                "its peephole is missing": one_by_one(x, h_prev, c_prev, late)[1],
                "input and forget gate are swapped": i,
            },
            {"a sigmoid stands where (7.3) has a tanh": 1 / (1 + np.exp(-np.arctanh(new)))},
            {"the gates are swapped": i * c_prev + f * new, "it forgets nothing": c_prev + i * new},
            {
                "it sees the old cell, not the new one": 1
                / (1 + np.exp(-logit - w["W_co"] * (c_prev - cell))),
                "its peephole is missing": 1 / (1 + np.exp(-logit + w["W_co"] * cell)),
            },
            {
                "the tanh of (7.6) is missing": o * cell,
                "it is cut by the tanh after the gate, not before": np.tanh(o * cell),
            },
        ]
        for name, mine, wanted, causes in zip(NAMES, found, right, likely):
            checks.array(mine, wanted, name, see, likely=causes, rtol=1e-4, atol=1e-6)
    x, h_prev, c_prev, w = random_step(rng, 1, 4, 3)
    for name in list(w):
        w[name] = 100 * w[name]  # gates that are wide open or shut
    with np.errstate(all="ignore"):
        found, right = (
            checks.call(lstm_step, x, h_prev, c_prev, w, see=see),
            one_by_one(x, h_prev, c_prev, w),
        )
    for name, mine, wanted in zip(NAMES, found, right):
        checks.array(
            mine, wanted, f"{name} of one melody with large weights", see, rtol=1e-4, atol=1e-6
        )
    for name in list(w):
        w[name] = 100 * w[name]  # sums in the tens of thousands
    with np.errstate(all="ignore"):
        found, right = (
            checks.call(lstm_step, x, h_prev, c_prev, w, see=see),
            one_by_one(x, h_prev, c_prev, w),
        )
    for name, mine, wanted in zip(NAMES, found, right):
        checks.array(mine, wanted, f"{name} with huge weights", see, rtol=1e-4, atol=1e-6)


@lesson.exercise(points=4)
def left(gradient_left, forget_bias):
    see = "lesson 07, section 'Why a gradient can survive'"
    rng = np.random.default_rng(72)
    for T, H in ((4, 2), (9, 3), (1, 2), (30, 1)):
        f, written = rng.uniform(0.2, 1, (T, H)), rng.normal(size=(T, H))
        wanted = [
            _last_cell(f, written, t, 0.5) - _last_cell(f, written, t, -0.5) for t in range(T)
        ]
        likely = {
            "the gate of the step itself is counted: row t should begin with the gate of row t + 1": np.multiply(
                wanted, f
            ),
            "counted from the first note instead of to the last": np.cumprod(f, axis=0),
            "all units share one mean gate": np.mean(f) ** np.arange(T)[::-1, None] * np.ones(H),
        }
        found = checks.call(gradient_left, f, see=see)
        checks.array(found, wanted, f"what is left over {T} notes", see, likely=likely, rtol=1e-4)
    for notes, share in ((40, 0.5), (10, 0.001), (3, 0.9)):
        root = share ** (1 / notes)
        likely = {
            "this is the gate; the bias is what stands inside its sigmoid": root,
            "the share is divided by the notes; but gates multiply": np.log(
                share / notes / (1 - share / notes)
            ),
            "what is lost and what is left are swapped": np.log(
                (1 - share) ** (1 / notes) / (1 - (1 - share) ** (1 / notes))
            ),
        }
        found = checks.call(forget_bias, notes, share, see=see)
        checks.number(
            found,
            -np.log(1 / root - 1),
            f"forget_bias({notes}, {share})",
            see,
            likely=likely,
            rtol=1e-4,
        )
    f = rng.uniform(0.2, 1, (4, 4))
    f[2, 1] = 0.0
    right = np.array([[np.prod(f[t + 1 :, j]) for j in range(4)] for t in range(4)])
    checks.array(
        checks.call(gradient_left, f, see=see), right, "what is left, 4 notes and 4 units", see
    )
    f = np.full((300, 1), 0.97)
    f[150] = 0.0
    right = [[0.97 ** (299 - t)] if t >= 150 else [0.0] for t in range(300)]
    checks.array(
        checks.call(gradient_left, f, see=see),
        right,
        "what is left past a shut gate",
        see,
        atol=1e-15,
    )
    for notes, share in ((10**7, 0.9), (1, 1e-12), (10**6, 0.5)):
        gate = share ** (1 / notes)
        found = checks.call(forget_bias, notes, share, see=see)
        right = np.log(gate / (1 - gate))
        checks.number(found, right, f"forget_bias({notes}, {share})", see, rtol=1e-4)


@lesson.exercise(points=4)
def experiment(experiment):
    rng = np.random.default_rng(73)
    for seed in range(6):
        families = [f"tune {i}" for i in rng.integers(0, 20, 60)]
        check_experiment(experiment, families, (0, 1, 2, 5), seed, score)
    tests = [
        check_experiment(experiment, given, (0, 1), 3, lambda model, names: float(model))
        for _, given in hard_cases.hash_orders([f"tune {i % 12}" for i in range(30)])
    ]
    checks.that(
        tests[0] == tests[1] == tests[2],
        "the same seed gives another split when Python is started anew. Likely cause: a set has no fixed "
        "order (it hangs on PYTHONHASHSEED); sort the names before you shuffle them",
        SEE_EXPERIMENT,
    )
    check_experiment(
        experiment, families, (0, 1, 2), 9, lambda model, names: 2000 + score(model, names)
    )
