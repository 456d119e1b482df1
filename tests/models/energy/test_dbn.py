"""The deep belief network against enumeration: up and down, its chain, fine-tuning, primers, its file."""

import functools
import itertools

import numpy as np
import pytest

from musiclab.models.energy.dbn import DBN
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.softmax_rbm import SoftmaxRBM, cross_entropy, softmax_probs
from musiclab.training import load_model, save_model, train

V, K = 6, 3
ROWS = np.array(
    [np.eye(K)[list(s)].ravel() for s in itertools.product(range(K), repeat=2)], np.float32
)
DATA = ROWS[[0, 4, 8]][np.arange(120) % 3]
BINARY = np.array(list(itertools.product((0, 1), repeat=4)), np.float32)


def machine(kind, visible, hidden, *symbols, seed=0):
    values = np.random.default_rng(seed)
    shapes = (visible, hidden), visible, hidden
    return kind(visible, hidden, *symbols).assign(
        *(1.2 * values.normal(size=shape) for shape in shapes)
    )


@functools.cache  # tests leave it as it is, and share its graphs
def network(layers=2):
    """Random machines over two cells of three symbols: 6, 4, 3, 5 units."""
    sizes = ((RBM, 4, 3), (RBM, 3, 5))
    return DBN.stacked(
        [
            machine(SoftmaxRBM, V, 4, K),
            *(machine(*one, seed=i) for i, one in enumerate(sizes[: layers - 1], 1)),
        ]
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def bernoulli_probs(probs, states):
    """Probability of each state (s, H), given probabilities of each unit (n, H): (n, s)."""
    return np.prod(np.where(states[None] == 1, probs[:, None], 1 - probs[:, None]), axis=2)


def exact(model):
    """p(v) of a stack of two, by summing over all h1: p2(h1) from the top, p(v | h1) from below."""
    below, above = model.stack
    h = np.array(list(itertools.product((0, 1), repeat=below.hidden)), np.float64)
    rows = ROWS if model.symbols > 1 else BINARY
    W, a = below.W.numpy().astype(float), below.a.numpy().astype(float)
    if model.symbols > 1:
        given = np.log(softmax_probs(h, W, a, K).numpy()) @ rows.T
    else:
        given = np.log(sigmoid(h @ W.T + a)) @ rows.T + np.log(sigmoid(-h @ W.T - a)) @ (1 - rows).T
    return np.exp(above.log_likelihood(h)) @ np.exp(given), rows


def test_layers_hand_up_their_probabilities():
    # Eq. (13.2)
    model = network(3)
    h = ROWS
    for layer, one in enumerate(model.stack, 1):
        h = sigmoid(h @ one.W.numpy() + one.b.numpy())
        np.testing.assert_allclose(model.encode(ROWS, layer), h, atol=1e-6)
    np.testing.assert_array_equal(model.encode(ROWS), model.encode(ROWS, 2))
    np.testing.assert_array_equal(model.encode(ROWS, 0), ROWS)


def test_up_and_down_again_with_the_same_weights():
    model = network(3)
    h2 = model.encode(ROWS, 2)
    h1 = sigmoid(h2 @ model.stack[1].W.numpy().T + model.stack[1].a.numpy())
    rebuilt = softmax_probs(h1, model.stack[0].W, model.stack[0].a, K).numpy()
    np.testing.assert_allclose(model.reconstruct(ROWS), rebuilt, atol=1e-6)
    np.testing.assert_allclose(model(ROWS).numpy(), rebuilt, atol=1e-6)
    assert abs(model.reconstruct(ROWS, 3) - rebuilt).max() > 1e-3


@pytest.mark.parametrize("symbols", [K, 1])
def test_what_is_drawn_is_what_the_joint_says(symbols):
    # Eq. (13.3)
    model = (
        network() if symbols > 1 else DBN.stacked([machine(RBM, 4, 3), machine(RBM, 3, 4, seed=5)])
    )
    p, rows = exact(model)
    assert p.sum() == pytest.approx(1, abs=1e-4)
    drawn = model.sample(6000, seed=3, steps=40)
    counts = (drawn[:, None] == rows).all(axis=2).mean(axis=0)
    assert counts.sum() == pytest.approx(1)
    np.testing.assert_allclose(counts, p, atol=0.025)


def test_one_layer_draws_as_its_machine_and_safer_when_cold():
    model = network(1)
    drawn = model.sample(8000, seed=2, steps=30)
    np.testing.assert_allclose(
        (drawn @ ROWS.T == 2).mean(axis=0), np.exp(model.stack[0].log_likelihood(ROWS)), atol=0.025
    )
    cold = model.sample(500, seed=2, steps=30, temperature=0.01)
    distinct = [len(np.unique(rows, axis=0)) for rows in (cold, drawn[:500])]
    assert distinct[0] < distinct[1]


def test_layers_between_are_drawn_too():
    # Eq. (13.3)
    model = network(3)
    below, middle, top = model.stack
    h1 = np.array(list(itertools.product((0, 1), repeat=4)), np.float32)
    h2 = np.array(list(itertools.product((0, 1), repeat=3)), np.float32)
    p = np.exp(top.log_likelihood(h2)) @ bernoulli_probs(middle.visible_probs(h2), h1)
    wanted = p @ softmax_probs(h1, below.W, below.a, K).numpy()
    pairs = p @ np.exp(np.log(softmax_probs(h1, below.W, below.a, K).numpy()) @ ROWS.T)
    drawn = model.sample(8000, seed=3, steps=40)
    np.testing.assert_allclose(drawn.mean(axis=0), wanted, atol=0.025)
    np.testing.assert_allclose((drawn @ ROWS.T == 2).mean(axis=0), pairs, atol=0.025)


def test_the_top_alone_decides_which_codes_come():
    """A chain of the lower machine would answer with its own p(v), which is another one."""
    model = network()
    p, _ = exact(model)
    alone = np.exp(model.stack[0].log_likelihood(ROWS))
    assert abs(p - alone).max() > 0.1


def test_cold_draws_are_the_likeliest():
    model = network()
    cold, warm = (model.sample(500, seed=1, steps=20, temperature=tau) for tau in (0.01, 1.0))
    code = model.stack[-1].sample(500, seed=1, steps=20)
    best = (
        softmax_probs(code, model.stack[0].W, model.stack[0].a, K)
        .numpy()
        .reshape(-1, K)
        .argmax(axis=1)
    )
    assert (cold.reshape(-1, K).argmax(axis=1) == best).mean() > 0.97
    assert (warm.reshape(-1, K).argmax(axis=1) == best).mean() < 0.9


@pytest.mark.parametrize("rounds", [1, 4])
def test_rounds_of_completion_are_those_of_their_transition_matrix(rounds):
    # Eq. (13.7)
    model, known = network(), np.repeat([True, False], K)
    below, above = model.stack
    h1 = np.array(list(itertools.product((0, 1), repeat=4)), np.float32)
    h2 = np.array(list(itertools.product((0, 1), repeat=3)), np.float32)
    within = bernoulli_probs(above.hidden_probs(h1), h2) @ bernoulli_probs(
        above.visible_probs(h2), h1
    )
    fits = ROWS[ROWS[:, 1] == 1]  # rows whose first cell is the primer's
    down = softmax_probs(h1, below.W, below.a, K).numpy()[:, K:]
    matrix = bernoulli_probs(below.hidden_probs(fits), h1) @ within @ down
    wanted = np.linalg.matrix_power(matrix, rounds)[0]
    drawn = model.complete(np.repeat(fits[:1], 8000, axis=0), known, seed=4, steps=rounds)
    np.testing.assert_allclose(drawn[:, K:].mean(axis=0), wanted, atol=0.025)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_primer_is_kept(layers):
    model, known = network(layers), np.repeat([False, True], K)
    drawn = model.complete(ROWS, known, seed=0, steps=3)
    np.testing.assert_array_equal(drawn[:, K:], ROWS[:, K:])
    np.testing.assert_array_equal(drawn.reshape(-1, K).sum(axis=1), 1)
    np.testing.assert_array_equal(drawn, model.complete(ROWS, known, seed=0, steps=3))
    assert (drawn != model.complete(ROWS, known, seed=1, steps=3)).any()


def test_one_layer_completes_exactly():
    model, known = network(1), np.repeat([True, False], K)
    p = np.exp(model.stack[0].log_likelihood(ROWS[:3]))
    drawn = model.complete(np.repeat(ROWS[:1], 4000, axis=0), known, seed=2, steps=30)
    np.testing.assert_allclose(drawn[:, K:].mean(axis=0), p / p.sum(), atol=0.03)


def test_greedy_training_is_one_machine_after_another_on_probabilities():
    model = DBN(V, (4, 3), symbols=K)
    alone = [SoftmaxRBM(V, 4, K), RBM(4, 3)]
    for mine, theirs in zip(alone, model.stack):
        mine.set_weights(theirs.get_weights())
        mine.compile_default(learning_rate=0.1 if mine is alone[0] else 0.05, momentum=0.9)
    history = train(model, DATA, held_out=DATA[:3], epochs=(3, 2), batch_size=20, seed=1)
    x = DATA
    for one, passes in zip(alone, (3, 2)):
        one.fit(x, epochs=passes, batch_size=20, seed=1, verbose=0)
        x = one.hidden_probs(x)
    assert len(history["loss"]) == len(history["val_loss"]) == 5
    for mine, theirs in zip(alone, model.stack):
        np.testing.assert_allclose(mine.W, theirs.W, atol=1e-5)


@functools.cache
def trained():
    """A small network, and a fine-tuned copy; tests leave both as they are."""
    model = DBN(V, (5, 4), symbols=K)
    for one in model.stack:
        one.compile_default(learning_rate=0.2, momentum=0.9)
    model.fit(DATA, epochs=5, batch_size=20, verbose=0)
    before = [w.copy() for w in model.get_weights()]
    tuned = model.fine_tuned(DATA, epochs=20, batch_size=20, learning_rate=0.05)
    return model, before, tuned


def test_fine_tuning_parts_up_from_down_and_leaves_the_old_network_alone():
    model, before, tuned = trained()
    for old, now in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, now)
    loss = [np.mean(cross_entropy(DATA, one.reconstruct(DATA))) for one in (model, tuned)]
    assert loss[1] < 0.8 * loss[0]
    assert abs(tuned.down[0].numpy() - tuned.stack[0].W.numpy()).max() > 0.01
    assert abs(tuned.encode(DATA) - model.encode(DATA)).max() > 0.05  # the codes have moved ...
    np.testing.assert_array_equal(
        tuned.stack[1].W, model.stack[1].W
    )  # ... and the top has not been told


