"""What the commands that train GANs store."""

import numpy as np
import pytest

from benchmarks import latent
from training import gans, weights


def test_arrays_are_stored_as_such(monkeypatch, tmp_path):
    monkeypatch.setitem(weights.MAKERS, "11_variants", lambda: {"steps": np.arange(3)})
    file = weights.make("11_variants", tmp_path)
    assert file.name == "11_variants.npz"
    with np.load(file) as stored:
        assert stored["steps"].tolist() == [0, 1, 2]


def test_steps_of_a_training():
    assert gans.count_steps({"epochs": 3, "batch_size": 32}, 70) == 6


@pytest.mark.parametrize(
    ("name", "row"), [("11_convolutional", "convolutional GAN"), ("11_recurrent", "LSTM GAN")]
)
def test_training_and_benchmark_use_the_same_schedule(monkeypatch, name, row):
    """Over all steps of the training, which the number of windows decides."""
    from musiclab.data.encodings import two_bars
    from musiclab.models.adversarial import gan

    class Stop(Exception):
        pass

    seen = []

    def compile_default(self, **arguments):
        if arguments:
            seen.append(arguments)
            raise Stop

    monkeypatch.setattr(gan.GAN, "compile_default", compile_default)
    monkeypatch.setattr(
        two_bars, "load_bars", lambda *args, **kwargs: np.zeros((70, 32, 4), np.int8)
    )
    for call in (lambda: gans.train_generator(name), lambda: latent.train_one(row, seed=0)):
        with pytest.raises(Stop):
            call()
    steps = gans.SETTINGS[name]["fit"]["epochs"] * (70 // 32)
    assert seen == 2 * [{**gans.SETTINGS[name]["compile_default"], "steps": steps}]


def test_windows_called_real():
    """Batch by batch, so that windows are compared in groups as in training."""

    class Model:
        def discriminator(self, x):
            assert x.shape == (32, 32, 4, 50)
            return x[:, 0, 0, 7] - 0.5

    windows = np.full((6, 32, 4), 7)
    windows[:3] = 8
    assert 0.4 < gans.share_called_real(Model(), windows) < 0.6
    assert gans.share_called_real(Model(), windows[:3]) == 0
