"""The losses of the adversarial game: by hand, by finite differences, at extreme logits; the penalties' slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.adversarial.loss_variants import (
    LOSSES,
    gradient_penalty,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    minimax_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from musiclab.models.adversarial.losses import discriminator_loss, non_saturating_loss, r1_penalty

rng = np.random.default_rng(0)
REAL, FAKE = (
    rng.normal(1, 2, 5),
    rng.normal(-1, 2, 7),
)  # float64, and not as many of one as of the other
GENERATORS = [
    minimax_loss,
    non_saturating_loss,
    least_squares_generator_loss,
    wasserstein_generator_loss,
]
DISCRIMINATORS = [discriminator_loss, least_squares_discriminator_loss, wasserstein_critic_loss]
sigmoid = lambda s: 1 / (1 + np.exp(-s))  # noqa: E731


def gradient(loss, *logits):
    logits = [tf.constant(one) for one in logits]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(*logits)
    return [slope.numpy() for slope in tape.gradient(value, logits)]


def finite_differences(function, x, step=1e-6):
    slopes = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        bump = np.zeros_like(x)
        bump[i] = step
        slopes[i] = (float(function(x + bump)) - float(function(x - bump))) / (2 * step)
    return slopes


def test_discriminator_loss_as_the_article_writes_it():
    # Eq. (10.1): two means, added
    expected = -np.mean(np.log(sigmoid(REAL))) - np.mean(np.log(1 - sigmoid(FAKE)))
    assert float(discriminator_loss(REAL, FAKE)) == pytest.approx(expected, rel=1e-12)


def test_discriminator_loss_is_keras_binary_crossentropy_twice():
    # Eq. (10.1): Keras averages over real and generated together, so with as many of each it says
    # half
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    logits, labels = np.concatenate([REAL, FAKE[:5]]), np.repeat([1.0, 0.0], 5)
    assert float(discriminator_loss(REAL, FAKE[:5])) == pytest.approx(
        2 * float(bce(labels, logits)), rel=1e-6
    )


def test_minimax_loss_as_probability():
    # Eq. (10.2)
    assert float(minimax_loss(FAKE)) == pytest.approx(np.mean(np.log(1 - sigmoid(FAKE))), rel=1e-12)


def test_non_saturating_loss_as_probability():
    # Eq. (10.3)
    assert float(non_saturating_loss(FAKE)) == pytest.approx(
        -np.mean(np.log(sigmoid(FAKE))), rel=1e-12
    )


def test_least_squares_by_hand():
    # Eq. (10.8): ((3 - 1)^2 + (0 - 1)^2) / 2 = 2.5 and (1 + 9) / 2 = 5, of each the half
    assert float(least_squares_discriminator_loss([3.0, 0.0], [1.0, 3.0])) == pytest.approx(
        (2.5 + 5) / 2
    )
    assert float(least_squares_generator_loss([3.0, 0.0])) == pytest.approx(2.5 / 2)


def test_wasserstein_by_hand():
    # Eq. (10.9)
    assert float(wasserstein_critic_loss([3.0, 1.0], [1.0, 4.0, 4.0])) == pytest.approx(3 - 2)
    assert float(wasserstein_generator_loss([1.0, 4.0, 4.0])) == pytest.approx(-3)


@pytest.mark.parametrize("loss", GENERATORS)
def test_generators_gradients_match_finite_differences(loss):
    # Eqs. (10.2), (10.3), (10.8), (10.9)
    np.testing.assert_allclose(
        gradient(loss, FAKE)[0], finite_differences(loss, FAKE), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("loss", DISCRIMINATORS)
def test_discriminators_gradients_match_finite_differences(loss):
    # Eqs. (10.1), (10.8), (10.9)
    real, fake = gradient(loss, REAL, FAKE)
    np.testing.assert_allclose(
        real, finite_differences(lambda s: loss(s, FAKE), REAL), rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        fake, finite_differences(lambda s: loss(REAL, s), FAKE), rtol=1e-6, atol=1e-9
    )


def test_slopes_at_a_sure_discriminator():
    # Eqs. (10.2), (10.3): one fades as exp(s), the other doesn't
    s = np.array([-50.0])
    assert gradient(minimax_loss, s)[0] == pytest.approx(-np.exp(-50), rel=1e-9)
    assert gradient(non_saturating_loss, s)[0] == pytest.approx(-1)
    assert gradient(minimax_loss, -s)[0] == pytest.approx(-1)
    assert gradient(non_saturating_loss, -s)[0] == pytest.approx(-np.exp(-50), rel=1e-9)


@pytest.mark.parametrize("size", [-50, 50])
def test_single_precision_is_enough_at_fifty(size):
    s = np.float32([size])
    far, near = max(size, 0), max(-size, 0)
    tiny = np.exp(-50)
    assert float(discriminator_loss(s, s)) == pytest.approx(50, rel=1e-6)
    assert float(minimax_loss(s)) == pytest.approx(-(far or tiny), rel=1e-5)
    assert float(non_saturating_loss(s)) == pytest.approx(near or tiny, rel=1e-5)
    for loss in GENERATORS:
        assert np.isfinite(gradient(loss, s)[0]).all()
        assert float(loss(s)) == pytest.approx(float(loss(np.float64([size]))), rel=1e-5)
    for loss in DISCRIMINATORS:
        assert all(np.isfinite(slopes).all() for slopes in gradient(loss, s, s))
        assert float(loss(s, -s)) == pytest.approx(
            float(loss(np.float64([size]), np.float64([-size]))), rel=1e-5
        )


@pytest.mark.parametrize("name", LOSSES)
def test_games_by_name(name):
    of_discriminator, of_generator = LOSSES[name]
    column = of_discriminator(REAL[:, None], FAKE[:, None])
    assert column.shape == of_generator(FAKE).shape == ()
    assert column.dtype == tf.float64
    assert float(of_generator(FAKE[0])) == float(of_generator(FAKE[:1]))  # one logit, no axis
    assert float(column) == float(
        of_discriminator(REAL, FAKE)
    )  # a column of logits is not spread into a table
    better, worse = gradient(of_discriminator, REAL * 0, FAKE * 0)
    assert (better <= 0).all()  # the discriminator wants real ones higher, generated ones not
    assert (worse >= 0).all()
    assert (gradient(of_generator, FAKE * 0)[0] < 0).all()  # and the generator wants its own higher


class SmallNetwork:
    """Two dense layers in double precision, so that finite differences are sharp."""

    def __init__(self, features):
        self.kernel = tf.Variable(rng.normal(size=(features, 8)))
        self.out = tf.constant(rng.normal(size=(8, 1)))

    def __call__(self, x):
        return tf.tanh(tf.reshape(x, (len(x), -1)) @ self.kernel) @ self.out


def slopes_by_differences(network, x):
    """The gradient of each sample's score, one sample at a time."""
    return np.array([finite_differences(lambda one: network(one[None])[0, 0], one) for one in x])


