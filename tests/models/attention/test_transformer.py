"""The Transformer of four voices: its probabilities, its cache, its excerpts, its file."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.data import excerpt, load_chorales, to_common_key
from musiclab.data.encodings.conditioning import conditioning_features
from musiclab.data.encodings.tokens import decode_tokens
from musiclab.data.piece import Piece
from musiclab.models.attention.transformer import (
    RandomExcerpts,
    VoiceTransformer,
    sample_without_cache,
)
from musiclab.models.recurrent.sequence_model import LONGEST
from musiclab.training import set_seed

CHORALES = [to_common_key(chorale) for chorale in load_chorales("valid", by="melody")[:3]]
SHORT = [excerpt(chorale, 0, 24) for chorale in CHORALES]


def model(seed=0, **settings):
    """Random weights large enough that nothing is nearly uniform."""
    set_seed(seed)
    small = {"units": 8, "heads": 2, "layers": 2, "hidden": 8, "steps": 8, "low": 31, "high": 86}
    made = VoiceTransformer(**{**small, **settings})
    values = np.random.default_rng(seed)
    made.set_weights(
        [1.5 * values.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made


def test_probabilities_of_all_pieces_sum_to_one():
    """Eq. (15.11): the chain rule over voices and steps, with two pitches so that all can be listed."""
    made, firsts = model(low=60, high=61), itertools.product((0, 2, 3), repeat=4)
    pieces = [decode_tokens(np.array([first]), 60, 61) for first in firsts]
    assert sum(np.exp(s.sum()) for s in made.log_likelihood(pieces)) == pytest.approx(1, abs=1e-4)
    start, seconds = np.array([[2, 0, 3, 2]]), itertools.product((0, 1, 2, 3), repeat=4)
    seconds = [np.array([second]) for second in seconds if second[1] != 1]
    pieces = [decode_tokens(np.concatenate([start, second]), 60, 61) for second in seconds]
    assert sum(np.exp(s[1]) for s in made.log_likelihood(pieces)) == pytest.approx(1, abs=1e-4)


def test_no_step_knows_its_notes_or_what_comes():
    made, piece = model(steps=16), CHORALES[0]
    voices, onsets = piece.voices.copy(), piece.onsets.copy()
    voices[20:], onsets[20:] = 60, True
    changed = made.log_likelihood([piece.with_(voices=voices, onsets=onsets)])[0]
    before = made.log_likelihood([piece])[0]
    np.testing.assert_allclose(changed[:20], before[:20], rtol=1e-4, atol=1e-4)
    assert (abs(changed[20:24] - before[20:24]) > 1e-3).all()


def test_padding_changes_nothing():
    made = model()
    together = made.log_likelihood([SHORT[0], CHORALES[1]])
    np.testing.assert_allclose(together[0], made.log_likelihood([SHORT[0]])[0], atol=1e-4)


def test_a_long_piece_is_scored_in_parts_as_it_is_whole():
    made, piece = model(), max(load_chorales("valid"), key=lambda one: one.steps)
    x = made.encode(to_common_key(piece))
    assert len(x) > 2 * LONGEST
    (in_parts,) = made.log_likelihood([to_common_key(piece)])
    np.testing.assert_allclose(in_parts, made(x[None]).numpy()[0], rtol=1e-4, atol=1e-4)


def test_the_last_phrase_matters():
    made, piece = model(), CHORALES[1]
    x = made.encode(piece)
    never = np.where(np.arange(x.shape[1]) == x.shape[1] - 1, 20, x)
    assert (abs(made(never[None]) - made(x[None])).numpy()[0, -8:] > 1e-3).all()


def test_with_a_cache_the_same_tokens_are_drawn():
    # the window, 8 steps, is shorter than the pieces, 24: old keys fall out of the cache
    made = model()
    cached = made.sample(SHORT, seed=3)
    for piece, plan in zip(cached, SHORT):
        again = sample_without_cache(made, plan, seed=3)
        first = made.sample(plan, seed=3)[0]
        np.testing.assert_array_equal(again.voices, first.voices)
        np.testing.assert_array_equal(again.onsets, first.onsets)
        assert piece.voices.shape == plan.voices.shape
    assert len(np.unique(cached[0].voices)) > 8


def test_what_is_drawn_is_what_was_said():
    made, n = model(low=60, high=61), 4000
    one = Piece(np.full((1, 4), 60))
    metre = tf.constant(np.stack([conditioning_features(one)] * n))
    drawn = made._generate(metre, tf.constant([3, 0]), tf.constant(1.0)).numpy()[:, 0]
    firsts = list(itertools.product((0, 2, 3), repeat=4))
    scores = made.log_likelihood([decode_tokens(np.array([f]), 60, 61) for f in firsts])
    wanted = n * np.exp([s[0] for s in scores])
    counts = np.array([(drawn == f).all(axis=1).sum() for f in firsts])
    common = wanted > 5
    wanted = counts[common].sum() * wanted[common] / wanted[common].sum()
    assert counts.sum() == n
    assert chisquare(counts[common], wanted).pvalue > 0.001


def test_maps_are_causal_and_sum_to_one():
    maps = model().maps(SHORT[0])
    assert maps.shape == (2, 2, 96, 96)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-4)
    assert (maps[..., *np.triu_indices(96, 1)] == 0).all()
    assert (maps[..., 50, :18] == 0).all()  # 32 tokens: 8 steps of four voices
    assert (maps[..., 50, 19:51] > 0).all()
    np.testing.assert_allclose(model().maps(SHORT[0], 10), maps[..., :40, :40], atol=1e-6)


def test_excerpts_come_from_everywhere_and_are_padded():
    batches = RandomExcerpts([np.arange(40)[:, None], np.arange(100, 105)[:, None]], 8, 4, seed=0)
    assert len(batches) == 2
    seen = np.concatenate([batches[0][0] for _ in range(200)])
    assert seen.shape == (800, 8, 1)
    short = seen[seen[:, 0, 0] >= 100][..., 0]
    assert (short == [100, 101, 102, 103, 104, -1, -1, -1]).all()
    counts = np.bincount(seen[seen[:, 0, 0] < 100].ravel(), minlength=40)
    assert counts.min() > 0.6 * counts.mean()
    assert (np.diff(seen[seen[:, 0, 0] < 100][..., 0]) == 1).all()


@pytest.mark.slow
def test_it_learns_a_piece_by_heart():
    set_seed(0)
    piece = Piece(np.repeat([[72, 67, 64, 48], [71, 67, 62, 43]] * 4, 4, axis=0))
    made = VoiceTransformer(units=16, heads=2, layers=1, steps=32, low=40, high=76, dropout=0.0)
    made.compile_default(learning_rate=2e-2)
    made.fit([piece] * 8, epochs=60, batch_size=2, verbose=0)
    assert -made.log_likelihood([piece])[0].mean() < 0.5
    drawn = made.sample(piece, seed=0, temperature=0.1)[0]
    np.testing.assert_array_equal(drawn.voices, piece.voices)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    made = model()
    made.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.get_config() == made.get_config()
    scores = [one.log_likelihood(SHORT[:1])[0] for one in (made, again)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: VoiceTransformer(units=9, heads=2), "9 units, 2 heads"),
        (lambda: VoiceTransformer(steps=0), "0 steps"),
        (lambda: VoiceTransformer(layers=0), "0 layers"),
        (lambda: VoiceTransformer(low=84, high=36), "pitches 84-36"),
        (lambda: model().fit([], verbose=0), "no piece"),
        (lambda: model().log_likelihood([Piece(np.full((8, 2), 60))]), "found 2 voices"),
        (lambda: model().sample([], seed=0), "no form"),
        (lambda: model().sample(CHORALES, seed=0, temperature=0), "temperature 0"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
