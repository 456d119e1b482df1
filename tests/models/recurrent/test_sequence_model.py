"""The training recipe, on a model small enough to know everything about."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.metrics.likelihood import nll_per_frame
from musiclab.models.recurrent.sequence_model import SequenceModel
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
        self.recipe(learning_rate, weight_decay=0.0)

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
    monkeypatch.setattr("musiclab.models.recurrent.sequence_model.FRAMES", 50)
    model = Coin()
    model.logit.assign(1.0)
    scored = model.log_likelihood(PIECES)
    for scores, piece in zip(scored, PIECES):
        expected = np.log(np.where(piece[:, 0] == 1, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))))
        np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert {s.dtype for s in scored} == {np.dtype(np.float64)}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Coin().fit([], verbose=0), "no piece"),
        (lambda: Coin().log_likelihood([]), "no piece"),
        (lambda: Coin().fit(PIECES, PIECES, verbose=0), "pass no y"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
