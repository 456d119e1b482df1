"""The counterpoint table: entries by hand, transposition, a slow reference, gradients, its file."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from musiclab.models.recurrent.counterpoint_table import MOTIONS, CounterpointTable


def made(pairs=6, seed=0):
    """A table of random numbers."""
    layer = CounterpointTable(pairs)
    layer.set_weights([np.random.default_rng(seed).normal(size=(pairs, 12, 12, 3))])
    return layer


def reference(table, pair, up, up_now, low, low_now):
    """One entry, as the rule is taught: intervals, then who moves where."""
    if 0 in (up, up_now, low, low_now):
        return 0.0
    moves = {np.sign(up_now - up), np.sign(low_now - low)}
    motion = "oblique" if 0 in moves else "similar" if len(moves) == 1 else "contrary"
    return table[pair, (up - low) % 12, (up_now - low_now) % 12, MOTIONS.index(motion)]


def test_a_move_by_hand():
    # Eq. (8.8) for one voice: G4 over C4 goes to A4 over D4: from a fifth (7) to a fifth, both voices up
    layer = made()
    table = layer.get_weights()[0]
    assert layer.logits(67, 69, 60, 62, 3).numpy() == pytest.approx(table[3, 7, 7, 2])
    # the lower voice falls to A3 instead: an octave (0), contrary
    assert layer.logits(67, 69, 60, 57, 3).numpy() == pytest.approx(table[3, 7, 0, 0])
    # the upper voice stays: oblique, G4 over A3 is a minor seventh (10)
    assert layer.logits(67, 67, 60, 57, 3).numpy() == pytest.approx(table[3, 7, 10, 1])
    # crossed voices: C4 over G4 is a fifth below, 5 modulo 12
    assert layer.logits(60, 62, 67, 69, 3).numpy() == pytest.approx(table[3, 5, 5, 2])


def test_every_move_is_the_reference():
    """Eq. (8.8), one voice after another, against plain Python."""
    layer, values = made(), np.random.default_rng(1)
    table = layer.get_weights()[0]
    moves = values.integers(0, 40, (500, 4))
    pairs = values.integers(0, 6, 500)
    found = layer.logits(*moves.T, pairs).numpy()
    wanted = [reference(table, pair, *move) for pair, move in zip(pairs, moves)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert (moves == 0).any(axis=1).sum() > 20  # silence was among them


def test_a_transposed_move_has_the_same_logit():
    layer, moves = made(), np.random.default_rng(2).integers(20, 60, (4, 300))
    for semitones in (-7, 1, 12):
        np.testing.assert_array_equal(
            layer.logits(*moves, 2), layer.logits(*(moves + semitones), 2)
        )
    assert (
        layer.logits(*moves, 2).numpy() != layer.logits(*moves, 3).numpy()
    ).any()  # a table for each pair


def test_candidates_are_broadcast_in_either_place():
    layer, pitches = made(), np.arange(1, 50)
    up, low, low_now = np.array([[20], [30]]), np.array([[13], [18]]), np.array([[15], [17]])
    forwards = layer.logits(up, pitches, low, low_now, 1).numpy()
    assert forwards.shape == (2, 49)
    np.testing.assert_array_equal(forwards[1, 9], layer.logits(30, 10, 18, 17, 1))
    backwards = layer.logits(pitches, up, low, low_now, 1).numpy()
    np.testing.assert_array_equal(backwards[1, 9], layer.logits(10, 30, 18, 17, 1))


def test_only_entries_that_were_used_have_a_gradient():
    layer = made(2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer.logits([67, 67, 0], [69, 69, 69], [60, 60, 60], [62, 62, 62], 1))
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.table)).numpy()
    assert gradient[1, 7, 7, 2] == 2  # used twice; the third voice came from silence
    assert gradient.sum() == 2


class Moves(keras.Model):
    """The smallest model with a table: logits of moves (B, 4)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.counterpoint = CounterpointTable(3)

    def call(self, x):
        return self.counterpoint.logits(*tf.unstack(x, axis=1), 2)


def test_it_starts_without_preferences_learns_and_is_stored(tmp_path):
    model, moves = Moves(), np.random.default_rng(4).integers(1, 40, (20, 4))
    assert not model(moves).numpy().any()
    assert len(model.trainable_variables) == 1
    model.compile("adam", "mse")
    model.fit(moves, np.ones(20), epochs=2, verbose=0)
    assert (model(moves).numpy() > 0).all()
    model.save_weights(tmp_path / "a.weights.h5")
    again = Moves()
    again(moves)
    again.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(again(moves), model(moves))
    assert CounterpointTable.from_config(CounterpointTable(3).get_config()).pairs == 3


@pytest.mark.parametrize("pairs", [0, -1, 1.5, True, "6"])
def test_a_bad_number_of_pairs_is_explained(pairs):
    with pytest.raises(ValueError, match="pairs of voices: need a positive integer"):
        CounterpointTable(pairs)
