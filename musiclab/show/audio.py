"""Synthesis, an embedded MP3 player, and MIDI and MusicXML files to download."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from html import escape

import numpy as np

from musiclab.data.piece import STEPS_PER_QUARTER
from musiclab.show import web
from musiclab.show.html import Shown, as_piece, captioned, data_uri, fingerprint, named, notes

__all__ = ["mp3_bytes", "play", "synthesize"]

RATE = 32_000
"""Samples per second."""

_HARMONICS = np.array(
    [1.0, 0.7, 0.45, 0.35, 0.2, 0.15, 0.08, 0.08]
)  # what laptop speakers let a bass be heard by
_VELOCITY = 100
# of one voice: four together stay below the ceiling, so quiet music stays quiet beside loud
_GAIN = 0.1
_CEILING = 0.9  # MP3 overshoots a little
_ATTACK = 0.012  # seconds; shorter clicks, longer smears 16ths
_CYCLE = 2**16  # samples of the wave table


def synthesize(x, bpm: float = 80) -> tuple[np.ndarray, int]:
    """Synthesise music by additive synthesis: harmonics for each note, scaled by its velocity.

    Args:
      x: a Piece, a voices array (T, V) or a piano roll (T, 88).
      bpm: quarter notes per minute, 10-1000.

    Returns:
      The samples, float32 (n,), within -0.9 to 0.9, exactly as long as the music; and their rate in
      Hz.

    Raises:
      ValueError: if ``x`` is no music or the tempo is out of range.

    >>> samples, rate = synthesize([69] * 4, bpm=60)
    >>> samples.shape, samples.dtype, rate
    ((32000,), dtype('float32'), 32000)
    """
    import pretty_midi

    piece = as_piece(x)
    seconds = _step_seconds(bpm)
    organ = pretty_midi.Instrument(program=19)
    for start, stop, pitch, voice in notes(piece):
        velocity = 0 if piece.velocity is None else int(piece.velocity[start, voice])
        times = (start * seconds, stop * seconds)
        organ.notes.append(pretty_midi.Note(velocity or _VELOCITY, pitch, *times))
    samples = np.zeros(round(piece.steps * seconds * RATE))
    if organ.notes:
        sound = organ.synthesize(fs=RATE, wave=_organ)[: len(samples)]
        samples[: len(sound)] = sound * _GAIN / _VELOCITY
        samples *= min(1.0, _CEILING / np.abs(samples).max())
    return samples.astype(np.float32), RATE


def mp3_bytes(samples: np.ndarray, rate: int = RATE) -> bytes:
    """Samples as a small MP3 (mono, variable bit rate), the same bytes each time.

    Args:
      samples: float (n,), -1 to 1, n at least 1.
      rate: in Hz.

    Returns:
      The file's content, about 5 kB per second of four-part music.

    >>> 500 < len(mp3_bytes(np.zeros(32_000))) < 5_000
    True
    """
    import soundfile

    file = io.BytesIO()
    soundfile.write(
        file, samples, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=0.6
    )
    return file.getvalue()


def play(x, bpm: float = 80, title: str | None = None) -> Shown:
    """An embedded audio player, with the music as MIDI and MusicXML to download beside it.

    Args:
      x: a Piece, a voices array (T, V) or a piano roll (T, 88).
      bpm: quarter notes per minute, 10-1000.
      title: a line above the player; also names the downloads.

    Returns:
      What a notebook cell shows when it ends with it. Silence says that there is nothing to hear.

    Raises:
      ValueError: as :func:`synthesize`.

    >>> play([60] * 8, title="One note")
    <player: One note, 2 seconds, 80 quarter notes a minute>
    """
    from musiclab.data.files.midi import midi_bytes
    from musiclab.data.files.musicxml import musicxml_bytes

    piece = as_piece(x)
    samples, rate = synthesize(piece, bpm)
    silent = not samples.any()
    label = f"player: {named(piece, title)}, {_seconds(len(samples) / rate)}, {bpm:g} quarter notes a minute"
    label += "; nothing to hear, every step is a rest" if silent else ""
    voices = [[] for _ in range(piece.voices.shape[1])]
    for start, stop, pitch, voice in notes(piece):
        voices[voice].append([start, pitch, stop - start])
    beats, unit = (int(number) for number in piece.time_signature.split("/"))
    facts = {
        "steps": piece.steps,
        "notes": json.dumps(voices, separators=(",", ":")),
        "bar": 4 * STEPS_PER_QUARTER * beats // unit,
        "pickup": piece.pickup,
        "music": fingerprint(piece),
    }
    parts = [player(mp3_bytes(samples, rate), label, _step_seconds(bpm), facts)]
    if silent:
        parts.append("<div>Nothing to hear: every step of this music is a rest.</div>")
    stem = re.sub(r"[^\w.-]+", "-", named(piece, title)).strip("-.").lower() or "music"
    parts.append('<div style="font-size:.9em">Download: ')
    parts.append(_link("MIDI", f"{stem}.mid", "audio/midi", midi_bytes(piece)))
    parts.append(" · ")
    parts.append(
        _link(
            "MusicXML",
            f"{stem}.musicxml",
            "application/vnd.recordare.musicxml+xml",
            musicxml_bytes(piece),
        )
    )
    parts.append("</div>")
    return Shown(captioned("".join(parts), title), label)


def player(mp3: bytes, label: str, seconds: float, facts: dict, picture: str = "") -> str:
    """HTML of the course's player; where its script does not run, an ``<audio>`` with controls.

    Args:
      mp3: what is heard. label: its words.
      seconds: length of a step. facts: the further ``data-`` attributes that ``player.js`` reads.
      picture: HTML that stands above the controls; the element of class "cursor" in it moves.
    """
    words = {"label": label, "seconds": f"{seconds:.6g}", **facts}
    attributes = " ".join(f'data-{name}="{escape(str(fact))}"' for name, fact in words.items())
    return (
        f"<musiclab-player {attributes}>{picture}"
        f'<audio controls preload="metadata" aria-label="{escape(label)}" '
        f'style="width:100%;max-width:32rem" src="{data_uri("audio/mpeg", mp3)}"></audio>'
        f"</musiclab-player><script>{web.script('player')}</script>"
    )


def _organ(phase):
    """The waveform of one whole note, given its phase in radians, with a soft start."""
    advance = phase[1] - phase[0] if len(phase) > 1 else 0.0
    # harmonics that would pass half the sample rate would come back as wrong notes
    n_harmonics = 1 + sum(k * advance < 0.9 * np.pi for k in range(2, len(_HARMONICS) + 1))
    tone = _cycle(n_harmonics)[(phase * (_CYCLE / (2 * np.pi))).astype(np.int64) % _CYCLE]
    rise = min(int(_ATTACK * RATE), len(phase))
    tone[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    return tone


@cache
def _cycle(n_harmonics):
    """One period of the waveform: looking it up is many times faster than eight sines for each sample."""
    phase = 2 * np.pi * np.arange(_CYCLE) / _CYCLE
    return sum(a * np.sin(k * phase) for k, a in enumerate(_HARMONICS[:n_harmonics], 1))


def _step_seconds(bpm):
    if not isinstance(bpm, (int, float, np.number)) or not 10 <= bpm <= 1000:
        raise ValueError(
            f"bpm is {bpm!r}: give quarter notes per minute between 10 and 1000, such as 80"
        )
    return 60 / float(bpm) / STEPS_PER_QUARTER


def _seconds(duration):
    n = max(1, round(duration))
    return f"{n} second{'s' * (n != 1)}"


def _link(text, name, mime, content):
    style = "color:inherit;text-decoration:underline"
    return (
        f'<a style="{style}" download="{escape(name)}" href="{data_uri(mime, content)}">{text}</a>'
    )
