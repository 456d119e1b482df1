"""VAE and GAN of notes: shapes, likelihood by hand, one step, and that they learn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from musiclab import training
from musiclab.data.corpora import instruments
from musiclab.data.encodings import note_sound
from musiclab.models.sound.note_gan import NoteGAN, NoteGenerator
from musiclab.models.sound.note_vae import NoteVAE, key_input, to_db, to_unit


def test_log_likelihood_is_a_gaussian_over_what_can_sound():
    """Eq. (18.8) against scipy.stats.norm, with a mask and a sigma that are not 1."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 16, 24)).astype(np.float32)
    mask = note_sound.audible([50, 60, 72])[:, None] * np.ones((3, 16, 24), np.float32)
    model = NoteVAE(hidden=4)
    model.log_sigma_x.assign(np.log(0.3))
    wanted = (mask * norm.logpdf(x, y, 0.3)).sum(axis=(1, 2))
    np.testing.assert_allclose(model.log_p(x, y, mask), wanted, rtol=1e-4)


def test_units_and_keys():
    levels = np.array([-80.0, -33, 0])
    np.testing.assert_allclose(to_db(to_unit(levels)), levels, atol=1e-5)
    assert key_input([60, 72]).tolist() == [[0.0], [1.0]]


@pytest.fixture(scope="module")
def notes():
    return instruments.notes(2, keys=[50, 60, 70])


def test_the_vae_learns_and_its_bound_rises(notes):
    training.set_seed(0)
    x = np.stack([note_sound.harmonics(s, k) for s, k in zip(notes.sound, notes.key)])
    model = NoteVAE(hidden=32)
    before = model.log_likelihood(x, notes.key, draws=4).mean()
    model.fit(x, notes.key, epochs=40, batch_size=12, verbose=0)
    assert model.log_likelihood(x, notes.key, draws=4).mean() > before + 100
    z = model.encode(x, notes.key)
    assert z.shape == (36, 2)
    decoded = model.decode(z, notes.key)
    assert (decoded[~np.repeat(note_sound.audible(notes.key)[:, None], 16, 1)] == -80).all()
    again = model.sample([60, 61], seed=3)
    np.testing.assert_array_equal(again, model.sample([60, 61], seed=3))


def test_the_gan_takes_a_step_and_keeps_an_average(notes):
    training.set_seed(0)
    x = np.stack([note_sound.log_spectrum(s) for s in notes.sound])
    model = NoteGAN(units=8)
    before = [w.numpy().copy() for w in model.generator.weights]
    history = model.fit(x, notes.key, epochs=1, batch_size=12, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    moved = [np.abs(a - b.numpy()).max() for a, b in zip(before, model.generator.weights)]
    behind = [np.abs(a - b.numpy()).max() for a, b in zip(before, model.average.weights)]
    assert 0 < max(behind) < max(moved)
    assert model.sample([60, 62, 64], seed=0).shape == (3, 16, 256)


def test_the_gan_sees_the_spread_within_groups_of_four():
    """Eight equal samples have no spread, eight different ones have, by the head's last weight."""
    model = NoteGAN(units=8)
    model.head.set_weights([np.eye(9, 1, -8), np.zeros(1)])  # reads the spread alone
    key = tf.constant(key_input([60] * 8))
    equal = model.score(tf.zeros((8, 16, 256)), key).numpy()
    differ = model.score(tf.random.stateless_normal((8, 16, 256), (1, 2)), key).numpy()
    assert np.abs(equal).max() < 2e-4
    assert differ.min() > 1e-3
    np.testing.assert_allclose(differ[:2], differ[2:4])


def test_a_generator_is_built_again_from_its_config():
    one = NoteGenerator(latent=3, units=4)
    other = NoteGenerator.from_config(one.get_config())
    other.set_weights(one.get_weights())
    np.testing.assert_array_equal(one.sample([60], 1), other.sample([60], 1))


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(n, 16, 24\)"):
        NoteVAE(hidden=4).fit(np.zeros((2, 3, 4)), np.array([60, 61]))
