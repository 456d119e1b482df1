"""One training step of both networks, against gradients taken by hand; fitting, sampling, storing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data.encodings.two_bars import one_hot
from musiclab.models.adversarial.gan import AVERAGED, R1_EVERY, ConvGAN, DenseGAN, RecurrentGAN
from musiclab.models.adversarial.losses import LOSSES, discriminator_loss, non_saturating_loss
from musiclab.training import load_model, save_model, set_seed, train

rng = np.random.default_rng(0)
WINDOWS = rng.choice([0, 1, 1, 1, 20, 30, 40], size=(8, 32, 4)).astype(np.int8)
KINDS = (DenseGAN, RecurrentGAN, ConvGAN)


def tiny(kind=DenseGAN, **settings):
    set_seed(1)
    return kind(**{"latent": 3, "units": 4, "judge": 4, **settings})


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
    )  # a bias before batch normalisation has no slope
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
    model._improve_discriminator(
        tf.constant(one_hot(windows)), fake, model.discriminator.tell(fake)
    )
    return fake


@pytest.mark.parametrize(
    ("r1", "count", "weight"), [(4.0, 0, 4.0), (4.0, 1, 0.0), (4.0, R1_EVERY, 4.0), (0.0, 0, 0.0)]
)
def test_discriminator_step_by_hand(r1, count, weight):
    """Eq. (11.5): the loss plus the weighted squared slope at real windows, in one step of four."""
    model = tiny(r1=r1, minibatch_deviation=False)
    model.discriminator.set_weights(
        [3 * w for w in model.discriminator.get_weights()]
    )  # or slopes are too small
    judge, x = model.discriminator, tf.constant(one_hot(WINDOWS))
    before, fake = weights(judge), tf.constant(one_hot(WINDOWS[::-1]))
    with tf.GradientTape() as tape:
        told = judge.tell(x)
        with tf.GradientTape() as inner:
            inner.watch(told)
            real = judge.of_told(told)
        slopes = inner.gradient(real, told)
        total = discriminator_loss(judge(x), judge(fake)) + weight * tf.reduce_mean(
            tf.norm(slopes, axis=1) ** 2
        )
    expected = tape.gradient(total, judge.trainable_variables)
    one_plain_step(model, WINDOWS, count)
    for old, slope, new in zip(before, expected, weights(judge)):
        np.testing.assert_allclose(old - new, slope, rtol=1e-4, atol=1e-5)


def test_generator_step_by_hand():
    """-log D(G(z)), down to the generator's weights, against the discriminator after its own step."""
    model = tiny(r1=0.0, units=5)
    z = tf.constant(rng.normal(size=(8, 3)), tf.float32)
    model._fake = lambda n: model.generator(z, training=True)
    model.optimizer, model.generator_optimizer = (
        keras.optimizers.SGD(0.0),
        keras.optimizers.SGD(1.0),
    )
    before = weights(model.generator)
    with tf.GradientTape() as tape:
        loss = non_saturating_loss(model.discriminator(model.generator(z, training=True)))
    expected = tape.gradient(loss, model.generator.trainable_variables)
    model._one_step(tf.constant(one_hot(WINDOWS)))
    for old, slope, new in zip(before, expected, weights(model.generator)):
        np.testing.assert_allclose(old - new, slope, rtol=1e-4, atol=1e-5)


def test_the_average_follows():
    """Eq. (11.6)"""
    model = tiny()
    start = [w.numpy() for w in model.average.weights]
    model.train_step(tf.constant(WINDOWS))
    for old, new, mean in zip(start, model.generator.weights, model.average.weights):
        np.testing.assert_allclose(mean, AVERAGED * old + (1 - AVERAGED) * new.numpy(), atol=1e-6)


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


@pytest.mark.parametrize(("kind", "pace"), [(DenseGAN, 1.0), (ConvGAN, 0.5)])
def test_the_recipe_paces_both_sides(kind, pace):
    model = tiny(kind, learning_rate=1e-3)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(pace * 1e-3)
    model.recipe(1e-3, calm_after=5)
    for optimizer, full in ((model.optimizer, 1e-3), (model.generator_optimizer, pace * 1e-3)):
        for steps, rate in ((5, full), (6, full / 4)):
            optimizer.iterations.assign(steps)
            assert float(optimizer.learning_rate) == pytest.approx(rate)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_by_name_trains(loss):
    model = tiny(loss=loss)
    before = weights(model.generator)
    results = model.train_step(tf.constant(WINDOWS))
    assert list(results) == ["loss", "told_apart", "generator_loss"]
    assert np.isfinite([float(value) for value in results.values()]).all()
    assert any(changed(before, model.generator))


def test_fit_learns_the_one_thing_there_is():
    """All windows hold one chord: soon the generator holds most of the time too, which chance would do in 1 of 50."""
    set_seed(2)
    model = DenseGAN(latent=4, units=16, judge=16, learning_rate=3e-3)
    window = np.ones((32, 4), np.int8)
    window[0] = 30, 26, 21, 14
    history = train(model, np.repeat(window[None], 640, axis=0), epochs=4, batch_size=16)
    assert len(history["loss"]) == len(history["told_apart"]) == 4
    assert all(0 <= share <= 1 for share in history["told_apart"])
    assert (model.sample(50, seed=0)[:, 1:] == 1).mean() > 0.5
    assert model.optimizer.iterations == 160


def test_sample_is_the_averaged_generator():
    model = tiny()
    model.train_step(tf.constant(WINDOWS))
    symbols = model.sample(20, seed=3)
    assert symbols.shape == (20, 32, 4)
    assert symbols.dtype == np.int8
    np.testing.assert_array_equal(symbols, model.average.sample(20, seed=3))
    assert model.judge(WINDOWS).shape == (8,)


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_is_the_same(tmp_path, kind):
    model = tiny(kind, r1=1.0)
    model.average.set_weights([w + 1 for w in model.average.get_weights()])
    save_model(model, tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras", like=tiny(kind, r1=1.0))
    np.testing.assert_array_equal(again.sample(5, seed=0), model.sample(5, seed=0))
    np.testing.assert_allclose(again.judge(WINDOWS), model.judge(WINDOWS), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: DenseGAN(loss="hinge"), "'hinge': there are minimax, non_saturating"),
        (lambda: DenseGAN(latent=0), "at least 1"),
        (lambda: DenseGAN(r1=-1), "r1=-1"),
        (lambda: DenseGAN(learning_rate=0), "learning_rate=0"),
        (lambda: tiny().recipe(calm_after=0), "calm_after=0"),
        (lambda: tiny().sample(0, seed=0), "at least 1"),
        (lambda: tiny().fit(WINDOWS, batch_size=9), "batches of 9 from 8 windows"),
        (lambda: tiny().fit(WINDOWS, y=WINDOWS), "pass x alone"),
        (lambda: tiny().fit(WINDOWS, validation_data=WINDOWS), "no loss to hold out"),
        (lambda: tiny().fit(WINDOWS[:, :16]), r"\(8, 16, 4\): need \(N, 32, 4\)"),
        (lambda: tiny().judge(np.full((2, 32, 4), 50)), "symbols run from 0 to 49"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
