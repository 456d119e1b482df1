"""Checks of the exercises of lesson 00."""

import itertools

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson
from musiclab.data import load_chorales

lesson = Lesson("00_first_listen", written=4)

SEE_NOTE_AT = "lesson 00, section 'The same music, as numbers'"
SEE_REPEATS = "lesson 00, section 'Count'"


def random_music(rng, steps, n_voices):
    """Tables put together from notes that are known, and these notes: (pitch, start, length, voice)."""
    voices, onsets, notes = np.full((steps, n_voices), -1), np.zeros((steps, n_voices), bool), []
    for voice in range(n_voices):
        start = 0
        while start < steps:
            length, pitch = min(rng.integers(1, 20), steps - start), rng.choice([60, 62, 0, -1])
            if pitch >= 0:
                voices[start : start + length, voice], onsets[start, voice] = pitch, True
                notes.append((pitch, start, length, voice))
            start += length
    return voices, onsets, notes


def check_notes(note_at, voices, onsets, notes):
    for pitch, start, length, voice in notes:
        for step in range(start, start + length):
            where = f"of the note that sounds at step {step} in voice {voice}"
            found = checks.call(note_at, voices, onsets, step, voice, see=SEE_NOTE_AT)
            checks.several(
                found,
                3,
                "the result of note_at",
                "note_at should return three integers, but it returned {}",
                SEE_NOTE_AT,
                kinds=(tuple, list, np.ndarray),
            )
            checks.number(found[0], pitch, f"the pitch {where}", SEE_NOTE_AT)
            late = {"the step asked about, not the one at which the note is struck": step}
            checks.number(
                found[1],
                start,
                f"the start {where}",
                SEE_NOTE_AT,
                likely=late if step > start else {},
            )
            mistakes = {
                "only what is left of the note was counted": start + length - step,
                "one step too many: the step after the note": length + 1,
                "one step too few: the step on which it is struck counts, too": length - 1,
                "a note that is struck anew was taken for the same": np.argmin(
                    [*(voices[start:, voice] == pitch), False]
                ),
            }
            likely = {cause: value for cause, value in mistakes.items() if value != length}
            checks.number(found[2], length, f"the length {where}", SEE_NOTE_AT, likely)


def check_share(repeat_share, voices, onsets):
    struck = [
        [p for p, on in zip(column, ons) if on]
        for column, ons in zip(voices.T.tolist(), onsets.T.tolist())
    ]
    pairs = [list(itertools.pairwise(notes)) for notes in struck]
    together = [a == b for voice in pairs for a, b in voice]
    joined = [note for notes in struck for note in notes]
    mistakes = {
        "held steps were counted as repeated notes": (voices[1:] == voices[:-1]).mean(),
        "the first notes of the voices were counted, too": sum(together) / max(len(joined), 1),
        "divided by all steps instead of by the notes": sum(together) / voices.size,
        "the last note of a voice was compared with the first of the next": np.mean(
            np.diff(joined) == 0
        )
        if len(joined) > 1
        else 0,
        "the voices' shares were averaged: count all notes together": np.mean(
            [np.mean([a == b for a, b in voice]) if voice else 0 for voice in pairs]
        ),
    }
    right = sum(together) / len(together) if together else 0.0
    likely = {cause: value for cause, value in mistakes.items() if abs(value - right) > 1e-6}
    checks.number(
        checks.call(repeat_share, voices, onsets, see=SEE_REPEATS),
        right,
        "the share of repeated notes",
        SEE_REPEATS,
        likely,
    )


@lesson.exercise(points=3)
def note_at(note_at):
    passion = next(c for c in load_chorales() if c.bwv == "bwv244.54")
    check_notes(
        note_at,
        passion.voices,
        passion.onsets,
        [(69, 0, 4, 0), (74, 4, 4, 0), (65, 0, 4, 1), (62, 0, 2, 3)],
    )
    check_notes(note_at, *random_music(np.random.default_rng(1), 60, 4))
    check_notes(note_at, *random_music(np.random.default_rng(2), 4, 4))
    long = np.full((400, 2), 60)
    struck = np.zeros((400, 2), bool)
    struck[[0, 250], 0], struck[[0, 399], 1] = True, True
    check_notes(
        note_at,
        long,
        struck,
        [(60, 0, 250, 0), (60, 250, 150, 0), (60, 0, 399, 1), (60, 399, 1, 1)],
    )


@lesson.exercise(points=3)
def repeats(repeat_share):
    example = np.array([[60, 48], [60, 48], [60, 50], [62, 50], [64, 52], [64, 64]])
    check_share(
        repeat_share, example, np.array([[1, 1], [0, 0], [1, 1], [1, 0], [1, 1], [0, 1]], bool)
    )
    silent = np.array([[60, -1, 50], [60, -1, -1], [62, -1, -1], [62, -1, -1]])
    struck = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0]], bool)
    check_share(repeat_share, silent, struck)  # a voice without a note, one with a single note
    check_share(
        repeat_share, *[table for c in load_chorales()[4:5] for table in (c.voices, c.onsets)]
    )
    voices, onsets, _ = random_music(np.random.default_rng(3), 500, 3)
    check_share(repeat_share, voices, onsets)
    far = np.full((200, 1), -1)
    far[[0, 150, 190], 0] = 0, 0, 64  # MIDI pitch 0 again after a long rest
    check_share(repeat_share, far, far >= 0)
