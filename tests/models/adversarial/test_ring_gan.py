"""The GAN in the plane: modes by hand, one step by hand, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.models.adversarial.loss_variants import LOSSES
from musiclab.models.adversarial.losses import r1_penalty
from musiclab.models.adversarial.ring_gan import CENTRES, PointGAN, modes_covered, ring
from musiclab.training import load_model, save_model, set_seed


def test_modes_lie_on_the_circle_an_eighth_apart():
    np.testing.assert_allclose(np.linalg.norm(CENTRES, axis=1), 1)
    np.testing.assert_allclose(
        np.sum(CENTRES * np.roll(CENTRES, 1, axis=0), axis=1), np.cos(np.pi / 4)
    )


def test_ring_is_even_and_as_wide_as_it_says():
    points = ring(8000, seed=0)
    assert points.shape == (8000, 2)
    assert points.dtype == np.float32
    distances = np.linalg.norm(points[:, None] - CENTRES, axis=2)
    assert chisquare(np.bincount(distances.argmin(axis=1), minlength=8)).pvalue > 0.001
    inside = distances.min(axis=1) < 0.05 * np.sqrt(2 * np.log(2))
    assert inside.mean() == pytest.approx(0.5, abs=0.02)  # the median of a Rayleigh distribution
    np.testing.assert_array_equal(points, ring(8000, seed=0))
    assert (points != ring(8000, seed=1)).any()


def test_modes_covered_by_hand():
    some = CENTRES[[0] * 90 + [1] * 2 + [2] * 1 + [3] * 7]
    assert modes_covered(some) == 3  # mode 2 has 1% of the points, mode 1 just enough
    assert modes_covered(CENTRES + np.array([0.1, 0.11])) == 8  # at 0.149 of 0.15
    assert modes_covered(CENTRES + np.array([0.11, 0.11])) == 0
    assert modes_covered(ring(500, seed=0)) == 8
    assert modes_covered(0 * CENTRES) == 0


def test_one_step_by_hand():
    """First the discriminator against the old generator, then the generator against the new discriminator."""
    set_seed(0)
    model, x = PointGAN(r1=0.5), tf.constant(ring(16, seed=0))
    z = [keras.random.normal((16, 2), seed=k) for k in (1, 2)]
    before = [w.numpy() for w in model.generator.weights + model.discriminator.weights]
    asked = []

    def fake(n):  # noise that is known
        asked.append(int(n))
        return model.generator(z[len(asked) - 1])

    model.generate = fake
    logs = model.train_step(x)
    after = [w.numpy() for w in model.generator.weights + model.discriminator.weights]
    assert asked == [16, 16]

    other = PointGAN(r1=0.5)
    for w, value in zip(other.generator.weights + other.discriminator.weights, before):
        w.assign(value)
    d, g = other.discriminator, other.generator
    with tf.GradientTape() as tape:
        plain = LOSSES["non_saturating"][0](d(x), d(g(z[0])))
        total = plain + 0.5 * r1_penalty(d, x)
    other.optimizer.apply(
        tape.gradient(total, [w.value for w in d.trainable_variables]), d.trainable_variables
    )
    with tf.GradientTape() as tape:
        loss = LOSSES["non_saturating"][1](d(g(z[1])))
    slopes = tape.gradient(loss, [w.value for w in g.trainable_variables])
    other.generator_optimizer.apply(slopes, g.trainable_variables)
    for ours, theirs, old in zip(after, [w.numpy() for w in g.weights + d.weights], before):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        assert (ours != old).any()
    assert float(logs["generator_loss"]) == pytest.approx(float(loss), rel=1e-5)


def test_both_penalties_are_weighed_and_added():
    """With a linear score of gradient (3, 4): R1 is 25, the gradient penalty (5 - 1)^2."""
    model, x = PointGAN(loss="wasserstein", r1=0.5, gradient_penalty=2.0), tf.zeros((4, 2))
    model.discriminator = keras.Sequential([keras.layers.Dense(1)])
    model.discriminator(x)
    model.discriminator.layers[0].kernel.assign([[3.0], [4.0]])
    assert float(model.penalty(x, x + 1)) == pytest.approx(0.5 * 25 + 2 * 16, rel=1e-5)
    assert PointGAN().penalty(x, x) == 0


def test_a_penalty_changes_the_discriminators_step():
    stepped = []
    for weight in (0.0, 10.0):
        set_seed(0)
        model = PointGAN(loss="wasserstein", gradient_penalty=weight)
        model.train_step(tf.constant(ring(16, seed=0)))
        stepped.append(model.discriminator.get_weights()[0])
    assert (stepped[0] != stepped[1]).any()


def test_a_generator_learns_where_the_music_is():
    set_seed(0)
    model, points = (
        PointGAN(),
        np.float32([2.0, -1.0]) + ring(32 * 250, seed=0) / 10,
    )
    model.fit(points, batch_size=32, epochs=2, verbose=0)
    assert np.linalg.norm(model.sample(200, seed=0).mean(axis=0) - [2, -1]) < 0.6


def test_momentum_reaches_both_optimisers():
    model = PointGAN(momentum=0.25)
    for optimizer in (model.optimizer, model.generator_optimizer):
        assert optimizer.beta_1 == 0.25


def test_samples():
    model = PointGAN()
    points = model.sample(5, seed=0)
    assert points.shape == (5, 2)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, model.sample(5, seed=0))
    assert (points != model.sample(5, seed=1)).any()


def test_a_stored_game_goes_on(tmp_path):
    model = PointGAN(r1=0.5, gradient_penalty=0.1)
    save_model(model, tmp_path / "toy.keras")
    again = load_model(tmp_path / "toy.keras", like=PointGAN(r1=0.5, gradient_penalty=0.1))
    assert again.settings == model.settings
    np.testing.assert_array_equal(again.sample(5, seed=0), model.sample(5, seed=0))
    np.testing.assert_array_equal(again.discriminator(CENTRES), model.discriminator(CENTRES))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: ring(0, seed=0), "0 points: ask for at least 1"),
        (lambda: PointGAN().sample(0, seed=0), "0 points"),
        (lambda: modes_covered(np.zeros((0, 2))), r"shape \(0, 2\)"),
        (lambda: modes_covered(np.zeros((3, 3))), r"shape \(3, 3\)"),
        (lambda: PointGAN(loss="hinge"), "loss 'hinge': there are minimax, non_saturating"),
        (lambda: PointGAN(r1=-1), "r1=-1"),
        (lambda: PointGAN(gradient_penalty=-1), "gradient_penalty=-1"),
        (lambda: PointGAN(momentum=1), "momentum=1"),
    ],
)
def test_bad_input_is_explained(call, why):
    with pytest.raises(ValueError, match=why):
        call()
