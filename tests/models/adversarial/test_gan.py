"""One training step of both networks, against gradients taken by hand; fitting, sampling, storing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data.encodings.two_bars import one_hot
from musiclab.models.adversarial.gan import (
    AVERAGE_DECAY,
    R1_INTERVAL,
    ConvGAN,
    DenseGAN,
    RecurrentGAN,
)
from musiclab.models.adversarial.losses import discriminator_loss, non_saturating_loss
from musiclab.training import load_model, save_model, set_seed, train

rng = np.random.default_rng(0)
WINDOWS = rng.choice([0, 1, 1, 1, 20, 30, 40], size=(8, 32, 4)).astype(np.int8)
KINDS = (DenseGAN, RecurrentGAN, ConvGAN)


def tiny(kind=DenseGAN, **settings):
    set_seed(1)
    return kind(**{"latent": 3, "units": 4, "discriminator_units": 4, **settings})


def weights(network):
    return [w.numpy() for w in network.trainable_variables]


def changed(before, network):
    return [abs(new - old).max() > 0 for old, new in zip(before, weights(network))]


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_learn_at_each_step(kind):
    """The generator hangs on the discriminator: every one of its weights moves, and only its own optimizer moves it."""
    model = tiny(kind)
    generator, discriminator = weights(model.generator), weights(model.discriminator)
    model.train_step(tf.constant(WINDOWS))
    assert (
        np.mean(changed(generator, model.generator)) > 0.8
    )  # a bias before batch normalisation has no gradient
    assert all(changed(discriminator, model.discriminator))
    assert model.optimizer.iterations == model.generator_optimizer.iterations == 1


def one_plain_step(model, windows, count):
    """A step with plain gradient descent of rate 1, so that what changes is minus the gradient; the noise is fixed."""
    model.optimizer, model.generator_optimizer = (
        keras.optimizers.SGD(1.0),
        keras.optimizers.SGD(0.0),
    )
    model.optimizer.build(model.discriminator.trainable_variables)
    model.optimizer.iterations.assign(count)
    fake = tf.constant(one_hot(windows[::-1]))
    features = model.discriminator.features(fake)
    model.update_discriminator(tf.constant(one_hot(windows)), features)


@pytest.mark.parametrize(
    ("r1", "count", "weight"),
    [(4.0, 0, 4.0), (4.0, 1, 0.0), (4.0, R1_INTERVAL, 4.0), (0.0, 0, 0.0)],
)
def test_discriminator_step_by_hand(r1, count, weight):
    """Eq. (11.5): the loss plus the weighted squared gradient at real windows, in one step of four."""
    model = tiny(r1=r1, minibatch_deviation=False)
    model.discriminator.set_weights(
        [3 * w for w in model.discriminator.get_weights()]
    )  # or gradients are too small
    discriminator, x = model.discriminator, tf.constant(one_hot(WINDOWS))
    before, fake = weights(discriminator), tf.constant(one_hot(WINDOWS[::-1]))
    with tf.GradientTape() as tape:
        features = discriminator.features(x)
        with tf.GradientTape() as inner:
            inner.watch(features)
            real = discriminator.from_features(features)
        norms = tf.norm(inner.gradient(real, features), axis=1)
        loss = discriminator_loss(discriminator(x), discriminator(fake))
        total = loss + weight * tf.reduce_mean(norms**2)
    expected = tape.gradient(total, discriminator.trainable_variables)
    one_plain_step(model, WINDOWS, count)
    for old, gradient, new in zip(before, expected, weights(discriminator)):
        np.testing.assert_allclose(old - new, gradient, rtol=1e-4, atol=1e-5)


def test_generator_step_by_hand(monkeypatch):
    """-log D(G(z)), down to the generator's weights, against the discriminator after its own step."""
    model = tiny(r1=0.0, units=5)
    z = tf.constant(rng.normal(size=(8, 3)), tf.float32)
    monkeypatch.setattr(keras.random, "normal", lambda shape, seed: z)
    model.optimizer, model.generator_optimizer = (
        keras.optimizers.SGD(0.0),
        keras.optimizers.SGD(1.0),
    )
    before = weights(model.generator)
    with tf.GradientTape() as tape:
        loss = non_saturating_loss(model.discriminator(model.generator(z, training=True)))
    expected = tape.gradient(loss, model.generator.trainable_variables)
    model.train_step(tf.constant(WINDOWS))
    for old, gradient, new in zip(before, expected, weights(model.generator)):
        np.testing.assert_allclose(old - new, gradient, rtol=1e-4, atol=1e-5)


def test_the_average_follows():
    """Eq. (11.6)"""
    model = tiny()
    start = [w.numpy() for w in model.average.weights]
    model.train_step(tf.constant(WINDOWS))
    for old, new, mean in zip(start, model.generator.weights, model.average.weights):
        np.testing.assert_allclose(
            mean, AVERAGE_DECAY * old + (1 - AVERAGE_DECAY) * new.numpy(), atol=1e-6
        )