def test_refitting_changes_the_top_alone():
    _, _, tuned = trained()
    copy = DBN.from_config(tuned.get_config())
    copy.set_weights(tuned.get_weights())
    history = copy.refit_top(DATA, epochs=2, batch_size=20, verbose=0).history
    assert len(history["loss"]) == 2
    assert abs(copy.stack[1].W.numpy() - tuned.stack[1].W.numpy()).max() > 1e-3
    np.testing.assert_array_equal(copy.reconstruct(ROWS), tuned.reconstruct(ROWS))


def test_way_down_of_its_own_that_equals_the_way_up_changes_nothing():
    model = network()
    copy = DBN(V, [4, 3], symbols=K, untied=True)
    copy.set_weights([model.stack[0].W, *model.get_weights()])
    np.testing.assert_array_equal(copy.down[0], model.stack[0].W)
    np.testing.assert_array_equal(copy.reconstruct(ROWS), model.reconstruct(ROWS))
    np.testing.assert_array_equal(
        copy.sample(20, seed=0, steps=5), model.sample(20, seed=0, steps=5)
    )


@pytest.mark.parametrize("symbols", [K, 1])
def test_loss_is_cross_entropy_summed_over_cells_and_averaged_over_rows(symbols):
    # Eq. (13.6)
    model = network() if symbols > 1 else DBN.stacked([machine(RBM, 4, 3), machine(RBM, 3, 2)])
    rows = ROWS if symbols > 1 else BINARY
    probs = model.reconstruct(rows).astype(float)
    terms = rows * np.log(probs) + (0 if symbols > 1 else (1 - rows) * np.log(1 - probs))
    assert model.evaluate(rows, batch_size=5, verbose=0) == pytest.approx(
        -terms.sum() / len(rows), rel=1e-4
    )


