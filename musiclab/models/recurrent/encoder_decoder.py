"""Encoder-decoder with one context vector, and its frame-aligned counterpart without the bottleneck.

Both read the given voices with a bidirectional LSTM and generate the new voice with another LSTM,
8th by 8th. They differ in the context that the decoder receives.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from musiclab.data.piece import Piece
from musiclab.models.recurrent.accompaniment_model import AccompanimentModel

__all__ = ["ORDER", "EncoderDecoder", "FrameAligned", "harmonise"]

ORDER = ((3, (0,)), (1, (0, 3)), (2, (0, 1, 3)))
"""(voice, given voices): the bass to the soprano, then the alto, then the tenor."""


@keras.saving.register_keras_serializable(package="musiclab")
class EncoderDecoder(AccompanimentModel):
    """Encoder-decoder: one context vector for the whole piece, the encoder's final states.

    c = [forward h_T ; backward h_1], 2H numbers, however long the piece: a bottleneck.

    Equation: (9.1)
    Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", 2014; c
      as input at every step as in Cho and others, "Learning phrase representations using RNN
      encoder-decoder", 2014.

    Args and Raises: as :class:`AccompanimentModel`.

    >>> model = EncoderDecoder(encoder_units=2, decoder_units=3)
    >>> model.sample(Piece([[72, 60, 60, 48]] * 4), seed=0).voices[:, 0].tolist()
    [72, 72, 72, 72]
    """

    def context(self, final, states):
        """c (B, 2H), repeated at every 8th: (B, T, 2H)."""
        return ops.repeat(final[:, None], ops.shape(states)[1], axis=1)  # Eq. (9.1)


@keras.saving.register_keras_serializable(package="musiclab")
class FrameAligned(AccompanimentModel):
    """A context for each 8th, the encoder's states there: c_t = [forward h_t ; backward h_t].

    No bottleneck; but input and output must have the same time steps, which in translation they
    have not.

    Equation: (9.5)

    Args and Raises: as :class:`AccompanimentModel`.

    >>> model = FrameAligned(encoder_units=2, decoder_units=3)
    >>> model.sample(Piece([[72, 60, 60, 48]] * 4), seed=0).voices[:, 0].tolist()
    [72, 72, 72, 72]
    """

    def context(self, final, states):
        """c_t (B, T, 2H)."""
        return states  # Eq. (9.5)


def harmonise(
    models: Sequence[AccompanimentModel],
    soprano,
    seed: int,
    temperature: float = 1.0,
    parallels: bool = True,
):
    """Generate the lower voices to a soprano, one model after another, each given the voices so far.

    Args:
      models: one for each entry of :data:`ORDER`: bass, alto, tenor.
      soprano: a piece or a list of pieces; only the first voice is used.
      seed, temperature, parallels: as :meth:`AccompanimentModel.sample`.

    Returns:
      Four-voice pieces with the soprano, metre and key of those given.

    Raises:
      ValueError: if the models don't generate these voices in this order.
    """
    found = tuple((model.target, model.given) for model in models)
    if found != ORDER:
        raise ValueError(f"models generate (voice, from voices) {found}: need {ORDER}")
    pieces = [_soprano(piece) for piece in ([soprano] if isinstance(soprano, Piece) else soprano)]
    for i, model in enumerate(models):
        pieces = model.sample(pieces, seed + 1000 * i, temperature, parallels)
    return pieces[0] if isinstance(soprano, Piece) else pieces


def _soprano(piece):
    """The first voice with three silent ones below it."""
    voices = np.pad(piece.voices[:, :1], [(0, 0), (0, 3)], constant_values=-1)
    onsets = np.pad(piece.onsets[:, :1], [(0, 0), (0, 3)])
    spelling = np.pad(piece.spelling[:, :1], [(0, 0), (0, 3)], constant_values=-128)
    return piece.with_(voices=voices, onsets=onsets, spelling=spelling)
