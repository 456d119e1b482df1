"""Hard cases are what they say, are counted, and trip the mistakes that they are made for."""

import numpy as np
import pytest

from musiclab.checks import NotYet, hard_cases

RNG = np.random.default_rng(3)


def stable(z):
    exps = np.exp(z - z.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True)


MISTAKES = {
    "no shift": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    "the maximum of the whole array": lambda z: (
        np.exp(z - z.max()) / np.exp(z - z.max()).sum(axis=1, keepdims=True)
    ),
    "the mean in place of the maximum": lambda z: (
        np.exp(z - z.mean(axis=1, keepdims=True))
        / np.exp(z - z.mean(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
    ),
    "clipped": lambda z: stable(np.clip(z, -30, 30)),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_logits_trip_each_unstable_softmax(mistake):
    with np.errstate(all="ignore"):
        wrong = [
            name
            for name, z in hard_cases.logits(np.random.default_rng(0), 3, 4)
            if not np.allclose(mistake(z), stable(z))
        ]
    assert wrong
    assert all(np.isfinite(stable(z)).all() for _, z in hard_cases.logits(RNG, 2, 3))


def test_probabilities_sum_to_one_and_some_are_zero():
    cases = dict(hard_cases.probs(RNG, 5, 4))
    assert all(np.allclose(p.sum(axis=1), 1) and (p >= 0).all() for p in cases.values())
    assert (cases["probabilities with zeros"] == 0).any()
    assert set(np.unique(cases["one sure symbol"])) == {0, 1}


def test_log_probs_rolls_tokens_lengths_seeds():
    logs = [one for _, one in hard_cases.log_probs(RNG, 6)]
    assert all(one.shape == (6,) and (one <= 0).all() for one in logs)
    assert any(np.isneginf(one).any() for one in logs)
    assert all((np.exp(one) == 0).all() for one in logs[1:2])
    kinds = {roll.dtype.kind for _, roll in hard_cases.rolls(RNG, 8, 5)}
    assert kinds == {"u", "b", "f"}
    assert all(t.min() >= 0 and t.max() < 9 for _, t in hard_cases.tokens(RNG, 30, 9))
    assert [n for _, n in hard_cases.lengths(40)] == [1, 2, 7, 40]
    assert [seed for _, seed in hard_cases.seeds()] == [0, 1, 2**31 - 1]


def test_the_same_numbers_as_other_arrays():
    x, n = RNG.normal(size=(3, 4)), np.arange(3)
    cases = dict(hard_cases.as_given(x, n))
    for given_x, given_n in cases.values():
        np.testing.assert_allclose(given_x, x, rtol=1e-6)
        np.testing.assert_array_equal(given_n, n)
    assert cases["float32"][0].dtype == np.float32
    assert not cases["read-only arrays"][0].flags.writeable
    assert cases["arrays in Fortran's order"][0].flags.f_contiguous
    assert not cases["views of larger arrays"][0].flags.c_contiguous


def test_an_order_that_hangs_on_the_hash_seed_is_seen():
    names = [f"name {i}" for i in range(12)]
    orders = {tuple(set(given)) for _, given in hard_cases.hash_orders(names)}
    assert len(orders) > 1
    assert all(sorted(set(given)) == sorted(names) for _, given in hard_cases.hash_orders(names))
    assert all(given == names for _, given in hard_cases.hash_orders(names))


def test_an_argument_handed_back_is_refused():
    given = [np.ones(3), np.zeros(2)]
    with pytest.raises(NotYet, match="hands back an array that it was given"):
        hard_cases.fresh(lambda gradients: gradients, given)
    with pytest.raises(NotYet, match="hands back"):
        hard_cases.fresh(lambda gradients: [g[:1] for g in gradients], given)
    assert len(hard_cases.fresh(lambda gradients: [1 * g for g in gradients], given)) == 2


def test_what_was_tried_is_counted():
    hard_cases.tried.clear()
    list(hard_cases.seeds())
    list(hard_cases.logits(RNG, 1, 2))
    hard_cases.fresh(np.copy, np.ones(2))
    assert hard_cases.tried == {"seeds": 3, "logits": 7, "fresh": 1}