def test_saved_and_loaded_it_is_the_same_tied_or_not(tmp_path):
    for one in (trained()[0], trained()[2]):
        bare = DBN.from_config(one.get_config())
        bare.set_weights(one.get_weights())
        save_model(bare, tmp_path / "a.keras")
        like = DBN(V, (5, 4), symbols=K, untied=one is not trained()[0])
        again = load_model(tmp_path / "a.keras", like=like)
        np.testing.assert_array_equal(
            again.sample(9, seed=0, steps=5), one.sample(9, seed=0, steps=5)
        )
        np.testing.assert_array_equal(again.reconstruct(ROWS), one.reconstruct(ROWS))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: DBN(6, ()), "one layer or more"),
        (lambda: DBN(6, (4, 0)), "at least 1"),
        (lambda: DBN(7, (4,), symbols=3), "7 visible units of 3 symbols"),
        (
            lambda: DBN.stacked([machine(RBM, 6, 4), machine(RBM, 3, 2)]),
            "RBM 0 has 4 hidden.*3 visible",
        ),
        (lambda: DBN.stacked([machine(RBM, 6, 6), machine(SoftmaxRBM, 6, 2, 3)]), "SoftmaxRBM"),
        (lambda: network().fit(ROWS, epochs=(1, 2, 3)), "3 numbers of epochs for 2 layers"),
        (lambda: network().fit(ROWS[:, :3]), r"need \(n, 6\)"),
        (lambda: network().encode(ROWS, 3), "layer 3: there are 2 hidden layers"),
        (lambda: network(1).fine_tuned(ROWS), "stack at least two"),
        (lambda: DBN(6, (4, 3), symbols=3).fine_tuned(ROWS), "not trained"),
        (lambda: DBN(6, (4, 3), symbols=3).sample(1, seed=0), "not trained"),
        (
            lambda: DBN(6, (4, 3), symbols=3).complete(ROWS, np.ones(6, bool), seed=0),
            "not trained",
        ),
        (lambda: network().sample(0, seed=0), "at least 1"),
        (lambda: network().sample(1, seed=0, temperature=0), "need a number above 0"),
        (lambda: network().complete(ROWS[:, :3], np.ones(3, bool), seed=0), r"need \(n, 6\)"),
        (lambda: network().complete(ROWS, np.ones(5, bool), seed=0), r"known bool \(5,\)"),
        (lambda: network().complete(ROWS, np.ones(6), seed=0), "known float64"),
        (lambda: network().complete(ROWS, np.ones(6, bool), seed=0, steps=0), "0 steps"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
