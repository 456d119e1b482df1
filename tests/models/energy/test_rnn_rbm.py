"""The RNN-RBM: its biases by hand, its likelihood and gradient by enumeration, its samples by counting."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.models.energy import rbm_functions, rnn_rbm
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.rnn_rbm import RNNRBM
from musiclab.models.recurrent.sequence_model import pad
from musiclab.training import load_model, save_model, set_seed

SMALL = {"keys": 4, "hidden": 3, "units": 3, "dropout": 0.0}
EVERY = np.array(list(itertools.product([0, 1], repeat=4)), np.float32)


def model(seed=0, scale=1.5, **settings):
    """Weights at random instead of fresh ones, so that every one of them counts."""
    set_seed(seed)
    made = RNNRBM(**{**SMALL, **settings})
    rng = np.random.default_rng(seed)
    for variable in made.trainable_variables:
        variable.assign(scale * rng.normal(size=variable.shape) / np.sqrt(variable.shape[0]))
    made.trained.assign(1.0)
    return made


@functools.cache
def shared():
    """One that tests leave as it is, so that its graphs are traced once for all."""
    return model()


def rolls(*lengths, keys=4, seed=1):
    rng = np.random.default_rng(seed)
    return [(rng.random((n, keys)) < 0.4).astype(np.float32) for n in lengths]


def weights(made):
    return {v.name: np.asarray(v, np.float64) for v in made.trainable_variables}


def test_biases_by_hand():
    """Eq. (14.1): what a state adds to each bias."""
    made = RNNRBM(keys=2, hidden=1, units=2)
    for name, value in {
        "a": [1, 2],
        "b": [3],
        "W_ua": [[1, 0], [0, 10]],
        "W_ub": [[100], [1000]],
    }.items():
        getattr(made, name).assign(value)
    a, b = made.biases(np.array([[0.5, -1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(a, [[1.5, -8], [1, 2]])
    np.testing.assert_allclose(b, [[3 + 50 - 1000], [3]])


def test_states_step_by_step():
    """Eq. (14.2): each state from the one before and the frame that sounded; the first frame meets u_0."""
    made, (roll,) = shared(), rolls(5)
    w = weights(made)
    u, wanted = w["u_0"], []
    for v in roll:
        wanted.append(u)
        u = np.tanh(w["c"] + v @ w["W_vu"] + u @ w["W_uu"])
    states = made.states(roll[None])
    assert states.shape == (1, 5, 3)
    np.testing.assert_allclose(states[0], wanted, rtol=1e-5)
    np.testing.assert_allclose(made.update_state(states[:, 4], roll[4:]), [u], rtol=1e-5)


def test_likelihood_of_every_frame_there_is():
    """Eq. (14.3): given any past the probabilities of all 16 frames sum to one; summed over hidden units by hand."""
    made, (past,) = shared(), rolls(3)
    scores = [
        one[-1]
        for one in made.log_likelihood([np.vstack([past, v]) for v in EVERY], temperatures=None)
    ]
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-5)
    w = weights(made)
    u = np.asarray(made.update_state(made.states(past[None])[:, 2], past[2:])[0], np.float64)
    a, b = w["a"] + u @ w["W_ua"], w["b"] + u @ w["W_ub"]
    hidden = np.array(list(itertools.product([0, 1], repeat=3)))
    weight = np.exp(EVERY @ a + np.log(np.exp((EVERY @ w["W"] + b) @ hidden.T).sum(axis=1)))
    np.testing.assert_allclose(np.exp(scores), weight / weight.sum(), rtol=1e-4)


def test_probabilities_of_all_short_pieces_sum_to_one():
    made = model(keys=2)
    frames = np.array(list(itertools.product([0, 1], repeat=2)), np.float32)
    pieces = [np.array(three) for three in itertools.product(frames, repeat=3)]
    scores = made.log_likelihood(pieces, temperatures=None)
    assert sum(np.exp(one.sum()) for one in scores) == pytest.approx(1, abs=1e-4)


def test_ais_against_the_exact_partition():
    made, pieces = model(keys=14, hidden=10, units=6, scale=2.0), rolls(30, 20, keys=14)
    exact = np.concatenate(made.log_likelihood(pieces, temperatures=None))
    estimate = np.concatenate(made.log_likelihood(pieces, temperatures=600, chains=20))
    assert abs(estimate - exact).mean() <= 0.01
    assert np.std(exact) > 0.5  # frames differ: one partition function for all would not do


def test_few_temperatures_flatter():
    made, pieces = model(keys=12, hidden=10, units=6), rolls(40, keys=12)
    W = 4 * np.asarray(
        made.W
    )  # strong ties, which the biases balance: many kinds of frames, hard to get between
    for variable, value in (
        (made.W, W),
        (made.a, -W.sum(axis=1) / 2),
        (made.b, -W.sum(axis=0) / 2),
    ):
        variable.assign(value)
    exact = -made.log_likelihood(pieces, temperatures=None)[0].mean()
    curve = made.convergence(pieces, (1, 10, 1000), chains=4)
    assert curve[0] < curve[1] - 0.1 < curve[2]
    assert curve[0] < exact - 0.3
    assert abs(curve[2] - exact) < 0.05


def test_gradient_against_finite_differences(monkeypatch):
    """Eq. (14.4): negative samples from the machine itself give the likelihood's gradient, through time."""
    made, pieces = model(dtype="float64"), rolls(4, 2)
    batch = pad(pieces)
    scores = [made.log_likelihood([np.vstack([roll[:t], v]) for t in range(len(roll)) for v in EVERY], None)
              for roll in pieces]  # fmt: skip
    probs = np.zeros((2, 4, 16))
    for i, roll in enumerate(pieces):
        probs[i, : len(roll)] = np.exp([one[-1] for one in scores[i]]).reshape(len(roll), 16)
    variables, gradient = made.trainable_variables, 0
    for number, v in enumerate(
        EVERY
    ):  # the mean over negative samples: each frame by its probability there
        monkeypatch.setattr(rnn_rbm.rbm_functions, "gibbs", lambda x, *_, v=v: tf.zeros_like(x) + v)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(made(batch, training=True) * probs[..., number])
        gradient = gradient + np.concatenate(
            [np.ravel(g) for g in tape.gradient(total, [v.value for v in variables])]
        )

    def likelihood():
        return sum(one.sum() for one in made.log_likelihood(pieces, temperatures=None))

    numeric = []
    for variable in variables:
        values = np.array(variable.value)
        for i in np.ndindex(values.shape):
            bump = np.zeros_like(values)
            bump[i] = 1e-5
            variable.assign(values + bump)
            rise = likelihood()
            variable.assign(values - bump)
            numeric.append((rise - likelihood()) / 2e-5)
        variable.assign(values)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-6)


