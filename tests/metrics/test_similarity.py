"""Variety within a set, and what was copied from training."""

import itertools
import time
import tracemalloc

import numpy as np
import pytest

from musiclab.data.encodings.piano_roll import piano_roll
from musiclab.data.piece import Piece
from musiclab.metrics import diversity, nearest_distances, shared_runs, similarity


def random_pieces(n, seed=0, n_voices=2, steps=14, pitches=3):
    """Few pitches, so that passages do recur; with rests and repeated notes."""
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(n):
        voices = rng.integers(0, pitches, (steps, n_voices)) + [72, 60, 55, 48][:n_voices]
        voices[rng.random(voices.shape) < 0.12] = -1
        plain = Piece(voices)
        pieces.append(
            Piece(voices, plain.onsets | ((voices >= 0) & (rng.random(voices.shape) < 0.3)))
        )
    return pieces


def moved(piece, semitones):
    return Piece(np.where(piece.voices >= 0, piece.voices + semitones, -1), piece.onsets)


def shared_length(a, i, b, j):
    """How long the passages at step i of a and j of b are the same up to one transposition, step by step."""
    if (a.voices[i] < 0).all():
        return 0
    shift, n = None, 0
    while i + n < a.steps and j + n < b.steps:
        p, q = a.voices[i + n].astype(int), b.voices[j + n].astype(int)
        if ((p < 0) != (q < 0)).any() or (n > 0 and (a.onsets[i + n] != b.onsets[j + n]).any()):
            break
        shifts = {int(d) for d in (q - p)[p >= 0]} | ({shift} - {None})
        if len(shifts) > 1:
            break
        shift, n = shifts.pop() if shifts else shift, n + 1
    return n


def test_diversity_by_hand():
    a, b, c = Piece([60, 60]), Piece([60, 62]), Piece([65, 67])
    assert diversity([a, b]) == pytest.approx(1 - 1 / 3)
    assert diversity([a, b, c]) == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert diversity([a, a]) == 0
    assert diversity([a, c]) == 1
    silence = Piece([-1, -1])
    assert diversity([silence, silence]) == 0
    assert diversity([silence, a]) == 1


def test_diversity_against_rolls_compared_one_by_one():
    pieces = random_pieces(7)
    rolls = [piano_roll(piece) > 0 for piece in pieces]
    far = [1 - (p & q).sum() / (p | q).sum() for p, q in itertools.combinations(rolls, 2)]
    assert diversity(pieces) == pytest.approx(np.mean(far))
    assert diversity(pieces[::-1]) == pytest.approx(diversity(pieces))
    assert diversity([moved(p, 5) for p in pieces]) == pytest.approx(diversity(pieces))


def test_diversity_refuses_one_piece_and_unequal_ones():
    with pytest.raises(ValueError, match="two or more"):
        diversity([Piece([60])])
    with pytest.raises(ValueError, match=r"\[1, 2\] steps"):
        diversity([Piece([60]), Piece([60, 62])])


def test_shared_run_by_hand():
    training = [Piece([50, 51, 53]), Piece([-1, 60, 62, 62, 64, 50])]
    piece = Piece([71, 65, 67, 67, 69, 72])
    assert shared_runs(piece, training)[0] == (4, 0, 1, 1, 1)
    # a note struck again is not a note held
    repeated = Piece(piece.voices, [[True], [True], [True], [True], [True], [True]])
    assert shared_runs(repeated, training)[0].steps == 2
    assert shared_runs(Piece([60, 90]), training)[0].steps == 0
    assert shared_runs(Piece([60]), training)[0].steps == 0


def test_shared_run_keeps_one_transposition_across_a_rest():
    training = Piece([60, -1, 64, 65])
    assert shared_runs(Piece([67, -1, 71, 72]), training)[0].steps == 4
    assert shared_runs(Piece([67, -1, 72, 73]), training)[0].steps == 2


@pytest.mark.parametrize("n_voices", [1, 2])
def test_shared_runs_against_brute_force(n_voices):
    training = random_pieces(5, seed=1, n_voices=n_voices, pitches=4 - n_voices)
    pieces = random_pieces(10, seed=2, n_voices=n_voices, pitches=4 - n_voices)
    runs = shared_runs(pieces, training)
    for run, piece in zip(runs, pieces):
        everywhere = [
            shared_length(piece, i, source, j)
            for source in training
            for i in range(piece.steps)
            for j in range(source.steps)
        ]
        assert run.steps == (max(everywhere) if max(everywhere) > 1 else 0)
        if run.steps:
            assert (
                shared_length(piece, run.start, training[run.source], run.source_start) == run.steps
            )
    assert len({run.steps for run in runs}) > 1


