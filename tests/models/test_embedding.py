"""Embedding of pieces: planes, contrastive loss, late interaction, pairs, invariance to the key."""

import numpy as np
import pytest
from scipy.special import log_softmax

from musiclab import training
from musiclab.data import Piece, load_chorales, transpose
from musiclab.models import embedding
from musiclab.models.embedding import (
    FRAMES,
    PieceEmbedding,
    WindowPairs,
    held_out_families,
    info_nce,
    late_interaction,
    pitch_planes,
)

CHORALES = load_chorales()[:40]


def unit(shape, seed):
    x = np.random.default_rng(seed).standard_normal(shape).astype("float32")
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_planes_by_hand():
    piece = Piece([[72, 64, 60, 48], [72, 64, 60, 48], [71, 64, 62, -1], [71, 64, 62, -1]])
    planes = pitch_planes(piece)
    assert planes.shape == (2, 12, 6)
    assert np.argwhere(planes[0, :, 0]).ravel().tolist() == [0]
    assert np.argwhere(planes[1, :, 2]).ravel().tolist() == [2, 4]  # inner voices: D and E sound
    assert np.argwhere(planes[1, :, 3]).ravel().tolist() == [2]  # only the D is struck
    assert not planes[1, :, 4:].any()  # the bass rests
    np.testing.assert_array_equal(pitch_planes(piece, (1, 2, 3)), planes[..., 2:])


def test_info_nce_by_hand_and_beside_scipy():
    """Eq. (16.14): two orthogonal pairs give ln(1 + e^-s); any others what SciPy says."""
    eye = np.eye(2, dtype="float32")
    assert float(info_nce(eye, eye, 2.0)) == pytest.approx(np.log(1 + np.exp(-2)), rel=1e-5)
    a, b = unit((7, 5), 0), unit((7, 5), 1)
    logits = 4.0 * a @ b.T
    both = [np.diag(log_softmax(logits, axis=k)).mean() for k in (0, 1)]
    assert float(info_nce(a, b, 4.0)) == pytest.approx(-np.mean(both), rel=1e-5)
    assert info_nce(a, a[::-1].copy(), 4.0) > info_nce(a, a, 4.0)
    same = np.repeat(a[:1], 7, axis=0)
    assert float(info_nce(same, same, 4.0)) == pytest.approx(np.log(7), rel=1e-5)  # guessing


def test_late_interaction_by_hand_and_by_loops():
    """Eq. (16.15): the mean over the query's windows of the best cosine."""
    assert late_interaction(np.eye(2), np.array([[0.6, 0.8]])) == pytest.approx(0.7)
    a, b = unit((3, 4), 0), unit((5, 4), 1)
    slow = sum(max(float(q @ p) for p in b) for q in a) / 3
    assert late_interaction(a, b) == pytest.approx(slow)
    assert late_interaction(a, np.concatenate([b, a])) == pytest.approx(1)


def test_the_key_makes_no_difference_and_the_notes_do():
    model, piece = PieceEmbedding(channels=4, size=8), CHORALES[0]
    ours = model.embed(piece)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.embed(transpose(piece, 3)), ours, atol=1e-5)
    assert model.similarity([piece], [piece]) == pytest.approx(1, abs=1e-5)
    assert np.abs(model.embed(CHORALES[1])[0] - ours[0]).max() > 1e-3


def test_pairs_are_aligned_settings_of_one_melody_and_families_differ():
    pairs = WindowPairs(CHORALES, steps=3, batch=10, hidden=0.0, seed=1)
    assert len(pairs) == 3
    ((a, b),) = pairs[0]
    assert a.shape == b.shape == (10, FRAMES, 12, 6)
    np.testing.assert_array_equal(pairs[0][0][0], a)  # the same seed, the same pairs
    for i, j, shift in pairs.siblings:
        assert CHORALES[i].melody == CHORALES[j].melody
        upper, lower = (np.diff(CHORALES[k].voices[::4, 0].astype(int)) for k in (i, j))
        start = max(0, shift // 2)
        n = min(len(upper) - start, len(lower) - start + shift // 2)
        assert np.mean(upper[start:][:n] == lower[start - shift // 2 :][:n]) > 0.5


def test_a_shifted_melody_is_aligned_by_hand():
    tune = np.array([0, 2, 2, -1, 3, -2, 1, 1, -4, 2, 2, -1, 5, -3, 1, -2, 2, -5, 1, 1])
    assert embedding._best_shift(np.append([7, 7], tune), tune)[1] == 2


def test_training_lowers_the_loss():
    training.set_seed(0)
    model = PieceEmbedding(channels=6, size=8)
    model.compile_default(learning_rate=1e-2)
    pairs = WindowPairs(CHORALES, steps=12, batch=12, seed=0)
    losses = training.train(model, pairs, epochs=3)["loss"]
    assert losses[-1] < losses[0] - 0.1
    assert losses[0] < 1.6 * np.log(12)


def test_held_out_families_have_several_members_and_stay_the_same():
    chorales = load_chorales()
    held_out = held_out_families(chorales)
    assert held_out == held_out_families(chorales) != held_out_families(chorales, seed=4)
    counts = [sum(piece.melody == name for piece in chorales) for name in held_out]
    assert min(counts) > 1
    assert len(held_out) == 21


def test_saving_keeps_the_embedding(tmp_path):
    model = PieceEmbedding((1, 2, 3), channels=3, size=4)
    training.save_model(model, tmp_path / "a.keras")
    other = training.load_model(tmp_path / "a.keras", like=PieceEmbedding((1, 2, 3), 3, 4))
    np.testing.assert_allclose(other.embed(CHORALES[0]), model.embed(CHORALES[0]), atol=1e-6)
