"""What is asked of the inpainting network: the counting, on pieces whose mood is known, and the committed rows."""

import json

import numpy as np
import pytest

from benchmarks import control
from benchmarks.record import RESULTS
from musiclab.data import Piece
from musiclab.data.encodings.cells import encode_cells, encode_form, encode_mood


def busier(bars):
    """Bars that strike more and more notes; the last one is dissonant, too."""
    onsets = np.zeros((16 * bars, 4), bool)
    for bar in range(bars):
        onsets[16 * bar : 16 * (bar + 1) : 16 >> bar] = True
    voices = np.tile([72, 67, 64, 48], (16 * bars, 1))
    voices[-16:, 1] = 71  # a second to the soprano
    return Piece(voices, onsets | (np.diff(voices, axis=0, prepend=-2) != 0))


def test_a_wish_that_is_met_is_counted_as_met():
    piece = busier(4)
    form = encode_form(piece)
    classes, tension = encode_mood(piece, encode_cells(piece), form)[::8, 0], np.array([1, 1, 1, 2])
    found = control.met([piece], [form], [(classes, tension)])
    assert found["density_in_class"] == 1
    rising = control.met([piece], [form], [(np.arange(4), tension)])
    falling = control.met([piece], [form], [(np.arange(4)[::-1], tension[::-1])])
    assert rising["density_spearman"] == rising["tension_spearman"] == pytest.approx(1)
    assert falling["density_spearman"] == pytest.approx(-1)
    assert falling["tension_spearman"] < 0


def test_wishes_are_one_for_each_bar_and_of_every_class():
    forms = [encode_form(busier(3)), encode_form(Piece([[60]] * 16 * 200))]
    first, second = control.asked(forms, seed=1)
    assert [len(one) for one in (*first, *second)] == [3, 3, 200, 200]
    assert set(second[0]) == {1, 2, 3, 4}
    assert set(second[1]) == {1, 2, 3}
    assert control.asked(forms, 1)[1][0].tolist() == second[0].tolist()
    assert control.asked(forms, 2)[1][0].tolist() != second[0].tolist()


def test_a_mode_is_heard_as_the_key_finder_hears_it():
    major = Piece(np.repeat([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60, 60], 4))
    assert control.heard_as([major, major], "major") == 1
    assert control.heard_as([major, Piece([-1] * 16)], "major") == 0.5
    assert control.heard_as([major], "minor") == 0


def test_the_committed_rows_reach_the_targets():
    result = json.loads((RESULTS / "control.json").read_text(encoding="utf-8"))
    rows = {row["what"]: row for row in result["rows"]}
    assert set(control.ROWS) == set(rows)
    assert result["seed"] == list(control.SEEDS)
    best = rows["mood, w = 4, 120 sweeps"] | rows["mode, lesson 16"]
    for measure, target in result["targets"].items():
        assert best[measure] >= float(target.removeprefix(">= ")), measure
