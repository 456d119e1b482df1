"""The VAE: its loss term by term, what it learns, walks, its file, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.data import DataError
from musiclab.data.encodings import two_bars
from musiclab.data.encodings.two_bars import PITCHES, from_pitch_and_onset, to_pitch_and_onset
from musiclab.models.autoencoders import elbo
from musiclab.models.autoencoders.vae import VAE, KLWarmUp
from musiclab.models.autoencoders.vae_networks import (
    decoder,
    encoder,
    features,
    in_batches,
    likeliest,
)
from musiclab.training import load_model, save_model, train

rng = np.random.default_rng(0)
X = from_pitch_and_onset(
    to_pitch_and_onset(rng.integers(0, 50, size=(12, 8, 2)))
)  # no hold that means a rest


def model(seed=0, compiled=False, **settings):
    keras.utils.set_random_seed(seed)
    one = VAE(**{"latent": 3, "quarter": 5, "hidden": 6, "steps": 8, "voices": 2, **settings})
    for weight in one.trainable_variables:  # biases other than 0, or a missing one would not show
        weight.assign(rng.normal(size=weight.shape) * 0.4)
    one.recipe(0.03, jit_compile=False)
    return one


def test_shapes_and_types():
    one = model()
    code = one.encode(X)
    assert code.mu.shape == code.sigma.shape == (12, 3)
    assert code.mu.dtype == code.sigma.dtype == np.float32
    assert (code.sigma > 0).all()
    assert one.decode(code.mu).shape == one.reconstruct(X).shape == X.shape
    assert one.decode(code.mu).dtype == np.int8
    assert one.log_likelihood(X, draws=2).shape == (12,)


def test_encoder_hears_every_place_and_attack():
    one = model()
    base = np.full((1, 8, 2), 20)
    for step, voice in np.ndindex(8, 2):
        changed = base.copy()
        changed[0, step, voice] = (
            1 if step else 21
        )  # held instead of struck again; at the start another pitch
        assert abs(one.encode(changed).mu - one.encode(base).mu).max() > 1e-4


def test_networks_read_features_and_write_logits():
    x = tf.constant(to_pitch_and_onset(X))
    assert features(x).shape == (12, 8, 2, PITCHES + 1)
    assert encoder(8, 2, 3, 4, 5)(features(x)).shape == (12, 5)
    logits = decoder(8, 2, 3, 4, 5)(rng.normal(size=(12, 5)).astype(np.float32))
    assert logits.shape == (12, 8, 2, PITCHES + 1)
    np.testing.assert_array_equal(likeliest(2 * features(x) - 1), x)


def test_batches_join_in_order():
    doubled, length = in_batches(lambda a, b: (a + b, a), np.arange(7), np.arange(7), size=3)
    assert doubled.tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert length.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("beta", "pressure"), [(0.0, 1.0), (1.0, 1.0), (2.5, 1.0), (2.0, 0.25)])
def test_loss_is_the_mean_of_reconstruction_and_beta_kl(beta, pressure):
    # Eq. (5.6)
    one = model(beta=beta)
    one.pressure.assign(pressure)
    x = tf.constant(to_pitch_and_onset(X))
    mu, log_sigma, logits = one(x)
    log_p = elbo.log_p_given_z(
        x[..., 0], x[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
    ).numpy()
    kl = 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).numpy().sum(axis=1)
    found = float(one.compute_loss(x, y_pred=(mu, log_sigma, logits)))
    assert found == pytest.approx(np.mean(-log_p + pressure * beta * kl), rel=1e-5)
    assert float(one.terms["kl"].result()) == pytest.approx(kl.mean(), rel=1e-5)
    assert float(one.terms["reconstruction"].result()) == pytest.approx(-log_p.mean(), rel=1e-5)


def test_training_draws_anew_each_time():
    one, x = model(), tf.constant(to_pitch_and_onset(X))
    first, second = one(x), one(x)
    np.testing.assert_array_equal(first[0], second[0])
    assert abs(first[2] - second[2]).numpy().max() > 0.01


def test_slopes_reach_the_encoder_through_the_draw():
    one, x = model(beta=0.0), tf.constant(to_pitch_and_onset(X))
    with tf.GradientTape() as tape:
        loss = one.compute_loss(x, y_pred=one(x))
    slopes = tape.gradient(loss, [one.encoder.layers[-1].kernel.value])[0].numpy()
    assert (abs(slopes).max(axis=0) > 1e-6).all()  # all columns: those of mu and those of log sigma


def test_fit_learns_its_windows_and_reports_its_terms():
    one = model(beta=0.1)
    before = one.elbo(X).elbo.mean()
    history = train(one, X, held_out=X[:4], epochs=30, batch_size=6, title="test")
    assert one.elbo(X).elbo.mean() > before + 10
    assert {"loss", "reconstruction", "kl", "val_loss", "val_kl"} <= history.keys()
    assert float(one.pressure) == 1


def test_kl_counts_little_at_first():
    one, seen = model(), []
    spy = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_: seen.append(float(one.pressure))
    )
    callback = KLWarmUp(0.5)
    callback.set_model(one)
    callback.set_params({"epochs": 2, "steps": 4})
    callback.on_train_begin()
    for batch in range(8):
        callback.on_train_batch_begin(batch)
        spy.on_train_batch_end(batch)
    assert seen == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1, 1])


def test_elbo_is_its_two_terms_and_no_more_than_the_tighter_bound():
    one = model()
    low = one.elbo(X, draws=100, seed=1)
    np.testing.assert_allclose(low.elbo, low.reconstruction - low.kl, rtol=1e-5)
    code = one.encode(X)
    kl = 0.5 * (code.mu**2 + code.sigma**2 - 1 - 2 * np.log(code.sigma)).sum(axis=1)
    np.testing.assert_allclose(low.kl, kl, rtol=1e-4)
    assert (one.log_likelihood(X, draws=100, seed=2) > low.elbo).all()
    np.testing.assert_allclose(
        one.log_likelihood(X, draws=1, seed=3).mean(), low.elbo.mean(), rtol=0.2
    )


def test_likelihood_is_that_of_integrating_over_a_grid():
    one = model(latent=1)
    last = one.encoder.layers[
        -1
    ]  # every window's Gaussian made wide, so that draws reach wherever the posterior is
    last.kernel.assign(0 * last.kernel)
    last.bias.assign([0.2, 0.3])
    z = np.linspace(-6, 6, 601)[:, None].astype(np.float32)
    logits = one.decoder(z)
    for window, found in zip(X[:3], one.log_likelihood(X[:3], draws=8000, seed=0)):
        sounding = np.repeat(to_pitch_and_onset(window[None]), len(z), axis=0)
        log_p = elbo.log_p_given_z(
            sounding[..., 0], sounding[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
        )
        integral = np.sum(np.exp(log_p - np.max(log_p) + elbo.log_normal(z, 0.0, 0.0))) * 0.02
        assert found == pytest.approx(np.log(integral) + np.max(log_p), abs=0.1)


def test_seeds_decide_the_draws():
    one = model()
    np.testing.assert_array_equal(one.elbo(X, seed=1).elbo, one.elbo(X, seed=1).elbo)
    assert (one.elbo(X, seed=1).elbo != one.elbo(X, seed=2).elbo).any()
    np.testing.assert_array_equal(one.sample(6, seed=1), one.sample(6, seed=1))
    assert (one.sample(20, seed=1) != one.sample(20, seed=2)).any()


def test_sample_decodes_the_prior():
    noise = np.random.default_rng(4).standard_normal((5, 3))
    one = model()
    np.testing.assert_array_equal(one.sample(5, seed=4), one.decode(noise))
    assert two_bars.to_pieces(one.sample(5, seed=4))[0].steps == 8


def test_a_walk_goes_straight_from_code_to_code():
    # Eq. (5.8)
    one = model()
    walk = one.interpolate(X[0], X[1], n=5)
    mu = one.encode(X[:2]).mu
    np.testing.assert_array_equal(walk[[0, 4]], one.reconstruct(X[:2]))
    np.testing.assert_array_equal(walk[1], one.decode(0.75 * mu[:1] + 0.25 * mu[1:])[0])
    np.testing.assert_array_equal(walk[::-1], one.interpolate(X[1], X[0], n=5))


def test_saved_and_loaded_it_is_the_same(tmp_path):
    one = model(beta=0.3)
    save_model(one, tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras", like=model(seed=1, beta=0.3))
    assert again.get_config() == one.get_config()
    np.testing.assert_array_equal(again.encode(X).mu, one.encode(X).mu)
    np.testing.assert_array_equal(again.reconstruct(X), one.reconstruct(X))


def test_a_file_of_another_architecture_or_damaged_is_refused(tmp_path):
    save_model(model(), tmp_path / "a.keras")
    with pytest.raises(DataError, match="latent is 3 there, 4 here"):
        load_model(tmp_path / "a.keras", like=model(latent=4))
    with pytest.raises(DataError, match=r"beta is 1\.0 there, 0\.5 here"):
        load_model(tmp_path / "a.keras", like=model(beta=0.5))
    raw = (tmp_path / "a.keras").read_bytes()
    (tmp_path / "a.keras").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match="damaged"):
        load_model(tmp_path / "a.keras", like=model())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: VAE(latent=0), "at least 1 number"),
        (lambda: VAE(hidden=0), "each must be at least 1"),
        (lambda: VAE(steps=30), "multiple of 4"),
        (lambda: VAE(beta=-0.1), r"beta=-0\.1.*0 or more"),
        (lambda: VAE(beta=float("nan")), "0 or more"),
        (lambda: model().encode(X[0]), r"shape \(8, 2\)"),
        (lambda: model().encode(X[:, :4]), r"shape \(4, 2\): this model reads \(8, 2\)"),
        (lambda: model().fit(X + 60), "0 to 49"),
        (lambda: model().fit(X, X), "pass no y"),
        (lambda: model().decode(np.zeros((2, 4))), r"need \(n, 3\)"),
        (lambda: model().decode(np.zeros((0, 3))), "n at least 1"),
        (lambda: model().sample(0, seed=0), "at least 1"),
        (lambda: model().sample(-3, seed=0), "at least 1"),
        (lambda: model().interpolate(X[0], X[1][:4]), "one length"),
        (lambda: model().interpolate(X[0], X[1], n=1), "at least 2"),
        (lambda: model().elbo(X, draws=0), "at least 1"),
        (lambda: model().log_likelihood(X, draws=0), "at least 1"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
