"""Chords, cadences and direction: values by hand, music21's opinion, and what reversal does."""

import functools

import numpy as np
import pytest
from music21 import chord

from musiclab.data import load_chorales, to_common_key, transpose
from musiclab.data.piece import Piece
from musiclab.metrics import (
    falling_fifths,
    fermata_cadences,
    fermata_triads,
    final_tonic,
    resolved_dissonances,
    rising_leaps,
    suspensions,
    triads_and_sevenths,
    wide_leaps,
)

C, G, F, AM = [72, 67, 64, 48], [71, 67, 62, 43], [72, 69, 65, 53], [72, 69, 64, 45]
EVERY = (
    triads_and_sevenths,
    fermata_triads,
    final_tonic,
    fermata_cadences,
    falling_fifths,
    resolved_dissonances,
    suspensions,
    rising_leaps,
    wide_leaps,
)


def quarters(*chords, **attributes):
    """A piece of one chord per quarter."""
    return Piece(np.repeat(chords, 4, axis=0), **attributes)


def fermata_on(quarter, n):
    return np.arange(4 * n) == 4 * quarter


@functools.cache
def bach():
    return [to_common_key(piece) for piece in load_chorales("test")[:20]]


@pytest.mark.parametrize(
    ("frame", "counts"),
    [
        ([67, 64, 60], True),  # C major
        ([72, 67, 64], True),  # first inversion
        ([76, 72, 67], True),  # second inversion
        ([66, 63, 60], True),  # diminished
        ([68, 64, 60], True),  # augmented
        ([70, 67, 64, 60], True),  # dominant seventh
        ([76, 70, 72, 60], True),  # dominant seventh without its fifth, doubled root
        ([69, 66, 63, 60], True),  # diminished seventh
        ([67, 60, 60], False),  # bare fifth
        ([67, 65, 60], False),  # suspended fourth
        ([71, 64, 60], False),  # major seventh without its fifth
        ([62, 61, 60], False),
        ([-1, 64, 60], False),
    ],
)
def test_a_chord_by_hand(frame, counts):
    assert triads_and_sevenths(quarters(frame)) == counts


def test_chords_are_counted_on_quarters_that_sound():
    between = Piece([[67, 64, 60], [66, 65, 60], [66, 65, 60], [66, 65, 60]] * 3)
    assert triads_and_sevenths(between) == 1
    with_pickup = Piece([[66, 65, 60]] + [[67, 64, 60]] * 7, pickup=2)
    assert triads_and_sevenths(with_pickup) == 1
    assert triads_and_sevenths(quarters(C, [-1] * 4, [61, 60, 59, 58])) == 0.5
    assert np.isnan(triads_and_sevenths(quarters([-1] * 4)))


def test_chords_are_those_of_music21():
    for piece in bach()[:6]:
        for frame in piece.voices[piece.pickup :: 4]:
            name = chord.Chord([int(p) for p in frame if p >= 0]).commonName
            incomplete = "incomplete" in name and "dominant" not in name
            wanted = ("triad" in name or "seventh" in name) and not incomplete
            wanted |= "Italian" in name or "German" in name  # spelled by MIDI number alone
            assert triads_and_sevenths(quarters(frame)) == wanted, (frame, name)


def test_fermatas_by_hand():
    def on(frame, **key):
        return fermata_triads(quarters(G, frame, fermatas=fermata_on(1, 2), **key))

    assert on(C) == on(AM) == on([72, 67, 60, 52]) == on([72, 64, 60, 48]) == 1
    assert on([72, 64, 60, 43]) == 0  # second inversion
    assert on([72, 67, 60, 48]) == 0  # no third
    assert on([71, 65, 62, 55]) == 0  # a seventh chord
    assert on([-1] * 4) == 0
    assert np.isnan(fermata_triads(quarters(C, G)))


def test_the_final_chord_by_hand():
    def last(*chords, **key):
        return final_tonic(quarters(*chords, **{"tonic": 0, "key_method": "given"} | key))

    assert last(G, C) == last(G, [72, 67, 63, 48]) == last(G, [72, 64, 60, 48]) == 1
    assert last(G, C, [-1] * 4) == 1
    assert last(C, G) == last(G, [72, 67, 60, 52]) == last(G, [72, 67, 60, 48]) == 0
    assert last(G, AM, tonic=9, mode="minor") == 1
    assert last(G, C, tonic=7) == 0
    assert np.isnan(last(G, C, key_method="unknown"))
    both = [quarters(G, C, key_method="given"), quarters(C, G, key_method="given")]
    assert final_tonic([*both, quarters(C, G)]) == 0.5