def test_the_average_has_batch_statistics_of_its_own():
    """After fit, each layer of the averaged generator is normalised by what it itself puts out."""
    model = tiny()
    model.average.set_weights([w + rng.normal(size=w.shape) for w in model.average.get_weights()])
    model.fit(np.repeat(WINDOWS, 2, axis=0), batch_size=8, verbose=0)
    dense, norm = model.average.body.layers[:2]
    out = dense(tf.constant(np.random.default_rng(0).normal(size=(5000, 3)), tf.float32)).numpy()
    np.testing.assert_allclose(norm.moving_mean, out.mean(axis=0), atol=0.3 * out.std())
    np.testing.assert_allclose(norm.moving_variance, out.var(axis=0), rtol=0.3)
    assert not model.average.trainable_variables


def test_learning_rates_of_both_networks():
    """Constant, or a warm-up over 3% of the steps and then a cosine down to a fiftieth."""
    model = tiny()
    model.compile_default(1e-3)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    model.compile_default(1e-3, steps=100)
    for optimizer in (model.optimizer, model.generator_optimizer):
        for step, rate in ((0, 0), (3, 1e-3), (3 + 97 / 2, 0.51e-3), (100, 0.02e-3)):
            assert float(optimizer._learning_rate(step)) == pytest.approx(rate, rel=1e-4)


def test_no_group_mixes_real_and_generated_windows():
    """Eq. (11.4): 12 real windows are one group and 12 generated ones another, as each by itself."""
    model = tiny(r1=0.0)
    real, fake = (one_hot(rng.choice([0, 1, 20, 30], size=(12, 32, 4))) for _ in range(2))
    expected = discriminator_loss(model.discriminator(real), model.discriminator(fake))
    mixed = model.discriminator(np.concatenate([real, fake]))
    loss, _ = model.update_discriminator(tf.constant(real), model.discriminator.features(fake))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert abs(float(discriminator_loss(mixed[:12], mixed[12:]) - expected)) > 1e-5


def test_musical_features_only_where_asked():
    """Lesson 10's dense GAN has them, lesson 11's networks see active pitches alone."""
    for kind, size in ((DenseGAN, 10318), (RecurrentGAN, 6400), (ConvGAN, 6400)):
        assert tiny(kind).discriminator.features(one_hot(WINDOWS)).shape == (8, size)


def test_results_of_a_step():
    """At a discriminator that is set to say "real" of everything, its accuracy is one half."""
    model = tiny()
    model.discriminator.head.layers[-1].bias.assign([1000.0])
    results = model.train_step(tf.constant(WINDOWS))
    assert list(results) == ["loss", "discriminator_accuracy", "generator_loss"]
    assert float(results["discriminator_accuracy"]) == 0.5
    assert float(results["loss"]) == pytest.approx(1000, rel=0.05)
    assert float(results["generator_loss"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_fit_learns_the_one_thing_there_is():
    """All windows hold one chord: soon the generator holds most of the time too, which chance would do in 1 of 50."""
    set_seed(2)
    model = DenseGAN(latent=4, units=16, discriminator_units=16)
    model.compile_default(3e-3)
    window = np.ones((32, 4), np.int8)
    window[0] = 30, 26, 21, 14
    history = train(model, np.repeat(window[None], 640, axis=0), epochs=4, batch_size=16)
    assert len(history["loss"]) == len(history["discriminator_accuracy"]) == 4
    assert all(0 <= share <= 1 for share in history["discriminator_accuracy"])
    assert (model.sample(50, seed=0)[:, 1:] == 1).mean() > 0.5
    assert model.optimizer.iterations == 160


def test_sample_is_the_averaged_generator():
    model = tiny()
    model.train_step(tf.constant(WINDOWS))
    symbols = model.sample(20, seed=3)
    assert symbols.shape == (20, 32, 4)
    assert symbols.dtype == np.int8
    np.testing.assert_array_equal(symbols, model.average.sample(20, seed=3))


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_is_the_same(tmp_path, kind):
    model = tiny(kind, r1=1.0)
    model.average.set_weights([w + 1 for w in model.average.get_weights()])
    save_model(model, tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras", like=tiny(kind, r1=1.0))
    np.testing.assert_array_equal(again.sample(5, seed=0), model.sample(5, seed=0))
    x = one_hot(WINDOWS)
    np.testing.assert_allclose(again.discriminator(x), model.discriminator(x), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: DenseGAN(latent=0), "at least 1"),
        (lambda: DenseGAN(r1=-1), "r1=-1"),
        (lambda: tiny().compile_default(learning_rate=0), "learning_rate=0"),
        (lambda: tiny().compile_default(steps=1), "steps=1: need a rate > 0, 2 steps"),
        (lambda: tiny().sample(0, seed=0), "at least 1"),
        (lambda: tiny().fit(WINDOWS, batch_size=9), "batch_size=9: need 2 up to the 8 windows"),
        (lambda: tiny().fit(WINDOWS, y=WINDOWS), "pass x alone"),
        (lambda: tiny().fit(WINDOWS, validation_data=WINDOWS), "no held-out loss"),
        (lambda: tiny().fit(WINDOWS[:, :16]), r"\(8, 16, 4\): need \(N, 32, 4\)"),
        (lambda: tiny().fit(np.full((2, 32, 4), 50)), "symbols run from 0 to 49"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
