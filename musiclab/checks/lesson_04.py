"""Checks of the exercises of lesson 04."""

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson
from musiclab.data import load_chorales, piano_roll, windows
from musiclab.models.autoencoders import numpy_autoencoder

lesson = Lesson("04_mse_training", written=3)


def examine_losses(both_losses, X, X_hat, rtol=1e-5):
    see = "lesson 04, section 'The loss'"
    result = checks.call(both_losses, X, X_hat, see=see)
    checks.several(
        result,
        2,
        "both_losses(X, X_hat)",
        "both_losses should return two numbers, but it returned {}",
        see,
    )
    gap = X - X_hat
    squares = [(float(a) - float(b)) ** 2 for a, b in zip(np.ravel(X), np.ravel(X_hat))]
    n, total = len(X), sum(squares)
    causes = {
        "the sum over all samples: divide by their number": total,
        "averaged over features too: that is Keras' mse": total / len(squares),
        "small unsigned integers wrapped round: 0 - 1 is 255": (gap.astype(float) ** 2).sum() / n,
        "squares were computed in small integers": (gap**2).sum() / n,
    }
    causes = {cause: value for cause, value in causes.items() if not np.isclose(value, total / n)}
    what = f"of samples of shape {np.shape(X)}, {X.dtype}"
    checks.number(result[0], total / n, f"the MSE of Eq. (4.1) {what}", see, causes, rtol=rtol)
    checks.number(result[1], total / len(squares), f'Keras\' "mse" {what}', see, rtol=rtol)


def examine_step(step, rng, n, d, n1, n2, eta, scale=1.0):
    see = "lesson 04, section 'The gradient, by hand'"
    X, weights = (
        rng.normal(0, scale, size=(n, d)),
        numpy_autoencoder.initial_weights(d, n1, n2, seed=int(rng.integers(1000))),
    )
    weights = weights._make(part + rng.normal(0, 0.1, part.shape) for part in weights)

    def loss(w):
        h2 = np.maximum(np.tanh(X @ w.W1.T + w.b1) @ w.W2.T + w.b2, 0)
        return np.sum((h2 @ w.W3.T + w.b3 - X) ** 2) / n

    slopes = numpy_autoencoder.finite_differences(loss, weights)
    result = checks.call(step, X, weights, eta, see=see)
    checks.several(
        result, 6, "step(X, weights, eta)", "step should return six arrays, but it returned {}", see
    )
    for name, old, new, g in list(zip(weights._fields, weights, result, slopes))[::-1]:
        causes = {
            "it goes uphill": old + eta * g,
            "the mean over samples was taken twice: it is in delta3 already": old - eta * g / n,
            "the mean over samples is missing in delta3": old - eta * g * n,
            "the factor 2 of the square is missing": old - eta * g / 2,
            "these are the gradients, not yet the new weights": g,
            "nothing has moved": old,
        }
        causes = {
            cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, old - eta * g)
        }
        what = f"new {name} with n = {n}, d = {d}, n1 = {n1}, n2 = {n2}, eta = {eta}"
        checks.array(new, old - eta * g, what, see, causes, rtol=1e-4, atol=1e-6 * max(1, eta))


def examine_adam(adam, slopes, theta, **constants):
    see = "lesson 04, section 'Gradient descent, mini-batches and Adam'"
    c = {"eta": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7} | constants
    m, v = np.zeros(theta.shape), np.zeros(theta.shape)
    for t, g in enumerate(slopes, start=1):
        # the running means written out: weighted sums of all slopes so far
        ages = np.arange(t)[::-1].reshape(-1, *[1] * g.ndim)
        past = np.array(slopes[:t])
        right_m = (1 - c["beta1"]) * (c["beta1"] ** ages * past).sum(axis=0)
        right_v = (1 - c["beta2"]) * (c["beta2"] ** ages * past**2).sum(axis=0)
        tall = right_m / (1 - c["beta1"] ** t)
        wide = right_v / (1 - c["beta2"] ** t)
        right = theta - c["eta"] * tall / (np.sqrt(wide) + c["epsilon"])
        with np.errstate(all="ignore"):
            result = checks.call(adam, theta, g, m, v, t, **constants, see=see)
        checks.several(
            result,
            3,
            "adam(...)",
            "adam should return theta, m and v, but it returned {} things",
            see,
        )
        causes = {
            "m and v were returned with the correction: only the step uses m_hat and v_hat": tall
        }
        checks.array(result[1], right_m, f"m after step {t}", see, causes, atol=1e-12)
        causes = {
            "the gradients were not squared in v": (1 - c["beta2"])
            * (c["beta2"] ** ages * past).sum(axis=0)
        }
        causes["v was returned with the correction"] = wide
        checks.array(result[2], right_v, f"v after step {t}", see, causes, atol=1e-12)
        causes = {
            "the correction of Eq. (4.11) is missing": theta
            - c["eta"] * right_m / (np.sqrt(right_v) + c["epsilon"]),
            "the root of v_hat is missing": theta - c["eta"] * tall / (wide + c["epsilon"]),
            "epsilon was put inside the root; it is added after it": theta
            - c["eta"] * tall / np.sqrt(wide + c["epsilon"]),
            "it goes uphill": 2 * theta - right,
        }
        causes = {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right)}
        checks.array(result[0], right, f"theta after step {t}", see, causes, rtol=1e-6, atol=1e-9)
        theta, m, v = right, right_m, right_v


