"""Encodings: hand values, round trips, independent references, bad input. Equations (1.1) to (1.4)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from musiclab.data import (
    NO_SPELLING,
    Piece,
    bars,
    decode_tokens,
    denormalise,
    dequantise,
    encode_tokens,
    from_piano_roll,
    normalise,
    piano_roll,
    quantise,
    spell,
    to_common_key,
    transpose,
    windows,
)


def random_piece(rng, steps=40, voices=4, **attributes):
    return decode_tokens(
        rng.choice([0, 1, 1, 1, *range(30, 60)], size=(steps, voices)), **attributes
    )


# times on a grid


def test_quantise_by_hand():
    """Eq. (1.1) on a time early, a triplet, a half step and two on the grid."""
    steps, deviation = quantise(np.array([0.0, 0.24, 1 / 3, 0.375, 2.0]))
    assert steps.dtype == np.int64
    assert steps.tolist() == [0, 1, 1, 2, 8]  # a half rounds up
    np.testing.assert_allclose(deviation, [0, -0.01, 1 / 3 - 0.25, -0.125, 0])


@given(hnp.arrays(float, 20, elements=st.floats(-1e6, 1e6)), st.integers(1, 24))
def test_quantising_moves_a_time_by_at_most_half_a_step(times, grid):
    """Eq. (1.1): |d| <= 1 / 2q, and grid plus deviation is the time."""
    steps, deviation = quantise(times, grid)
    assert (np.abs(deviation) <= 0.5 / grid + 1e-9).all()
    np.testing.assert_allclose(dequantise(steps, grid) + deviation, times)
    np.testing.assert_array_equal(quantise(dequantise(steps, grid), grid)[0], steps)


@pytest.mark.parametrize("times", [[np.nan], [np.inf]])
def test_times_that_are_no_numbers_are_refused(times):
    with pytest.raises(ValueError, match="finite"):
        quantise(times)


# piano rolls


def test_piano_roll_by_hand():
    """Eq. (1.2) for two steps of two voices."""
    roll = piano_roll(np.array([[60, 57], [-1, 57]]), low=57, high=60)
    assert roll.dtype == np.float32
    assert roll.tolist() == [[1, 0, 0, 1], [1, 0, 0, 0]]


def test_piano_roll_against_loops():
    """Eq. (1.2) note by note, unisons included."""
    piece = random_piece(np.random.default_rng(1))
    assert (np.sort(piece.voices)[:, 1:] == np.sort(piece.voices)[:, :-1]).any()
    expected = np.zeros((40, 88))
    for t, frame in enumerate(piece.voices):
        for pitch in frame:
            if pitch >= 0:
                expected[t, pitch - 21] = 1
    np.testing.assert_array_equal(piano_roll(piece), expected)


def test_piano_roll_of_a_batch_is_the_roll_of_each():
    rng = np.random.default_rng(2)
    batch = np.stack([random_piece(rng).voices for _ in range(3)])
    np.testing.assert_array_equal(piano_roll(batch), [piano_roll(v) for v in batch])


def test_pitches_outside_the_roll_are_named():
    with pytest.raises(ValueError, match="MIDI pitch 20 is outside 21-108"):
        piano_roll(np.array([[20]]))
    with pytest.raises(ValueError, match="float64"):
        piano_roll(np.zeros((2, 2)))


def test_a_roll_without_unisons_or_repeats_comes_back():
    voices = np.array([[72, 64, 60, 48], [72, 65, 60, 48], [71, 65, -1, -1], [-1, -1, -1, -1]])
    back = from_piano_roll(piano_roll(voices))
    np.testing.assert_array_equal(back.voices, voices)


def test_the_strongest_cells_sound():
    roll = np.array([[0.9, 0.6, 0.95, 0.7, 0.49]])
    assert from_piano_roll(roll, low=60, n_voices=2).voices.tolist() == [[62, 60]]
    assert from_piano_roll(roll, low=60, n_voices=8).voices.tolist() == [
        [63, 62, 61, 60, -1, -1, -1, -1]
    ]


@pytest.mark.parametrize(
    "roll", [np.zeros(5), np.zeros((0, 5)), np.full((2, 5), np.nan), np.zeros((2, 100))]
)
def test_what_is_no_roll_is_refused(roll):
    with pytest.raises(ValueError, match=r"roll|127"):
        from_piano_roll(roll, low=60)


# tokens


def test_tokens_by_hand():
    """Eq. (1.3): struck, held, struck again, rest, struck."""
    piece = Piece([[60], [60], [60], [-1], [61]], [[1], [0], [1], [0], [1]])
    assert encode_tokens(piece, low=60, high=72)[:, 0].tolist() == [2, 1, 2, 0, 3]


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=st.integers(0, 89)
    )
)
def test_every_token_sequence_is_music_and_tokens_of_music_come_back(tokens):
    piece = decode_tokens(tokens)
    again = decode_tokens(encode_tokens(piece))
    np.testing.assert_array_equal(again.voices, piece.voices)
    np.testing.assert_array_equal(again.onsets, piece.onsets)


def test_decoding_against_a_loop():
    tokens = np.random.default_rng(3).integers(0, 15, size=(200, 2))
    expected, sounding = np.full(tokens.shape, -1), [-1, -1]
    for t, row in enumerate(tokens):
        for v, token in enumerate(row):
            if token != 1:
                sounding[v] = token + 58 if token >= 2 else -1
            expected[t, v] = sounding[v]
    np.testing.assert_array_equal(decode_tokens(tokens, low=60, high=72).voices, expected)


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ([[90]], "0 to 89"),
        ([[-1]], "0 to 89"),
        ([[0.5]], "float64"),
        (np.zeros((1, 1, 1), int), "shape"),
    ],
)
def test_tokens_outside_the_vocabulary_are_refused(tokens, words):
    with pytest.raises(ValueError, match=words):
        decode_tokens(tokens)


def test_a_pitch_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="MIDI pitch 73"):
        encode_tokens(Piece([[73]]), low=60, high=72)


# normalising


def test_normalise_by_hand_and_back():
    """Eq. (1.4) at both ends, in the middle and outside."""
    x = np.array([[36, 60], [84, 96]])
    y = normalise(x, 36, 84)
    assert y.tolist() == [[0, 0.5], [1, 1.25]]
    np.testing.assert_allclose(denormalise(y, 36, 84), x)


def test_normalise_agrees_with_numpys_interpolation():
    """Eq. (1.4) against np.interp."""
    x = np.linspace(-3, 7, 50)
    np.testing.assert_allclose(normalise(x, -3, 7), np.interp(x, [-3, 7], [0, 1]))


@pytest.mark.parametrize("function", [normalise, denormalise])
def test_an_interval_needs_a_width(function):
    with pytest.raises(ValueError, match="no width"):
        function([1], 5, 5)


# keys and spelling


def test_transposing_there_and_back_is_nothing():
    piece = random_piece(np.random.default_rng(4), key_signature=-3, tonic=3)
    piece = piece.with_(spelling=spell(piece.voices, -3))
    for semitones in range(-11, 12):
        there = transpose(piece, semitones)
        back = transpose(there, -semitones)
        np.testing.assert_array_equal(back.voices, piece.voices)
        sounding = there.voices >= 0
        np.testing.assert_array_equal(
            there.spelling[sounding] * 7 % 12, there.voices[sounding] % 12
        )
        assert (there.tonic - piece.tonic - semitones) % 12 == 0
        assert -7 < there.key_signature < 7


def test_spelling_moves_with_the_key():
    """F sharp in G major becomes B natural in C major, not C flat."""
    piece = Piece([[66]], spelling=[[6]], tonic=7, key_signature=1)
    home = to_common_key(piece)
    assert (home.voices.tolist(), home.spelling.tolist(), home.key_signature) == ([[71]], [[5]], 0)


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_common_key_is_reached_within_six_semitones(mode):
    for tonic in range(12):
        piece = Piece([[60]], tonic=tonic, mode=mode)
        home = to_common_key(piece)
        assert home.tonic == {"major": 0, "minor": 9}[mode]
        assert home.mode == mode
        assert abs(int(home.voices[0, 0]) - 60) <= 6


def test_transposing_off_the_keyboard_is_refused():
    with pytest.raises(ValueError, match="outside MIDI"):
        transpose(Piece([[5]]), -6)


def test_spelling_of_c_major_and_a_flat_major():
    names = dict(zip(range(-3, 9), "Eb Bb F C G D A E B F# C# G#".split()))
    chromatic = np.arange(60, 72)[None]
    assert [
        names[f] for f in spell(chromatic, 0)[0].tolist()
    ] == "C C# D Eb E F F# G G# A Bb B".split()
    assert spell(chromatic, -4).min() == -7
    assert spell(np.array([[-1]]), 0).tolist() == [[NO_SPELLING]]


@given(st.integers(0, 127), st.integers(-7, 7))
def test_a_spelling_names_its_pitch_and_stays_near_the_key(pitch, key_signature):
    fifths = int(spell(np.array([[pitch]]), key_signature)[0, 0])
    assert (fifths * 7 - pitch) % 12 == 0
    assert key_signature - 3 <= fifths <= key_signature + 8


# bars and windows


def test_bars_cover_a_piece_with_pickup_and_short_end():
    assert bars(Piece([[60]] * 48, pickup=4)) == [(0, 4), (4, 20), (20, 36), (36, 48)]


def test_windows_start_on_downbeats_and_hold_what_the_piece_holds():
    rng = np.random.default_rng(5)
    piece = random_piece(rng, steps=4 + 16 * 3 + 12, pickup=4)
    voices, onsets = windows(piece)
    assert voices.shape == onsets.shape == (2, 32, 4)
    np.testing.assert_array_equal(voices[1], piece.voices[20:52])
    np.testing.assert_array_equal(onsets[1, 1:], piece.onsets[21:52])
    np.testing.assert_array_equal(onsets[:, 0], voices[:, 0] >= 0)
    for v, o in zip(voices, onsets):
        Piece(v, o)


def test_irregular_bars_break_the_windows():
    downbeats = np.zeros(60, bool)
    downbeats[[0, 16, 28, 44]] = True  # the second bar has 12 steps
    piece = Piece(np.full((60, 1), 60), downbeats=downbeats)
    assert len(windows(piece, 1)[0]) == 3
    assert len(windows(piece, 2)[0]) == 1


def test_other_metres_give_no_windows_and_the_shape_says_so():
    voices, onsets = windows([Piece(np.full((48, 4), 60), time_signature="3/4")])
    assert voices.shape == onsets.shape == (0, 32, 4)


@pytest.mark.parametrize(
    ("pieces", "n"), [([], 2), ([Piece([[60]] * 32)], 0), ([Piece([[60]]), Piece([[60, 50]])], 1)]
)
def test_windows_of_nothing_are_refused(pieces, n):
    with pytest.raises(ValueError, match="need n_bars"):
        windows(pieces, n)
