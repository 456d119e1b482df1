"""The restricted Boltzmann machine as a Keras model: trained by contrastive divergence, sampled, completed, scored.

    rbm = RBM(visible=88, hidden=150)
    rbm.recipe(learning_rate=0.05, k=1, persistent=True)     # optional: how ``fit`` trains
    training.train(rbm, x, held_out=y, epochs=20, batch_size=100)   # x (n, 88), numbers from 0 to 1
    rbm.W, rbm.a, rbm.b                                      # Keras variables (V, H), (V,), (H,)
    rbm.assign(W, a, b)                                      # instead of training: weights by hand
    rbm.hidden_probs(x), rbm.visible_probs(h)                # arrays (n, H), (n, V)
    rbm.log_likelihood(y)                                    # nats (n,), y binary
    rbm.sample(10, seed=0), rbm.complete(x, known, seed=0)   # arrays (n, V) of 0 and 1

The formulas, on arrays and tensors and with biases of each row's own, are in
:mod:`musiclab.models.energy.rbm_functions`; partition functions in :mod:`musiclab.models.energy.partition_function`.

Lessons: 12, 13, 14.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.bunches import Average, Bunches
from musiclab.models.energy.partition_function import (
    MOST_UNITS,
    log_partition_ais,
    log_partition_exact,
)
from musiclab.training import GraphCache, WarmUpCosineDecay

__all__ = ["RBM"]


@keras.saving.register_keras_serializable(package="musiclab")
class RBM(GraphCache, keras.Model):
    """V visible and H hidden binary units, connected between the layers only.

    ``fit`` adds the estimate of contrastive divergence,
    :func:`musiclab.models.energy.rbm_functions.cd_gradient`, to the weights, batch after batch.
    What it calls "loss" is minus the pseudo-log-likelihood, sum over i of ln p(v_i | all other
    visible), in nats per row, estimated by flipping one unit per row: it needs no partition
    function and shows whether training goes anywhere. It is no likelihood: for that,
    :meth:`log_likelihood`.

    Lesson: 12
    Source: source article on deep belief networks, sections 2.2 and 4.

    Args:
      visible: V. hidden: H.

    Raises:
      ValueError: if one is below 1.

    >>> RBM(3, 2).assign(np.zeros((3, 2)), np.zeros(3), np.zeros(2)).log_likelihood(np.ones((1, 3))).round(3)
    array([-2.079])
    """

    _gibbs = staticmethod(
        rbm_functions.gibbs
    )  # machines with other visible units draw them otherwise

    def __init__(self, visible, hidden, **kwargs):
        super().__init__(**kwargs)
        if min(visible, hidden) < 1:
            raise ValueError(f"{visible} visible, {hidden} hidden units: both must be at least 1")
        self.visible, self.hidden = int(visible), int(hidden)
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once; ``updates`` counts what they have learnt from."""
        normal, low = (
            keras.initializers.RandomNormal(stddev=0.05),
            keras.initializers.Constant(-1.0),
        )
        self.W = self.add_weight((self.visible, self.hidden), normal, name="W")
        self.a = self.add_weight((self.visible,), "zeros", name="a")
        self.b = self.add_weight(
            (self.hidden,), low, name="b"
        )  # most hidden units are off at first
        self.updates = self.add_weight((), "zeros", trainable=False, name="updates")
        self.built = True

    def recipe(self, learning_rate=0.05, k=1, persistent=False, momentum=0.5, weight_decay=2e-4):
        """Compile: how ``fit`` trains. Averaged weights remain: over the last twentieth of the updates.

        Args:
          learning_rate: the highest; it follows :class:`musiclab.training.WarmUpCosineDecay`.
          k: Gibbs steps between data and negative phase.
          persistent: the chains go on where they stopped, instead of starting from each batch anew.
          momentum, weight_decay: of the gradient descent; decay of W alone.

        Raises:
          ValueError: if k is below 1.
        """
        if k < 1:
            raise ValueError(f"k = {k}: contrastive divergence needs at least one Gibbs step")
        self.k, self.persistent = int(k), persistent
        self.momentum, self.weight_decay = float(momentum), float(weight_decay)
        self.compile(
            keras.optimizers.SGD(learning_rate)
        )  # it keeps the rate; ``fit`` takes the steps itself

    def assign(self, W, a, b) -> RBM:
        """Set the weights by hand, W (V, H), a (V,), b (H,); the model then counts as trained."""
        shapes, wanted = (
            [np.shape(part) for part in (W, a, b)],
            [tuple(v.shape) for v in (self.W, self.a, self.b)],
        )
        if shapes != wanted:
            raise ValueError(f"W, a, b have shapes {shapes}: need {wanted}")
        for variable, value in zip((self.W, self.a, self.b), (W, a, b)):
            variable.assign(value)
        self.updates.assign(max(1.0, float(self.updates)))
        return self

    def call(self, v):
        """Visible units (n, V) to free energies (n,) in nats."""
        return rbm_functions.free_energy(v, self.W, self.a, self.b)

    def fit(
        self,
        x,
        y=None,
        validation_data=None,
        epochs=1,
        batch_size=100,
        seed=0,
        callbacks=None,
        verbose="auto",
    ):
        """Train on rows (n, V) of numbers from 0 to 1; a number between stands for the chance of a 1.

        Each pass deals out whole batches only: what is left over, fewer rows than a batch, differs from pass
        to pass. Before the first update, a is set to the data's log odds. The loop is not Keras' own, whose
        bookkeeping takes nearly as long as small updates themselves; callbacks are served as there.

        Args:
          x: rows. validation_data: rows held out, or None. epochs, callbacks, verbose: as Keras.
          batch_size: rows per update, at most n; also how many chains there are.
          seed: for shuffles and chains.

        Returns:
          Keras' history; "loss" as the class says, "val_loss" that of the averaged weights on rows held out.

        Raises:
          ValueError: if there is no row, or one is no such row.
        """
        if y is not None:
            raise ValueError("a Boltzmann machine learns the rows themselves: pass no y")
        x = self._rows(x)
        held_out = None if validation_data is None else tf.constant(self._rows(validation_data))
        if float(self.updates) == 0:
            share = (x.sum(axis=0) + 0.5) / (len(x) + 1)
            self.a.assign(np.log(share / (1 - share)))
        data = Bunches(x, batch_size, seed)
        learn, average = self._learner(x, data, seed, epochs)
        history = keras.callbacks.History()
        callbacks = keras.callbacks.CallbackList(
            [*(callbacks or []), WarmUpCosineDecay(), history],
            **{
                "add_progbar": verbose != 0,
                "model": self,
                "verbose": verbose,
                "epochs": epochs,
                "steps": len(data),
            },
        )
        measure = tf.function(self.measure)
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            logs = {"loss": self._one_pass(learn, data, callbacks)}
            if held_out is not None:
                average.swap()
                logs["val_loss"] = float(measure(held_out, data.seeds[-1]))
                average.swap()
            callbacks.on_epoch_end(epoch, logs)
            data.on_epoch_end()
        average.swap()
        callbacks.on_train_end()
        return history

    def _one_pass(self, learn, data, callbacks):
        losses = []
        for i in range(len(data)):
            callbacks.on_train_batch_begin(i)
            losses.append(float(learn(*data[i])))
            callbacks.on_train_batch_end(i, {"loss": np.mean(losses)})
        return float(np.mean(losses))

    def _learner(self, x, data, seed, epochs):
        """A graph that learns from a bunch of batches and returns its loss, and the averages that it keeps."""
        variables = [variable.value for variable in (self.W, self.a, self.b)]
        velocities = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        chains = tf.Variable(x[np.random.default_rng(seed).integers(len(x), size=data.size)])
        average = Average(variables, max(0.0, 1 - 20 / max(1, epochs * len(data.batches))))

        def update(i, batches, seeds):
            self._update(batches[i], seeds[i], chains, variables, velocities)
            return i + 1, batches, seeds

        def learn(batches, seeds):
            count = tf.shape(batches)[0]
            tf.while_loop(lambda i, *_: i < count, update, (tf.constant(0), batches, seeds))
            count = tf.cast(count, self.updates.dtype)
            self.updates.assign_add(count)
            # decay and averages, once for all updates of a bunch, cost next to nothing
            self.W.assign(self.W * (1 - self.weight_decay * self.optimizer.learning_rate) ** count)
            average.update(count)
            return self.measure(batches[-1], seeds[-1])

        wanted = tf.TensorSpec((None, data.size, self.visible)), tf.TensorSpec((None, 2), tf.int32)
        return tf.function(learn, input_signature=wanted), average

    def _update(self, v, seed, chains, variables, velocities):
        """One step on one batch (n, V): velocity = momentum * velocity - rate * slope; variable += velocity."""
        W, a, b = (
            tf.convert_to_tensor(variable) for variable in variables
        )  # read once, so that nothing is copied
        v_k = self._gibbs(chains.read_value() if self.persistent else v, W, a, b, self.k, seed)
        if self.persistent:
            chains.assign(v_k)
        rate = tf.convert_to_tensor(self.optimizer.learning_rate)
        slopes = rbm_functions.cd_gradient(v_k, v, W, b)  # data and chains swapped: downhill
        for variable, velocity, slope in zip(variables, velocities, slopes):
            tf.raw_ops.ResourceApplyKerasMomentum(  # all in one pass over the weights
                var=variable.handle,
                accum=velocity.handle,
                lr=rate,
                grad=slope,
                momentum=self.momentum,
            )

    def measure(self, v, seed):
        """What training shows: minus the pseudo-log-likelihood of rows (n, V), one unit of each asked, averaged."""
        unit = tf.random.stateless_uniform(
            (tf.shape(v)[0],), seed, maxval=self.visible, dtype=tf.int32
        )
        flipped = tf.where(tf.one_hot(unit, self.visible, True, False), 1 - v, v)
        return tf.reduce_mean(self.visible * tf.math.softplus(self(v) - self(flipped)))

    def hidden_probs(self, v) -> np.ndarray:
        """Visible units (n, V), 0 to 1, to p(h = 1 | v), float32 (n, H)."""
        return rbm_functions.hidden_probs(self._rows(v), self.W, self.b).numpy()

    def visible_probs(self, h) -> np.ndarray:
        """Hidden units (n, H), 0 to 1, to p(v = 1 | h), float32 (n, V)."""
        return rbm_functions.visible_probs(self._rows(h, self.hidden), self.W, self.a).numpy()

    def log_likelihood(self, x, log_z=None) -> np.ndarray:
        """ln p(v) = - F(v) - ln Z, in nats per row.

        Equation: (12.6)
        Lesson: 12

        Args:
          x: rows (n, V) of 0 and 1.
          log_z: ln Z, if known; else it is computed exactly where the smaller layer has at most 20 units, and else
            estimated by annealed importance sampling, which with chains too hurried finds it too small and the
            rows too likely: see :func:`musiclab.models.energy.partition_function.log_partition_ais`.

        Returns:
          float64 (n,).

        Raises:
          ValueError: if a number is neither 0 nor 1, or the model has learnt nothing yet.
        """
        x = self._rows(x)
        if not np.isin(x, (0, 1)).all():
            raise ValueError(
                "only rows of 0 and 1 have a probability: threshold them first, x >= 0.5"
            )
        self._check_trained()
        weights = [np.asarray(part, np.float64) for part in (self.W, self.a, self.b)]
        if log_z is None:
            small = min(self.visible, self.hidden) <= MOST_UNITS
            log_z = (
                log_partition_exact(*weights)
                if small
                else log_partition_ais(*weights, seed=0).log_z[0]
            )
        return -rbm_functions.free_energy(x, *weights).numpy() - log_z  # Eq. (12.6)

    def sample(self, n: int, seed: int, steps: int = 1000) -> np.ndarray:
        """Draw n rows, each from a Gibbs chain of its own that starts at random.

        Args:
          n: rows. seed: the same draws the same. steps: of each chain; too few, and they still know their start.

        Returns:
          float32 (n, V) of 0 and 1.

        Raises:
          ValueError: n or steps below 1, or a model that has learnt nothing yet.
        """
        if min(n, steps) < 1:
            raise ValueError(f"{n} rows after {steps} steps: both must be at least 1")
        start = np.random.default_rng(seed).random((n, self.visible)) < 0.5
        return self.complete(start, np.zeros(self.visible, bool), seed, steps)

    def complete(self, x, known, seed: int, steps: int = 1000) -> np.ndarray:
        """Draw what is unknown, given what is known: Gibbs sampling with the known units held.

        Args:
          x: rows (n, V), 0 to 1; what they hold at unknown places is where the chain starts.
          known: bool (V,), or (n, V): which are held.
          seed, steps: as :meth:`sample`.

        Returns:
          float32 (n, V), 0 and 1 at unknown places.

        Raises:
          ValueError: as :meth:`sample`, or if ``known`` has another shape.
        """
        x, known = self._rows(x), np.asarray(known)
        self._check_trained()
        if known.dtype != bool or known.shape not in (x.shape, x.shape[1:]) or steps < 1:
            raise ValueError(
                f"known {known.dtype} {known.shape}, {steps} steps: need bool {x.shape[1:]} or {x.shape}, 1"
            )
        numbers = tf.constant(steps), tf.constant([seed % 2**31, 0])
        return self.graph(self._gibbs)(
            x, self.W.value, self.a.value, self.b.value, *numbers, np.broadcast_to(known, x.shape)
        ).numpy()

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), "visible": self.visible, "hidden": self.hidden}

    def _rows(self, x, width=None):
        x, width = np.asarray(x, np.float32), width or self.visible
        if x.ndim != 2 or len(x) == 0 or x.shape[1] != width:
            raise ValueError(f"rows of shape {x.shape}: need (n, {width}), n at least 1")
        if not ((x >= 0) & (x <= 1)).all():
            raise ValueError(
                f"found {x[~((x >= 0) & (x <= 1))][0]} in the rows: units take numbers from 0 to 1"
            )
        return x

    def _check_trained(self):
        if float(self.updates) == 0:
            raise ValueError("the model has learnt nothing yet: call fit, or assign weights")
