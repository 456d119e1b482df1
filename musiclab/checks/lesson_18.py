"""Checks of the exercises of lesson 18."""

import numpy as np

from musiclab import checks
from musiclab.checks.exercises import Lesson
from musiclab.data.encodings import spectrogram

lesson = Lesson("18_sound")


def examine_sources(sources, heard, rate, highest):
    see = "lesson 18, section 'What a sample rate cannot hold'"
    k = np.arange(0, int(highest // rate) + 2)
    both = np.concatenate([k * rate + heard, k * rate - heard])
    right = np.unique(both[(both >= 0) & (both <= highest)])
    above, below = np.unique(k * rate + heard), np.unique(k * rate - heard)
    causes = {
        "the tones below the multiples of the rate are missing, such as the rate minus f": above[
            above <= highest
        ],
        "the tones above the multiples of the rate are missing, f itself among them": below[
            (below >= 0) & (below <= highest)
        ],
        "the highest frequency itself may be recorded": right[right < highest],
        "multiples of half the rate were used in place of the rate": np.unique(
            np.concatenate([k * rate / 2 + heard, k * rate / 2 - heard])
        ),
        "the tone itself is one of them": right[right != heard],
        "each frequency once: k times the rate plus and minus f can be the same number": np.sort(
            both[(both >= 0) & (both <= highest)]
        ),
    }
    causes = {
        c: w for c, w in causes.items() if w.shape != right.shape or not np.allclose(w, right)
    }
    result = checks.call(sources, heard, rate, highest, see=see)
    what = f"frequencies heard at {heard:g} Hz, at {rate:,} samples per second"
    checks.array(result, right, what, see, causes)


def examine_overlap(overlap, window, hop):
    see = "lesson 18, section 'And back, exactly'"
    window = np.asarray(window, float)
    right = np.array([window[r::hop].sum() for r in range(hop)])
    whole = len(window) // hop * hop
    causes = {
        "the window itself, not its square": np.array(
            [(window[r::hop] ** 2).sum() for r in range(hop)]
        ),
        "the end of the window is missing: its length need not be a multiple of the hop": window[
            :whole
        ]
        .reshape(-1, hop)
        .sum(axis=0)
        if whole
        else np.zeros(hop),
        "the sum over the windows, not their mean": np.array(
            [window[r::hop].mean() for r in range(min(hop, len(window)))]
        ),
        "one number for each place within a hop": right.sum(),
    }
    causes = {
        c: w for c, w in causes.items() if w.shape != right.shape or not np.allclose(w, right)
    }
    result = checks.call(overlap, window, hop, see=see)
    checks.array(result, right, f"windows of {len(window)} with hop {hop}", see, causes)


def examine_overlap_add(overlap_add, frames, window, hop):
    see = "lesson 18, section 'And back, exactly'"
    size = frames.shape[1]
    total = np.zeros((len(frames) - 1) * hop + size)
    weight, single = np.zeros_like(total), np.zeros_like(total)
    plain = np.zeros_like(total)
    for m, frame in enumerate(frames):
        here = slice(m * hop, m * hop + size)
        total[here] += window * frame
        plain[here] += frame
        weight[here] += window**2
        single[here] += window
    right = np.where(weight > 0, total / np.where(weight > 0, weight, 1), 0)
    causes = {
        "frames were multiplied by w twice, so the weight is the sum of w squared": np.where(
            single > 0, total / np.where(single > 0, single, 1), 0
        ),
        "multiply each frame by the window before adding it": np.where(
            weight > 0, plain / np.where(weight > 0, weight, 1), 0
        ),
        "the division by the sum of w squared is missing": total,
    }
    causes = {c: w for c, w in causes.items() if not np.allclose(w, right)}
    with np.errstate(all="ignore"):
        result = checks.call(overlap_add, frames, window, hop, see=see)
    what = f"{len(frames)} frames of {size} with hop {hop}"
    checks.array(result, right, what, see, causes, atol=1e-6)


def examine_round(griffin_lim_round, X, A, before, alpha, length, hop):
    see = "lesson 18, section 'Phase'"
    size = 2 * (A.shape[1] - 1)
    P = spectrogram.stft(spectrogram.inverse_stft(X, length, hop), size, hop)

    def restored(Y):
        return A * Y / np.abs(Y)

    right = restored(P + alpha * (P - before))
    causes = {
        "no momentum: Y goes beyond P in the direction of P - before": restored(P),
        "the momentum has the wrong sign": restored(P - alpha * (P - before)),
        "that is a mean of P and before: add alpha (P - before) to P": restored(
            (1 - alpha) * P + alpha * before
        ),
        "Y has other magnitudes than A: divide by |Y| and multiply by A": P + alpha * (P - before),
        "the phases of X were kept: take them from its projection": restored(X),
        "the momentum belongs to the projection P, not to X": restored(X + alpha * (X - before)),
    }
    causes = {c: w for c, w in causes.items() if not np.allclose(w, right, atol=1e-6)}
    with np.errstate(all="ignore"):
        result = checks.call(griffin_lim_round, X, A, before, alpha, length, hop, see=see)
    checks.several(
        result, 2, "the result", "the new spectrum and P should be returned, but there were {}", see
    )
    for part, wanted, what, likely in (
        (result[1], P, "the projection P", {"return X first, then P": right}),
        (result[0], right, "the new spectrum", causes),
    ):
        found = np.asarray(part)
        checks.that(
            found.shape == wanted.shape,
            f"{what}: expected shape {wanted.shape}, but got {found.shape}",
            see,
        )
        likely = {c: _parts(w) for c, w in likely.items() if w.shape == wanted.shape}
        checks.array(_parts(found), _parts(wanted), what, see, likely, atol=1e-6)


def examine_brightness(brightness, levels, frequency):
    see = "lesson 18, section 'A tone from its harmonics'"
    levels = np.asarray(levels, float)
    orders = np.arange(1, levels.shape[1] + 1)
    a = 10 ** (levels / 20)
    right = (a * orders).sum(axis=1) / a.sum(axis=1) * frequency
    power = 10 ** (levels / 10)
    causes = {
        "an amplitude is 10 to the power of level / 20, not level / 10": (power * orders).sum(
            axis=1
        )
        / power.sum(axis=1)
        * frequency,
        "the first harmonic is the note's own frequency: k begins with 1": right - frequency,
        "in Hz: harmonic k is at k times the frequency": right / frequency,
        "the levels in dB were taken as amplitudes": (levels * orders).sum(axis=1)
        / np.where(levels.sum(axis=1) == 0, 1, levels.sum(axis=1))
        * frequency,
        "one number for each frame: sum over the harmonics only": np.array(
            (a * orders).sum() / a.sum() * frequency
        ),
        "divide by the sum of the amplitudes": (a * orders).sum(axis=1) * frequency,
    }
    causes = {
        c: w for c, w in causes.items() if w.shape != right.shape or not np.allclose(w, right)
    }
    with np.errstate(all="ignore"):
        result = checks.call(brightness, levels, frequency, see=see)
    checks.array(result, right, f"the brightness of {len(levels)} frames, in Hz", see, causes)


def _parts(x):
    """Real and imaginary parts on a last axis."""
    x = np.asarray(x)
    return np.stack([x.real, x.imag], axis=-1)


def spectra(rng, length, size, hop):
    """A random spectrum, wanted magnitudes and the projection of another spectrum."""
    shape = (1 + -(-length // hop), size // 2 + 1)
    X, before = rng.standard_normal((2, *shape)) + 1j * rng.standard_normal((2, *shape))
    before = spectrogram.stft(spectrogram.inverse_stft(before, length, hop), size, hop)
    return X, rng.random(shape) + 0.1, before


@lesson.exercise(points=3, ready_made=("musiclab.data.encodings.spectrogram.alias",))
def sources(sources):
    examine_sources(sources, 3000.0, 8000, 20_000.0)
    examine_sources(sources, 0.0, 8000, 16_000.0)
    examine_sources(sources, 4000.0, 8000, 20_000.0)
    examine_sources(sources, 440.0, 44_100, 20_000.0)
    examine_sources(sources, 0.5, 8000, 8000.0)
    examine_sources(sources, 1000.0, 8000, 9000.0)
    examine_sources(sources, 1500.0, 16_000, 33_500.0)


@lesson.exercise(points=2)
def overlap(overlap):
    examine_overlap(overlap, spectrogram.hann(8), 4)
    examine_overlap(overlap, spectrogram.hann(8), 2)
    examine_overlap(overlap, np.arange(7.0), 3)
    examine_overlap(overlap, np.array([1.0, 2.0]), 3)
    examine_overlap(overlap, np.hanning(9), 1)


@lesson.exercise(points=3, ready_made=("musiclab.data.encodings.spectrogram.inverse_stft",))
def overlap_add(overlap_add):
    rng = np.random.default_rng(181)
    examine_overlap_add(overlap_add, np.ones((3, 4)), spectrogram.hann(4), 2)
    examine_overlap_add(overlap_add, rng.standard_normal((5, 8)), spectrogram.hann(8), 2)
    examine_overlap_add(overlap_add, rng.standard_normal((4, 6)), np.hanning(6), 4)
    examine_overlap_add(overlap_add, rng.standard_normal((1, 5)), rng.random(5), 5)
    examine_overlap_add(overlap_add, rng.standard_normal((3, 4)), rng.standard_normal(4), 3)


@lesson.exercise(points=4, ready_made=("musiclab.data.encodings.spectrogram.griffin_lim",))
def griffin_lim_round(griffin_lim_round):
    rng = np.random.default_rng(182)
    for length, size, hop, alpha in ((40, 8, 2, 0.99), (32, 16, 8, 0.5), (10, 4, 2, 0.0)):
        X, A, before = spectra(rng, length, size, hop)
        examine_round(griffin_lim_round, X, A, before, alpha, length, hop)
        examine_round(griffin_lim_round, X, A, 0 * before, alpha, length, hop)


@lesson.exercise(points=3)
def brightness(brightness):
    examine_brightness(brightness, [[0.0, -20.0], [-20.0, 0.0]], 100.0)
    examine_brightness(brightness, [[-80.0, -80.0, 0.0]], 440.0)
    rng = np.random.default_rng(183)
    examine_brightness(brightness, rng.uniform(-80, -3, (16, 24)), 261.6)
    examine_brightness(brightness, np.full((2, 5), -30.0), 220.0)
