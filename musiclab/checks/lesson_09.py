"""Checks of the exercises of lesson 09."""

from itertools import product

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson
from musiclab.data import Piece
from musiclab.metrics import parallel_perfects

lesson = Lesson("09_sequence_to_sequence", written=3)

SEE_FORCING = "lesson 09, section 'Teacher forcing'"
SEE_BEAM = "lesson 09, section 'A likely voice: beam search'"
SEE_PARALLELS = "lesson 09, section 'Four voices'"


def reader(rng, D, H):
    A, B = rng.normal(size=(H, H)) / 2, rng.normal(size=(H, D))
    return lambda x, h: np.tanh(A @ h + B @ x)


def read(rows, step, blank):
    states = [blank]
    for row in rows:
        states.append(step(row, states[-1]))
    return np.array(states[1:])


def check_batch(batch, voices, start):
    found = checks.call(batch, voices, start, see=SEE_FORCING)
    checks.several(
        found,
        3,
        "the result of batch",
        "batch should return told, wanted and real, but it returned {} things",
        SEE_FORCING,
    )
    T = max(map(len, voices))

    def padded(rows):
        return np.array([[*row, *[0] * (T - len(row))] for row in rows])

    ones = padded([[1] * len(voice) for voice in voices])
    checks.array(
        found[1],
        padded(voices),
        "wanted",
        SEE_FORCING,
        likely={"told and wanted are swapped": found[0]} if T > 1 else None,
    )
    likely = {
        "the decoder is told what it is asked for": padded(voices),
        "the decoder is told the token after: it should be the one before": padded(
            [[*voice[1:], start] for voice in voices]
        ),
        "the first token is told twice; before it there is only the start": padded(
            [[voice[0], *voice[:-1]] for voice in voices]
        ),
        "the last token is still told behind the end": padded(
            [([start, *voice] + [0] * T)[:T] for voice in voices]
        ),
    }
    checks.array(
        found[0],
        padded([[start, *voice[:-1]] for voice in voices]),
        "told",
        SEE_FORCING,
        likely=likely,
    )
    checks.array(
        found[2],
        ones,
        "real",
        SEE_FORCING,
        likely={"rests are music, too: count by the lengths": padded(voices) > 0},
    )


def check_loss(loss, log_p, wanted, real):
    places = [(n, t) for n, t in np.ndindex(wanted.shape) if real[n, t]]
    nats = [-log_p[n, t, wanted[n, t]] for n, t in places]
    each = [
        np.mean([x for x, (n, _) in zip(nats, places) if n == row]) for row in range(len(wanted))
    ]
    likely = {
        "the padding is left out of the sum, but counted as 8ths": sum(nats) / wanted.size,
        "short pieces weigh as much as long ones": np.mean(each),
        "this is the sum, per piece or in all, not the mean over 8ths": sum(nats) / len(wanted),
        "the padding is scored": -np.mean(
            [log_p[n, t, wanted[n, t]] for n, t in np.ndindex(wanted.shape)]
        ),
    }
    found = checks.call(loss, log_p, wanted, real, see=SEE_FORCING)
    checks.number(
        found, np.mean(nats), f"the loss of {len(wanted)} pieces", SEE_FORCING, likely=likely
    )


def random_case(rng, lengths, K):
    wanted = np.array(
        [[rng.integers(K) if t < n else 0 for t in range(max(lengths))] for n in lengths]
    )
    real = np.array([[float(t < n) for t in range(max(lengths))] for n in lengths])
    return np.log(rng.dirichlet(np.ones(K), wanted.shape)), wanted, real


def _score(first, then, tokens):
    return float(first[tokens[0]] + sum(then[t, tokens[t], b] for t, b in enumerate(tokens[1:])))


def _narrowed(first, then, width):
    """The best that a beam can find: all sequences but those whose beginnings a beam strikes out."""
    alive = {(a,): _score(first, then, (a,)) for a in range(len(first))}
    while True:
        alive = {
            tokens: alive[tokens] for tokens in sorted(alive, key=alive.get, reverse=True)[:width]
        }
        best = next(iter(alive))
        if len(best) > len(then):
            return best
        longer = [(*tokens, b) for tokens in alive for b in range(len(first))]
        alive = {tokens: _score(first, then, tokens) for tokens in longer}


