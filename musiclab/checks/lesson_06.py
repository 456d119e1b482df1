"""Checks of the exercises of lesson 06."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("06_recurrent_networks", written=3)


def _states(x, W_hh, W_xh, b_h, first=0.0, carry=1, bend=np.tanh):
    h = np.full((len(x) + 1, len(b_h)), first)
    for t in range(len(x)):
        h[t + 1] = bend(
            carry * np.einsum("ij,j->i", W_hh, h[t]) + np.einsum("ij,j->i", W_xh, x[t]) + b_h
        )
    return h[1:]


def nats(x, y, W):
    """h, p and the mean cross-entropy, for the check alone."""
    h = [np.zeros(len(W[0]))]
    for row in x:
        h.append(np.tanh(h[-1] @ W[0].T + row @ W[1].T + W[2]))
    z = np.array(h[1:]) @ W[3].T + W[4]
    log_p = z - np.log(np.exp(z).sum(axis=1))[:, None]
    return np.array(h[1:]), np.exp(log_p), -sum(log_p[t, k] for t, k in enumerate(y)) / len(y)


def slopes(x, y, W, step=1e-5):
    """dL / dw for each weight: up a little, down a little, the difference over the way."""
    slopes = [np.zeros_like(w) for w in W]
    for w, slope in zip(W, slopes):
        for place in np.ndindex(w.shape):
            old = w[place]
            w[place] = old + step
            up = nats(x, y, W)[2]
            w[place] = old - step
            slope[place] = (up - nats(x, y, W)[2]) / (2 * step)
            w[place] = old
    return slopes


def _gradients(x, y, h, p, W_hh, W_hy, back=None, carry=1.0, bend=True, old=None):
    """The five gradients, or those of a mistake: another way back, no carry, no tanh, other states."""
    T = len(x)
    old = np.vstack([np.zeros(len(W_hh)), h[:-1]]) if old is None else old
    back = W_hh.T if back is None else back
    dz = (p - np.eye(p.shape[1])[y]) / T
    da, later = np.zeros_like(h), np.zeros(len(W_hh))
    for t in reversed(range(T)):
        da[t] = (W_hy.T @ dz[t] + later) * (1 - h[t] ** 2 if bend else 1)
        later = carry * back @ da[t]
    return da.T @ old, da.T @ x, da.sum(axis=0), dz.T @ h, dz.sum(axis=0)


def _faulty_gradients(x, y, h, p, W_hh, W_hy):
    """What the usual mistakes in backpropagation through time give: {cause: five gradients}."""

    def gradients(**mistake):
        return _gradients(x, y, h, p, W_hh, W_hy, **mistake)

    return {
        "the path from the later steps, W_hh transposed times the next da, is missing": gradients(
            carry=0.0
        ),
        "W_hh is not transposed on the way back": gradients(back=W_hh),
        "the derivative of tanh, 1 - h**2, is missing": gradients(bend=False),
        "the state of the same step stands where the one before it belongs": gradients(old=h),
    }


def _score(melodies, hear, answer, blank, shift=True, carry=False, pool=True):
    states, h = [], blank
    for m in melodies:
        h, states = (h if carry else blank), [*states, []]
        for n in m:
            states[-1].append(h)
            h = hear(h, n)
            states[-1][-1] = -answer(states[-1][-1] if shift else h)[n]
    return float(np.mean(np.concatenate(states) if pool else [np.mean(m) for m in states]))


def _hears(A, K):
    return lambda h, note: np.tanh(A @ h / 2 + np.eye(K)[note])


def _answers(B):
    return lambda h: B @ h - np.log(np.exp(B @ h).sum())


@lesson.exercise(
    points=4, ready_made=("musiclab.models.recurrent.backpropagation_through_time.unroll",)
)
def forward(forward):
    rng = np.random.default_rng(61)
    see, see_p = "lesson 06, section 'Many units'", "lesson 06, section 'Output and loss'"
    for T, D, H, K in ((3, 4, 4, 3), (6, 3, 3, 5), (1, 2, 3, 4), (20, 2, 3, 4)):
        x = np.eye(D)[rng.integers(0, D, T)] if T == 3 else rng.normal(size=(T, D))
        W_hh, W_xh, b_h = (
            rng.normal(size=(H, H)) / 2,
            rng.normal(size=(H, D)),
            rng.normal(size=H) / 3,
        )
        W_hy, b_y = rng.normal(size=(K, H)), rng.normal(size=K)
        result = checks.call(forward, x, W_hh, W_xh, b_h, W_hy, b_y, see=see)
        checks.several(
            result,
            2,
            "the result",
            "forward should return two arrays, h and p, but it returned {}",
            see,
        )
        right = _states(x, W_hh, W_xh, b_h)
        likely = {
            "the bias b_h is missing": _states(x, W_hh, W_xh, 0 * b_h),
            "no state is carried from note to note": _states(x, W_hh, W_xh, b_h, carry=0),
            "W_hh is used transposed": _states(x, W_hh.T, W_xh, b_h),
            "the state before the first note is not zero": _states(x, W_hh, W_xh, b_h, first=1.0),
            "the tanh is missing": _states(x, W_hh, W_xh, b_h, bend=np.array),
        }
        checks.array(result[0], right, "h", see, likely=likely, rtol=1e-4, atol=1e-6)
        odds = np.exp(np.einsum("kh,th->tk", W_hy, right) + b_y)
        p = odds.T / odds.sum(axis=1)
        likely = {
            "these are e to the power of the logits; a row of probabilities sums to 1": odds,
            "the sum goes over the notes of the melody, not over the symbols": odds
            / odds.sum(axis=0),
            "these are logits, not probabilities": np.log(odds),
            "the bias b_y is missing": (odds / np.exp(b_y))
            / (odds / np.exp(b_y)).sum(axis=1)[:, None],
        }
        checks.array(result[1], p.T, "p", see_p, likely=likely, rtol=1e-4, atol=1e-6)
    for name, z in hard_cases.logits(rng, 3, 4):
        # states of +1 and -1, a row for each note, and the output weights that turn them into z
        ones = 2 * np.eye(3) - 1
        weights = np.zeros((3, 3)), 40 * ones, np.zeros(3), np.linalg.solve(ones, z).T, np.zeros(4)
        with np.errstate(all="ignore"):
            found = checks.call(forward, np.eye(3), *weights, see=see)[1]
        right = np.exp(z - z.max(axis=1, keepdims=True))
        right /= right.sum(axis=1, keepdims=True)
        checks.array(found, right, f"p for {name}", see_p, rtol=1e-4, atol=1e-6)
    x, W_hh, W_xh = rng.normal(size=(150, 2)), 0.9 * np.eye(2), rng.normal(size=(2, 2))
    found = checks.call(forward, x, W_hh, W_xh, np.zeros(2), np.eye(2), np.zeros(2), see=see)[0]
    right = _states(x, W_hh, W_xh, np.zeros(2))
    checks.array(found, right, "h over 150 notes", see, rtol=1e-4, atol=1e-6)


@lesson.exercise(
    points=5,
    ready_made=("musiclab.models.recurrent.backpropagation_through_time.backward_through_time",),
)
def backward(backward):
    rng = np.random.default_rng(62)
    see = "lesson 06, section 'The same with matrices'"
    names = ["W_hh", "W_xh", "b_h", "W_hy", "b_y"]
    for T, D, H, K in ((3, 3, 2, 3), (5, 4, 3, 4), (1, 2, 2, 3), (14, 2, 3, 3)):
        W = [rng.normal(size=shape) for shape in ((H, H), (H, D), H, (K, H), K)]
        x, y = rng.normal(size=(T, D)), rng.integers(0, K, T)
        h, p, _ = nats(x, y, W)
        found = checks.call(backward, x, y, h, p, W[0], W[3], see=see)
        checks.several(
            found, 5, "the result", "backward should return five gradients, but it returned {}", see
        )
        wanted, faults = slopes(x, y, W), _faulty_gradients(x, y, h, p, W[0], W[3])
        for i, (name, right) in reversed(list(enumerate(zip(names, wanted)))):
            likely = {
                "the 1/T of Eq. (6.4) is missing": T * right,
                "1/T is there twice, since a mean is taken where Eq. (6.7) sums over steps": right
                / T,
            }
            likely |= {cause: made[i] for cause, made in faults.items()}
            likely = {
                cause: wrong
                for cause, wrong in likely.items()
                if not np.allclose(wrong, right, rtol=1e-4, atol=1e-7)
            }
            what = f"the gradient of {name} (the mean over {T} notes)"
            checks.array(found[i], right, what, see, likely=likely, rtol=1e-4, atol=1e-7)
    for T, size in ((60, 1.0), (9, 4.0)):  # a gradient that lasts, and one that grows
        W_hh, W_hy = size * np.array([[0.0, 1.0], [-1.0, 0.0]]), rng.normal(size=(3, 2))
        x, y, h = rng.normal(size=(T, 2)), rng.integers(0, 3, T), 0.01 * rng.normal(size=(T, 2))
        p = rng.dirichlet(np.ones(3), T)
        p[0] = np.eye(3)[y[0]]  # a note that was sure
        found = checks.call(backward, x, y, h, p, W_hh, W_hy, see=see)
        for name, mine, right in zip(names, found, _gradients(x, y, h, p, W_hh, W_hy)):
            checks.array(
                mine, right, f"the gradient of {name} over {T} notes", see, rtol=1e-6, atol=1e-9
            )


@lesson.exercise(points=4)
def clip(notes_back, clip):
    see = "lesson 06, section 'How far back does a gradient reach?'"
    for rho, share in ((0.8, 0.01), (0.5, 0.3), (0.95, 0.5), (0.5, 0.25), (0.75, 0.421875)):
        n = checks.call(notes_back, rho, share, see=see)
        fades = next(k for k in range(1000) if rho**k <= share)
        likely = {
            "one note too few: the share is not reached yet": fades - 1,
            "one note too many (a logarithm may round to the wrong side of an exact power)": fades
            + 1,
        }
        checks.number(n, fades, f"notes_back({rho}, {share})", see, likely=likely)
    checks.number(
        checks.call(notes_back, 0.9, 1.0, see=see),
        0,
        "notes_back(0.9, 1.0): nothing need be lost",
        see,
    )
    checks.number(
        checks.call(notes_back, 1.0, 0.5, see=see),
        np.inf,
        "notes_back(1.0, 0.5): with rho = 1 nothing ever fades",
        see,
    )
    rng = np.random.default_rng(63)
    for limit, scale in ((1.0, 3.0), (2.5, 1.0), (5.0, 0.1)):
        gradients = [scale * rng.normal(size=shape) for shape in ((3, 3), (3, 2), (3,))]
        whole = np.concatenate([g.ravel() for g in gradients])
        length = np.linalg.norm(whole)
        shortened = checks.call(clip, gradients, limit, see=see)
        checks.kind(shortened, (list, tuple), "what clip returns", see)
        checks.array(
            [np.shape(g) == before.shape for g, before in zip(shortened, gradients)],
            [True] * 3,
            "shapes kept",
            see,
        )
        mine = np.concatenate([np.ravel(g) for g in shortened])
        each = np.concatenate([g.ravel() * min(1, limit / np.linalg.norm(g)) for g in gradients])
        checks.array(
            mine,
            whole * min(1, limit / length),
            f"a gradient of length {length:.2f}, clipped at {limit}",
            see,
            likely={
                "each array is clipped by itself, which turns the whole": each,
                "each number is clipped by itself, which turns the whole": np.clip(
                    whole, -limit, limit
                ),
                "a short gradient is made longer": whole * limit / length,
                "it is not clipped": whole,
            },
        )
        hard_cases.fresh(clip, gradients, limit, see=see)
    for rho, share in ((0.5, 0.2499999), *((0.75, 0.75**k) for k in range(1, 9)), (0.99, 1e-9)):
        fades = next(k for k in range(10**4) if rho**k <= share)
        n = checks.call(notes_back, rho, share, see=see)
        checks.number(n, fades, f"notes_back({rho}, {share!r})", see)
    for given, limit in (([3.0, 4.0], 3.5), ([1.2e-5, 1.6e-5], 1e-5)):
        found = checks.call(clip, [np.array(given)], limit, see=see)
        right = np.array(given) * limit / np.linalg.norm(given)
        checks.array(found[0], right, f"{given} clipped at {limit}", see, rtol=1e-6, atol=1e-12)


@lesson.exercise(points=4)
def score(nats_per_note):
    see = "lesson 06, section 'The baseline', and Eq. (6.3)"
    rng = np.random.default_rng(64)
    for K, sizes in ((4, (3, 9, 1, 5)), (7, (12, 2, 4))):
        A, B = rng.normal(size=(K, K)), rng.normal(size=(K, K))
        tunes = [rng.integers(0, K, size).tolist() for size in sizes]
        given = tunes, _hears(A, K), _answers(B), np.zeros(K)
        likely = {
            "each note is scored by a state that has already read it": _score(*given, shift=False),
            "the state of one melody is carried into the next": _score(*given, carry=True),
            "short melodies weigh as much as long ones": _score(*given, pool=False),
            "the faults are all still there": _score(*given, False, True, False),
            "the sum over all notes, not the mean": _score(*given) * sum(sizes),
        }
        found = checks.call(nats_per_note, *given, see=see)
        checks.number(
            found, _score(*given), f"nats per note of {len(sizes)} melodies", see, likely=likely
        )
        again = checks.call(nats_per_note, tunes[::-1], *given[1:], see=see)
        checks.number(again, found, "the figure with the melodies in another order", see)
    given = [[0, 1], [1]], lambda h, note: h, lambda h: np.array([-0.5, -40.0]), np.zeros(1)
    checks.number(
        checks.call(nats_per_note, *given, see=see), 80.5 / 3, "the nats of unlikely notes", see
    )
    given = [[0, 1], [1]], lambda h, note: h, lambda h: np.array([0.0, -np.inf]), np.zeros(1)
    checks.number(
        checks.call(nats_per_note, *given, see=see), np.inf, "the nats of an impossible note", see
    )
