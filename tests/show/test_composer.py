"""The panel for composing: what its boxes and buttons do, with a composition that a reader could hold."""

import numpy as np
import pytest

from musiclab import show
from musiclab.data import Piece
from musiclab.models.attention.composing import Composition, LockError


class Network:
    """Writes the seed into all cells that are free."""

    def sample(self, piece, seed, free, mood):
        free = np.repeat(free, 2, axis=0)
        return piece.with_(
            voices=np.where(free, 40 + seed, piece.voices), onsets=None, spelling=None
        )


@pytest.fixture
def work():
    return Composition(Network(), Piece([[67]] * 32))


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
    panel.boxes["tenor", 2].value = False
    assert work.locked[:, 2].tolist() == [True, False]
    assert not tenor.value
    panel.boxes["tenor", 2].value = True
    assert tenor.value


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
    assert panel.said.value.startswith("Nothing was written: all of it is locked: unlock a voice")
    assert work.piece is before


def test_what_an_error_says_is_text_and_not_a_page(work, monkeypatch):
    def refuse(seed):
        raise LockError("locked <here>")

    panel = show.composer(work)
    monkeypatch.setattr(work, "write", refuse)
    panel.write.click()
    assert panel.said.value == "Nothing was written: locked &lt;here&gt;"


def test_the_panel_follows_the_cells(work):
    panel, other = show.composer(work, seed=7), show.composer(work)
    work.lock("bass", bars=[2])
    work.unlock("soprano", bars=1)
    for one in (panel, other):
        assert one.boxes["bass", 2].value
        assert not one.boxes["soprano", 1].value
        assert not one.children[0].children[0].value  # the whole soprano
    assert work.locked.tolist() == [[False] * 4, [True, False, False, True]]
    panel.write.click()
    assert work.piece.voices[[0, -1]].tolist() == [[47] * 4, [67, 47, 47, -1]]
    assert panel.children[-1].value == other.children[-1].value
    shown = panel.children[-1].value
    work.write(seed=3)
    assert work.piece.voices[0, 0] == 43
    assert panel.children[-1].value == other.children[-1].value != shown
    assert panel.said.value.startswith("Tab moves on")
    work.undo()
    panel.undo.click()
    assert work.piece.voices[0].tolist() == [67, -1, -1, -1]


def test_every_control_has_a_name(work):
    panel = show.composer(work)
    assert panel.boxes["alto", 2].description == "A2"
    assert panel.boxes["alto", 2].tooltip == "lock bar 2 of the alto"
