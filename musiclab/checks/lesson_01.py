"""Checks of the exercises of lesson 01."""

import numpy as np

from musiclab import checks, data
from musiclab.checks import hard_cases
from musiclab.checks.exercises import Lesson

lesson = Lesson("01_music_as_numbers", written=0)


def random_piece(rng, steps, voices):
    """Voices and onsets of notes and rests of random lengths: (steps, voices) each."""
    v, o = np.full((steps, voices), -1), np.zeros((steps, voices), bool)
    for voice in range(voices):
        start = 0
        while start < steps:
            length = int(rng.integers(1, 30))
            if rng.random() < 0.7:
                v[start : start + length, voice] = rng.choice([60, 60, 64])
                o[start, voice] = True
            start += length
    return v, o


def examine_description(describe, v, o):
    see = "lesson 01, section 'Two quarters, four ways to write them down'"
    result = checks.call(describe, v, o, see=see)
    checks.several(
        result, 3, "describe(v, o)", "describe should return three numbers, but it returned {}", see
    )
    starts = [np.flatnonzero(column) for column in o.T]
    lengths, to_next, runs = [0], [0], [0]
    for column, begins in zip(v.T, starts):
        for begin, end in zip(begins, [*begins[1:], len(v)]):
            rests = np.flatnonzero(column[begin:end] < 0)
            lengths.append(int(rests[0]) if len(rests) else int(end - begin))
            to_next.append(int(end - begin))
        same = 0
        for before, now in zip([-1, *column[:-1]], column):
            same = 0 if now < 0 else same + 1 if now == before else 1
            runs.append(same)
    sounding = (v >= 0).any(axis=1)
    causes = {
        "steps that sound were counted, not notes": int((v >= 0).sum()),
        "a note struck again was taken for the same": int(
            ((v[1:] != v[:-1]) & (v[1:] >= 0)).sum() + (v[0] >= 0).sum()
        ),
    }
    count = int(o.sum())
    causes = {cause: wrong for cause, wrong in causes.items() if wrong != count}
    checks.number(result[0], count, "the number of notes", see, causes)
    share = np.mean(~sounding)
    causes = {
        "rests of each voice were counted, not steps at which all rest": np.mean(v < 0),
        "the share of steps that sound": np.mean(sounding),
        "a number of steps: divide by all steps": np.sum(~sounding),
    }
    causes = {cause: wrong for cause, wrong in causes.items() if not np.isclose(wrong, share)}
    checks.number(result[1], share, "the share of silent steps", see, causes)
    causes = {
        "a rest was counted as part of the note before": max(to_next),
        "a note struck again was taken for the same": max(runs),
        "counted from 0: a note of one step has the length 1": max(lengths) - 1,
    }
    causes = {cause: wrong for cause, wrong in causes.items() if wrong != max(lengths)}
    checks.number(result[2], max(lengths), "the length of the longest note", see, causes)


@lesson.exercise(points=4)
def to_grid(to_grid):
    see = "lesson 01, section 'Quantise'"
    rng = np.random.default_rng(11)
    for q, n in ((4, 7), (12, 5)):
        right = rng.integers(0, 20 * q, n)
        d_right = rng.uniform(-0.45, 0.45, n) / q
        tau = right / q + d_right
        result = checks.call(to_grid, tau, q, see=see)
        checks.several(
            result,
            2,
            "to_grid(tau, q)",
            "to_grid should return two arrays, s and d, but it returned {}",
            see,
        )
        s, d = result
        causes = {
            "times were cut off instead of rounded to the nearest step": np.floor(q * tau),
            "every time went up": np.ceil(q * tau),
            "the steps were turned back into quarter notes": right / q,
            "the grid is fixed at 4 steps to a quarter": np.floor(4 * tau + 0.5),
        }
        checks.array(s, right, f"the steps s, with q = {q}", see, causes)
        kind = np.asarray(s).dtype
        checks.that(
            np.issubdtype(kind, np.integer),
            f"steps count, so they should be integers, but they are {kind}",
            see,
        )
        causes = {
            "the deviation is in steps instead of quarter notes": q * d_right,
            "it is grid minus time": -d_right,
        }
        checks.array(d, d_right, f"the deviations d, with q = {q}", see, causes, atol=1e-9)
    s, d = checks.call(to_grid, np.array([0.125, 0.375, 0.625]), 4, see=see)
    checks.array(
        s,
        [1, 2, 3],
        "steps of times halfway between two",
        see,
        {"np.round rounds halves to the even": [0, 2, 2]},
    )
    tau = rng.integers(0, 99, 8) / 8
    for name, (given,) in hard_cases.as_given(tau):
        s, _ = checks.call(to_grid, given, 4, see=see)
        checks.array(s, np.floor(4 * tau + 0.5), f"the steps of {name}", see)
    s, d = checks.call(to_grid, np.array([10000.0, 1e8 + 0.125]), 4, see=see)
    checks.array(s, [40000, 400000001], "steps of a very long piece", see)
    checks.array(d, [0.0, -0.125], "deviations of a very long piece", see)
    s, d = checks.call(to_grid, np.array(0.3), 4, see=see)
    checks.array(s, np.array(1), "the step of a single time, an array without axes", see)
    checks.array(d, np.array(0.05), "its deviation", see, atol=1e-9)