def test_loss_is_data_against_where_the_chain_went(monkeypatch):
    """Eq. (14.4): a mean over real frames; k steps with each frame's own biases; the negative sample is a constant."""
    made, pieces = model(k=7), rolls(3, 1)
    batch, seen = pad(pieces), {}

    def gibbs(v, W, a, b, k, seed):
        seen.update(v=v, a=a, k=k)
        return tf.sigmoid(tf.matmul(v, W) @ tf.transpose(W) + a)  # a function of the weights

    monkeypatch.setattr(rnn_rbm.rbm_functions, "gibbs", gibbs)
    with tf.GradientTape() as tape:
        rise = made(batch, training=True)
        loss = made.compute_loss(batch, None, rise)
    v, w = np.concatenate(pieces), weights(made)
    u = np.concatenate([made.states(one[None])[0] for one in pieces])
    a, b = (part.numpy() for part in made.biases(u))
    v_k = gibbs(v, w["W"].astype(np.float32), a, b, 7, None)
    difference = rbm_functions.free_energy(v, w["W"], a, b) - rbm_functions.free_energy(
        v_k, w["W"], a, b
    )
    assert float(loss) == pytest.approx(float(np.mean(difference)), rel=1e-4)
    assert seen["k"] == 7
    np.testing.assert_allclose(seen["a"], a, rtol=1e-5)
    assert (np.asarray(rise)[1, 1:] == 0).all()
    np.testing.assert_allclose(
        tape.gradient(loss, made.a.value), np.mean(v_k - v, axis=0), rtol=1e-3, atol=1e-6
    )


def test_padding_changes_nothing():
    made, pieces = shared(), rolls(6, 1, 3)
    together = made.log_likelihood(pieces, temperatures=None)
    for roll, scores in zip(pieces, together):
        np.testing.assert_allclose(
            made.log_likelihood([roll], temperatures=None)[0], scores, rtol=1e-5
        )
        assert (scores.shape, scores.dtype) == ((len(roll),), np.float64)


def test_no_frame_knows_itself_or_what_comes():
    made, (roll,) = shared(), rolls(8)
    changed = roll.copy()
    changed[4] = 1 - changed[4]
    before, after = (made.log_likelihood([one], temperatures=None)[0] for one in (roll, changed))
    np.testing.assert_allclose(after[:4], before[:4], rtol=1e-6)
    assert (abs(after - before)[4:] > 1e-5).all()


def test_frames_are_drawn_as_often_as_they_are_likely():
    """The second frame after a primer, and the first of all."""
    made, (past,) = shared(), rolls(2)
    for primer in (None, past):
        drawn = made.sample(4000, seed=5, steps=1, primer=primer, gibbs=60)[:, 0]
        before = [] if primer is None else [primer]
        pieces = [np.vstack([*before, v[None]]) for v in EVERY]
        probs = np.exp([one[-1] for one in made.log_likelihood(pieces, temperatures=None)])
        counts = np.array([(drawn == v).all(axis=1).sum() for v in EVERY])
        assert chisquare(counts, probs / probs.sum() * 4000).pvalue > 1e-3


