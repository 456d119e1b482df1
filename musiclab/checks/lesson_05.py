"""Checks of the exercises of lesson 05."""

import numpy as np

from musiclab import checks
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("05_variational_autoencoder", written=4)


def examine_clouds(kl_clouds, mu1, sigma1, mu2, sigma2, what):
    see = "lesson 05, section 'Distance from the prior: KL'"

    def integral(m1, s1, m2, s2):
        points, weights = np.polynomial.hermite_e.hermegauss(6)  # exact for what is integrated here
        z = m1[..., None] + s1[..., None] * points
        log_1 = -0.5 * points**2 - np.log(s1[..., None])
        log_2 = -0.5 * ((z - m2[..., None]) / s2[..., None]) ** 2 - np.log(s2[..., None])
        return ((log_1 - log_2) * weights).sum(axis=-1) / weights.sum()

    each, back = integral(mu1, sigma1, mu2, sigma2), integral(mu2, sigma2, mu1, sigma1)
    right = each.sum(axis=1)
    causes = {
        "the mean over dimensions: independent dimensions add up": each.mean(axis=1),
        "the divergence was taken the other way round, of q2 from q1": back.sum(axis=1),
        "summed over clouds instead of dimensions": each.sum(axis=0),
        "half of it is missing: 1/2 stands before the sum": 2 * right,
        "the minus 1 is missing": right + mu1.shape[1] / 2,
        "the distance of the means is not divided by the variance of q2": right
        + 0.5 * ((mu1 - mu2) ** 2 * (1 - 1 / sigma2**2)).sum(axis=1),
        "one number for each dimension: sum them": each,
    }
    causes = {
        c: wrong
        for c, wrong in causes.items()
        if wrong.shape != right.shape or not np.allclose(wrong, right)
    }
    with np.errstate(all="ignore"):
        result = checks.call(kl_clouds, mu1, sigma1, mu2, sigma2, see=see)
    checks.array(result, right, what, see, causes, rtol=1e-5, atol=1e-9)


def examine_loss(loss, rng, n, steps, voices, z, beta):
    see = "lesson 05, section 'The loss'"
    log_p = np.log(rng.uniform(0.05, 1, (n, steps, voices)))
    mu, log_sigma = rng.normal(size=(n, z)), rng.normal(-0.5, 0.7, (n, z))
    right_p = np.array([sum(cell for row in one for cell in row) for one in log_p.tolist()])
    s2 = np.exp(log_sigma) ** 2
    right_kl = np.array(
        [sum(m * m + s - 1 - np.log(s) for m, s in zip(*two)) / 2 for two in zip(mu, s2)]
    )
    half = 0.5 * (mu**2 + np.exp(log_sigma) - 1 - log_sigma).sum(axis=1)
    with np.errstate(all="ignore"):
        result = checks.call(loss, log_p, mu, log_sigma, beta, see=see)
    checks.several(
        result, 3, "loss(...)", "loss should return three things, but it returned {}", see
    )
    causes = {
        "a mean over steps and voices: (5.3) is a sum": right_p / steps / voices,
        "a sum over windows too": right_p.sum(),
    }
    causes["summed over steps alone, then averaged over voices"] = right_p / voices
    checks.array(result[1], right_p, "ln p(x | z)", "lesson 05, section 'Reconstruction'", causes)
    causes = {
        "a mean over the dimensions of the code: (5.4) is a sum": right_kl / z,
        "log_sigma was taken for the logarithm of the variance": half,
        "that too, and a mean over dimensions": half / z,
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right_kl)}
    checks.array(
        result[2], right_kl, "the KL", "lesson 05, section 'Distance from the prior: KL'", causes
    )
    right = sum(-p + beta * kl for p, kl in zip(right_p, right_kl)) / n
    causes = {
        "the KL term has the wrong sign: it is a cost": (-right_p - beta * right_kl).mean(),
        "that is the bound to be made large; the loss is minus that": -right,
        "a sum over windows: the loss is their mean": right * n,
        "beta is missing": (-right_p + right_kl).mean(),
        "beta weighs the reconstruction": (-beta * right_p + right_kl).mean(),
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, right)}
    checks.number(result[0], right, f"the loss with beta = {beta}", see, causes)


def _log_gauss(x, mean, variance):
    return (-0.5 * (x - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)).sum(axis=-1)


