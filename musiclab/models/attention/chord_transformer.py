"""Transformer over piano-roll frames with lesson 08's output heads."""

from __future__ import annotations

import keras
import tensorflow as tf

from musiclab.models.attention.transformer import TransformerBlock
from musiclab.models.recurrent.chord_model import ChordModel

__all__ = ["AttentionStack", "ChordTransformer"]

HEADS = 4
WINDOW = 64  # frames that attention looks back, the present one included


@keras.saving.register_keras_serializable(package="musiclab")
class AttentionStack(keras.Layer):
    """Causal Transformer blocks in the place of a :class:`RecurrentStack`.

    ``call`` runs over whole sequences, for training. ``step`` runs one step, for sampling, given
    the keys and values of the steps before it.

    Args:
      units: D, a multiple of 4, the number of heads of each block.
      layers: number of blocks, at least 1.
      dropout: share of each residual branch left out in training, and a fifth of it of the input.

    Raises:
      ValueError: if units is no multiple of 4, or there is no block.

    >>> stack = AttentionStack(units=8)
    >>> stack(tf.zeros((2, 5, 4))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(self, units, layers=2, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"{layers} blocks: need at least 1")
        self.size = units
        self.input_drop = keras.layers.Dropout(0.2 * dropout)
        self.embed = keras.layers.Dense(units)
        self.blocks = [
            TransformerBlock(units, HEADS, WINDOW, "bias", dropout=dropout) for _ in range(layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.drop = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """Make the weights for inputs (B, T, D_in)."""
        self.embed.build((None, None, input_shape[-1]))
        for layer in (*self.blocks, self.norm):
            layer.build((None, None, self.size))
        self.built = True

    def call(self, x, training=False):
        """Inputs (B, T, D_in) to outputs (B, T, D); step t sees inputs t - 63 to t in each block."""
        z = self.embed(self.input_drop(x, training=training))  # (B, T, D)
        for block in self.blocks:
            z = block(z, training=training)
        return self.drop(self.norm(z), training=training)

    def initial_state(self, n: int) -> dict:
        """Before the first step of n sequences: empty caches, and the number of steps so far."""
        caches = [block.empty_cache(n) for block in self.blocks]
        return {"caches": caches, "position": tf.constant(0)}

    def step(self, x, state):
        """One step: inputs (n, D_in) and state to outputs (n, D) and the new state."""
        z, caches = self.embed(x), []
        for block, cache in zip(self.blocks, state["caches"]):
            z, cache = block.step(z, cache, state["position"])
            caches.append(cache)
        return self.norm(z), {"caches": caches, "position": state["position"] + 1}


@keras.saving.register_keras_serializable(package="musiclab")
class ChordTransformer(ChordModel):
    """A :class:`ChordModel` with attention for its memory: p(frame | all frames before).

    Args:
      head, keys, hidden, order, dropout: as :class:`ChordModel`.
      units: D of the blocks. layers: number of blocks.

    >>> model = ChordTransformer("notes", keys=6, units=8, layers=1, hidden=4)
    >>> model.sample(2, seed=0, steps=5).shape
    (2, 5, 6)
    """

    def __init__(self, head="counterpoint", keys=88, units=96, layers=2, **kwargs):
        super().__init__("attention", head, keys, units, layers=layers, **kwargs)
        del self.settings["backbone"]

    def make_backbone(self, backbone, units, layers, dropout):
        """Blocks instead of recurrent layers."""
        return AttentionStack(units, layers, dropout)