def examine_pca(pca_rebuild, train, other, k):
    see = "lesson 04, section 'A baseline that needs no training'"
    mean = np.sum(train, axis=0) / len(train)
    rows = np.linalg.svd(train - mean, full_matrices=False)[2]
    with np.errstate(all="ignore"):
        result = checks.call(pca_rebuild, train, other, k, see=see)
    least, own = rows[train.shape[1] - k :], other.mean(axis=0)
    raw = np.linalg.svd(train, full_matrices=False)[2][:k]
    right = mean + (other - mean) @ rows[:k].T @ rows[:k]
    causes = {
        "the directions of least variance were kept": mean + (other - mean) @ least.T @ least,
        "the mean was not subtracted": other @ raw.T @ raw,
        "the mean was not added again": right - mean,
        "the mean is that of the samples to rebuild": own + (other - own) @ rows[:k].T @ rows[:k],
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.allclose(wrong, right)}
    what = f"{len(other)} samples rebuilt from {k} numbers, learnt from {len(train)}"
    checks.array(result, right, what, see, causes, rtol=1e-4, atol=1e-6)


@lesson.exercise(
    points=3, ready_made=("musiclab.models.autoencoders.numpy_autoencoder.mean_squared_error",)
)
def both_losses(both_losses):
    rng = np.random.default_rng(41)
    rolls = piano_roll(windows(load_chorales("test")[:3], 1)[0], 36, 83)
    examine_losses(both_losses, rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
    examine_losses(
        both_losses, rolls[:5], np.clip(rolls[:5] + rng.normal(0, 0.2, rolls[:5].shape), 0, 1)
    )
    loud = rng.integers(0, 128, (2, 2, 3, 4)).astype(np.uint8)  # velocities
    examine_losses(both_losses, loud[0], loud[1])
    far = np.array([[0, 250, 7]], np.uint8), np.array([[240, 3, 7]], np.uint8)
    examine_losses(both_losses, *far)
    examine_losses(both_losses, far[0].astype(np.int16) * 100, far[1].astype(np.int16) * -100)


@lesson.exercise(
    points=5,
    ready_made=(
        "musiclab.models.autoencoders.numpy_autoencoder.backward",
        "musiclab.models.autoencoders.optimisers.gradient_descent_step",
    ),
)
def step(step):
    rng = np.random.default_rng(43)
    examine_step(step, rng, n=8, d=6, n1=3, n2=4, eta=0.1)
    examine_step(step, rng, n=3, d=4, n1=4, n2=2, eta=0.5)
    for scale in (40.0, 1000.0):  # saturated units and large gradients
        X = scale * rng.normal(size=(4, 3))
        weights = numpy_autoencoder.initial_weights(3, 4, 2, seed=7)
        gradient = numpy_autoencoder.backward(X, weights)
        with np.errstate(all="ignore"):
            found = checks.call(
                step, X, weights, 0.5, see="lesson 04, section 'The gradient, by hand'"
            )
        for name, old, g, new in zip(weights._fields, weights, gradient, found):
            what = f"new {name} for samples of about {scale:g}"
            checks.array(new, old - 0.5 * g, what, rtol=1e-6, atol=1e-9)


@lesson.exercise(points=4, ready_made=("musiclab.models.autoencoders.optimisers.adam_step",))
def adam(adam):
    rng = np.random.default_rng(45)
    examine_adam(adam, [np.array([5.0, 0.05]), np.array([5.0, -0.05])], np.array([1.0, 1.0]))
    examine_adam(adam, list(rng.normal(size=(3, 4))), rng.normal(size=4), epsilon=0.1)
    g, m, v = np.array([1000.0, -1e-6, 0.0]), np.array([3.0, 0.1, 0.0]), np.array([50.0, 1e-4, 0.0])
    for t in (1, 50, 2000):
        m_new, v_new = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        right = 1 - 0.01 * (m_new / (1 - 0.9**t)) / (np.sqrt(v_new / (1 - 0.999**t)) + 1e-7)
        found = checks.call(adam, np.ones(3), g, m, v, t)
        for mine, wanted, name in zip(found, (right, m_new, v_new), ("theta", "m", "v")):
            checks.array(
                mine, wanted, f"{name} of step {t} with a large gradient", rtol=1e-6, atol=1e-12
            )


def chords(split):
    """The chords of a set on quarters, as rows of 0.0 and 1.0: (800, 52)."""
    quarters = windows(load_chorales(split), 1)[0][:, ::4].reshape(-1, 4)[:800]
    return piano_roll(quarters, 33, 84).astype(float)


@lesson.exercise(points=4)
def pca_rebuild(pca_rebuild):
    rng = np.random.default_rng(47)
    mixed = rng.normal(size=(7, 7)) * np.arange(1, 8)
    examine_pca(
        pca_rebuild, rng.normal(size=(60, 7)) @ mixed + 3, rng.normal(size=(5, 7)) @ mixed + 1, 3
    )
    examine_pca(pca_rebuild, chords("valid")[:400], chords("test")[:50], 8)
    bits = (rng.random((40, 6)) < 0.4).astype(np.uint8)
    examine_pca(pca_rebuild, bits, bits[:5], 3)