def check_beam(beam, first, then, width, name):
    found = checks.call(beam, first, then, width, see=SEE_BEAM)
    checks.several(
        found,
        2,
        "the result",
        "beam should return tokens and their nats, but it returned {} things",
        SEE_BEAM,
    )
    best, greedy = _narrowed(first, then, width), _narrowed(first, then, 1)
    every = (
        product(range(len(first)), repeat=len(then) + 1)
        if len(first) ** len(then) < 500
        else [best]
    )
    whole = max(every, key=lambda tokens: _score(first, then, tokens))
    likely = {
        "this is the greedy sequence": greedy,
        "this is the likeliest of all; a beam so narrow loses it": whole,
    }
    checks.array(
        found[0],
        best,
        f"the tokens for {name}",
        SEE_BEAM,
        likely={k: v for k, v in likely.items() if v != best},
    )
    nats = _score(first, then, best)
    likely = {
        "this is the probability": np.exp(nats),
        "the score is divided by the length; here all have one length": nats / len(best),
        "the first token is not counted": nats - first[best[0]],
    }
    checks.number(found[1], nats, f"the nats for {name}", SEE_BEAM, likely=likely)


def random_beam(beam, rng, K, T, width):
    first, then = (
        np.log(rng.dirichlet(np.ones(K))),
        np.log(rng.dirichlet(np.ones(K) / 2, (T - 1, K))),
    )
    check_beam(
        beam, first, then.reshape(T - 1, K, K), width, f"{K} tokens, {T} steps, a beam of {width}"
    )


def check_places(parallels, upper, lower, wanted, name):
    found = checks.call(parallels, np.array(upper), np.array(lower), see=SEE_PARALLELS)
    checks.kind(found, (list, tuple, np.ndarray), "the result", SEE_PARALLELS)
    checks.that(
        np.array_equal(found, wanted),
        f"{name}, upper voice {list(upper)}, lower voice {list(lower)}: expected {wanted}, but got {list(found)}",
        SEE_PARALLELS,
    )


def count(upper, lower, found):
    """Against the count of the course's own measure, every 8th struck anew."""
    piece = Piece(np.stack([upper, lower], axis=1), np.stack([upper, lower], axis=1) >= 0)
    counted = round(parallel_perfects(piece) * (len(upper) - 1) / 100)
    checks.number(len(found), counted, f"the number of places in {len(upper)} 8ths", SEE_PARALLELS)


def check_rule(rule_cost, rng, T, K, low=0.0, forbidden=False):
    """A random case: ``low`` is added to the logits of all but the first token, ``forbidden`` forbids one of Bach's."""
    see = "lesson 09, section 'Four voices'"
    z = rng.normal(size=(T, K)) + low * (np.arange(K) > 0)
    log_p = z - np.logaddexp.reduce(z, axis=1)[:, None]
    bach = rng.integers(1, K, T)
    allowed = rng.random((T, K)) < 0.6
    allowed[:, 0] &= low == 0
    allowed[np.arange(T), bach] = True
    if forbidden:
        allowed[T // 2] = np.arange(K) == (bach[T // 2] + 1) % K
    taken, free, ruled = 0.0, 0.0, 0.0
    for row, may, token in zip(log_p, allowed, bach):
        taken += sum(np.exp(one) for one, on in zip(row, may) if not on) / T
        free -= row[token] / T
        rest = np.logaddexp.reduce([one for one, on in zip(row, may) if on])
        ruled += (rest - row[token]) / T if may[token] else np.inf
    with np.errstate(all="ignore"):
        result = checks.call(rule_cost, log_p, allowed, bach, see=see)
    checks.several(
        result,
        3,
        "rule_cost(...)",
        "rule_cost should return three numbers, but it returned {}",
        see,
    )
    causes = {"the probability that is left, not what is taken": 1 - taken}
    causes |= {"a sum over 8ths instead of their mean": taken * T}
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, taken)}
    checks.number(result[0], taken, "the probability of forbidden tokens", see, causes)
    checks.number(result[1], free, "nats per 8th without the rule", see, {"the sign": -free})
    causes = {
        "what is left was not shared out: the allowed probabilities must add up to 1": free,
        "the sign is turned round": -ruled,
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, ruled)}
    checks.number(result[2], ruled, "nats per 8th with the rule", see, causes, rtol=1e-5, atol=1e-9)


