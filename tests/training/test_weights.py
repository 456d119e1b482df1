"""Where trained weights are stored, in which kind of file, and what vouches for them."""

import numpy as np

from training import weights


class Generator:
    """A model that writes its own file, as the website's page reads it."""

    def to_file(self, file):
        file.write_bytes(b"weights")


def test_a_model_with_a_file_of_its_own_is_stored_in_a_new_folder(monkeypatch, tmp_path):
    monkeypatch.setitem(weights.MAKERS, "16_inpainting", Generator)
    file = weights.make("16_inpainting", tmp_path / "not" / "yet")
    assert file == tmp_path / "not" / "yet" / "16_inpainting.safetensors"
    assert file.read_bytes() == b"weights"


def test_a_keras_model_is_stored_in_a_new_folder(monkeypatch, tmp_path):
    from musiclab.models.adversarial.gan import DenseGAN
    from musiclab.training import load_model

    model = DenseGAN(latent=2, units=3)
    monkeypatch.setitem(weights.MAKERS, "10_dense", lambda: model)
    file = weights.make("10_dense", tmp_path / "new")
    assert file == tmp_path / "new" / "10_dense.keras"
    again = load_model(file, like=DenseGAN(latent=2, units=3))
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_only_the_course_s_own_weights_are_vouched_for(monkeypatch, tmp_path):
    from musiclab.data.files import storage

    recorded = []
    monkeypatch.setattr(storage, "record_checksum", recorded.append)
    monkeypatch.setitem(weights.MAKERS, "16_inpainting", Generator)
    weights.make("16_inpainting", tmp_path / "own")
    assert recorded == []
    monkeypatch.setattr(weights, "WEIGHTS", tmp_path / "shipped")
    file = weights.make("16_inpainting", tmp_path / "shipped")
    assert recorded == [file]
