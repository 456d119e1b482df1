"""The trainings behind lesson 11, with stand-ins that note how they are trained."""

from typing import ClassVar

import numpy as np
import pytest

from benchmarks import gans, weights
from musiclab import training
from musiclab.models import bars, gan


class StandIn:
    """Fits by noting what it is shown; writes that many windows of a constant."""

    made: ClassVar[list] = []

    def __init__(self, **settings):
        self.settings, self.shown = settings, []
        self.average, self.generator = "the average", self
        self.made.append(self)

    def recipe(self, calm_after):
        self.calm_after = calm_after

    def fit(self, x, batch_size, verbose):
        self.shown.append(x)

    def sample(self, n, seed):
        return np.full((n, 32, 4), len(self.shown), np.int8)


@pytest.fixture
def stand_ins(monkeypatch):
    StandIn.made = []
    windows = np.arange(40)[:, None, None] * np.ones((1, 32, 4), np.int8)
    monkeypatch.setattr(bars, "load_bars", lambda split, common_key: {("train", True): windows}[split, common_key])
    for kind in ("ConvGAN", "RecurrentGAN"):
        monkeypatch.setattr(gan, kind, StandIn)
    for name, value in {"LOOKS": 3, "STEPS": 2, "BATCH": 8, "SAMPLED": 5}.items():
        monkeypatch.setattr(gans, name, value)


def test_each_is_looked_at_as_often_and_shown_the_same(stand_ins):
    written = gans.removed()
    assert set(written) == {"steps", "not_averaged", *gans.REMOVED}
    assert written["steps"].tolist() == [2, 4, 6]
    for name in written.keys() - {"steps"}:
        assert written[name].shape == (3, 5, 32, 4)
        assert written[name][:, 0, 0, 0].tolist() == [1, 2, 3]
    assert [model.settings for model in StandIn.made] == list(gans.REMOVED.values())
    for model in StandIn.made:
        assert [len(x) for x in model.shown] == [16, 16, 16]
        np.testing.assert_array_equal(model.shown, StandIn.made[0].shown)


@pytest.mark.parametrize("name", gans.FULL)
def test_what_is_kept_of_a_full_run_is_the_average(stand_ins, monkeypatch, name):
    fitted = []
    monkeypatch.setattr(training, "train", lambda model, x, **settings: fitted.append((len(x), settings)))
    assert gans.trained(name) == "the average"
    kind, sizes, epochs = gans.FULL[name]
    assert fitted == [(40, {"epochs": epochs, "batch_size": 8, "title": kind})]
    assert StandIn.made[0].settings == sizes
    assert 0 < StandIn.made[0].calm_after < 5 * epochs


def test_arrays_are_stored_as_such(monkeypatch, tmp_path):
    monkeypatch.setitem(weights.MAKERS, "11_removed", lambda: {"steps": np.arange(3)})
    file = weights.make("11_removed", tmp_path)
    assert file.name == "11_removed.npz"
    with np.load(file) as stored:
        assert stored["steps"].tolist() == [0, 1, 2]
