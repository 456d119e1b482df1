"""The two output heads: every frame's probability counted out, and what they draw against what they say."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.models.recurrent.output_heads import BernoulliHead, NotesHead

K, C = 6, 4
ALL_FRAMES = np.array(list(itertools.product([0, 1], repeat=K)), np.float32)  # 64 sets of six keys
rng = np.random.default_rng(0)


def head(kind, seed=0, keys=K, **settings):
    """A head with weights large enough that nothing is nearly uniform, and a context for it."""
    keras.utils.set_random_seed(seed)
    made = kind(keys, **settings) if kind is BernoulliHead else kind(keys, hidden=16, **settings)
    made.log_likelihood(contexts(1, keys), np.zeros((1, keys), np.float32))
    made.set_weights(
        [1.5 * rng.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made, contexts(1, keys)[0]


def contexts(n, keys=K):
    """Contexts that end with the frame before."""
    return np.hstack([rng.normal(size=(n, C)), rng.integers(0, 2, (n, keys))]).astype(np.float32)


def say_all(made, context, frames=ALL_FRAMES):
    return made.log_likelihood(np.tile(context, (len(frames), 1)), frames).numpy().astype(float)


KINDS = [
    (BernoulliHead, {}),
    *((NotesHead, {"order": order}) for order in ("up", "down")),
    *((NotesHead, {"order": order, "previous": C}) for order in ("up", "down")),
]


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_probabilities_of_all_frames_sum_to_one(kind, settings):
    # Eqs. (8.2) and (8.3)
    probs = np.exp(say_all(*head(kind, **settings)))
    assert probs.sum() == pytest.approx(1, abs=1e-5)
    assert probs.max() < 0.9  # not all on one frame, where a missing note would not show


def test_coins_are_keras_binary_crossentropy_summed_over_keys():
    # Eq. (8.1)
    made, context = head(BernoulliHead)
    probs = tf.sigmoid(made.out(context[None])).numpy()
    losses = keras.losses.BinaryCrossentropy(reduction=None)(ALL_FRAMES, np.tile(probs, (64, 1)))
    np.testing.assert_allclose(say_all(made, context), -K * losses.numpy(), rtol=1e-4, atol=1e-5)


def test_coins_by_hand():
    # Eq. (8.1): without weights every key sounds with 1/2, so any frame costs six times ln 2
    made, context = head(BernoulliHead)
    made.set_weights([np.zeros_like(w) for w in made.get_weights()])
    np.testing.assert_allclose(say_all(made, context), -K * np.log(2), rtol=1e-6)


def test_notes_by_hand():
    # Eqs. (8.2) and (8.3): without weights all that is allowed is equally likely: of keys 1 and 4,
    # the first is one of 7 (six keys or END), the second one of 5 (keys 2-5 or END), END one of 2
    # (key 5 or END)
    made, context = head(NotesHead)
    made.set_weights([np.zeros_like(w) for w in made.get_weights()])
    frames = np.array([[0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], np.float32)
    np.testing.assert_allclose(
        say_all(made, context, frames), -np.log([7 * 5 * 2, 7, 7 * 1]), rtol=1e-6
    )


def counterpoint(made, said, last_frame):
    """What the table adds to the logit of each key, by the rule that lesson 08 teaches."""
    table, before = made.counterpoint.get_weights()[0], np.flatnonzero(last_frame)[:4]
    now, j, added = np.flatnonzero(said), int(said.sum()), np.zeros(K)
    if j >= min(4, len(before)):
        return added
    for key in range(K):
        for i in range(j):
            moves = [np.sign(key - before[j]), np.sign(now[i] - before[i])]
            motion = 1 + int(np.prod(moves))  # contrary, oblique, similar
            intervals = (before[j] - before[i]) % 12, (key - now[i]) % 12
            added[key] += table[(0, 1, 3)[j - 1] + i, *intervals, motion]
    return added


def test_moves_of_two_voices_by_hand():
    # Eq. (8.8): keys 0 and 2 go to 1 and 3. From 1 the second note may be one of 2 to 5 or END, and
    # the table makes 3 (up like the first note, again 2 above it) three times as likely as each
    made, _ = head(NotesHead, previous=C)
    made.set_weights([np.zeros_like(w) for w in made.get_weights()])
    table = np.zeros((6, 12, 12, 3))
    table[0, 2, 2, 2] = np.log(3)
    made.counterpoint.set_weights([table])
    context = np.array([*[0] * C, 1, 0, 1, 0, 0, 0], np.float32)
    frames = np.array([[0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0]], np.float32)
    wanted = np.log([1 / 7 * 3 / 7 * 1 / 3, 1 / 7 * 1 / 7 * 1 / 2])
    np.testing.assert_allclose(say_all(made, context, frames), wanted, rtol=1e-6)
    # the same moves from the top: the upper voice is first
    down, _ = head(NotesHead, previous=C, order="down")
    down.set_weights(made.get_weights())
    turned = np.array([*[0] * C, 0, 0, 0, 1, 0, 1], np.float32)
    np.testing.assert_allclose(say_all(down, turned, frames[:, ::-1]), wanted, rtol=1e-6)


@pytest.mark.parametrize("previous", [None, C])
@pytest.mark.parametrize("order", ["up", "down"])
def test_the_chain_rule_note_by_note(order, previous):
    # Eq. (8.2): the notes said one at a time, by plain NumPy
    made, context = head(NotesHead, order=order, previous=previous)
    context[C:] = [1, 1, 0, 1, 1, 1]
    for frame in ALL_FRAMES[[0, 1, 22, 29, 63]]:
        turned, last_frame = frame, context[C:]
        if order == "down":
            turned, last_frame = turned[::-1], last_frame[::-1]
        said, last, total = np.zeros(K, np.float32), 0, 0.0
        for symbol in [*np.flatnonzero(turned), K]:
            logits = made._logits(made.from_context(context[None]), said[None], np.array([last]))[
                0
            ].numpy()
            if previous is not None:
                logits[:K] += counterpoint(made, said, last_frame)
            total += logits[symbol] - np.log(np.exp(logits.astype(float)).sum())
            if symbol < K:
                said[symbol], last = 1, symbol + 1
        assert say_all(made, context, frame[None])[0] == pytest.approx(total, rel=1e-4, abs=1e-5)


def test_the_order_is_turned_and_not_only_renamed():
    up, context = head(NotesHead, order="up")
    down, _ = head(NotesHead, order="down")
    down.set_weights(up.get_weights())
    np.testing.assert_allclose(
        say_all(up, context), say_all(down, context, ALL_FRAMES[:, ::-1]), rtol=1e-5
    )
    assert abs(say_all(up, context) - say_all(down, context)).max() > 0.1


@pytest.mark.parametrize("order", ["up", "down"])
@pytest.mark.parametrize("n", [0, 15, 16, 88])
def test_any_number_of_notes(order, n):
    made, context = head(NotesHead, keys=88, order=order)
    frame = np.zeros((1, 88), np.float32)
    frame[0, np.sort(rng.permutation(88)[:n])] = 1
    score = say_all(made, context, frame)
    assert score.shape == (1,)
    assert np.isfinite(score).all()
    assert score < 0


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_frames_do_not_depend_on_their_neighbours(kind, settings):
    made, _ = head(kind, **settings)
    given = contexts(64)
    together = made.log_likelihood(given, ALL_FRAMES).numpy()
    alone = [
        made.log_likelihood(given[i : i + 1], ALL_FRAMES[i : i + 1]).numpy()[0] for i in range(64)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "settings"), KINDS)
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_what_is_drawn_is_what_was_said(kind, settings, temperature):
    made, context = head(kind, **settings)
    n = 20_000
    frames = made.sample(np.tile(context, (n, 1)), seed=(1, 2), temperature=temperature).numpy()
    counts = np.bincount(frames.astype(int) @ 2 ** np.arange(K)[::-1], minlength=64)
    assert set(np.unique(frames)) <= {0, 1}
    if temperature == 1.0:
        expected = np.exp(say_all(made, context))
        common = expected * n > 5
        seen, wanted = counts[common], expected[common]
        if not common.all():  # the rare ones together
            seen = np.append(seen, counts[~common].sum())
            wanted = np.append(wanted, expected[~common].sum())
        assert chisquare(seen, n * wanted / wanted.sum()).pvalue > 0.001
    else:  # sharper: the likeliest frame comes more often than at temperature 1
        assert counts.max() / n > np.exp(say_all(made, context)).max() + 0.02


def test_dropout_only_in_training():
    for kind, settings in KINDS:
        made, _ = head(kind, dropout=0.5, **settings)
        given = contexts(64)
        still = made.log_likelihood(given, ALL_FRAMES).numpy()
        np.testing.assert_array_equal(made.log_likelihood(given, ALL_FRAMES).numpy(), still)
        assert (
            abs(made.log_likelihood(given, ALL_FRAMES, training=True).numpy() - still).max() > 0.1
        )


def test_an_unknown_order_is_explained():
    with pytest.raises(ValueError, match="order 'sideways': notes come 'up' or 'down'"):
        NotesHead(order="sideways")
