"""Sound: bytes of a player in a page; and lesson 18's VAE and GAN of notes over three seeds.

python -m benchmarks.sound    # trains the models of notes: about five minutes of one core
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

__all__ = ["main", "note_rows", "rows", "size"]

SECONDS = 20
PIECES = 20
SEEDS = (18, 19, 20)  # of the initial weights and of what is sampled
VAE_PASSES, GAN_PASSES = 60, (8, 40, 120)  # passes over the notes; the GAN is measured after each
EACH = 6  # notes sampled of each key


def size(piece) -> dict:
    """Make one player and weigh it.

    Args:
      piece: any piece.

    Returns:
      ``mp3`` and ``page`` in bytes and ``wall`` in seconds, each per 20 s of sound: the MP3 alone,
      and the whole player with its downloads as it stands in the page.
    """
    from musiclab import show

    samples, rate = show.synthesize(piece)
    per_20_seconds = SECONDS * rate / len(samples)
    started = time.perf_counter()
    page = show.play(piece).html
    took = time.perf_counter() - started
    weights = {
        "mp3": len(show.mp3_bytes(samples, rate)),
        "page": len(page.encode("utf-8")),
        "wall": took,
    }
    return {name: weight * per_20_seconds for name, weight in weights.items()}


def rows() -> list[dict]:
    """Weigh the first held-out chorales and the first tunes.

    Returns:
      Rows with ``what``, ``pieces``, ``mp3_kb`` (median), ``mp3_kb_max``, ``page_kb`` and
      ``wall_s`` (medians), all per 20 s of sound; kB are 10^3 bytes.
    """
    from musiclab.data import load_chorales, load_tunes

    kinds = {
        "chorales, four voices": load_chorales("test")[:PIECES],
        "tunes, one voice": load_tunes()[:PIECES],
    }
    found = []
    for what, pieces in kinds.items():
        size(pieces[0])  # the first pays for the imports
        sizes = [size(piece) for piece in pieces]
        found.append(
            {
                "what": what,
                "pieces": len(pieces),
                "mp3_kb": round(median(s["mp3"] for s in sizes) / 1e3, 1),
                "mp3_kb_max": round(max(s["mp3"] for s in sizes) / 1e3, 1),
                "page_kb": round(median(s["page"] for s in sizes) / 1e3, 1),
                "wall_s": round(median(s["wall"] for s in sizes), 2),
            }
        )
    return found


def measured_notes(sounds, keys, target) -> dict:
    """Pitch, Fréchet distance and diversity of notes (n, LENGTH) of keys (n,), several of each key.

    Args:
      target: embedded real notes, from which the distance is taken.
    """
    from musiclab.metrics import sound

    embedded, keys = sound.embed_notes(sounds), np.asarray(keys)
    alike = [sound.diversity(embedded[keys == key]) for key in np.unique(keys)]
    return {
        "pitch": round(float(sound.pitch_accuracy(sounds, keys)), 3),
        "distance": round(sound.frechet_distance(embedded, target) / 1000, 2),
        "diversity": round(float(np.mean(alike)), 1),
    }


def note_rows(
    seeds=SEEDS, vae_passes=VAE_PASSES, gan_passes=GAN_PASSES, per_family=8
) -> list[dict]:
    """Train VAE and GAN of notes with each seed, beside rows of real notes and of noise.

    Returns:
      Rows with ``what``, ``seed``, ``passes`` over the notes, ``cpu_s`` of training, and the
      measures of :func:`measured_notes`; the distance in thousands of dB squared.
    """
    from musiclab import training
    from musiclab.data.corpora import instruments
    from musiclab.data.encodings import note_sound
    from musiclab.metrics import sound
    from musiclab.models.sound.note_gan import NoteGAN
    from musiclab.models.sound.note_vae import NoteVAE

    def row(what, seed, sounds, passes=0, cpu=0.0):
        names = {"what": what, "seed": seed, "passes": passes, "cpu_s": round(cpu, 1)}
        found.append(names | measured_notes(sounds, keys, target))

    notes = instruments.notes(per_family)
    target = sound.embed_notes(notes.sound)
    levels = np.stack([note_sound.harmonics(x, k) for x, k in zip(notes.sound, notes.key)])
    spectra = np.stack([note_sound.log_spectrum(x) for x in notes.sound])
    keys, found = np.repeat(np.unique(notes.key), EACH), []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        alike = [np.flatnonzero(notes.key == key) for key in np.unique(notes.key)]
        pick = np.concatenate([rng.choice(one, EACH, replace=False) for one in alike])
        row("real notes", seed, notes.sound[pick])
        turned = [note_sound.from_log_spectrum(spectra[i]) for i in pick]
        row("real notes, phases by Griffin-Lim", seed, turned)
        row("noise", seed, rng.standard_normal((len(keys), note_sound.LENGTH)))
        training.set_seed(seed)
        vae, started = NoteVAE(), time.process_time()
        rate = training.WarmUpCosineDecay()
        vae.fit(levels, notes.key, vae_passes, batch_size=32, callbacks=[rate], verbose=0)
        cpu = time.process_time() - started
        sounds = [note_sound.from_harmonics(x, k) for x, k in zip(vae.sample(keys, seed), keys)]
        row("VAE of harmonics", seed, sounds, vae_passes, cpu)
        training.set_seed(seed)
        gan, cpu, done = NoteGAN(), 0.0, 0
        for passes in gan_passes:
            started = time.process_time()
            gan.fit(spectra, notes.key, passes - done, verbose=0)
            cpu, done = cpu + time.process_time() - started, passes
            sounds = [note_sound.from_log_spectrum(x) for x in gan.sample(keys, seed)]
            row("GAN of spectra", seed, sounds, passes, cpu)
    return found


def main(folder: Path | None = None) -> int:
    from benchmarks.record import store

    found = note_rows()
    more = {"command": "python -m benchmarks.sound", "seed": list(SEEDS)}
    store("note_models", found, folder, key=("what", "seed", "passes"), **more)
    for row in found:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
