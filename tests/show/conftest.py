"""Music the tests of `musiclab.show` share, and a matplotlib that opens no windows."""

import matplotlib
import pytest

from musiclab.data import Piece

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def chorales():
    """Two real chorales: one in 3/4 with a pickup and ties over bar lines, one in F sharp minor."""
    from musiclab.data import load_chorales

    return [chorale for chorale in load_chorales() if chorale.bwv in ("bwv269", "bwv66.6")]


@pytest.fixture(scope="session")
def players(chorales):
    """A player for each of them."""
    from musiclab import show

    return [show.play(chorale, title=chorale.bwv) for chorale in chorales]


@pytest.fixture
def small():
    """Two voices in G: pickup, a tie over the bar line, F sharp by signature, F and C sharp by accidental, a rest."""
    upper = (
        [67] * 4
        + [71] * 4
        + [72] * 4
        + [73] * 2
        + [74] * 2
        + [66] * 4
        + [66] * 4
        + [-1] * 4
        + [65] * 4
    )
    lower = [55] * 8 + [52] * 4 + [50] * 12 + [47] * 8
    voices = [list(pair) for pair in zip(upper, lower)]
    onsets = [
        [s == 0 or u != upper[s - 1], s == 0 or low != lower[s - 1]]
        for s, (u, low) in enumerate(zip(upper, lower))
    ]
    onsets[20][0] = True  # a repeated note
    onsets = [[o and u >= 0, p] for (o, p), u in zip(onsets, upper)]
    spelling = [[{67: 1, 71: 5, 72: 0, 73: 7, 74: 2, 66: 6, 65: -1, -1: -128}[u], {55: 1, 52: 4, 50: 2, 47: 5}[low]]
                for u, low in voices]  # fmt: skip
    return Piece(voices, onsets, spelling=spelling, pickup=4, fermatas=[s == 16 for s in range(len(voices))],
                 key_signature=1, tonic=7, key_method="by hand", name="Small")  # fmt: skip
