"""The autoencoder of three dense layers as a Keras model, with its code at the first or the second layer.

Lessons: 03, 04.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from musiclab.models.autoencoders.numpy_autoencoder import Weights

__all__ = ["Autoencoder", "squared_error"]


@keras.saving.register_keras_serializable(package="musiclab")
def squared_error(x, x_hat):
    """Keras' side of the loss: squared differences summed over all features of each sample.

    Keras averages what a loss returns over the samples; together that is the lesson's mean squared error.

    Equation: (4.1)
    Lesson: 04

    Args:
      x: samples, tensor (n, ...), any number type.
      x_hat: reconstructions, float tensor of the same shape.

    Returns:
      Tensor (n,).

    Raises:
      ValueError: if the shapes differ.

    >>> squared_error(np.array([[0., 1.]]), np.array([[0., 3.]])).numpy().tolist()
    [4.0]
    """
    if tuple(x.shape[1:]) != tuple(x_hat.shape[1:]):
        raise ValueError(
            f"x has shape {tuple(x.shape)}, x_hat {tuple(x_hat.shape)}: reconstruct the same samples"
        )
    x_hat = ops.convert_to_tensor(x_hat)
    squares = ops.square(ops.cast(x, x_hat.dtype) - x_hat)
    return ops.sum(squares, axis=tuple(range(1, len(squares.shape))))  # Eq. (4.1)


@keras.saving.register_keras_serializable(package="musiclab")
class Autoencoder(keras.Model):
    """h1 = f1(W1 x + b1), h2 = f2(W2 h1 + b2), x_hat = W3 h2 + b3, with the narrow layer called the code.

    With ``code="h2"`` the decoder is the one affine map after h2. With ``code="h1"`` the encoder is one layer
    and the decoder has a hidden layer, h2, which can bend. ``fit(x)`` uses x as its own target.

    Equation: (3.1)
    Equation: (3.2)
    Equation: (3.3)
    Lesson: 03, 04
    Source: source article on autoencoders, section 3.1, whose decoder was never joined to its encoder.

    Args:
      shape: of one sample, such as (32, 48) for steps x pitches; read row by row into d features.
      h1, h2: units of the hidden layers.
      f1, f2: Keras activations by name.
      code: "h1" or "h2", the layer handed from encoder to decoder.

    Raises:
      ValueError: if a size is below 1 or ``code`` is neither layer.

    >>> model = Autoencoder((2, 3), h1=2, h2=4)
    >>> model.encode(np.zeros((5, 2, 3))).shape, model.sample(5, seed=0).shape
    ((5, 2), (5, 2, 3))
    """

    def __init__(self, shape, h1=64, h2=1024, f1="tanh", f2="relu", code="h1", **kwargs):
        super().__init__(**kwargs)
        self.sample_shape = tuple(int(n) for n in np.atleast_1d(shape))
        if min(*self.sample_shape, h1, h2) < 1:
            raise ValueError(
                f"shape {self.sample_shape}, h1={h1}, h2={h2}: every size must be at least 1"
            )
        if code not in ("h1", "h2"):
            raise ValueError(f"code {code!r}: say 'h1' or 'h2', the layer that is the code")
        self.code, self.code_size = code, {"h1": h1, "h2": h2}[code]
        self.first = keras.layers.Dense(h1, f1, name="h1")
        self.second = keras.layers.Dense(h2, f2, name="h2")
        self.third = keras.layers.Dense(int(np.prod(self.sample_shape)), name="x_hat")
        self.build()

    def build(self, input_shape=None):
        """Make the weights at once, so that the model can be saved, counted and loaded before it has seen data."""
        sizes = (int(np.prod(self.sample_shape)), self.first.units, self.second.units)
        for layer, n_in in zip((self.first, self.second, self.third), sizes):
            layer.build((None, n_in))
        self.built = True

    def _encode(self, x):
        x = ops.reshape(ops.cast(x, self.compute_dtype), (-1, int(np.prod(self.sample_shape))))
        h1 = self.first(x)  # Eq. (3.1)
        return h1 if self.code == "h1" else self.second(h1)

    def _decode(self, code):
        h2 = self.second(code) if self.code == "h1" else code  # Eq. (3.2)
        x_hat = self.third(h2)  # Eq. (3.3)
        return ops.reshape(x_hat, (-1, *self.sample_shape))

    def call(self, x):
        """Reconstruct a batch, tensor (n, *shape) -> tensor of the same shape."""
        return self._decode(self._encode(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook: without a target the input is the target."""
        return super().compute_loss(x, x if y is None else y, y_pred, sample_weight, training)

    def encode(self, x) -> np.ndarray:
        """Samples (n, *shape) -> their codes, float32 (n, code_size)."""
        return self._in_batches(self._encode, x, self.sample_shape)

    def decode(self, code) -> np.ndarray:
        """Codes (n, code_size) -> what they stand for, float32 (n, *shape), not yet thresholded."""
        return self._in_batches(self._decode, code, (self.code_size,))

    def reconstruct(self, x) -> np.ndarray:
        """Samples (n, *shape) -> x_hat, float32 of the same shape."""
        return self.decode(self.encode(x))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Decode n codes of standard Gaussian noise (mean 0, variance 1): nothing taught the model to expect them.

        Args:
          n: how many, at least 1. seed: for the noise.

        Returns:
          float32 (n, *shape), not yet thresholded.

        Raises:
          ValueError: if n is below 1.
        """
        if n < 1:
            raise ValueError(f"{n} samples: ask for at least 1")
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.code_size)))

    def numpy_weights(self) -> Weights:
        """The weights as the NumPy version wants them: float64, W of shape (outputs, inputs)."""
        layers = (self.first, self.second, self.third)
        pairs = [(np.array(v, np.float64) for v in layer.get_weights()) for layer in layers]
        return Weights(*(part for W, b in pairs for part in (W.T, b)))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        names = [
            keras.activations.serialize(layer.activation) for layer in (self.first, self.second)
        ]
        sizes = {"shape": list(self.sample_shape), "h1": self.first.units, "h2": self.second.units}
        return {**super().get_config(), **sizes, "f1": names[0], "f2": names[1], "code": self.code}

    def _in_batches(self, function, x, shape, size=1024):
        x = np.asarray(x, np.float32)
        if x.shape[1:] != shape or len(x) == 0:
            raise ValueError(
                f"got an array of shape {x.shape}: need (n, {', '.join(map(str, shape))}), n at least 1"
            )
        # in pieces, so that memory does not grow with n
        return np.concatenate(
            [np.asarray(function(x[i : i + size])) for i in range(0, len(x), size)]
        )