def examine_draws(many_draws, rng, K, n, Z, low=0.0, exact=False):
    see = "lesson 05, section 'How good is the bound?'"
    x = rng.normal(size=(n, Z))
    mu = x / 2 if exact else x / 2 + rng.normal(0, 0.3, (n, Z))
    log_sigma = np.full((n, Z), np.log(0.5) / 2) if exact else rng.normal(-0.3, 0.2, (n, Z))
    z = mu + np.exp(log_sigma) * rng.standard_normal((K, n, Z))
    log_p, prior, q = (
        _log_gauss(x, z, 1.0) + low,
        _log_gauss(z, 0.0, 1.0),
        _log_gauss(z, mu, np.exp(2 * log_sigma)),
    )

    def log_mean(w):
        return np.logaddexp.reduce(w, axis=0) - np.log(K)

    w = log_p + prior - q
    right = _log_gauss(x, 0.0, 2.0) + low if exact else log_mean(w)
    causes = {
        "the mean of the logarithms: average first, then take the logarithm": w.mean(axis=0),
        "a sum over the draws instead of their mean": right + np.log(K),
        "q was forgotten: the draws come from the cloud, not from the prior": log_mean(
            log_p + prior
        ),
        "the prior was forgotten": log_mean(log_p - q),
        "the weights are p(x | z) alone": log_mean(log_p),
        "prior and cloud changed places": log_mean(log_p + q - prior),
        "these are weights: the logarithm is missing": np.exp(np.minimum(right, 700)),
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right)}
    with np.errstate(all="ignore"):
        result = checks.call(many_draws, log_p, z, mu, log_sigma, see=see)
    what = f"the bound from {K} draws for {n} windows, Z = {Z}" + (
        ", with the true posterior" if exact else ""
    )
    checks.array(result, right, what, see, causes, rtol=1e-6, atol=1e-6)


def examine_awake(active_dimensions, rng, n, z, least):
    see = "lesson 05, section 'Distance from the prior: KL'"
    busy = rng.permutation(z) < max(1, z // 2)
    mu = np.where(busy, rng.normal(0, 1.5, (n, z)), rng.normal(0, 0.02, (n, z)))
    sigma = np.where(busy, rng.uniform(0.1, 0.6, (n, z)), rng.uniform(0.98, 1.02, (n, z)))
    each = np.zeros((n, z))
    for i, j in np.ndindex(n, z):
        s2 = sigma[i, j] ** 2
        each[i, j] = (mu[i, j] ** 2 + s2 - 1 - np.log(s2)) / 2
    right = np.array([sum(column) / n for column in each.T])
    with np.errstate(all="ignore"):
        result = checks.call(active_dimensions, mu, sigma, least, see=see)
    checks.several(
        result,
        2,
        "active_dimensions(...)",
        "active_dimensions should return two things, but it returned {}",
        see,
    )
    causes = {
        "summed over windows instead of averaged": each.sum(axis=0),
        "summed over dimensions: that is the KL of each window": each.sum(axis=1),
        "averaged over dimensions instead of windows": each.mean(axis=1),
        "sigma was taken for its logarithm": 0.5
        * (mu**2 + np.exp(2 * sigma) - 1 - 2 * sigma).mean(axis=0),
        "sigma was taken for the variance": 0.5 * (mu**2 + sigma - 1 - np.log(sigma)).mean(axis=0),
    }
    causes = {
        c: wrong
        for c, wrong in causes.items()
        if wrong.shape != right.shape or not np.allclose(wrong, right)
    }
    checks.array(result[0], right, "the mean KL of each dimension", see, causes)
    causes = {"those below the threshold were counted": int((right <= least).sum())}
    causes["counted if a single window is above it"] = int((each > least).any(axis=0).sum())
    count = int((right > least).sum())
    causes = {cause: wrong for cause, wrong in causes.items() if wrong != count}
    checks.number(result[1], count, f"the active dimensions, above {least}", see, causes)


def examine_threshold(active_dimensions):
    """Dimensions whose KL is 0.5 nats exactly: not above 0.5."""
    see = "lesson 05, section 'Distance from the prior: KL'"
    mu, sigma = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 0.0]]), np.ones((2, 3))
    _, count = checks.call(active_dimensions, mu, sigma, 0.5, see=see)
    causes = {"a dimension whose KL is exactly the threshold was counted: active is above it": 2}
    checks.number(count, 1, "the active dimensions, above 0.5, of KL 0.5, 2 and 0", see, causes)


