"""Beam search: by hand, against all sequences there are, and what a narrow beam loses."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from musiclab.sampling.beam_search import beam_search

# what follows what: A begins well and goes on badly, B the other way round
FIRST, THEN = np.array([0.6, 0.4]), np.array([[0.5, 0.5], [0.1, 0.9]])


def start(n):
    return {"last": tf.fill([n], -1)}


def after(state, token):
    return {"last": tf.constant(token, tf.int32)}


def by_table(state, t):
    """Logits of the table, off by a constant: only their softmax may count."""
    probs = [FIRST if last < 0 else THEN[last] for last in state["last"].numpy()]
    return np.log(probs) + 7, state


def test_greed_loses_what_a_beam_of_two_finds_by_hand():
    """Eq. (9.4): A A has 0.6 x 0.5 = 0.30; B B has 0.4 x 0.9 = 0.36."""
    greedy, wide = (beam_search(by_table, after, start, 2, width) for width in (1, 2))
    assert greedy[0].tolist() == [0, 0]
    assert wide[0].tolist() == [1, 1]
    assert np.exp([greedy[1], wide[1]]) == pytest.approx([0.30, 0.36])


def random_tree(seed, tokens=3, depth=4):
    """Logits for every beginning there is."""
    rng = np.random.default_rng(seed)
    beginnings = (b for t in range(depth) for b in itertools.product(range(tokens), repeat=t))
    return {beginning: rng.normal(0, 1, tokens) for beginning in beginnings}


def search(tree, depth, width):
    """Beam search over a tree; the state is the beginning itself."""

    def step(state, t):
        return np.array([tree[tuple(row[:t])] for row in state["told"].numpy().tolist()]), state

    def told(state, token):
        t = state["t"].numpy()[0]
        rows = state["told"].numpy()
        rows[:, t] = token
        return {"told": tf.constant(rows), "t": state["t"] + 1}

    def begin(n):
        return {"told": tf.zeros((n, depth), tf.int32), "t": tf.zeros(n, tf.int32)}

    return beam_search(step, told, begin, depth, width)


def all_scores(tree, tokens=3, depth=4):
    def nats(sequence):
        logits = [tree[sequence[:t]] for t in range(depth)]
        return sum(one[k] - np.log(np.exp(one).sum()) for one, k in zip(logits, sequence))

    return {sequence: nats(sequence) for sequence in itertools.product(range(tokens), repeat=depth)}


def test_a_wide_beam_is_brute_force():
    """Eq. (9.4): as wide as there are beginnings, nothing is lost; greed does lose, in some of these trees."""
    greedy = []
    for seed in range(12):
        tree = random_tree(seed)
        scores = all_scores(tree)
        found, nats = search(tree, 4, width=27)
        assert tuple(found) == max(scores, key=scores.get)
        assert nats == pytest.approx(max(scores.values()))
        greedy.append(search(tree, 4, width=1)[1] < nats - 0.1)
    assert any(greedy)


def test_a_narrow_beam_tells_the_score_of_what_it_found():
    for seed in range(5):
        tree = random_tree(seed)
        found, nats = search(tree, 4, width=2)
        assert nats == pytest.approx(all_scores(tree)[tuple(found)])


def test_a_beam_wider_than_the_tree_is_no_harm():
    assert beam_search(by_table, after, start, 2, width=50)[0].tolist() == [1, 1]


@pytest.mark.parametrize(("steps", "width"), [(0, 1), (1, 0)])
def test_a_beam_of_nothing_is_refused(steps, width):
    with pytest.raises(ValueError, match=f"{steps} steps with a beam of width {width}"):
        beam_search(by_table, after, start, steps, width)
