"""A variational autoencoder of two-bar windows: each becomes a little Gaussian cloud instead of a point.

Lessons: 05.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from musiclab.data.encodings import two_bars
from musiclab.data.encodings.two_bars import PITCHES, from_pitch_and_onset, to_pitch_and_onset
from musiclab.models.autoencoders import elbo
from musiclab.models.autoencoders.vae_networks import (
    decoder,
    encoder,
    features,
    in_batches,
    likeliest,
)
from musiclab.training import WarmUpCosineDecay

__all__ = ["VAE", "Bound", "Code", "KLWarmUp"]


class Code(NamedTuple):
    """Each window's own Gaussian: mean and standard deviation, float32 (n, Z) both."""

    mu: np.ndarray
    sigma: np.ndarray


class Bound(NamedTuple):
    """The ELBO and its two terms, float32 (n,), nats per window; elbo = reconstruction - kl."""

    elbo: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


class KLWarmUp(keras.callbacks.Callback):
    """Let the weight of the KL term rise from 0 over the first steps: codes first learn to say something.

    Lesson: 05

    Args:
      share: of all steps spent rising.
    """

    def __init__(self, share=0.5):
        super().__init__()
        self.share = share

    def on_train_begin(self, logs=None):
        """Count anew."""
        self.step, self.steps = 0, self.params["epochs"] * self.params["steps"]

    def on_train_batch_begin(self, batch, logs=None):
        """Set the share of beta that counts in this step."""
        self.model.pressure.assign(min(1.0, self.step / (self.share * self.steps)))
        self.step += 1

    def on_train_end(self, logs=None):
        """From now on all of it."""
        self.model.pressure.assign(1.0)


