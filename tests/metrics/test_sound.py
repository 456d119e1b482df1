"""Scores of notes against mir_eval, and distances of sets of notes."""

import numpy as np
import pytest
from mir_eval.transcription import precision_recall_f1_overlap

from musiclab.data.corpora import instruments
from musiclab.data.encodings.note_sound import key_to_hz
from musiclab.metrics.sound import (
    diversity,
    embed_notes,
    frechet_distance,
    note_scores,
    pitch_accuracy,
)


@pytest.mark.parametrize("seed", range(8))
def test_note_scores_are_mir_evals(seed):
    rng = np.random.default_rng(seed)
    start = np.sort(rng.uniform(0, 4, 30))
    a = np.stack([start, start + 0.3, rng.integers(60, 64, 30)], axis=1)
    b = a[rng.random(30) < 0.8] + [0, 0, 0]
    b[:, 0] += rng.normal(0, 0.03, len(b))
    b[:, 1] = b[:, 0] + 0.3
    wanted = precision_recall_f1_overlap(
        a[:, :2], key_to_hz(a[:, 2]), b[:, :2], key_to_hz(b[:, 2]), offset_ratio=None
    )[:3]
    assert list(note_scores(a, b).values()) == pytest.approx(wanted)


def test_nothing_scores_nothing():
    assert note_scores([], [[0, 1, 60]])["f1"] == 0


def test_frechet_distance_of_gaussians():
    """Eq. (18.12): (mean gap)^2 + (sd gap)^2 for independent columns, by their own means and sds."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (4000, 2)), rng.normal([3, 0], [2, 1], (4000, 2))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(9 + 1, rel=0.05)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_pitch_and_spread_of_notes():
    found = instruments.notes(1, keys=[50, 60, 70])
    assert pitch_accuracy(found.sound, found.key) == 1
    assert pitch_accuracy(found.sound, found.key + 1) == 0
    assert pitch_accuracy(np.random.default_rng(0).normal(size=(5, 8000)), [60] * 5) <= 0.2
    embedded = embed_notes(found.sound)
    np.testing.assert_allclose(embed_notes(3 * found.sound), embedded, atol=0.01)
    same = np.repeat(embedded[:1], 4, axis=0)
    assert diversity(same) == 0
    assert diversity(np.array([[0.0, 0], [3, 4]])) == pytest.approx(np.sqrt(12.5))