@lesson.exercise(points=3)
def encoder(hand_over):
    see = "lesson 09, section 'What the encoder hands over'"
    rng = np.random.default_rng(91)
    for T, length, D, H in ((4, 4, 2, 2), (6, 4, 3, 2)):
        x, blank = rng.normal(size=(T, D)), np.zeros(H)
        ahead, behind = reader(rng, D, H), reader(rng, D, H)
        found = checks.call(hand_over, x, length, ahead, behind, blank, see=see)
        checks.several(
            found,
            2,
            "the result",
            "hand_over should return c and the c_t, but it returned {} things",
            see,
        )
        f, b = read(x[:length], ahead, blank), read(x[:length][::-1], behind, blank)[::-1]
        likely = {
            "of the backward direction this is the state at the last 8th, where it has just begun": [
                *f[-1],
                *b[-1],
            ],
            "of the forward direction this is the state at the first 8th": [*f[0], *b[0]],
            "backward stands first": [*b[0], *f[-1]],
            "the backward direction reads forward": [*f[-1], *read(x[:length], behind, blank)[-1]],
            "the padding is read": [*read(x, ahead, blank)[-1], *read(x[::-1], behind, blank)[-1]],
        }
        checks.array(found[0], [*f[-1], *b[0]], f"c for {length} 8ths of {T}", see, likely=likely)
        likely = {
            "the backward states stand in the order in which they were read; turn them round": np.hstack(
                [f, b[::-1]]
            ),
            "the backward direction reads forward": np.hstack([f, read(x[:length], behind, blank)]),
            "backward stands first": np.hstack([b, f]),
            "this is c at every 8th, the bottleneck": np.tile([*f[-1], *b[0]], (length, 1)),
        }
        checks.array(
            found[1], np.hstack([f, b]), f"the c_t for {length} 8ths of {T}", see, likely=likely
        )
    for name, length in hard_cases.lengths(40):
        x, blank = rng.normal(size=(length + 3, 2)), rng.normal(size=3)
        ahead, behind = reader(rng, 2, 3), reader(rng, 2, 3)
        found = checks.call(hand_over, x, length, ahead, behind, blank, see=see)
        f, b = read(x[:length], ahead, blank), read(x[:length][::-1], behind, blank)[::-1]
        checks.array(found[0], [*f[-1], *b[0]], f"c of {name}, from a state that is not 0", see)
        checks.array(found[1], np.hstack([f, b]), f"the c_t of {name}", see)
    ahead, behind = reader(rng, 2, 2), reader(rng, 2, 2)
    x, blank = np.array([[1.0, 1.0], [0.5, 2.0], [0.0, 0.0], [9.0, 9.0]]), np.zeros(2, int)
    found = checks.call(hand_over, x, 3, ahead, behind, blank, see=see)
    f, b = read(x[:3], ahead, blank), read(x[:3][::-1], behind, blank)[::-1]
    checks.array(found[0], [*f[-1], *b[0]], "c where the last 8th is a row of zeros", see)
    checks.array(found[1], np.hstack([f, b]), "the c_t where the last 8th is a row of zeros", see)


@lesson.exercise(points=3)
def forcing(batch, loss):
    rng = np.random.default_rng(92)
    for lengths in ((3, 5), (4, 1, 7)):
        check_batch(batch, [rng.integers(0, 9, n).tolist() for n in lengths], 9)
        check_loss(loss, *random_case(rng, lengths, 6))
    for _, length in hard_cases.lengths(30):
        check_batch(batch, [[0] * length, rng.integers(0, 3, length + 4).tolist(), [1]], 7)
        check_loss(loss, *random_case(rng, (length, 1), 5))
    log_p, wanted, real = random_case(rng, (4, 2), 3)
    log_p[0, 1] = [-1200.0, -1200.0, -1200.0]
    check_loss(loss, log_p, wanted, real)


