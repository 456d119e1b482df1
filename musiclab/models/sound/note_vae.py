"""Conditional variational autoencoder of single notes: key given, timbre in a few latent dimensions."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data.encodings.note_sound import FLOOR, FRAMES, HARMONICS, audible
from musiclab.models.autoencoders import elbo

__all__ = ["NoteVAE", "key_input", "to_db", "to_unit"]

MIDDLE, RANGE = -40.0, 40.0  # dB: -80 to 0 dB become -1 to 1


def to_unit(db) -> np.ndarray:
    """Levels from -80 to 0 dB to numbers from -1 to 1.

    >>> to_unit([-80.0, 0.0]).tolist()
    [-1.0, 1.0]
    """
    return ((np.asarray(db) - MIDDLE) / RANGE).astype(np.float32)


def to_db(x) -> np.ndarray:
    """The inverse of :func:`to_unit`, not below FLOOR."""
    return np.maximum(RANGE * np.asarray(x) + MIDDLE, FLOOR)


def key_input(key) -> np.ndarray:
    """MIDI pitch as a network's input, in octaves from middle C: float32 (..., 1).

    >>> key_input([48, 66]).tolist()
    [[-1.0], [0.5]]
    """
    return ((np.asarray(key, np.float32) - 60) / 12)[..., None]


@keras.saving.register_keras_serializable(package="musiclab")
class NoteVAE(keras.Model):
    """VAE of the harmonics of a note over time, given its key.

    Source: Kingma and Welling 2014; conditional: Sohn, Lee and Yan 2015.

    Args:
      latent: Z, dimensions of the code. hidden: units of each hidden layer.

    >>> NoteVAE(latent=2, hidden=8).sample([60, 72], seed=0).shape
    (2, 16, 24)
    """

    def __init__(self, latent=2, hidden=128, **kwargs):
        super().__init__(**kwargs)
        self.sizes = {"latent": latent, "hidden": hidden}
        self.encoder = _dense(FRAMES * HARMONICS + 1, hidden, 2 * latent)
        self.decoder = _dense(latent + 1, hidden, FRAMES * HARMONICS)
        self.log_sigma_x = self.add_weight(name="log_sigma_x", initializer="zeros")
        self.seed_generator = keras.random.SeedGenerator(0)
        self.means = {name: keras.metrics.Mean(name) for name in ("loss", "rmse_db", "kl")}
        self.built = True
        self.compile(optimizer=keras.optimizers.Adam(3e-3))

    @property
    def metrics(self):
        """Means over notes: "loss", "rmse_db" and "kl"."""
        return list(self.means.values())

    def infer(self, x, key):
        """Encoder: levels (B, T, K) and key (B, 1) to mu and log sigma of q(z | x), (B, Z) each."""
        flat = ops.reshape(x, (-1, FRAMES * HARMONICS))
        mu, log_sigma = ops.split(self.encoder(ops.concatenate([flat, key], -1)), 2, axis=-1)
        return mu, ops.clip(log_sigma, -6.0, 2.0)

    def expected(self, z, key):
        """Decoder: codes (B, Z) and key (B, 1) to expected levels (B, T, K)."""
        return ops.reshape(self.decoder(ops.concatenate([z, key], -1)), (-1, FRAMES, HARMONICS))

    def log_p(self, x, y, mask):
        """Log-likelihood of levels x (B, T, K) around y, over the harmonics that can sound.

        Equation: (18.8)

        Args:
          x, y: levels and expected levels. mask: 1 where a harmonic lies below half the rate.

        Returns:
          (B,), nats per note, of a density of levels in units of RANGE dB.
        """
        squares = ((x - y) / ops.exp(self.log_sigma_x)) ** 2
        terms = -0.5 * squares - self.log_sigma_x - 0.5 * np.log(2 * np.pi)
        return ops.sum(mask * terms, axis=(1, 2))  # Eq. (18.8)

    def negative_elbo(self, x, key, mask):
        """The loss, minus the ELBO averaged over the batch; one code per note."""
        mu, log_sigma = self.infer(x, key)
        epsilon = keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        y = self.expected(elbo.reparameterise(mu, log_sigma, epsilon), key)
        kl = ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1)  # (B,)
        loss = ops.mean(kl - self.log_p(x, y, mask))
        mse = ops.sum(mask * (x - y) ** 2) / ops.sum(mask)
        for name, value in (("loss", loss), ("rmse_db", RANGE * ops.sqrt(mse)), ("kl", kl)):
            self.means[name].update_state(value)
        return loss

    def train_step(self, data):
        """One update from a mini-batch; Keras' ``fit`` calls it."""
        (x, key, mask), _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = self.negative_elbo(x, key, mask)  # forward pass
        gradients = tape.gradient(loss, self.trainable_weights)  # backward pass
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        return self.get_metrics_result()

    def fit(self, x, y, epochs=1, **kwargs):
        """Train on levels in dB (n, T, K) of keys y, MIDI pitches (n,); as Keras' ``fit``."""
        return super().fit(_inputs(x, y), epochs=epochs, **kwargs)

    def encode(self, x, key) -> np.ndarray:
        """Levels in dB (n, T, K) and MIDI pitches (n,) to means of q(z | x), float32 (n, Z)."""
        unit, condition, _ = _inputs(x, key)
        return np.asarray(self.infer(unit, condition)[0])

    def decode(self, z, key) -> np.ndarray:
        """Codes (n, Z) and MIDI pitches (n,) to levels in dB (n, T, K)."""
        y = np.asarray(self.expected(ops.cast(z, "float32"), key_input(key)))
        return np.where(audible(key)[:, None], to_db(y), FLOOR)

    def sample(self, key, seed: int) -> np.ndarray:
        """A note with a new timbre for each MIDI pitch (n,): levels in dB (n, T, K)."""
        shape = (len(key), self.sizes["latent"])
        return self.decode(np.random.default_rng(seed).standard_normal(shape), np.asarray(key))

    def log_likelihood(self, x, key, draws: int = 64, seed: int = 0) -> np.ndarray:
        """Importance-weighted lower bound of ln p(x | key), float (n,), nats per note."""
        unit, condition, mask = _inputs(x, key)
        mu, log_sigma = self.infer(unit, condition)
        noise = np.random.default_rng(seed).standard_normal((draws, *mu.shape), np.float32)
        z = elbo.reparameterise(mu, log_sigma, noise)  # (K, n, Z)
        log_p = ops.stack([self.log_p(unit, self.expected(one, condition), mask) for one in z])
        return np.asarray(elbo.importance_weighted_bound(log_p, z, mu, log_sigma))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.sizes}


def _dense(inputs, hidden, outputs):
    layers = [
        keras.layers.Dense(hidden, "relu"),
        keras.layers.Dense(hidden, "relu"),
        keras.layers.Dense(outputs),
    ]
    network = keras.Sequential(layers)
    network.build((None, inputs))
    return network


def _inputs(x, key):
    x, key = np.asarray(x), np.asarray(key)
    if x.ndim != 3 or x.shape[1:] != (FRAMES, HARMONICS) or key.shape != (len(x),):
        raise ValueError(
            f"levels of shape {x.shape} and keys of {key.shape}: need (n, {FRAMES}, {HARMONICS}) "
            "and (n,)"
        )
    mask = np.repeat(audible(key)[:, None], FRAMES, axis=1).astype(np.float32)
    return to_unit(x) * mask, key_input(key), mask
