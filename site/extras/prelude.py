"""Tools of the extras: runs in the kernel of a lesson, after its last cell."""

import base64

import numpy as np

from musiclab import data as site_data
from musiclab import metrics as site_metrics
from musiclab import show as site_show

site_found = {"gallery": [], "rounds": [], "sliders": []}
SITE_MEASURES = (
    ("hold rate", "hold_rate", "{:.2f}", 1),
    ("scale consistency", "scale_consistency", "{:.2f}", 1),
    ("stepwise motion", "stepwise_motion", "{:.2f}", 1),
    ("dissonance", "dissonance", "{:.2f}", 2),
    ("parallels per 100 chord changes", "parallel_perfects", "{:.1f}", 2),
)


def site_measures(pieces):
    """The measures of a piece, or their means over several, as [name, value in words]; those that fit its voices."""
    pieces = [pieces] if isinstance(pieces, site_data.Piece) else list(pieces)
    wanted = [row for row in SITE_MEASURES if row[3] <= pieces[0].voices.shape[1]]
    values = [[getattr(site_metrics, name)(piece) for piece in pieces] for _, name, _, _ in wanted]
    return [[row[0], row[2].format(np.nanmean(found))] for row, found in zip(wanted, values)]


def site_piece(piece, bpm, title, max_bars=4):
    """Player, score and measures of a piece."""
    return {
        "title": title,
        "player": site_show.play(piece, bpm=bpm, title=title).html,
        "score": site_show.score(piece, max_bars=max_bars).html,
        "measures": site_measures(piece),
    }


def site_gallery(model, about, written, real, bpm, titles, choice=(0, 0), max_bars=4):
    """One model: a piece of what it wrote beside a real one, and both sets by measure.

    choice: which of the written and which of the real pieces are shown. titles: of the two.
      max_bars: of their scores.
    """
    entry = {
        "model": model,
        "about": about,
        "of_real": site_measures(real),
        "of_written": site_measures(written),
    }
    entry["n"] = [len(written), len(real)]
    for name, pieces, i in (("generated", written, choice[0]), ("real", real, choice[1])):
        entry[name] = site_piece(pieces[i], bpm, titles[name == "real"], max_bars)
    site_found["gallery"].append(entry)


def site_round(model, written, real, bpm, quarters=16):
    """A round of the listening test: the same number of quarter notes of both, as sound alone."""
    found = {"model": model}
    for name, piece in (("model_mp3", written), ("bach_mp3", real)):
        cut = site_data.excerpt(piece, 0, min(4 * quarters, piece.steps))
        sound = site_show.mp3_bytes(*site_show.synthesize(cut, bpm=bpm))
        found[name] = base64.b64encode(sound).decode("ascii")
    site_found["rounds"].append(found)


def site_slider(key, label, about, stops):
    """A slider's stops: (value in words, piece, bpm, further measures as [name, value]) each."""
    rows = []
    for value, piece, bpm, more in stops:
        row = site_piece(piece, bpm, f"{label} {value}")
        row["measures"] += [list(one) for one in more]
        rows.append({"value": value, **row})
    site_found["sliders"].append({"key": key, "label": label, "about": about, "stops": rows})
