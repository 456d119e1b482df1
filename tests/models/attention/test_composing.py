"""Composing together: what is locked stays, what contradicts is said, undo takes back."""

import numpy as np
import pytest

from musiclab.data import Piece
from musiclab.models.attention.composing import Composition, LockError
from musiclab.models.attention.inpainting import Inpainting

MELODY = Piece(np.repeat([67, 69, 71, 72, 74, 72, 71, 69, 67, 69, 71, 72], 4))


@pytest.fixture(scope="module")
def model():
    return Inpainting.from_file()


def test_locks_hold_and_undo_takes_back(model):
    work = Composition(model, MELODY)
    first = work.write(seed=1, sweeps=6)
    np.testing.assert_array_equal(first.voices[:, 0], MELODY.voices[:, 0])
    work.lock("bass")
    work.lock(bars=2)
    second = work.write(seed=2, sweeps=6)
    np.testing.assert_array_equal(second.voices[:, 3], first.voices[:, 3])
    np.testing.assert_array_equal(second.voices[16:32], first.voices[16:32])
    assert (second.voices[:16, 1:3] != first.voices[:16, 1:3]).any()
    third = work.write(seed=3, voices=["tenor"], bars=[3], sweeps=6)
    np.testing.assert_array_equal(third.voices[:32], second.voices[:32])
    assert work.undo() is second
    assert work.undo() is first
    work.undo()
    assert (work.undo().voices[:, 1:] == -1).all()


@pytest.mark.parametrize(
    ("wish", "kind", "message"),
    [
        ({"voices": ["soprano"], "bars": [2]}, LockError, "bar 2 of the soprano is locked"),
        ({"voices": ["soprano"]}, LockError, "all of it is locked"),
        ({"voices": ["descant"]}, ValueError, "no voice 'descant'"),
        ({"bars": [4]}, ValueError, "no bar 4: the piece has bars 1 to 3"),
        ({"density": 9}, ValueError, "density 9"),
    ],
)
def test_contradictions_are_said_and_change_nothing(model, wish, kind, message):
    work = Composition(model, MELODY)
    before = work.piece
    with pytest.raises(kind, match=message):
        work.write(seed=1, **wish)
    assert work.piece is before
