"""Spectrogram plot, and a player for samples with a cursor that moves over its spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musiclab.data.encodings.spectrogram import check_samples, decibels, stft
from musiclab.show.audio import mp3_bytes, player
from musiclab.show.html import Shown, captioned, card, data_uri

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["sound", "spectrogram"]

_OCTAVES = np.arange(24, 109, 12)  # C1 to C8
_TICK = 0.1  # seconds between two places of the player's slider
_PLAY_RATE = 16_000  # MP3 at less is poorly supported
# positions of the plotting area in the picture of a player, as shares of its width and height
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.11, 0.91, 0.2, 0.97


def spectrogram(
    x, rate: int, ax: Axes | None = None, title=None, size=1024, hop=256, low=60.0, high=4000.0
) -> Axes:
    """Draw a spectrogram: time to the right, frequency upwards in octaves, level as colour.

    The colours (viridis) are perceptually uniform: equal steps of level look equal. Frequencies are
    in Hz on the left and in notes (each C) on the right.

    Args:
      x: samples (n,). rate: Hz.
      ax: axis to draw on; a new figure without one.
      title: title of the axis. size, hop: of the STFT.
      low, high: Hz, the range shown.

    Returns:
      The axis, labelled; its colours span the 70 dB below the loudest point.

    Raises:
      ValueError: if x is no sound, or the range is empty.

    >>> spectrogram(np.sin(np.arange(8000) / 3), 8000).get_ylabel()
    'frequency (Hz)'
    """
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    x, high = check_samples(x), min(high, rate / 2)
    if not 0 < low < high:
        raise ValueError(f"from {low} to {high} Hz is no range to show")
    if ax is None:
        ax = plt.subplots(figsize=(7, 3.4), layout="constrained")[1]
    level = decibels(np.abs(stft(x, size, hop)), -200)
    bins = np.fft.rfftfreq(size, 1 / rate)
    kept = (bins >= low / 1.1) & (bins <= high * 1.1)
    times = np.arange(len(level)) * hop / rate
    mesh = ax.pcolormesh(
        times, bins[kept], level[:, kept].T - level.max(), vmin=-70, vmax=0, cmap="viridis",
        shading="nearest", rasterized=True,
    )  # fmt: skip
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)", yscale="log", ylim=(low, high), title=title)
    ax.set(xlim=(0, len(x) / rate))
    ticks = [f for f in (62.5, 125, 250, 500, 1000, 2000, 4000, 8000) if low <= f <= high]
    ax.set_yticks(ticks)
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    notes = ax.secondary_yaxis("right")
    keys = [k for k in _OCTAVES if low <= 440 * 2 ** ((k - 69) / 12) <= high]
    notes.set_yticks([440 * 2 ** ((k - 69) / 12) for k in keys], [f"C{k // 12 - 1}" for k in keys])
    notes.yaxis.set_minor_formatter(NullFormatter())
    notes.set_ylabel("note")
    ax.mesh = mesh
    return ax


def sound(x, rate: int, title: str | None = None, alt: str | None = None) -> Shown:
    """A player for samples; with ``alt``, above its spectrogram, over which a cursor moves.

    Args:
      x: samples (n,), any loudness: the peak is brought to 0.9 if it is higher.
      rate: Hz; below 16 kHz the samples are repeated at 16 kHz through a filter.
      title: a line above the player.
      alt: what the spectrogram shows, in words. Without it there is no picture.

    Returns:
      What a notebook cell shows when it ends with it.

    Raises:
      ValueError: if x is no sound.

    >>> sound(np.sin(np.arange(16000) / 5), 16000, title="A tone")
    <player: A tone, 1.0 s>
    """
    x = check_samples(x)
    label = f"player: {title or 'sound'}, {len(x) / rate:.1f} s"
    loud = x * min(1.0, 0.9 / (np.abs(x).max() + 1e-9))
    if rate < _PLAY_RATE:
        from musiclab.data.files.audio import resample

        loud, rate_played = resample(loud, rate, _PLAY_RATE), _PLAY_RATE
    else:
        rate_played = rate
    facts = {"steps": f"{len(x) / rate / _TICK:.4f}", "from": _LEFT, "to": _RIGHT}
    picture = ""
    if alt is not None:
        picture = _picture(x, rate, alt)
        label += f"; spectrogram: {' '.join(alt.split())}"
    return Shown(
        captioned(player(mp3_bytes(loud, rate_played), label, _TICK, facts, picture), title), label
    )


def _picture(x, rate, alt):
    import io

    from matplotlib import pyplot as plt

    fig = plt.figure(figsize=(7, 2.8))
    ax = fig.add_axes((_LEFT, _BOTTOM, _RIGHT - _LEFT, _TOP - _BOTTOM))
    size = 1024 if rate > 8000 else 512
    spectrogram(x, rate, ax, size=size, hop=size // 4)
    png = io.BytesIO()
    fig.savefig(png, format="png", dpi=90, facecolor="white", metadata={"Software": None})
    plt.close(fig)
    cursor = (
        f'<div class="cursor" aria-hidden="true" style="position:absolute;top:{100 * (1 - _TOP):.0f}%;'
        f"bottom:{100 * _BOTTOM:.0f}%;left:{100 * _LEFT:.0f}%;width:2px;background:#d0562a"
        '"></div>'
    )
    return card(data_uri("image/png", png.getvalue()), alt, "max-width:40rem", cursor)