def test_r1_matches_finite_differences():
    # Eq. (10.10): squares summed over both axes of a sample, averaged over samples
    network, x = SmallNetwork(6), rng.normal(size=(4, 3, 2))
    expected = np.mean(np.sum(slopes_by_differences(network, x) ** 2, axis=(1, 2)))
    assert float(r1_penalty(network, x)) == pytest.approx(expected, rel=1e-6)


def test_r1_by_hand():
    # Eq. (10.10): the slope of x^2 is 2 x
    x = tf.constant([[1.0, 2.0], [0.0, 3.0]])
    assert float(r1_penalty(lambda x: tf.reduce_sum(x**2, axis=1), x)) == pytest.approx(
        (4 * 5 + 4 * 9) / 2
    )


def test_gradient_penalty_matches_finite_differences():
    # Eq. (10.9): the points are recovered from a score that writes them down
    network, real, fake = SmallNetwork(6), rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 3, 2))
    seen = []

    def score(x):
        seen.append(x.numpy())
        return network(x)

    penalty = float(gradient_penalty(score, real, fake, seed=(1, 2)))
    lengths = np.sqrt(np.sum(slopes_by_differences(network, seen[0]) ** 2, axis=(1, 2)))
    assert penalty == pytest.approx(np.mean((lengths - 1) ** 2), rel=1e-6)
    share = (seen[0] - fake) / (real - fake)
    np.testing.assert_allclose(
        share, np.broadcast_to(share[:, :1, :1], share.shape), rtol=1e-6
    )  # one for a sample
    assert len(np.unique(share[:, 0, 0].round(6))) == 4
    assert ((share > 0) & (share < 1)).all()


