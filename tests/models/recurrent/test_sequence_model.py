"""The training recipe, on a model small enough to know everything about."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.metrics.likelihood import nll_per_frame
from musiclab.models.recurrent.sequence_model import LengthBuckets, SequenceModel, pad, split_long
from musiclab.training import set_seed, train

rng = np.random.default_rng(0)
LENGTHS = [3, 40, 5, 4, 38, 3, 6, 41, 2]
PIECES = [rng.integers(0, 2, size=(n, 1)).astype(np.int32) for n in LENGTHS]


class Coin(SequenceModel):
    """Every step is one coin, the same for all: its best probability is the share of heads."""

    def __init__(self, learning_rate=0.1):
        super().__init__()
        self.logit = self.add_weight((), "zeros")
        self.built = True
        self.compile_default(learning_rate, weight_decay=0.0)

    def call(self, x, training=False):
        heads = tf.cast(x[..., 0], tf.float32)
        scores = -tf.nn.sigmoid_cross_entropy_with_logits(heads, tf.ones_like(heads) * self.logit)
        return tf.where(x[..., 0] >= 0, scores, 0.0)

    def encode(self, piece):
        return np.asarray(piece)


def test_training_finds_the_share_of_heads_and_pools_frames():
    model, share = Coin(), np.concatenate(PIECES).mean()
    history = model.fit(
        PIECES, validation_data=PIECES[1:3], epochs=30, batch_size=4, verbose=0
    ).history
    assert float(tf.sigmoid(model.logit)) == pytest.approx(share, abs=0.02)
    best = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert history["loss"][-1] == pytest.approx(best, abs=0.01)
    # what Keras says of held-out pieces is what the measure says: frames pooled, averaged weights
    assert history["val_loss"][-1] == pytest.approx(
        nll_per_frame(model.log_likelihood(PIECES[1:3])).pooled, abs=1e-5
    )


def test_the_rate_rises_falls_and_is_put_back():
    rates = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    model = Coin(learning_rate=0.5)
    model.fit(PIECES * 4, epochs=20, batch_size=4, verbose=0, callbacks=[Watch()])
    peak = int(np.argmax(rates))
    assert 0 < peak < 0.1 * len(rates)
    assert max(rates) == pytest.approx(0.5, rel=0.01)
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] < 0.02 * 0.5 * 1.2
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5)


def test_the_same_seed_trains_the_same():
    def trained(seed):
        set_seed(0)
        model = Coin()
        model.fit(PIECES, epochs=2, batch_size=2, seed=seed, verbose=0)
        return float(model.logit)

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


def test_it_trains_through_the_course_s_own_call():
    history = train(Coin(), PIECES, held_out=PIECES[:2], epochs=3)
    assert len(history["loss"]) == len(history["val_loss"]) == 3


def test_likelihoods_come_piece_by_piece_whatever_the_batches(monkeypatch):
    monkeypatch.setattr(Coin, "scored_steps", 50)
    model = Coin()
    model.logit.assign(1.0)
    scored = model.log_likelihood(PIECES)
    for scores, piece in zip(scored, PIECES):
        expected = np.log(np.where(piece[:, 0] == 1, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))))
        np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert {s.dtype for s in scored} == {np.dtype(np.float64)}


def test_padding_and_back():
    padded = pad(PIECES)
    assert padded.shape == (9, 41, 1)
    assert padded.dtype == np.int32
    for row, piece in zip(padded, PIECES):
        np.testing.assert_array_equal(row[: len(piece)], piece)
        assert (row[len(piece) :] == -1).all()


def test_split_parts_are_the_whole(monkeypatch):
    monkeypatch.setattr("musiclab.models.recurrent.sequence_model.LONGEST", 16)
    parts = split_long(PIECES)
    assert max(map(len, parts)) <= 16
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(PIECES))


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_a_pass_meets_every_piece_once(seed):
    batches = LengthBuckets(PIECES, size=4, seed=seed)
    for _ in range(2):
        met = [row[row[:, 0] >= 0].tobytes() for i in range(len(batches)) for row in batches[i][0]]
        assert sorted(met) == sorted(piece.tobytes() for piece in PIECES)
        batches.on_epoch_end()


def test_batches_are_of_like_length_and_long_ones_are_small():
    batches = LengthBuckets(PIECES, size=6, seed=0)
    for (batch,) in (batches[i] for i in range(len(batches))):
        steps = (batch[..., 0] >= 0).sum(axis=1)
        assert (steps <= 6).all() or (steps > 6).all()
        assert len(batch) <= (6 if steps.max() <= 6 else 1)


def test_shuffling_depends_on_the_seed():
    def passes(seed):
        batches = LengthBuckets(PIECES, size=2, seed=seed)
        first = [list(b) for b in batches.batches]
        batches.on_epoch_end()
        return first, [list(b) for b in batches.batches]

    assert passes(1) == passes(1)
    assert passes(1) != passes(2)
    assert passes(1)[0] != passes(1)[1]
    assert passes(None)[0] == passes(None)[1]


def test_lengths_may_differ_after_two_batches_of_one_length():
    """Keras would take the common length of the first two batches for that of all."""
    pieces = [np.zeros(n) for n in (3, 3, 3, 3, 5)]
    for seed in (None, *range(20)):
        batches = LengthBuckets(pieces, 1, seed)
        lengths = [batches[i][0].shape[1] for i in range(len(batches))]
        assert lengths[0] != lengths[1]
        assert sorted(lengths) == [3, 3, 3, 3, 5]
    assert len(LengthBuckets(pieces[:4], 2, 0)) == 2  # all of one length: nothing to tell apart


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Coin().fit([], verbose=0), "no piece"),
        (lambda: Coin().log_likelihood([]), "no piece"),
        (lambda: pad([np.zeros((2, 3)), np.zeros((2, 4))]), "[Ss]hape"),
        (lambda: LengthBuckets([], 4), "0 pieces"),
        (lambda: LengthBuckets(PIECES, 0), "batches of 0"),
        (lambda: Coin().fit(PIECES, PIECES, verbose=0), "pass no y"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
