"""A recurrent network that sets the biases of a restricted Boltzmann machine anew at every frame.

    model = RNNRBM(keys=88, hidden=150)
    model.start_from(rbm)                               # W, a, b of a trained RBM: without it, far worse
    model.recipe(learning_rate=6e-3)                    # optional: how ``fit`` trains
    training.train(model, rolls, epochs=40)             # rolls (T, 88) of 0 and 1
    model.log_likelihood(held, temperatures=1000)       # nats per frame, by annealed importance sampling
    model.convergence(held, (30, 100, 300, 1000))       # the same for several numbers of temperatures
    model.sample(4, seed=0, steps=64)

Symbols as in the tutorial by the paper's first author: v frames, u the network's hidden state; W (V, H), a, b as in
:mod:`musiclab.models.energy.rbm_functions`. The paper writes its b_v for a, its b_h for b, and h with a hat for u.

Lessons: 14.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.partition_function import log_partition_ais, log_partition_exact
from musiclab.models.recurrent.minibatches import pad
from musiclab.models.recurrent.sequence_model import SequenceModel
from musiclab.sampling import ancestral, check_temperature

__all__ = ["RNNRBM"]


@keras.saving.register_keras_serializable(package="musiclab")
class RNNRBM(SequenceModel):
    """Chord after chord: each frame is drawn from an RBM whose biases know all frames before.

    W is the same at every step, the biases are not: a_t = a + u_{t-1} W_ua and b_t = b + u_{t-1} W_ub, where
    u_t = tanh(c + v_t W_vu + u_{t-1} W_uu) is a plain recurrent network. Its first state u_0 is learnt.

    What ``fit`` calls "loss" is the difference of free energies between data and the ends of k Gibbs steps, in
    nats per frame: its gradient is contrastive divergence's estimate of that of the likelihood, its value says next
    to nothing. Likelihoods: :meth:`log_likelihood`.

    Equations: (14.1), (14.2), (14.3), (14.4)
    Lesson: 14
    Source: Boulanger-Lewandowski, Bengio and Vincent, "Modeling temporal dependencies in high-dimensional
      sequences: application to polyphonic music generation and transcription", ICML 2012.

    Args:
      keys: V columns of a roll. hidden: H units of each RBM. units: R of the recurrent network.
      k: Gibbs steps of contrastive divergence.
      dropout: share of u left out on its way to the biases in training, and a quarter of it of the frames heard.

    Raises:
      ValueError: on a size or k below 1, or a dropout outside 0..1.

    >>> RNNRBM(keys=6, hidden=4, units=3).step(np.zeros((2, 3)))[1].shape
    TensorShape([2, 4])
    """

    def __init__(self, keys=88, hidden=150, units=128, k=5, dropout=0.4, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"keys": keys, "hidden": hidden, "units": units, "k": k, "dropout": dropout}
        if min(keys, hidden, units, k) < 1 or not 0 <= dropout < 1:
            given = ", ".join(f"{name}={value}" for name, value in self.settings.items())
            raise ValueError(f"{given}: sizes and k must be at least 1, dropout from 0 to below 1")
        self.keys, self.k = keys, k
        self.drop, self.input_drop = (
            keras.layers.Dropout(rate, dtype=self.dtype_policy) for rate in (dropout, dropout / 4)
        )
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once; the RBM's own as :class:`musiclab.models.energy.rbm.RBM` makes them."""
        keys, hidden, units = (self.settings[name] for name in ("keys", "hidden", "units"))
        self.W = self.add_weight(
            (keys, hidden), keras.initializers.RandomNormal(stddev=0.05), name="W"
        )
        self.a = self.add_weight((keys,), "zeros", name="a")
        self.b = self.add_weight((hidden,), keras.initializers.Constant(-1.0), name="b")
        little = keras.initializers.VarianceScaling(
            0.01
        )  # a trained RBM's biases are hardly moved at first
        self.W_ua = self.add_weight((units, keys), little, name="W_ua")
        self.W_ub = self.add_weight((units, hidden), little, name="W_ub")
        self.W_vu = self.add_weight((keys, units), "glorot_uniform", name="W_vu")
        self.W_uu = self.add_weight((units, units), "orthogonal", name="W_uu")
        self.c = self.add_weight((units,), "zeros", name="c")
        self.u_0 = self.add_weight((units,), "zeros", name="u_0")
        self.trained = self.add_weight((), "zeros", trainable=False, name="trained")
        self.built = True

    def start_from(self, rbm) -> RNNRBM:
        """Take over W, a and b of a trained RBM, whose visible units are the keys.

        Raises:
          ValueError: if its sizes differ, or it has learnt nothing yet.
        """
        mine, its = (tuple(model.W.shape) for model in (self, rbm))
        if mine != its:
            raise ValueError(
                f"an RBM of {its} visible and hidden units for one of {mine}: need the same"
            )
        if not float(rbm.updates):
            raise ValueError("the RBM has learnt nothing yet: fit it first")
        for name in ("W", "a", "b"):
            getattr(self, name).assign(getattr(rbm, name))
        self.trained.assign(1.0)
        return self

    def step(self, u):
        """The biases that a state sets for the frame to come: u_{t-1} (n, R) to a_t (n, V) and b_t (n, H)."""
        u = tf.cast(u, self.compute_dtype)
        return self.a + tf.matmul(u, self.W_ua), self.b + tf.matmul(u, self.W_ub)  # Eq. (14.1)

    def hear(self, u, v):
        """The state after a frame: u_{t-1} (n, R) and v_t (n, V) to u_t (n, R)."""
        return self._turn(u, tf.matmul(tf.cast(v, self.compute_dtype), self.W_vu))

    def _turn(self, u, heard):
        return tf.tanh(self.c + heard + tf.matmul(u, self.W_uu))  # Eq. (14.2)

    def states(self, v, training=False):
        """Rolls (n, T, V) to the state before each frame, u_0 to u_{T-1}: (n, T, R)."""
        u = tf.repeat(tf.convert_to_tensor(self.u_0)[None], tf.shape(v)[0], axis=0)
        heard = tf.matmul(
            self.input_drop(tf.cast(v, self.compute_dtype), training=training), self.W_vu
        )
        after = tf.scan(self._turn, tf.transpose(heard, [1, 0, 2]), u)
        return tf.transpose(tf.concat([u[None], after[:-1]], axis=0), [1, 0, 2])

    def call(self, x, training=False):
        """Rolls (n, T, V), -1 past their ends, to F_t of k Gibbs steps further minus F_t of the frame: (n, T)."""
        x = tf.cast(x, self.compute_dtype)
        real = tf.where(x[..., 0] >= 0)
        u = self.drop(self.states(tf.maximum(x, 0.0), training), training=training)
        v, u = tf.gather_nd(x, real), tf.gather_nd(u, real)
        a, b = self.step(u)
        seed = tf.random.uniform((2,), maxval=2**31 - 1, dtype=tf.int32)
        # a sample, not a function of weights
        v_k = tf.stop_gradient(rbm_functions.gibbs(v, self.W, a, b, self.k, seed))
        after = rbm_functions.free_energy(v_k, self.W, a, b)
        rise = after - rbm_functions.free_energy(v, self.W, a, b)
        return tf.scatter_nd(real, rise, tf.shape(x, tf.int64)[:2])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: the mean over the frames of a batch of F_t(v_t) - F_t(v_t after k Gibbs steps)."""
        return super().compute_loss(x, y, y_pred)  # Eq. (14.4)

    def fit(
        self,
        x,
        y=None,
        validation_data=None,
        epochs=1,
        batch_size=8,
        seed=0,
        callbacks=None,
        **kwargs,
    ):
        """Train on rolls (T, V) of 0 and 1: :meth:`SequenceModel.fit`, whose arguments and errors these are."""
        fitted = super().fit(x, y, validation_data, epochs, batch_size, seed, callbacks, **kwargs)
        self.trained.assign(1.0)
        return fitted

    def log_likelihood(
        self, x, temperatures=1000, chains: int = 4, seed: int = 0
    ) -> list[np.ndarray]:
        """ln p(v_t | all frames before) = - F_t(v_t) - ln Z_t, each frame with a partition function of its own.

        The estimate of ln Z_t falls short of it on average, the more the fewer temperatures: then the model seems
        better than it is. Quote no figure without :meth:`convergence`.

        Args:
          x: rolls (T, V) of 0 and 1.
          temperatures: of annealed importance sampling; None enumerates, for at most 20 units in the smaller layer.
          chains: for each frame. seed: the same gives the same.

        Returns:
          Per piece float64 (T,), nats per frame; the first from the initial state u_0.

        Raises:
          ValueError: if there is no piece, one is no such roll, or the model has learnt nothing yet.
        """
        rolls = self._encoded(x)
        self._check_trained()
        u = self.graph(self.states, reduce_retracing=True)(np.maximum(pad(rolls), 0))
        v, (a, b) = (
            np.concatenate(rolls),
            self.step(np.concatenate([u[i, : len(one)] for i, one in enumerate(rolls)])),
        )
        machines = [np.asarray(part, np.float64) for part in (self.W, a, b)]
        if temperatures is None:
            log_z = log_partition_exact(*machines)
        else:
            log_z = log_partition_ais(*machines, seed, temperatures, chains).log_z
        scores = -rbm_functions.free_energy(v, *machines).numpy() - log_z  # Eq. (14.3)
        return np.split(scores, np.cumsum([len(roll) for roll in rolls])[:-1])

    def convergence(
        self, x, temperatures=(10, 30, 100, 300, 1000), chains: int = 4, seed: int = 0
    ) -> np.ndarray:
        """Minus the log-likelihood in nats per frame, pooled, for each number of temperatures.

        Where it has stopped rising, the last figure can be believed.

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
        """Write n pieces, frame after frame, each the end of a Gibbs chain that starts at the frame before.

        Args:
          n: pieces. seed: the same writes the same. steps: frames to write.
          primer: a roll (T, V) to go on from, or None; it is not repeated in the answer.
          temperature: energies are divided by it; below 1 plays safer, above 1 wilder.
          gibbs: steps of each chain; too few, and frames cling to those before.

        Returns:
          float32 (n, steps, V) of 0 and 1.

        Raises:
          ValueError: n, steps or gibbs below 1, a temperature that is not above 0, a primer that is no such roll, or
            a model that has learnt nothing yet.
        """
        if min(n, steps, gibbs) < 1:
            raise ValueError(
                f"{n} pieces of {steps} frames by {gibbs} Gibbs steps: each must be at least 1"
            )
        tau = tf.constant(check_temperature(temperature))
        self._check_trained()
        u, v = tf.repeat(tf.convert_to_tensor(self.u_0)[None], n, axis=0), tf.zeros((n, self.keys))
        for frame in [] if primer is None else self.encode(primer):
            v = tf.repeat(frame[None], n, axis=0)
            u = self.hear(u, v)
        seed = tf.constant([seed % 2**31, 0])
        return self.graph(self._draw, reduce_retracing=True)(
            u, v, tf.constant(steps), seed, tau, tf.constant(gibbs)
        ).numpy()

    def encode(self, piece) -> np.ndarray:
        """Check a roll (T, V) of 0 and 1; float32."""
        roll = np.asarray(piece, np.float32)
        if roll.ndim != 2 or len(roll) == 0 or roll.shape[1] != self.keys:
            raise ValueError(f"a roll has shape {roll.shape}: need (T, {self.keys}), T at least 1")
        if not np.isin(roll, (0, 1)).all():
            raise ValueError(
                "a roll holds other numbers than 0 and 1: threshold it first, roll >= 0.5"
            )
        return roll

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _draw(self, u, v, steps, seed, tau, gibbs):
        """The loop of :meth:`sample`: from the state and the frame before to frames (n, steps, V)."""

        def one(state, t, seed):
            u, v = state
            a, b = self.step(u)
            v = tf.ensure_shape(
                rbm_functions.gibbs(v, self.W / tau, a / tau, b / tau, gibbs, seed), v.shape
            )
            return v, (self.hear(u, v), v)

        return ancestral(one, (u, v), steps, seed)[0]

    def _check_trained(self):
        if not float(self.trained):
            raise ValueError(
                "the model has learnt nothing yet: call fit, or start_from a trained RBM"
            )
