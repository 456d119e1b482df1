"""Restricted Boltzmann machine as a Keras model, trained by contrastive divergence.

    rbm = RBM(visible=88, hidden=150)
    rbm.compile_default(learning_rate=0.05, k=1, persistent=True)    # optional: how fit trains
    training.train(rbm, x, held_out=y, epochs=20, batch_size=100)    # x (n, 88), from 0 to 1
    rbm.assign(W, a, b)                                              # or set the weights by hand
    rbm.hidden_probs(x), rbm.visible_probs(h)                        # arrays (n, H), (n, V)
    rbm.log_likelihood(y)                                            # nats (n,), y binary
    rbm.sample(10, seed=0), rbm.complete(x, known, seed=0)           # arrays (n, V) of 0 and 1

The formulas are in :mod:`musiclab.models.energy.rbm_functions`.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import partition_function, rbm_functions
from musiclab.training import GraphCache, WarmUpCosineDecay

__all__ = ["RBM"]


@keras.saving.register_keras_serializable(package="musiclab")
class RBM(GraphCache, keras.Model):
    """V visible and H hidden binary units, connected between the layers only.

    The "loss" of ``fit`` is minus the pseudo-log-likelihood, the sum over i of ln p(v_i | all other
    visible units), in nats per row. It needs no partition function and shows the progress of
    training, but is no likelihood: for that, :meth:`log_likelihood`.

    Source: Hinton, Neural Computation 14, 2002; Tieleman, ICML 2008.

    Args:
      visible: V. hidden: H. Both at least 1.

    >>> zeros = np.zeros((3, 2)), np.zeros(3), np.zeros(2)
    >>> RBM(3, 2).assign(*zeros).log_likelihood(np.ones((1, 3))).round(3)
    array([-2.079])
    """

    draw_visible = staticmethod(rbm_functions.draw_visible)
    test_draws = 10  # units of each held-out row in the loss

    def __init__(self, visible, hidden, **kwargs):
        super().__init__(**kwargs)
        if min(visible, hidden) < 1:
            raise ValueError(f"{visible} visible, {hidden} hidden units: both must be at least 1")
        self.visible, self.hidden = int(visible), int(hidden)
        normal, off = keras.initializers.RandomNormal(0, 0.05), keras.initializers.Constant(-1.0)
        self.W = self.add_weight((visible, hidden), normal, name="W")  # (V, H)
        self.a = self.add_weight((visible,), "zeros", name="a")  # (V,)
        self.b = self.add_weight((hidden,), off, name="b")  # (H,), most of them off at first
        self.trained = self.add_weight((), "zeros", trainable=False, name="trained")
        self.chains = tf.Variable(tf.zeros((0, visible)), shape=(None, visible), trainable=False)
        self.seeds = keras.random.SeedGenerator(0)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.built = True
        self.compile_default()

    def compile_default(
        self, learning_rate=0.05, k=1, persistent=False, momentum=0.5, weight_decay=2e-4
    ):
        """Compile with stochastic gradient descent; a moving average of the weights is kept.

        Args:
          learning_rate: the peak of :class:`musiclab.training.WarmUpCosineDecay`.
          k: Gibbs steps between data and negative phase, at least 1.
          persistent: chains continue from where they stopped instead of starting at each batch.
          momentum, weight_decay: of the optimizer; the decay acts on W alone.
        """
        if k < 1:
            raise ValueError(f"k = {k}: contrastive divergence needs at least one Gibbs step")
        self.k, self.persistent = int(k), persistent
        optimizer = keras.optimizers.SGD(
            learning_rate, momentum, weight_decay=weight_decay, use_ema=True, ema_momentum=0.98
        )
        optimizer.exclude_from_weight_decay([self.a, self.b])
        self.compile(optimizer, steps_per_execution=50, jit_compile=False)

    def assign(self, W, a, b) -> RBM:
        """Set the weights by hand, W (V, H), a (V,), b (H,); the model then counts as trained."""
        for variable, value in zip((self.W, self.a, self.b), (W, a, b)):
            variable.assign(value)
        self.trained.assign(1.0)
        return self

    def call(self, v):
        """Visible units (n, V) to free energies (n,) in nats."""
        return rbm_functions.free_energy(v, self.W, self.a, self.b)

    def gibbs(self, v, k, seed, known=None):
        """k Gibbs steps from v (n, V), as :func:`musiclab.models.energy.rbm_functions.gibbs`."""
        weights = self.W, self.a, self.b
        return rbm_functions.gibbs(v, *weights, k, seed, known, self.draw_visible)

    def train_step(self, v):
        """One update by contrastive divergence on a mini-batch v (B, V)."""
        seed = tf.cast(self.seeds.next(), tf.int32)
        loss = self.proxy_loss(v, seed)

        # Negative phase: k Gibbs steps from the data, or from where the chains stopped
        start = self.chains if self.persistent else v
        v_k = self.gibbs(start, self.k, seed)  # (B, V)
        if self.persistent:
            self.chains.assign(v_k)

        # Gradient ascent on the log-likelihood; Keras' optimizers descend, hence the sign
        dW, da, db = rbm_functions.cd_gradient(v, v_k, self.W, self.b)  # (V, H), (V,), (H,)
        self.optimizer.apply([-dW, -da, -db], [self.W, self.a, self.b])

        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def test_step(self, v):
        """The same loss on held-out rows v (n, V), from more units of each row; no update."""
        losses = [self.proxy_loss(v, (draw, 1)) for draw in range(self.test_draws)]
        self.mean_loss.update_state(losses)
        return {"loss": self.mean_loss.result()}

    def proxy_loss(self, v, seed):
        """Minus the pseudo-log-likelihood of rows (n, V), estimated from one unit of each row."""
        unit = tf.random.stateless_uniform(tf.shape(v)[:1], seed, 0, self.visible, tf.int32)  # (n,)
        flipped = tf.where(tf.one_hot(unit, self.visible, True, False), 1 - v, v)  # (n, V)
        return tf.reduce_mean(self.visible * tf.math.softplus(self(v) - self(flipped)))

    def fit(self, x, y=None, validation_data=None, batch_size=100, seed=0, callbacks=(), **kwargs):
        """Train on rows (n, V) of numbers from 0 to 1, a number between being the chance of a 1.

        Before the first update, a is set to the log odds of the data. Rows beyond the last whole
        mini-batch of a pass are left out of it. The averaged weights are validated and remain.

        Args:
          x: rows. validation_data: held-out rows, or None. callbacks, **kwargs: as Keras.
          batch_size: B, rows per update and number of chains. seed: for shuffles and chains.

        Raises:
          ValueError: if there is no row, a number is outside 0 to 1, or B is below 1.
        """
        if y is not None:
            raise ValueError("a Boltzmann machine learns the rows themselves: pass no y")
        if batch_size < 1:
            raise ValueError(f"batch_size = {batch_size}: an update needs at least one row")
        x = self.check_rows(x)
        if not float(self.trained):
            share = (x.sum(axis=0) + 0.5) / (len(x) + 1)
            self.a.assign(np.log(share / (1 - share)))
        size = min(batch_size, len(x))
        self.seeds.state.assign([seed, 0])
        self.chains.assign(x[np.random.default_rng(seed).integers(len(x), size=size)])
        batches = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed)
        batches = batches.batch(size, drop_remainder=True)
        if validation_data is not None:
            validation_data = tf.data.Dataset.from_tensors(self.check_rows(validation_data))
        callbacks = [*callbacks, WarmUpCosineDecay(), keras.callbacks.SwapEMAWeights()]
        kwargs |= {"validation_data": validation_data, "callbacks": callbacks, "shuffle": False}
        history = super().fit(batches, **kwargs)  # the batches are shuffled already
        self.trained.assign(1.0)
        return history

    def hidden_probs(self, v) -> np.ndarray:
        """Visible units (n, V), 0 to 1, to p(h = 1 | v), float32 (n, H)."""
        return rbm_functions.hidden_probs(self.check_rows(v), self.W, self.b).numpy()

    def visible_probs(self, h) -> np.ndarray:
        """Hidden units (n, H), 0 to 1, to p(v = 1 | h), float32 (n, V)."""
        return rbm_functions.visible_probs(probabilities(h, self.hidden), self.W, self.a).numpy()

    def log_likelihood(self, x, log_z=None) -> np.ndarray:
        """Log-likelihood ln p(v) = - F(v) - ln Z, in nats per row.

        Equation: (12.6)

        Args:
          x: rows (n, V) of 0 and 1.
          log_z: ln Z, if known; otherwise :meth:`log_partition`. An AIS estimate errs downward, so
            that rows seem too likely.

        Returns:
          float64 (n,).

        Raises:
          ValueError: if a number is neither 0 nor 1, or the model is not trained.
        """
        x = self.check_binary(x)
        self.check_trained()
        log_z = self.log_partition() if log_z is None else log_z
        return -rbm_functions.free_energy(x, *self.weights64()).numpy() - log_z  # Eq. (12.6)

    def log_partition(self) -> float:
        """ln Z: exact if the smaller layer has at most 20 units, otherwise estimated by AIS."""
        if min(self.visible, self.hidden) <= partition_function.MOST_UNITS:
            return partition_function.log_partition_exact(*self.weights64())
        return partition_function.log_partition_ais(*self.weights64(), seed=0).log_z[0]

    def weights64(self) -> list[np.ndarray]:
        """W (V, H), a (V,) and b (H,) as float64 arrays."""
        return [np.asarray(part, np.float64) for part in (self.W, self.a, self.b)]

    def sample(self, n: int, seed: int, steps: int = 1000) -> np.ndarray:
        """Draw n rows, each the end of its own Gibbs chain from a random start.

        Args:
          n: rows. seed: of the chains. steps: of each chain; after too few, the start still shows.

        Returns:
          float32 (n, V) of 0 and 1.
        """
        return self.complete(self.random_rows(n, seed), np.zeros(self.visible, bool), seed, steps)

    def random_rows(self, n: int, seed: int) -> np.ndarray:
        """Random visible units (n, V), to start Gibbs chains from."""
        return np.random.default_rng(seed).random((max(n, 0), self.visible)) < 0.5

    def complete(self, x, known, seed: int, steps: int = 1000) -> np.ndarray:
        """Draw the unknown units given the known ones: Gibbs sampling with known units held.

        Args:
          x: rows (n, V), 0 to 1; the chain starts from their values at unknown places.
          known: bool (V,) or (n, V). seed, steps: as :meth:`sample`.

        Returns:
          float32 (n, V), 0 and 1 at unknown places.

        Raises:
          ValueError: n or steps below 1, another shape of ``known``, or an untrained model.
        """
        x = self.check_rows(x)
        known = self.check_known(known, x, steps)
        self.check_trained()
        graph = self.graph(self.gibbs, reduce_retracing=True)
        return graph(x, tf.constant(steps), tf.constant([seed % 2**31, 0]), known).numpy()

    def get_config(self):
        """Constructor arguments, stored in ``.keras`` files."""
        return {**super().get_config(), "visible": self.visible, "hidden": self.hidden}

    def check_rows(self, x) -> np.ndarray:
        """Rows of visible units as float32 (n, V); ValueError if they are none."""
        return probabilities(x, self.visible)

    def check_binary(self, x) -> np.ndarray:
        """Rows as :meth:`check_rows`; ValueError also if a number is neither 0 nor 1."""
        x = self.check_rows(x)
        if not np.isin(x, (0, 1)).all():
            raise ValueError(
                "only rows of 0 and 1 have a probability: threshold them first, x >= 0.5"
            )
        return x

    def check_known(self, known, x, steps: int) -> np.ndarray:
        """The mask of known units as bool (n, V), for at least one Gibbs step; else ValueError."""
        known = np.asarray(known)
        if known.dtype != bool or known.shape not in (x.shape, x.shape[1:]) or steps < 1:
            raise ValueError(
                f"known {known.dtype} {known.shape}, {steps} steps: "
                f"need bool {x.shape[1:]} or {x.shape}, at least 1 step"
            )
        return np.broadcast_to(known, x.shape)

    def check_trained(self):
        """Raise ValueError if the weights are still the initial ones."""
        if not float(self.trained):
            raise ValueError("the model is not trained yet: call fit, or assign weights")


def probabilities(x, width: int) -> np.ndarray:
    """An array (n, width) of numbers from 0 to 1 as float32; ValueError if it is none."""
    x = np.asarray(x, np.float32)
    if x.ndim != 2 or len(x) == 0 or x.shape[1] != width:
        raise ValueError(f"rows of shape {x.shape}: need (n, {width}), n at least 1")
    if not ((x >= 0) & (x <= 1)).all():
        wrong = x[~((x >= 0) & (x <= 1))][0]
        raise ValueError(f"found {wrong} in the rows: units take numbers from 0 to 1")
    return x
