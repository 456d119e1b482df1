"""Parallels, crossings and dissonance."""

import itertools

import numpy as np
import pytest

from musiclab.data.piece import Piece
from musiclab.metrics import dissonance, parallel_perfects, voice_crossings


def random_pieces(n, n_voices=4, steps=60, low=55):
    rng = np.random.default_rng(3)
    voices = np.repeat(rng.integers(low, 70, (n, steps // 2, n_voices)), 2, axis=1)
    voices[rng.random(voices.shape) < 0.05] = -1
    return [Piece(v) for v in voices]


@pytest.mark.parametrize(
    ("what", "chords", "found"),
    [
        ("fifths up", [[67, 60], [69, 62]], 1),
        ("octaves down", [[72, 60], [71, 59]], 1),
        ("unisons", [[60, 60], [62, 62]], 1),
        ("twelfth to fifth, both up", [[79, 60], [81, 74]], 1),
        ("fifth to octave is not parallel", [[67, 60], [74, 62]], 0),
        ("contrary motion from fifth to twelfth", [[67, 60], [77, 58]], 0),
        ("fifth repeated", [[67, 60], [67, 60]], 0),
        ("one voice holds", [[72, 60], [84, 60]], 0),
        ("diminished fifth", [[67, 60], [68, 62]], 0),
        ("thirds", [[64, 60], [66, 62]], 0),
        ("fourths", [[65, 60], [67, 62]], 0),
        ("crossed fifth", [[60, 67], [62, 69]], 1),
        ("inner pair of three", [[76, 67, 60], [74, 69, 62]], 1),
        ("a rest between", [[67, 60], [-1, 60], [69, 62]], 0),
    ],
)
def test_parallels_by_hand(what, chords, found):
    piece = Piece(chords, np.array(chords) >= 0)
    assert parallel_perfects(piece) == pytest.approx(100 * found / (len(chords) - 1)), what


def test_a_silent_voice_starts_no_chord_of_its_own():
    # the upper voice falls silent without anybody striking: the frame is not read
    onsets = [[True, True], [False, False], [True, True]]
    assert parallel_perfects(Piece([[67, 60], [-1, 60], [69, 62]], onsets)) == 100


def test_parallels_are_counted_at_chord_changes_not_at_steps():
    slow = np.repeat([[67, 60], [69, 62], [71, 64], [67, 64]], 4, axis=0)
    assert parallel_perfects(Piece(slow)) == pytest.approx(100 * 2 / 3)
    assert parallel_perfects([Piece(slow), Piece(slow[12:])]) == pytest.approx(100 * 2 / 3)


def test_parallels_against_a_plain_loop():
    total = 0
    for piece in random_pieces(6):
        chords = [piece.voices[t].tolist() for t in range(piece.steps) if piece.onsets[t].any()]
        found = 0
        for before, after in itertools.pairwise(chords):
            for i, j in itertools.combinations(range(4), 2):
                if min(before[i], before[j], after[i], after[j]) < 0:
                    continue
                first, second = abs(before[i] - before[j]) % 12, abs(after[i] - after[j]) % 12
                up = after[i] > before[i] and after[j] > before[j]
                down = after[i] < before[i] and after[j] < before[j]
                found += (up or down) and first == second and first in (0, 7)
        assert parallel_perfects(piece) == pytest.approx(100 * found / (len(chords) - 1))
        total += found
    assert total > 0


def test_parallel_fifths_and_octaves_as_music21_finds_them():
    from music21 import note, voiceLeading

    rng = np.random.default_rng(4)
    scale = np.array(
        [0, 2, 4, 5, 7, 9, 11]
    )  # white keys: music21 tells a fifth from a diminished one by spelling
    seen = 0
    for _ in range(60):
        lower = scale[rng.integers(7, size=2)] + 48
        upper = scale[rng.integers(7, size=2)] + 60
        if rng.random() < 0.6:
            upper = lower + rng.choice([7, 12, 19])
            if not np.isin(upper % 12, scale).all():
                continue
        parts = [note.Note(int(p)) for p in (*upper, *lower)]
        quartet = voiceLeading.VoiceLeadingQuartet(*parts)
        theirs = quartet.parallelFifth() or quartet.parallelOctave() or quartet.parallelUnison()
        onsets = np.ones((2, 2), bool)
        ours = parallel_perfects(Piece(np.stack([upper, lower], axis=1), onsets))
        assert ours == 100 * bool(theirs), (upper, lower)
        seen += bool(theirs)
    assert seen > 10


def test_crossings_by_hand():
    assert voice_crossings(Piece([[60, 55, 50], [60, 62, 50], [60, 55, 56], [60, 60, 60]])) == 2 / 4
    assert voice_crossings(Piece([[60, -1, 62]])) == 1  # not only neighbours
    assert voice_crossings(Piece([[60, -1], [-1, 62]])) == 0


def test_crossings_against_a_loop_and_gone_after_sorting():
    for piece in random_pieces(4):
        crossed = 0
        for row in piece.voices.tolist():
            sounding = [p for p in row if p >= 0]
            crossed += sounding != sorted(sounding, reverse=True)
        assert voice_crossings(piece) == pytest.approx(crossed / piece.steps)
        assert crossed > 0
        assert voice_crossings(Piece(-np.sort(-piece.voices, axis=1))) == 0


def test_dissonance_by_hand_for_each_interval():
    harsh = [n for n in range(13) if dissonance(Piece([[60 + n, 60]])) == 1]
    assert harsh == [1, 2, 6, 10, 11]
    assert dissonance(Piece([[67, 64, 60]])) == 0
    assert dissonance(Piece([[70, 67, 64, 60]])) == pytest.approx(
        2 / 6
    )  # B flat-C and E-B flat of a seventh chord


def test_dissonance_against_a_loop_and_in_any_octave_key_or_order():
    for piece in random_pieces(4):
        harsh = pairs = 0
        for row in piece.voices.tolist():
            for a, b in itertools.combinations([p for p in row if p >= 0], 2):
                harsh += min((a - b) % 12, (b - a) % 12) in (1, 2, 6)
                pairs += 1
        assert dissonance(piece) == pytest.approx(harsh / pairs)
        moved = piece.voices[:, ::-1].copy()
        moved[moved >= 0] += 7
        moved[:, 0][moved[:, 0] >= 0] -= 12
        assert dissonance(Piece(moved)) == dissonance(piece)


def test_one_voice_has_no_counterpoint():
    melody = Piece([60, 62, 64])
    assert parallel_perfects(melody) == 0
    assert voice_crossings(melody) == 0
    assert np.isnan(dissonance(melody))
    assert np.isnan(parallel_perfects(Piece([[60, 50]] * 4)))  # one chord, no change


@pytest.mark.parametrize("measure", [parallel_perfects, voice_crossings, dissonance])
def test_what_is_no_piece_is_named(measure):
    with pytest.raises(ValueError, match="there is none"):
        measure([])
    with pytest.raises(ValueError, match="found str"):
        measure(["bwv269"])
