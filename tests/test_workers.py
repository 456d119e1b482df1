"""Two workers take the steps of one; a checkpoint goes on as if nothing had happened; nothing hangs."""

import time

import keras
import numpy as np
import pytest

from musiclab import training, workers
from musiclab.models.autoencoders.vae import VAE
from musiclab.workers import WorkerError, train_on_workers, vae_loss


@pytest.fixture(scope="module")
def example():
    """A small VAE and windows of pitch and onset."""
    training.set_seed(3)
    x = np.stack(
        [
            np.random.default_rng(0).integers(0, 49, (48, 32, 4)),
            np.random.default_rng(1).integers(0, 2, (48, 32, 4)),
        ],
        axis=-1,
    ).astype(np.int32)
    return VAE(latent=2, quarter_units=4, hidden=4), x


SETTINGS = {"steps": 6, "batch_size": 16, "noise": 2, "learning_rate": 1e-2, "seed": 5}


@pytest.fixture(scope="module")
def one(example):
    model, x = example
    return train_on_workers(model, vae_loss, x, workers=1, **SETTINGS)


@pytest.fixture(scope="module")
def two(example):
    model, x = example
    return train_on_workers(model, vae_loss, x, workers=2, **SETTINGS)


def test_two_workers_take_the_steps_of_one(one, two):
    """Eq. (19.1) and Eq. (19.2)."""
    assert one.losses[-1] < one.losses[0]
    np.testing.assert_allclose(two.losses, one.losses, rtol=1e-6)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert len(one.memory_mb) == 1
    assert len(two.memory_mb) == 2
    assert all(100 < mb < 2000 for mb in two.memory_mb)
    assert two.seconds > 0


def test_the_first_loss_by_keras(example, one):
    """Eq. (19.2)."""
    model, x = example
    rows = workers.batch_rows(len(x), 16, 0, 5)
    noise = workers.sample_noise(rows, 0, 2, 5)
    assert one.losses[0] == pytest.approx(np.mean(vae_loss(model, x[rows], noise)), rel=1e-6)


def test_resumed_equals_uninterrupted(example, two, tmp_path):
    model, x = example
    file = tmp_path / "state.npz"
    first = train_on_workers(
        model, vae_loss, x, workers=2, checkpoint=file, **{**SETTINGS, "steps": 3}
    )
    then = train_on_workers(model, vae_loss, x, workers=2, checkpoint=file, **SETTINGS)
    np.testing.assert_allclose([*first.losses, *then.losses], two.losses, rtol=1e-6)
    for a, b in zip(then.weights, two.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_rows_and_noise_belong_to_step_and_sample():
    first = [workers.batch_rows(10, 4, step, seed=1) for step in (0, 1, 2)]
    assert len({*first[0].tolist(), *first[1].tolist()}) == 8  # a pass: no sample twice
    assert not np.array_equal(first[0], first[2])
    whole = workers.sample_noise(np.array([7, 2, 5, 9]), 3, 2, seed=1)
    halves = [workers.sample_noise(np.array(rows), 3, 2, seed=1) for rows in ([7, 2], [5, 9])]
    np.testing.assert_array_equal(whole, np.concatenate(halves))
    assert whole.dtype == np.float32
    assert workers.sample_noise(np.array([1]), 0, 0, seed=1).shape == (1, 0)


def failing_loss(model, x, noise):
    raise ArithmeticError("no loss today")


def endless_loss(model, x, noise):
    time.sleep(1000)


@pytest.mark.parametrize(
    ("loss", "timeout", "said"),
    [
        (failing_loss, 60, "worker . failed.*no loss today"),
        (endless_loss, 12, "not done after 12 s"),
    ],
)
def test_a_failing_or_hanging_worker_ends_all(example, loss, timeout, said, monkeypatch):
    model, x = example
    monkeypatch.setattr(workers, "_ROOT", workers.Path(__file__).resolve().parents[1])
    start = time.monotonic()
    with pytest.raises(WorkerError, match=f"(?s){said}"):
        train_on_workers(model, loss, x, workers=2, timeout=timeout, **SETTINGS)
    assert time.monotonic() - start < timeout + 10


def test_bad_input(example):
    model, x = example
    with pytest.raises(ValueError, match="batches of 15 of 48 samples on 2 workers"):
        train_on_workers(model, vae_loss, x, batch_size=15)
    with pytest.raises(ValueError, match="no batch larger"):
        train_on_workers(model, vae_loss, x, batch_size=64)

    def local(model, x, noise):
        return keras.ops.sum(x)

    local.__module__ = "__main__"
    with pytest.raises(ValueError, match="must stand in a module"):
        train_on_workers(model, local, x, batch_size=16)
