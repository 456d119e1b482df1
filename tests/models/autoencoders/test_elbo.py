"""The terms of the bound against SciPy, sampling, sums over all windows, and a model whose likelihood is known."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from musiclab.models.autoencoders import elbo

rng = np.random.default_rng(0)
MU, LOG_SIGMA = rng.normal(size=(2, 5, 3))


def test_log_density_is_scipys():
    # Eq. (5.1)
    z = rng.normal(size=(4, 5, 3))
    expected = stats.norm.logpdf(z, MU, np.exp(LOG_SIGMA)).sum(axis=-1)
    np.testing.assert_allclose(elbo.log_gaussian(z, MU, LOG_SIGMA), expected, rtol=1e-5)


def test_draws_have_the_mean_and_spread_asked_for():
    # Eq. (5.2)
    z = elbo.reparameterise(MU, LOG_SIGMA, rng.normal(size=(40_000, 5, 3)))
    np.testing.assert_allclose(np.mean(z, axis=0), MU, atol=0.15)
    np.testing.assert_allclose(np.std(z, axis=0), np.exp(LOG_SIGMA), rtol=0.03)


def test_gradients_pass_through_a_sample():
    # Eq. (5.2): d z / d mu = 1, d z / d log sigma = sigma epsilon
    mu, log_sigma, epsilon = (
        tf.constant([[1.0]]),
        tf.constant([[np.log(2.0)]], tf.float32),
        tf.constant([[-0.5]]),
    )
    with tf.GradientTape() as tape:
        tape.watch([mu, log_sigma])
        z = elbo.reparameterise(mu, log_sigma, epsilon)
    assert [
        float(gradient[0, 0]) for gradient in tape.gradient(z, [mu, log_sigma])
    ] == pytest.approx([1.0, -1.0])
    assert float(z[0, 0]) == pytest.approx(0.0)


def all_windows(steps, voices, sounds):
    """Every window of so many steps and voices: what sounds, and where a pitch that stays is struck."""
    for flat in itertools.product(range(sounds), repeat=steps * voices):
        pitch = np.reshape(flat, (steps, voices))
        new = np.diff(pitch, axis=0, prepend=-1) != 0
        free = np.argwhere(~new & (pitch > 0))
        for struck in itertools.product((0, 1), repeat=len(free)):
            said = new & (pitch > 0)
            said[tuple(free.T)] = struck
            yield pitch, said


def test_probabilities_of_all_windows_sum_to_one():
    # Eq. (5.3)
    pitch, struck = (np.array(part) for part in zip(*all_windows(steps=3, voices=2, sounds=3)))
    assert len(pitch) > 3**6  # more than the pitches alone
    logits, odds = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2))
    shapes = np.broadcast_to(logits, (len(pitch), 3, 2, 3)), np.broadcast_to(odds, pitch.shape)
    assert np.exp(elbo.log_p_given_z(pitch, struck, *shapes)).sum() == pytest.approx(1, rel=1e-5)


def test_likelihood_by_hand():
    # Eq. (5.3): a pitch of probability 3/4, held with 2/3, and a rest of 1/4, for which nothing is
    # asked
    logits = np.log(np.full((1, 3, 1, 2), [0.25, 0.75]))
    odds = np.full((1, 3, 1), np.log(1 / 2))
    pitch, struck = np.array([[[1], [1], [0]]]), np.array([[[1], [0], [0]]])
    found = elbo.log_p_given_z(pitch, struck, logits, odds)
    assert float(found[0]) == pytest.approx(np.log(0.75 * 0.75 * 2 / 3 * 0.25), rel=1e-5)
    again = elbo.log_p_given_z(pitch, np.array([[[1], [1], [0]]]), logits, odds)
    assert float(again[0] - found[0]) == pytest.approx(np.log(1 / 2), rel=1e-4)


def test_kl_by_hand():
    # Eq. (5.4): half of mu^2 + sigma^2 - 1 - ln sigma^2
    found = elbo.kl_to_prior([[0.0, 1.0, 0.0]], [[0.0, 0.0, np.log(2)]])
    np.testing.assert_allclose(found, [[0, 0.5, (4 - 1 - np.log(4)) / 2]], rtol=1e-6)


def test_kl_is_what_sampling_says():
    # Eq. (5.4)
    z = elbo.reparameterise(MU, LOG_SIGMA, rng.normal(size=(40_000, 5, 3)))
    ratios = np.array(elbo.log_gaussian(z, MU, LOG_SIGMA) - elbo.log_gaussian(z, 0.0, 0.0))
    error = ratios.std(axis=0) / np.sqrt(len(ratios))
    closed = np.sum(elbo.kl_to_prior(MU, LOG_SIGMA), axis=-1)
    assert (abs(ratios.mean(axis=0) - closed) < 5 * error).all()


def test_kl_is_never_negative_and_nothing_at_the_prior():
    assert float(np.min(elbo.kl_to_prior(*rng.normal(size=(2, 100, 4))))) >= 0
    assert not np.any(elbo.kl_to_prior(np.zeros((2, 3)), np.zeros((2, 3))))


def test_elbo_is_a_mean_over_draws_minus_a_sum_over_dimensions():
    # Eq. (5.5)
    log_p = rng.normal(size=(7, 5))
    kl = np.sum(elbo.kl_to_prior(MU, LOG_SIGMA), axis=1)
    found = elbo.elbo(log_p, MU, LOG_SIGMA)
    np.testing.assert_allclose(found, log_p.mean(axis=0) - kl, rtol=1e-4, atol=1e-4)


class LinearGaussian:
    """z from N(0, 1) in 2 dimensions, x = A z + noise in 3: ln p(x) and p(z | x) are known exactly."""

    A, noise = rng.normal(size=(3, 2)), 0.7
    x = rng.normal(size=(6, 3))

    @property
    def log_p_x(self):
        return stats.multivariate_normal(
            np.zeros(3), self.A @ self.A.T + self.noise**2 * np.eye(3)
        ).logpdf(self.x)

    def log_p_x_given_z(self, z):
        return stats.norm.logpdf(self.x, z @ self.A.T, self.noise).sum(axis=-1)

    def draws(self, mu, log_sigma, k):
        z = np.array(elbo.reparameterise(mu, log_sigma, rng.normal(size=(k, *mu.shape))))
        return self.log_p_x_given_z(z), z, mu, log_sigma


def rough_encoder(model):
    """The posterior's mean, moved, with the wrong spread: what an imperfect encoder would say."""
    precision = np.eye(2) + model.A.T @ model.A / model.noise**2
    mean = model.x @ model.A @ np.linalg.inv(precision) / model.noise**2
    return mean + 0.2, np.full(mean.shape, np.log(0.6))


