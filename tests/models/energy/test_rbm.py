"""The Keras machine: training, sampling, completing, scoring, storing."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.energy.enumeration import exact_samples
from musiclab.models.energy.partition_function import log_partition_exact
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.rbm_functions import cd_gradient, free_energy
from musiclab.training import load_model, save_model, set_seed

rng = np.random.default_rng(0)
V, H = 5, 3
STRONG = rng.normal(size=(V, H)) * 3
WEIGHTS = (
    STRONG,
    0.3 * rng.normal(size=V) - STRONG.sum(1) / 2,
    0.3 * rng.normal(size=H) - STRONG.sum(0) / 2,
)
VS = np.array(list(itertools.product((0.0, 1.0), repeat=V)))
X = exact_samples(*WEIGHTS, 2000, seed=1)


def machine():
    return RBM(V, H).assign(*WEIGHTS)


def trained(persistent=False, epochs=12, seed=0):
    set_seed(seed)
    one = RBM(V, H)
    one.compile_default(learning_rate=0.5, persistent=persistent)
    return one, one.fit(
        X, validation_data=X[:500], epochs=epochs, batch_size=10, seed=seed, verbose=0
    ).history


def test_probabilities_of_all_rows_sum_to_one():
    # Eq. (12.6)
    nats = machine().log_likelihood(VS)
    assert nats.shape == (32,)
    assert nats.dtype == np.float64
    assert np.exp(nats).sum() == pytest.approx(1, abs=1e-5)
    wanted = -free_energy(VS, *WEIGHTS).numpy() - log_partition_exact(*WEIGHTS)
    np.testing.assert_allclose(nats, wanted, atol=1e-5)


def test_log_likelihood_of_a_large_machine_is_estimated():
    one = RBM(21, 21).assign(np.zeros((21, 21)), np.zeros(21), np.zeros(21))
    assert one.log_likelihood(np.ones((1, 21)))[0] == pytest.approx(-21 * np.log(2), abs=1e-3)
    assert one.log_likelihood(np.ones((1, 21)), log_z=21 * np.log(2))[0] == pytest.approx(
        0, abs=1e-5
    )


@pytest.mark.parametrize("persistent", [False, True])
def test_fit_finds_the_machine_that_made_the_data(persistent):
    one, history = trained(persistent)
    loss = -one.log_likelihood(X).mean()
    p, truth = X.mean(axis=0), -machine().log_likelihood(X).mean()
    independent = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum()
    assert loss < truth + 0.2 * (independent - truth)
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert float(one.trained) == 1


@pytest.mark.parametrize("persistent", [False, True])
def test_an_update_follows_the_gradient_of_contrastive_divergence(persistent):
    # Eq. (12.8)
    one, v, rate, decay = machine(), X[:20], 0.1, 0.5
    one.compile_default(rate, k=2, persistent=persistent, momentum=0.0, weight_decay=decay)
    one.seeds.state.assign([3, 0])
    one.chains.assign(VS[:20])
    v_k = one.gibbs(VS[:20] if persistent else v, 2, (3, 0)).numpy()
    gradient = [part.numpy() for part in cd_gradient(v, v_k, one.W, one.b)]
    before = [part.numpy() for part in (one.W, one.a, one.b)]
    loss = one.train_step(tf.constant(v))["loss"]
    wanted = [part + rate * slope for part, slope in zip(before, gradient)]
    wanted[0] -= rate * decay * before[0]  # the biases do not decay
    for part, value in zip((one.W, one.a, one.b), wanted):
        np.testing.assert_allclose(part, value, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(one.chains, v_k if persistent else VS[:20])
    assert float(loss) == pytest.approx(float(machine().proxy_loss(v, (3, 0))), rel=1e-5)


def test_the_held_out_loss_is_close_to_the_exact_one():
    one = machine()
    exact = np.mean([float(one.proxy_loss(X[:500], (9, i))) for i in range(200)])
    one.compile_default(learning_rate=0.0)
    history = one.fit(X, validation_data=X[:500], verbose=0).history
    assert history["val_loss"] == [pytest.approx(exact, rel=0.03)]


def test_what_remains_is_the_average_of_the_weights():
    set_seed(0)
    one = RBM(V, H)
    one.compile_default(learning_rate=0.5)
    one.optimizer.ema_momentum = 1.0  # then the average stays where the first update led
    one.fit(X, epochs=3, batch_size=100, verbose=0)
    assert abs(one.W.numpy()).max() < 0.12  # without an average: 0.23


def test_the_loss_is_minus_the_pseudo_log_likelihood():
    one = machine()
    found = one.proxy_loss(np.repeat(X, 20, axis=0), (1, 2))
    by_row = {tuple(v): p for v, p in zip(VS, np.exp(one.log_likelihood(VS)))}
    wanted = 0.0
    for v in X:
        for i in range(V):
            flipped = v.copy()
            flipped[i] = 1 - v[i]
            wanted -= np.log(by_row[tuple(v)] / (by_row[tuple(v)] + by_row[tuple(flipped)])) / len(
                X
            )
    assert float(found) == pytest.approx(wanted, rel=0.02)


def test_training_repeats_itself_and_accepts_what_is_neither_0_nor_1():
    soft = X[:200] * 0.8 + 0.1
    weights = []
    for seed in (0, 0, 1):
        set_seed(0)
        one = RBM(V, H)
        one.fit(soft, epochs=1, batch_size=20, seed=seed, verbose=0)
        weights.append(np.asarray(one.W))
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


def test_without_a_learning_rate_a_is_the_datas_log_odds():
    one = RBM(V, H)
    one.compile_default(learning_rate=0.0)
    one.fit(X, epochs=1, verbose=0)
    np.testing.assert_allclose(1 / (1 + np.exp(-np.asarray(one.a))), X.mean(axis=0), atol=1e-3)


def test_samples_have_the_exact_marginals():
    drawn, exact = machine().sample(4000, seed=0, steps=100), np.exp(machine().log_likelihood(VS))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), exact @ VS, atol=0.03)
    np.testing.assert_allclose(drawn.T @ drawn / 4000, VS.T @ (VS * exact[:, None]), atol=0.03)
    np.testing.assert_array_equal(drawn[:9], machine().sample(4000, seed=0, steps=100)[:9])


def test_completing_keeps_what_is_known():
    known = np.array([True, False, True, False, False])
    x = np.tile([1.0, 0.0, 0.0, 1.0, 1.0], (4000, 1))
    drawn = machine().complete(x, known, seed=0, steps=100)
    np.testing.assert_array_equal(drawn[:, known], x[:, known])
    fits = (VS[:, 0] == 1) & (VS[:, 2] == 0)
    exact = np.exp(machine().log_likelihood(VS[fits]))
    np.testing.assert_allclose(drawn.mean(axis=0), exact @ VS[fits] / exact.sum(), atol=0.03)


def test_conditionals_as_arrays():
    one = machine()
    np.testing.assert_allclose(
        one.hidden_probs(VS), 1 / (1 + np.exp(-(VS @ WEIGHTS[0] + WEIGHTS[2]))), atol=1e-6
    )
    h = rng.random((4, H))
    np.testing.assert_allclose(
        one.visible_probs(h), 1 / (1 + np.exp(-(h @ WEIGHTS[0].T + WEIGHTS[1]))), atol=1e-6
    )


def test_saved_and_loaded_it_is_the_same(tmp_path):
    one = machine()
    save_model(one, tmp_path / "a.keras")
    again = load_model(tmp_path / "a.keras", like=RBM(V, H))
    np.testing.assert_array_equal(again.log_likelihood(VS), one.log_likelihood(VS))
    assert isinstance(keras.saving.load_model(tmp_path / "a.keras", safe_mode=True), RBM)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: RBM(0, 3), "at least 1"),
        (lambda: RBM(V, H).compile_default(k=0), "at least one Gibbs step"),
        (lambda: RBM(V, H).fit(X * 2), "found 2.0 in the rows"),
        (lambda: RBM(V, H).fit(X - np.nan), "found nan"),
        (lambda: RBM(V, H).fit(X[:, :4]), r"need \(n, 5\)"),
        (lambda: RBM(V, H).fit(X[:0]), "n at least 1"),
        (lambda: RBM(V, H).fit(X, X), "pass no y"),
        (lambda: RBM(V, H).fit(X, batch_size=0), "batch_size = 0: .* at least one row"),
        (lambda: RBM(V, H).log_likelihood(X), "not trained yet"),
        (lambda: RBM(V, H).sample(1, seed=0), "not trained yet"),
        (lambda: machine().log_likelihood(X * 0.5), "only rows of 0 and 1"),
        (lambda: machine().sample(0, seed=0), "at least 1"),
        (lambda: machine().sample(1, seed=0, steps=0), "at least 1"),
        (lambda: machine().complete(X, np.ones(4, bool), seed=0), r"known bool \(4,\)"),
        (lambda: machine().complete(X, np.ones(5), seed=0), "known float64"),
        (lambda: machine().visible_probs(X), r"need \(n, 3\)"),
        (lambda: RBM(V, H).assign(WEIGHTS[0].T, *WEIGHTS[1:]), "shape"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
