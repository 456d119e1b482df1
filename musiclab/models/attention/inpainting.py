"""Masked inpainting of four voices: orderless prediction with gated convolutions, blocked Gibbs sampling."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from musiclab.data.encodings.cells import (
    DENSITY_EDGES,
    FORM_SIZES,
    LOW,
    MOOD_SIZES,
    PITCHES,
    TENSION_EDGES,
    cells_to_piece,
    encode_cells,
    encode_form,
    encode_mood,
    four_voices,
    sounding,
)
from musiclab.data.files.float16 import read_float16, write_float16
from musiclab.data.files.storage import DataError
from musiclab.data.piece import Piece
from musiclab.models.recurrent.counterpoint_table import CounterpointTable
from musiclab.sampling.ancestral import check_temperature
from musiclab.sampling.counter_based import inverse_cdf, uniforms
from musiclab.training import GraphCache, WarmUpCosineDecay

__all__ = ["GatedConv", "Inpainting", "MaskedExcerpts", "annealed_masks", "draw_masks"]

VOICES = 4
CELLS = 2 * PITCHES + 1  # a rest, a pitch held, a pitch struck
UNKNOWN = PITCHES + 1  # what a masked cell sounds
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # upper and lower voice
OWN = [v for v in range(VOICES) for w in range(VOICES) if w != v]  # a voice ...
OTHER = [w for v in range(VOICES) for w in range(VOICES) if w != v]  # ... and each other one
PAIR = [PAIRS.index((min(v, w), max(v, w))) for v, w in zip(OWN, OTHER)]
IS_UPPER = [v < w for v, w in zip(OWN, OTHER)]
LEAST, MOST = -24, 48  # intervals in semitones; wider ones count as these
SMALLEST_MASK = 0.05  # share of cells rewritten in a late sweep
VERSION = 1  # of the weights file
OWN_WEIGHTS = ("pitch", "strike", "form", "mood", "scale", "kernel", "bias", "interval")
BLOCK_WEIGHTS = ("scale", "kernel", "bias", "out")


class GatedConv(keras.Layer):
    """Residual block: x + W (silu(a) * sigmoid(b)), with a and b from a dilated convolution of width three.

    The input is divided by its root mean square first. The convolution reads the 8ths t - dilation,
    t and t + dilation, zeros beyond either end.

    Equation: (16.3)
    Source: gates and dilations as in van den Oord and others, "WaveNet", 2016; here in both
      directions of time.

    Args:
      dilation: distance in 8ths. dropout: share of units left out in training.

    >>> GatedConv(2)(np.ones((1, 5, 4), np.float32), np.ones((1, 5, 1), np.float32)).shape
    TensorShape([1, 5, 4])
    """

    def __init__(self, dilation, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dilation, self.drop = dilation, keras.layers.Dropout(dropout)

    def build(self, input_shape, *_):
        """Make the weights for inputs (B, T, d)."""
        d, normal = input_shape[-1], keras.initializers.RandomNormal
        self.scale = self.add_weight((d,), "zeros", name="scale")
        self.kernel = self.add_weight((3 * d, 2 * d), normal(stddev=(3 * d) ** -0.5), name="kernel")
        self.bias = self.add_weight((2 * d,), "zeros", name="bias")
        self.out = self.add_weight((d, d), normal(stddev=0.4 * d**-0.5), name="out")
        self.built = True

    def call(self, x, real, training=False):
        """Inputs (B, T, d) and real (B, T, 1), 0 at padded 8ths, to outputs (B, T, d)."""
        h = rms_norm(x, self.scale) * real
        steps, reach = ops.shape(h)[1], self.dilation
        padded = ops.pad(h, [[0, 0], [reach, reach], [0, 0]])
        three = ops.concatenate([padded[:, :steps], h, padded[:, 2 * reach :]], axis=-1)
        a, b = ops.split(ops.matmul(three, self.kernel) + self.bias, 2, axis=-1)  # (B, T, d) each
        gated = ops.silu(a) * ops.sigmoid(b)
        out = ops.matmul(self.drop(gated, training=training), self.out)
        return x + self.drop(out, training=training)  # Eq. (16.3)


class Inpainting(GraphCache, keras.Model):
    """p(each hidden cell | all visible cells, form, mood): one network for every order and every mask.

    A **cell** is what one voice does on one 8th (:func:`musiclab.data.encodings.cells.encode_cells`).
    Hidden cells are replaced by a sign for "unknown"; the network gives a distribution for each of
    them at once. Trained on random masks, it can fill any gap: a melody's other voices, one voice,
    two bars of all voices.

    The embeddings of the visible notes, the form and the mood are added up, (B, T, d); then come
    :class:`GatedConv` blocks and a linear layer per voice. To the logit of each candidate pitch a
    :class:`CounterpointTable` adds a number for its move from the 8th before and one for its move
    to the next, once for each other voice whose notes are visible; ``interval`` adds one for the
    interval itself. The tables know intervals only, so they are the same in every key.

    **Mood** is (density, tension, mode) per 8th, 0 = not told (:func:`told_mood`). In training each
    is dropped at random, so that one network has the logits with and without; ``guidance`` moves
    from the latter through the former and beyond (classifier-free guidance).

    Equations: (16.1), (16.2), (16.4), (16.5), (16.6)
    Source: Huang, Cooijmans, Roberts, Courville and Eck, "Counterpoint by convolution", 2017 (arXiv
      1903.07227); Hadjeres, Pachet and Nielsen, "DeepBach", 2017; Uria, Murray and Larochelle, "A
      deep and tractable density estimator", 2014; the guidance of Ho and Salimans, "Classifier-free
      diffusion guidance", 2022.

    Args:
      units: d. dilations: one block each. dropout: share of units left out in training.

    >>> model = Inpainting(units=8, dilations=(1, 2))
    >>> melody = Piece([[67]] * 16)
    >>> model.sample(melody, seed=0, sweeps=3).voices.shape
    (16, 4)
    """

    def __init__(self, units=88, dilations=(1, 2, 4, 8, 1, 2), dropout=0.15, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"units": units, "dilations": tuple(dilations), "dropout": dropout}
        self.blocks = [GatedConv(dilation, dropout) for dilation in dilations]
        self.drop, self.half_drop = (keras.layers.Dropout(dropout * k) for k in (1, 0.5))
        wide, narrow = (keras.initializers.RandomNormal(stddev=s) for s in (0.15, 0.02))
        d = units
        self.pitch = self.add_weight((VOICES, UNKNOWN + 1, d), wide, name="pitch")
        self.strike = self.add_weight((VOICES, 3, d), wide, name="strike")  # held, struck, unknown
        self.form = self.add_weight((sum(FORM_SIZES), d), wide, name="form")
        self.mood = self.add_weight((sum(MOOD_SIZES), d), wide, name="mood")
        self.scale = self.add_weight((d,), "zeros", name="scale")
        self.kernel = self.add_weight((VOICES, d, CELLS), narrow, name="kernel")
        self.bias = self.add_weight((VOICES, CELLS), "zeros", name="bias")
        self.interval = self.add_weight((len(PAIRS), MOST - LEAST + 1), "zeros", name="interval")
        self.counterpoint = CounterpointTable(len(PAIRS))
        self.mean_loss = keras.metrics.Mean(name="loss")
        empty = np.zeros((1, 1, VOICES), np.int32)
        for block in self.blocks:
            block.build((None, None, d))
        self.logits(empty, empty > 0, np.zeros((1, 1, 6), np.int32), np.zeros((1, 1, 3), np.int32))
        self.built = True
        self.compile_default()

    def logits(self, cells, visible, form, mood, strictness=1.0, training=False):
        """Logits of every cell, of which those of hidden ones are predictions.

        Args:
          cells: int32 (B, T, 4); hidden ones may hold anything.
          visible: bool (B, T, 4).
          form: int32 (B, T, 6), -1 at padded 8ths. mood: int32 (B, T, 3).
          strictness: factor of the counterpoint table's entries of similar motion; 1 as learned.

        Returns:
          float32 (B, T, 4, 123), in the order of the cells; -1e9 where a pitch is held that cannot
          have sounded before.
        """
        real = tf.cast(form[..., :1] >= 0, tf.float32)  # (B, T, 1)
        notes = sounding(cells, tf.where)
        pitch = tf.where(visible, notes, UNKNOWN)
        strike = tf.where(visible, tf.cast(cells > PITCHES, tf.int32), 2)
        h = _embed(self.pitch, pitch) + _embed(self.strike, strike)  # (B, T, d)
        h += tf.reduce_sum(tf.gather(self.form, tf.maximum(form, 0) + _starts(FORM_SIZES)), axis=2)
        h += tf.reduce_sum(tf.gather(self.mood, mood + _starts(MOOD_SIZES)), axis=2)
        h = self.half_drop(h, training=training)
        for block in self.blocks:
            h = block(h, real, training=training)
        h = self.drop(rms_norm(h, self.scale), training=training)
        logits = tf.einsum("btd,vdc->btvc", h, self.kernel) + self.bias  # (B, T, 4, CELLS)
        known = tf.where(visible, notes, -1)  # 0 = rest, -1 = hidden
        before = tf.pad(known[:, :-1], [[0, 0], [1, 0], [0, 0]], constant_values=-1)
        after = tf.pad(known[:, 1:], [[0, 0], [0, 1], [0, 0]], constant_values=-1)
        moves = self._counterpoint(known, before, after, strictness)  # (B, T, 4, PITCHES)
        logits += tf.concat([tf.zeros_like(moves[..., :1]), moves, moves], axis=-1)
        another = (before[..., None] >= 0) & (before[..., None] != tf.range(1, PITCHES + 1))
        first = tf.range(tf.shape(cells)[1])[:, None, None] == 0
        impossible = tf.pad(another | first, [[0, 0], [0, 0], [0, 0], [1, PITCHES]])
        return tf.where(impossible, -1e9, logits)

    def _counterpoint(self, known, before, after, strictness):
        """What the tables add for each candidate pitch (B, T, 4, PITCHES), summed over the other voices."""
        candidates = tf.range(1, PITCHES + 1)
        own, other = (
            [tf.gather(one, voices, axis=-1)[..., None] for one in (known, before, after)]
            for voices in (OWN, OTHER)
        )  # at this 8th, before, after: each (B, T, 12, 1)
        upper = tf.constant(IS_UPPER)[:, None]
        pair = tf.constant(PAIR)[:, None]
        visible = other[0] > 0
        interval = (candidates - other[0]) * tf.where(upper, 1, -1)  # (B, T, 12, PITCHES)
        index = pair * (MOST - LEAST + 1) + tf.clip_by_value(interval, LEAST, MOST) - LEAST
        total = tf.where(visible, tf.gather(tf.reshape(self.interval, [-1]), index), 0.0)
        for there, arriving in ((1, True), (2, False)):  # the 8th before, the 8th after
            mine, theirs = (tf.maximum(one[there], 0) for one in (own, other))  # hidden is silent
            here = tf.maximum(other[0], 0)
            ours, yours = ((mine, candidates), (theirs, here))
            if not arriving:
                ours, yours = ours[::-1], yours[::-1]
            up = [tf.where(upper, a, b) for a, b in zip(ours, yours)]
            low = [tf.where(upper, b, a) for a, b in zip(ours, yours)]
            move = self.counterpoint.logits(*up, *low, pair)
            if not (isinstance(strictness, float) and strictness == 1):
                similar = (up[1] - up[0]) * (low[1] - low[0]) > 0
                move *= tf.where(similar, strictness, 1.0)  # Eq. (16.5)
            total += move
        shape = tf.shape(known)
        return tf.reduce_sum(tf.reshape(total, (shape[0], shape[1], VOICES, 3, PITCHES)), axis=3)

    def call(self, x, training=False):
        """Batches of :class:`MaskedExcerpts` to -ln p of each hidden cell in nats, (B, T, 4), else 0."""
        cells, hidden, form, mood = tf.split(x, [VOICES, VOICES, len(FORM_SIZES), 3], axis=-1)
        logits = self.logits(cells, hidden == 0, form, mood, training=training)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(cells, logits)
        return nats * tf.cast(hidden, nats.dtype)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean over excerpts of the mean over their hidden cells: nats per cell.

        Equation: (16.2)
        """
        hidden = tf.reduce_sum(tf.cast(x[..., VOICES : 2 * VOICES], tf.float32), axis=[1, 2])
        return tf.reduce_mean(
            tf.reduce_sum(y_pred, axis=[1, 2]) / tf.maximum(hidden, 1)
        )  # Eq. (16.2)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss averaged over the excerpts of an epoch."""
        self.mean_loss.update_state(self.compute_loss(x, y_pred=y_pred))
        return {"loss": self.mean_loss.result()}

    def compile_default(self, learning_rate=2e-3, weight_decay=0.05):
        """Compile with AdamW, gradients clipped to norm 1, and an average of the weights over steps.

        Embeddings, biases and tables do not decay.
        """
        optimizer = keras.optimizers.AdamW(
            learning_rate,
            weight_decay,
            beta_2=0.99,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=0.995,
        )
        decaying = {id(self.kernel)} | {id(w) for b in self.blocks for w in (b.kernel, b.out)}
        fixed = [v for v in self.trainable_variables if id(v) not in decaying]
        optimizer.exclude_from_weight_decay(fixed)
        self.compile(optimizer=optimizer, jit_compile=False)

    def fit(
        self,
        x,
        y=None,
        validation_data=None,
        steps=200,
        batch_size=24,
        seed=0,
        callbacks=(),
        **kwargs,
    ):
        """Train on randomly masked excerpts of eight bars.

        Args:
          x: pieces of four voices. validation_data: held-out pieces, masked alike, or None.
          steps: batches in an epoch. batch_size: excerpts in a batch. seed: for excerpts and masks.
          callbacks, **kwargs: as Keras, such as ``epochs``.

        Returns:
          Keras' history; "loss" in nats per hidden cell.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        batches = MaskedExcerpts(x, steps, batch_size, seed)
        held_out = validation_data and MaskedExcerpts(validation_data, 8, batch_size, seed)
        callbacks = [*callbacks, WarmUpCosineDecay(), keras.callbacks.SwapEMAWeights()]
        return super().fit(batches, validation_data=held_out, callbacks=callbacks, **kwargs)

    def log_likelihood(self, x, given=(0,), orders: int = 4, seed: int = 0) -> np.ndarray:
        """Estimate ln p of the other voices given some, averaged over the orders of writing their cells.

        For a random order and a random place in it, the cells from that place on are hidden; D times
        the mean of their ln p estimates the sum over the whole order.

        Equation: (16.1)

        Args:
          x: pieces of four voices. given: voices that are always visible; their mood is not told.
          orders: places drawn per piece. seed: for the orders.

        Returns:
          float64 (pieces, orders): one unbiased estimate each, in nats per piece; their mean over
          orders lies below ln of the mean of p.

        Raises:
          ValueError: if there is no piece, or one can't be encoded.
        """
        shape = tf.TensorSpec((None, None, 2 * VOICES + len(FORM_SIZES) + 3), tf.int32)
        score = self.graph(self._score, input_signature=[shape])
        rng = np.random.default_rng(seed)
        free = np.array([v not in given for v in range(VOICES)])
        estimates = np.zeros((len(x), orders))
        for i, piece in enumerate(x):
            cells, form, mood = self.encode(piece)
            for k in range(orders):
                hidden = draw_masks(rng, len(cells), free)
                row = np.hstack([cells, hidden, form, 0 * mood])[None].astype(np.int32)
                nats = score(tf.constant(row)).numpy()
                size = len(cells) * free.sum()  # D
                estimates[i, k] = -size * nats.sum() / hidden.sum()  # Eq. (16.1)
        return estimates

    def encode(self, piece) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A piece of four voices as cells (T, 4), form (T, 6) and mood (T, 3), int32."""
        if not isinstance(piece, Piece) or piece.voices.shape[1] != VOICES:
            raise ValueError(f"need pieces of {VOICES} voices, found {piece!r}")
        cells, form = encode_cells(piece), encode_form(piece)
        return cells, form, encode_mood(piece, cells, form)

    def sample(self, condition, seed: int, free=None, mood=None, **settings):
        """Write the lower voices to a melody, or any chosen cells of a piece, by blocked Gibbs sampling.

        Args:
          condition: a melody, a piece of four voices, or a list of them.
          seed: the same gives the same notes.
          free: bool (F, 4), the cells to write, or a list of them; default the three lower voices.
            F is the number of 8ths. All other cells stay as they are.
          mood: int (F, 3) of :func:`musiclab.data.encodings.cells.told_mood`, or a list of them;
            default nothing is told.
          **settings: ``sweeps``, ``temperature``, ``strictness``, ``guidance`` and
            ``forbid_parallels``, as :meth:`sweep`.

        Returns:
          A piece of four voices with metre and key of the condition, or a list of them.

        Raises:
          ValueError: as :meth:`sweep`.
        """
        pieces = [condition] if isinstance(condition, Piece) else list(condition)
        frees, moods = ([one] if isinstance(condition, Piece) else one for one in (free, mood))
        history = self.sweep(pieces, seed, frees, moods, **settings)
        written = [kept[-1] for kept in history]
        return written[0] if isinstance(condition, Piece) else written

    def sweep(
        self,
        pieces,
        seed: int,
        free=None,
        mood=None,
        sweeps: int = 60,
        temperature: float = 0.9,
        strictness: float = 2.5,
        guidance: float = 0.0,
        forbid_parallels: bool = False,
        every: int | None = None,
    ):
        """:meth:`sample` with what stood there after some of the sweeps.

        Sweep n hides each free cell with probability a(n) (:func:`annealed_masks`) and draws all
        hidden cells from the network's distributions, given what is visible.

        Random numbers: piece j, sweep n, 8th t and voice v have two of
        :func:`musiclab.sampling.counter_based.uniforms`, with stream j and counters (4 t + v, n).
        The cell is hidden if n = 0 or the first is below a(n); if hidden, the second draws it by
        :func:`inverse_cdf`. Both are used or not used, so no draw depends on another.

        Equations: (16.4), (16.5), (16.6)

        Args:
          pieces: a list. seed, free, mood: as :meth:`sample`, lists.
          sweeps: N, at least 1. temperature: above 0. strictness: 0 to 20, how strictly the learned
            table is obeyed in similar motion; 1 as learned.
          guidance: 0 to 4: 0 = the logits of the mood told, above it further away from those without.
          forbid_parallels: after sweep N - 1, go through the 8ths and voices in order and draw again
            each free cell that moves in parallel fifths, octaves or unisons with another voice
            (:func:`parallel_pitches`), from what does not; its counters are (4 t + v, N). Then no free
            cell makes such parallels with the 8th before or after it; those between given cells stay.
          every: keep each so many-th sweep, and the last; default the last alone.

        Returns:
          For each piece a list of pieces.

        Raises:
          ValueError: no piece, settings outside their range, no cell to write, a piece that can't
            be encoded, or masks and moods of another length.
        """
        tau = check_temperature(temperature)
        for name, value, most in (("strictness", strictness, 20), ("guidance", guidance, 4)):
            if not 0 <= value <= most:
                raise ValueError(f"{name} {value}: need a number from 0 to {most}")
        if not isinstance(sweeps, int) or sweeps < 1:
            raise ValueError(f"{sweeps!r} sweeps: need a positive integer")
        if not pieces:
            raise ValueError("no piece: pass at least one melody")
        wholes = [four_voices(piece) for piece in pieces]
        cells, forms = [encode_cells(p) for p in wholes], [encode_form(p) for p in wholes]
        lower = [np.tile(np.arange(VOICES) > 0, (len(x), 1)) for x in cells]
        free = [b if a is None else np.asarray(a, bool) for a, b in zip(free or lower, lower)]
        none = [np.zeros((len(x), 3), np.int32) for x in cells]
        mood = [b if a is None else np.asarray(a) for a, b in zip(mood or none, none)]
        _check_masks(cells, free, mood)
        longest, masks, draws = max(len(x) for x in cells), [], []
        for j, one in enumerate(free):
            hidden, u = annealed_masks(one, sweeps, seed, j)
            grow = [(0, 0), (0, longest - len(one)), (0, 0)]
            masks.append(np.pad(hidden, grow))
            draws.append(np.pad(u, grow))
        generate = self.graph(self._generate, reduce_retracing=True)
        numbers = [tf.constant(one, tf.float32) for one in (tau, strictness, guidance)]
        history = generate(
            tf.constant(_pad(cells, 0)),
            tf.constant(_pad(forms, -1)),
            tf.constant(_pad(mood, 0).astype(np.int32)),
            tf.constant(np.stack(masks, axis=1)),
            tf.constant(np.stack(draws, axis=1)),
            *numbers,
        ).numpy()  # (N, B, T, 4)
        if forbid_parallels:
            for j, (form, told, one) in enumerate(zip(forms, mood, free)):
                _, u = uniforms(seed, np.arange(one.size).reshape(one.shape), sweeps, j)
                last = history[-1, j, : len(one)]  # a view: changed in place
                self._redraw_parallels(last, form, told, one, u, *numbers)
        kept = sorted({*(range(0, sweeps, every) if every else ()), sweeps - 1})
        return [
            [cells_to_piece(history[n, j, : len(free[j])], pieces[j], free[j]) for n in kept]
            for j in range(len(pieces))
        ]

    def _generate(self, cells, form, mood, hidden, draws, temperature, strictness, guidance):
        """The loop of :meth:`sweep`: cells after each sweep, int32 (N, B, T, 4)."""
        sweeps = tf.shape(hidden)[0]
        history = tf.TensorArray(tf.int32, sweeps)
        for n in tf.range(sweeps):
            logits = self._guided(cells, ~hidden[n], form, mood, strictness, guidance)
            drawn = inverse_cdf(logits / temperature, draws[n])  # (B, T, 4)
            cells = tf.where(hidden[n], drawn, cells)
            history = history.write(n, cells)
        return history.stack()

    def _guided(self, cells, visible, form, mood, strictness, guidance):
        """:meth:`logits`, moved away from those without mood."""
        logits = self.logits(cells, visible, form, mood, strictness)
        if guidance > 0:
            untold = self.logits(cells, visible, form, 0 * mood, strictness)
            logits += guidance * (logits - untold)  # Eq. (16.6)
        return logits

    def _redraw_parallels(self, cells, form, mood, free, u, temperature, strictness, guidance):
        """The cell-by-cell pass of :meth:`sweep` over one piece, cells (T, 4), in place.

        Each move of two voices between two 8ths is looked at again when the last of its free cells
        is visited, and nothing changes it after that. A rest never makes parallels, so there is
        always something to draw.
        """
        guided = self.graph(self._guided, reduce_retracing=True)
        told = [tf.constant(one[None].astype(np.int32)) for one in (form, mood)]
        for t, v in np.argwhere(free):
            wrong = parallel_pitches(cells, t, v)
            if not wrong[sounding(cells[t, v])]:
                continue
            visible = np.ones((1, *cells.shape), bool)
            visible[0, t, v] = False
            logits = guided(tf.constant(cells[None]), visible, *told, strictness, guidance)
            wrong = np.append(wrong, wrong[1:])  # in the order of the cells: rest, held, struck
            cells[t, v] = inverse_cdf(
                np.where(wrong, -np.inf, logits[0, t, v] / temperature), u[t, v]
            )

    def _score(self, x):
        return self(x, training=False)

    def get_config(self):
        """Arguments of the constructor."""
        return {**super().get_config(), **self.settings}

    def named_weights(self) -> dict:
        """Variables by the names that they have in the weights file."""
        named = {name: getattr(self, name) for name in OWN_WEIGHTS}
        named["table"] = self.counterpoint.table
        for i, block in enumerate(self.blocks):
            named |= {f"block{i}.{name}": getattr(block, name) for name in BLOCK_WEIGHTS}
        return named

    def to_file(self, file) -> None:
        """Write the weights as float16, which the website's page reads too: :func:`write_float16`.

        Its metadata (:func:`metadata`) says all that a reader needs to run the network.
        """
        arrays = {name: np.asarray(weight) for name, weight in self.named_weights().items()}
        write_float16(file, arrays, metadata(self.settings))

    @classmethod
    def from_file(cls, file="weights/16_inpainting.safetensors") -> Inpainting:
        """The network of a weights file: a name in ``data/``, or a ``Path``.

        Raises:
          DataError: if the file is missing, damaged, or another network's.
        """
        arrays, said = read_float16(file)
        if said != metadata({name: said.get(name) for name in ("units", "dilations")}):
            raise DataError(f"{file} holds no inpainting network of version {VERSION}")
        model = cls(int(said["units"]), [int(one) for one in said["dilations"].split()])
        named = model.named_weights()
        shapes = [{name: tuple(a.shape) for name, a in each.items()} for each in (arrays, named)]
        if shapes[0] != shapes[1]:
            raise DataError(f"{file} holds other weights than its metadata say")
        for name, weight in named.items():
            weight.assign(arrays[name])
        return model


