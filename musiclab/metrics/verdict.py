"""Does a set of pieces look like music? Every measure at once, against what held-out music does.

Lessons: 02, and every lesson that generates.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from musiclab.data.piece import Piece
from musiclab.metrics._pieces import as_pieces, same_voices
from musiclab.metrics.counterpoint import dissonance, parallel_perfects, voice_crossings
from musiclab.metrics.pitch import (
    distinct_pitches,
    pitch_range,
    polyphony,
    scale_consistency,
    stepwise_motion,
)
from musiclab.metrics.quality import empty_bars, hold_rate, on_beat
from musiclab.metrics.report import Report, Row
from musiclab.metrics.similarity import nearest_fragments, pairwise_distances, shared_runs

__all__ = ["looks_like_music"]

SPREADS = 5  # how many standard errors off is too far: 2 would refuse much real music, with some 14 measures
GROUP = 20  # tolerance is what groups of up to this many pieces need: more pieces are not judged more harshly
MOST = 200  # pieces used of each set, evenly picked; more only cost time
RESAMPLES = 400
FRAGMENT = 32  # steps of an opening compared for diversity and nearness: two bars of 4/4

PER_PIECE = (  # measure, its name, least tolerance, for several voices only, what it says
    (hold_rate, "hold rate", 0.01, False, "share of voice-steps that continue a note"),
    (on_beat, "on the beat", 0.01, False, "share of notes struck on a quarter"),
    (
        scale_consistency,
        "scale consistency",
        0.01,
        False,
        "share of notes in the best-fitting scale",
    ),
    (
        stepwise_motion,
        "stepwise motion",
        0.01,
        False,
        "share of melodic moves of a whole tone or less",
    ),
    (pitch_range, "pitch range", 1.0, False, "semitones from lowest to highest note"),
    (distinct_pitches, "distinct pitches", 1.0, False, "different pitches in a piece"),
    (empty_bars, "empty bars", 0.1, False, "share of bars without a sound"),
    (dissonance, "dissonance", 0.01, True, "share of voice pairs at a second, seventh or tritone"),
    (
        parallel_perfects,
        "parallel perfects",
        0.5,
        True,
        "parallel fifths and octaves per 100 chord changes",
    ),
    (voice_crossings, "voice crossings", 0.1, True, "share of steps with a lower voice on top"),
)


def looks_like_music(
    generated: Piece | Iterable[Piece],
    real: Iterable[Piece],
    training: Iterable[Piece] | None = None,
    seed: int = 0,
) -> Report:
    """Hold generated pieces against held-out ones, measure by measure.

    Each measure is averaged over the generated pieces. It passes if it lies within five standard
    errors of the average of the real pieces: as far as groups of real pieces, as many as were
    generated but at most 20, stray from one another. With ``training``, the pieces must not
    repeat it more than real pieces do, and none longer than four bars may be nearer to a full copy than
    to the most copied real piece. It refuses what is clearly no music; passing proves little: each measure can be
    fooled, and nobody has listened yet.

    Pass like with like: pieces of similar length (all two-bar windows, or all whole), in one key or
    each in its own on both sides, with as many voices. A single piece can be judged, but ten or more are
    judged far more sharply.

    Lesson: 02

    Args:
      generated: what a model wrote.
      real: held-out pieces, two or more.
      training: what the model learnt from. Melody lessons need a split by melody here: where real
        pieces repeat the training melodies too, copies don't stand out.
      seed: of the resampling.

    Returns:
      A report; ``.passed`` says whether all measures passed.

    Raises:
      ValueError: no piece, fewer than two real ones, different numbers of voices, or typical lengths
        that differ by more than a factor of two.

    >>> scale = [Piece([60 + i % 5, 62 + i % 5, 64, 65] * 8) for i in range(30)]
    >>> report = looks_like_music([Piece([60] * 32)] * 10, scale)
    >>> report.passed, "hold rate" in report.failed
    (False, True)
    """
    generated, real = _spread(as_pieces(generated, "generated")), _spread(as_pieces(real, "real"))
    training = None if training is None else as_pieces(training, "training")
    n_voices = same_voices(generated, real, training or [])
    _check_sets(generated, real)
    compare = _Comparison(len(generated), len(real), np.random.default_rng(seed))
    rows = [
        compare.means(
            name, [measure(p) for p in generated], [measure(p) for p in real], meaning, floor=floor
        )
        for measure, name, floor, needs_voices, meaning in PER_PIECE
        if n_voices > 1 or not needs_voices
    ]
    if n_voices > 1:
        rows.append(
            compare.histograms("polyphony", *([polyphony(p) for p in s] for s in (generated, real)))
        )
    openings = _openings(generated, real)
    if len(generated) > 1:
        rows.append(compare.pairs("diversity", *map(pairwise_distances, openings)))
    if training is not None:
        rows += _memorisation_rows(compare, generated, real, openings, training)
    return Report(tuple(rows), len(generated), len(real), training is not None)


class _Comparison:
    """Turns values of generated and real pieces into rows, with ranges by resampling the real ones."""

    def __init__(self, n_generated: int, n_real: int, rng: np.random.Generator):
        size = min(n_generated, GROUP)
        self.groups = rng.integers(n_real, size=(RESAMPLES, size))
        # the real average is itself uncertain: a difference of two means strays further than one
        self.widths = SPREADS * np.sqrt(1 + size / n_real)

    def means(self, name, generated, real, meaning, floor=0.01, sides="both"):
        real = np.asarray(real, float)
        return self._row(
            name,
            _mean(generated),
            _mean(real),
            [_mean(g) for g in real[self.groups]],
            meaning,
            floor,
            sides,
        )

    def histograms(self, name, generated, real):
        real = np.array(real)
        usual = real.mean(axis=0)
        strays = np.abs(real[self.groups].mean(axis=1) - usual).sum(axis=1)
        value = np.abs(np.mean(generated, axis=0) - usual).sum()
        return self._row(
            name,
            value,
            strays.mean(),
            strays,
            "how far the number of sounding pitches is off",
            0.02,
            "high",
        )

    def pairs(self, name, generated, real):
        strays = [_mean_pair(real[np.ix_(g, g)], g[:, None] != g) for g in self.groups]
        value, usual = (_mean_pair(d, ~np.eye(len(d), dtype=bool)) for d in (generated, real))
        return self._row(
            name,
            value,
            usual,
            strays,
            "how different the openings are from one another",
            0.01,
            "both",
        )

    def _row(self, name, value, usual, strays, meaning, floor, sides):
        reach = max(self.widths * float(np.nanstd(strays)), floor)
        # no measure is negative; for what is a share, more than 1 is no limit either
        low = -np.inf if sides == "high" else max(usual - reach, 0)
        high = np.inf if sides == "low" else usual + reach
        return Row(name, float(value), float(low), float(high), bool(low <= value <= high), meaning)


def _memorisation_rows(compare, generated, real, openings, training):
    n, both = len(generated), generated + real
    shares = [run.steps / piece.steps for run, piece in zip(shared_runs(both, training), both)]
    fragments = nearest_fragments(openings[0] + openings[1], training, openings[0][0].steps)
    near = [fragment.distance for fragment in fragments]
    run_says = "share of a piece that one training piece has too"
    runs = compare.means("longest shared run", shares[:n], shares[n:], run_says, sides="high")
    says = "distance of openings to the nearest in training"
    nearest = compare.means("nearest fragment", near[:n], near[n:], says, sides="low")
    # Where real pieces repeat training wholesale, a copy can't be told from one: the table says so.
    rows = [
        runs._replace(high=runs.high if runs.high < 1 else np.inf),
        nearest._replace(low=nearest.low if nearest.low > 0 else -np.inf),
    ]
    pairs = list(zip(shares, both))
    # a few bars may recur by chance, a whole piece does not
    long = [
        [share for share, p in group if p.steps > 2 * FRAGMENT] for group in (pairs[:n], pairs[n:])
    ]
    if all(long):
        worst, limit = max(long[0]), (1 + max(long[1])) / 2
        limit = limit if limit < 1 else np.inf
        rows.append(
            Row(
                "most copied piece",
                worst,
                -np.inf,
                limit,
                worst <= limit,
                f"the largest {run_says}",
            )
        )
    return rows


def _check_sets(generated, real):
    if len(real) < 2:
        raise ValueError("real: one piece has no spread to compare with; pass two or more")
    lengths = [float(np.median([piece.steps for piece in pieces])) for pieces in (generated, real)]
    if max(lengths) > 2 * min(lengths):
        raise ValueError(
            f"generated pieces are typically {lengths[0]:.0f} steps long, real ones {lengths[1]:.0f}: "
            "cut both alike, for example with windows()"
        )


def _spread(pieces):
    return [pieces[i] for i in np.unique(np.linspace(0, len(pieces) - 1, MOST).round().astype(int))]


def _openings(*sets):
    """The first bars of each piece from its first downbeat, all of one length."""
    length = min(FRAGMENT, min(piece.steps for pieces in sets for piece in pieces))
    return [[_opening(piece, length) for piece in pieces] for pieces in sets]


def _opening(piece, length):
    start = min(int(np.argmax(piece.downbeats)), piece.steps - length)
    voices, onsets = (
        piece.voices[start : start + length],
        piece.onsets[start : start + length].copy(),
    )
    onsets[0] = voices[0] >= 0
    return Piece(voices, onsets)


def _mean(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return values.mean() if values.size else np.nan


def _mean_pair(distances, wanted):
    return distances[wanted].mean() if wanted.any() else np.nan
