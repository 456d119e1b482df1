"""The panel for composing: what its boxes and buttons do, with a composition that a reader could hold."""

import numpy as np
import pytest

from musiclab import show
from musiclab.data import Piece
from musiclab.show.composer import NAMES


class Work:
    """Two bars of four voices; writing moves the lower voices to the seed."""

    def __init__(self):
        self.piece = Piece([[67, -1, -1, -1]] * 32)
        self.locked = np.array([[True, False, False, False]] * 2)
        self.past = []

    def lock(self, voice, bars):
        self.locked[bars[0] - 1, NAMES.index(voice)] = True

    def unlock(self, voice, bars):
        self.locked[bars[0] - 1, NAMES.index(voice)] = False

    def write(self, seed):
        if self.locked.all():
            raise ValueError("all of it is locked <here>")
        self.past.append(self.piece)
        voices = self.piece.voices.copy()
        voices[:, 1:] = 40 + seed
        self.piece = Piece(voices)

    def undo(self):
        if self.past:
            self.piece = self.past.pop()


@pytest.fixture
def work():
    return Work()


def test_boxes_are_the_locks(work):
    panel = show.composer(work)
    assert [panel.boxes["soprano", bar].value for bar in (1, 2)] == [True, True]
    panel.boxes["bass", 2].value = True
    panel.boxes["soprano", 1].value = False
    assert work.locked.tolist() == [[False, False, False, False], [True, False, False, True]]


def test_a_whole_voice_at_once(work):
    panel = show.composer(work)
    tenor = panel.children[2].children[0]
    assert tenor.description == "tenor"
    tenor.value = True
    assert work.locked[:, 2].all()
    assert panel.boxes["tenor", 1].value
    assert panel.boxes["tenor", 2].value


def test_write_and_undo(work):
    panel = show.composer(work, seed=7)
    panel.write.click()
    assert work.piece.voices[0].tolist() == [67, 47, 47, 47]
    assert panel.said.value == "Written with seed 7."
    panel.write.click()
    assert work.piece.voices[0, 1] == 48
    panel.undo.click()
    assert (work.piece.voices[0, 1], panel.said.value) == (47, "The piece before.")
    panel.undo.click()
    panel.undo.click()
    assert panel.said.value == "Nothing to undo."
    assert "<audio" in panel.children[-1].value


def test_what_is_refused_is_said_and_changes_nothing(work):
    panel = show.composer(work)
    for box in panel.boxes.values():
        box.value = True
    before = work.piece
    panel.write.click()
    assert panel.said.value == "Nothing was written: all of it is locked &lt;here&gt;"
    assert work.piece is before


def test_every_control_has_a_name(work):
    panel = show.composer(work)
    assert panel.boxes["alto", 2].description == "A2"
    assert panel.boxes["alto", 2].tooltip == "lock bar 2 of the alto"
