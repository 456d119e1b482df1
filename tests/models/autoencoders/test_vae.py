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
from musiclab.training import load_model, save_model, train

rng = np.random.default_rng(0)
# random windows without holds that mean a rest
X = from_pitch_and_onset(to_pitch_and_onset(rng.integers(0, 50, size=(12, 32, 4))))
PAIRS = tf.constant(to_pitch_and_onset(X))


def model(seed=0, **settings):
    keras.utils.set_random_seed(seed)
    one = VAE(**{"latent": 3, "quarter_units": 5, "hidden": 6, **settings})
    for weight in one.trainable_variables:  # biases other than 0, or a missing one would not show
        weight.assign(rng.normal(size=weight.shape) * 0.4)
    one.compile_default(0.03)
    one.jit_compile = False
    return one


def log_p(pairs, logits):
    return elbo.log_p_given_z(
        pairs[..., 0], pairs[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
    )


def test_shapes_and_types():
    one = model()
    code = one.encode(X)
    assert code.mu.shape == code.sigma.shape == (12, 3)
    assert code.mu.dtype == code.sigma.dtype == np.float32
    assert (code.sigma > 0).all()
    assert one.decode(code.mu).shape == one.reconstruct(X).shape == X.shape
    assert one.decode(code.mu).dtype == np.int8
    assert one.log_likelihood(X, draws=2).shape == (12,)


def test_encoder_reads_every_pitch_and_onset():
    one = model()
    base = np.full((1, 32, 4), 20)
    for step, voice in np.ndindex(32, 4):
        changed = base.copy()
        # held instead of struck again; at the start another pitch
        changed[0, step, voice] = 1 if step else 21
        assert abs(one.encode(changed).mu - one.encode(base).mu).max() > 1e-4


def test_decoder_writes_the_most_likely_pitch_and_onset():
    one = model()
    bias = one.decoder.layers[-2].bias.numpy().reshape(4, 4, 50)
    bias[:, :2, 7] += 100.0  # two voices repeat one pitch, so that their onsets are free
    one.decoder.layers[-2].bias.assign(bias.ravel())
    codes = rng.normal(size=(4, 3)).astype(np.float32)
    logits = one.decoder(codes).numpy()
    pitch, onset = logits[..., :49].argmax(axis=-1), logits[..., 49] > 0
    found = to_pitch_and_onset(one.decode(codes))
    np.testing.assert_array_equal(found[..., 0], pitch)
    stays = (np.diff(pitch, axis=1, prepend=-1) == 0) & (pitch > 0)
    np.testing.assert_array_equal(found[stays][:, 1], onset[stays])
    assert set(onset[stays]) == {False, True}


@pytest.mark.parametrize(("beta", "kl_weight"), [(0.0, 1.0), (1.0, 1.0), (2.5, 1.0), (2.0, 0.25)])
def test_loss_is_the_mean_of_reconstruction_and_beta_kl(beta, kl_weight):
    # Eq. (5.6)
    one = model(beta=beta)
    one.kl_weight.assign(kl_weight)
    found = float(one.negative_elbo(PAIRS))
    one.seed_generator = keras.random.SeedGenerator(0)  # the same sample again
    mu, log_sigma, logits = one(PAIRS)
    reconstruction = log_p(PAIRS, logits).numpy()
    kl = 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).numpy().sum(axis=1)
    assert found == pytest.approx(np.mean(-reconstruction + kl_weight * beta * kl), rel=1e-5)
    assert float(one.kl_mean.result()) == pytest.approx(kl.mean(), rel=1e-5)
    found = float(one.reconstruction_mean.result())
    assert found == pytest.approx(-reconstruction.mean(), rel=1e-5)


def test_a_training_step_follows_the_gradient_of_the_loss():
    one, other = model(), model()
    other.set_weights(one.get_weights())
    for each in (one, other):
        each.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
    logs = one.train_step((PAIRS,))
    with tf.GradientTape() as tape:
        loss = other.negative_elbo(PAIRS)
    gradients = tape.gradient(loss, [v.value for v in other.trainable_variables])
    assert float(logs["loss"]) == pytest.approx(float(loss))
    for after, before, gradient in zip(
        one.trainable_variables, other.trainable_variables, gradients
    ):
        expected = (before - 1e-3 * gradient).numpy()
        np.testing.assert_allclose(after.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_training_draws_anew_each_time():
    one = model()
    first, second = one(PAIRS), one(PAIRS)
    np.testing.assert_array_equal(first[0], second[0])
    assert abs(first[2] - second[2]).numpy().max() > 0.01


def test_gradients_reach_the_encoder_through_the_sample():
    one = model(beta=0.0)
    with tf.GradientTape() as tape:
        loss = one.negative_elbo(PAIRS)
    gradient = tape.gradient(loss, [one.encoder.layers[-1].kernel.value])[0].numpy()
    assert (
        abs(gradient).max(axis=0) > 1e-6
    ).all()  # all columns: those of mu and those of log sigma


def test_fit_learns_its_windows_and_reports_its_terms():
    one = model(beta=0.1)
    before = one.elbo(X).elbo.mean()
    history = train(one, X, held_out=X[:4], epochs=30, batch_size=6, title="test")
    assert one.elbo(X).elbo.mean() > before + 10
    assert {"loss", "reconstruction", "kl", "val_loss", "val_kl"} <= history.keys()
    assert float(one.kl_weight) == 1


def test_kl_weight_rises_over_the_first_half():
    one, seen = model(), []
    spy = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_: seen.append(float(one.kl_weight))
    )
    callback = KLWarmUp()
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
    # every window's Gaussian made wide, so that draws reach wherever the posterior is
    last = one.encoder.layers[-1]
    last.kernel.assign(0 * last.kernel)
    last.bias.assign([0.2, 0.3])
    z = np.linspace(-6, 6, 601)[:, None].astype(np.float32)
    logits = one.decoder(z)
    for window, found in zip(X[:3], one.log_likelihood(X[:3], draws=8000, seed=0)):
        score = log_p(np.repeat(to_pitch_and_onset(window[None]), len(z), axis=0), logits)
        integral = np.sum(np.exp(score - np.max(score) + elbo.log_gaussian(z, 0.0, 0.0))) * 0.02
        assert found == pytest.approx(np.log(integral) + np.max(score), abs=0.1)


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
    assert two_bars.to_pieces(one.sample(5, seed=4))[0].steps == 32


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
    ("call", "word"),
    [
        (lambda: VAE(hidden=0), "units"),
        (lambda: VAE(beta=-0.1), "beta"),
        (lambda: VAE(beta=float("nan")), "beta"),
        (lambda: model().encode(X[0]), "shape"),
        (lambda: model().encode(X[:, :4]), r"need \(32, 4\)"),
        (lambda: model().fit(X + 60), "0 to 49"),
        (lambda: model().fit(X, X), "pass no y"),
        (lambda: model().decode(np.zeros((2, 4))), r"need \(N, 3\)"),
        (lambda: model().sample(0, seed=0), "at least 1"),
        (lambda: model().interpolate(X[0], X[1][:4]), "shape"),
        (lambda: model().elbo(X, draws=0), "at least 1"),
    ],
)
def test_bad_input_is_explained(call, word):
    with pytest.raises(ValueError, match=word):
        call()