@lesson.exercise(points=2, ready_made=("musiclab.data.encodings.piano_roll.piano_roll",))
def encode_roll(encode, chorales, little_o, little_v):
    see = "lesson 01, section 'Piano roll'"
    R, _ = checks.call(encode, little_v, little_o, 58, 62, see=see)
    right = np.zeros((4, 5))
    right[:3, 2] = 1
    rest_sounds = right.copy()
    rest_sounds[3, 0] = 1
    causes = {
        "the rest, -1, was pushed up into the range, so that the lowest key sounds": rest_sounds
    }
    checks.array(R, right, "the roll of the little melody", see, causes)
    piece = data.excerpt(chorales["bwv17.7"], 0, 64)
    R, _ = checks.call(encode, piece.voices, piece.onsets, 40, 80, see=see)
    checks.array(R, data.piano_roll(piece, 40, 80), "the roll of a chorale", see)
    lowest = np.array([[0, -1], [2, 0]])
    R, _ = checks.call(encode, lowest, lowest >= 0, 0, 2, see=see)
    checks.array(R, [[1, 0, 0], [1, 0, 1]], "a roll that begins at MIDI pitch 0", see)
    held = np.full((140, 5), [[40, 44, 47, 52, 55]])
    R, _ = checks.call(encode, held, np.arange(140)[:, None] % 100 + 0 * held == 0, 40, 60, see=see)
    right = np.zeros((140, 21))
    right[:, [0, 4, 7, 12, 15]] = 1
    checks.array(R, right, "the roll of five voices with notes of 100 steps", see)


@lesson.exercise(points=3, ready_made=("musiclab.data.encodings.tokens.encode_tokens",))
def encode_tokens(encode, chorales, little_o, little_v):
    see = "lesson 01, section 'Tokens'"
    _, z = checks.call(encode, little_v, little_o, 58, 62, see=see)
    melted = "a note counts as held where its pitch is that of the step before: a note struck again melts away"
    causes = {
        melted: [[4], [1], [1], [0]],
        "every sounding step strikes": [[4], [4], [4], [0]],
        "token 1 is the hold: the first pitch is 2": [[3], [3], [1], [0]],
    }
    checks.array(z, [[4], [4], [1], [0]], "tokens of the little melody", see, causes)
    piece = chorales["bwv244.54"]
    _, z = checks.call(encode, piece.voices, piece.onsets, 36, 83, see=see)
    checks.array(z, data.encode_tokens(piece, 36, 83), "tokens of the Passion chorale", see)
    back = data.decode_tokens(np.asarray(z, int), 36, 83)
    checks.array(back.onsets, piece.onsets, "onsets after the round trip", see)
    _, z = checks.call(encode, np.array([[0], [0], [-1]]), np.array([[1], [0], [0]], bool), 0, 9)
    checks.array(z, [[2], [1], [0]], "tokens of MIDI pitch 0, which is no rest", see)
    high = np.array([[127, 126], [127, 0], [5, 0]])
    _, z = checks.call(encode, high, np.array([[1, 0], [0, 1], [1, 0]], bool), 0, 127, see=see)
    cause = "the first step counts as struck: an excerpt may begin with a note that is held"
    wrong = {cause: [[129, 128], [1, 2], [7, 1]]}
    checks.array(z, [[129, 1], [1, 2], [7, 1]], "tokens of the whole MIDI range", see, wrong)


