"""Generators and discriminators: what they output, how they are stored, what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data import DataError
from musiclab.data.encodings.two_bars import HIGH, LOW, check_symbols, one_hot, to_pieces
from musiclab.models.adversarial.networks import (
    STEP_FEATURES,
    WINDOW_FEATURES,
    Discriminator,
    Generator,
    straight_through,
)
from musiclab.training import load_model, save_model

rng = np.random.default_rng(0)
KINDS = "dense", "recurrent", "convolutional"
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
    twice = generator.generate(z[[0, 1, 0]])
    np.testing.assert_array_equal(twice[0], twice[2])
    np.testing.assert_allclose(generator(tf.constant(z, tf.float32)), one_hot(twice[:2]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_logit_for_each_window(kind):
    discriminator = Discriminator(kind, 4, minibatch_deviation=False, musical_features=False)
    logits = discriminator(one_hot(WINDOWS)).numpy()
    assert logits.shape == (8,)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(
        discriminator(one_hot(WINDOWS[:3])), logits[:3], atol=1e-6
    )  # each window alone


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_deviation_windows_are_compared(kind):
    discriminator = Discriminator(kind, 4, minibatch_deviation=True, musical_features=True)
    alone = discriminator(one_hot(WINDOWS))
    copies = discriminator(one_hot(np.repeat(WINDOWS[:1], 8, axis=0)))
    assert abs(float(alone[0] - copies[0])) > 1e-5


def test_features():
    """Steps one after another, then counts of the window: by hand for one that holds a chord and strikes another."""
    window = np.ones((32, 4), int)
    window[0], window[16] = [33, 26, 21, 14], [35, 28, 23, 16]  # G C G C, then all a whole tone up
    features = Discriminator("dense", 4, True, True).features(one_hot(window[None])).numpy()[0]
    steps, counts = (
        features[: 32 * STEP_FEATURES].reshape(32, STEP_FEATURES),
        features[32 * STEP_FEATURES :],
    )
    assert counts.shape == (WINDOW_FEATURES,)
    assert steps[5, 33] == steps[5, 50 + 26] == 1  # what is held still sounds
    np.testing.assert_allclose(
        counts[:12], [0.25, 0, 0.25, 0, 0, 0, 0, 0.25, 0, 0.25, 0, 0], atol=1e-5
    )
    np.testing.assert_allclose(
        counts[12:24], 4 * np.array([2, 0, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0]), atol=1e-3
    )
    np.testing.assert_allclose(counts[24:68].reshape(4, 11), np.eye(11)[[1] * 4], atol=1e-5)
    np.testing.assert_allclose(counts[68:], 0, atol=1e-5)


def test_features_of_unisons_and_silence():
    window = np.ones((1, 32, 4), int)
    window[0, 0] = [20, 20, 0, 32]
    features = Discriminator("dense", 4, True, True).features(one_hot(window)).numpy()[0]
    counts = features[32 * STEP_FEATURES :]
    np.testing.assert_allclose(counts[68:], [8, 0, 0, 0, 0, 0, 0, 0, 8, 0], atol=1e-5)


def test_a_new_generator_neither_always_holds_nor_hardly_ever():
    keras.utils.set_random_seed(0)
    written = Generator("convolutional", 64, 128)(
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
        (Discriminator("dense", 4, True, True), "a Generator is stored"),
    ):
        with pytest.raises(DataError, match=words):
            load_model(file, like=other)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(DataError, match="damaged"):
        load_model(file, like=Generator("dense", latent=3, units=4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Generator("deep", 3, 4), "'deep': there are dense, recurrent, convolutional"),
        (lambda: Discriminator("deep", 4, True, True), "'deep': there are dense"),
        (lambda: Generator("dense", 0, 4), "latent=0: need at least 1"),
        (lambda: Discriminator("dense", -1, True, True), "positive integer"),
        (lambda: Generator("recurrent", 3, 1.5), "positive integer"),
        (lambda: Generator("dense", 3, 4).sample(0, seed=0), "at least 1"),
        (
            lambda: Generator("dense", 3, 4).generate(np.zeros((2, 4))),
            r"shape \(2, 4\): need \(n, 3\)",
        ),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def gradient(function, x, direction):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(function(x) * direction)
    return tape.gradient(total, x).numpy()


def test_forward_a_choice():
    """Eq. (11.2)"""
    logits = rng.normal(size=(5, 7)).astype(np.float32)
    y = straight_through(tf.constant(logits)).numpy()
    np.testing.assert_allclose(y, np.eye(7)[logits.argmax(axis=1)], atol=1e-6)
    assert y.dtype == np.float32


def test_backward_a_softmax():
    """Eqs. (11.1), (11.2): the gradient is that of exp(x) / sum exp(x), measured by finite differences."""
    logits, direction = rng.normal(size=(4,)), rng.normal(size=(4,))
    softmax = lambda x: np.exp(x) / np.exp(x).sum()  # noqa: E731
    numeric = [
        (softmax(logits + e) - softmax(logits - e)) @ direction / 2e-5 for e in 1e-5 * np.eye(4)
    ]
    np.testing.assert_allclose(
        gradient(straight_through, tf.constant(logits), direction), numeric, atol=1e-7
    )