def test_gradient_penalty_by_hand_and_by_its_seed():
    # Eq. (10.9): |slope| of 3 x0 + 4 x1 is 5 wherever one looks; of x^2 it depends on where
    real, fake = tf.zeros((6, 2)), tf.ones((6, 2))
    assert float(
        gradient_penalty(lambda x: 3 * x[:, 0] + 4 * x[:, 1], real, fake, seed=(0, 0))
    ) == pytest.approx(16)
    curved = [
        float(gradient_penalty(lambda x: x[:, 0] ** 2, real, fake, seed=(0, k))) for k in (0, 0, 1)
    ]
    assert curved[0] == curved[1] != curved[2]


@pytest.mark.parametrize("penalty", ["r1", "gradient"])
def test_penalties_train_the_weights_they_are_of(penalty):
    network, x = SmallNetwork(2), rng.normal(size=(4, 2))
    one = {
        "r1": lambda: r1_penalty(network, x),
        "gradient": lambda: gradient_penalty(network, x, x + 1, (0, 0)),
    }
    with tf.GradientTape() as tape:
        value = one[penalty]()
    slopes = tape.gradient(value, network.kernel).numpy()
    before = network.kernel.numpy()

    def moved(kernel):
        network.kernel.assign(kernel)
        return one[penalty]()

    np.testing.assert_allclose(slopes, finite_differences(moved, before), rtol=1e-5, atol=1e-8)


def test_gradient_penalty_of_a_flat_critic_can_be_trained():
    w, x = tf.Variable([[0.0], [0.0]]), tf.zeros((3, 2))
    with tf.GradientTape() as tape:
        value = gradient_penalty(lambda x: x @ w, x, x, seed=(0, 0))
    assert float(value) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(tape.gradient(value, w).numpy()).all()


def test_all_work_in_a_traced_step_of_unknown_size():
    @tf.function(input_signature=[tf.TensorSpec((None, 2)), tf.TensorSpec((None, 2))])
    def step(real, fake):
        score = lambda x: tf.reduce_sum(x, axis=1)  # noqa: E731
        penalties = r1_penalty(score, real) + gradient_penalty(score, real, fake, seed=(0, 0))
        return discriminator_loss(score(real), score(fake)) + penalties

    expected = np.log(4) + 2 + (np.sqrt(2) - 1) ** 2
    assert float(step(tf.zeros((3, 2)), tf.zeros((3, 2)))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", GENERATORS)
def test_bad_logits_are_explained(loss):
    with pytest.raises(ValueError, match=r"fake logits are float64 of shape \(0,\)"):
        loss(np.zeros(0))
    with pytest.raises(ValueError, match=r"fake logits are int64 of shape \(3,\): need floats"):
        loss(np.zeros(3, np.int64))


@pytest.mark.parametrize("loss", DISCRIMINATORS)
def test_bad_real_logits_are_explained(loss):
    with pytest.raises(ValueError, match=r"real logits are float64 of shape \(0,\)"):
        loss(np.zeros(0), FAKE)
    with pytest.raises(ValueError, match="fake logits are int64"):
        loss(REAL, np.zeros(3, np.int64))


def test_bad_samples_are_explained():
    flat = lambda x: tf.reduce_sum(x, axis=1)  # noqa: E731
    with pytest.raises(ValueError, match="samples are int64"):
        r1_penalty(flat, np.zeros((3, 2), np.int64))
    with pytest.raises(ValueError, match=r"shape \(0, 2\)"):
        r1_penalty(flat, np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"real has shape \(3, 2\), fake \(4, 2\)"):
        gradient_penalty(flat, np.zeros((3, 2)), np.zeros((4, 2)), seed=(0, 0))
    with pytest.raises(ValueError, match="there is no gradient"):
        r1_penalty(lambda x: tf.ones(3), np.zeros((3, 2)))