def test_importance_weighted_estimate_reaches_the_known_likelihood():
    # Eq. (5.7)
    model = LinearGaussian()
    found = elbo.importance_weighted_bound(*model.draws(*rough_encoder(model), k=40_000))
    np.testing.assert_allclose(found, model.log_p_x, atol=0.05)


def test_elbo_and_estimates_are_ordered_bounds():
    # Eqs. (5.5), (5.7): in expectation ELBO <= 5 draws <= 50 draws <= ln p(x)
    model = LinearGaussian()
    mu, log_sigma = rough_encoder(model)
    parts = model.draws(mu, log_sigma, 10_000)
    low = np.array(elbo.elbo(parts[0], mu, log_sigma))
    five, fifty = (
        np.mean(
            [elbo.importance_weighted_bound(*model.draws(mu, log_sigma, k)) for _ in range(400)],
            axis=0,
        )
        for k in (5, 50)
    )
    assert (low < five).all()
    assert (five < fifty).all()
    assert (fifty < model.log_p_x + 0.02).all()
    exact = (
        stats.multivariate_normal
    )  # the gap of the ELBO is KL(q || p(z | x)), known for two Gaussians
    precision = np.eye(2) + model.A.T @ model.A / model.noise**2
    mean = mu - 0.2
    z = parts[1][:4000]
    gap = [
        np.mean(
            exact(mu[i], 0.36 * np.eye(2)).logpdf(z[:, i])
            - exact(mean[i], np.linalg.inv(precision)).logpdf(z[:, i])
        )
        for i in range(len(mu))
    ]
    np.testing.assert_allclose(model.log_p_x - low, gap, atol=0.15)


def test_with_the_true_posterior_one_draw_is_exact():
    # Eq. (5.7): one latent number, so that the posterior is a Gaussian with one spread
    a, noise, x = 1.5, 0.5, rng.normal(size=(6, 1))
    variance = 1 / (1 + a**2 / noise**2)
    mu, log_sigma = variance * a / noise**2 * x, np.full(x.shape, np.log(variance) / 2)
    z = np.array(elbo.reparameterise(mu, log_sigma, rng.normal(size=(1, 6, 1))))
    log_p = stats.norm.logpdf(x, a * z, noise).sum(axis=-1)
    expected = stats.norm.logpdf(x[:, 0], 0, np.sqrt(a**2 + noise**2))
    np.testing.assert_allclose(
        elbo.importance_weighted_bound(log_p, z, mu, log_sigma), expected, rtol=1e-4
    )


def test_one_draw_of_the_estimate_is_one_draw_of_the_elbo_s_integrand():
    z, log_p = rng.normal(size=(1, 5, 3)), rng.normal(size=(1, 5))
    expected = (
        log_p[0] + np.array(elbo.log_gaussian(z, 0.0, 0.0) - elbo.log_gaussian(z, MU, LOG_SIGMA))[0]
    )
    np.testing.assert_allclose(
        elbo.importance_weighted_bound(log_p, z, MU, LOG_SIGMA), expected, rtol=1e-4
    )
