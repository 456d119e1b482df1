"""Seeds, progress, histories, and models written whole and read warily."""

import io
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from musiclab import training
from musiclab.data import DataError
from musiclab.models.autoencoders.autoencoder import Autoencoder, squared_error

X = np.random.default_rng(0).integers(0, 2, size=(12, 3, 4)).astype(np.float32)


def model(rate=0.01, **settings):
    training.set_seed(0)
    one = Autoencoder((3, 4), **{"h1": 2, "h2": 5, **settings})
    one.compile(keras.optimizers.Adam(rate), loss=squared_error, jit_compile=False)
    return one


def test_a_seed_fixes_weights_shuffles_and_global_generators():
    import random

    def draw(seed):
        training.set_seed(seed)
        return [random.random(), np.random.random(), *keras.random.normal((2,)).numpy()]  # noqa: NPY002

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)
    runs = [training.train(model(), X, epochs=3, batch_size=4)["loss"] for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        training.set_seed(seed)


def test_history_is_plain_numbers():
    history = training.train(model(), X, held_out=X[:4], epochs=3, batch_size=4)
    assert set(history) == {"loss", "val_loss", "seconds"}
    assert len(history["loss"]) == len(history["val_loss"]) == 3
    assert {type(v) for v in [*history["loss"], *history["val_loss"], history["seconds"]]} == {
        float
    }


def test_train_names_what_is_missing_or_exploded():
    with pytest.raises(ValueError, match="compile"):
        training.train(Autoencoder(3), X)
    with pytest.raises(ValueError, match="lower the learning rate"):
        training.train(model(rate=1e30), X, epochs=5)


def fit_with(progress, capsys, epochs=2):
    model().fit(X, epochs=epochs, verbose=0, callbacks=[progress])
    return capsys.readouterr().out


def test_short_training_leaves_no_output(capsys):
    assert fit_with(training.Progress(after=1000), capsys) == ""


class Slow(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(0.21)


def test_a_pipe_gets_one_line(capsys):
    model().fit(
        X, epochs=2, verbose=0, callbacks=[Slow(), training.Progress("autoencoder", after=0)]
    )
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith("autoencoder: 2 passes in ")
    assert "loss" in out
    assert "\r" not in out


def test_a_terminal_sees_it_grow_on_one_line(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    model().fit(
        X, epochs=3, batch_size=6, verbose=0, callbacks=[Slow(), training.Progress(after=0)]
    )
    out = sys.stdout.getvalue()
    assert out.count("\n") == 1
    assert out.count("\r") >= 3
    assert "%" in out.split("\r")[1]
    assert "3 passes" in out.split("\r")[-1]


def test_a_notebook_updates_one_output(monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown[-1] = data["text/plain"]

    import IPython.display

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setattr(training, "_in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", display)
    model().fit(X, epochs=2, verbose=0, callbacks=[Slow(), training.Progress(after=0)])
    assert len(shown) == 1
    assert shown[0].startswith("training: 2 passes")


def test_saved_and_loaded_it_is_the_same(tmp_path):
    one = model()
    training.save_model(one, tmp_path / "a.keras")
    again = training.load_model(tmp_path / "a.keras", like=model())
    np.testing.assert_array_equal(again.reconstruct(X), one.reconstruct(X))
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "a.keras"
    training.save_model(model(), file)
    before = file.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        training.save_model(model(h1=1), file)
    assert file.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]


def test_the_ending_says_the_format(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        training.save_model(model(), tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"h1": 1}, "h1 is 1 there, 2 here"),
        ({"code": "h2"}, "code is 'h2' there, 'h1' here"),
        ({"f2": "tanh"}, "f2"),
    ],
)
def test_another_architecture_is_refused(tmp_path, settings, words):
    training.save_model(model(**settings), tmp_path / "a.keras")
    with pytest.raises(DataError, match=words):
        training.load_model(tmp_path / "a.keras", like=model())


def test_another_kind_of_model_is_refused(tmp_path):
    training.save_model(
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), tmp_path / "a.keras"
    )
    with pytest.raises(DataError, match="a Sequential is stored, a Autoencoder was expected"):
        training.load_model(tmp_path / "a.keras", like=model())


def test_other_shapes_are_refused_where_the_configuration_says_nothing(tmp_path):
    def plain(n):
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(n)])

    training.save_model(plain(2), tmp_path / "a.keras")
    with pytest.raises(DataError, match=r"\(3, 2\).*\(3, 4\)"):
        training.load_model(tmp_path / "a.keras", like=plain(4))


@pytest.mark.parametrize("harm", ["truncated", "flipped", "empty", "text"])
def test_damage_is_named(tmp_path, harm):
    file = tmp_path / "a.keras"
    training.save_model(model(h1=60, h2=60), file)
    raw = file.read_bytes()
    middle = len(raw) // 2
    file.write_bytes(
        {
            "truncated": raw[:middle],
            "flipped": raw[:middle]
            + bytes(b ^ 255 for b in raw[middle : middle + 64])
            + raw[middle + 64 :],
            "empty": b"",
            "text": b"not a model",
        }[harm]
    )
    with pytest.raises(DataError, match=r"a\.keras is damaged"):
        training.load_model(file, like=model(h1=60, h2=60))


def test_missing_files_and_unfinite_weights_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.keras can't be read"):
        training.load_model(tmp_path / "none.keras", like=model())
    with pytest.raises(DataError, match="no data file"):
        training.load_model("weights/none.keras", like=model())
    broken = model()
    broken.third.bias.assign(np.full(12, np.nan))
    training.save_model(broken, tmp_path / "a.keras")
    with pytest.raises(DataError, match="not finite"):
        training.load_model(tmp_path / "a.keras", like=model())


def test_code_in_a_file_is_not_run(tmp_path):
    trap = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    training.save_model(trap, tmp_path / "a.keras")
    with pytest.raises(DataError, match="damaged or no saved model"):
        training.load_model(tmp_path / "a.keras", like=model())


def test_a_shipped_file_must_match_its_checksum(tmp_path, monkeypatch):
    data = tmp_path / "data"
    training.save_model(model(), data / "a.keras")
    (data / "jsb_split.csv").touch()  # by which the data folder is known
    (data / "SHA256SUMS").write_text(f"{'0' * 64}  a.keras\n", encoding="utf-8")
    monkeypatch.setattr(
        "musiclab.data.files.storage._HERE",
        Path(tmp_path / "musiclab" / "data" / "files" / "storage.py"),
    )
    with pytest.raises(DataError, match="checksum"):
        training.load_model("a.keras", like=model())


@pytest.mark.parametrize("together", [1, 4])
def test_learning_rate_warms_up_and_decays_whatever_keras_executes_together(together):
    rates = {}

    class Recorder(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.first = epoch * 10

        def on_train_batch_begin(self, batch, logs=None):
            rates[self.first + batch] = float(self.model.optimizer.learning_rate)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), loss="mse", steps_per_execution=together)
    callbacks = [training.WarmUpCosineDecay(warm_up=0.25), Recorder()]
    model.fit(np.zeros((10, 1)), np.zeros(10), 1, epochs=2, verbose=0, callbacks=callbacks)
    steps = [0, 4, 8, 10, 14, 18] if together == 4 else list(range(20))
    assert list(rates) == steps
    for step in steps:
        cosine = 0.51 + 0.49 * np.cos(np.pi * step / 20)
        assert rates[step] == pytest.approx(0.5 * min(1, (step + 1) / 5) * cosine, rel=1e-5)
    assert float(model.optimizer.learning_rate) == 0.5
