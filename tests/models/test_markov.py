"""Markov chains: counts by hand, distributions that are some, and what leaking melodies do."""

import functools
import itertools
import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musiclab.data import load_chorales, melody_to_symbols, symbols_to_melody, to_common_key
from musiclab.models.markov import END, UNKNOWN, MarkovChain

MELODIES = [list("abab"), list("abc"), list("a")]
words = st.lists(st.lists(st.sampled_from("abc"), max_size=8), min_size=1, max_size=6)


@functools.cache
def sopranos(split, by):
    return [melody_to_symbols(to_common_key(chorale)) for chorale in load_chorales(split, by=by)]


def estimate(melodies, order, smoothing, before, symbol, n_symbols):
    """The recursion in exact fractions, counting substrings afresh each time."""
    if order < 0:
        return Fraction(1, n_symbols)
    shorter = estimate(melodies, order - 1, smoothing, before, symbol, n_symbols)
    context = (["<"] * order + list(before))[len(before) :] if order else []
    heard = followed = 0
    for melody in melodies:
        padded = ["<"] * order + list(melody) + [END]
        for i in range(order, len(padded)):
            if padded[i - order : i] == context:
                heard += 1
                followed += padded[i] == symbol
    return (followed + smoothing * shorter) / (heard + smoothing)


def test_probabilities_by_hand():
    """Eq. (2.1): a was followed by b three times of four, by the end once; K = a, b, c, end, unknown."""
    chain = MarkovChain(order=1, smoothing=2).fit(MELODIES)
    # 4 a, 3 b, 1 c and 3 ends are 11 symbols
    below = [
        (4 + 2 / 5) / 13,
        (3 + 2 / 5) / 13,
        (1 + 2 / 5) / 13,
        (3 + 2 / 5) / 13,
        (0 + 2 / 5) / 13,
    ]
    expected = [(count + 2 * p) / (4 + 2) for count, p in zip([0, 3, 0, 1, 0], below)]
    assert chain.symbols == ["a", "b", "c", END, UNKNOWN]
    probs = chain.probabilities(["b", "a"])
    assert (probs.shape, probs.dtype) == ((5,), np.float64)
    np.testing.assert_allclose(probs, expected)


@given(words, st.integers(0, 3), st.integers(1, 20), st.text("abcz", max_size=4))
@settings(max_examples=40, deadline=None)
def test_probabilities_are_the_recursion_in_exact_fractions(melodies, order, smoothing, before):
    """Eq. (2.1)"""
    chain = MarkovChain(order, smoothing).fit(melodies)
    probs = chain.probabilities(list(before))
    assert probs.sum() == pytest.approx(1)
    for p, symbol in zip(probs, chain.symbols):
        exact = estimate(melodies, order, Fraction(smoothing), before, symbol, len(chain.symbols))
        assert p == pytest.approx(float(exact), rel=1e-12)


def test_without_smoothing_it_is_the_plain_share_and_the_unheard_is_impossible():
    chain = MarkovChain(order=1, smoothing=0).fit(MELODIES)
    np.testing.assert_allclose(chain.probabilities(["a"]), [0, 3 / 4, 0, 1 / 4, 0])
    assert chain.log_likelihood([list("ac")])[0] == -math.inf
    assert chain.nll([list("ac")]) == math.inf
    assert chain.nll(MELODIES) < math.inf


def test_strong_smoothing_forgets_the_context():
    even = MarkovChain(order=2, smoothing=1e9).fit(MELODIES).probabilities(["a"])
    np.testing.assert_allclose(even, 1 / 5, rtol=1e-6)


def test_log_likelihood_by_hand():
    """Eq. (2.2): with order 0 and no smoothing, symbols are independent: 4 a, 3 b, 1 c, 3 ends of 11."""
    chain = MarkovChain(order=0, smoothing=0).fit(MELODIES)
    ll = chain.log_likelihood([list("ab"), []])
    assert (ll.shape, ll.dtype) == ((2,), np.float64)
    np.testing.assert_allclose(ll, [math.log(4 * 3 * 3 / 11**3), math.log(3 / 11)])


def test_log_likelihood_multiplies_what_probabilities_says():
    """Eq. (2.2)"""
    chain = MarkovChain(order=2, smoothing=3).fit(MELODIES)
    melody = list("abcba")
    product = 1.0
    for i, symbol in enumerate([*melody, END]):
        product *= chain.probabilities(melody[:i])[chain.symbols.index(symbol)]
    assert chain.log_likelihood([melody])[0] == pytest.approx(math.log(product))


def test_all_melodies_together_have_probability_one():
    """Every melody of up to three symbols enumerated, and what is left is the chance to be longer."""
    chain = MarkovChain(order=2, smoothing=1).fit(MELODIES)
    alphabet = [s for s in chain.symbols if s not in (END, UNKNOWN)] + ["never heard"]
    total = sum(
        math.exp(chain.log_likelihood([list(melody)])[0])
        for length in range(4)
        for melody in itertools.product(alphabet, repeat=length)
    )
    longer = 0.0
    for melody in itertools.product(alphabet, repeat=3):
        alive = math.exp(chain.log_likelihood([list(melody)])[0])
        end = chain.probabilities(list(melody))[chain.symbols.index(END)]
        longer += alive / end * (1 - end)
    assert total + longer == pytest.approx(1)
    assert 0.5 < total < 1


def test_nll_is_pooled_over_notes():
    """Eq. (2.3): one average over all notes and ends, not an average of averages."""
    chain = MarkovChain(order=1, smoothing=1).fit(MELODIES)
    sequences = [list("abababab"), []]
    ll = chain.log_likelihood(sequences)
    assert chain.nll(sequences) == pytest.approx(-(ll[0] + ll[1]) / (9 + 1))
    assert chain.nll(sequences) != pytest.approx(-(ll[0] / 9 + ll[1] / 1) / 2)


