"""Composing together with the inpainting network: lock what one likes, write the rest anew, undo."""

from __future__ import annotations

import numpy as np

from musiclab.data.encodings.cells import bar_edges, encode_form, four_voices, told_mood
from musiclab.data.piece import Piece

__all__ = ["Composition", "LockError"]

NAMES = ("soprano", "alto", "tenor", "bass")


class LockError(ValueError):
    """Wishes that contradict the locks; the message says which bar and voice. Nothing was changed."""


class Composition:
    """A piece that a reader and the inpainting network write together.

    Bars are counted from 1; a pickup is bar 1 of such a piece. The soprano is locked at first.

    Attributes:
      piece: as it stands.
      locked: bool (bars, 4), what :meth:`write` leaves alone; changed by :meth:`lock` and
        :meth:`unlock`.
      watchers: functions without arguments, called after each change, such as a panel's.

    Args:
      model: the network. melody: a melody or a piece of four voices.

    >>> from musiclab.models.attention.inpainting import Inpainting
    >>> work = Composition(Inpainting(units=4, dilations=(1,)), Piece([[67]] * 32))
    >>> work.write(seed=1, sweeps=2).voices.shape
    (32, 4)
    >>> work.lock("bass", bars=[1])
    >>> work.write(voices=["bass"], bars=[1], seed=2)
    Traceback (most recent call last):
    musiclab.models.attention.composing.LockError: bar 1 of the bass is locked: unlock it first, or leave it out
    >>> work.undo().voices[0, 1:].tolist()
    [-1, -1, -1]
    """

    def __init__(self, model, melody: Piece):
        self.model, self.piece = model, four_voices(melody)
        self.edges = bar_edges(encode_form(self.piece))
        self.locked = np.zeros((len(self.edges) - 1, 4), bool)
        self.locked[:, 0] = True
        self._before, self.watchers = [], []

    def lock(self, voices=None, bars=None) -> None:
        """Keep these bars of these voices; default all."""
        self.locked |= self._chosen(voices, bars)
        self._changed()

    def unlock(self, voices=None, bars=None) -> None:
        """Let these bars of these voices be rewritten; default all."""
        self.locked &= ~self._chosen(voices, bars)
        self._changed()

    def write(self, seed: int, voices=None, bars=None, density=0, tension=0, mode=None, **settings):
        """Write all that is not locked, or only the bars and voices named; :meth:`undo` takes it back.

        Args:
          seed: the same gives the same. voices, bars: names and numbers; default all unlocked.
          density, tension, mode: as :func:`told_mood`. **settings: as :meth:`Inpainting.sweep`.

        Returns:
          The piece as it stands then.

        Raises:
          LockError: if something named is locked, or nothing is left to write.
          ValueError: on a voice or bar that does not exist, or bad settings.
        """
        chosen = self._chosen(voices, bars)
        if voices is not None and bars is not None and (chosen & self.locked).any():
            bar, voice = (int(i) for i in np.argwhere(chosen & self.locked)[0])
            raise LockError(
                f"bar {bar + 1} of the {NAMES[voice]} is locked: unlock it first, or leave it out"
            )
        chosen &= ~self.locked
        if not chosen.any():
            raise LockError(
                "all of it is locked: unlock a voice or a bar to have something written"
            )
        free = np.repeat(chosen, np.diff(self.edges), axis=0)
        mood = told_mood(encode_form(self.piece), density, tension, mode)
        written = self.model.sample(self.piece, seed, free=free, mood=mood, **settings)
        self._before.append(self.piece)
        self.piece = written
        self._changed()
        return written

    def undo(self) -> Piece:
        """The piece before the last :meth:`write`; the first one stays. Locks stay too."""
        if self._before:
            self.piece = self._before.pop()
            self._changed()
        return self.piece

    def _changed(self):
        for watcher in self.watchers:
            watcher()

    def _chosen(self, voices, bars):
        """bool (bars, 4) of names and numbers; None is all."""
        n = len(self.locked)
        voices = NAMES if voices is None else [voices] if isinstance(voices, str) else voices
        bars = range(1, n + 1) if bars is None else [bars] if isinstance(bars, int) else bars
        for voice in voices:
            if voice not in NAMES:
                raise ValueError(f"there is no voice {voice!r}: say one of {', '.join(NAMES)}")
        for bar in bars:
            if not (isinstance(bar, int) and 1 <= bar <= n):
                raise ValueError(f"there is no bar {bar!r}: the piece has bars 1 to {n}")
        chosen = np.zeros((n, 4), bool)
        chosen[np.ix_([bar - 1 for bar in bars], [NAMES.index(voice) for voice in voices])] = True
        return chosen
