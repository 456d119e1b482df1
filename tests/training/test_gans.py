"""What the commands that train GANs store."""

import numpy as np

from training import weights


def test_arrays_are_stored_as_such(monkeypatch, tmp_path):
    monkeypatch.setitem(weights.MAKERS, "11_removed", lambda: {"steps": np.arange(3)})
    file = weights.make("11_removed", tmp_path)
    assert file.name == "11_removed.npz"
    with np.load(file) as stored:
        assert stored["steps"].tolist() == [0, 1, 2]
