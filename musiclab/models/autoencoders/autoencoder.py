"""Three-layer autoencoder as a Keras model, with its code at the first or the second layer."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from musiclab.models.autoencoders.numpy_autoencoder import Weights
from musiclab.training import in_batches

__all__ = ["Autoencoder", "squared_error"]


@keras.saving.register_keras_serializable(package="musiclab")
def squared_error(x, x_hat):
    """Squared error as a Keras loss: summed over the features of each sample.

    Keras averages over the samples what a loss returns; together that is the mean squared error of
    lesson 04.

    Equation: (4.1)

    Args:
      x: samples, tensor (B, ...), any number type.
      x_hat: reconstructions, float tensor of the same shape.

    Returns:
      Tensor (B,).

    Raises:
      ValueError: if the shapes differ.

    >>> squared_error(np.array([[0., 1.]]), np.array([[0., 3.]])).numpy().tolist()
    [4.0]
    """
    if tuple(x.shape[1:]) != tuple(x_hat.shape[1:]):
        raise ValueError(f"x has shape {tuple(x.shape)}, x_hat {tuple(x_hat.shape)}: need the same")
    x_hat = ops.convert_to_tensor(x_hat)
    squares = ops.square(ops.cast(x, x_hat.dtype) - x_hat)  # (B, ...)
    return ops.sum(squares, axis=tuple(range(1, len(squares.shape))))  # Eq. (4.1): (B,)


@keras.saving.register_keras_serializable(package="musiclab")
class Autoencoder(keras.Model):
    """h1 = f1(W1 x + b1), h2 = f2(W2 h1 + b2), x_hat = W3 h2 + b3.

    The code is what the encoder passes to the decoder. With ``code="h2"`` the decoder is the one
    affine map after h2; with ``code="h1"`` the encoder is one layer and the decoder has a hidden
    layer, h2, so that it can be nonlinear. ``fit(x)`` uses x as its own target.

    Equation: (3.1)
    Equation: (3.2)
    Equation: (3.3)
    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, chapter 14.

    Args:
      shape: of one sample, such as (32, 48) for steps x pitches; read row by row into d features.
      h1, h2: units of the hidden layers.
      f1, f2: Keras activations by name.
      code: "h1" or "h2".

    Raises:
      ValueError: if a size is below 1 or ``code`` is neither layer.

    >>> model = Autoencoder((2, 3), h1=2, h2=4)
    >>> model.encode(np.zeros((5, 2, 3))).shape, model.sample(5, seed=0).shape
    ((5, 2), (5, 2, 3))
    """

    def __init__(self, shape, h1=64, h2=1024, f1="tanh", f2="relu", code="h1", **kwargs):
        super().__init__(**kwargs)
        if code not in ("h1", "h2"):
            raise ValueError(f"code {code!r}: say 'h1' or 'h2', the layer that is the code")
        self.sample_shape = tuple(int(n) for n in np.atleast_1d(shape))
        self.code, self.code_size = code, {"h1": h1, "h2": h2}[code]
        d = int(np.prod(self.sample_shape))
        self.first = keras.layers.Dense(h1, f1, name="h1")
        self.second = keras.layers.Dense(h2, f2, name="h2")
        self.third = keras.layers.Dense(d, name="x_hat")
        for layer, inputs in ((self.first, d), (self.second, h1), (self.third, h2)):
            layer.build((None, inputs))
        self.built = True

    def encoder(self, x):
        """Samples (B, *shape) to codes (B, code_size)."""
        x = ops.reshape(ops.cast(x, self.compute_dtype), (-1, self.third.units))  # (B, d)
        h1 = self.first(x)  # Eq. (3.1): (B, n1)
        return h1 if self.code == "h1" else self.second(h1)

    def decoder(self, code):
        """Codes (B, code_size) to reconstructions (B, *shape)."""
        h2 = self.second(code) if self.code == "h1" else code  # Eq. (3.2): (B, n2)
        x_hat = self.third(h2)  # Eq. (3.3): (B, d)
        return ops.reshape(x_hat, (-1, *self.sample_shape))

    def call(self, x):
        """Reconstruct samples (B, *shape)."""
        return self.decoder(self.encoder(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras calls this in each training step: without a target, x is the target."""
        return super().compute_loss(x, x if y is None else y, y_pred, sample_weight, training)

    def encode(self, x) -> np.ndarray:
        """Samples (n, *shape) to codes, float32 (n, code_size)."""
        return in_batches(self.encoder, _checked(x, self.sample_shape))

    def decode(self, code) -> np.ndarray:
        """Codes (n, code_size) to samples, float32 (n, *shape), without a threshold."""
        return in_batches(self.decoder, _checked(code, (self.code_size,)))

    def reconstruct(self, x) -> np.ndarray:
        """Samples (n, *shape) to x_hat, float32 of the same shape."""
        return self.decode(self.encode(x))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Decode n codes of Gaussian noise (mean 0, variance 1), on which it was not trained.

        Args:
          n: how many, at least 1. seed: for the noise.

        Returns:
          float32 (n, *shape), without a threshold.
        """
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.code_size)))

    def numpy_weights(self) -> Weights:
        """The weights for the NumPy functions: float64, W of shape (outputs, inputs)."""
        return Weights(*(np.array(w.T, np.float64) for w in self.get_weights()))

    def get_config(self):
        """What ``.keras`` files store to build the model again."""
        f1, f2 = (keras.activations.serialize(d.activation) for d in (self.first, self.second))
        sizes = {"shape": list(self.sample_shape), "h1": self.first.units, "h2": self.second.units}
        return {**super().get_config(), **sizes, "f1": f1, "f2": f2, "code": self.code}


def _checked(x, shape):
    x = np.asarray(x, np.float32)
    if x.shape[1:] != shape or len(x) == 0:
        need = ", ".join(map(str, shape))
        raise ValueError(f"got an array of shape {x.shape}: need (n, {need}), n at least 1")
    return x
