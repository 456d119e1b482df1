"""The four-voice model: its probabilities, its steps, its writing, its file."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from musiclab.data import load_chorales, to_common_key
from musiclab.data.encodings.conditioning import (
    conditioning_features,
    last_phrase,
    next_sounding,
)
from musiclab.data.encodings.tokens import decode_tokens
from musiclab.data.piece import Piece
from musiclab.metrics import parallel_perfects
from musiclab.models.recurrent.four_voices import FourVoices
from musiclab.training import set_seed

PAST = ("sounding", "age")
CHORALES = [to_common_key(chorale) for chorale in load_chorales("valid", by="melody")[:4]]


def model(seed=0, **settings):
    """Random weights large enough that nothing is nearly uniform."""
    set_seed(seed)
    made = FourVoices(**{"units": 6, "hidden": 8, "low": 36, "high": 84, **settings})
    values = np.random.default_rng(seed)
    made.set_weights(
        [1.5 * values.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made


def test_probabilities_of_all_pieces_sum_to_one():
    # two pitches: a voice rests, holds or strikes one of two; in the first step there is nothing
    # to hold
    made = model(low=60, high=61)
    pieces = []
    for first in itertools.product((0, 2, 3), repeat=4):
        pieces.append(decode_tokens(np.array([first]), 60, 61))
    assert sum(np.exp(s.sum()) for s in made.log_likelihood(pieces)) == pytest.approx(1, abs=1e-4)
    start = np.array([[2, 0, 3, 2]])
    seconds = [
        np.array(second) for second in itertools.product((0, 1, 2, 3), repeat=4) if second[1] != 1
    ]
    pieces = [decode_tokens(np.concatenate([start, second[None]]), 60, 61) for second in seconds]
    assert sum(np.exp(s[1]) for s in made.log_likelihood(pieces)) == pytest.approx(1, abs=1e-4)


def test_step_by_step_is_all_at_once():
    made, piece = model(), CHORALES[0]
    x = made.encode(piece)[:12]
    silence = np.zeros((1, 4), np.int32)
    state = {"recurrent": made.recurrent.initial_state(1), "sounding": silence, "age": silence}
    nats = []
    for row in x:
        told = made._features(state["sounding"], state["age"], row[None, 12:])
        np.testing.assert_array_equal(state["sounding"][0], row[4:8])
        np.testing.assert_array_equal(state["age"][0], row[8:12])
        h, recurrent = made.recurrent.step(told, state["recurrent"])
        known = made.from_context(tf.concat([h, told], axis=-1))
        total = 0.0
        for voice in (0, 3, 1, 2):
            logits = made._logits(voice, known, row[None, :4], state["sounding"])
            logits = logits[0].numpy().astype(float)
            total += logits[row[voice]] - np.log(np.exp(logits).sum())
            known += made._from_voice(voice, row[None, :4], state["sounding"])
        nats.append(total)
        # a step drawn from this state goes on from the same hidden state and from what it drew
        tokens, after = made._step(
            state, 0, row[None, 12:], (0, 0), temperature=1.0, parallels=True
        )
        np.testing.assert_array_equal(after["recurrent"][0][0], recurrent[0][0])
        drawn = next_sounding(np.asarray(tokens), *(np.asarray(state[k]) for k in PAST))
        np.testing.assert_array_equal([after[k] for k in PAST], drawn)
        sounding, age = next_sounding(row[None, :4], *(np.asarray(state[k]) for k in PAST))
        state = {"recurrent": recurrent, "sounding": sounding, "age": age}
    np.testing.assert_allclose(made.log_likelihood([piece])[0][:12], nats, rtol=1e-3, atol=1e-3)


def test_no_step_knows_its_notes_or_what_comes():
    made, piece = model(), CHORALES[0]
    voices, onsets = piece.voices.copy(), piece.onsets.copy()
    voices[20:], onsets[20:] = 60, True
    changed, before = (
        made.log_likelihood([piece.with_(voices=voices, onsets=onsets)])[0],
        made.log_likelihood([piece])[0],
    )
    np.testing.assert_allclose(changed[:20], before[:20], rtol=1e-4, atol=1e-4)
    assert (abs(changed[20:24] - before[20:24]) > 1e-3).all()


def test_the_form_matters():
    made, piece = model(), CHORALES[0]
    moved = made.log_likelihood([piece.with_(fermatas=~piece.fermatas)])[0]
    assert abs(moved - made.log_likelihood([piece])[0]).max() > 1e-3


def test_what_is_drawn_is_what_was_said():
    made, n = model(low=60, high=61), 4000
    one = Piece(np.full((1, 4), 60))
    drawn = made._generate(*_arguments(made, [one] * n, seed=3)).numpy()[:, 0]
    firsts = list(itertools.product((0, 2, 3), repeat=4))
    wanted = np.exp(
        [s[0] for s in made.log_likelihood([decode_tokens(np.array([f]), 60, 61) for f in firsts])]
    )
    counts = np.array([(drawn == f).all(axis=1).sum() for f in firsts])
    assert counts.sum() == n
    common = n * wanted > 5
    assert (
        chisquare(
            counts[common], counts[common].sum() * wanted[common] / wanted[common].sum()
        ).pvalue
        > 0.001
    )


def _arguments(made, forms, seed):
    plans = np.stack([conditioning_features(piece) for piece in forms])
    return (
        tf.constant(plans),
        tf.constant([seed, 0]),
        tf.constant(1.0),
    )


def test_pieces_are_written_on_their_forms():
    made = model()
    pieces = made.sample(CHORALES, seed=5)
    for piece, plan in zip(pieces, CHORALES):
        assert piece.voices.shape == plan.voices.shape
        np.testing.assert_array_equal(piece.fermatas, plan.fermatas)
        assert piece.time_signature == plan.time_signature
        sounding = piece.voices[piece.voices >= 0]
        assert sounding.min() >= 36
        assert sounding.max() <= 84
    again, other = made.sample(CHORALES, seed=5), made.sample(CHORALES, seed=6)
    np.testing.assert_array_equal(again[1].voices, pieces[1].voices)
    assert (other[1].voices != pieces[1].voices).any()


def test_the_last_phrase_matters():
    made, piece = model(), CHORALES[1]
    x = made.encode(piece)
    closing = last_phrase(piece)
    assert 0 < closing.mean() < 1
    never = np.where(np.arange(x.shape[1]) == x.shape[1] - 1, 20, x)
    differs = abs(made(never[None]) - made(x[None])).numpy()[0] > 1e-3
    assert not differs[~closing].any()
    assert differs[closing].mean() > 0.9


def test_the_table_alone_decides_where_all_else_is_zero():
    """Eq. (8.8) by hand, over all pairs of voices."""
    made, values = model(low=60, high=71), np.random.default_rng(9)
    made.set_weights([np.zeros_like(w) for w in made.get_weights()])
    table = values.normal(size=(6, 12, 12, 3)).astype(np.float32)
    made.counterpoint.set_weights([table])
    tokens = values.integers(2, 14, (2, 4))  # all voices strike, and strike again
    before, now = tokens + 58
    wanted = np.log(1 / 13**4)  # the first step: a rest or 12 pitches, nothing to hold or compare
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    nats = 0.0
    for voice, others in ((0, ()), (3, (0,)), (1, (0, 3)), (2, (0, 3, 1))):
        logits = np.zeros(14)  # a rest, a hold, 12 pitches
        for token in range(1, 14):
            pitch = before[voice] if token == 1 else token + 58
            for other in others:
                a, b = sorted((voice, other))
                here = {voice: pitch, other: now[other]}
                was, would = (before[a] - before[b]) % 12, (here[a] - here[b]) % 12
                motion = np.sign((here[a] - before[a]) * (here[b] - before[b])) + 1
                logits[token] += table[pairs.index((a, b)), was, would, motion]
        nats += logits[tokens[1, voice]] - np.log(np.exp(logits).sum())
    found = made.log_likelihood([decode_tokens(tokens, 60, 71)])[0]
    np.testing.assert_allclose(found, [wanted, nats], rtol=1e-4)


def test_the_graph_draws_what_the_loop_draws():
    made, plan = model(), CHORALES[0]
    short = [
        plan.with_(
            **{
                n: getattr(plan, n)[:9]
                for n in ("voices", "onsets", "spelling", "downbeats", "beat", "fermatas")
            }
        )
    ] * 3
    by_hand = made._generate(*_arguments(made, short, seed=7)).numpy()
    for tokens, piece in zip(by_hand, made.sample(short, seed=7)):
        np.testing.assert_array_equal(decode_tokens(tokens, 36, 84).voices, piece.voices)


def test_parallels_are_forbidden_on_request():
    made = model()
    free, strict = (made.sample(CHORALES, seed=1, parallels=allowed) for allowed in (True, False))
    assert parallel_perfects(free) > 1  # there was something to forbid
    assert parallel_perfects(strict) < 0.05 * parallel_perfects(
        free
    )  # one across a rest may remain
    np.testing.assert_array_equal(strict[0].voices[0], free[0].voices[0])  # the dice are the same


@pytest.mark.slow
def test_it_learns_a_piece_by_heart():
    set_seed(0)
    piece = Piece(np.repeat([[72, 67, 64, 48], [71, 67, 62, 43]] * 4, 4, axis=0))
    made = FourVoices(units=16, hidden=24, low=40, high=76, dropout=0.1)
    made.fit([piece] * 4, epochs=60, batch_size=2, verbose=0)
    assert -made.log_likelihood([piece])[0].mean() < 0.5
    np.testing.assert_array_equal(
        made.sample(piece, seed=0, temperature=0.1)[0].voices, piece.voices
    )


def test_saved_and_loaded_it_is_the_same(tmp_path):
    made = model(dropout=0.2)
    made.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.get_config() == made.get_config()
    np.testing.assert_array_equal(
        again.log_likelihood(CHORALES[:1])[0], made.log_likelihood(CHORALES[:1])[0]
    )


TWO = Piece(np.full((8, 2), 60))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: FourVoices(units=0), "0 units"),
        (lambda: FourVoices(hidden=0), "positive integer"),
        (lambda: FourVoices(low=84, high=36), "pitches 84-36"),
        (lambda: model().fit([], verbose=0), "no piece"),
        (lambda: model().fit([TWO], verbose=0), "need pieces of 4 voices, found 2 voices"),
        (lambda: model().log_likelihood([np.zeros((3, 4))]), "found ndarray"),
        (lambda: model(high=60).log_likelihood(CHORALES), "outside 36-60"),
        (lambda: model().sample([], seed=0), "no form"),
        (lambda: model().sample(CHORALES, seed=0, temperature=0), "temperature 0"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
