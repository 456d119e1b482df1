"""How many bytes 20 seconds of sound take in a page, and how long they take to make."""

from __future__ import annotations

import time
from statistics import median

__all__ = ["rows", "size"]

SECONDS = 20
PIECES = 20


def size(piece) -> dict:
    """Make one player and weigh it.

    Args:
      piece: any piece.

    Returns:
      ``mp3`` and ``page`` in bytes and ``wall`` in seconds, each per 20 s of sound: the MP3 alone,
      and the whole player with its downloads as it stands in the page.
    """
    from musiclab import show

    samples, rate = show.synthesize(piece)
    per_20_seconds = SECONDS * rate / len(samples)
    started = time.perf_counter()
    page = show.play(piece).html
    took = time.perf_counter() - started
    weights = {
        "mp3": len(show.mp3_bytes(samples, rate)),
        "page": len(page.encode("utf-8")),
        "wall": took,
    }
    return {name: weight * per_20_seconds for name, weight in weights.items()}


def rows() -> list[dict]:
    """Weigh the first held-out chorales and the first tunes.

    Returns:
      Rows with ``what``, ``pieces``, ``mp3_kb`` (median), ``mp3_kb_max``, ``page_kb`` and
      ``wall_s`` (medians), all per 20 s of sound; kB are 10^3 bytes.
    """
    from musiclab.data import load_chorales, load_tunes

    kinds = {
        "chorales, four voices": load_chorales("test")[:PIECES],
        "tunes, one voice": load_tunes()[:PIECES],
    }
    found = []
    for what, pieces in kinds.items():
        size(pieces[0])  # the first pays for the imports
        sizes = [size(piece) for piece in pieces]
        found.append(
            {
                "what": what,
                "pieces": len(pieces),
                "mp3_kb": round(median(s["mp3"] for s in sizes) / 1e3, 1),
                "mp3_kb_max": round(max(s["mp3"] for s in sizes) / 1e3, 1),
                "page_kb": round(median(s["page"] for s in sizes) / 1e3, 1),
                "wall_s": round(median(s["wall"] for s in sizes), 2),
            }
        )
    return found
