"""Piano-roll editor for a melody, by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musiclab.data.piece import REST, Piece
from musiclab.show.html import as_piece

__all__ = ["roll"]

_MAX_STEPS = 256


def roll(
    x=None,
    ask: Callable[[Piece], object] | None = None,
    bars: int = 2,
    bpm: float = 80,
    title="Your melody",
) -> object:
    """Piano-roll editor of a melody: click or drag, or arrow keys and the space bar; it plays in the page.

    Args:
      x: the melody to begin with, in any form that :func:`musiclab.show.score` takes but a stream;
        its highest voice is taken. Default: ``bars`` empty bars in 4/4.
      ask: called with the melody as a piece, at once and after each change; what it returns is
        written below the roll.
      bars: length of an empty roll, 1 to 16.
      bpm: quarter notes per minute when played.
      title: its name.

    Returns:
      A :class:`musiclab.show.widget.Roll`: end a cell with it. ``.piece`` is the melody as it
      stands.

    Raises:
      ValueError: if ``x`` is no music or longer than 256 steps, or ``bars`` or ``bpm`` is out of
        range.

    >>> melody = roll([60, 60, 62, -1], title="Two notes")
    >>> melody.notes
    [[0, 60, 2], [2, 62, 1]]
    >>> melody.piece
    Piece('Two notes': 4 steps, 1 voice, 4/4)
    """
    from musiclab.show.widget import Roll

    if not 1 <= bars <= 16:
        raise ValueError(f"bars is {bars}: between 1 and 16")
    if not 20 <= bpm <= 300:
        raise ValueError(f"bpm is {bpm}: between 20 and 300 quarter notes per minute")
    piece = Piece(np.full(16 * bars, REST)) if x is None else as_piece(x)
    if piece.steps > _MAX_STEPS:
        raise ValueError(
            f"{piece.steps} steps are too many to draw into: at most {_MAX_STEPS}; cut it with excerpt"
        )
    voice, onsets = piece.voices[:, 0], piece.onsets[:, 0]
    starts = np.flatnonzero(onsets)
    stops = [
        int(np.argmax(np.append(voice[s + 1 :] < 0, True) | np.append(onsets[s + 1 :], True)))
        + s
        + 1
        for s in starts
    ]
    pitches = voice[starts] if len(starts) else np.array([60, 72])
    beats, unit = (int(number) for number in piece.time_signature.split("/"))
    widget = Roll(
        steps=piece.steps,
        beat=16 // unit,
        bar=beats * 16 // unit,
        pickup=piece.pickup,
        low=max(0, int(pitches.min()) - 5),
        high=min(127, int(pitches.max()) + 5),
        bpm=float(bpm),
        title=title,
    )
    widget.time_signature = piece.time_signature
    widget.notes = [[int(s), int(voice[s]), int(e - s)] for s, e in zip(starts, stops)]
    if ask is not None:
        widget.observe(lambda _: _answer(widget, ask), "notes")
        _answer(widget, ask)
    return widget


def _answer(widget, ask):
    """An empty or odd melody is no reason for a traceback that nobody sees."""
    try:
        widget.answer = str(ask(widget.piece))
    except ValueError as error:
        widget.answer = f"No answer: {error}"