@pytest.mark.parametrize(
    ("bass", "closes"),
    [
        ((43, 48), True),  # rises a fourth
        ((55, 48), True),  # falls a fifth
        ((55, 43, 48), True),  # the octave before it changes nothing
        ((48, 43), False),  # falls a fourth, a half close
        ((50, 48), True),  # steps down to the tonic
        ((47, 48), True),  # steps up to the tonic
        ((45, 43), False),  # steps to another degree
        ((53, 48), False),  # a plagal close
        ((48, 48), False),  # comes from nowhere
    ],
)
def test_cadences_by_hand(bass, closes):
    n = len(bass)
    chords = [[72, 67, 64, low] for low in bass]
    piece = quarters(*chords, fermatas=fermata_on(n - 1, n), tonic=0, key_method="given")
    assert fermata_cadences(piece) == closes
    assert np.isnan(fermata_cadences(piece.with_(key_method="unknown")))
    assert np.isnan(fermata_cadences(piece.with_(fermatas=None)))


def test_falling_fifths_by_hand():
    assert falling_fifths(quarters(C, F)) == 1  # up a fourth
    assert falling_fifths(quarters(F, C)) == 0
    assert falling_fifths(quarters(C, F, C, G, C)) == 0.5
    assert np.isnan(falling_fifths(quarters(C, AM)))


def test_dissonances_by_hand():
    # a suspension: C over F prepared, over D a seventh, resolved to B
    prepared = [[72, 65], [72, 62], [71, 62]]
    assert suspensions(Piece(prepared)) == resolved_dissonances(Piece(prepared)) == 1
    # backwards the voice that stays rises, and the other leaves it
    assert suspensions(Piece(prepared[::-1])) == 0
    # a passing note: the voice that moved onto the dissonance moves on
    passing = [[72, 60], [71, 60], [69, 60]]
    assert (suspensions(Piece(passing)), resolved_dissonances(Piece(passing))) == (0, 1)
    upward = [[71, 64], [71, 60], [72, 60]]
    assert (suspensions(Piece(upward)), resolved_dissonances(Piece(upward))) == (0, 1)
    for end in ([76, 60], [-1, 60], None):  # a leap, a rest, the end
        piece = Piece([[72, 60], [71, 60]] + ([end] if end else []))
        assert (suspensions(piece), resolved_dissonances(piece)) == (0, 0)
    assert np.isnan([suspensions(quarters(C)), resolved_dissonances(quarters(C))]).all()
    # pairs are counted apart: the top voice resolves over the middle one, and then grates on the
    # bass
    three = Piece([[72, 65, 57], [72, 62, 57], [71, 62, 57]])
    assert suspensions(three) == 0.5


def test_leaps_by_hand():
    piece = Piece([[60, 48], [67, 40], [75, 48], [76, 48]], onsets=np.ones((4, 2), bool))
    np.testing.assert_allclose(wide_leaps(piece), [1 / 3, 2 / 3])
    np.testing.assert_allclose(wide_leaps([piece, piece]), [1 / 3, 2 / 3])
    assert np.isnan(wide_leaps(Piece([[60, 60], [62, 60]]))).tolist() == [False, True]
    assert rising_leaps(Piece([60, 65, 60, 64, 60, 67])) == pytest.approx(2 / 3)
    assert np.isnan(rising_leaps(Piece([60, 62, 64])))
    with pytest.raises(ValueError, match="1 and 2 voices"):
        wide_leaps([Piece([60]), Piece([[60, 55]])])


def backwards(piece):
    """A piece played backwards: each note starts where it ended."""
    held = np.vstack([~piece.onsets[1:] & (piece.voices[1:] >= 0), piece.voices[:1] * 0 > 1])
    ends = (piece.voices >= 0) & ~held
    return piece.with_(voices=piece.voices[::-1], onsets=ends[::-1], spelling=None)


def test_reversal_turns_the_measures_of_direction_over():
    for piece in bach():
        for measure in (falling_fifths, rising_leaps):
            there, back = measure(piece), measure(backwards(piece))
            assert np.isnan(there) or back == pytest.approx(1 - there)
    back = [backwards(piece) for piece in bach()]
    assert suspensions(back) < suspensions(bach()) / 2
    assert falling_fifths(bach()) > 0.6


@pytest.mark.parametrize("measure", EVERY)
def test_transposed_music_is_the_same_music(measure):
    low = [transpose(piece, -3) for piece in bach()]
    np.testing.assert_allclose(measure(low), measure(bach()))


@pytest.mark.parametrize("measure", EVERY)
def test_no_piece_and_no_music_are_refused(measure):
    with pytest.raises(ValueError, match="at least one"):
        measure([])
    with pytest.raises(ValueError, match="need Piece objects"):
        measure([[60, 62]])