@lesson.exercise(points=4)
def place_in_bar(place_in_bar, chorales):
    see = "lesson 01, section 'Time: bars, beats, pickup'"
    rng = np.random.default_rng(12)
    four = np.zeros(40, bool)
    four[4::16] = True
    causes = {
        "the pickup was forgotten: this is step modulo 16": np.arange(40) % 16 / 16,
        "the pickup counts as the beginning of a bar": np.r_[
            np.arange(4) / 16, np.arange(36) % 16 / 16
        ],
        "the pickup is taken for a whole bar": np.r_[np.arange(4) / 4, np.arange(36) % 16 / 16],
        "the bar's length less 1 divides, but b is the first step of the next bar": (
            np.arange(40) - 4
        )
        % 16
        / 15,
        "these are steps within the bar, not yet normalised": (np.arange(40) - 4) % 16,
    }
    place = checks.call(place_in_bar, four, see=see)
    checks.array(
        place, (np.arange(40) - 4) % 16 / 16, "a pickup of 4 steps and bars of 16", see, causes
    )
    eights = np.zeros(100, bool)
    eights[10::24] = True
    place = checks.call(place_in_bar, eights, see=see)
    checks.array(place, (np.arange(100) - 10) % 24 / 24, "a pickup and bars of 24 steps", see)
    for name in ("bwv244.54", "bwv17.7", "bwv48.3", "bwv374"):
        piece = chorales[name]
        bars = data.bars(piece)
        place = np.asarray(checks.call(place_in_bar, piece.downbeats, see=see))
        right = place.shape == (piece.steps,)
        checks.that(
            right,
            f"{name}: expected one number per step, shape ({piece.steps},), got {place.shape}",
            see,
        )
        checks.that(
            (place[piece.downbeats] == 0).all(),
            f"{name}: the first step of each bar should be 0",
            see,
        )
        low, high = place.min(), place.max()
        message = f"{name}: numbers should be from 0 to below 1, but they run from {low:.3g} to {high:.3g}"
        checks.that(low >= 0 and high < 1, message, see)
        start, stop = bars[int(rng.integers(1, len(bars) - 1))]
        wanted = np.arange(stop - start) / (stop - start)
        checks.array(place[start:stop], wanted, f"{name}, the bar of steps {start} to {stop}", see)
    for pickup, length, end in ((1, 4, 4), (0, 4, 5), (2, 3, 11), (1, 8, 9), (3, 6, 40)):
        downs = np.zeros(pickup + 2 * length + end, bool)
        downs[[pickup, pickup + length, pickup + 2 * length]] = True
        x = np.arange(len(downs)) - pickup
        last = max(length, end)
        right = np.where(x < 2 * length, x % length / length, (x - 2 * length) / last)
        what = f"a pickup of {pickup}, bars of {length} steps, at the end {end} steps"
        checks.array(checks.call(place_in_bar, downs, see=see), right, what, see)


@lesson.exercise(points=3)
def own_music(describe):
    v = np.array([[60, -1], [60, -1], [60, 50], [-1, 50], [-1, -1], [62, -1]])
    o = np.array([[1, 0], [1, 0], [0, 1], [0, 0], [0, 0], [1, 0]], bool)
    examine_description(describe, v, o)
    lowest = np.array([[0, -1], [0, -1], [-1, -1]])
    examine_description(describe, lowest, np.array([[1, 0], [0, 0], [0, 0]], bool))  # MIDI pitch 0
    rng = np.random.default_rng(15)
    for _, steps in hard_cases.lengths(80):
        examine_description(describe, *random_piece(rng, steps, 3))
    organ = np.full((700, 2), 60)
    begins = np.zeros((700, 2), bool)
    begins[[0, 300], 0], begins[1, 1] = True, True
    organ[0, 1] = -1
    examine_description(describe, organ, begins)
