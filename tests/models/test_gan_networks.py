"""Generators write symbols, discriminators hear them; both are stored and refuse what they can't be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data import DataError
from musiclab.models.bars import HIGH, LOW, check_symbols, one_hot, to_pieces
from musiclab.models.gan_networks import KINDS, Discriminator, Generator, check_sizes
from musiclab.training import load_model, save_model

rng = np.random.default_rng(0)
WINDOWS = rng.choice([0, 1, 1, 1, 20, 30, 40], size=(8, 32, 4))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_music(kind):
    keras.utils.set_random_seed(0)
    generator = Generator(kind, latent=3, units=4)
    symbols = generator.sample(300, seed=1)
    assert check_symbols(symbols).shape == (300, 32, 4)
    assert symbols.dtype == np.int8
    assert not (symbols[:, 0] == 1).any()  # at the first step there is nothing to hold
    voices = np.array([piece.voices for piece in to_pieces(symbols[:9])])
    assert ((voices == -1) | ((voices >= LOW) & (voices <= HIGH))).all()
    np.testing.assert_array_equal(symbols, generator.sample(300, seed=1))
    assert (symbols != generator.sample(300, seed=2)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_decides_everything(kind):
    generator = Generator(kind, latent=3, units=4)
    z = rng.normal(size=(2, 3))
    twice = generator.write(z[[0, 1, 0]])
    np.testing.assert_array_equal(twice[0], twice[2])
    np.testing.assert_allclose(generator(tf.constant(z, tf.float32)), one_hot(twice[:2]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_logit_for_each_window(kind):
    judge = Discriminator(kind, units=4, deviation=False)
    logits = judge(one_hot(WINDOWS)).numpy()
    assert logits.shape == (8,)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(judge(one_hot(WINDOWS[:3])), logits[:3], atol=1e-6)  # no window hears the others


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_deviation_windows_are_compared(kind):
    judge = Discriminator(kind, units=4, deviation=True)
    alone, copies = judge(one_hot(WINDOWS)), judge(one_hot(np.repeat(WINDOWS[:1], 8, axis=0)))
    assert abs(float(alone[0] - copies[0])) > 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_writes_the_same(tmp_path, kind):
    generator = Generator(kind, latent=3, units=4)
    save_model(generator, tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras", like=Generator(kind, latent=3, units=4))
    np.testing.assert_array_equal(again.sample(5, seed=0), generator.sample(5, seed=0))


def test_files_that_do_not_fit(tmp_path):
    file = tmp_path / "a.keras"
    save_model(Generator("dense", latent=3, units=4), file)
    for other, words in (
        (Generator("dense", latent=5, units=4), "latent is 3 there, 5 here"),
        (Generator("recurrent", latent=3, units=4), "kind is 'dense' there"),
        (Discriminator("dense", units=4), "a Generator is stored"),
    ):
        with pytest.raises(DataError, match=words):
            load_model(file, like=other)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(DataError, match="damaged"):
        load_model(file, like=Generator("dense", latent=3, units=4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Generator("deep"), "'deep': there are dense, recurrent, convolutional"),
        (lambda: Generator(latent=0), "latent=0, units=128: sizes are whole numbers"),
        (lambda: Discriminator(units=-1), "units=-1"),
        (lambda: check_sizes("dense", units=1.5), "units=1.5"),
        (lambda: Generator("dense", 3, 4).sample(0, seed=0), "at least 1"),
        (lambda: Generator("dense", 3, 4).write(np.zeros((2, 4))), r"shape \(2, 4\): this generator reads \(n, 3\)"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
