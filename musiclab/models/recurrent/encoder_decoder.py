"""Sequence to sequence: an encoder-decoder, and the model that has no bottleneck.

Both read the given voices with a bidirectional LSTM and write the new voice with another LSTM, an 8th at a time. They
differ in one line: what the writer is told of what was read.

Lessons: 09.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from musiclab.data import Piece
from musiclab.models.recurrent.part_model import PartModel

__all__ = ["ORDER", "EncoderDecoder", "FrameAligned", "harmonise"]

ORDER = (
    (3, (0,)),
    (1, (0, 3)),
    (2, (0, 1, 3)),
)  # (voice, from voices): bass to the soprano, then alto, then tenor


@keras.saving.register_keras_serializable(package="musiclab")
class EncoderDecoder(PartModel):
    """The writer is told one vector, the same at every 8th: where the encoder ended, reading in both directions.

    c = [forward h_T ; backward h_1], 2H numbers for the whole piece, however long it is. That is the bottleneck.

    Equation: (9.1)
    Lesson: 09
    Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", 2014; that c is told at
      every step as in Cho and others, "Learning phrase representations using RNN encoder-decoder", 2014.

    Args and Raises: as :class:`PartModel`.

    >>> EncoderDecoder(units=2, writer=3).sample(Piece([[72, 60, 60, 48]] * 4), seed=0).voices[:, 0].tolist()
    [72, 72, 72, 72]
    """

    def context(self, ends, every):
        """c (n, 2H), repeated for every 8th."""
        return ops.repeat(ends[:, None], ops.shape(every)[1], axis=1)  # Eq. (9.1)


@keras.saving.register_keras_serializable(package="musiclab")
class FrameAligned(PartModel):
    """The writer is told, at each 8th, what the encoder knows there: c_t = [forward h_t ; backward h_t].

    No bottleneck; but it works only because both voices have the same 8ths. Translation has no such luck.

    Equation: (9.5)
    Lesson: 09

    Args and Raises: as :class:`PartModel`.

    >>> FrameAligned(units=2, writer=3).sample(Piece([[72, 60, 60, 48]] * 4), seed=0).voices[:, 0].tolist()
    [72, 72, 72, 72]
    """

    def context(self, ends, every):
        """c_t (n, T, 2H)."""
        return every  # Eq. (9.5)


def harmonise(
    models: Sequence[PartModel],
    soprano,
    seed: int,
    temperature: float = 1.0,
    parallels: bool = True,
):
    """Write the lower voices to a soprano, one model after another, each to the voices already there.

    Lesson: 09

    Args:
      models: one for each step of :data:`ORDER`: bass, alto, tenor.
      soprano: a piece or a list of pieces; only the first voice is looked at.
      seed, temperature, parallels: as :meth:`PartModel.sample`.

    Returns:
      Four-voice pieces with the soprano, metre and key of those given.

    Raises:
      ValueError: if the models don't write these voices in this order.
    """
    found = tuple((model.target, model.given) for model in models)
    if found != ORDER:
        raise ValueError(f"models write (voice, from voices) {found}: need {ORDER}")
    pieces = [_alone(piece) for piece in ([soprano] if isinstance(soprano, Piece) else soprano)]
    for i, model in enumerate(models):
        pieces = model.sample(pieces, seed + 1000 * i, temperature, parallels)
    return pieces[0] if isinstance(soprano, Piece) else pieces


def _alone(piece):
    """The first voice with three silent ones below it."""
    voices = np.pad(piece.voices[:, :1], [(0, 0), (0, 3)], constant_values=-1)
    onsets = np.pad(piece.onsets[:, :1], [(0, 0), (0, 3)])
    spelling = np.pad(piece.spelling[:, :1], [(0, 0), (0, 3)], constant_values=-128)
    return piece.with_(voices=voices, onsets=onsets, spelling=spelling)