def metadata(settings) -> dict[str, str]:
    """What a weights file says besides the weights: texts, lists separated by blanks.

    Args:
      settings: ``units`` and ``dilations``.
    """
    dilations = settings["dilations"]
    lists = {
        "dilations": dilations if not isinstance(dilations, str) else dilations.split(),
        "form_sizes": FORM_SIZES,
        "mood_sizes": MOOD_SIZES,
        "density_edges": DENSITY_EDGES,
        "tension_edges": TENSION_EDGES,
        "interval_range": (LEAST, MOST),
        "pairs": [f"{upper}{lower}" for upper, lower in PAIRS],
    }
    said = {name: " ".join(map(str, one or ())) for name, one in lists.items()}
    one_number = {"units": settings["units"], "low": LOW, "pitches": PITCHES, "version": VERSION}
    return (
        {"model": "inpainting", "smallest_mask": str(SMALLEST_MASK)}
        | said
        | {name: str(number) for name, number in one_number.items()}
    )


class MaskedExcerpts(keras.utils.PyDataset):
    """Random excerpts of eight bars with random masks, and moods of which some are not told.

    Args:
      pieces: of four voices. steps: batches in an epoch. size: excerpts in a batch. seed: any.

    Raises:
      ValueError: if there is no piece.
    """

    LENGTH = 64  # 8ths of an excerpt

    def __init__(self, pieces, steps, size, seed=0, **kwargs):
        super().__init__(**kwargs)
        if not len(pieces):
            raise ValueError("no piece: pass at least one")
        self.encoded = [Inpainting.encode(None, piece) for piece in pieces]
        lengths = np.array([len(cells) for cells, _, _ in self.encoded])
        self.share, self.steps, self.size = lengths / lengths.sum(), steps, size
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        """Batches in an epoch."""
        return self.steps

    def __getitem__(self, i):
        """A batch (B, T, 17): cells, hidden, form (-1 at padded 8ths) and mood; new at each call."""
        batch = np.zeros((self.size, self.LENGTH, 2 * VOICES + len(FORM_SIZES) + 3), np.int32)
        batch[..., 2 * VOICES : -3] = -1
        for row, k in zip(batch, self.rng.choice(len(self.share), self.size, p=self.share)):
            cells, form, mood = self.encoded[k]
            start = self.rng.integers(-self.LENGTH // 4, max(len(cells) - self.LENGTH // 2, 1))
            start = max(0, min(start, len(cells) - self.LENGTH))
            part = slice(start, start + self.LENGTH)
            cells, mood = cells[part].copy(), mood[part].copy()
            held = (cells[0] > 0) & (cells[0] <= PITCHES)
            cells[0] += PITCHES * held  # nothing is held into an excerpt
            mood[:, self._not_told()] = 0
            hidden = self._mask(len(cells))
            row[: len(cells)] = np.hstack([cells, hidden, form[part], mood])
        return (batch,)

    def _not_told(self):
        """Density and tension: both hidden in two excerpts of five, one of them in three of ten; mode in half."""
        u = self.rng.random()
        return np.array([u < 0.55, u < 0.4 or 0.55 <= u < 0.7, self.rng.random() < 0.5])

    def _mask(self, length):
        """The lower voices in about half of the excerpts, all four in a quarter, else a block of bars."""
        u, rng = self.rng.random(), self.rng
        if u < 0.8:
            return draw_masks(rng, length, np.array([u >= 0.55, True, True, True]))
        hidden = rng.random((length, VOICES)) < 0.1 * rng.random()
        size = rng.integers(min(4, length), length + 1)
        start = rng.integers(0, length - size + 1)
        hidden[start : start + size, rng.permutation(VOICES)[: rng.integers(1, VOICES + 1)]] = True
        return hidden


def draw_masks(rng, length: int, free) -> np.ndarray:
    """Hide a number of cells drawn evenly from 1 to all that are free, each set of that size alike.

    Equation: (16.1)

    Args:
      rng: a NumPy generator. length: T. free: bool (4,), the voices that may be hidden.

    Returns:
      bool (T, 4).

    >>> draw_masks(np.random.default_rng(0), 2, np.array([False, True, False, False])).sum(axis=0).tolist()
    [0, 2, 0, 0]
    """
    cells = np.flatnonzero(np.tile(free, length))
    chosen = rng.permutation(cells)[: rng.integers(1, len(cells) + 1)]  # Eq. (16.1)
    return np.isin(np.arange(length * VOICES), chosen).reshape(length, VOICES)


def annealed_masks(free, sweeps: int, seed: int, stream: int = 0):
    """Which cells each sweep rewrites: all at first, then fewer, in the last quarter one in twenty.

    a(n) = max(0.05, 1 - n / (0.75 N)).

    Equation: (16.4)

    Args:
      free: bool (T, V). sweeps: N. seed, stream: as :func:`uniforms`.

    Returns:
      hidden bool (N, T, V), False where not free; draws float64 (N, T, V), the numbers that
      :func:`inverse_cdf` uses for the cells.

    >>> annealed_masks(np.ones((50, 4), bool), 5, seed=0)[0].mean(axis=(1, 2)).round(1).tolist()
    [1.0, 0.7, 0.5, 0.2, 0.0]
    """
    n = np.arange(sweeps)[:, None, None]
    share = np.maximum(SMALLEST_MASK, 1 - n / (0.75 * sweeps))  # Eq. (16.4)
    cell = np.arange(free.size).reshape(free.shape)
    u, draws = uniforms(seed, cell, n, stream)
    return ((u < share) | (n == 0)) & free, draws


def parallel_pitches(cells, t: int, v: int) -> np.ndarray:
    """Which pitches of a cell move in parallel perfects from the 8th before or to the one after.

    Parallels as :func:`musiclab.sampling.constraints.parallel_moves` has them, forwards and
    backwards in time.

    Args:
      cells: int (T, 4). t, v: which cell.

    Returns:
      bool (PITCHES + 1,), by pitch as :func:`sounding` counts it; never True for a rest.

    >>> cells = np.array([[40, 33, 0, 0], [42, 0, 0, 0]])
    >>> np.flatnonzero(parallel_pitches(cells, 1, 1)).tolist()  # another fifth, below or above
    [35, 49, 61]
    """
    pitch, candidates = sounding(cells), np.arange(PITCHES + 1)
    wrong = np.zeros(PITCHES + 1, bool)
    for beside in (t - 1, t + 1):
        own = pitch[beside, v] if 0 <= beside < len(pitch) else 0
        for w in range(VOICES):
            was, now = pitch[beside % len(pitch), w], pitch[t, w]
            interval = np.abs(was - own) % 12
            if w == v or not (own and was and now) or interval not in (0, 7):
                continue
            same = np.abs(now - candidates) % 12 == interval
            wrong |= same & ((candidates - own) * (now - was) > 0) & (candidates > 0)
    return wrong


def rms_norm(x, scale):
    """x (..., d) divided by its root mean square, times 1 + scale (d,)."""
    return x * ops.rsqrt(ops.mean(x * x, axis=-1, keepdims=True) + 1e-6) * (1 + scale)


def _embed(table, index):
    """Rows of table (4, n, d) for each voice's index (B, T, 4), summed over the voices: (B, T, d)."""
    flat = tf.reshape(table, (-1, table.shape[-1]))
    return tf.reduce_sum(tf.gather(flat, index + table.shape[1] * np.arange(VOICES)), axis=2)


def _starts(sizes):
    """Where each column's rows begin in a table of all columns."""
    return np.cumsum([0, *sizes[:-1]]).astype(np.int32)


def _pad(arrays, value):
    """Arrays (T, ...) of different lengths as one (B, longest T, ...)."""
    return keras.utils.pad_sequences(arrays, dtype="int32", padding="post", value=value)


def _check_masks(cells, free, mood):
    """Refuse masks and moods that do not fit their pieces, and masks without a cell."""
    for x, mask, wish in zip(cells, free, mood):
        if mask.shape != x.shape:
            raise ValueError(f"free has shape {mask.shape}: need {x.shape}, 8ths and voices")
        if not mask.any():
            raise ValueError(
                "every cell is locked: unlock a voice or a bar to have something written"
            )
        if wish.shape != (len(x), 3):
            raise ValueError(f"mood has shape {wish.shape}: need ({len(x)}, 3)")
        if (wish < 0).any() or (wish >= MOOD_SIZES).any():
            raise ValueError(f"mood has values outside 0 to {[n - 1 for n in MOOD_SIZES]}")
