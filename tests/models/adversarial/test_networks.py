"""Generators write symbols, discriminators hear them; both are stored and refuse what they can't be."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data import DataError
from musiclab.data.encodings.two_bars import HIGH, LOW, check_symbols, one_hot, to_pieces
from musiclab.models.adversarial.networks import (
    COUNTS,
    FEATURES,
    KINDS,
    Discriminator,
    Generator,
    check_sizes,
)
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
    np.testing.assert_allclose(
        judge(one_hot(WINDOWS[:3])), logits[:3], atol=1e-6
    )  # no window hears the others


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_deviation_windows_are_compared(kind):
    judge = Discriminator(kind, units=4, deviation=True)
    alone, copies = judge(one_hot(WINDOWS)), judge(one_hot(np.repeat(WINDOWS[:1], 8, axis=0)))
    assert abs(float(alone[0] - copies[0])) > 1e-5


def test_what_it_is_told():
    """Steps one after another, then counts of the window: by hand for one that holds a chord and strikes another."""
    window = np.ones((32, 4), int)
    window[0], window[16] = [33, 26, 21, 14], [35, 28, 23, 16]  # G C G C, then all a whole tone up
    told = Discriminator(units=4).tell(one_hot(window[None])).numpy()[0]
    steps, counts = told[: 32 * FEATURES].reshape(32, FEATURES), told[32 * FEATURES :]
    assert counts.shape == (COUNTS,)
    assert steps[5, 33] == steps[5, 50 + 26] == 1  # what is held still sounds
    np.testing.assert_allclose(
        counts[:12], [0.25, 0, 0.25, 0, 0, 0, 0, 0.25, 0, 0.25, 0, 0], atol=1e-5
    )
    np.testing.assert_allclose(
        counts[12:24], 4 * np.array([2, 0, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0]), atol=1e-3
    )
    np.testing.assert_allclose(counts[24:68].reshape(4, 11), np.eye(11)[[1] * 4], atol=1e-5)
    np.testing.assert_allclose(counts[68:], 0, atol=1e-5)


def test_it_is_told_of_unisons_and_silence():
    window = np.ones((1, 32, 4), int)
    window[0, 0] = [20, 20, 0, 32]
    counts = Discriminator(units=4).tell(one_hot(window)).numpy()[0, 32 * FEATURES :]
    np.testing.assert_allclose(counts[68:], [8, 0, 0, 0, 0, 0, 0, 0, 8, 0], atol=1e-5)


def test_a_new_generator_neither_always_holds_nor_hardly_ever():
    keras.utils.set_random_seed(0)
    written = Generator("convolutional")(
        tf.random.stateless_normal((64, 64), (0, 0)), training=True
    ).numpy()
    assert 0.3 < written[:, 1:, :, 1].mean() < 0.8


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
        (
            lambda: Generator("dense", 3, 4).write(np.zeros((2, 4))),
            r"shape \(2, 4\): this generator reads \(n, 3\)",
        ),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
