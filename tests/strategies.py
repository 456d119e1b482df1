"""Random music for property tests: what hypothesis draws pieces from."""

import numpy as np
from hypothesis import strategies as st

from musiclab.data.encodings.tokens import decode_tokens
from musiclab.data.encodings.transposition import spell
from musiclab.data.piece import REST, Piece

TIME_SIGNATURES = ["4/4", "3/4", "2/2", "6/8", "5/4", "7/8", "3/16"]


@st.composite
def voice(draw, steps, low=21, high=108):
    """One voice of so many steps: pitches and onsets, with rests, holds and repeated notes."""
    pitches, onsets = [], []
    while len(pitches) < steps:
        length = draw(st.integers(1, min(24, steps - len(pitches))))
        pitch = draw(
            st.one_of(
                st.just(REST), st.integers(low, high), st.sampled_from(pitches[-1:] or [REST])
            )
        )
        pitches += [pitch] * length
        onsets += [pitch != REST] + [False] * (length - 1)
    return np.array(pitches), np.array(onsets)


@st.composite
def metre(draw, steps, irregular=True):
    """Time signature, downbeats, beats and pickup; now and then a bar of another length."""
    signature = draw(st.sampled_from(TIME_SIGNATURES))
    upper, lower = (int(number) for number in signature.split("/"))
    bar, unit = upper * 16 // lower, 16 // lower
    pickup = draw(st.integers(0, min(bar, steps) - 1))
    downbeats, beat = np.zeros(steps, bool), np.zeros(steps, np.int8)
    beat[:pickup] = (np.arange(pickup) - pickup) % bar // unit
    start = pickup
    while start < steps:
        odd = irregular and draw(st.integers(0, 4)) == 0
        length = draw(st.integers(1, 20)) if odd else bar
        downbeats[start] = True
        beat[start : start + length] = np.arange(min(length, steps - start)) // unit
        start += length
    return {"time_signature": signature, "downbeats": downbeats, "beat": beat, "pickup": pickup}


@st.composite
def pieces(draw, max_steps=64, n_voices=(1, 4), low=21, high=108, irregular=True):
    """Valid pieces that hold at least one note, with a spelling that fits the pitches.

    Args:
      max_steps: longest piece.
      n_voices: fewest and most voices.
      low: lowest MIDI pitch.
      high: highest.
      irregular: allow bars longer or shorter than the time signature says.
    """
    steps = draw(st.integers(1, max_steps))
    drawn = [draw(voice(steps, low, high)) for _ in range(draw(st.integers(*n_voices)))]
    voices, onsets = (np.stack(arrays, axis=1) for arrays in zip(*drawn, strict=True))
    if not onsets.any():
        voices[-1, 0], onsets[-1, 0] = 60, True
    key_signature = draw(st.integers(-7, 7))
    spelling = spell(voices, key_signature)
    # now and then a note by its other name, as B sharp or F double sharp
    odd = onsets & (
        np.array(draw(st.lists(st.integers(0, 9), min_size=steps, max_size=steps)))[:, None] == 0
    )
    mode = draw(st.sampled_from(["major", "minor"]))
    tonic = (key_signature + (3 if mode == "minor" else 0)) * 7 % 12
    return Piece(
        voices,
        onsets,
        _respelled(spelling, voices, onsets, odd),
        fermatas=np.array(draw(st.lists(st.booleans(), min_size=steps, max_size=steps))),
        tonic=tonic,
        mode=mode,
        key_method="file",
        key_signature=key_signature,
        name=draw(st.sampled_from(["untitled", "Étude nº 1", "Bass", "a < b & c"])),
        **draw(metre(steps, irregular)),
    )


def _respelled(spelling, voices, onsets, odd):
    """Spelling with the notes that start where ``odd`` is True moved by twelve fifths, to an enharmonic name."""
    spelling = spelling.astype(int)
    for column in range(voices.shape[1]):
        shift = 0
        for step in range(len(voices)):
            if onsets[step, column]:
                shift = 12 * int(odd[step, column]) * (-1 if spelling[step, column] > 2 else 1)
            if voices[step, column] != REST:
                spelling[step, column] += shift
    return spelling


def random_piece(rng, steps=40, voices=4, **attributes):
    """Voices of random tokens, mostly holds, from a NumPy generator."""
    tokens = rng.choice([0, 1, 1, 1, *range(30, 60)], size=(steps, voices))
    return decode_tokens(tokens, **attributes)
