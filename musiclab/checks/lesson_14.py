"""Checks of the exercises of lesson 14."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("14_rnn_rbm", written=4)

SEE_BIASES = "lesson 14, section 'The network moves the bias'"
SEE_LOSS = "lesson 14, section 'One loss for both'"
SEE_SLOPES, SEE_BIASES_SLOPES = (
    "lesson 14, section 'One loss for both'",
    "lesson 14, section 'The network moves the bias'",
)
SEE_NATS = "lesson 14, section 'A likelihood that flatters'"


def network(V, H, R, rng):
    shapes = {
        "a": V,
        "b": H,
        "W_ua": (R, V),
        "W_ub": (R, H),
        "W_vu": (V, R),
        "W_uu": (R, R),
        "c": R,
        "u_0": R,
    }
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def _moved(v, m, late=0, bend=np.tanh, **other):
    m = m | other
    states = [m["u_0"]]
    for row in v:
        states.append(
            bend(
                m["c"]
                + sum(x * w for x, w in zip(row, m["W_vu"]))
                + np.einsum("r,rs->s", states[-1], m["W_uu"])
            )
        )
    u = np.array(states[late : late + len(v)])
    return m["a"] + np.einsum("tr,rv->tv", u, m["W_ua"]), m["b"] + np.einsum(
        "tr,rh->th", u, m["W_ub"]
    )


def check_biases(moving_biases, v, m):
    found = checks.call(moving_biases, v, **m, see=SEE_BIASES)
    checks.several(
        found,
        2,
        "the result of moving_biases",
        "moving_biases should return a_t and b_t, but it returned {} things",
        SEE_BIASES,
    )
    right = _moved(v, m)
    mistakes = {
        "one step too late: frame t was judged by a network that has read it already": _moved(
            v, m, late=1
        ),
        "the state before the first frame is u_0, not zeros": _moved(v, m, u_0=0 * m["u_0"]),
        "no state is carried from frame to frame": _moved(v, m, W_uu=0 * m["W_uu"]),
        "the tanh is missing": _moved(v, m, bend=np.array),
        "W_uu is used transposed": _moved(v, m, W_uu=m["W_uu"].T),
        "the bias c is missing": _moved(v, m, c=0 * m["c"]),
        "the RBM's own biases a and b are missing": _moved(v, m, a=0 * m["a"], b=0 * m["b"]),
    }
    for place, name in enumerate(("a_t", "b_t")):
        likely = {
            cause: value[place]
            for cause, value in mistakes.items()
            if not np.allclose(value[place], right[place])
        }
        checks.array(
            found[place],
            right[place],
            f"{name} of {len(v)} frames",
            SEE_BIASES,
            likely,
            rtol=1e-4,
            atol=1e-6,
        )


def _likeliest(v, W, a, b):
    """A chain without random numbers: each unit takes its likelier state, once up and once down."""
    h = (np.asarray(v) @ W + b > 0).astype(float)
    return (h @ W.T + a > 0).astype(float)


def _parts_of_loss(batch, m, chain, carry=False, still=False):
    """F of each frame minus F of its negative sample, piece by piece, frame by frame."""
    parts, u = [], m["u_0"]
    for v in batch:
        u, rows = (u if carry else m["u_0"]), []
        for t in range(len(v)):
            a, b = m["a"] + u @ m["W_ua"], m["b"] + u @ m["W_ub"]
            negative = chain(
                v[t : t + 1], m["W"], *((m["a"], m["b"]) if still else (a[None], b[None]))
            )[0]
            F = [-(x @ a) - sum(np.logaddexp(0, b + x @ m["W"])) for x in (v[t], negative)]
            rows.append(F[0] - F[1])
            u = np.tanh(m["c"] + v[t] @ m["W_vu"] + u @ m["W_uu"])
        parts.append(rows)
    return parts


def check_loss(batch_loss, lengths, V, H, R, rng):
    m = {"W": rng.normal(size=(V, H)), **network(V, H, R, rng)}
    batch = [rng.integers(0, 2, (T, V)).astype(float) for T in lengths]
    found = checks.call(batch_loss, batch, m, _likeliest, see=SEE_LOSS)

    def pooled(**faults):
        return np.mean(np.concatenate(_parts_of_loss(batch, m, _likeliest, **faults)))

    parts = _parts_of_loss(batch, m, _likeliest)
    right = np.mean(np.concatenate(parts))
    mistakes = {
        "the state is carried from piece to piece: each begins at u_0": pooled(carry=True),
        "the chain has the biases a and b, which know no past, instead of each frame's own": pooled(
            still=True
        ),
        "every piece counts alike: (14.4) is the mean over the frames of the batch": np.mean(
            [np.mean(one) for one in parts]
        ),
        "a sum over frames instead of a mean": np.sum(np.concatenate(parts)),
        "data and negative sample are swapped": -right,
    }
    likely = {cause: value for cause, value in mistakes.items() if not np.isclose(value, right)}
    checks.number(
        found,
        right,
        f"the loss of pieces of {', '.join(map(str, lengths))} frames",
        SEE_LOSS,
        likely,
        rtol=1e-4,
    )


def _L_of(v, v_minus, u, a, b, W, W_ua, W_ub):
    total = 0.0
    for row, other, state in zip(v, v_minus, u):
        for sign, x in ((1, row), (-1, other)):
            total -= sign * (
                x @ (a + state @ W_ua) + np.logaddexp(0, b + state @ W_ub + x @ W).sum()
            )
    return total / len(v)


def _by_differences(given, name):
    gradient = np.zeros(given[name].shape)
    for place in np.ndindex(gradient.shape):
        for sign in (1, -1):
            bumped = given[name].astype(float).copy()
            bumped[place] += sign * 1e-4
            gradient[place] += sign * _L_of(**(given | {name: bumped})) / 2e-4
    return gradient


def check_slopes(slopes, N, V, H, R, rng, at=("W", "W_ua", "W_ub")):
    shapes = {"u": (N, R), "a": V, "b": H, "W": (V, H), "W_ua": (R, V), "W_ub": (R, H)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    given = {name: rng.integers(0, 2, (N, V)).astype(float) for name in ("v", "v_minus")} | given
    found = checks.call(slopes, **given, see=SEE_SLOPES)
    checks.several(
        found,
        3,
        "the result of slopes",
        "slopes should return three gradients, but it returned {} things",
        SEE_SLOPES,
    )
    v, v_minus, u, W = (given[name] for name in ("v", "v_minus", "u", "W"))

    def p(x, b):
        return 1 / (1 + np.exp(-(b + x @ W)))

    still, b_t = given["b"], given["b"] + u @ given["W_ub"]
    for place, name in enumerate(("W", "W_ua", "W_ub")):
        right = _by_differences(given, name)
        likely = {"sums over the frames: L is a mean": N * right}
        if name == "W":
            likely["the hidden units hear b instead of each frame's own b_t"] = (
                v_minus.T @ p(v_minus, still) - v.T @ p(v, still)
            ) / N
            likely["both phases have the hidden units of the data"] = (
                (v_minus - v).T @ p(v, b_t) / N
            )
        else:
            both = (v_minus, v) if name == "W_ua" else (p(v_minus, b_t), p(v, b_t))
            shifted = np.vstack([u[1:], u[-1:]])
            likely["the states are one frame too late: u is what is known before a frame"] = (
                shifted.T @ (both[0] - both[1]) / N
            )
            likely[
                "the gradients were averaged before they met the states: each frame has its own"
            ] = np.outer(u.mean(axis=0), (both[0] - both[1]).mean(axis=0))
        likely = {
            cause: value
            for cause, value in likely.items()
            if not np.allclose(value, right, atol=1e-5)
        }
        where = SEE_SLOPES if name == "W" else SEE_BIASES_SLOPES
        checks.array(
            found[place], right, f"the gradient by {name}", where, likely, rtol=1e-4, atol=1e-6
        )


def check_nats(nats_per_frame, F, log_w, what):
    with np.errstate(all="ignore"):
        found = checks.call(nats_per_frame, F, log_w, see=SEE_NATS)
    shift = log_w.max(axis=1)
    log_Z = shift + np.log([np.exp(row - top).mean() for row, top in zip(log_w, shift)])
    right = np.mean(F + log_Z)
    across = log_w.max(axis=0) + np.log(np.exp(log_w - log_w.max(axis=0)).mean(axis=0))
    pooled = log_w.max() + np.log(np.exp(log_w - log_w.max()).mean())
    likely = {
        "logarithms were averaged: Z is the mean of the weights themselves, and this figure flatters": np.mean(
            F
        )
        + log_w.mean(),
        "the weights were summed over chains instead of averaged": right + np.log(log_w.shape[1]),
        "the free energy is subtracted: -ln p = F + ln Z": np.mean(log_Z - F),
        "this is ln p, not minus ln p": -right,
        "the mean runs over frames, not over the chains of a frame": np.mean(F) + np.mean(across),
        "frames and chains were pooled: each frame has a partition function of its own": np.mean(F)
        + pooled,
        "a sum over frames instead of a mean": np.sum(F + log_Z),
    }
    likely = {cause: value for cause, value in likely.items() if not np.isclose(value, right)}
    checks.number(found, right, f"nats per frame {what}", SEE_NATS, likely)


@lesson.exercise(points=4)
def biases(moving_biases):
    rng = np.random.default_rng(14)
    check_biases(moving_biases, rng.integers(0, 2, (4, 5)).astype(float), network(5, 2, 3, rng))
    check_biases(moving_biases, rng.integers(0, 2, (6, 3)).astype(float), network(3, 4, 4, rng))
    check_biases(moving_biases, rng.integers(0, 2, (1, 4)).astype(float), network(4, 3, 2, rng))
    check_biases(moving_biases, rng.integers(0, 2, (30, 3)).astype(float), network(3, 2, 3, rng))
    check_biases(moving_biases, rng.integers(0, 2, (80, 3)).astype(float), network(3, 2, 3, rng))


@lesson.exercise(points=4)
def loss(batch_loss):
    rng = np.random.default_rng(24)
    check_loss(batch_loss, (5,), 4, 3, 2, rng)
    check_loss(batch_loss, (2, 7, 4), 6, 5, 3, rng)
    check_loss(batch_loss, (1, 3), 3, 2, 2, rng)


@lesson.exercise(points=4)
def slopes(slopes):
    rng = np.random.default_rng(34)
    check_slopes(slopes, 4, 3, 2, 5, rng)
    check_slopes(slopes, 3, 5, 4, 2, rng)
    check_slopes(slopes, 1, 3, 2, 4, rng)


@lesson.exercise(points=3)
def nats(nats_per_frame):
    rng = np.random.default_rng(44)
    check_nats(
        nats_per_frame,
        np.array([-3.0, -5.0]),
        np.log([[1.0, 3.0, 8.0, 20.0], [30.0, 50.0, 10.0, 70.0]]),
        "with four chains",
    )
    check_nats(nats_per_frame, rng.normal(-8, 2, 5), rng.normal(12, 3, (5, 3)), "with three chains")
    for name, log_w in hard_cases.log_probs(rng, 4):
        with np.errstate(all="ignore"):
            check_nats(
                nats_per_frame, np.array([-7.0, 2000.0]), np.stack([log_w, log_w + 900]), name
            )
    check_nats(
        nats_per_frame,
        rng.normal(-8, 2, 1),
        rng.normal(12, 3, (1, 1)),
        "of one frame with one chain",
    )
