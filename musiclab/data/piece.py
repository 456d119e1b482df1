"""A piece of music as arrays on a 16th-note grid: what every other module passes around."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musiclab.data.files.report import ReadingReport

__all__ = [
    "NO_SPELLING",
    "REST",
    "STEPS_PER_QUARTER",
    "Piece",
    "check_voices",
    "excerpt",
    "implied_onsets",
    "top_voice",
]

REST = -1
"""The pitch of silence in every ``voices`` array."""

NO_SPELLING = -128
"""The spelling of a rest, and of a note whose spelling nobody knows."""

STEPS_PER_QUARTER = 4
"""A step is a 16th note."""


@dataclass(frozen=True, eq=False, repr=False)
class Piece:
    """Voices on a 16th-note grid, with the metre and key that make them readable.

    Only ``voices`` and ``onsets`` are needed; the rest has neutral defaults
    (C major, 4/4, a downbeat every 16 steps), so that what a model writes is a
    ``Piece`` too. Arrays are copied, checked and made read-only.

    Attributes:
      voices: int16 (T, V), MIDI pitch 0-127 or -1 for a rest; highest voice first.
      onsets: bool (T, V), True where a note is struck, False where it is held or silent.
        Default: :func:`implied_onsets`, a note is struck wherever the pitch changes.
      spelling: int8 (T, V), line of fifths (C = 0, G = 1, F = -1, F sharp = 6, B flat = -2);
        -128 for rests and where unknown.
      downbeats: bool (T,), True on the first step of each bar.
      beat: int8 (T,), number of the beat within its bar, 0 on the downbeat; a beat is the lower
        number of the time signature; a pickup counts as the end of a bar.
      pickup: steps before the first downbeat.
      fermatas: bool (T,), True on the step where a fermata stands.
      tonic: pitch class 0-11 of the key. mode: "major" or "minor".
      key_method: how tonic and mode were found. key_signature: sharps, or flats below 0.
      time_signature: such as "4/4"; that of the first bar.
      name: what to call the piece; control characters become spaces.
      velocity: int8 (T, V), the loudness of the note that sounds, 1-127 as in MIDI, 0 for rests
        and where unknown; None if no note has one.
      report: what reading changed, for pieces from :func:`musiclab.data.read_music`.

    Raises:
      ValueError: if shapes, pitches or onsets don't make music; the message names the step.

    >>> piece = Piece([[60], [60], [62], [-1]])
    >>> piece.onsets[:, 0].tolist()
    [True, False, True, False]
    >>> piece
    Piece('untitled': 4 steps, 1 voice, 4/4)
    """

    voices: np.ndarray
    onsets: np.ndarray = None
    spelling: np.ndarray = None
    downbeats: np.ndarray = None
    beat: np.ndarray = None
    pickup: int = 0
    fermatas: np.ndarray = None
    tonic: int = 0
    mode: str = "major"
    key_method: str = "unknown"
    key_signature: int = 0
    time_signature: str = "4/4"
    name: str = field(default="untitled", kw_only=True)
    velocity: np.ndarray | None = field(default=None, kw_only=True)
    report: ReadingReport | None = field(default=None, kw_only=True)

    def __post_init__(self):
        voices = np.array(self.voices)
        if voices.ndim == 1:
            voices = voices[:, None]
        onsets = implied_onsets(voices) if self.onsets is None else np.array(self.onsets, bool)
        if onsets.ndim == 1:
            onsets = onsets[:, None]
        check_voices(voices, onsets)
        steps = len(voices)
        bar, unit = _bar_and_beat_steps(self.time_signature)
        position = (np.arange(steps) - self.pickup) % bar
        filled = {
            "voices": voices.astype(np.int16),
            "onsets": onsets,
            "spelling": _or(self.spelling, lambda: np.full(voices.shape, NO_SPELLING), np.int8),
            "downbeats": _or(self.downbeats, lambda: position == 0, bool),
            "beat": _or(self.beat, lambda: position // unit, np.int8),
            "fermatas": _or(self.fermatas, lambda: np.zeros(steps), bool),
        }
        if self.velocity is not None:
            velocity = np.array(self.velocity)
            if velocity.size and not (velocity.min() >= 0 and velocity.max() <= 127):
                raise ValueError("velocity is 0 to 127, 0 where a voice rests")
            filled["velocity"] = velocity.astype(np.int8)
        for name, array in filled.items():
            per_voice = name in ("voices", "onsets", "spelling", "velocity")
            wanted = voices.shape if per_voice else (steps,)
            if array.shape != wanted:
                raise ValueError(
                    f"{name} has shape {array.shape}, but voices of shape {voices.shape} need {wanted}"
                )
            if name == "velocity":
                array[voices == REST] = 0
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "name", _printable(str(self.name)))
        if not 0 <= self.tonic <= 11 or self.mode not in ("major", "minor"):
            raise ValueError(
                f"key {self.tonic!r} {self.mode!r}: tonic is 0-11, mode 'major' or 'minor'"
            )

    @property
    def steps(self) -> int:
        """Length T in 16ths."""
        return len(self.voices)

    @property
    def quarters(self) -> float:
        """Length in quarter notes."""
        return self.steps / STEPS_PER_QUARTER

    def with_(self, **changes) -> Piece:
        """A copy with some attributes replaced, checked like a new piece.

        Voices of another shape lose the velocity, unless a new one is given.
        """
        if np.shape(changes.get("voices", self.voices)) != self.voices.shape:
            changes.setdefault("velocity", None)
        return replace(self, **changes)

    def __repr__(self):
        n = self.voices.shape[1]
        return (
            f"{type(self).__name__}({self.name!r}: {self.steps} steps, {n} voice{'s' * (n != 1)}, "
            f"{self.time_signature})"
        )


def excerpt(piece: Piece, start: int, stop: int) -> Piece:
    """Some steps of a piece, with the metre, spelling and fermatas of their place.

    A note held into the excerpt counts as struck at its first step: there is nothing before to
    hold.

    Args:
      piece: any piece.
      start, stop: the steps from ``start`` up to, not including, ``stop``; 16ths from the beginning
        of the piece.

    Returns:
      A piece of the same type, key and name. Its ``pickup`` ends where the piece has its next
      downbeat, be that beyond ``stop``; after the last one it is the whole excerpt.

    Raises:
      ValueError: if the range is empty or reaches beyond the piece.

    >>> excerpt(Piece([60, 60, 62, 64], pickup=2), 1, 3)
    Piece('untitled': 2 steps, 1 voice, 4/4)
    """
    if not 0 <= start < stop <= piece.steps:
        raise ValueError(
            f"steps {start} to {stop} of {piece.name!r}: need 0 <= start < stop <= {piece.steps}"
        )
    names = ("voices", "onsets", "spelling", "downbeats", "beat", "fermatas")
    cut = {name: getattr(piece, name)[start:stop] for name in names}
    if piece.velocity is not None:
        cut["velocity"] = piece.velocity[start:stop]
    first = (np.arange(stop - start) == 0)[:, None]
    cut["onsets"] = np.where(first, cut["voices"] >= 0, cut["onsets"])
    downbeats = np.flatnonzero(piece.downbeats[start:])
    return piece.with_(**cut, pickup=int(downbeats[0]) if len(downbeats) else stop - start)


def top_voice(piece: Piece) -> Piece:
    """The highest voice of a piece alone, as a piece with the same metre, key and fermatas.

    >>> top_voice(Piece([[67, 48], [69, 48]])).voices.tolist()
    [[67], [69]]
    """
    names = ("voices", "onsets", "spelling", "velocity")
    arrays = {name: getattr(piece, name) for name in names}
    return piece.with_(
        **{name: None if array is None else array[:, :1] for name, array in arrays.items()}
    )


def implied_onsets(voices: np.ndarray) -> np.ndarray:
    """Onsets if no note were ever repeated: struck where the pitch differs from the step before.

    Args:
      voices: int (T, V), MIDI pitches, -1 for rests.

    Returns:
      bool (T, V).

    >>> implied_onsets(np.array([[60], [60], [-1], [60]]))[:, 0].tolist()
    [True, False, False, True]
    """
    voices = np.asarray(voices)
    before = np.concatenate([np.full_like(voices[:1], REST), voices[:-1]])
    return (voices != before) & (voices >= 0)


def check_voices(voices: np.ndarray, onsets: np.ndarray) -> None:
    """Refuse arrays that are not music.

    Args:
      voices: integers (T, V), T and V at least 1.
      onsets: bool (T, V).

    Raises:
      ValueError: wrong shape or type, a pitch outside -1..127, an onset on a rest, or a note
        that changes pitch (or follows a rest) without an onset; names the first such step and
        voice.
    """
    if voices.ndim != 2 or 0 in voices.shape:
        raise ValueError(f"voices have shape {voices.shape}: need (steps, voices), each at least 1")
    if not np.issubdtype(voices.dtype, np.integer):
        raise ValueError(
            f"voices are {voices.dtype}: need integers, MIDI pitches with -1 for a rest"
        )
    if onsets.shape != voices.shape:
        raise ValueError(
            f"onsets have shape {onsets.shape}, voices {voices.shape}: one onset flag per step and voice"
        )
    _refuse((voices < REST) | (voices > 127), voices, "is no MIDI pitch (0-127, or -1 for a rest)")
    _refuse(onsets & (voices == REST), voices, "is a rest, yet it has an onset")
    _refuse(implied_onsets(voices) & ~onsets, voices, "is a new pitch without an onset")


def _refuse(bad, voices, what):
    if bad.any():
        step, voice = (int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"step {step}, voice {voice}: {int(voices[step, voice])} {what}")


def _bar_and_beat_steps(time_signature: str) -> tuple[int, int]:
    """Steps in a bar and in a beat of "3/4" and the like."""
    try:
        upper, lower = (int(part) for part in time_signature.split("/"))
        bar, unit = upper * 16 / lower, 16 / lower
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"time signature {time_signature!r}: write it like '4/4'") from None
    if unit != int(unit) or upper < 1:
        raise ValueError(f"time signature {time_signature!r} does not fit a grid of 16ths")
    return int(bar), int(unit)


def _or(value, default, dtype):
    return np.array(default() if value is None else value).astype(dtype)


def _printable(name: str) -> str:
    """A name that every file format can hold: neither control characters nor lone surrogates."""
    return "".join(c if c.isprintable() else " " for c in name).strip() or "untitled"
