"""Where MusPy has the same measure, ours has the same value.

MusPy is no dependency: it was run once on the pieces that `random_piece` makes, and its answers are
stored. Its ``empty_measure_rate`` is not the same measure: version 0.5.0 counts one bar more where
the last note ends on a barline, and calls no bar empty on whose first step a note ends.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from musiclab.data.piece import Piece
from musiclab.metrics import distinct_pitches, pitch_range, polyphony, scale_consistency

MUSPY = json.loads((Path(__file__).parent / "muspy_values.json").read_text(encoding="utf-8"))


def random_piece(seed):
    rng = np.random.default_rng(seed)
    n_bars, n_voices = (int(n) for n in rng.integers(2, 7, size=2))
    voices = np.full((16 * n_bars, n_voices), -1)
    onsets = np.zeros(voices.shape, bool)
    for v in range(n_voices):
        start = 0
        while start < len(voices):
            stop = start + int(rng.choice([2, 4, 8, 16]))
            if rng.random() < 0.6:
                voices[start:stop, v] = rng.integers(40, 70)
                onsets[start, v] = True
            start = stop
    silent = rng.integers(n_bars - 1)  # never the last bar
    voices[16 * silent : 16 * silent + 16] = -1
    onsets &= voices >= 0
    onsets[1:] |= (voices[1:] >= 0) & (voices[:-1] < 0)
    voices[-1, 0], onsets[-1, 0] = 60, True  # a reader of notes can't see a silent end
    return Piece(voices, onsets)


@pytest.mark.parametrize("muspy", MUSPY["rows"], ids=lambda row: str(row["seed"]))
def test_values_equal_muspys(muspy):
    piece = random_piece(muspy["seed"])
    shares = polyphony(piece)
    sounding = 1 - shares[0]  # MusPy's average leaves silence out, its rate does not
    assert scale_consistency(piece) == pytest.approx(muspy["scale_consistency"], abs=1e-12)
    assert shares @ np.arange(len(shares)) / sounding == pytest.approx(
        muspy["polyphony"], abs=1e-12
    )
    assert shares[3:].sum() == pytest.approx(muspy["polyphony_rate"], abs=1e-12)
    assert pitch_range(piece) == muspy["pitch_range"]
    assert distinct_pitches(piece) == muspy["n_pitches_used"]


def test_muspys_values_tell_pieces_apart():
    assert len({tuple(row.values())[1:] for row in MUSPY["rows"]}) == len(MUSPY["rows"]) >= 10
