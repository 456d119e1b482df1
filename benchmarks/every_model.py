"""Every model of the course in one table: likelihood, music, originality, size and time.

python -m benchmarks.every_model                       # every row; what is measured is stored row by row
python -m benchmarks.every_model --only "Markov chain" # this row alone, the others stay
python -m benchmarks.every_model --train 08_voices     # CPU seconds of training these weights; nothing else

A model is one entry of :data:`MODELS`: how it is loaded, what it writes for given forms, and what real music costs it.
All write for the same forms, the first clean test chorales (no training piece has their tune, in either split), with
the same seeds. The weights are those that ship, so the spread is that of writing, not of training.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.process import answer, use_threads
from benchmarks.record import RESULTS, store

__all__ = ["FORMS", "MEASURES", "MODELS", "REASONS", "Model", "form_pieces", "main", "row"]

FORMS, SEEDS = 16, (0, 1, 2)  # chorales written for; seeds of writing
STEPS = 128  # of a melody, or a sequence of chords: 32 quarters
WINDOWS = 64  # two-bar windows written: as much music as 16 times four of them
TEMPERATURES = {"melody": 1.0, "quarters": 1.0, "chorale": 0.85, "harmony": 0.3}
QUARTERS_OF_16_BARS = 64
ORDERS = 8  # places drawn per piece for the inpainting network's likelihood

MEASURES = {  # measure, and the kinds of music in which it can be taken
    "on_beat": ("melody", "two bars", "chorale", "harmony"),
    "scale_consistency": ("melody", "two bars", "quarters", "chorale", "harmony"),
    "stepwise_motion": ("melody", "two bars", "chorale", "harmony"),
    "dissonance": ("two bars", "quarters", "chorale", "harmony"),
    "triads_and_sevenths": ("two bars", "quarters", "chorale", "harmony"),
    "parallel_perfects": ("two bars", "chorale", "harmony"),
    "fermata_triads": ("chorale", "harmony"),
    "fermata_cadences": ("chorale", "harmony"),
    "final_tonic": ("chorale", "harmony"),
}
REASONS = {  # why a figure is undefined, or lacks
    "on_beat": "quarters have no other place to begin on",
    "stepwise_motion": "no frame says which note belongs to which voice",
    "dissonance": "a melody has one voice",
    "triads_and_sevenths": "a melody has one voice",
    "parallel_perfects": "a melody has one voice; a frame of quarters names no voices",
    "fermata_triads": "only a whole chorale in four voices has fermatas to reach",
    "fermata_cadences": "only a whole chorale in four voices has fermatas to reach",
    "final_tonic": "only a whole chorale in four voices ends",
    "nats": "a generator assigns no probability to given music",
    "nats_dbn": "its partition function and the sum over its codes are both out of reach",
    "nats_all": "trained by melody family: pieces whose tune it knows are not test pieces",
    "train": "nobody has measured it: python -m benchmarks.every_model --train",
}


# Forms, real music and training music


@cache
def form_pieces(clean: bool = True):
    """Chorales of the published test split in the common key; the clean ones, or all."""
    from musiclab.data import load_chorales, to_common_key

    known = {piece.melody for piece in load_chorales("train")}
    pieces = [one for one in load_chorales("test") if not (clean and one.melody in known)]
    return tuple(to_common_key(one) for one in pieces)


def frames(piece):
    """One frame of 88 keys per quarter of a piece, (T, 88)."""
    from musiclab.data import piano_roll

    return piano_roll(piece)[::4]


def soprano(piece):
    """The top voice as a piece of its own."""
    return piece.with_(
        voices=piece.voices[:, :1], onsets=piece.onsets[:, :1], spelling=piece.spelling[:, :1]
    )


def from_frames(roll):
    """Frames as a piece of four voices: the lowest and the three highest keys, an onset each quarter."""
    from musiclab.data import from_piano_roll

    from_top = np.cumsum(roll[:, ::-1], axis=1)[:, ::-1]
    outer = (from_top <= 3) | (np.cumsum(roll, axis=1) == 1)
    return from_piano_roll(np.repeat(np.where(outer, roll, 0.9 * roll), 4, axis=0))


def from_notes(notes):
    """The first STEPS steps of a melody of (pitch, length)."""
    from musiclab.data import excerpt, symbols_to_melody

    return excerpt(symbols_to_melody(notes), 0, STEPS)


@cache
def real_music(kind: str, split: str = "test", by: str = "benchmark"):
    """Bach's music of one kind: the clean test pieces' (see :data:`FORMS`), or all training pieces'."""
    from musiclab.data import excerpt, load_chorales, to_common_key
    from musiclab.data.encodings import two_bars
    from musiclab.data.encodings.windows import windows

    test = split == "test"
    if test:
        pieces = list(form_pieces()) if kind == "two bars" else list(form_pieces())[:FORMS]
    else:
        pieces = [to_common_key(one) for one in load_chorales(split, by=by)]
    if kind == "melody":
        return [
            excerpt(soprano(one), 0, min(STEPS, one.steps) if test else one.steps) for one in pieces
        ]
    if kind == "quarters":
        return [from_frames(frames(one)[: STEPS // 4 if test else None]) for one in pieces]
    if kind == "two bars":
        found = two_bars.to_pieces(two_bars.to_symbols(*windows(pieces)))
        return found[:: len(found) // WINDOWS][:WINDOWS] if test else found
    return pieces


# Models


@dataclass(frozen=True)
class Model:
    """An entry of the table.

    Attributes:
      name: of the row. lesson: where it is built. kind: the music it writes, a key of the measures.
      weights: files in ``data/weights`` without their ending; none for a chain that is counted.
      load: () -> the model. write: model, forms, seed -> pieces.
      bars: model, seed: write 16 bars of 4/4, for the clock.
      nats: model, pieces -> nats of each, or None. exactness: "exact", "bound" or "estimate".
      unit: what the model counts: its name, and pieces -> number of units in each.
      by: the split it was trained on. about: what its figure in nats describes.
    """

    name: str
    lesson: str
    kind: str
    weights: tuple[str, ...]
    load: Callable
    write: Callable
    bars: Callable
    nats: Callable | None = None
    exactness: str = ""
    unit: tuple[str, Callable] = ("", len)
    by: str = "benchmark"
    about: str = ""
    why_no_nats: str = "nats"


def _stored(name, like):
    from musiclab.training import load_model

    return load_model(f"weights/{name}.keras", like=like)


def _notes(pieces):
    from musiclab.data import melody_to_symbols

    return [melody_to_symbols(soprano(piece)) for piece in pieces]


def _count_notes(pieces):
    return [len(one) + 1 for one in _notes(pieces)]  # the end sign is counted


def _frames(pieces):
    return [frames(piece).astype(np.float32) for piece in pieces]


def _count_frames(pieces):
    return [len(one) for one in _frames(pieces)]


def _count_steps(pieces):
    return [piece.steps for piece in pieces]


def _count_eighths(pieces):
    return [-(-piece.steps // 2) for piece in pieces]


def _windows(piece):
    """Two-bar windows on every other downbeat, so that none overlap; none if it is not in 4/4."""
    from musiclab.data.encodings import two_bars
    from musiclab.data.encodings.windows import windows

    voices, onsets = windows([piece])
    return two_bars.to_symbols(voices[::2], onsets[::2])


def _nats_of_windows(model, pieces):
    x = [_windows(piece) for piece in pieces]
    log_p = model.log_likelihood(np.concatenate(x), draws=64)
    return -np.array([one.sum() for one in np.split(log_p, np.cumsum([len(w) for w in x])[:-1])])


def _per_piece(scores):
    return np.array([one.sum() for one in scores])


def _markov():
    from musiclab.data import load_chorales, to_common_key
    from musiclab.models.markov import MarkovChain

    pieces = [to_common_key(one) for one in load_chorales("train", by="melody")]
    return MarkovChain(5, smoothing=80.0).fit(_notes(pieces))


def _melody_lstm():
    from musiclab.data import load_chorales, note_vocabulary, to_common_key
    from musiclab.models.recurrent.melody_model import MelodyModel

    pieces = [to_common_key(one) for one in load_chorales("train", by="melody")]
    vocabulary = note_vocabulary(_notes(pieces))
    like = MelodyModel(vocabulary, "lstm", units=80, layers=3, dropout=0.2)
    return _stored("07_three_layers", like)


def _write_melodies(model, forms, seed):
    drawn = model.sample(4 * len(forms), seed=seed, temperature=TEMPERATURES["melody"])
    long = [one for one in drawn if sum(length for _, length in one) >= STEPS]
    return [from_notes(one) for one in long[: len(forms)]]


def _melody_of_16_bars(model, seed):
    """Melodies of 64 quarters: notes are drawn until there are enough, whatever END says."""
    return model.sample(1, seed=seed, max_length=QUARTERS_OF_16_BARS)


def _chord_gru():
    from musiclab.models.recurrent.chord_model import ChordModel

    return _stored("08_up", ChordModel("gru", "notes", units=128, hidden=128))


def _four_voices():
    from musiclab.models.recurrent.four_voices import FourVoices

    sizes = {"units": 90, "hidden": 90, "low": 31, "high": 86, "dropout": 0.3}
    return _stored("08_voices", FourVoices(**sizes))


def _transformer():
    from benchmarks.transformer import models

    return models()["Transformer"]


def _write_chorales(model, forms, seed):
    return model.sample(list(forms), seed, TEMPERATURES["chorale"])


def _nats_of_voices(model, pieces):
    return -_per_piece(model.log_likelihood(list(pieces)))


def _sixteen_bars_on_a_form(model, seed):
    return model.sample(_sixteen_bars(), seed)


def _harmonisers():
    from musiclab.models.recurrent.encoder_decoder import ORDER, FrameAligned

    names = ("09_bass", "09_alto", "09_tenor")
    return [_stored(name, FrameAligned(*step)) for name, step in zip(names, ORDER)]


def _write_harmonies(models, forms, seed):
    from musiclab.data import to_common_key
    from musiclab.models.recurrent.encoder_decoder import harmonise

    written = harmonise(models, list(forms), seed, TEMPERATURES["harmony"])
    return [to_common_key(one) for one in written]


def _nats_of_harmonies(models, pieces):
    parts = [_per_piece(model.log_likelihood(list(pieces))) for model in models]
    return -np.sum(parts, axis=0)


def _inpainting():
    from musiclab.models.attention.inpainting import Inpainting

    return Inpainting.from_file()


def _write_by_inpainting(model, forms, seed):
    """Lower voices to Bach's sopranos, by the defaults of lesson 16; no mood is told."""
    from musiclab.data import to_common_key

    return [to_common_key(one) for one in model.sample(list(forms), seed)]


def _nats_over_orders(model, pieces):
    """Mean over orders of writing the cells: no lower than -ln of the mean of p over all orders."""
    return -model.log_likelihood(list(pieces), orders=ORDERS).mean(axis=1)


def _vae():
    from musiclab.models.autoencoders.vae import VAE

    return _stored("05_beta_1", VAE(latent=48, quarter_units=68, hidden=96, beta=1.0))


def _gan(kind, name, **sizes):
    def load():
        from musiclab.models.adversarial import gan

        return _stored(name, getattr(gan, kind)(**sizes).average)

    return load


def _write_windows(model, forms, seed):
    from musiclab.data.encodings import two_bars

    return two_bars.to_pieces(model.sample(WINDOWS, seed=seed))


def _sixteen_bars_of_windows(model, seed):
    return model.sample(QUARTERS_OF_16_BARS // 8, seed=seed)


def _rbm():
    from musiclab.models.energy.rbm import RBM

    return _stored("12_chords", RBM(56, 120))


def _rbm_frames(model, n, seed):
    """n frames of 88 keys, each drawn on its own: (n, 88)."""
    return np.pad(model.sample(n, seed=seed), ((0, 0), (10, 22)))  # G1 is the 11th of 88 keys


def _dbn():
    from musiclab.data.encodings import two_bars
    from musiclab.models.energy.dbn import DBN

    keys = two_bars.EIGHTHS * 4 * two_bars.EIGHTH_SYMBOLS
    return _stored("13_three_layers", DBN(keys, (120, 120, 120), two_bars.EIGHTH_SYMBOLS))


def _write_dbn(model, forms, seed, n=WINDOWS):
    from musiclab.data.encodings import two_bars

    rows = model.sample(n, seed=seed, steps=500, temperature=0.5)
    return two_bars.eighths_to_pieces(two_bars.rows_to_eighths(rows))


def _rnn_rbm():
    from musiclab.models.energy.rnn_rbm import RNNRBM

    return _stored("14_rnn_rbm", RNNRBM(88, 150, 128, 5, 0.4))


def _write_frames(model, n, seed, steps):
    rolls = model.sample(n, seed, steps=steps, temperature=TEMPERATURES["quarters"])
    return [from_frames(roll) for roll in rolls]


QUARTER_CHORDS = "the keys of each quarter"
MELODY = "one voice: pitch and length of each note"
FOUR = "four voices on 16ths, given metre, mode, fermatas and the last phrase"
HARMONY = "three voices on 8ths, given the soprano"


def _of_four_voices(name, lesson, weights, load):
    """A model that writes all four voices, scored step by step."""
    return Model(
        name,
        lesson,
        "chorale",
        (weights,),
        load,
        _write_chorales,
        _sixteen_bars_on_a_form,
        _nats_of_voices,
        "exact",
        ("16th", _count_steps),
        about=FOUR,
    )


MODELS = (
    Model(
        "Markov chain",
        "02",
        "melody",
        (),
        _markov,
        _write_melodies,
        _melody_of_16_bars,
        lambda model, pieces: -model.log_likelihood(_notes(pieces)),
        "exact",
        ("note", _count_notes),
        "melody",
        MELODY,
    ),
    Model(
        "LSTM, three layers",
        "07",
        "melody",
        ("07_three_layers",),
        _melody_lstm,
        _write_melodies,
        _melody_of_16_bars,
        lambda model, pieces: -_per_piece(model.log_likelihood(_notes(pieces))),
        "exact",
        ("note", _count_notes),
        "melody",
        MELODY,
    ),
    Model(
        "RBM, chord by chord",
        "12",
        "quarters",
        ("12_chords",),
        _rbm,
        lambda model, forms, seed: [
            from_frames(roll)
            for roll in _rbm_frames(model, len(forms) * STEPS // 4, seed).reshape(
                len(forms), STEPS // 4, 88
            )
        ],
        lambda model, seed: _rbm_frames(model, QUARTERS_OF_16_BARS, seed),
        lambda model, pieces: (
            -np.array([model.log_likelihood(roll[:, 10:66]).sum() for roll in _frames(pieces)])
        ),
        "estimate",
        ("frame", _count_frames),
        about=QUARTER_CHORDS + ", each on its own",
    ),
    Model(
        "RNN-RBM",
        "14",
        "quarters",
        ("14_rnn_rbm",),
        _rnn_rbm,
        lambda model, forms, seed: _write_frames(model, len(forms), seed, STEPS // 4),
        lambda model, seed: _write_frames(model, 1, seed, QUARTERS_OF_16_BARS),
        lambda model, pieces: (
            -_per_piece(model.log_likelihood(_frames(pieces), temperatures=300, chains=20))
        ),
        "estimate",
        ("frame", _count_frames),
        about=QUARTER_CHORDS,
    ),
    Model(
        "GRU, chords note by note",
        "08",
        "quarters",
        ("08_up",),
        _chord_gru,
        lambda model, forms, seed: _write_frames(model, len(forms), seed, STEPS // 4),
        lambda model, seed: _write_frames(model, 1, seed, QUARTERS_OF_16_BARS),
        lambda model, pieces: -_per_piece(model.log_likelihood(_frames(pieces))),
        "exact",
        ("frame", _count_frames),
        about=QUARTER_CHORDS,
    ),
    Model(
        "VAE, beta = 1",
        "05",
        "two bars",
        ("05_beta_1",),
        _vae,
        _write_windows,
        _sixteen_bars_of_windows,
        _nats_of_windows,
        "bound",
        ("two bars", lambda pieces: [len(_windows(piece)) for piece in pieces]),
        about="four voices on 16ths, every two bars on their own",
    ),
    Model(
        "dense GAN",
        "10",
        "two bars",
        ("10_dense",),
        _gan("DenseGAN", "10_dense", latent=64, units=32),
        _write_windows,
        _sixteen_bars_of_windows,
    ),
    Model(
        "LSTM GAN",
        "11",
        "two bars",
        ("11_recurrent",),
        _gan("RecurrentGAN", "11_recurrent", units=124, discriminator_units=96, r1=3.0),
        _write_windows,
        _sixteen_bars_of_windows,
    ),
    Model(
        "convolutional GAN",
        "11",
        "two bars",
        ("11_convolutional",),
        _gan("ConvGAN", "11_convolutional", units=112, r1=10.0),
        _write_windows,
        _sixteen_bars_of_windows,
    ),
    Model(
        "deep belief network",
        "13",
        "two bars",
        ("13_three_layers",),
        _dbn,
        _write_dbn,
        lambda model, seed: _write_dbn(model, None, seed, 8),
        by="melody",
        why_no_nats="nats_dbn",
    ),
    Model(
        "encoder-decoder, to Bach's soprano",
        "09",
        "harmony",
        ("09_bass", "09_alto", "09_tenor"),
        _harmonisers,
        _write_harmonies,
        lambda models, seed: _write_harmonies(models, [_sixteen_bars()], seed),
        _nats_of_harmonies,
        "exact",
        ("8th", _count_eighths),
        "melody",
        HARMONY,
    ),
    Model(
        "inpainting network, to Bach's soprano",
        "16",
        "harmony",
        ("16_inpainting",),
        _inpainting,
        _write_by_inpainting,
        _sixteen_bars_on_a_form,
        _nats_over_orders,
        "bound",
        ("cell", lambda pieces: [3 * n for n in _count_eighths(pieces)]),
        "melody",
        HARMONY + "; mean over orders of writing",
    ),
    _of_four_voices("GRU, four voices", "08", "08_voices", _four_voices),
    _of_four_voices("Transformer, four voices", "15", "15_transformer", _transformer),
)


def _sixteen_bars():
    """The first clean test piece of sixteen bars of 4/4, as a form."""
    return next(p for p in form_pieces() if p.steps == 256 and p.time_signature == "4/4")


# Rows


def row(model: Model) -> dict:
    """Everything that is measured of one model, in this process.

    Args:
      model: an entry of :data:`MODELS`.

    Returns:
      A row: shares and counts as mean over the seeds of writing, with their standard deviation under
      the same name and "_sd"; "reasons" says why a figure is None.
    """
    reasons, forms = {}, form_pieces()[:FORMS]
    cpu = time.process_time()
    loaded = model.load()
    counting = round(time.process_time() - cpu, 1)  # with reading the music
    found = {"what": model.name, "lesson": model.lesson, "kind": model.kind, "by": model.by}
    found["parameters"] = _parameters(loaded)
    written = [model.write(loaded, forms, seed) for seed in SEEDS]
    training = real_music(model.kind, "train", model.by)
    scores = [_scores(pieces, model.kind, training) for pieces in written]
    found |= _summary(scores, reasons)
    found |= _nats(model, loaded, reasons)
    model.bars(loaded, SEEDS[0])  # builds the graph; the clock runs for what comes after
    cpu = time.process_time()
    for seed in SEEDS:
        model.bars(loaded, seed)
    found["cpu_s_16_bars"] = round((time.process_time() - cpu) / len(SEEDS), 3)
    found["cpu_s_training"] = None if model.weights else counting
    if model.weights:
        reasons["cpu_s_training"] = REASONS["train"]
    return found | {"reasons": reasons}


def real_row(kind: str) -> dict:
    """The same measures of Bach's own music of one kind, on the same forms."""
    reasons = {}
    scores = [_scores(real_music(kind), kind, real_music(kind, "train"))]
    found = {"what": f"Bach, {kind}", "lesson": "", "kind": kind} | _summary(scores, reasons)
    return found | {"reasons": reasons}


def _scores(pieces, kind, training):
    from musiclab import metrics
    from musiclab.metrics.report import _openings
    from musiclab.metrics.similarity import pairwise_distances

    found = {
        name: getattr(metrics, name)(pieces) for name, kinds in MEASURES.items() if kind in kinds
    }
    runs = [run.steps / 4 for run in metrics.shared_runs(pieces, training)]
    distances = pairwise_distances(_openings(pieces)[0])
    found["copied_run"], found["longest_run"] = np.mean(runs), max(runs)
    found["diversity"] = distances[np.triu_indices(len(pieces), 1)].mean()
    report = metrics.looks_like_music(pieces, real_music(kind), training=training)
    taken = [one for one in report.rows if not np.isnan(one.low)]
    found["rows_differ"] = sum(not one.passed for one in taken)
    return found | {"rows_taken": len(taken), "pieces": len(pieces)}


def _summary(scores, reasons):
    found = {}
    for name in (*MEASURES, "copied_run", "longest_run", "diversity", "rows_differ"):
        values = [float(one[name]) for one in scores if name in one]
        found[name] = round(float(np.mean(values)), 3) if values else None
        found[f"{name}_sd"] = round(float(np.std(values)), 3) if len(values) > 1 else None
        if not values:
            reasons[name] = REASONS[name]
    return found | {"rows_taken": scores[0]["rows_taken"], "pieces": scores[0]["pieces"]}


def _nats(model, loaded, reasons):
    """Nats per quarter of clean test pieces and of all, and how they came from the model's unit."""
    found = {"clean_nats": None, "clean_nats_se": None, "all_nats": None}
    found |= {"exactness": model.exactness, "about": model.about, "unit": model.unit[0]}
    if model.nats is None:
        reasons["clean_nats"] = reasons["all_nats"] = REASONS[model.why_no_nats]
        return found
    pieces = form_pieces(clean=model.by == "melody")
    nats, units = np.asarray(model.nats(loaded, pieces), float), np.array(model.unit[1](pieces))
    quarters = 8 * units if model.unit[0] == "two bars" else np.array([p.steps / 4 for p in pieces])
    if model.by == "benchmark":
        found["all_nats"] = round(float(nats.sum() / quarters.sum()), 3)
    else:
        reasons["all_nats"] = REASONS["nats_all"]
    names = {piece.name for piece in form_pieces()}
    kept = np.array([piece.name in names for piece in pieces]) & (units > 0)
    nats, units, quarters = nats[kept], units[kept], quarters[kept]
    per_quarter = nats.sum() / quarters.sum()
    strays = (nats - per_quarter * quarters) / quarters.mean()  # of a ratio, piece by piece
    found["clean_nats"] = round(float(per_quarter), 3)
    found["clean_nats_se"] = round(float(strays.std(ddof=1) / np.sqrt(len(nats))), 3)
    found["nats_per_unit"] = round(float(nats.sum() / units.sum()), 3)
    found["units_per_quarter"] = round(float(units.sum() / quarters.sum()), 4)
    return found


def _parameters(model):
    if isinstance(model, list):
        return sum(_parameters(one) for one in model)
    if hasattr(model, "count_params"):
        return int(model.count_params())
    return int(sum(len(counts) for level in model._counts for _, counts in level.values()))


# Command


def train_seconds(name: str) -> float:
    """CPU seconds of making the weights of this name again, in this process; they are not stored."""
    import musiclab.training  # noqa: F401  the import is not charged
    from training.weights import MAKERS

    cpu = time.process_time()
    MAKERS[name]()
    return round(time.process_time() - cpu, 1)


def put(folder: Path, rows: list[dict] = (), training: dict | None = None) -> None:
    """Put rows, and CPU seconds of trainings, into the stored table; all others stay."""
    file = folder / "every_model.json"
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    today = datetime.now(UTC).date().isoformat()
    seconds = old.get("training", {}) | (training or {})
    models = {model.name: model for model in MODELS}

    def complete(row):
        weights = models[row["what"]].weights if row["what"] in models else ()
        if weights and all(name in seconds for name in weights):
            row["cpu_s_training"] = round(sum(seconds[name] for name in weights), 1)
            row["reasons"].pop("cpu_s_training", None)

    store(
        "every_model",
        rows,
        folder,
        keep=True,
        order=[*(f"Bach, {kind}" for kind in _kinds()), *models],
        complete=complete,
        command="python -m benchmarks.every_model",
        seed=list(SEEDS),
        temperatures=TEMPERATURES,
        training=seconds,
        trained_on=old.get("trained_on", {}) | dict.fromkeys(training or {}, today),
        why_missing=REASONS,
    )


def _kinds():
    return list(dict.fromkeys(model.kind for model in MODELS))


def main(arguments: list[str] | None = None, folder: Path = RESULTS) -> int:
    from training.weights import MAKERS

    names = [*(f"Bach, {kind}" for kind in _kinds()), *(model.name for model in MODELS)]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.every_model", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these rows alone")
    parser.add_argument("--train", nargs="+", choices=MAKERS, help="measure these trainings alone")
    parser.add_argument("--one", choices=[*names, *MAKERS], help=argparse.SUPPRESS)  # in a process
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_one(options.one)))
        return 0
    for name in options.train or options.only:
        found = answer("every_model", "--one", name)
        if options.train:
            put(folder, training={name: found})
        else:
            put(folder, rows=[found])
        print(f"{name}: {found}", flush=True)
    return 0


def _one(name):
    """What the command measures of one row, or of one training, on one thread."""
    if not name.startswith("Bach"):
        use_threads(1)
    models = {model.name: model for model in MODELS}
    if name in models:
        return row(models[name])
    return real_row(name.removeprefix("Bach, ")) if name.startswith("Bach") else train_seconds(name)


if __name__ == "__main__":
    sys.exit(main())
