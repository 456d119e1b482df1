"""The Keras autoencoder against its NumPy equations, PCA, and its own file."""

import keras
import numpy as np
import pytest

from musiclab.models.autoencoders.autoencoder import Autoencoder, squared_error
from musiclab.models.autoencoders.numpy_autoencoder import (
    backward,
    forward,
    initial_weights,
    mean_squared_error,
)
from musiclab.models.autoencoders.optimisers import adam_step, initial_adam_state

rng = np.random.default_rng(0)
X = rng.integers(0, 2, size=(6, 4, 5)).astype(np.float32)


def model(seed=0, **settings):
    keras.utils.set_random_seed(seed)
    one = Autoencoder((4, 5), **{"h1": 3, "h2": 7, **settings})
    # biases other than 0, or a missing bias would not show
    for layer in (one.first, one.second, one.third):
        layer.bias.assign(rng.normal(size=layer.bias.shape))
    return one


@pytest.mark.parametrize(("f1", "f2"), [("tanh", "relu"), ("linear", "sigmoid")])
def test_keras_and_numpy_agree_layer_by_layer(f1, f2):
    # Eqs. (3.1), (3.2), (3.3)
    flat = X.reshape(6, 20)
    at_h1, at_h2 = model(f1=f1, f2=f2), model(f1=f1, f2=f2, code="h2")
    at_h2.set_weights(at_h1.get_weights())
    ours = forward(flat, at_h1.numpy_weights(), f1, f2)
    np.testing.assert_allclose(at_h1.encode(X), ours.h1, atol=1e-6)
    np.testing.assert_allclose(at_h2.encode(X), ours.h2, atol=1e-6)
    np.testing.assert_allclose(at_h1(X).numpy().reshape(6, 20), ours.x_hat, atol=1e-6)
    np.testing.assert_allclose(at_h2(X).numpy().reshape(6, 20), ours.x_hat, atol=1e-6)


@pytest.mark.parametrize("code", ["h1", "h2"])
def test_decoding_the_code_is_the_model(code):
    one = model(code=code)
    assert one.encode(X).shape == (6, {"h1": 3, "h2": 7}[code])
    assert one.reconstruct(X).dtype == np.float32
    np.testing.assert_allclose(one.decode(one.encode(X)), one(X).numpy(), atol=1e-6)


def test_the_decoder_is_joined_to_the_encoder():
    one = model()
    assert abs(one.reconstruct(X)[0] - one.reconstruct(1 - X)[0]).max() > 1e-3


def test_only_a_code_at_h1_has_a_nonlinear_decoder():
    middle = lambda one, a, b: one.decode((a + b) / 2) - (one.decode(a) + one.decode(b)) / 2  # noqa: E731
    a, b = rng.normal(size=(2, 4, 7)).astype(np.float32) * 3
    assert abs(middle(model(code="h2"), a, b)).max() < 1e-5  # affine: halfway in, halfway out
    assert abs(middle(model(code="h1"), a[:, :3], b[:, :3])).max() > 0.01


def test_loss_sums_over_features_as_numpy_does():
    # Eq. (4.1)
    one = model()
    one.compile(loss=squared_error, jit_compile=False)
    expected = mean_squared_error(X.reshape(6, 20), one.reconstruct(X).reshape(6, 20))
    assert one.evaluate(X, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert squared_error(X.astype(np.uint8), one(X)).shape == (6,)


@pytest.mark.parametrize(
    ("code", "sizes"), [("h1", {"h1": 2, "h2": 16}), ("h2", {"h1": 16, "h2": 2})]
)
def test_an_affine_decoder_cannot_beat_pca_but_a_nonlinear_one_can(code, sizes):
    # points on a curve in 5 dimensions: two numbers would do, two straight directions don't
    angle, height = rng.uniform(-2, 2, size=(2, 256))
    curve = np.stack(
        [np.cos(angle), np.sin(angle), np.cos(2 * angle), height, height**2], axis=1
    ).astype(np.float32)
    centred = curve - curve.mean(axis=0)
    pca = (np.linalg.svd(centred, compute_uv=False)[2:] ** 2).sum() / len(curve)
    f1, f2 = ("tanh", "linear") if code == "h2" else ("linear", "tanh")
    w = initial_weights(5, sizes["h1"], sizes["h2"], seed=0)
    state = initial_adam_state(w)
    for _ in range(800):
        w, state = adam_step(w, backward(curve, w, f1, f2), state, eta=0.02)
    one = Autoencoder(5, f1=f1, f2=f2, code=code, **sizes)
    one.set_weights([part.T for part in w])
    loss = mean_squared_error(curve, one.reconstruct(curve))
    assert (loss < 0.8 * pca) if code == "h1" else (loss >= pca * 0.9999)


def test_fit_learns_from_the_input_alone_and_reports_held_out():
    one = model()
    one.compile(keras.optimizers.Adam(0.03), loss=squared_error, jit_compile=False)
    history = one.fit(X, validation_data=X[:2], epochs=20, batch_size=6, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert len(history["val_loss"]) == 20


def test_sample_decodes_seeded_gaussian_noise():
    one = model()
    assert one.sample(5, seed=1).shape == (5, 4, 5)
    np.testing.assert_array_equal(one.sample(5, seed=1), one.sample(5, seed=1))
    assert abs(one.sample(5, seed=1) - one.sample(5, seed=2)).max() > 0.01
    noise = np.random.default_rng(1).standard_normal((5, 3))
    np.testing.assert_array_equal(one.sample(5, seed=1), one.decode(noise))


@pytest.mark.parametrize("code", ["h1", "h2"])
def test_saved_and_loaded_it_is_the_same(tmp_path, code):
    one = model(code=code, f1="sigmoid")
    one.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
    assert again.get_config() == one.get_config()
    np.testing.assert_array_equal(again.encode(X), one.encode(X))
    np.testing.assert_array_equal(again.reconstruct(X), one.reconstruct(X))


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Autoencoder((4, 5), h1=0), "units"),
        (lambda: Autoencoder((4, 5), code="h3"), "'h1' or 'h2'"),
        (lambda: model().encode(X[0]), r"need \(n, 4, 5\)"),
        (lambda: model().encode(X[:0]), "n at least 1"),
        (lambda: model().decode(np.zeros((2, 4))), r"need \(n, 3\)"),
        (lambda: model().sample(0, seed=0), "at least 1"),
        (lambda: squared_error(X, X[:, :2]), "need the same"),
    ],
)
def test_bad_input_is_explained(call, word):
    with pytest.raises(ValueError, match=word):
        call()
