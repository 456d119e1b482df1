"""Deep belief network: stacked RBMs, trained layer by layer, fine-tuned, sampled.

dbn = DBN(visible=1664, hidden=(128, 128), symbols=26)
dbn.fit(x, epochs=(40, 20), batch_size=100)    # greedy layer-wise training
tuned = dbn.fine_tuned(x, epochs=10)           # a copy: layers below the top as an autoencoder
tuned.refit_top(x, epochs=20)                  # the top RBM learns the codes, which have changed
tuned.sample(10, seed=0), tuned.complete(primer, known, seed=0)
"""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.rbm_functions import bernoulli
from musiclab.models.energy.softmax_rbm import (
    SoftmaxRBM,
    cross_entropy,
    draw_symbols,
    softmax_probs,
)
from musiclab.sampling import check_temperature

__all__ = ["DBN"]


@keras.saving.register_keras_serializable(package="musiclab")
class DBN(keras.Model):
    """p(v, h1, ..., hL): an RBM of the two top layers, and directed layers below it.

    Equation: (13.3)
    Source: Hinton, Osindero and Teh, "A fast learning algorithm for deep belief nets", 2006, who
      fine-tune with a variant of wake-sleep; by backpropagation, as here: Hinton and Salakhutdinov,
      "Reducing the dimensionality of data with neural networks", 2006.

    Args:
      visible: V. hidden: units of each hidden layer, lowest first.
      symbols: K, if visible units are one-hot in cells of K; 1 if they are independent.
      untied: whether the downward layers have weights of their own, as after fine-tuning.

    Raises:
      ValueError: if there is no hidden layer, a size is below 1, or V is no multiple of K.

    >>> DBN(6, (4, 2), symbols=3).encode(np.eye(6)[[0]] + np.eye(6)[[3]]).shape
    (1, 4)
    """

    def __init__(self, visible, hidden=(128, 128), symbols=1, untied=False, **kwargs):
        super().__init__(**kwargs)
        hidden = [int(n) for n in hidden]
        if not hidden or min(visible, *hidden) < 1:
            raise ValueError(
                f"{visible} visible units, hidden layers {hidden}: "
                "need one layer or more of at least 1"
            )
        self.visible, self.hidden, self.symbols, self.untied = visible, hidden, symbols, untied
        first = SoftmaxRBM(visible, hidden[0], symbols) if symbols > 1 else RBM(visible, hidden[0])
        self.stack = [first, *(RBM(below, above) for below, above in pairwise(hidden))]
        below_top = self.stack[:-1] if untied else []
        self.down = [
            self.add_weight(rbm.W.shape, "zeros", name=f"down{i}")
            for i, rbm in enumerate(below_top)
        ]
        self.code_layer = max(1, len(hidden) - 1)  # below the top RBM; a single layer is its code
        self.built = True
        self.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
        for rbm in self.stack:
            learning_rate = 0.1 if isinstance(rbm, SoftmaxRBM) else 0.05
            rbm.compile_default(learning_rate, momentum=0.9)

    @classmethod
    def stacked(cls, rbms) -> DBN:
        """Stack copies of trained RBMs, the first one lowest.

        Args:
          rbms: one :class:`RBM` or more; the first may be a :class:`SoftmaxRBM`.

        Returns:
          A network with tied weights.

        Raises:
          ValueError: if an RBM has not as many visible units as the one below has hidden ones.
        """
        for i, (below, above) in enumerate(pairwise(rbms)):
            if below.hidden != above.visible or isinstance(above, SoftmaxRBM):
                raise ValueError(
                    f"RBM {i} has {below.hidden} hidden units, RBM {i + 1} is a "
                    f"{type(above).__name__} with {above.visible} visible ones: "
                    "each must be a binary RBM that fits on the one below"
                )
        new = cls(rbms[0].visible, [rbm.hidden for rbm in rbms], getattr(rbms[0], "symbols", 1))
        for mine, theirs in zip(new.stack, rbms):
            mine.set_weights(theirs.get_weights())
        return new

    def fit(self, x, y=None, validation_data=None, epochs=10, **kwargs):
        """Greedy layer-wise training: each RBM learns the hidden probabilities of the one below.

        Args:
          x: rows (n, V). validation_data: held-out rows, or None.
          epochs: passes, one number for all layers or one for each. **kwargs: as :meth:`RBM.fit`.

        Returns:
          Keras' history with the losses of all layers one after another.

        Raises:
          ValueError: as :meth:`RBM.fit`, or if there are not as many ``epochs`` as layers.
        """
        epochs = [epochs] * len(self.stack) if np.ndim(epochs) == 0 else epochs
        if len(epochs) != len(self.stack):
            raise ValueError(
                f"{len(epochs)} numbers of epochs for {len(self.stack)} layers: "
                "one for each, or one for all"
            )
        losses = {}
        for rbm, passes in zip(self.stack, epochs):
            history = rbm.fit(x, y, validation_data=validation_data, epochs=passes, **kwargs)
            for name, values in history.history.items():
                losses.setdefault(name, []).extend(values)
            x = rbm.hidden_probs(x)  # (n, H)
            if validation_data is not None:
                validation_data = rbm.hidden_probs(validation_data)
        history.history = losses
        return history

    def fine_tuned(self, x, epochs=10, batch_size=100, learning_rate=1e-3, seed=0, **kwargs) -> DBN:
        """Fine-tune a copy: the layers below the top, unrolled into an autoencoder.

        The downward layers get weights of their own. The code is drawn, not passed on as
        probabilities, since the top RBM only ever sends zeros and ones. The gradient passes the
        draw as if it had been the probability: the straight-through estimator, which is biased
        (Bengio, Léonard and Courville, "Estimating or propagating gradients through stochastic
        neurons for conditional computation", 2013). The top RBM is copied and not trained on the
        new codes: :meth:`refit_top`.

        Args:
          x: rows (n, V). epochs, batch_size, **kwargs: as Keras. learning_rate: of Adam.
          seed: for shuffles and draws.

        Returns:
          The new network; this one stays as it was.

        Raises:
          ValueError: if there is a single layer, or the network is not trained.
        """
        self.check_trained()
        if len(self.stack) < 2:
            raise ValueError("one layer has nothing below the top to fine-tune: stack at least two")
        new = type(self)(self.visible, self.hidden, self.symbols, untied=True)
        for mine, theirs in zip(new.stack, self.stack):
            mine.set_weights(theirs.get_weights())
        for mine, theirs in zip(new.down, self.down or [rbm.W for rbm in self.stack]):
            mine.assign(theirs)
        keras.utils.set_random_seed(seed)
        new.optimizer.learning_rate.assign(learning_rate)
        new.stack[-1].trainable = False
        x = self.stack[0].check_rows(x)
        keras.Model.fit(new, x, epochs=epochs, batch_size=batch_size, verbose=0, **kwargs)
        new.stack[-1].trainable = True
        return new

    def refit_top(self, x, **kwargs):
        """Train the top RBM on the codes of rows x (n, V); arguments and history as RBM.fit."""
        return self.stack[-1].fit(self.encode(x), **kwargs)

    def call(self, x, training=False):
        """Rows (n, V) to their reconstruction from the code, probabilities (n, V)."""
        code = self._up(x, self.code_layer)  # (n, H)
        if training:
            drawn = tf.cast(tf.random.uniform(tf.shape(code)) < code, code.dtype)
            code += tf.stop_gradient(drawn - code)  # straight-through estimator
        return self._down(code, self.code_layer)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: cross-entropy of the reconstruction, averaged over the rows of the batch."""
        x = tf.cast(x, y_pred.dtype)
        nats = cross_entropy(x, y_pred)  # (B,)
        if self.symbols == 1:
            nats += cross_entropy(1 - x, 1 - y_pred)
        return tf.reduce_mean(nats)

    def encode(self, x, layers=None) -> np.ndarray:
        """Rows (n, V) to p(h = 1) of a hidden layer, by probabilities: float32 (n, H).

        ``layers`` counts from 1; 0 are the rows. None is the code, the visible layer of the top
        RBM: the rows themselves if there is a single layer.
        """
        layers = self._depth(len(self.stack) - 1 if layers is None else layers)
        return self._up(self.stack[0].check_rows(x), layers).numpy()

    def reconstruct(self, x, layers=None) -> np.ndarray:
        """Rows (n, V) up ``layers`` layers and down again: float32 (n, V).

        Probabilities are passed both ways, and nothing is drawn. None goes up to the code, or one
        layer if there is a single one.
        """
        layers = self._depth(self.code_layer if layers is None else layers)
        return self._down(self._up(self.stack[0].check_rows(x), layers), layers).numpy()

    def sample(self, n: int, seed: int, steps: int = 1000, temperature: float = 1.0) -> np.ndarray:
        """Draw n rows: Gibbs sampling in the top RBM, then down, each layer drawn given the next.

        After fine-tuning only the code and the row are drawn; probabilities pass between them.

        Args:
          n: rows. seed: of the draws. steps: of Gibbs sampling, from a random start.
          temperature: of the visible units.

        Returns:
          float32 (n, V) of 0 and 1.

        Raises:
          ValueError: n or steps below 1, a temperature not above 0, or an untrained network.
        """
        tau = check_temperature(temperature)
        self.check_trained()
        code = self.stack[-1].sample(n, seed, steps)  # Eq. (13.3)
        return self._draw_rows(code, tau, seed).numpy()

    def complete(
        self, x, known, seed: int, steps: int = 100, temperature: float = 1.0
    ) -> np.ndarray:
        """Continue from a primer; a round goes up, takes a Gibbs step, and goes down again.

        Known units are put back after each round. This only approximates a draw of the unknown
        given the known, because the way up is approximate.

        Equation: (13.7)

        Args:
          x: rows (n, V); their values at unknown places are the start.
          known: bool (V,), or (n, V).
          seed, temperature: as :meth:`sample`; the temperature acts in the last round, and not
            at all if there is a single layer.
          steps: rounds.

        Returns:
          float32 (n, V); known units as in x.

        Raises:
          ValueError: as :meth:`sample`, or if the primer or ``known`` has another width.
        """
        tau, x = check_temperature(temperature), self.stack[0].check_rows(x)
        known = self.stack[0].check_known(known, x, steps)
        self.check_trained()
        if len(self.stack) == 1:  # then the way up is exact
            return self.stack[0].complete(x, known, seed, steps)
        v, top = tf.constant(x), self.stack[-1]
        seeds = np.random.default_rng(seed).integers(2**31, size=steps).tolist()
        for t, seed in enumerate(seeds):
            code = bernoulli(self._up(v, self.code_layer), (seed, 1))  # (n, H)
            code = top.complete(code, np.zeros(top.visible, bool), seed, steps=1)
            drawn = self._draw_rows(code, tau if t == steps - 1 else 1.0, seed)  # (n, V)
            v = tf.where(known, x, drawn)  # Eq. (13.7)
        return v.numpy()

    def get_config(self):
        """Constructor arguments, stored in ``.keras`` files."""
        sizes = {"visible": self.visible, "hidden": list(self.hidden)}
        return {**super().get_config(), **sizes, "symbols": self.symbols, "untied": self.untied}

    def check_trained(self):
        """Raise ValueError if one of the RBMs is not trained."""
        for rbm in self.stack:
            rbm.check_trained()

    def _up(self, x, layers):
        """Rows to the probabilities of hidden layer ``layers``, tensor (n, H).

        Equation: (13.2)
        """
        h = tf.cast(x, self.compute_dtype)
        for rbm in self.stack[:layers]:
            h = rbm_functions.hidden_probs(h, rbm.W, rbm.b)  # Eq. (13.2)
        return h

    def _down(self, h, layers, seed=None):
        """Hidden layer ``layers`` to probabilities of the visible units (n, V).

        Layers between are drawn if a seed is given, except with untied weights, which were trained
        on probabilities.
        """
        h = tf.cast(h, self.compute_dtype)
        for i in reversed(range(layers)):
            W, a = self.down[i] if i < len(self.down) else self.stack[i].W, self.stack[i].a
            if i == 0 and self.symbols > 1:
                return softmax_probs(h, W, a, self.symbols)
            h = rbm_functions.visible_probs(h, W, a)
            if i > 0 and seed is not None and not self.down:
                h = bernoulli(h, (seed, 4 + i))
        return h

    def _draw_rows(self, code, temperature, seed):
        """Draw rows (n, V) given the visible units of the top RBM."""
        seed %= 2**31
        if len(self.stack) == 1:  # half a Gibbs step up, so that the last draw has a temperature
            code = bernoulli(self._up(code, 1), (seed, 5))
        probs = self._down(code, self.code_layer, seed)  # (n, V)
        if self.symbols > 1:
            return draw_symbols(probs, self.symbols, (seed, 3), temperature)
        logits = tf.math.log(probs) - tf.math.log1p(-probs)
        return bernoulli(tf.sigmoid(logits / temperature), (seed, 3))

    def _depth(self, layers):
        if not 0 <= layers <= len(self.stack):
            raise ValueError(
                f"layer {layers}: there are {len(self.stack)} hidden layers, 0 are the rows"
            )
        return layers
