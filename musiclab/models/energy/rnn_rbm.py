"""RNN-RBM: a recurrent network that sets the biases of an RBM at every frame.

    model = RNNRBM(keys=88, hidden=150)
    model.start_from(rbm)                               # W, a, b of a trained RBM: far better
    model.compile_default(learning_rate=6e-3)           # optional: how fit trains
    training.train(model, rolls, epochs=40)             # rolls (T, 88) of 0 and 1
    model.log_likelihood(held, temperatures=1000)       # nats per frame, by AIS
    model.convergence(held, (30, 100, 300, 1000))       # the same for several temperatures
    model.sample(4, seed=0, steps=64)

v are frames, u the hidden states of the recurrent network; W (V, H), a and b as in
:mod:`musiclab.models.energy.rbm_functions`. The paper writes b_v for a, b_h for b, and h with a hat
for u.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.data.encodings.piano_roll import binary_roll
from musiclab.models.energy import rbm_functions
from musiclab.models.energy.partition_function import log_partition_ais, log_partition_exact
from musiclab.models.recurrent.sequence_model import SequenceModel, pad
from musiclab.sampling import ancestral_sampling, check_temperature

__all__ = ["RNNRBM"]


@keras.saving.register_keras_serializable(package="musiclab")
class RNNRBM(SequenceModel):
    """Frames drawn one after another, each from an RBM whose biases depend on all frames before.

    W is the same at every step; the biases are a_t = a + u_{t-1} W_ua and b_t = b + u_{t-1} W_ub,
    where u_t = tanh(c + v_t W_vu + u_{t-1} W_uu) is a simple recurrent network with a learned
    initial state u_0.

    The "loss" of ``fit`` is the difference of free energies between the data and the ends of k
    Gibbs steps, in nats per frame. Its gradient is that of contrastive divergence; its value is no
    likelihood: for that, :meth:`log_likelihood`.

    Equations: (14.1), (14.2), (14.3), (14.4)
    Source: Boulanger-Lewandowski, Bengio and Vincent, "Modeling temporal dependencies in
      high-dimensional sequences: application to polyphonic music generation and transcription",
      ICML 2012.

    Args:
      keys: V columns of a roll. hidden: H units of the RBM. units: R of the recurrent network.
      k: Gibbs steps of contrastive divergence.
      dropout: share of u left out on its way to the biases in training; a quarter of it on v.

    Raises:
      ValueError: on a size or k below 1, or a dropout outside 0..1.

    >>> RNNRBM(keys=6, hidden=4, units=3).biases(np.zeros((2, 3)))[1].shape
    TensorShape([2, 4])
    """

    def __init__(self, keys=88, hidden=150, units=128, k=5, dropout=0.4, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"keys": keys, "hidden": hidden, "units": units, "k": k, "dropout": dropout}
        if min(keys, hidden, units, k) < 1 or not 0 <= dropout < 1:
            given = ", ".join(f"{name}={value}" for name, value in self.settings.items())
            raise ValueError(f"{given}: sizes and k must be at least 1, dropout from 0 to below 1")
        self.keys, self.k = keys, k
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.input_drop = keras.layers.Dropout(dropout / 4, dtype=self.dtype_policy)
        # The RBM, initialised as :class:`musiclab.models.energy.rbm.RBM`
        normal = keras.initializers.RandomNormal(stddev=0.05)
        off = keras.initializers.Constant(-1.0)
        self.W = self.add_weight((keys, hidden), normal, name="W")  # (V, H)
        self.a = self.add_weight((keys,), "zeros", name="a")  # (V,)
        self.b = self.add_weight((hidden,), off, name="b")  # (H,)
        # From the state to the biases: small, so that the biases of a trained RBM hardly move
        small = keras.initializers.VarianceScaling(0.01)
        self.W_ua = self.add_weight((units, keys), small, name="W_ua")  # (R, V)
        self.W_ub = self.add_weight((units, hidden), small, name="W_ub")  # (R, H)
        # The recurrent network
        self.W_vu = self.add_weight((keys, units), "glorot_uniform", name="W_vu")  # (V, R)
        self.W_uu = self.add_weight((units, units), "orthogonal", name="W_uu")  # (R, R)
        self.c = self.add_weight((units,), "zeros", name="c")  # (R,)
        self.u_0 = self.add_weight((units,), "zeros", name="u_0")  # (R,)
        self.trained = self.add_weight((), "zeros", trainable=False, name="trained")
        self.built = True
        self.compile_default()

    def start_from(self, rbm) -> RNNRBM:
        """Copy W, a and b of a trained RBM, whose visible units are the keys.

        Raises:
          ValueError: if its sizes differ, or it is not trained.
        """
        rbm.check_trained()
        mine, its = tuple(self.W.shape), tuple(rbm.W.shape)
        if mine != its:
            raise ValueError(f"RBM of {its} visible and hidden units: need {mine}")
        for name in ("W", "a", "b"):
            getattr(self, name).assign(getattr(rbm, name))
        self.trained.assign(1.0)
        return self

    def biases(self, u):
        """Biases of the next frame: u_{t-1} (n, R) to a_t (n, V) and b_t (n, H)."""
        u = tf.cast(u, self.compute_dtype)
        return self.a + tf.matmul(u, self.W_ua), self.b + tf.matmul(u, self.W_ub)  # Eq. (14.1)

    def update_state(self, u, v):
        """State after a frame: u_{t-1} (n, R) and v_t (n, V) to u_t (n, R)."""
        return self._next_state(u, tf.matmul(tf.cast(v, self.compute_dtype), self.W_vu))

    def _next_state(self, u, v_in):
        return tf.tanh(self.c + v_in + tf.matmul(u, self.W_uu))  # Eq. (14.2)

    def initial_state(self, n):
        """u_0 for n pieces: (n, R)."""
        return tf.repeat(tf.convert_to_tensor(self.u_0)[None], n, axis=0)

    def states(self, v, training=False):
        """States before each frame of rolls (n, T, V), u_0 to u_{T-1}: (n, T, R)."""
        u = self.initial_state(tf.shape(v)[0])  # (n, R)
        v = self.input_drop(tf.cast(v, self.compute_dtype), training=training)
        v_in = tf.transpose(tf.matmul(v, self.W_vu), [1, 0, 2])  # (T, n, R)
        after = tf.scan(self._next_state, v_in, u)  # (T, n, R)
        return tf.transpose(tf.concat([u[None], after[:-1]], axis=0), [1, 0, 2])

    def call(self, x, training=False):
        """Free-energy difference of each frame: F_t after k Gibbs steps minus F_t of the frame.

        Rolls (n, T, V), -1 past their ends, to (n, T), 0 past the ends.
        """
        x = tf.cast(x, self.compute_dtype)
        real = tf.where(x[..., 0] >= 0)  # (N, 2): frames that are no padding
        u = self.drop(self.states(tf.maximum(x, 0.0), training), training=training)  # (n, T, R)
        v, u = tf.gather_nd(x, real), tf.gather_nd(u, real)  # (N, V), (N, R)
        a, b = self.biases(u)  # (N, V), (N, H)

        # Negative phase: a sample, not a function of the weights
        seed = tf.random.uniform((2,), maxval=2**31 - 1, dtype=tf.int32)
        v_k = tf.stop_gradient(rbm_functions.gibbs(v, self.W, a, b, self.k, seed))  # (N, V)

        after = rbm_functions.free_energy(v_k, self.W, a, b)
        rise = after - rbm_functions.free_energy(v, self.W, a, b)  # (N,)
        return tf.scatter_nd(real, rise, tf.shape(x, tf.int64)[:2])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: the mean over the frames of a batch of F_t(v_t) - F_t(v_t after k Gibbs steps)."""
        return super().compute_loss(x, y, y_pred)  # Eq. (14.4)

    def fit(self, x, y=None, validation_data=None, batch_size=8, seed=0, callbacks=(), **kwargs):
        """Train on rolls (T, V) of 0 and 1: :meth:`SequenceModel.fit`, whose arguments and errors these are."""
        fitted = super().fit(x, y, validation_data, batch_size, seed, callbacks, **kwargs)
        self.trained.assign(1.0)
        return fitted

    def log_likelihood(
        self, x, temperatures=1000, chains: int = 20, seed: int = 0
    ) -> list[np.ndarray]:
        """ln p(v_t | all frames before) = - F_t(v_t) - ln Z_t, with a partition function per frame.

        The estimate of ln Z_t errs downward, the more the fewer temperatures or chains, and the
        model seems better than it is: check :meth:`convergence`.

        Args:
          x: rolls (T, V) of 0 and 1.
          temperatures: of annealed importance sampling; None enumerates the smaller layer, of at
            most 20 units.
          chains: for each frame. seed: of the chains.

        Returns:
          Per piece float64 (T,), nats per frame; the first from the initial state u_0.

        Raises:
          ValueError: if there is no piece, one is no such roll, or the model is not trained.
        """
        rolls = self._encoded(x)
        self.check_trained()
        u = self.graph(self.states, reduce_retracing=True)(np.maximum(pad(rolls), 0))  # (n, T, R)
        u = np.concatenate([states[: len(roll)] for states, roll in zip(u, rolls)])  # (N, R)
        v = np.concatenate(rolls)  # (N, V)
        weights = [np.asarray(part, np.float64) for part in (self.W, *self.biases(u))]
        if temperatures is None:
            log_z = log_partition_exact(*weights)
        else:
            log_z = log_partition_ais(*weights, seed, temperatures, chains).log_z
        scores = -rbm_functions.free_energy(v, *weights).numpy() - log_z  # Eq. (14.3)
        return np.split(scores, np.cumsum([len(roll) for roll in rolls])[:-1])

    def convergence(
        self, x, temperatures=(10, 30, 100, 300, 1000), chains: int = 20, seed: int = 0
    ) -> np.ndarray:
        """Minus the log-likelihood in nats per frame, pooled, for several numbers of temperatures.

        Where it has stopped rising, and does not rise with more chains, it can be trusted.

        Args:
          x, chains, seed: as :meth:`log_likelihood`. temperatures: several numbers.

        Returns:
          float64, one for each.
        """
        return np.array(
            [-np.concatenate(self.log_likelihood(x, n, chains, seed)).mean() for n in temperatures]
        )

    def sample(
        self,
        n: int,
        seed: int,
        steps: int = 64,
        primer=None,
        temperature: float = 1.0,
        gibbs: int = 100,
    ):
        """Generate n pieces frame by frame, each frame the end of a Gibbs chain from the last one.

        Args:
          n: pieces. seed: of the draws. steps: frames to generate.
          primer: a roll (T, V) to continue, or None; it is not part of the result.
          temperature: divides all energies.
          gibbs: steps of each chain; after too few, frames resemble those before.

        Returns:
          float32 (n, steps, V) of 0 and 1.

        Raises:
          ValueError: n, steps or gibbs below 1, a temperature that is not above 0, a primer that is
            no such roll, or a model that is not trained.
        """
        if min(n, steps, gibbs) < 1:
            raise ValueError(
                f"{n} pieces of {steps} frames by {gibbs} Gibbs steps: each must be at least 1"
            )
        tau = tf.constant(check_temperature(temperature))
        self.check_trained()
        u, v = self.initial_state(n), tf.zeros((n, self.keys))
        for frame in [] if primer is None else self.encode(primer):
            v = tf.repeat(frame[None], n, axis=0)
            u = self.update_state(u, v)
        seed = tf.constant([seed % 2**31, 0])
        graph = self.graph(self._generate, reduce_retracing=True)
        return graph(u, v, tf.constant(steps), seed, tau, tf.constant(gibbs)).numpy()

    def encode(self, piece) -> np.ndarray:
        """Check a roll (T, V) of 0 and 1; float32."""
        return binary_roll(piece, self.keys)

    def check_trained(self):
        """Raise ValueError if the weights are still the initial ones."""
        if not float(self.trained):
            raise ValueError("the model is not trained yet: call fit, or start_from a trained RBM")

    def _generate(self, u, v, steps, seed, tau, gibbs):
        """Frames (n, steps, V) after the state u (n, R) and the frame v (n, V)."""

        def step(state, t, seed):
            u, v = state
            a, b = self.biases(u)
            v = rbm_functions.gibbs(v, self.W / tau, a / tau, b / tau, gibbs, seed)
            return v, (self.update_state(u, v), v)

        return ancestral_sampling(step, (u, v), steps, seed)[0]
