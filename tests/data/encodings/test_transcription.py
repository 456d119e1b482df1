"""Transcription of the course's own sound, scored here and by mir_eval."""

import numpy as np
import pytest

from musiclab import show
from musiclab.data import load_chorales
from musiclab.data.encodings.transcription import (
    key_weights,
    spectral_flux,
    templates,
    transcribe,
    true_notes,
)
from musiclab.data.files.audio import resample
from musiclab.metrics.sound import note_scores


def test_an_update_by_hand():
    """Eq. (18.9): two keys, two bins, one update from equal weights."""
    V, B = np.array([[3.0, 1.0]]), np.array([[0.5, 0.5], [1.0, 0.0]])
    A = np.array([[2.0, 2.0]])  # half of the sum each; A B = 3, 1
    np.testing.assert_allclose(key_weights(V, B, 1), A * ((V / [[3.0, 1.0]]) @ B.T), rtol=1e-6)
    V = np.array([[1.0, 3.0]])
    ratio = V / [[3.0, 1.0]]
    np.testing.assert_allclose(key_weights(V, B, 1), A * (ratio @ B.T), rtol=1e-6)


def test_flux_by_hand():
    """Eq. (18.10): rises from the frame before to the one after; falls count as 0."""
    levels = np.array([[0.0, 5], [1, 4], [3, 1], [3, 2]])
    assert spectral_flux(levels).tolist() == [0, 3, 2, 0]


def test_templates_stand_on_their_harmonics():
    rows = templates(4096, 16_000)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    bins = np.fft.rfftfreq(4096, 1 / 16_000)
    assert bins[rows[69 - 36].argmax()] == pytest.approx(440, abs=2)


def test_the_courses_organ_is_transcribed():
    piece = load_chorales("test")[1]
    sound, rate = show.synthesize(piece, 80)
    step = 60 / 80 / 4
    notes = {(a, key): (a * step, b * step, key) for a, b, key, _ in show.html.notes(piece)}
    found = transcribe(resample(sound, rate, 16_000), 16_000)
    assert note_scores(list(notes.values()), found)["f1"] >= 0.97


def test_true_notes_are_those_of_the_player_and_unisons_count_once():
    piece = load_chorales("test")[1]
    step = 60 / 100 / 4
    wanted = {(a * step, b * step, key) for a, b, key, _ in show.html.notes(piece)}
    found = true_notes(piece, bpm=100)
    assert {tuple(row) for row in found.tolist()} == wanted
    assert len(found) == len(wanted) < len(show.html.notes(piece))
    assert (np.diff(found[:, 0]) >= 0).all()
