"""Variational autoencoder (VAE) of two-bar windows.

The encoder maps a window x to a Gaussian q(z | x) = N(mu, sigma^2) over codes z, the decoder maps a
code to probabilities p(x | z), and the prior is p(z) = N(0, 1). Training maximises the ELBO.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data.encodings.two_bars import (
    PITCHES,
    STEPS,
    VOICES,
    check_symbols,
    from_pitch_and_onset,
    to_pitch_and_onset,
)
from musiclab.models.autoencoders import elbo
from musiclab.training import WarmUpCosineDecay, in_batches

__all__ = ["VAE", "ElboTerms", "KLWarmUp", "Posterior"]

QUARTERS = STEPS // 4  # four steps, one quarter note, are read and written together
FEATURES = PITCHES + 1  # for each voice and step: one-hot pitch, and onset


class Posterior(NamedTuple):
    """Mean and standard deviation of q(z | x) for each window, float32 (N, Z) both."""

    mu: np.ndarray
    sigma: np.ndarray


class ElboTerms(NamedTuple):
    """The ELBO and its two terms, float32 (N,), nats per window; elbo = reconstruction - kl."""

    elbo: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


@keras.saving.register_keras_serializable(package="musiclab")
class VAE(keras.Model):
    """Variational autoencoder of two-bar windows: symbols, int (N, T, V) with T = 32 and V = 4.

    The networks work on pitch and onset at every step (``pairs`` in the code), which
    :func:`musiclab.data.encodings.two_bars.to_pitch_and_onset` makes of symbols.

    Equation: (5.6)
    Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014; beta: Higgins and
      others, ICLR 2017.

    Args:
      latent: Z, dimensions of the code.
      quarter_units: units of the layer that all quarters share.
      hidden: units of the layer for the whole window.
      beta: weight of the KL term in the loss; 1 is the ELBO, 0 a plain autoencoder.

    Raises:
      ValueError: if a size is below 1, or beta negative or not finite.

    >>> model = VAE(latent=2, quarter_units=3, hidden=4)
    >>> model.sample(5, seed=0).shape, model.encode(model.sample(5, seed=0)).mu.shape
    ((5, 32, 4), (5, 2))
    """

    def __init__(self, latent=64, quarter_units=128, hidden=256, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= beta < float("inf"):
            raise ValueError(f"beta={beta}: the weight of the KL term is 0 or more")
        self.sizes = {"latent": latent, "quarter_units": quarter_units, "hidden": hidden}
        self.beta = float(beta)
        per_quarter = STEPS // QUARTERS * VOICES * FEATURES
        self.encoder = keras.Sequential(
            [
                keras.layers.Reshape((QUARTERS, per_quarter)),  # (B, 8, 800)
                keras.layers.Dense(quarter_units, "relu"),  # (B, 8, quarter_units)
                keras.layers.Flatten(),
                keras.layers.LayerNormalization(),
                keras.layers.Dense(hidden, "relu"),  # (B, hidden)
                keras.layers.Dense(2 * latent),  # (B, 2 Z): mu, then log sigma
            ]
        )
        self.encoder.build((None, STEPS, VOICES, FEATURES))
        self.decoder = keras.Sequential(
            [
                keras.layers.Dense(hidden, "relu"),  # (B, hidden)
                keras.layers.LayerNormalization(),
                keras.layers.Dense(QUARTERS * quarter_units, "relu"),
                keras.layers.Reshape((QUARTERS, quarter_units)),  # (B, 8, quarter_units)
                keras.layers.Dense(per_quarter),  # (B, 8, 800)
                keras.layers.Reshape((STEPS, VOICES, FEATURES)),  # (B, T, V, 50): logits
            ]
        )
        self.decoder.build((None, latent))
        self.seed_generator = keras.random.SeedGenerator(0)
        self.loss_mean = keras.metrics.Mean("loss")
        self.reconstruction_mean = keras.metrics.Mean("reconstruction")
        self.kl_mean = keras.metrics.Mean("kl")
        # the share of beta in force, which KLWarmUp raises from 0 to 1
        self.kl_weight = self.add_weight(name="kl_weight", initializer="ones", trainable=False)
        self.built = True
        self.compile_default()

    def compile_default(self, learning_rate=3e-3):
        """Compile with AdamW; :meth:`fit` adds warm-up and decay of its learning rate."""
        optimizer = keras.optimizers.AdamW(
            learning_rate, weight_decay=1e-3, beta_2=0.99, global_clipnorm=100.0
        )
        optimizer.exclude_from_weight_decay(
            [v for v in self.trainable_variables if len(v.shape) < 2]
        )
        self.compile(optimizer=optimizer, jit_compile=True)

    # Loss and training step, on tensors of pitch and onset (B, T, V, 2)

    def infer(self, pairs):
        """Encoder: pitch and onset (B, T, V, 2) to mu and log sigma of q(z | x), (B, Z) each."""
        one_hot = ops.one_hot(pairs[..., 0], PITCHES)  # (B, T, V, 49)
        onset = ops.cast(pairs[..., 1:], "float32")  # (B, T, V, 1)
        mu, log_sigma = ops.split(self.encoder(ops.concatenate([one_hot, onset], -1)), 2, axis=-1)
        return mu, ops.clip(log_sigma, -6.0, 2.0)

    def call(self, pairs):
        """Pitch and onset (B, T, V, 2) to mu, log sigma and the logits for one sample of z."""
        mu, log_sigma = self.infer(pairs)  # (B, Z)
        epsilon = keras.random.normal(ops.shape(mu), dtype=mu.dtype, seed=self.seed_generator)
        z = elbo.reparameterise(mu, log_sigma, epsilon)  # (B, Z)
        return mu, log_sigma, self.decoder(z)  # logits (B, T, V, 50)

    def negative_elbo(self, pairs):
        """The loss: minus the ELBO with beta, averaged over the batch; one sample of z per window."""
        mu, log_sigma, logits = self(pairs)
        reconstruction = _log_p(pairs, logits)  # (B,)
        kl = ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1)  # (B,)
        loss = ops.mean(-reconstruction + self.beta * self.kl_weight * kl)  # Eq. (5.6)
        self.loss_mean.update_state(loss, sample_weight=ops.shape(kl)[0])
        self.reconstruction_mean.update_state(-reconstruction)
        self.kl_mean.update_state(kl)
        return loss

    @property
    def metrics(self):
        """Means over windows that a history shows: "loss", "reconstruction" and "kl"."""
        return [self.loss_mean, self.reconstruction_mean, self.kl_mean]

    def train_step(self, data):
        """One update of all weights from a mini-batch; Keras' ``fit`` calls it."""
        pairs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = self.negative_elbo(pairs)  # forward pass
        gradients = tape.gradient(loss, self.trainable_weights)  # backward pass
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))  # AdamW step
        return self.get_metrics_result()

    def test_step(self, data):
        """The loss on a held-out mini-batch; Keras' ``fit`` and ``evaluate`` call it."""
        pairs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.negative_elbo(pairs)
        return self.get_metrics_result()

    def fit(self, x, y=None, validation_data=None, epochs=1, callbacks=None, **kwargs):
        """Train on windows of symbols; one call is one whole training.

        The learning rate warms up and decays, and the KL term comes in over the first half.

        Args:
          x: int (N, T, V). validation_data: held-out windows, or None.
          epochs, callbacks, **kwargs: as Keras.

        Returns:
          Keras' history of :attr:`metrics`, in nats per window.

        Raises:
          ValueError: if x holds no such windows, or y is given.
        """
        if y is not None:
            raise ValueError("a VAE learns the windows themselves: pass no y")
        if validation_data is not None:
            validation_data = (_pitch_and_onset(validation_data),)
        return super().fit(
            _pitch_and_onset(x),
            validation_data=validation_data,
            epochs=epochs,
            callbacks=[*(callbacks or []), WarmUpCosineDecay(), KLWarmUp()],
            **kwargs,
        )

    # Encoding, decoding and sampling, on arrays of symbols (N, T, V)

    def encode(self, x) -> Posterior:
        """Windows of symbols (N, T, V) to mean and standard deviation of q(z | x), (N, Z) each."""
        mu, log_sigma = in_batches(self.infer, _pitch_and_onset(x))
        return Posterior(mu, np.exp(log_sigma))

    def decode(self, z) -> np.ndarray:
        """Codes (N, Z) to the most likely symbol of each voice and step, int8 (N, T, V)."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or len(z) == 0 or z.shape[1] != self.sizes["latent"]:
            raise ValueError(
                f"codes have shape {z.shape}: need (N, {self.sizes['latent']}), N at least 1"
            )
        logits = in_batches(self.decoder, z)  # (N, T, V, 50)
        pitch = logits[..., :PITCHES].argmax(axis=-1)
        return from_pitch_and_onset(np.stack([pitch, logits[..., PITCHES] > 0], axis=-1))

    def reconstruct(self, x) -> np.ndarray:
        """Decode the means of q(z | x): windows of symbols (N, T, V) to int8 (N, T, V)."""
        return self.decode(self.encode(x).mu)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Decode n codes drawn from the prior.

        Args:
          n: how many, at least 1. seed: for the codes.

        Returns:
          int8 (n, T, V), the most likely symbols. To draw the symbols as well would only add noise:
          given z, the decoder treats all voices and steps as independent.
        """
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.sizes["latent"])))

    def interpolate(self, a, b, n: int = 7) -> np.ndarray:
        """Decode n codes in equal steps on the straight line from one window's code to another's.

        Equation: (5.8)

        Args:
          a, b: windows of symbols, int (T, V). n: how many, both ends included.

        Returns:
          int8 (n, T, V); the first is the reconstruction of a, the last that of b.
        """
        mu_a, mu_b = self.encode(np.stack([a, b])).mu  # (Z,) each
        alpha = np.linspace(0, 1, n)[:, None]  # (n, 1)
        return self.decode((1 - alpha) * mu_a + alpha * mu_b)  # Eq. (5.8)

    # Bounds of the log-likelihood

    def posterior_draws(self, x, draws: int, seed: int) -> tuple[np.ndarray, ...]:
        """Draw K codes from q(z | x) for each window, and score the window given each.

        Args:
          x: symbols (N, T, V). draws: K. seed: for the codes.

        Returns:
          ln p(x | z) (K, N) in nats, the codes z (K, N, Z), and mu and log sigma (N, Z).

        Raises:
          ValueError: if x holds no such windows, or draws is below 1.
        """
        if draws < 1:
            raise ValueError(f"{draws} draws: need at least 1")
        pairs, rng = _pitch_and_onset(x), np.random.default_rng(seed)
        mu, log_sigma = in_batches(self.infer, pairs)
        epsilon = rng.standard_normal((draws, *mu.shape), np.float32)
        z = np.asarray(elbo.reparameterise(mu, log_sigma, epsilon))  # (K, N, Z)
        window = np.tile(np.arange(len(pairs)), draws)  # (K N,): which window each code belongs to
        log_p = in_batches(
            lambda i, code: _log_p(pairs[i], self.decoder(code)), window, z.reshape(len(window), -1)
        )
        return log_p.reshape(draws, -1), z, mu, log_sigma

    def elbo(self, x, draws: int = 1, seed: int = 0) -> ElboTerms:
        """Estimate the ELBO of each window, with beta = 1; in expectation at most ln p(x).

        Args:
          x: symbols (N, T, V).
          draws: K, codes for each window, over which the reconstruction is averaged.
          seed: for the codes.

        Returns:
          The ELBO and its terms in nats per window: summed over steps, voices and dimensions.
        """
        log_p, _, mu, log_sigma = self.posterior_draws(x, draws, seed)
        kl = np.asarray(ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1))
        return ElboTerms(np.asarray(elbo.elbo(log_p, mu, log_sigma)), log_p.mean(axis=0), kl)

    def log_likelihood(self, x, draws: int = 64, seed: int = 0) -> np.ndarray:
        """Importance-weighted lower bound of ln p(x), tighter than the ELBO.

        Args:
          x: symbols (N, T, V). draws: K, codes for each window. seed: for the codes.

        Returns:
          float32 (N,), nats per window: summed over its steps and voices.
        """
        return np.asarray(elbo.importance_weighted_bound(*self.posterior_draws(x, draws, seed)))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.sizes, "beta": self.beta}


class KLWarmUp(keras.callbacks.Callback):
    """Raise the weight of the KL term from 0 to 1 over the first half of the steps.

    Otherwise the KL term would push all posteriors to the prior before codes carry information.
    """

    def on_train_begin(self, logs=None):
        """Start counting steps."""
        self.step, self.half = 0, 0.5 * self.params["epochs"] * self.params["steps"]

    def on_train_batch_begin(self, batch, logs=None):
        """Set the weight for this step."""
        self.model.kl_weight.assign(min(1.0, self.step / self.half))
        self.step += 1

    def on_train_end(self, logs=None):
        """Leave the full weight."""
        self.model.kl_weight.assign(1.0)


def _log_p(pairs, logits):
    return elbo.log_p_given_z(
        pairs[..., 0], pairs[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
    )


def _pitch_and_onset(x):
    symbols = check_symbols(x)
    if symbols.shape[1:] != (STEPS, VOICES):
        raise ValueError(f"windows have shape {symbols.shape[1:]}: need ({STEPS}, {VOICES})")
    return to_pitch_and_onset(symbols)
