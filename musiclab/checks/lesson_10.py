"""Checks of the exercises of lesson 10."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("10_gan_losses", written=4)

SEE_GAME_LOSSES = "lesson 10, section 'The losses'"
SEE_LEAST_SQUARES = "lesson 10, section 'The best discriminator'"
SEE_GAME_STEP, SEE_CUT_GAME_STEP = (
    "lesson 10, section 'One training step'",
    "lesson 10, section 'Find the fault'",
)


def check_losses(game_losses, real_s, fake_s):
    """The reference goes through probabilities in double precision: good as long as no logit is far from 0."""
    with np.errstate(all="ignore"):
        result = checks.call(game_losses, real_s, fake_s, see=SEE_GAME_LOSSES)
    checks.several(
        result,
        3,
        "the result of game_losses",
        "game_losses should return three numbers, but it returned {}",
        SEE_GAME_LOSSES,
        kinds=(tuple, list, np.ndarray),
    )
    D_real, D_fake = (1 / (1 + np.exp(-np.asarray(s, float))) for s in (real_s, fake_s))
    doubt, belief, refusal = -np.log(D_real), -np.log(1 - D_fake), -np.log(D_fake)
    joined = np.concatenate([doubt.ravel(), belief.ravel()])
    right = doubt.mean() + belief.mean(), -belief.mean(), refusal.mean()
    mistakes = {
        "the two means are averaged instead of added": (right[0] / 2, None, None),
        "one mean over all samples: each kind has a mean of its own": (
            2 * joined.mean(),
            None,
            None,
        ),
        "sums over the batch instead of means": (
            doubt.sum() + belief.sum(),
            -belief.sum(),
            refusal.sum(),
        ),
        "the labels are swapped: real samples have the label 1": (
            -np.log(1 - D_real).mean() + refusal.mean(),
            None,
            None,
        ),
        "the other generator loss": (None, right[2], right[1]),
    }
    names = "L_D", "the minimax loss", "the non-saturating loss"
    for k, name in enumerate(names):
        likely = {cause: values[k] for cause, values in mistakes.items() if values[k] is not None}
        likely = {
            cause: value for cause, value in likely.items() if not np.isclose(value, right[k])
        }
        checks.number(result[k], right[k], name, SEE_GAME_LOSSES, likely, rtol=1e-4)


def loss_of(s, p, p_g):
    return sum(a * (one - 1) ** 2 / 2 + b * one**2 / 2 for one, a, b in zip(s, p, p_g))


def check_best(least_squares_best, p, p_g, wanted):
    with np.errstate(all="ignore"):
        result = checks.call(least_squares_best, p, p_g, see=SEE_LEAST_SQUARES)
    checks.several(
        result,
        2,
        "the result of least_squares_best",
        "least_squares_best should return s_star and L_star, but it returned {}",
        SEE_LEAST_SQUARES,
    )
    both = [a + b for a, b in zip(p, p_g)]
    right = np.array([a / c if c else 0.5 for a, c in zip(p, both)])
    likely = {
        "the shares of the generator: real is 1 here": 1 - right,
        "both distributions, not their quotient": both,
    }
    likely = {cause: value for cause, value in likely.items() if not np.allclose(value, right)}
    checks.array(result[0], right, "s_star", SEE_LEAST_SQUARES, likely)
    least = loss_of(right, p, p_g) if wanted is None else wanted
    with np.errstate(all="ignore"):
        jsd = sum(a * np.log(2 * a / c) / 2 for one in (p, p_g) for a, c in zip(one, both) if a)
    mistakes = {
        "the factor 1/2 is missing": 2 * least,
        "a mean over the outcomes; the probabilities are the weights already": least / len(right),
        "this is what the game with logarithms leaves, not least squares": np.log(4) - 2 * jsd,
        "only the real samples pay": sum(a * (s - 1) ** 2 / 2 for a, s in zip(p, right)),
    }
    likely = {cause: value for cause, value in mistakes.items() if not np.isclose(value, least)}
    checks.number(result[1], least, "L_star", SEE_LEAST_SQUARES, likely)


def _softplus_mean(s):
    return np.mean(np.maximum(s, 0) + np.log1p(np.exp(-np.abs(s))))


def _slope(function, at):
    return (function(at + 1e-5) - function(at - 1e-5)) / 2e-5


def _right_step(theta, w, c, x, z, rate):
    """By finite differences of the losses: first the discriminator's, then the generator's."""

    def L_D(w, c):
        return _softplus_mean(-(w * x + c)) + _softplus_mean(w * (z + theta) + c)

    new_w, new_c = (
        w - rate * _slope(lambda w: L_D(w, c), w),
        c - rate * _slope(lambda c: L_D(w, c), c),
    )
    return (
        theta - rate * _slope(lambda t: _softplus_mean(-(new_w * (z + t) + new_c)), theta),
        new_w,
        new_c,
    )


def check_step(game_step, theta, w, c, x, z, rate):
    with np.errstate(all="ignore"):
        result = checks.call(game_step, theta, w, c, x, z, rate, see=SEE_GAME_STEP)
    checks.several(
        result,
        3,
        "the result of game_step",
        "game_step should return theta, w and c, but it returned {} things",
        SEE_GAME_STEP,
        kinds=(tuple, list, np.ndarray),
    )
    wanted, s = _right_step(theta, w, c, x, z, rate), lambda w, c: w * (z + theta) + c
    d = np.mean(1 / (1 + np.exp(-s(*wanted[1:])))) - 1
    mean_x_z = np.mean((1 / (1 + np.exp(-s(*wanted[1:]))) - 1) * (z + theta))
    stopped = (
        "the generator's loss moved the discriminator, too: in that step it must be left alone"
    )
    likely = {
        0: {
            "the factor w is missing, the derivative of the logit with respect to the sample": theta
            - rate * d,
            "the generator runs away from what is real: its loss wants D(G(z)) high": 2 * theta
            - wanted[0],
            "the discriminator as it was before its own step": _right_step(
                theta, *wanted[1:], x, z, 0
            )[0]
            - rate * _slope(lambda t: _softplus_mean(-(w * (z + t) + c)), theta),
            "the minimax loss (10.2)": theta - rate * wanted[1] * (d + 1),
        },
        1: {
            stopped: wanted[1] - rate * mean_x_z,
            "the labels are swapped: real notes have the label 1": 2 * w - wanted[1],
        },
        2: {
            stopped: wanted[2] - rate * d,
            "the labels are swapped: real notes have the label 1": 2 * c - wanted[2],
        },
    }
    for k in (1, 2, 0):
        where = SEE_CUT_GAME_STEP if k == 0 else SEE_GAME_STEP
        causes = {
            cause: value
            for cause, value in likely[k].items()
            if not np.isclose(value, wanted[k], rtol=1e-5)
        }
        name = ("theta", "w", "c")[k] + " after one step"
        checks.number(result[k], wanted[k], name, where, causes, rtol=1e-6, atol=1e-7)


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.models.adversarial.losses.discriminator_loss",
        "musiclab.models.adversarial.losses.non_saturating_loss",
        "musiclab.models.adversarial.loss_variants.minimax_loss",
    ),
)
def game_losses(game_losses):
    rng = np.random.default_rng(10)
    check_losses(game_losses, np.array([2.0, 0.0]), np.array([-1.0, -3.0]))
    check_losses(game_losses, rng.normal(1, 2, 5), rng.normal(-1, 2, 3))
    for name, z in hard_cases.logits(rng, 2, 4):
        with np.errstate(all="ignore"):
            found = checks.call(game_losses, z[0], z[1], see=SEE_GAME_LOSSES)
        belief = np.logaddexp(0, z[1]).mean()
        right = np.logaddexp(0, -z[0]).mean() + belief, -belief, np.logaddexp(0, -z[1]).mean()
        for mine, wanted, part in zip(found, right, ("L_D", "minimax", "non-saturating")):
            checks.number(mine, wanted, f"the {part} loss for {name}", SEE_GAME_LOSSES)
    check_losses(game_losses, np.array([[0.3], [-1.0], [2.0]]), np.array([[-0.4]]))


@lesson.exercise(points=4)
def least_squares(least_squares_best, soprano):
    rng = np.random.default_rng(20)
    bach = np.bincount(soprano % 12, minlength=12) / len(soprano)
    check_best(least_squares_best, bach, np.full(12, 1 / 12), None)
    check_best(least_squares_best, *rng.dirichlet(np.ones(5), size=2), None)
    for _, p in hard_cases.probs(rng, 2, 5):
        check_best(least_squares_best, p[0], p[1], None)
    check_best(least_squares_best, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), None)
    check_best(least_squares_best, np.array([1 - 1e-7, 1e-7]), np.array([1.0, 0.0]), None)


@lesson.exercise(points=4)
def game_step(game_step):
    rng = np.random.default_rng(30)
    check_step(game_step, -1.0, 0.7, 0.2, rng.normal(1, 0.3, 6), rng.normal(0, 0.3, 4), 0.1)
    check_step(game_step, 3.0, -0.7, -0.4, rng.normal(1, 0.3, 5), rng.normal(0, 0.3, 5), 0.5)
    check_step(game_step, 0.5, 0.0, 0.0, rng.normal(1, 0.3, 1), rng.normal(0, 0.3, 1), 1.0)
    check_step(game_step, -2.0, 1.5, -3.0, rng.normal(4, 2, 9), rng.normal(0, 1, 2), 0.01)
    check_step(game_step, 0.0, 0.5, 0.0, np.array([20.0, 30.0]), np.array([0.0, -1.0]), 0.1)