def test_a_transposed_copy_is_shared_whole_and_no_run_crosses_from_piece_to_piece():
    training = random_pieces(6, seed=5, steps=40)
    for k, source in enumerate(training):
        run = shared_runs(moved(source, -4), training)[0]
        assert run == (
            40 - _leading_silence(source),
            0,
            _leading_silence(source),
            k,
            _leading_silence(source),
        )
    joined = Piece(np.concatenate([training[0].voices, training[1].voices]))
    assert (
        shared_runs(joined, [Piece(training[0].voices), Piece(training[1].voices)])[0].steps <= 40
    )


def _leading_silence(piece):
    return int(np.argmax((piece.voices >= 0).any(axis=1)))


def test_one_piece_against_three_hundred_is_quick():
    training = random_pieces(300, seed=6, n_voices=4, steps=240, pitches=8)
    start = time.process_time()
    shared_runs(training[200], training)
    assert time.process_time() - start < 2


def test_unlike_voices_and_no_training_are_refused():
    with pytest.raises(ValueError, match="1 and 2 voices"):
        shared_runs(Piece([60, 62]), Piece([[60, 50], [62, 52]]))
    with pytest.raises(ValueError, match="training: there is none"):
        shared_runs(Piece([60]), [])


def test_nearest_distance_by_hand():
    training = [Piece([50, 52, 54, 56]), Piece([60, 62, 64, 70])]
    # the first moved up a fourth shares nothing better than the second moved up a tone: three
    # cells of five
    near = nearest_distances(Piece([62, 64, 66, 67]), training, steps=4)
    assert near == pytest.approx([1 - 3 / 5])
    copies = [Piece([60, 65, 70, 72]), Piece([46, 48, 50, 52])]
    assert nearest_distances(copies, training, steps=4)[1] == 0


def test_nearest_distances_against_brute_force():
    training = random_pieces(3, seed=7, steps=40, pitches=6)
    pieces = random_pieces(2, seed=8, steps=33, pitches=6)
    found = nearest_distances(pieces, training, steps=16)
    places = [(0, 0), (0, 16), (1, 0), (1, 16)]
    assert len(found) == len(places)
    for distance, (k, begin) in zip(found, places):
        ours = piano_roll(pieces[k].voices[begin : begin + 16]) > 0
        best = 1.0
        for source in training:
            for start in (0, 16):
                for semitones in range(-6, 7):
                    theirs = piano_roll(moved(source, semitones).voices[start : start + 16]) > 0
                    best = min(best, 1 - (ours & theirs).sum() / (ours | theirs).sum())
        assert distance == pytest.approx(best)


def test_a_few_changed_notes_break_the_run_but_stay_near():
    training = random_pieces(5, seed=9, steps=64, pitches=10)
    voices = training[3].voices.copy()
    voices[::6, 0] = 40
    assert shared_runs(Piece(voices), training)[0].steps < 12
    assert nearest_distances(Piece(voices), training).max() < 0.25


def test_too_short_a_piece_is_refused():
    with pytest.raises(ValueError, match="no piece has 32 steps, the longest has 8"):
        nearest_distances(Piece([60] * 8), Piece([60] * 40))
    with pytest.raises(ValueError, match="there is none"):
        nearest_distances([], Piece([60] * 40))


def test_memory_of_the_search_is_linear(monkeypatch):
    def peak(n):
        pieces = random_pieces(n, seed=10, steps=64)
        tracemalloc.start()
        found = nearest_distances(pieces, pieces, steps=4)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (found == 0).all()
        return used

    monkeypatch.setattr(similarity, "CHUNK", 16)
    few, many = peak(30), peak(120)
    assert many < 4.5 * few
    monkeypatch.setattr(similarity, "CHUNK", 10**6)
    assert peak(120) > 10 * many  # all pairs at once


def test_chunks_do_not_change_the_distances(monkeypatch):
    pieces, training = random_pieces(5, seed=11, steps=32), random_pieces(7, seed=12, steps=48)
    whole = nearest_distances(pieces, training, steps=16)
    monkeypatch.setattr(similarity, "CHUNK", 3)
    np.testing.assert_array_equal(nearest_distances(pieces, training, steps=16), whole)