@keras.saving.register_keras_serializable(package="musiclab")
class VAE(keras.Model):
    """q(z | x) = N(mu, sigma^2) from an encoder, p(x | z) from a decoder, and the prior p(z) = N(0, 1).

    Windows are symbols, int (n, T, V), as :mod:`musiclab.data.encodings.two_bars` makes them. Inside, each step
    says again what sounds. Encoder and decoder have one dense layer that all quarters share,
    and one for the whole window.

    Equation: (5.6)
    Equation: (5.8)
    Lesson: 05
    Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014; beta: Higgins and others, ICLR 2017.

    Args:
      latent: Z, numbers in a code. quarter: units for each quarter. hidden: units for the window.
      steps: T, a multiple of 4. voices: V.
      beta: weight of the KL term in the loss; 1 is the ELBO, 0 a plain autoencoder.

    Raises:
      ValueError: if a size is below 1, steps no multiple of 4, or beta negative or not finite.

    >>> model = VAE(latent=2, quarter=3, hidden=4)
    >>> model.sample(5, seed=0).shape, model.encode(model.sample(5, seed=0)).mu.shape
    ((5, 32, 4), (5, 2))
    """

    def __init__(
        self,
        latent=64,
        quarter=128,
        hidden=256,
        steps=two_bars.STEPS,
        voices=two_bars.VOICES,
        beta=1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if latent < 1:
            raise ValueError(f"latent={latent}: a code has at least 1 number")
        if not 0 <= beta < float("inf"):
            raise ValueError(f"beta={beta}: the weight of the KL term is 0 or more")
        self.settings = {
            "latent": latent,
            "quarter": quarter,
            "hidden": hidden,
            "steps": steps,
            "voices": voices,
        }
        self.beta, self.window = float(beta), (steps, voices)
        sizes = (steps, voices, quarter, hidden)
        self.encoder, self.decoder = encoder(*sizes, 2 * latent), decoder(*sizes, latent)
        self.dice = keras.random.SeedGenerator(0)
        self.terms = {name: keras.metrics.Mean(name=name) for name in ("reconstruction", "kl")}
        self.pressure = self.add_weight(name="pressure", initializer="ones", trainable=False)
        self.built = True
        self.recipe()

    def recipe(self, learning_rate=3e-3, weight_decay=1e-3, jit_compile=True):
        """Compile with what proved good: AdamW; :meth:`fit` lets its rate rise and fall."""
        optimizer = keras.optimizers.AdamW(
            learning_rate, weight_decay=weight_decay, beta_2=0.99, global_clipnorm=100.0
        )
        optimizer.exclude_from_weight_decay(
            [v for v in self.trainable_variables if len(v.shape) < 2]
        )
        self.compile(optimizer=optimizer, jit_compile=jit_compile)

    def fit(
        self,
        x,
        y=None,
        validation_data=None,
        epochs=1,
        batch_size=64,
        callbacks=None,
        warm_up=0.5,
        **kwargs,
    ):
        """Train on windows of symbols; a fit is meant to be the whole training.

        Args:
          x: int (n, T, V). validation_data: windows held out, or None.
          warm_up: share of the steps over which beta's term rises from 0.
          epochs, batch_size, callbacks, **kwargs: as Keras.

        Returns:
          Keras' history: "loss", "reconstruction" and "kl" in nats per window, averaged over windows.

        Raises:
          ValueError: if x holds no such windows, or y is given.
        """
        if y is not None:
            raise ValueError("a VAE learns the windows themselves: pass no y")
        held_out = None if validation_data is None else (self._sounding(validation_data),) * 2
        callbacks = [*(callbacks or []), WarmUpCosineDecay(), KLWarmUp(warm_up)]
        settings = {"epochs": epochs, "batch_size": batch_size, "callbacks": callbacks, **kwargs}
        return super().fit(self._sounding(x), validation_data=held_out, **settings)

    def call(self, x, training=False):
        """What sounds, int (n, T, V, 2), to mu, log sigma, and the logits from one draw of z."""
        mu, log_sigma = self._encode(x)
        epsilon = keras.random.normal(ops.shape(mu), dtype=mu.dtype, seed=self.dice)
        return mu, log_sigma, self.decoder(elbo.reparameterise(mu, log_sigma, epsilon))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: minus the ELBO with beta, averaged over the windows of the batch; one draw for each."""
        mu, log_sigma, logits = y_pred
        reconstruction = _log_p(x, logits)
        kl = ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1)
        self.terms["reconstruction"].update_state(-reconstruction)
        self.terms["kl"].update_state(kl)
        return ops.mean(-reconstruction + self.beta * self.pressure * kl)  # Eq. (5.6)

    def encode(self, x) -> Code:
        """Windows of symbols (n, T, V) -> mean and standard deviation of each one's Gaussian, float32 (n, Z)."""
        mu, log_sigma = in_batches(self._encode, self._sounding(x))
        return Code(mu, np.exp(log_sigma))

    def decode(self, z) -> np.ndarray:
        """Codes (n, Z) -> the likeliest symbol at each place, int8 (n, T, V)."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or len(z) == 0 or z.shape[1] != self.settings["latent"]:
            raise ValueError(
                f"codes have shape {z.shape}: need (n, {self.settings['latent']}), n at least 1"
            )
        (sounding,) = in_batches(lambda part: (likeliest(self.decoder(part)),), z)
        return from_pitch_and_onset(sounding)

    def reconstruct(self, x) -> np.ndarray:
        """Windows of symbols -> what their means decode to, int8 (n, T, V)."""
        return self.decode(self.encode(x).mu)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Decode n draws from the prior.

        Args:
          n: how many, at least 1. seed: for the draws.

        Returns:
          Symbols, int8 (n, T, V): the likeliest at each place. Drawing them too would only add noise, as the decoder
          knows no dependence between places but z.

        Raises:
          ValueError: if n is below 1.
        """
        if n < 1:
            raise ValueError(f"{n} samples: ask for at least 1")
        return self.decode(
            np.random.default_rng(seed).standard_normal((n, self.settings["latent"]))
        )

    def interpolate(self, a, b, n: int = 7) -> np.ndarray:
        """Walk from one window to another in equal steps along the straight line between their codes.

        Equation: (5.8)

        Args:
          a, b: windows of symbols, int (T, V). n: how many stops, both ends included; at least 2.

        Returns:
          Symbols, int8 (n, T, V); the first is a's reconstruction, the last b's.

        Raises:
          ValueError: if the windows differ in length or voices, or don't fit the model, or n is below 2.
        """
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            raise ValueError(
                f"windows of shapes {a.shape} and {b.shape}: only windows of one length can be joined"
            )
        if n < 2:
            raise ValueError(f"{n} stops: a walk has at least 2, its ends")
        mu_a, mu_b = self.encode(np.stack([a, b])).mu
        alpha = np.linspace(0, 1, n)[:, None]
        return self.decode((1 - alpha) * mu_a + alpha * mu_b)  # Eq. (5.8)

    def posterior_draws(self, x, draws: int, seed: int) -> tuple[np.ndarray, ...]:
        """Draw K codes from each window's own Gaussian, and score the window given each.

        Args:
          x: symbols (n, T, V). draws: K. seed: for them.

        Returns:
          ln p(x | z) (K, n) in nats, the draws z (K, n, Z), and each window's mu and log sigma (n, Z); all float32.

        Raises:
          ValueError: if x holds no such windows, or draws is below 1.
        """
        if draws < 1:
            raise ValueError(f"{draws} draws: need at least 1")
        rng, sounding = np.random.default_rng(seed), self._sounding(x)
        mu, log_sigma = in_batches(self._encode, sounding)
        z = elbo.reparameterise(mu, log_sigma, rng.standard_normal((draws, *mu.shape), np.float32))
        z, n = np.asarray(z), len(sounding)
        rows = np.arange(draws * n)  # all draws of all windows, each with its window
        (log_p,) = in_batches(
            lambda row, code: (_log_p(sounding[row % n], self.decoder(code)),),
            rows,
            z.reshape(draws * n, -1),
        )
        return log_p.reshape(draws, n), z, mu, log_sigma

    def elbo(self, x, draws: int = 1, seed: int = 0) -> Bound:
        """The evidence lower bound of each window, whatever the beta of training; its expectation is at most ln p(x).

        Args:
          x: symbols (n, T, V). draws: of z for each window, over which the reconstruction is averaged. seed: for them.

        Returns:
          A :class:`Bound`, nats per window: summed over steps, voices and latent dimensions.

        Raises:
          ValueError: if x holds no such windows, or draws is below 1.
        """
        log_p, _, mu, log_sigma = self.posterior_draws(x, draws, seed)
        kl = np.asarray(ops.sum(elbo.kl_to_prior(mu, log_sigma), axis=-1))
        return Bound(np.asarray(elbo.elbo(log_p, mu, log_sigma)), log_p.mean(axis=0), kl)

    def log_likelihood(self, x, draws: int = 64, seed: int = 0) -> np.ndarray:
        """A lower bound of ln p(x), not ln p(x) itself: the importance-weighted estimate, tighter than the ELBO.

        Args:
          x: symbols (n, T, V). draws: of z for each window; more bring it nearer. seed: for them.

        Returns:
          float32 (n,), nats per window: summed over its steps and voices.

        Raises:
          ValueError: if x holds no such windows, or draws is below 1.
        """
        return np.asarray(elbo.importance_weighted(*self.posterior_draws(x, draws, seed)))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings, "beta": self.beta}

    def _encode(self, x):
        mu, log_sigma = ops.split(self.encoder(features(x)), 2, axis=-1)
        return mu, ops.clip(log_sigma, -6.0, 2.0)  # no cloud smaller or larger than training needs

    def _sounding(self, x):
        symbols = two_bars.check_symbols(x)
        if symbols.shape[1:] != self.window:
            raise ValueError(
                f"windows of shape {symbols.shape[1:]}: this model reads {self.window}, steps and voices"
            )
        return to_pitch_and_onset(symbols)


def _log_p(sounding, logits):
    return elbo.log_p_given_z(
        sounding[..., 0], sounding[..., 1], logits[..., :PITCHES], logits[..., PITCHES]
    )
