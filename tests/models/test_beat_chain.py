"""Markov chain of beats: guidance and bridges by hand and by enumeration, melodies set as dances."""

from itertools import product

import numpy as np
import pytest

from musiclab.data import Piece, load_tunes, to_common_key
from musiclab.models.beat_chain import BeatChain, beats_to_quarters, bridge, guided

JIGS = [to_common_key(t) for t in load_tunes() if t.dance == "jig" and t.time_signature == "6/8"]
MELODY = Piece(np.repeat([72, 74, 76, 74, 72, 71, 72, 72], 4), np.arange(32) % 4 == 0)


def test_guidance_by_hand_and_by_bayes():
    """Eq. (16.11): p(x | c) p(c | x)^w, normalised."""
    told, prior, rng = np.array([0.6, 0.3, 0.1]), 0.25, np.random.default_rng(0)
    other = rng.dirichlet(np.ones(3))
    untold = prior * told + (1 - prior) * other
    posterior = prior * told / untold  # p(c | x)
    for weight in (0.0, 1.0, 2.5):
        right = told * posterior**weight
        ours = np.exp(guided(np.log(told), np.log(untold), weight))
        np.testing.assert_allclose(ours, right / right.sum(), rtol=1e-12)
    np.testing.assert_allclose(
        np.exp(guided(np.log([0.8, 0.2]), np.log([0.5, 0.5]), 1))[0], 16 / 17
    )


@pytest.mark.parametrize("weight", [-1, 8.5, np.nan])
def test_guidance_out_of_range_is_named(weight):
    with pytest.raises(ValueError, match="guidance"):
        guided(np.zeros(2), np.zeros(2), weight)


def test_bridges_are_drawn_with_their_exact_probabilities():
    """Eqs. (16.12), (16.13): frequencies of 4,000 paths against all paths enumerated."""
    rng, T, K = np.random.default_rng(1), 4, 3
    first, p = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), (T - 1, K))
    allowed = np.ones((T, K), bool)
    allowed[2], allowed[3] = [False, True, True], [True, False, False]
    exact = {}
    for path in product(range(K), repeat=T):
        if all(allowed[t, state] for t, state in enumerate(path)):
            moves = np.prod([p[t, path[t], path[t + 1]] for t in range(T - 1)])
            exact[path] = first[path[0]] * moves
    total = sum(exact.values())
    drawn = [tuple(bridge(first, p, allowed, seed).tolist()) for seed in range(4000)]
    for path, chance in exact.items():
        assert drawn.count(path) / 4000 == pytest.approx(chance / total, abs=0.03)
    assert set(drawn) <= set(exact)


def test_a_bridge_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="no path"):
        bridge(np.ones(2), np.ones((1, 2, 2)), np.array([[True, True], [False, False]]), seed=0)


def test_a_melody_stays_on_the_beats_of_its_dance():
    chain = BeatChain(3).fit(JIGS)
    dance = chain.sample(MELODY, seed=0)
    assert (dance.steps, dance.time_signature) == (8 * 6, "6/8")
    np.testing.assert_array_equal(dance.voices[::6], MELODY.voices[::4])
    assert dance.onsets[::6].all()
    assert dance.onsets.sum() > MELODY.onsets.sum()
    np.testing.assert_array_equal(dance.voices, chain.sample(MELODY, seed=0).voices)
    assert (dance.voices != chain.sample(MELODY, seed=1).voices).any()


def test_rows_are_distributions_and_holds_keep_the_pitch():
    chain = BeatChain(3).fit(JIGS[:20])
    np.testing.assert_allclose(np.exp(chain.log_p).sum(axis=2), 1, rtol=1e-9)
    cell = np.arange(chain.log_p.shape[1])
    wrong = (cell % 2 == 0)[None] & (cell[:, None] // 2 != cell[None] // 2)
    assert np.exp(chain.log_p[:, wrong]).max() == 0
    fitted, other = (
        chain.log_likelihood(JIGS[:20]),
        BeatChain(3).fit(JIGS[20:]).log_likelihood(JIGS[:20]),
    )
    assert fitted.sum() > other.sum()


def test_guidance_moves_from_all_dances_to_one():
    jigs, all_dances = BeatChain(3).fit(JIGS[:5]), BeatChain(3).fit(JIGS)
    gain = []
    for weight in (0.0, 3.0):
        made = [jigs.sample(MELODY, seed, all_dances, weight) for seed in range(10)]
        gain.append((jigs.log_likelihood(made) - all_dances.log_likelihood(made)).mean())
    assert gain[1] > gain[0] + 1
    same = jigs.sample(MELODY, 0, all_dances, 0.0)
    np.testing.assert_array_equal(same.voices, jigs.sample(MELODY, 0).voices)


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (Piece([-1] * 8), "at least one note"),
        (Piece([[60, 48]] * 8), "one voice"),
        (Piece([30] * 8), "range"),
    ],
)
def test_melodies_that_cannot_be_set_are_named(piece, words):
    with pytest.raises(ValueError, match=words):
        BeatChain(3).fit(JIGS[:2]).sample(piece, seed=0)


def test_beats_of_another_metre_are_refused():
    with pytest.raises(ValueError, match="2/4"):
        BeatChain(3).fit([Piece([60] * 8, time_signature="2/4")])


def test_beats_become_quarters_in_the_middle_octave():
    tune = Piece(np.repeat(np.arange(84, 84 + 80), 3) % 24 + 72, time_signature="6/8", mode="minor")
    slow = beats_to_quarters(tune, beat=6, quarters=16)
    on_beats = tune.voices[::6, 0][:16].astype(int)
    assert slow.steps == 64
    assert set(slow.voices[::4, 0] - on_beats) == {-12}
    assert (slow.onsets[:, 0] == (np.arange(64) % 4 == 0)).all()
    assert np.flatnonzero(slow.fermatas).tolist() == [28, 60]
    assert (slow.mode, slow.time_signature) == ("minor", "4/4")


def test_a_tune_silent_on_its_beats_is_refused():
    with pytest.raises(ValueError, match="no note sounds on a beat of 6"):
        beats_to_quarters(Piece([-1, 60] * 3, time_signature="6/8"), beat=6)
