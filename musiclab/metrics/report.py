"""Evaluation report: generated pieces against held-out real ones, measure by measure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musiclab.data.piece import Piece, excerpt
from musiclab.metrics._pieces import as_pieces, same_voices
from musiclab.metrics.counterpoint import (
    dissonance,
    parallel_perfects,
    resolved_dissonances,
    suspensions,
    voice_crossings,
)
from musiclab.metrics.distribution import bar_embedding, frechet, moments
from musiclab.metrics.harmony import (
    falling_fifths,
    fermata_cadences,
    fermata_triads,
    final_tonic,
    triads_and_sevenths,
)
from musiclab.metrics.pitch import (
    distinct_pitches,
    pitch_range,
    polyphony,
    rising_leaps,
    scale_consistency,
    stepwise_motion,
    wide_leaps,
)
from musiclab.metrics.rhythm import empty_bars, hold_rate, on_beat
from musiclab.metrics.similarity import nearest_distances, pairwise_distances, shared_runs

__all__ = ["Report", "Row", "looks_like_music"]

FALSE_ALARMS = 0.01  # share of resampled groups in which any measure falls outside its range
GROUP = 20  # tolerance is that of groups of up to this many pieces
MOST = 200  # pieces used of each set, evenly picked
RESAMPLES = 500
PRINTED = 0.005  # half the last digit printed: what can't be seen is no difference
OPENING = 32  # steps of an opening compared for diversity and nearness: two bars of 4/4


def _leaps_in_top(piece: Piece) -> float:
    return wide_leaps(piece)[0]


def _leaps_in_bass(piece: Piece) -> float:
    return wide_leaps(piece)[-1]


def _leaps_inside(piece: Piece) -> float:
    return _mean(wide_leaps(piece)[1:-1])


PER_PIECE = (  # measure, its name, least voices, what it reads, what it says
    (hold_rate, "hold rate", 1, "", "voice-steps that continue a note"),
    (on_beat, "on the beat", 1, "", "notes struck on a quarter"),
    (scale_consistency, "scale consistency", 1, "", "notes in the best-fitting scale"),
    (stepwise_motion, "stepwise motion", 1, "", "moves of a whole tone or less"),
    (_leaps_in_top, "wide leaps, top", 1, "", "moves of the top voice beyond a fifth"),
    (_leaps_inside, "wide leaps, inner", 3, "", "the same, in the voices between"),
    (_leaps_in_bass, "wide leaps, bass", 2, "", "the same, in the lowest voice"),
    (rising_leaps, "rising leaps", 1, "", "leaps of a fourth or more that rise: direction"),
    (pitch_range, "pitch range", 1, "", "semitones from lowest to highest note"),
    (distinct_pitches, "distinct pitches", 1, "", "different pitches in a piece"),
    (empty_bars, "empty bars", 1, "", "bars without a sound"),
    (dissonance, "dissonance", 2, "", "voice pairs at a second, seventh or tritone"),
    (resolved_dissonances, "resolved dissonances", 2, "", "dissonances left by step"),
    (suspensions, "suspensions", 2, "", "dissonances prepared, then falling: direction"),
    (parallel_perfects, "parallel perfects", 2, "", "per 100 chord changes"),
    (voice_crossings, "voice crossings", 2, "", "steps with a lower voice on top"),
    (triads_and_sevenths, "triads and sevenths", 3, "", "quarters on a complete chord"),
    (falling_fifths, "falling fifths", 2, "", "fifths in the bass that fall: direction"),
    (fermata_triads, "fermata triads", 3, "fermatas", "fermatas on a consonant triad"),
    (fermata_cadences, "fermata cadences", 3, "fermatas and key", "bass falls a fifth to them"),
    (final_tonic, "final tonic", 3, "key", "pieces that end on the tonic triad"),
)


def _chord_changes(piece: Piece) -> int:
    return max(int(piece.onsets.any(axis=1).sum()) - 1, 1)


def _n_fermatas(piece: Piece) -> int:
    return max(int(piece.fermatas.sum()), 1)


NO_SHARES = ("parallel perfects", "pitch range", "distinct pitches")  # may exceed 1
# measures of few events per piece: how many chances a piece has for one, and the measure's unit
RARE = {
    "parallel perfects": (_chord_changes, 100),
    "fermata triads": (_n_fermatas, 1),
    "fermata cadences": (_n_fermatas, 1),
    "final tonic": (lambda piece: 1, 1),
}


class Row(NamedTuple):
    """One measure of a report.

    Attributes:
      measure: its name.
      generated: mean over the generated pieces; nan where it is undefined.
      low, high: range of the real pieces; an open side is infinite; nan where the measure can't be
        taken.
      passed: True if low <= generated <= high, or the measure can't be taken.
      meaning: what it counts, or why it can't be taken.
    """

    measure: str
    generated: float
    low: float
    high: float
    passed: bool
    meaning: str


@dataclass(frozen=True)
class Report:
    """Table of measures that :func:`looks_like_music` returns; prints as text, shows as HTML in a notebook.

    Attributes:
      rows: one per measure. n_generated, n_real: pieces compared.
      memorisation: whether training pieces were given to look for copies of.
    """

    rows: tuple[Row, ...]
    n_generated: int
    n_real: int
    memorisation: bool

    @property
    def passed(self) -> bool:
        """True if no measure differs."""
        return all(row.passed for row in self.rows)

    @property
    def failed(self) -> list[str]:
        """Names of the measures that differ from the real pieces."""
        return [row.measure for row in self.rows if not row.passed]

    def __str__(self):
        return self._table().text

    def _repr_html_(self):
        return self._table().html

    def _table(self):
        from musiclab.show.table import table  # here, so that measures load without plots

        found = (
            f"differs from the real pieces in {', '.join(self.failed)}"
            if self.failed
            else "no measure differs from the real pieces"
        )
        copies = "" if self.memorisation else " (not compared with training pieces)"
        return table(
            [_cells(row) for row in self.rows],
            ("measure", "result", "generated", "real pieces", "what it says"),
            f"{self.n_generated} generated against {self.n_real} real: {found}{copies}",
        )


def looks_like_music(
    generated: Piece | Iterable[Piece],
    real: Iterable[Piece],
    training: Iterable[Piece] | None = None,
    seed: int = 0,
) -> Report:
    """Evaluation report: in which measures do generated pieces differ from held-out real ones?

    Each measure is averaged over the generated pieces and held against the range that real pieces
    allow. The range comes from the real pieces alone: two groups are drawn from them with
    replacement, as many as were generated (at most 20) and as many as are real, 500 times. A
    measure's range is the real mean, plus and minus c standard deviations of the difference between
    two such groups; c is one number for the whole report, such that in 99% of the draws no measure
    at all falls outside. The aim is that one report in a hundred on real pieces of the same kind
    names any measure; on random splits of the chorales it was about one in twenty, because rare
    faults are skewed. (Studentised maximum, as in Westfall and Young, "Resampling-based multiple
    testing", 1993.)

    With ``training``, the pieces must not repeat it more than real pieces do, and none longer than
    four bars may be nearer to a full copy than to the most copied real piece. Harmony needs three
    voices; rows that read fermatas or the key show a dash where pieces have none, and do not count.

    Related: Yang and Lerch, "On the evaluation of generative models in music", 2020 (MGEval),
    compare distances within and between two sets, measure by measure; MusPy (Dong and others, 2020)
    has single numbers, and its polyphony is a mean where the row here is a distance of histograms.

    A difference is not a fault: other real music differs from Bach, too. No difference proves
    little: each measure can be fooled, and the report does not listen. Compare like with like:
    pieces of similar length (all two-bar windows, or all whole), in one key or each in its own on
    both sides, with as many voices. Ten pieces or more are compared far more sharply than one.

    Args:
      generated: what a model wrote.
      real: held-out pieces, two or more.
      training: the pieces that the model was trained on. Melody lessons need a split by melody
        here: where real pieces repeat the training melodies too, copies don't stand out.
      seed: of the resampling.

    Returns:
      A report; ``.failed`` names the measures that differ, ``.passed`` says whether there is none.

    Raises:
      ValueError: no piece, fewer than two real ones, different numbers of voices, or typical
        lengths that differ by more than a factor of two.

    >>> scale = [Piece([60 + i % 5, 62 + i % 5, 64, 65] * 8) for i in range(30)]
    >>> report = looks_like_music([Piece([60] * 32)] * 10, scale)
    >>> report.passed, "hold rate" in report.failed
    (False, True)
    """
    generated, real = _spread(as_pieces(generated, "generated")), _spread(as_pieces(real, "real"))
    training = None if training is None else as_pieces(training, "training")
    n_voices = same_voices(generated, real, training or [])
    _check_sets(generated, real)
    compare = _Comparison(generated, real, np.random.default_rng(seed))
    for measure, name, least, reads, meaning in PER_PIECE:
        if n_voices >= least:
            compare.means(name, measure, meaning, reads)
    if n_voices > 1:
        compare.polyphony()
    compare.frechet()
    openings = _openings(generated, real)
    if len(generated) > 1:
        compare.diversity(*map(pairwise_distances, openings))
    if training is not None:
        _memorisation(compare, openings, training)
    return Report(compare.rows(), len(generated), len(real), training is not None)


class _Comparison:
    """Rows of a report: values of generated and real pieces, and ranges by resampling the real ones."""

    def __init__(self, generated: list[Piece], real: list[Piece], rng: np.random.Generator):
        self.generated, self.real = generated, real
        even = np.full(len(real), 1 / len(real))
        # how often each real piece is in each group of either size: (RESAMPLES, n_real)
        self.small = rng.multinomial(min(len(generated), GROUP), even, RESAMPLES)
        self.large = rng.multinomial(len(real), even, RESAMPLES)
        self.found, self.strays = [], []

    def means(self, name, measure, meaning, reads):
        """A measure of single pieces, averaged; a dash where no piece has what it reads."""
        for who, pieces in (("generated", self.generated), ("real", self.real)):
            if reads and not _has(pieces, reads):
                self.dash(name, f"not measured: the {who} pieces have no {reads}")
                return
        ours, real = ([measure(piece) for piece in s] for s in (self.generated, self.real))
        self.values(name, ours, real, meaning)

    def values(self, name, ours, real, meaning, sign=0):
        """One value per piece, averaged; sign 1 or -1: only means that are too high, or too low, differ."""
        real = np.array(real, float)
        if np.isnan(real).all():
            self.dash(name, "not measured: undefined for all real pieces")
            return
        strays = _group_means(self.small, real) - _group_means(self.large, real)
        least = self.counting_error(_mean(real), *RARE[name]) if name in RARE else 0
        self.add(name, _mean(ours), _mean(real), strays, meaning, sign, least)

    def counting_error(self, value, chances, unit):
        """Standard error of a difference of shares from counting alone, two events and two misses added."""
        n, m = self.small[0].sum(), len(self.real)
        k = np.mean([chances(piece) for piece in self.real])
        p = (value / unit * k * m + 2) / (k * m + 4)
        return unit * np.sqrt(p * (1 - p) / k * (1 / n + 1 / m))

    def polyphony(self):
        ours, real = (np.array([polyphony(p) for p in s]) for s in (self.generated, self.real))
        small, large = (w @ real / w.sum(axis=1, keepdims=True) for w in (self.small, self.large))
        self.distance(
            "polyphony",
            np.abs(ours.mean(axis=0) - real.mean(axis=0)).sum(),
            np.abs(small - large).sum(axis=1),
            "distance of the histograms of sounding pitches",
        )

    def frechet(self):
        ours, real = ([bar_embedding(p) for p in s] for s in (self.generated, self.real))
        fewest = min(map(len, real)) * self.small[0].sum()
        if min(sum(map(len, ours)), fewest) < 2:
            self.dash("Fréchet distance", "not measured: a single bar has no covariance")
            return
        self.distance(
            "Fréchet distance",
            frechet(*moments(ours), *moments(real))[0],
            frechet(*moments(real, self.small), *moments(real, self.large)),
            "distance of the bars' intervals, moves and rhythm",
        )

    def diversity(self, ours, real):
        value, usual = (_mean_pair(np.ones((1, len(d))), d)[0] for d in (ours, real))
        strays = _mean_pair(self.small, real) - _mean_pair(self.large, real)
        self.add("diversity", value, usual, strays, "how different the openings are", 0)

    def distance(self, name, value, strays, meaning):
        """A distance of two sets, which differs only if it is too large."""
        usual = strays.mean()
        self.add(name, value, usual, strays - usual, meaning, 1)

    def limit(self, name, value, high, meaning):
        """A value with a limit of its own; a limit of 1 or more can't be told from a copy and is none."""
        high = high if high < 1 else np.inf
        self.found.append((Row(name, value, -np.inf, high, value <= high, meaning), 0, 0, 0))

    def dash(self, name, why):
        self.found.append((Row(name, np.nan, np.nan, np.nan, True, why), 0, 0, 0))

    def add(self, name, value, usual, strays, meaning, sign, least=0):
        # a resampled deviation is too small by this factor
        scale = np.nanstd(strays) * np.sqrt(len(self.real) / (len(self.real) - 1))
        scale = max(scale, least, PRINTED)
        low, high = -scale if sign <= 0 else -np.inf, scale if sign >= 0 else np.inf
        # undefined is no difference where it happens among real pieces
        undefined = np.isnan(value) and np.isnan(strays).mean() > FALSE_ALARMS
        row = Row(name, float(value), low, high, bool(undefined), meaning)
        # a counting error is not estimated from the few pieces there are
        freedom = np.inf if scale == least else len(self.real) - 1
        self.found.append((row, usual, scale, freedom))
        far = strays * sign if sign else np.abs(strays)
        self.strays.append(np.nan_to_num(far / scale))

    def rows(self) -> tuple[Row, ...]:
        c = np.quantile(np.max(self.strays, axis=0), 1 - FALSE_ALARMS)
        return tuple(
            _widened(row, usual, _student(c, freedom)) if scale else row
            for row, usual, scale, freedom in self.found
        )


def _student(z, freedom):
    """Quantile of Student's t for a normal quantile z: deviations are estimated from few real pieces.

    The first terms of the expansion 26.7.5 in Abramowitz and Stegun, "Handbook of Mathematical
    Functions".
    """
    first = (z**3 + z) / (4 * freedom)
    return z + first + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _widened(row, usual, c):
    """A row whose range reaches c deviations from the usual value, within what its measure can be."""
    low, high = usual + c * row.low, usual + c * row.high
    if np.isfinite(low):
        low, high = max(low, 0.0), high if row.measure in NO_SHARES else min(high, 1.0)
    passed = row.passed or bool(low <= row.generated <= high)
    return row._replace(low=float(low), high=float(high), passed=passed)


def _memorisation(compare, openings, training):
    """Rows on copies: longest run and nearest opening on the mean, and the most copied long piece."""
    generated, real = compare.generated, compare.real
    shares = [_copied_shares(pieces, training) for pieces in (generated, real)]
    meaning = "share of a piece that one training piece has too"
    compare.values("longest shared run", *shares, meaning, sign=1)
    steps = openings[0][0].steps
    near = [nearest_distances(pieces, training, steps) for pieces in openings]
    meaning = "distance of openings to the nearest in training"
    compare.values("nearest fragment", *near, meaning, sign=-1)
    # a few bars may recur by chance, a whole piece does not
    long = [
        [share for share, piece in zip(found, pieces) if piece.steps > 2 * OPENING]
        for found, pieces in zip(shares, (generated, real))
    ]
    if all(long):
        usual = max(long[1])
        compare.limit("most copied piece", max(long[0]), (1 + usual) / 2, "the largest shared run")


def _copied_shares(pieces, training):
    return [run.steps / piece.steps for run, piece in zip(shared_runs(pieces, training), pieces)]


def _cells(row):
    if np.isnan(row.low):
        return row.measure, "–", row.generated, "–", row.meaning
    low, high = row.low > -np.inf, row.high < np.inf
    if low and high:
        span = f"{row.low:.2f} to {row.high:.2f}"
    elif high:
        span = f"at most {row.high:.2f}"
    else:
        span = f"at least {row.low:.2f}" if low else "anything"
    return row.measure, "within" if row.passed else "DIFFERS", row.generated, span, row.meaning


def _has(pieces, reads):
    """Whether any piece has what a measure reads."""
    if reads == "key":
        return any(piece.key_method != "unknown" for piece in pieces)
    if reads == "fermatas":
        return any(piece.fermatas.any() for piece in pieces)
    return any(piece.key_method != "unknown" and piece.fermatas.any() for piece in pieces)


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
    length = min(OPENING, min(piece.steps for pieces in sets for piece in pieces))
    return [[_opening(piece, length) for piece in pieces] for pieces in sets]


def _opening(piece, length):
    start = min(int(np.argmax(piece.downbeats)), piece.steps - length)
    return excerpt(piece, start, start + length).with_(pickup=0, downbeats=None)


def _mean(values):
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    return values.mean() if values.size else np.nan


def _group_means(weights, values):
    """Mean of the defined values in each group of weights (groups, n); nan where a group has none."""
    known = ~np.isnan(values)
    total, count = weights @ np.where(known, values, 0), weights @ known
    return np.divide(total, count, out=np.full(len(weights), np.nan), where=count > 0)


def _mean_pair(weights, distances):
    """Mean distance of the pairs of different pieces in each group of weights (groups, n); 0 in a group of one."""
    total = np.einsum("gi,gi->g", weights @ distances, weights)
    count = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    return np.divide(total, count, out=np.zeros(len(weights)), where=count > 0)