def examine_gap(gap, prior, likelihood, q):
    see = "lesson 05, section 'The ELBO'"
    with np.errstate(all="ignore"):
        result = checks.call(gap, prior, likelihood, q, see=see)
    checks.several(
        result,
        3,
        "gap(prior, likelihood, q)",
        "gap should return three numbers, but it returned {}",
        see,
    )
    evidence = sum(p * x for p, x in zip(prior, likelihood))
    elbo = between = kl = back = 0.0
    for p, x, w in zip(prior, likelihood, q):
        if w > 0:
            with np.errstate(divide="ignore"):
                elbo += w * (np.log(x) + np.log(p) - np.log(w))
                between += w * (np.log(w) - np.log(p * x / evidence))
                kl += w * (np.log(w) - np.log(p))
        if p * x > 0 and w > 0:
            back += p * x / evidence * (np.log(p * x / evidence) - np.log(w))
    checks.number(
        result[0], np.log(evidence), "ln p(x)", see, {"p(x): take its logarithm": evidence}
    )
    with np.errstate(all="ignore"):  # -inf + inf
        causes = {
            "the sign is turned round": -elbo,
            "ln p(z) - ln q(z), the second term, is missing": elbo + kl,
            "the divergence was added, not subtracted": elbo + 2 * kl,
            "this is ln p(x): the mean over q stands outside the logarithm": np.log(evidence),
        }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, elbo)}
    checks.number(result[1], elbo, "the ELBO", see, causes)
    causes = {
        "this is the divergence from the prior, KL(q || p(z))": kl,
        "the divergence was taken the other way round, KL(p(z | x) || q)": back,
        "the gap is ln p(x) less the ELBO, not the reverse": -between,
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, between)}
    checks.number(result[2], between, "the gap", see, causes, atol=1e-9)


@lesson.exercise(points=4)
def kl_clouds(kl_clouds):
    rng = np.random.default_rng(51)
    zero, one = np.zeros((4, 3)), np.ones((4, 3))
    examine_clouds(
        kl_clouds,
        rng.normal(size=(4, 3)),
        rng.uniform(0.2, 2, (4, 3)),
        zero,
        one,
        "the divergence from the prior",
    )
    mu, sigma = rng.normal(size=(4, 3)), rng.uniform(0.2, 2, (4, 3))
    examine_clouds(kl_clouds, mu, sigma, mu, sigma, "the divergence of a cloud from itself")
    examine_clouds(
        kl_clouds, mu, sigma, rng.normal(size=(4, 3)), 2 * one, "the divergence from another cloud"
    )
    for width in (1e-4, 1e4):
        examine_clouds(
            kl_clouds, mu, width * one, zero, one, f"the divergence for sigma1 = {width}"
        )
    examine_clouds(kl_clouds, 40 * mu, sigma, zero, one, "the divergence of means far away")


@lesson.exercise(points=3)
def gap(gap):
    examine_gap(gap, np.array([0.5, 0.5]), np.array([0.9, 0.1]), np.array([0.8, 0.2]))
    examine_gap(gap, np.array([0.5, 0.5]), np.array([0.9, 0.1]), np.array([0.9, 0.1]))
    rng = np.random.default_rng(61)
    for (_, prior), (_, q) in zip(hard_cases.probs(rng, 1, 5), hard_cases.probs(rng, 1, 5)):
        examine_gap(gap, prior[0], rng.uniform(0.1, 1, 5), q[0])
    examine_gap(gap, np.array([0.25, 0.75]), np.array([0.4, 0.0]), np.array([0.5, 0.5]))
    examine_gap(gap, np.array([0.5, 0.5]), np.array([0.4, 0.0]), np.array([1 - 1e-15, 1e-15]))