def test_perplexity_of_equally_likely_notes_is_their_number():
    """Eq. (2.4): four symbols, equally often, and no end worth mentioning."""
    chain = MarkovChain(order=0, smoothing=0).fit([list("abcd") * 5000])
    assert chain.perplexity([list("abcdcbad")[:7] * 3000]) == pytest.approx(4, rel=2e-3)


def test_perplexity_is_the_exponential_of_nll():
    """Eq. (2.4)"""
    chain = MarkovChain(order=2, smoothing=2).fit(MELODIES)
    assert chain.perplexity(MELODIES) == pytest.approx(math.exp(chain.nll(MELODIES)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_sampled_shares_are_the_tempered_probabilities(temperature):
    """Eq. (2.5): shares of first symbols against p ** (1 / temperature), made to sum to 1."""
    chain = MarkovChain(order=1, smoothing=2).fit([*MELODIES, list("bb"), list("c"), []])
    firsts = [
        melody[0] if melody else END
        for melody in chain.sample(4000, seed=1, temperature=temperature)
    ]
    p = chain.probabilities()[:-1] ** (1 / temperature)
    p /= p.sum()
    shares = np.array([firsts.count(symbol) for symbol in chain.symbols[:-1]]) / 4000
    np.testing.assert_allclose(shares, p, atol=4 * math.sqrt(0.25 / 4000))
    assert p.max() - p.min() > 0.1


def test_low_temperature_takes_the_likeliest_and_high_takes_any():
    chain = MarkovChain(order=1, smoothing=0).fit([list("ab")] * 9 + [list("ac")])
    assert {"".join(m) for m in chain.sample(50, seed=2, temperature=0.05)} == {"ab"}
    share = sum(m == ["a", "c"] for m in chain.sample(400, seed=2, temperature=1000.0)) / 400
    assert share == pytest.approx(0.5, abs=0.1)


def test_samples_depend_on_the_seed_alone_hold_heard_symbols_and_end():
    chain = MarkovChain(order=2, smoothing=5).fit(MELODIES)
    melodies = chain.sample(200, seed=3)
    assert melodies == chain.sample(200, seed=3)
    assert melodies != chain.sample(200, seed=4)
    assert {symbol for melody in melodies for symbol in melody} == {"a", "b", "c"}
    assert max(map(len, chain.sample(200, seed=3, max_length=2))) == 2


def test_a_high_order_without_smoothing_only_repeats_what_it_heard():
    melodies = sopranos("train", "melody")[:40]
    chain = MarkovChain(order=60, smoothing=0).fit(melodies)
    for melody in chain.sample(5, seed=0, max_length=1000):
        assert melody in melodies


def test_order_zero_ignores_what_came_before():
    chain = MarkovChain(order=0).fit(MELODIES)
    np.testing.assert_array_equal(chain.probabilities(list("ab")), chain.probabilities([]))
    assert chain.nll([list("ab")]) == chain.nll([list("ba")])


def test_melodies_that_leak_reward_a_long_memory_and_clean_ones_a_short_one():
    curves = {}
    for by in ("benchmark", "melody"):
        chains = [MarkovChain(order).fit(sopranos("train", by)) for order in range(9)]
        curves[by] = [chain.nll(sopranos("test", by)) for chain in chains]
    assert np.argmin(curves["benchmark"]) >= 6
    assert np.argmin(curves["melody"]) <= 3
    assert curves["benchmark"][8] < curves["benchmark"][2] - 0.1
    assert curves["melody"][8] > curves["melody"][2] + 0.05


def test_nine_orders_and_a_hundred_melodies_are_quick():
    train, test = sopranos("train", "melody"), sopranos("test", "melody")
    start = time.process_time()
    chains = [MarkovChain(order).fit(train) for order in range(9)]
    assert all(chain.nll(test) > 0 for chain in chains)
    assert time.process_time() - start < 8
    start = time.process_time()
    melodies = chains[3].sample(100, seed=0)
    assert time.process_time() - start < 2
    pieces = [symbols_to_melody(melody) for melody in melodies if melody]
    assert 20 < np.median([len(melody) for melody in melodies]) < 80
    assert all(piece.voices.shape[1] == 1 for piece in pieces)


def test_what_makes_no_chain_is_refused():
    with pytest.raises(ValueError, match="order -1"):
        MarkovChain(order=-1)
    with pytest.raises(ValueError, match=r"order 1\.5"):
        MarkovChain(order=1.5)
    with pytest.raises(ValueError, match="smoothing nan"):
        MarkovChain(smoothing=math.nan)
    for ask in ("probabilities", "log_likelihood", "nll", "perplexity"):
        with pytest.raises(ValueError, match="call fit"):
            getattr(MarkovChain(), ask)([["a"]])
    with pytest.raises(ValueError, match="call fit"):
        MarkovChain().sample(1, seed=0)


def test_sequences_that_are_none_are_refused():
    with pytest.raises(ValueError, match="no sequence"):
        MarkovChain().fit([])
    with pytest.raises(ValueError, match=r"found \(60, 4\) instead of a melody"):
        MarkovChain().fit([(60, 4), (62, 4)])
    with pytest.raises(ValueError, match="are not notes"):
        MarkovChain().fit([["a", END]])
    chain = MarkovChain().fit(MELODIES)
    with pytest.raises(ValueError, match="temperature 0"):
        chain.sample(1, seed=0, temperature=0)
    with pytest.raises(ValueError, match="n=0"):
        chain.sample(0, seed=0)
