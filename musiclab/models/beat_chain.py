"""Markov chain over the slots of a beat: dances, a given melody set as a dance, and guidance.

A **slot** is a third of a beat in jigs, a quarter of a beat in reels and hornpipes. Shapes: K cells
(two per pitch: held, struck), S slots in a beat, T slots in a melody.
"""

from __future__ import annotations

import numpy as np

from musiclab.data.piece import REST, Piece

__all__ = ["BeatChain", "beats_to_quarters", "bridge", "guided"]

LOW, HIGH = 48, 96  # MIDI pitches that a cell can have
CELLS = 2 * (HIGH - LOW + 1)
SMOOTHING = 4.0  # counts that the distribution over intervals is worth
IMPOSSIBLE = -1e9  # ln p of a note held that has not begun


def guided(told: np.ndarray, untold: np.ndarray, weight: float) -> np.ndarray:
    """Classifier-free guidance: ln p of a model that is told a condition, moved away from one that is not.

    ln p(x | c) + weight (ln p(x | c) - ln p(x)), normalised. By Bayes' rule it is the distribution
    p(x | c) p(c | x)^weight: what a classifier would recognise as c becomes more likely.

    Equation: (16.11)
    Source: Ho and Salimans, "Classifier-free diffusion guidance", 2022.

    Args:
      told, untold: ln p, float (..., K). weight: 0 = as told, above 0 = more so; 0 to 8.

    Returns:
      Float (..., K), ln p.

    Raises:
      ValueError: if the weight is out of range.

    >>> np.exp(guided(np.log([0.8, 0.2]), np.log([0.5, 0.5]), 1.0)).round(3).tolist()
    [0.941, 0.059]
    """
    if not 0 <= weight <= 8:
        raise ValueError(
            f"guidance {weight}: need 0 (as told) to 8; -1 would be the model that is not told"
        )
    moved = told + weight * (told - untold)  # Eq. (16.11)
    return moved - np.logaddexp.reduce(moved, axis=-1, keepdims=True)


def bridge(first: np.ndarray, p: np.ndarray, allowed: np.ndarray, seed: int) -> np.ndarray:
    """Draw a path of a Markov chain through given points, exactly.

    Messages run backwards: m(t, i) is the probability that the chain, in state i at t, keeps to
    what is allowed from then on. Then each state is drawn forwards with its message as a factor.

    Equations: (16.12), (16.13)

    Args:
      first: probabilities of the first state, float (K,), up to a factor.
      p: probability of each state at t after each one at t - 1, float (T - 1, K, K) by t, from, to.
      allowed: bool (T, K), the states that may be taken at each t. seed: of the draws.

    Returns:
      int64 (T,), states.

    Raises:
      ValueError: if no path keeps to what is allowed.

    >>> half = np.full((2, 2, 2), 0.5)
    >>> bridge(half[0, 0], half, np.array([[1, 1], [1, 0], [0, 1]], bool), seed=0)[1:].tolist()
    [0, 1]
    """
    steps = len(allowed)
    m = np.ones((steps, allowed.shape[1]))
    for t in range(steps - 2, -1, -1):
        m[t] = p[t] @ (allowed[t + 1] * m[t + 1])  # Eq. (16.12)
        m[t] /= max(m[t].max(), 1e-300)  # a common factor, which cancels
    rng, path, after = np.random.default_rng(seed), [], first
    for t in range(steps):
        chances = after * allowed[t] * m[t]  # Eq. (16.13), up to the sum
        if not chances.sum() > 0:
            raise ValueError(f"no path keeps to what is allowed from step {t} on")
        path.append(int(rng.choice(len(chances), p=chances / chances.sum())))
        after = p[t][path[-1]] if t < steps - 1 else None
    return np.array(path)


def beats_to_quarters(tune: Piece, beat: int, quarters: int = 32) -> Piece:
    """The notes on a tune's beats as quarters of a slow melody, in the octave around A above middle C.

    Args:
      tune: of one voice. beat: 16ths in a beat, 6 in a jig. quarters: at most so many.

    Returns:
      A melody in 4/4 and in the tune's key, with a fermata on the last quarter of every two bars.

    Raises:
      ValueError: if no note sounds on a beat.

    >>> jig = Piece(np.repeat([60, 62, 64, 67, 65, 64], 2), time_signature="6/8")
    >>> beats_to_quarters(jig, beat=6).voices[::4, 0].tolist()
    [60, 67]
    """
    pitch = tune.voices[tune.pickup % beat :: beat, 0].astype(int)
    pitch = pitch[pitch != REST][:quarters]
    if not len(pitch):
        raise ValueError(f"{tune.name!r}: no note sounds on a beat of {beat} 16ths")
    pitch = np.repeat(pitch + 12 * round((69 - np.median(pitch)) / 12), 4)
    step = np.arange(len(pitch))
    key = {name: getattr(tune, name) for name in ("tonic", "mode", "key_signature", "name")}
    return Piece(pitch, (step % 4 == 0)[:, None], fermatas=step % 32 == 28, **key)