def test_sampling():
    made = shared()
    drawn = made.sample(5, seed=1, steps=6)
    assert (drawn.shape, drawn.dtype) == ((5, 6, 4), np.float32)
    assert np.isin(drawn, (0, 1)).all()
    np.testing.assert_array_equal(drawn, made.sample(5, seed=1, steps=6))
    assert (drawn != made.sample(5, seed=2, steps=6)).any()
    cold = made.sample(40, seed=1, steps=1, temperature=0.05)
    assert len(np.unique(cold[:, 0], axis=0)) < len(
        np.unique(made.sample(40, seed=1, steps=1)[:, 0], axis=0)
    )


def test_drawn_frames_enter_the_state():
    """A network told to repeat: the bias of each key follows whether it sounded."""
    made = model(scale=0.0, units=4)
    made.W_vu.assign(20 * np.eye(4))
    made.c.assign(-10 * np.ones(4))
    made.W_ua.assign(20 * np.eye(4))
    primer = np.array([[1, 0, 0, 1]])
    np.testing.assert_array_equal(
        made.sample(1, seed=0, steps=3, primer=primer)[0], np.repeat(primer, 3, axis=0)
    )


def test_it_learns_a_tune_by_heart():
    tune = np.tile(np.eye(4, dtype=np.float32), (3, 1))
    made = RNNRBM(keys=4, hidden=4, units=8, dropout=0.0)
    rbm = RBM(4, 4).assign(np.zeros((4, 4)), np.full(4, -1.1), np.zeros(4))
    set_seed(0)
    made.start_from(rbm).compile_default(learning_rate=3e-2)
    before = -made.log_likelihood([tune], temperatures=None)[0].mean()
    history = made.fit([tune] * 64, epochs=6, verbose=0)
    after = -made.log_likelihood([tune], temperatures=None)[0].mean()
    assert before == pytest.approx(4 * 0.56, abs=0.15)  # four coins that come up one time in four
    assert after < 1.2 < before
    assert set(history.history) == {"loss"}


def test_start_from_a_trained_rbm():
    rng = np.random.default_rng(0)
    rbm = RBM(4, 3).assign(rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3))
    made, (roll,) = RNNRBM(**SMALL).start_from(rbm), rolls(5)
    made.W_ua.assign(0 * made.W_ua)
    made.W_ub.assign(0 * made.W_ub)
    np.testing.assert_allclose(
        made.log_likelihood([roll], None)[0], rbm.log_likelihood(roll), rtol=1e-4
    )


def test_saved_and_loaded(tmp_path):
    made, (roll,) = model(k=3), rolls(4)
    save_model(made, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", like=RNNRBM(**SMALL, k=3))
    np.testing.assert_array_equal(
        loaded.log_likelihood([roll], 20)[0], made.log_likelihood([roll], 20)[0]
    )


@pytest.mark.parametrize(
    "settings", [{"keys": 0}, {"hidden": 0}, {"units": 0}, {"k": 0}, {"dropout": 1.0}]
)
def test_sizes_that_make_no_model(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}={next(iter(settings.values()))}"):
        RNNRBM(**{**SMALL, **settings})


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (np.zeros((3, 5)), r"shape \(3, 5\): need \(T, 4\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.zeros((0, 4)), "T at least 1"),
        (np.full((2, 4), 0.5), "entries other than 0 and 1"),
    ],
)
def test_what_is_no_roll(piece, said):
    for attempt in (
        lambda made: made.log_likelihood([piece]),
        lambda made: made.sample(1, 0, primer=piece),
    ):
        with pytest.raises(ValueError, match=said):
            attempt(shared())


def test_an_untrained_model():
    fresh, (roll,) = RNNRBM(**SMALL), rolls(2)
    for attempt in (lambda: fresh.log_likelihood([roll]), lambda: fresh.sample(1, seed=0)):
        with pytest.raises(ValueError, match="is not trained yet"):
            attempt()
    with pytest.raises(ValueError, match="is not trained yet"):
        fresh.start_from(RBM(4, 3))
    with pytest.raises(ValueError, match=r"\(4, 2\).*\(4, 3\)"):
        fresh.start_from(RBM(4, 2).assign(np.zeros((4, 2)), np.zeros(4), np.zeros(2)))


@pytest.mark.parametrize("bad", [{"n": 0}, {"steps": 0}, {"gibbs": 0}, {"temperature": 0.0}])
def test_nothing_to_sample(bad):
    with pytest.raises(ValueError, match=r"at least 1|above 0"):
        shared().sample(**{"n": 1, "seed": 0, **bad})


def test_too_many_units_to_enumerate():
    made = model(keys=21, hidden=21)
    with pytest.raises(ValueError, match="at most 20"):
        made.log_likelihood(rolls(2, keys=21), temperatures=None)
    with pytest.raises(ValueError, match="0 temperatures"):
        made.log_likelihood(rolls(2, keys=21), temperatures=0)
