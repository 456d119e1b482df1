"""Velocity: darker in the piano roll, louder in the player."""

import numpy as np
from matplotlib.patches import Rectangle

from musiclab.data import Piece
from musiclab.show.audio import RATE, synthesize
from musiclab.show.plots import piano_roll

LOUDER = Piece([69] * 4 + [71] * 4, velocity=[[20]] * 4 + [[120]] * 4)


def test_louder_notes_are_darker():
    bars = [patch for patch in piano_roll(LOUDER).patches if isinstance(patch, Rectangle)]
    soft, loud = (bar.get_alpha() for bar in bars)
    np.testing.assert_allclose([soft, loud], [0.25 + 0.75 * 20 / 127, 0.25 + 0.75 * 120 / 127])
    plain = piano_roll(LOUDER.with_(velocity=None)).patches
    assert {bar.get_alpha() for bar in plain} == {1.0}


def test_louder_notes_sound_louder_in_proportion():
    samples, _ = synthesize(LOUDER, bpm=60)
    middle = RATE // 4
    soft, loud = (
        np.abs(samples[second * RATE + middle :][: 2 * middle]).max() for second in (0, 1)
    )
    assert 5 < loud / soft < 7