@lesson.exercise(
    points=4,
    ready_made=(
        "musiclab.models.autoencoders.elbo.elbo",
        "musiclab.models.autoencoders.elbo.kl_to_prior",
    ),
)
def loss(loss):
    rng = np.random.default_rng(53)
    examine_loss(loss, rng, n=5, steps=4, voices=3, z=2, beta=0.3)
    examine_loss(loss, rng, n=3, steps=8, voices=4, z=6, beta=2.0)
    examine_loss(loss, rng, n=1, steps=32, voices=4, z=1, beta=0.0)
    see = "lesson 05, section 'The loss'"
    for name, log_p in hard_cases.log_probs(rng, 6):
        with np.errstate(all="ignore"):
            result = checks.call(
                loss, log_p.reshape(1, 3, 2), np.zeros((1, 2)), np.zeros((1, 2)), 1.0, see=see
            )
        checks.array(result[1], [log_p.sum()], f"ln p(x | z) of {name}", see)
    log_sigma = np.array([[-15.0], [10.0], [0.0], [0.05]])
    kl = 0.5 * (np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1)
    result = checks.call(loss, np.zeros((4, 1, 1)), np.zeros((4, 1)), log_sigma, 1.0, see=see)
    checks.array(result[2], kl, "the KL of very narrow, very wide and almost standard clouds", see)
    checks.number(result[0], kl.mean(), "the loss of these clouds", see)
    almost = np.array([[0.0], [0.05]])
    result = checks.call(loss, np.zeros((2, 1, 1)), np.zeros((2, 1)), almost, 1.0, see=see)
    right = np.mean(0.5 * (np.exp(2 * almost) - 1 - 2 * almost))
    checks.number(result[0], right, "the loss of clouds that almost equal the prior", see)


@lesson.exercise(
    points=3, ready_made=("musiclab.models.autoencoders.elbo.importance_weighted_bound",)
)
def many_draws(many_draws):
    rng = np.random.default_rng(55)
    examine_draws(many_draws, rng, K=4, n=3, Z=2, exact=True)
    examine_draws(many_draws, rng, K=16, n=3, Z=2)
    see = "lesson 05, section 'How good is the bound?'"
    for name, log_p in hard_cases.log_probs(rng, 4):
        zeros = np.zeros((4, 1, 2))
        with np.errstate(all="ignore"):
            found = checks.call(many_draws, log_p[:, None], zeros, zeros[0], zeros[0], see=see)
        right = np.logaddexp.reduce(log_p) - np.log(4)  # prior and posterior are the same
        checks.array(found, [right], f"the bound from 4 draws with {name}", see)
    for log_s, apart in ((0.0, 50.0), (-9.0, 1e-4)):
        z, mu = (
            np.full((3, 1, 1), apart) * np.array([1, -0.5, 0.2])[:, None, None],
            np.zeros((1, 1)),
        )
        log_q = -0.5 * (z[..., 0] / np.exp(log_s)) ** 2 - log_s
        w = np.array([[-1.0], [-2.0], [-3.0]]) - 0.5 * z[..., 0] ** 2 - log_q
        given = np.array([[-1.0], [-2.0], [-3.0]]), z, mu, np.full((1, 1), log_s)
        with np.errstate(all="ignore"):
            found = checks.call(many_draws, *given, see=see)
        right = np.logaddexp.reduce(w, axis=0) - np.log(3)
        checks.array(
            found, right, f"the bound for log_sigma = {log_s} and codes {apart} apart", see
        )
    far = np.full((2, 1, 1), 45.0)
    with np.errstate(all="ignore"):
        found = checks.call(many_draws, -np.ones((2, 1)), far, far[0], np.zeros((1, 1)), see=see)
    checks.array(
        found, [-1.0 - 45.0**2 / 2], "the bound for a code that is far from the prior", see
    )


@lesson.exercise(points=2)
def awake(active_dimensions):
    rng = np.random.default_rng(57)
    examine_awake(active_dimensions, rng, n=9, z=5, least=0.1)
    examine_awake(active_dimensions, rng, n=1, z=4, least=0.1)
    examine_threshold(active_dimensions)
    see = "lesson 05, section 'Distance from the prior: KL'"
    mu = np.sqrt(2 * np.array([[0.1004, 0.0996, 1e-4, 0.0]]))
    kl, count = checks.call(active_dimensions, mu, np.ones((1, 4)), 0.1, see=see)
    checks.array(kl, [0.1004, 0.0996, 1e-4, 0.0], "KL near the threshold", see, atol=1e-9)
    checks.number(count, 1, "the dimensions above 0.1 of KL 0.1004, 0.0996, 0.0001 and 0", see)
    _, count = checks.call(active_dimensions, mu, np.ones((1, 4)), 0.0, see=see)
    checks.number(count, 3, "the dimensions above 0", see)
    kl, _ = checks.call(active_dimensions, np.zeros((1, 1)), np.full((1, 1), 1e-5), 0.1, see=see)
    checks.array(kl, [(1e-10 - 1) / 2 - np.log(1e-5)], "the KL of a very narrow cloud", see)
