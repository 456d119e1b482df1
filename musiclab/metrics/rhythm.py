"""Measures of rhythm (holds, beats, empty bars), and precision and recall of a piano roll.

Shares are pooled: over a list of pieces all notes, steps or bars count alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from musiclab.data.encodings.windows import bars
from musiclab.data.piece import STEPS_PER_QUARTER, Piece
from musiclab.metrics._pieces import pooled_share

__all__ = [
    "PrecisionRecallF1",
    "empty_bars",
    "hold_rate",
    "on_beat",
    "precision_recall_f1",
]


class PrecisionRecallF1(NamedTuple):
    """Precision, recall and their harmonic mean, each between 0 and 1."""

    precision: float
    recall: float
    f1: float


def precision_recall_f1(real_roll: np.ndarray, predicted_roll: np.ndarray) -> PrecisionRecallF1:
    """Precision, recall and F1 of the cells of a predicted piano roll.

    Micro-averaged: true and false cells are counted over the whole array, then divided once.

    Args:
      real_roll: 0/1 or bool, any shape; usually (T, 88) or (n, T, 88).
      predicted_roll: 0/1 or bool, same shape.

    Returns:
      Precision, recall and F1. Nothing wanted and nothing predicted is perfect (1, 1, 1); where
      only one of the two is empty, all three are 0.

    Raises:
      ValueError: if the shapes differ, there is no cell, or a cell is neither 0 nor 1 (such as a
        probability).

    >>> precision_recall_f1(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    PrecisionRecallF1(precision=0.5, recall=0.5, f1=0.5)
    """
    real, predicted = _binary(real_roll, "real_roll"), _binary(predicted_roll, "predicted_roll")
    if real.shape != predicted.shape:
        raise ValueError(
            f"real_roll has shape {real.shape}, predicted_roll {predicted.shape}: compare the same cells"
        )
    if real.size == 0:
        raise ValueError(f"rolls of shape {real.shape} have no cell: pass at least one step")
    hits, n_real, n_predicted = (
        int(np.count_nonzero(a)) for a in (real & predicted, real, predicted)
    )
    if n_real + n_predicted == 0:
        return PrecisionRecallF1(1.0, 1.0, 1.0)
    if hits == 0:
        return PrecisionRecallF1(0.0, 0.0, 0.0)
    return PrecisionRecallF1(hits / n_predicted, hits / n_real, 2 * hits / (n_predicted + n_real))


def hold_rate(x: Piece | Iterable[Piece]) -> float:
    """Share of sounding voice-steps that continue a note rather than strike one.

    Independent notes at each step hold almost nothing; one long chord holds everything. Onsets are
    read, so a repeated note is no hold.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if nothing sounds.

    Raises:
      ValueError: if x holds no piece.

    >>> hold_rate(Piece([[60], [60], [62], [-1]]))
    0.3333333333333333
    """
    return pooled_share(x, lambda p: (np.sum((p.voices >= 0) & ~p.onsets), np.sum(p.voices >= 0)))


def on_beat(x: Piece | Iterable[Piece]) -> float:
    """Share of notes struck on a quarter, counted from the piece's first downbeat.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1; nan if there is no note. Onsets thrown anywhere on the grid give about 1/4.

    Raises:
      ValueError: if x holds no piece.

    >>> on_beat(Piece([[60], [60], [62], [62], [64]]))
    0.6666666666666666
    """
    return pooled_share(x, _on_beat)


def empty_bars(x: Piece | Iterable[Piece]) -> float:
    """Share of bars in which nothing sounds; pickup and short last bar count as bars.

    Args:
      x: one piece or several, pooled.

    Returns:
      0 to 1.

    Raises:
      ValueError: if x holds no piece.

    >>> empty_bars(Piece([60] * 16 + [-1] * 16))
    0.5
    """
    return pooled_share(x, _empty_bars)


def on_quarters(piece: Piece) -> np.ndarray:
    """Steps that stand on a quarter, counted from the first downbeat (from 0 where there is none): bool (T,)."""
    return (np.arange(piece.steps) - np.argmax(piece.downbeats)) % STEPS_PER_QUARTER == 0


def _binary(roll, name):
    roll = np.asarray(roll)
    bad = ~np.isin(roll, (0, 1))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} holds {roll[where]} at {where}: need 0 or 1; threshold probabilities first, roll >= 0.5"
        )
    return roll.astype(bool)


def _on_beat(piece):
    return np.sum(piece.onsets[on_quarters(piece)]), np.sum(piece.onsets)


def _empty_bars(piece):
    silent = (piece.voices < 0).all(axis=1)
    all_bars = bars(piece)
    return sum(silent[start:stop].all() for start, stop in all_bars), len(all_bars)
