"""The restricted Boltzmann machine as a Keras model: trained by contrastive divergence, sampled, completed, scored.

    rbm = RBM(visible=88, hidden=150)
    rbm.recipe(learning_rate=0.05, k=1, persistent=True)     # optional: how ``fit`` trains
    training.train(rbm, x, held_out=y, epochs=20, batch_size=100)   # x (n, 88), numbers from 0 to 1
    rbm.W, rbm.a, rbm.b                                      # Keras variables (V, H), (V,), (H,)
    rbm.assign(W, a, b)                                      # instead of training: weights by hand
    rbm.hidden_probs(x), rbm.visible_probs(h)                # arrays (n, H), (n, V)
    rbm.log_likelihood(y)                                    # nats (n,), y binary
    rbm.sample(10, seed=0), rbm.complete(x, known, seed=0)   # arrays (n, V) of 0 and 1

The formulas, on arrays and tensors and with biases of each row's own, are in :mod:`musiclab.models.energy`; partition
functions in :mod:`musiclab.models.partition`.

Lessons: 12, 13, 14.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from musiclab.models import energy
from musiclab.models.partition import MOST_UNITS, log_partition_ais, log_partition_exact
from musiclab.models.sequences import CosineDecay

__all__ = ["RBM", "Bunches"]

TOGETHER = 20  # updates in one call of a graph, which would else spend much of its time on being called


@keras.saving.register_keras_serializable(package="musiclab")
class RBM(keras.Model):
    """V visible and H hidden binary units, connected between the layers only.

    ``fit`` adds the estimate of contrastive divergence, :func:`musiclab.models.energy.cd_gradient`, to the weights,
    batch after batch. What it calls "loss" is minus the pseudo-log-likelihood, sum over i of ln p(v_i | all other
    visible), in nats per row, estimated by flipping one unit per row: it needs no partition function and
    shows whether training goes anywhere. It is no likelihood: for that, :meth:`log_likelihood`.

    Lesson: 12
    Source: source article on deep belief networks, sections 2.2 and 4.

    Args:
      visible: V. hidden: H.

    Raises:
      ValueError: if one is below 1.

    >>> RBM(3, 2).assign(np.zeros((3, 2)), np.zeros(3), np.zeros(2)).log_likelihood(np.ones((1, 3))).round(3)
    array([-2.079])
    """

    _gibbs = staticmethod(energy.gibbs)  # machines with other visible units draw them otherwise

    def __init__(self, visible, hidden, **kwargs):
        super().__init__(**kwargs)
        if min(visible, hidden) < 1:
            raise ValueError(f"{visible} visible, {hidden} hidden units: both must be at least 1")
        self.visible, self.hidden = int(visible), int(hidden)
        self.pseudo = keras.metrics.Mean(name="loss")
        self.build()
        self.recipe()

    def build(self, input_shape=None):
        """Make the weights at once; ``updates`` counts what they have learnt from."""
        normal, low = keras.initializers.RandomNormal(stddev=0.05), keras.initializers.Constant(-1.0)
        self.W = self.add_weight((self.visible, self.hidden), normal, name="W")
        self.a = self.add_weight((self.visible,), "zeros", name="a")
        self.b = self.add_weight((self.hidden,), low, name="b")  # most hidden units are off at first
        self.updates = self.add_weight((), "zeros", trainable=False, name="updates")
        self.built = True

    def recipe(self, learning_rate=0.05, k=1, persistent=False, momentum=0.5, weight_decay=2e-4):
        """Compile: how ``fit`` trains. Averaged weights remain: over the last twentieth of the updates, at most 500.

        Args:
          learning_rate: the highest; it follows :class:`musiclab.models.sequences.CosineDecay`.
          k: Gibbs steps between data and negative phase.
          persistent: the chains go on where they stopped, instead of starting from each batch anew.
          momentum, weight_decay: of the gradient descent; decay of W alone.

        Raises:
          ValueError: if k is below 1.
        """
        if k < 1:
            raise ValueError(f"k = {k}: contrastive divergence needs at least one Gibbs step")
        optimizer = keras.optimizers.SGD(learning_rate, momentum, weight_decay=weight_decay, use_ema=True)
        optimizer.exclude_from_weight_decay([self.a, self.b])
        self.k, self.persistent = int(k), persistent
        self.compile(optimizer=optimizer, jit_compile=False)  # on a CPU, XLA draws random numbers slowly
        self.train_function = None

    def assign(self, W, a, b) -> RBM:
        """Set the weights by hand, W (V, H), a (V,), b (H,); the model then counts as trained."""
        shapes, wanted = [np.shape(part) for part in (W, a, b)], [tuple(v.shape) for v in (self.W, self.a, self.b)]
        if shapes != wanted:
            raise ValueError(f"W, a, b have shapes {shapes}: need {wanted}")
        for variable, value in zip((self.W, self.a, self.b), (W, a, b)):
            variable.assign(value)
        self.updates.assign(max(1.0, float(self.updates)))
        return self

    def call(self, v):
        """Visible units (n, V) to free energies (n,) in nats."""
        return energy.free_energy(v, self.W, self.a, self.b)

    def fit(self, x, y=None, validation_data=None, epochs=1, batch_size=100, seed=0, callbacks=None, **kwargs):
        """Train on rows (n, V) of numbers from 0 to 1; a number between stands for the chance of a 1.

        Each pass deals out whole batches only: what is left over, fewer rows than a batch, differs from pass
        to pass. Before the first update, a is set to the data's log odds.

        Args:
          x: rows. validation_data: rows held out, or None. epochs, callbacks, **kwargs: as Keras.
          batch_size: rows per update, at most n; also how many chains there are.
          seed: for shuffles and chains.

        Returns:
          Keras' history; "loss" as the class says.

        Raises:
          ValueError: if there is no row, or one is no such row.
        """
        if y is not None:
            raise ValueError("a Boltzmann machine learns the rows themselves: pass no y")
        x = self._rows(x)
        data = Bunches(x, batch_size, seed)
        held_out = None if validation_data is None else self._rows(validation_data)
        held_out = None if held_out is None else Bunches(held_out, len(held_out), seed)
        if float(self.updates) == 0:
            share = (x.sum(axis=0) + 0.5) / (len(x) + 1)
            self.a.assign(np.log(share / (1 - share)))
        self.__dict__["_chains"] = tf.Variable(x[np.random.default_rng(seed).integers(len(x), size=data.size)])
        updates = max(1, epochs * len(data.batches))
        self.optimizer.ema_momentum = max(0.0, min(0.998, 1 - 20 / updates))
        self.train_function = None  # traced anew: it holds on to the chains
        callbacks = [*(callbacks or []), CosineDecay(), keras.callbacks.SwapEMAWeights()]
        return super().fit(data, validation_data=held_out, epochs=epochs, callbacks=callbacks, **kwargs)

    def train_step(self, data):
        """Keras' hook: a bunch of batches (m, n, V), an update for each."""
        batches, seeds = data
        count = tf.shape(batches)[0]
        tf.while_loop(lambda i: i < count, lambda i: self._update(batches[i], seeds[i], i), (tf.constant(0),))
        self.updates.assign_add(tf.cast(count, self.updates.dtype))
        return self.test_step((batches[-1:], seeds[-1:]))

    def _update(self, v, seed, i):
        """One batch (n, V), one step uphill; the number of the next."""
        start = self._chains.read_value() if self.persistent else v
        v_k = self._gibbs(start, self.W, self.a, self.b, self.k, seed)
        if self.persistent:
            self._chains.assign(v_k)
        uphill = energy.cd_gradient(v, v_k, self.W, self.b)
        self.optimizer.apply([-part for part in uphill], [self.W, self.a, self.b])
        return (i + 1,)

    def test_step(self, data):
        """Keras' hook: the pseudo-log-likelihood, its sign turned."""
        batches, seeds = data
        v = tf.reshape(batches, (-1, self.visible))
        unit = tf.random.stateless_uniform((tf.shape(v)[0],), seeds[0], maxval=self.visible, dtype=tf.int32)
        flipped = tf.where(tf.one_hot(unit, self.visible, True, False), 1 - v, v)
        nats = self.visible * tf.math.softplus(self(v) - self(flipped))
        self.pseudo.update_state(nats)
        return {"loss": self.pseudo.result()}

    def hidden_probs(self, v) -> np.ndarray:
        """Visible units (n, V), 0 to 1, to p(h = 1 | v), float32 (n, H)."""
        return energy.hidden_probs(self._rows(v), self.W, self.b).numpy()

    def visible_probs(self, h) -> np.ndarray:
        """Hidden units (n, H), 0 to 1, to p(v = 1 | h), float32 (n, V)."""
        return energy.visible_probs(self._rows(h, self.hidden), self.W, self.a).numpy()

    def log_likelihood(self, x, log_z=None) -> np.ndarray:
        """ln p(v) = - F(v) - ln Z, in nats per row.

        Equation: (12.6)
        Lesson: 12

        Args:
          x: rows (n, V) of 0 and 1.
          log_z: ln Z, if known; else it is computed exactly where the smaller layer has at most 20 units, and else
            estimated by annealed importance sampling, which with chains too hurried finds it too small and the
            rows too likely: see :func:`musiclab.models.partition.log_partition_ais`.

        Returns:
          float64 (n,).

        Raises:
          ValueError: if a number is neither 0 nor 1, or the model has learnt nothing yet.
        """
        x = self._rows(x)
        if not np.isin(x, (0, 1)).all():
            raise ValueError("only rows of 0 and 1 have a probability: threshold them first, x >= 0.5")
        self._check_trained()
        weights = [np.asarray(part, np.float64) for part in (self.W, self.a, self.b)]
        if log_z is None:
            small = min(self.visible, self.hidden) <= MOST_UNITS
            log_z = log_partition_exact(*weights) if small else log_partition_ais(*weights, seed=0).log_z[0]
        return -energy.free_energy(x, *weights).numpy() - log_z  # Eq. (12.6)

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
        return self._graph(
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
            raise ValueError(f"found {x[~((x >= 0) & (x <= 1))][0]} in the rows: units take numbers from 0 to 1")
        return x

    def _check_trained(self):
        if float(self.updates) == 0:
            raise ValueError("the model has learnt nothing yet: call fit, or assign weights")

    def _graph(self, *arguments):
        if "_gibbs_graph" not in self.__dict__:  # traced once per batch size, then kept
            self.__dict__["_gibbs_graph"] = tf.function(self._gibbs)
        return self.__dict__["_gibbs_graph"](*arguments)


class Bunches(keras.utils.PyDataset):
    """Whole batches, shuffled, up to 20 at a time, each with a random seed of its own: ((m, n, V), int32 (m, 2)).

    Lesson: 12

    Args:
      x: rows (N, V). size: n; where it exceeds N, n is N.
      seed: for shuffles and the seeds.

    Raises:
      ValueError: if size is below 1.
    """

    def __init__(self, x, size, seed, **kwargs):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"batches of {size} rows: must be at least 1")
        self.x, self.size, self.rng = x, min(size, len(x)), np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        """Bunches in a pass."""
        return -(-len(self.batches) // TOGETHER)

    def __getitem__(self, i):
        """Bunch i."""
        part = slice(i * TOGETHER, (i + 1) * TOGETHER)
        return self.x[self.batches[part]], self.seeds[part]

    def on_epoch_end(self):
        """Shuffle for the next pass."""
        whole = len(self.x) // self.size
        self.batches = self.rng.permutation(len(self.x))[: whole * self.size].reshape(whole, self.size)
        self.seeds = self.rng.integers(2**31, size=(whole, 2), dtype=np.int32)
