"""An RBM over symbols against enumeration: conditionals, chains, likelihoods, what is refused."""

import itertools

import keras
import numpy as np
import pytest

from musiclab.models.energy.softmax_rbm import (
    SoftmaxRBM,
    cross_entropy,
    draw_symbols,
    softmax_probs,
)

rng = np.random.default_rng(0)
K, CELLS, H = 3, 2, 2
ROWS = np.array(
    [np.eye(K)[list(s)].ravel() for s in itertools.product(range(K), repeat=CELLS)], np.float32
)  # all 9
W, a, b = rng.normal(size=(K * CELLS, H)), rng.normal(size=K * CELLS), rng.normal(size=H)


def model():
    return SoftmaxRBM(K * CELLS, H, symbols=K).assign(W, a, b)


def joint():
    """p(v, h) over all 9 x 4 states, from the energy alone."""
    h = np.array(list(itertools.product((0, 1), repeat=H)))
    minus_energy = (ROWS @ a)[:, None] + h @ b + ROWS @ W @ h.T
    return np.exp(minus_energy) / np.exp(minus_energy).sum(), h


def test_symbols_given_hidden_units_by_enumeration():
    # Eq. (13.1)
    p, states = joint()
    given = softmax_probs(states, W, a, K).numpy()
    np.testing.assert_allclose(given, (p / p.sum(axis=0)).T @ ROWS, rtol=1e-6)
    np.testing.assert_allclose(given.reshape(-1, CELLS, K).sum(axis=2), 1)


def test_log_likelihood_by_enumeration():
    p, _ = joint()
    np.testing.assert_allclose(model().log_likelihood(ROWS), np.log(p.sum(axis=1)), atol=1e-5)
    assert np.exp(model().log_likelihood(ROWS)).sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(
        model().log_likelihood(ROWS, log_z=0.0), -np.asarray(model()(ROWS)), atol=1e-5
    )


def test_the_chain_visits_rows_as_often_as_the_model_says():
    drawn, (p, _) = model().sample(4000, seed=1, steps=30), joint()
    counts = (drawn @ ROWS.T == CELLS).mean(axis=0)
    assert counts.sum() == pytest.approx(1)
    np.testing.assert_allclose(counts, p.sum(axis=1), atol=0.03)


def test_completion_keeps_what_is_known_and_draws_the_rest_by_its_probability():
    known = np.repeat([True, False], K)
    drawn, (p, _) = (
        model().complete(np.repeat(ROWS[:1], 4000, axis=0), known, seed=2, steps=30),
        joint(),
    )
    assert (drawn[:, :K] == ROWS[0, :K]).all()
    np.testing.assert_allclose(
        drawn[:, K:].mean(axis=0), p.sum(axis=1)[:K] / p.sum(axis=1)[:K].sum(), atol=0.03
    )


def test_draws_are_as_often_as_their_probabilities_and_safer_when_cold():
    probs = np.tile(np.float32([[0.7, 0.2, 0.1, 0.0, 0.5, 0.5]]), (4000, 1))
    drawn = draw_symbols(probs, 3, (0, 0)).numpy()
    np.testing.assert_array_equal(drawn.reshape(-1, 2, 3).sum(axis=2), 1)
    np.testing.assert_allclose(drawn.mean(axis=0), probs[0], atol=0.03)
    cold = draw_symbols(probs, 3, (0, 0), temperature=0.5).numpy().mean(axis=0)
    np.testing.assert_allclose(cold[:3], np.array([49, 4, 1]) / 54, atol=0.03)


def test_the_seed_decides():
    def draw(seed):
        return model().gibbs(np.repeat(ROWS[:1], 50, axis=0), 3, (seed, 0)).numpy()

    np.testing.assert_array_equal(draw(1), draw(1))
    assert (draw(1) != draw(2)).any()


def test_cross_entropy_by_hand():
    # Eq. (13.6)
    v, probs = np.array([[1.0, 0.0, 0.0, 1.0]]), np.array([[0.5, 0.5, 0.75, 0.25]])
    np.testing.assert_allclose(cross_entropy(v, probs), [np.log(2) + np.log(4)], rtol=1e-6)
    whole = (
        keras.losses.categorical_crossentropy(v.reshape(1, 2, 2), probs.reshape(1, 2, 2))
        .numpy()
        .sum()
    )
    assert float(cross_entropy(v, probs)[0]) == pytest.approx(whole, rel=1e-5)


def test_training_learns_which_symbols_go_together():
    one = SoftmaxRBM(6, 4, symbols=3)
    one.compile_default(learning_rate=0.3, momentum=0.9)
    data = ROWS[[0, 4, 8]][np.arange(3000) % 3]  # both cells alike
    before = one.fit(data, epochs=1, batch_size=50, verbose=0).history["loss"][-1]
    after = one.fit(data, validation_data=data, epochs=6, batch_size=50, verbose=0).history[
        "val_loss"
    ][-1]
    assert after < 0.5 * before
    assert np.exp(one.log_likelihood(ROWS[[0, 4, 8]])).sum() > 0.6


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model().save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.symbols == K
    np.testing.assert_array_equal(again.sample(5, seed=0), model().sample(5, seed=0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SoftmaxRBM(7, 2, symbols=3), "7 visible units of 3 symbols"),
        (lambda: SoftmaxRBM(6, 2, symbols=1), "at least 2"),
        (lambda: model().hidden_probs(np.ones((1, 6))), "not one-hot"),
        (lambda: model().hidden_probs(np.full((1, 6), 1 / 3)), "not one-hot"),
        (lambda: model().complete(ROWS, np.array([True] + [False] * 5), seed=0), "known in part"),
        (lambda: model().complete(ROWS, np.ones(5, bool), seed=0), "known"),
        (lambda: model().sample(0, seed=0), "at least 1"),
        (lambda: SoftmaxRBM(6, 2, symbols=3).sample(1, seed=0), "not trained"),
        (lambda: SoftmaxRBM(6, 2, symbols=3).log_likelihood(ROWS), "not trained"),
        (
            lambda: (
                SoftmaxRBM(6, 21, 3).assign(np.zeros((6, 21)), a, np.zeros(21)).log_likelihood(ROWS)
            ),
            "at most 20",
        ),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
