"""Cells found, holds, beats and silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from musiclab.data.piece import Piece
from musiclab.metrics import empty_bars, hold_rate, on_beat, precision_recall_f1

RNG = np.random.default_rng(0)


def random_pieces(n, n_voices=3, steps=48):
    """Pieces with rests, holds and repeated notes."""
    pieces = []
    for _ in range(n):
        voices = np.repeat(RNG.integers(47, 72, (steps // 2, n_voices)), 2, axis=0)
        voices[voices < 50] = -1
        onsets = (voices >= 0) & (
            (np.arange(steps) % 2 == 0)[:, None] | (RNG.random(voices.shape) < 0.3)
        )
        pieces.append(Piece(voices, onsets))
    return pieces


def notes_of(piece):
    """(voice, start, stop) of each note, one step at a time: slow and plain."""
    notes = []
    for v in range(piece.voices.shape[1]):
        for t in range(piece.steps):
            if piece.onsets[t, v]:
                notes.append([v, t, t + 1])
            elif piece.voices[t, v] >= 0:
                notes[-1][2] = t + 1
    return notes


def test_f1_by_hand():
    real, predicted = np.array([[1, 1, 1, 0], [0, 0, 0, 0]]), np.array([[1, 0, 0, 1], [0, 0, 0, 0]])
    precision, recall, f1 = precision_recall_f1(real, predicted)
    assert (precision, recall, f1) == pytest.approx((1 / 2, 1 / 3, 2 / 5))


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_f1_equals_scikit_learns(seed, p, q):
    rng = np.random.default_rng(seed)
    real, predicted = rng.random((2, 3, 5)) < p, rng.random((2, 3, 5)) < q
    if real.any() or predicted.any():
        reference = precision_recall_fscore_support(
            real.ravel(), predicted.ravel(), average="binary", zero_division=0.0
        )
        assert precision_recall_f1(real, predicted) == pytest.approx(reference[:3])


def test_f1_is_micro_averaged_over_cells_not_over_frames():
    real = np.array([[1, 0, 0, 0], [1, 1, 1, 1]])
    predicted = np.array([[1, 0, 0, 0], [0, 0, 0, 0]])
    assert precision_recall_f1(real, predicted).recall == pytest.approx(
        1 / 5
    )  # not the mean of 1 and 0


def test_silence_for_music_scores_nothing_and_silence_for_silence_everything():
    music, silence = np.ones((4, 88), np.float32), np.zeros((4, 88), np.float32)
    assert precision_recall_f1(music, silence) == (0, 0, 0)
    assert precision_recall_f1(silence, music) == (0, 0, 0)
    assert precision_recall_f1(silence, silence) == (1, 1, 1)
    assert precision_recall_f1(music, music) == (1, 1, 1)


def test_swapping_the_rolls_swaps_precision_and_recall():
    a, b = RNG.random((2, 10, 88)) < 0.1
    forth, back = precision_recall_f1(a, b), precision_recall_f1(b, a)
    assert forth == (back.recall, back.precision, back.f1)


def test_probabilities_and_unlike_rolls_are_refused():
    with pytest.raises(ValueError, match=r"predicted_roll holds 0\.3 at \(1,\).*threshold"):
        precision_recall_f1(np.array([0, 1]), np.array([0, 0.3]))
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        precision_recall_f1(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no cell"):
        precision_recall_f1(np.zeros((0, 88)), np.zeros((0, 88)))
    with pytest.raises(ValueError, match="real_roll holds nan"):
        precision_recall_f1(np.array([np.nan]), np.array([1.0]))


def test_hold_rate_by_hand_tells_repeats_from_holds():
    voices = [[60], [60], [60], [60]]
    assert hold_rate(Piece(voices)) == 3 / 4
    assert hold_rate(Piece(voices, [[True], [False], [True], [False]])) == 2 / 4


def test_hold_rate_is_one_less_notes_per_sounding_step():
    for piece in random_pieces(5):
        lengths = [stop - start for _, start, stop in notes_of(piece)]
        assert hold_rate(piece) == pytest.approx(1 - len(lengths) / sum(lengths))


def test_hold_rate_pools_steps_and_ignores_rests_and_voice_order():
    long, short = Piece([60] * 9 + [-1] * 3), Piece([60])
    assert hold_rate([long, short]) == 8 / 10
    piece = random_pieces(1)[0]
    assert hold_rate(piece) == hold_rate(Piece(piece.voices[:, ::-1], piece.onsets[:, ::-1]))
    assert isinstance(hold_rate(piece), float)


def test_on_beat_by_hand_counts_from_the_first_downbeat():
    notes = [60, 62, 64, 65, 67, 69]
    assert on_beat(Piece(notes)) == pytest.approx(2 / 6)
    assert on_beat(Piece(notes, pickup=2)) == pytest.approx(1 / 6)
    assert on_beat(Piece(notes, pickup=1)) == pytest.approx(2 / 6)


def test_on_beat_agrees_with_a_count_of_notes_and_moves_with_the_grid():
    for piece in random_pieces(5):
        starts = np.array([start for _, start, _ in notes_of(piece)])
        assert on_beat(piece) == pytest.approx(np.mean(starts % 4 == 0))
        shifted = [on_beat(piece.with_(pickup=k, downbeats=None)) for k in range(4)]
        assert sum(shifted) == pytest.approx(1)


def test_empty_bars_by_hand_with_pickup_and_short_last_bar():
    piece = Piece([-1] * 4 + [60] * 16 + [-1] * 16 + [60] * 2, pickup=4)
    assert empty_bars(piece) == 2 / 4
    assert empty_bars([piece, Piece([60] * 16)]) == 2 / 5


def test_a_bar_is_empty_only_if_all_voices_are_silent():
    voices = np.full((32, 2), -1)
    voices[3, 1] = 50
    assert empty_bars(Piece(voices)) == 0.5
    assert empty_bars(Piece(np.full((32, 2), -1))) == 1
    for piece in random_pieces(3):
        heard = {
            start // 16 + k
            for _, start, stop in notes_of(piece)
            for k in range((stop - 1) // 16 - start // 16 + 1)
        }
        assert empty_bars(piece) == pytest.approx(1 - len(heard) / 3)


def test_nothing_to_count_is_not_a_number():
    silence = Piece([[-1]] * 4)
    assert np.isnan(hold_rate(silence))
    assert np.isnan(on_beat(silence))


@pytest.mark.parametrize("measure", [hold_rate, on_beat, empty_bars])
def test_what_is_no_piece_is_named(measure):
    with pytest.raises(ValueError, match="there is none"):
        measure([])
    with pytest.raises(ValueError, match=r"found ndarray.*Piece\(voices\)"):
        measure(np.zeros((2, 4, 1), int))