class BeatChain:
    """p(cell | cell before, slot of the beat), counted in the melodies of one dance.

    Each distribution is smoothed towards that over intervals, which is the same for every pitch.

    Args:
      slots: S, of a beat.

    >>> jig = Piece(np.repeat([60, 62, 64] * 8, 2), time_signature="6/8")
    >>> chain = BeatChain(3).fit([jig])
    >>> chain.sample(Piece(np.repeat([60, 60], 4)), seed=0).steps
    12
    """

    def __init__(self, slots: int):
        self.slots, self.log_p = slots, None

    def fit(self, pieces: list[Piece]) -> BeatChain:
        """Count; earlier counts are replaced.

        Args:
          pieces: melodies whose beats have that many slots, in a common key.
        """
        counts = np.zeros((self.slots, CELLS, CELLS))
        for piece in pieces:
            cells, slot = self._cells(piece)
            np.add.at(counts, (slot[1:], cells[:-1], cells[1:]), 1)
        cell = np.arange(CELLS)
        interval = cell[None, :] // 2 - cell[:, None] // 2 + HIGH - LOW
        possible = (cell % 2 == 1)[None] | (interval == HIGH - LOW)
        of_intervals = np.zeros((self.slots, 2 * (HIGH - LOW) + 1, 2))
        where = (np.arange(self.slots)[:, None, None], interval[None], (cell % 2)[None, None])
        np.add.at(of_intervals, where, counts)
        prior = np.where(possible, of_intervals[where] + 0.02, 0.0)
        prior /= prior.sum(axis=2, keepdims=True)
        total = counts.sum(axis=2, keepdims=True) + SMOOTHING
        with np.errstate(divide="ignore"):
            log_p = np.log((counts + SMOOTHING * prior) / total)
        self.log_p = np.maximum(log_p, IMPOSSIBLE)
        return self

    def log_likelihood(self, pieces: list[Piece]) -> np.ndarray:
        """ln p of each melody after its first cell: float (pieces,), nats."""
        found = []
        for piece in pieces:
            cells, slot = self._cells(piece)
            found.append(self.log_p[slot[1:], cells[:-1], cells[1:]].sum())
        return np.array(found)

    def sample(self, condition: Piece, seed: int, untold: BeatChain | None = None, guidance=0.0):
        """Set a melody as a dance: its notes begin beats, and the chain fills in the rest.

        Args:
          condition: a melody; each of its quarters becomes a beat. Where a note begins on a
            quarter, its pitch is struck there; elsewhere anything may happen.
          seed: of the draws. untold: a chain of all dances, for guidance. guidance: see
            :func:`guided`.

        Returns:
          A melody in 6/8 (three slots, 8ths) or 2/4 (four slots, 16ths), in the condition's key.

        Raises:
          ValueError: if the melody is silent, has several voices, or leaves the chain's range.
        """
        line = condition.voices[condition.pickup % 4 :: 4]
        begins = condition.onsets[condition.pickup % 4 :: 4]
        if line.shape[1] != 1 or (line == REST).all():
            raise ValueError(f"{condition!r}: need one voice with at least one note")
        if line.max() > HIGH or line[line != REST].min() < LOW:
            raise ValueError(f"{condition.name!r} leaves the range {LOW} to {HIGH}: transpose it")
        log_p = self.log_p if untold is None else guided(self.log_p, untold.log_p, guidance)
        beats, slot = len(line), np.tile(np.arange(self.slots), len(line))
        allowed = np.ones((beats * self.slots, CELLS), bool)
        for beat in np.flatnonzero(begins[:, 0]):
            allowed[beat * self.slots] = np.arange(CELLS) == 2 * (int(line[beat, 0]) - LOW) + 1
        first = np.where(np.arange(CELLS) % 2 == 1, 1.0, 0.0)  # something is struck
        if not begins[0, 0]:
            first[: 2 * (int(line[line != REST][0]) - LOW)] = 0
        cells = bridge(first, np.exp(log_p)[slot[1:]], allowed, seed)
        long = 2 if self.slots == 3 else 1  # 16ths in a slot
        onsets = np.zeros((len(cells) * long, 1), bool)
        onsets[::long, 0] = cells % 2 == 1
        signature = "6/8" if self.slots == 3 else "2/4"
        settings = {"tonic": condition.tonic, "mode": condition.mode, "time_signature": signature}
        settings |= {"key_signature": condition.key_signature, "name": condition.name}
        return Piece(np.repeat(cells // 2 + LOW, long)[:, None], onsets, **settings)

    def _cells(self, piece):
        """Cells of a melody by slot, and which slot of its beat each is; a rest prolongs the note."""
        upper, lower = (int(n) for n in piece.time_signature.split("/"))
        beat = 16 // lower * (3 if self.slots == 3 and lower == 8 else 1)  # in 16ths
        if beat % self.slots:
            raise ValueError(
                f"{piece.name!r} is in {upper}/{lower}: no beats of {self.slots} slots"
            )
        long = beat // self.slots
        start = piece.pickup % beat % long
        pitch, struck = piece.voices[start::long, 0], piece.onsets[start::long, 0]
        held = np.maximum.accumulate(np.where(pitch != REST, np.arange(len(pitch)), -1))
        after = int(np.argmax(held >= 0))
        pitch, struck = pitch[held[after:]], struck[after:]
        struck = struck | np.append(True, pitch[1:] != pitch[:-1])
        slot = (np.arange(after, after + len(pitch)) * long + start - piece.pickup) // long
        return 2 * (np.clip(pitch, LOW, HIGH) - LOW).astype(int) + struck, slot % self.slots
