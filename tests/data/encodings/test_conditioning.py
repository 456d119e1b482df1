"""The form of a piece, what sounds before each step, and tokens written back on a form."""

import numpy as np
import pytest

from musiclab.data import encode_tokens, load_chorales, to_common_key
from musiclab.data.encodings.conditioning import (
    FEATURE_SIZES,
    conditioning_features,
    last_phrase,
    next_sounding,
    sounding_and_age,
    tokens_to_piece,
)
from musiclab.data.piece import REST, Piece

CHORALES = [to_common_key(chorale) for chorale in load_chorales("valid", by="melody")[:8]]
OF_PHRASES = [chorale for chorale in CHORALES if chorale.fermatas.sum() > 1]


def test_form_by_hand():
    fermatas = np.zeros(24, bool)
    fermatas[20] = True
    plan = conditioning_features(
        Piece(np.full((24, 4), 60), fermatas=fermatas, pickup=4, mode="minor")
    )
    assert plan[:8, 0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert plan[[0, 4, 8, 20], 1].tolist() == [3, 0, 1, 0]  # the pickup is the end of a bar
    assert np.flatnonzero(plan[:, 2]).tolist() == [4, 20]
    assert np.flatnonzero(plan[:, 3]).tolist() == [20]
    assert plan[[0, 4, 5, 18, 19, 20, 21], 4].tolist() == [8, 8, 7, 1, 0, 0, 9]
    assert (plan[:, 5] == 1).all()
    np.testing.assert_array_equal(plan[:, 6], plan[:, 4] + 10)  # the last phrase, in minor


@pytest.mark.parametrize("chorale", CHORALES, ids=lambda c: c.bwv)
def test_form_stays_within_its_sizes_and_ignores_the_notes(chorale):
    plan = conditioning_features(chorale)
    assert plan.dtype == np.int32
    assert plan.shape == (chorale.steps, 7)
    assert (plan >= 0).all()
    assert (plan < FEATURE_SIZES).all()
    silent = chorale.with_(
        voices=np.full_like(chorale.voices, REST), onsets=np.zeros_like(chorale.onsets)
    )
    np.testing.assert_array_equal(conditioning_features(silent), plan)


@pytest.mark.parametrize("chorale", OF_PHRASES, ids=lambda c: c.bwv)
def test_the_last_phrase_begins_after_the_last_fermata_but_one(chorale):
    closing = last_phrase(chorale)
    assert closing.dtype == bool
    plan = conditioning_features(chorale)
    np.testing.assert_array_equal(plan[:, 6], np.where(closing, plan[:, 4] + 10 * plan[:, 5], 20))
    assert closing.shape == (chorale.steps,)
    assert closing[-1]
    assert not closing[0]
    start = closing.argmax()
    assert closing[start:].all()
    assert chorale.fermatas[start - 1]
    assert chorale.fermatas[start:].sum() == 1


@pytest.mark.parametrize("where", [[], [5], [23]])
def test_a_piece_of_one_phrase_is_its_last_phrase(where):
    fermatas = np.isin(np.arange(24), where)
    assert last_phrase(Piece(np.full((24, 4), 60), fermatas=fermatas)).all()


@pytest.mark.parametrize("chorale", CHORALES, ids=lambda c: c.bwv)
def test_what_is_heard_is_what_sounded_a_step_ago(chorale):
    before, age = sounding_and_age(encode_tokens(chorale, 36, 84))
    np.testing.assert_array_equal(
        before[1:], np.where(chorale.voices[:-1] == REST, 0, chorale.voices[:-1] - 35)
    )
    assert not before[0].any()
    for voice in range(4):  # counted the slow way
        lasted = 0
        for t in range(1, chorale.steps):
            struck, sounds = chorale.onsets[t - 1, voice], chorale.voices[t - 1, voice] != REST
            lasted = 0 if not sounds else 1 if struck else lasted + 1
            assert age[t, voice] == lasted


def test_a_hold_with_nothing_to_hold_is_a_rest():
    sounding, age = next_sounding(np.array([1]), np.array([0]), np.array([0]))
    assert (sounding.tolist(), age.tolist()) == ([0], [0])


@pytest.mark.parametrize("chorale", CHORALES[:3], ids=lambda c: c.bwv)
def test_tokens_come_back_as_the_music_they_were(chorale):
    tokens = encode_tokens(chorale, 36, 84)
    again = tokens_to_piece(np.concatenate([tokens, tokens]), chorale, 36, 84)
    np.testing.assert_array_equal(again.voices, chorale.voices)
    np.testing.assert_array_equal(again.onsets, chorale.onsets)
    for name in ("downbeats", "beat", "fermatas"):
        np.testing.assert_array_equal(getattr(again, name), getattr(chorale, name))
    assert (again.pickup, again.mode, again.time_signature) == (
        chorale.pickup,
        chorale.mode,
        chorale.time_signature,
    )
    assert again.tonic == (9 if chorale.mode == "minor" else 0)
    assert (again.spelling == -128).sum() == (again.voices == REST).sum()


def test_a_token_outside_the_range_is_explained():
    with pytest.raises(ValueError, match="tokens run from 0 to 50"):
        tokens_to_piece(np.array([[51]]), Piece([[60]]), 36, 84)