@lesson.exercise(points=4, ready_made=("musiclab.sampling.beam_search.beam_search",))
def beam(beam):
    first, then = np.log([0.6, 0.4]), np.log([[[0.5 + 1e-9, 0.5 - 1e-9], [0.1, 0.9]]])
    check_beam(beam, first, then, 1, "the lesson's two tokens, greedy")
    check_beam(beam, first, then, 2, "the lesson's two tokens, a beam of two")
    rng = np.random.default_rng(93)
    for K, T, width in ((3, 4, 1), (3, 4, 2), (4, 4, 3), (3, 4, 81)):
        random_beam(beam, rng, K, T, width)
    for K, T, width in 20 * ((3, 6, 2), (3, 6, 3), (2, 8, 2), (4, 5, 5)):
        random_beam(beam, rng, K, T, width)
    check_beam(beam, np.log([0.2, 0.8]), np.zeros((0, 2, 2)), 3, "a sequence of one token")
    far = np.array([-1e-9, -1200.0]), np.array([[[-1200.0, -1300.0], [-1.0, -1.5]]])
    check_beam(beam, *far, 2, "log-probabilities of -1200")
    ties = np.log([0.5, 0.5]), np.log([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.5, 0.5]]])
    check_beam(beam, *ties, 4, "beginnings that are equally likely")


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.sampling.constraints.parallel_moves",
        "musiclab.metrics.counterpoint.parallel_perfects",
    ),
)
def parallels(parallels):
    check_places(parallels, [67, 69], [60, 62], [1], "two fifths, both up")
    check_places(parallels, [72, 71], [60, 59], [1], "two octaves, both down")
    check_places(parallels, [67, 67], [60, 60], [], "a fifth that is held")
    check_places(parallels, [67, 74], [60, 55], [], "fifths in contrary motion")
    check_places(parallels, [67, 72], [60, 62], [], "a fifth, then a seventh")
    check_places(parallels, [79, 81], [60, 62], [1], "two fifths, an octave wider")
    check_places(parallels, [64, 65], [60, 62], [], "two thirds")
    rng = np.random.default_rng(94)
    for T in (30, 60):
        upper, lower = rng.integers(60, 64, T), rng.integers(52, 57, T)
        count(upper, lower, checks.call(parallels, upper, lower, see=SEE_PARALLELS))
    check_places(parallels, [67, 69, -1, 71], [60, 62, 64, 64], [1], "a fifth before a rest")
    check_places(parallels, [67, -1], [60, 62], [], "a fifth, then a rest in the upper voice")
    check_places(parallels, [67, 69], [60, -1], [], "a fifth, then a rest in the lower voice")
    check_places(parallels, [60, 62], [67, 69], [1], "two fifths with the voices crossed")
    check_places(parallels, [67, 74], [60, 62], [], "a fifth, then an octave, both up")
    check_places(parallels, [60, 62], [60, 62], [1], "two unisons, both up")
    check_places(parallels, [84, 86], [60, 62], [1], "two double octaves, both up")
    check_places(parallels, [72, 74], [60, 74], [1], "an octave, then a unison, both up")
    check_places(parallels, [67, 79], [60, 60], [], "a fifth and a twelfth over a held note")
    check_places(parallels, [68, 70], [60, 62], [], "two minor sixths")
    check_places(parallels, [65, 67], [60, 62], [], "two fourths")
    check_places(parallels, [60, 62], [65, 67], [], "two fourths with the voices crossed")
    check_places(parallels, [60], [53], [], "a single 8th")
    for down in ([67, 60, 55, 48], [120, 113]):
        upper, lower = np.array(down, np.int8), np.array(down, np.int8) - np.int8(7)
        right = list(range(1, len(down)))
        check_places(parallels, upper, lower, right, "fifths downwards, as int8")
    check_places(parallels, [66, 67], [-1, 60], [], "a rest, then a fifth")
    check_places(parallels, [-1, 67], [59, 60], [], "a rest in the upper voice, then a fifth")
    check_places(parallels, [60, 62], [53, 69], [1], "two fifths, the voices crossing between them")
    check_places(parallels, [79, 81], [48, 50], [1], "two fifths over two octaves")
    check_places(parallels, [84, 86], [48, 50], [1], "two triple octaves")
    check_places(
        parallels, [60, 74], [53, 67], [1], "two fifths, both voices leaping by more than an octave"
    )


@lesson.exercise(points=3)
def rule_cost(rule_cost):
    rng = np.random.default_rng(96)
    for T, K in ((3, 4), (7, 9)):
        check_rule(rule_cost, rng, T, K)
    check_rule(rule_cost, rng, 4, 5, low=-1200.0)
    check_rule(rule_cost, rng, 5, 4, forbidden=True)
    check_rule(rule_cost, rng, 150, 4, forbidden=True)
