"""The deep belief network: restricted Boltzmann machines stacked, trained layer by layer, fine-tuned, sampled.

    dbn = DBN(visible=1664, hidden=(128, 128), symbols=26)
    dbn.fit(x, epochs=(40, 20), batch_size=100)    # greedy: each machine learns what the one below makes of the data
    tuned = dbn.fine_tuned(x, epochs=10)           # a copy: encoder and decoder below the top, by backpropagation
    tuned.refit_top(x, epochs=20)                  # fine-tuning has changed the codes: the top must learn them anew
    tuned.sample(10, seed=0), tuned.complete(primer, known, seed=0)

Lessons: 13.
"""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf

from musiclab.models.energy import rbm_functions
from musiclab.models.energy.rbm import RBM
from musiclab.models.energy.softmax_rbm import SymbolRBM, draw_symbols, surprise, symbol_probs
from musiclab.sampling import check_temperature

__all__ = ["DBN"]


@keras.saving.register_keras_serializable(package="musiclab")
class DBN(keras.Model):
    """p(v, h1, ..., hL): a Boltzmann machine of the two top layers, and below it only downward steps.

    Equation: (13.3)
    Lesson: 13
    Source: source article on deep belief networks, sections 2.1 and 3; Hinton, Osindero and Teh, "A fast learning
      algorithm for deep belief nets", 2006; fine-tuning: Hinton and Salakhutdinov, "Reducing the dimensionality of
      data with neural networks", 2006.

    Args:
      visible: V. hidden: units of each layer above, one number or more.
      symbols: K, if visible units are one-hot in cells of K; 1 if each is 0 or 1 by itself.
      untied: whether the way down has weights of its own, as after fine-tuning; else it has those of the way up.

    Raises:
      ValueError: if there is no hidden layer, a size is below 1, or V is no multiple of K.

    >>> DBN(6, (4, 2), symbols=3).encode(np.eye(6)[[0]] + np.eye(6)[[3]]).shape
    (1, 4)
    """

    def __init__(self, visible, hidden=(128, 128), symbols=1, untied=False, **kwargs):
        super().__init__(**kwargs)
        hidden = [int(n) for n in np.atleast_1d(hidden)]
        if not hidden or min(visible, *hidden) < 1:
            raise ValueError(
                f"{visible} visible units, hidden layers {hidden}: need one layer or more of at least 1"
            )
        self.settings = {
            "visible": int(visible),
            "hidden": hidden,
            "symbols": int(symbols),
            "untied": bool(untied),
        }
        first = SymbolRBM(visible, hidden[0], symbols) if symbols > 1 else RBM(visible, hidden[0])
        self.stack = [first, *(RBM(below, above) for below, above in pairwise(hidden))]
        self.symbols = int(symbols)
        self.build()
        self.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
        for machine in self.stack:
            machine.recipe(
                learning_rate=0.1 if isinstance(machine, SymbolRBM) else 0.05, momentum=0.9
            )

    def build(self, input_shape=None):
        """Make the weights of the way down, where it has its own."""
        shapes = [machine.W.shape for machine in self.stack[:-1]] if self.settings["untied"] else []
        self.down = [
            self.add_weight(shape, "zeros", name=f"down{i}") for i, shape in enumerate(shapes)
        ]
        self.built = True

    @classmethod
    def stacked(cls, machines) -> DBN:
        """A network of copies of trained machines, the first one lowest.

        Args:
          machines: :class:`RBM`; the first may be a :class:`SymbolRBM`.

        Returns:
          The network; its way down has the weights of the way up.

        Raises:
          ValueError: if there is none, or one does not have as many visible units as the one below hidden ones.
        """
        machines = list(machines)
        for i, (below, above) in enumerate(pairwise(machines)):
            if below.hidden != above.visible or isinstance(above, SymbolRBM):
                raise ValueError(
                    f"machine {i} has {below.hidden} hidden units, machine {i + 1} is a {type(above).__name__} with "
                    f"{above.visible} visible ones: each must be an RBM that fits on the one below"
                )
        sizes = [machine.hidden for machine in machines]
        new = cls(
            machines[0].visible if machines else 0,
            sizes,
            getattr(machines[0], "symbols", 1) if machines else 1,
        )
        for mine, theirs in zip(new.stack, machines):
            mine.set_weights(theirs.get_weights())
        return new

    def fit(self, x, y=None, validation_data=None, epochs=10, **kwargs):
        """Greedy training: the lowest machine learns the data, each one above what the one below makes of them.

        Args:
          x: rows (n, V). validation_data: rows held out, or None.
          epochs: passes, one number for all layers or one for each. **kwargs: as :meth:`RBM.fit`.

        Returns:
          Keras' history with the losses of all layers one after another.

        Raises:
          ValueError: as :meth:`RBM.fit`, or if there are not as many ``epochs`` as layers.
        """
        passes, losses = (
            list(np.broadcast_to(epochs, len(self.stack)))
            if np.ndim(epochs) == 0
            else list(epochs),
            {},
        )
        if len(passes) != len(self.stack):
            raise ValueError(
                f"{len(passes)} numbers of epochs for {len(self.stack)} layers: one for each, or one for all"
            )
        for machine, n in zip(self.stack, passes):
            history = machine.fit(x, y, validation_data=validation_data, epochs=int(n), **kwargs)
            losses = {
                name: losses.get(name, []) + values for name, values in history.history.items()
            }
            x = machine.hidden_probs(x)
            validation_data = (
                None if validation_data is None else machine.hidden_probs(validation_data)
            )
        history.history = losses
        return history

    def fine_tuned(self, x, epochs=10, batch_size=100, learning_rate=1e-3, seed=0, **kwargs) -> DBN:
        """A copy whose layers below the top were unrolled into an autoencoder and trained by backpropagation.

        The way down gets weights of its own. The code, what the top machine sees, is drawn, not passed as
        probabilities, since the top will only ever send zeros and ones; its gradient is that of the probability. The
        top machine is the old one, and does not know the new codes: :meth:`refit_top`.

        Args:
          x: rows (n, V). epochs, batch_size, **kwargs: as Keras. learning_rate: of Adam. seed: for shuffles and draws.

        Returns:
          The new network; this one stays as it was.

        Raises:
          ValueError: if there is but one layer, so that nothing lies below the top, or it has learnt nothing yet.
        """
        self._check_trained()
        if len(self.stack) < 2:
            raise ValueError("one layer has nothing below the top to fine-tune: stack at least two")
        new = type(self)(**{**self.settings, "untied": True})
        for mine, theirs in zip(new.stack, self.stack):
            mine.set_weights(theirs.get_weights())
        for mine, theirs in zip(new.down, self.down or [machine.W for machine in self.stack]):
            mine.assign(theirs)
        keras.utils.set_random_seed(seed)
        new.optimizer.learning_rate.assign(learning_rate)
        new.stack[-1].trainable = False
        keras.Model.fit(
            new, new._rows(x), epochs=epochs, batch_size=batch_size, **{"verbose": 0, **kwargs}
        )
        new.stack[-1].trainable = True
        return new

    def refit_top(self, x, **kwargs):
        """Train the top machine on the codes of rows x (n, V) as they are now; arguments and history as RBM.fit."""
        return self.stack[-1].fit(self.encode(x), **kwargs)

    def call(self, x, training=False):
        """Rows (n, V) to their reconstruction from the code, probabilities (n, V)."""
        code = self._up(x, max(1, len(self.stack) - 1))
        if training:
            drawn = tf.cast(tf.random.uniform(tf.shape(code)) < code, code.dtype)
            code += tf.stop_gradient(
                drawn - code
            )  # forward what was drawn, backward the probability
        return self._down(code, max(1, len(self.stack) - 1))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: :func:`musiclab.models.energy.softmax_rbm.surprise`, averaged over the rows of the batch."""
        return tf.reduce_mean(self._surprise(x, y_pred))

    def encode(self, x, layers=None) -> np.ndarray:
        """Rows (n, V) to p(h = 1) of a hidden layer, each layer's probabilities handed to the next: float32 (n, H).

        ``layers`` counts from 1; None is the code, the visible layer of the top machine: the rows if there is but one.
        """
        return self._up(
            self._rows(x), self._depth(len(self.stack) - 1 if layers is None else layers)
        ).numpy()

    def reconstruct(self, x, layers=None) -> np.ndarray:
        """Rows (n, V) up ``layers`` layers and down again, probabilities throughout: float32 (n, V).

        None goes up to the code, or one layer if there is but one.
        """
        layers = self._depth(max(1, len(self.stack) - 1) if layers is None else layers)
        return self._down(self._up(self._rows(x), layers), layers).numpy()

    def sample(self, n: int, seed: int, steps: int = 1000, temperature: float = 1.0) -> np.ndarray:
        """Draw n rows: Gibbs sampling from noise in the top machine, then down, each layer drawn given the one above.

        Fine-tuned, only the code and the row are drawn, and what lies between hands on probabilities.

        Args:
          n: rows. seed: the same draws the same. steps: of Gibbs sampling.
          temperature: of the last draw, that of the visible units.

        Returns:
          float32 (n, V) of 0 and 1.

        Raises:
          ValueError: n or steps below 1, a temperature not above 0, or a model that has learnt nothing yet.
        """
        tau, top = check_temperature(temperature), self.stack[-1]
        self._check_trained()
        code = top.sample(n, seed, steps)  # Eq. (13.3)
        return self._visible(code, tau, seed).numpy()

    def complete(
        self, x, known, seed: int, steps: int = 100, temperature: float = 1.0
    ) -> np.ndarray:
        """Go on from a primer: up to the code, a Gibbs step in the top machine, down, the known units put back; again.

        Only an approximation of drawing the unknown given the known: the way up is an estimate.

        Equation: (13.7)
        Lesson: 13

        Args:
          x: rows (n, V); what they hold at unknown places is where it starts. known: bool (V,), or (n, V).
          seed, temperature: as :meth:`sample`; the temperature counts in the last round. steps: rounds.

        Returns:
          float32 (n, V); known units as in x.

        Raises:
          ValueError: as :meth:`sample`, or if the primer or ``known`` has another width.
        """
        tau, x, known = check_temperature(temperature), self._rows(x), np.asarray(known)
        self._check_trained()
        if known.dtype != bool or known.shape not in (x.shape, x.shape[1:]) or steps < 1:
            raise ValueError(
                f"known {known.dtype} {known.shape}, {steps} steps: need bool {x.shape[1:]} or {x.shape}, 1"
            )
        if len(self.stack) == 1:  # then the way up is exact
            return self.stack[0].complete(x, known, seed, steps)
        v, top = tf.constant(x), self.stack[-1]
        for t, one in enumerate(np.random.default_rng(seed).integers(2**31, size=steps).tolist()):
            code = self._up(v, len(self.stack) - 1)
            code = _coins(code, (one, 1))
            code = top.complete(code, np.zeros(top.visible, bool), one, steps=1)
            drawn = self._visible(code, tau if t == steps - 1 else 1.0, one)
            v = tf.where(known, x, drawn)  # Eq. (13.7)
        return v.numpy()

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        return {**super().get_config(), **self.settings}

    def _up(self, x, layers):
        """Rows to the probabilities of hidden layer ``layers``, tensor (n, H).

        Equation: (13.2)
        """
        h = tf.cast(x, self.compute_dtype)
        for machine in self.stack[:layers]:
            h = rbm_functions.hidden_probs(h, machine.W, machine.b)  # Eq. (13.2)
        return h

    def _down(self, h, layers, seed=None):
        """Hidden layer ``layers`` to probabilities of the visible units (n, V); with a seed, by draws in between."""
        h = tf.cast(h, self.compute_dtype)
        for i, machine in reversed(list(enumerate(self.stack[:layers]))):
            W = self.down[i] if i < len(self.down) else machine.W
            if i == 0 and self.symbols > 1:
                return symbol_probs(h, W, machine.a, self.symbols)
            h = rbm_functions.visible_probs(h, W, machine.a)
            # a way down of its own was trained on probabilities
            h = h if seed is None or i == 0 or self.down else _coins(h, (seed, 4 + i))
        return h

    def _visible(self, code, temperature, seed):
        """From a state of the top machine's visible layer to drawn rows, tensor (n, V)."""
        seed %= 2**31
        if (
            len(self.stack) == 1
        ):  # half a Gibbs step up, so that the last draw has a temperature here, too
            code = _coins(self._up(code, 1), (seed, 5))
        probs = self._down(code, max(1, len(self.stack) - 1), seed)
        if self.symbols > 1:
            return draw_symbols(probs, self.symbols, (seed, 3), temperature)
        return _coins(
            tf.sigmoid((tf.math.log(probs) - tf.math.log1p(-probs)) / temperature), (seed, 3)
        )

    def _surprise(self, x, probs):
        x = tf.cast(x, probs.dtype)
        return (
            surprise(x, probs)
            if self.symbols > 1
            else surprise(x, probs) + surprise(1 - x, 1 - probs)
        )

    def _rows(self, x):
        return self.stack[0]._rows(x)

    def _depth(self, layers):
        if not 0 <= layers <= len(self.stack):
            raise ValueError(
                f"layer {layers}: there are {len(self.stack)} hidden layers, 0 are the rows themselves"
            )
        return layers

    def _check_trained(self):
        for machine in self.stack:
            machine._check_trained()


def _coins(probs, seed):
    """1 as often as the probability says, else 0."""
    return tf.cast(
        tf.random.stateless_uniform(tf.shape(probs), seed, dtype=probs.dtype) < probs, probs.dtype
    )
