"""HTML output for notebooks, and conversion of arrays and rolls to pieces."""

from __future__ import annotations

import base64
import hashlib
from html import escape

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["Shown", "as_piece", "data_uri", "fingerprint", "is_roll", "notes"]

_LOW = 21  # the pitch of a piano roll's first column
# JupyterLab's or the website's background, a fifth of it: white on a light page, grey on a dark one
_CARD_COLOUR = (
    "color-mix(in srgb,var(--jp-layout-color1,var(--pst-color-background,#fff)) 20%,#fff)"
)


class Shown:
    """Output of a cell: HTML in a notebook, nbconvert or Sphinx, its description in a terminal.

    Args:
      html: a fragment that needs nothing from outside itself.
      text: the same in words; what a screen reader hears and ``print`` writes.

    >>> Shown("<b>loud</b>", "the word loud, in bold")
    <the word loud, in bold>
    """

    def __init__(self, html: str, text: str):
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<{self.text}>"


def as_piece(x) -> Piece:
    """Convert a piece, voices array or piano roll to a piece.

    Args:
      x: a :class:`~musiclab.data.Piece`; a voices array (T, V) or (T,), integers, -1 for rests; or
        a piano roll (T, 88), floats or bools, struck from 0.5 upwards. In a roll equal neighbours
        are one held note.

    Returns:
      The piece. From a roll: as many voices as sound at once (at least 1); a note stays in the
      voice it began in.

    Raises:
      ValueError: if ``x`` is none of these.

    >>> as_piece([60, 60, 62])
    Piece('untitled': 3 steps, 1 voice, 4/4)
    """
    if isinstance(x, Piece):
        return x
    array = _array(x)
    if not is_roll(array):
        return Piece(array)
    on = array if array.dtype == bool else array >= 0.5
    voices = np.full((len(on), max(1, int(on.sum(axis=1).max(initial=0)))), REST)
    for step, row in enumerate(on):
        left = np.flatnonzero(row)[::-1] + _LOW
        if step:
            held = np.isin(voices[step - 1], left)
            voices[step, held] = voices[step - 1, held]
        new = np.setdiff1d(left, voices[step])[::-1]
        voices[step, np.flatnonzero(voices[step] == REST)[: len(new)]] = new
    return Piece(voices)


def is_roll(x) -> bool:
    """Whether ``x`` is a piano roll (floats or bools, or 88 columns) rather than voices or a piece.

    >>> is_roll([[60, 55]]), is_roll(np.zeros((4, 88)))
    (False, True)
    """
    if isinstance(x, Piece):
        return False
    array = _array(x)
    return array.dtype.kind in "fb" or (array.ndim == 2 and array.shape[1] == 88)


def notes(piece: Piece) -> list[tuple[int, int, int, int]]:
    """The notes of a piece, each from the step it is struck to the step after its last.

    Args:
      piece: any piece.

    Returns:
      Tuples (start, stop, pitch, voice), by voice, then by start.

    >>> notes(Piece([[60], [60], [-1], [62]]))
    [(0, 2, 60, 0), (3, 4, 62, 0)]
    """
    found = []
    for voice, (pitches, struck) in enumerate(zip(piece.voices.T, piece.onsets.T)):
        edges = np.flatnonzero(
            struck | (pitches != np.roll(pitches, 1)) | (np.arange(len(pitches)) == 0)
        )
        for start, stop in zip(edges, [*edges[1:], len(pitches)]):
            if pitches[start] != REST:
                found.append((int(start), int(stop), int(pitches[start]), voice))
    return found


def fingerprint(piece: Piece) -> str:
    """A short name of the notes of a piece, by which a player finds the scores of what it plays.

    >>> fingerprint(Piece([60, 62])) == fingerprint(Piece([60, 62], name="another name"))
    True
    """
    return hashlib.sha256(repr((piece.steps, notes(piece))).encode("utf-8")).hexdigest()[:12]


def data_uri(mime: str, content: bytes) -> str:
    """Bytes as a ``data:`` address, so that a page carries them itself.

    >>> data_uri("text/plain", b"hi")
    'data:text/plain;base64,aGk='
    """
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def card(image: str, alt: str, size: str, after: str = "") -> str:
    """A picture that is drawn on white, as ink on a card that is white on light pages and grey on dark ones.

    The inks stay the same in both, so that what a text says about dark and bright stays true.

    Args:
      image: address of the picture. alt: what it shows.
      size: CSS that sets the card's width.
      after: HTML that lies over the picture.
    """
    return (
        f'<div class="musiclab-card" style="position:relative;isolation:isolate;border-radius:4px;'
        f'background:{_CARD_COLOUR};{size}"><img alt="{escape(" ".join(alt.split()))}" src="{image}" '
        f'style="display:block;width:100%;height:auto;mix-blend-mode:multiply">{after}</div>'
    )


def captioned(body: str, title: str | None) -> str:
    """A ``<figure>`` around some HTML, with the title, if any, above it."""
    caption = (
        f'<figcaption style="font-weight:600;margin-bottom:.3rem">{escape(title)}</figcaption>'
        if title
        else ""
    )
    return f'<figure class="musiclab" style="margin:.5rem 0">{caption}{body}</figure>'


def named(piece: Piece, title: str | None) -> str:
    """Name of a piece in a description: the title, else its name, else "untitled music"."""
    name = title or piece.name
    return "untitled music" if name == "untitled" else name


def _array(x) -> np.ndarray:
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "iufb" or array.ndim not in (1, 2):
        raise ValueError(
            f"a {type(x).__name__} is no music that can be shown: pass a Piece, voices (steps, voices) or a piano roll"
        )
    if array.dtype.kind in "fb" and (array.ndim != 2 or array.shape[1] != 88):
        raise ValueError(
            f"an array of {array.dtype}, shape {array.shape}: a piano roll is (steps, 88); voices are integers"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(
            "the piano roll holds numbers that aren't finite: check the model that made it"
        )
    return array
