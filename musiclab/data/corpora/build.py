"""Build the course's music files: ``python -m musiclab.data.corpora.build`` (that is ``make data``).

From the reader's own music21 corpus come ``data/chorales.npz`` and ``data/tunes.npz``; with
``--music FOLDER`` an instructor's own four-part files become ``data/own/FOLDER.npz``.

Lessons: 01.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
from tqdm import tqdm

from musiclab.data.corpora.chorales import PER_STEP, Chorale, pack
from musiclab.data.corpora.keys import find_key
from musiclab.data.corpora.melody_families import melody_families, melody_runs
from musiclab.data.corpora.tunes import Tune
from musiclab.data.encodings.windows import bars
from musiclab.data.files.abc import decode, numbered, parse_tune, split_tunes
from musiclab.data.files.abc_fields import AbcSource
from musiclab.data.files.note_grid import round_step, to_grid
from musiclab.data.files.storage import DataError, path, record_checksum, save_arrays
from musiclab.data.piece import STEPS_PER_QUARTER, Piece

__all__ = [
    "assign_splits",
    "build_chorales",
    "build_own",
    "build_tunes",
    "chorale_files",
    "end_with_parent",
    "main",
    "music_files",
    "named",
    "own_items",
    "without_silent_bars",
]

_SATB = ("soprano", "alto", "tenor", "bass")
_TEXT = ("bwv", "split", "melody", "split_melody")


def build_chorales() -> tuple[list[Chorale], list[tuple[str, str]]]:
    """Read the four-part works of the corpus and say which could not be used.

    Returns:
      Chorales in the catalogue's order, "excluded" ones included; and (name, reason) of each work
      left out.
    """
    with path("jsb_split.csv").open(encoding="utf-8", newline="") as table:
        benchmark = {row["bwv"]: row["split"] for row in csv.DictReader(table)}
    files = chorale_files()
    names = sorted(files, key=_catalogue)
    pieces, refused = _read_all(_read_chorale, [(name, files[name]) for name in names], "chorales")
    return assign_splits(pieces, benchmark), refused


def chorale_files() -> dict[str, Path]:
    """The file of each work of Bach's in the corpus, by BWV number."""
    files = {}
    for file in _corpus("bach"):
        name = re.sub(r"\.(mxl|xml|krn|rntxt)$", "", file.name)
        if file.suffix != ".rntxt" and (name not in files or file.suffix == ".mxl"):
            files[name] = file
    return files


def build_tunes() -> tuple[list[Tune], list[tuple[str, str]]]:
    """Read the fiddle tunes of the corpus and say which could not be used.

    Returns:
      Tunes in the order of their names; and (name, reason) of each tune left out.
    """
    files = sorted(_corpus("ryansMammoth"), key=lambda file: file.name)
    return _read_all(_read_tune, [(file.stem, file) for file in files], "tunes")


def build_own(folder: Path) -> tuple[list[Chorale], list[tuple[str, str]]]:
    """Read an instructor's own four-part music, MIDI, MusicXML or ABC.

    Melody families go to "train", "valid" or "test" by a checksum of their name: about 80, 10 and
    10%.

    Args:
      folder: searched with its subfolders; files of other kinds are passed over.

    Returns:
      Chorales in the order of their names; and (name, reason) of each file that can't be used.

    Raises:
      DataError: if there is no such folder, or no music in it that can be used.
    """
    files = music_files(folder)
    items = [item for file in files for item in own_items(folder, file)]
    pieces, refused = _read_all(_read_own, items, folder.name)
    if not pieces:
        why = "\n".join(["", *_by_reason(refused)])
        raise DataError(f"{folder.name}: none of {len(items)} files and tunes can be used{why}")
    families = melody_families(pieces)
    by_hash = [int(hashlib.sha256(pieces[f].name.encode()).hexdigest(), 16) % 10 for f in families]
    splits = ["valid" if h == 0 else "test" if h == 1 else "train" for h in by_hash]
    return [
        _chorale(piece, split, pieces[family].name, split)
        for piece, split, family in zip(pieces, splits, families, strict=True)
    ], refused


def music_files(folder: Path) -> list[Path]:
    """The MIDI, MusicXML and ABC files of a folder and its subfolders, in the order of their names.

    Raises:
      DataError: if there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder: give one that holds .mid, .musicxml, .mxl or .abc files"
        )
    kinds = {".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc"}
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in kinds)


def assign_splits(pieces: list[Piece], benchmark: dict[str, str]) -> list[Chorale]:
    """Give each piece its benchmark split, its melody family and a split that no family crosses.

    A work that the benchmark lacks is "train", unless it shares a melody run with a piece held out:
    then it is "excluded". For ``split_melody`` a family goes to "train" as soon as one of its
    members is in the benchmark's training split, else to "test" if one is, else to "valid": so
    every piece that is held out there is held out in the benchmark too.

    Args:
      pieces: named by BWV number.
      benchmark: split by BWV number.

    Returns:
      One chorale per piece, in order.
    """
    families = melody_families(pieces)
    held_out = {
        run for p in pieces if benchmark.get(p.name, "train") != "train" for run in melody_runs(p)
    }
    splits = [
        benchmark.get(p.name) or ("excluded" if melody_runs(p) & held_out else "train")
        for p in pieces
    ]
    members = {
        family: {s for s, f in zip(splits, families, strict=True) if f == family}
        for family in set(families)
    }
    by_melody = [
        next((s for s in ("train", "test", "valid") if s in members[f]), "train") for f in families
    ]
    return [
        _chorale(piece, split, pieces[family].name, split_melody)
        for piece, split, family, split_melody in zip(
            pieces, splits, families, by_melody, strict=True
        )
    ]


def without_silent_bars(piece: Piece) -> Piece:
    """Cut the bars in which no voice sounds: interludes of instruments that are not among the four voices.

    Args:
      piece: a piece that sounds in at least one bar.

    Returns:
      The piece without them; all else keeps its order and its bar lines.
    """
    kept = [(start, stop) for start, stop in bars(piece) if (piece.voices[start:stop] >= 0).any()]
    steps = np.concatenate([np.arange(start, stop) for start, stop in kept])
    cut = {name: getattr(piece, name)[steps] for name in PER_STEP}
    return piece.with_(**cut, pickup=piece.pickup if kept[0][0] == 0 else 0)


def main(arguments: list[str] | None = None) -> int:
    """Build what was asked for, report it in words, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m musiclab.data.corpora.build", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument(
        "--music", type=Path, help="a folder of four-part MIDI, MusicXML or ABC files of your own"
    )
    options = parser.parse_args(arguments)
    data = path("jsb_split.csv").parent
    try:
        if options.music:
            name = f"{options.music.resolve().name}.npz"
            _store(data / "own" / name, *build_own(options.music), _TEXT)
            print(f'Use it in a lesson by changing one line: MUSIC = "own/{name}"')
        else:
            _store(data / "chorales.npz", *build_chorales(), _TEXT)
            _store(data / "tunes.npz", *build_tunes(), ("dance", "rounded"))
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read_chorale(item: tuple[str, Path]) -> Piece:
    from music21 import converter

    from musiclab.data.files.scores import piece_from_stream

    name, file = item
    score = converter.parse(file, forceSource=True)
    parts = list(score.parts)
    first_words = [(part.partName or "").split(maxsplit=1)[:1] for part in parts]
    first_words = ["".join(words).lower() for words in first_words]
    if all(voice in first_words for voice in _SATB):
        parts = [parts[first_words.index(voice)] for voice in _SATB]
    elif len(parts) != 4:
        raise DataError(f"{len(parts)} parts, none of them named as four voices")
    return named(
        without_silent_bars(piece_from_stream(score, parts, chords="refuse", grid="exact")), name
    )


def _read_tune(item: tuple[str, Path]) -> Tune:
    name, file = item
    source = split_tunes(decode(file.read_bytes()))[0]
    music = parse_tune(source)
    rounded = _triplet_deviation([note.start for part in music.parts for note in part.notes])
    grid = "round" if rounded else "exact"
    piece = named(to_grid(music, chords="refuse", grid=grid), name)
    dance = source.rhythm.lower().replace("slipjig", "slip jig")
    return Tune(**_attributes(piece), dance=dance, rounded=rounded)


def own_items(folder: Path, file: Path) -> list[tuple[str, Path | AbcSource]]:
    """A file under its name, or each tune of an ABC collection under the file's name and its number."""
    name = file.relative_to(folder).with_suffix("").as_posix()
    if file.suffix.lower() == ".abc" and file.is_file():
        tunes = split_tunes(decode(file.read_bytes()))
        if len(tunes) > 1:
            return [(f"{name}/{n}", tune) for n, tune in zip(numbered(tunes), tunes, strict=True)]
    return [(name, file)]


def _read_own(item: tuple[str, Path | AbcSource]) -> Piece:
    from musiclab.data.files.reading import read_music

    name, source = item
    if isinstance(source, Path):
        try:
            piece = read_music(source, chords="refuse", grid="exact")
        except DataError as error:
            raise DataError(str(error).removeprefix(f"{source.name}: ")) from None
    else:
        piece = to_grid(parse_tune(source), chords="refuse", grid="exact")
    n_voices = piece.voices.shape[1]
    if n_voices != 4:
        have = f"{n_voices} voice{'s' * (n_voices != 1)}"
        raise DataError(f"it has {have}; the lessons need four, one per track or staff")
    return named(piece, name)


def _triplet_deviation(starts: list[Fraction]) -> float:
    """How far rounding moves a note, in quarters; refuses whatever is off the grid and no triplet of eighths."""
    if any(start.denominator != 1 and (start * 3 / 4).denominator != 1 for start in starts):
        raise DataError("it has notes shorter than a 16th that are no triplets")
    steps = [round_step(start) for start in starts]
    if len(set(steps)) < len(set(starts)):
        raise DataError("its triplets are too fast: two notes would fall on one 16th")
    moved = max(abs(start - step) for start, step in zip(starts, steps, strict=True))
    return round(float(moved) / STEPS_PER_QUARTER, 6)


def named(piece: Piece, name: str) -> Piece:
    """A piece under a name, with the key that :func:`find_key` finds."""
    tonic, mode, method = find_key(piece)
    return piece.with_(name=name, tonic=tonic, mode=mode, key_method=method)


def _attributes(piece: Piece) -> dict:
    return {field.name: getattr(piece, field.name) for field in dataclasses.fields(Piece)}


def _chorale(piece: Piece, split: str, melody: str, split_melody: str) -> Chorale:
    own = {"bwv": piece.name, "split": split, "melody": melody, "split_melody": split_melody}
    return Chorale(**_attributes(piece), **own)


def _corpus(composer: str) -> list[Path]:
    from music21 import corpus

    return [Path(file) for file in corpus.getComposer(composer)]


def _catalogue(name: str) -> list[tuple[int, str]]:
    """Sort key: bwv10.7 after bwv2.6."""
    return [(int(number or 0), word) for number, word in re.findall(r"(\d*)(\D*)", name)]


def _read_all(
    read: Callable, items: list[tuple[str, Path]], what: str
) -> tuple[list, list[tuple[str, str]]]:
    """Read files on all cores, in order; a file that can't be read is listed, and stops nothing."""
    # spawn: a process forked from one that runs TensorFlow's threads may hang
    context = get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=end_with_parent) as pool:
        results = pool.map(_try, [read] * len(items), items, chunksize=8)
        results = list(tqdm(results, total=len(items), desc=what, unit="file"))
    pieces = [result for result in results if isinstance(result, Piece)]
    refused = [
        (name, result)
        for (name, _), result in zip(items, results, strict=True)
        if isinstance(result, str)
    ]
    return pieces, refused


def end_with_parent() -> None:
    """End this worker when the process that started it is gone, even if that was killed."""

    def wait():
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _try(read, item):
    try:
        return read(item)
    except DataError as error:
        return str(error)
    except Exception as error:  # whatever one file does must not cost the others
        return f"it can't be read ({type(error).__name__})"


def _store(
    file: Path, pieces: list[Piece], refused: list[tuple[str, str]], text: tuple[str, ...]
) -> None:
    save_arrays(file, pack(pieces, text))
    record_checksum(file)
    print(f"{file.name}: {len(pieces)} pieces, {len(refused)} left out")
    for line in _by_reason(refused):
        print(line)


def _by_reason(refused: list[tuple[str, str]]) -> list[str]:
    """Lines that list what was left out, the commonest reason first."""
    reasons: dict[str, list[str]] = {}
    for name, reason in refused:
        place, kind = re.fullmatch(
            r"((?:[^:]*\b(?:bar|line) \d+: )?)(.*)", reason, re.DOTALL
        ).groups()
        kind = re.sub(r"\d+\.\d+", "…", kind)  # how far off the grid
        reasons.setdefault(kind, []).append(f"{name} ({place[:-2]})" if place else name)
    return [
        f"  {len(names)}: {reason}: {', '.join(names)}"
        for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))
    ]


if __name__ == "__main__":
    sys.exit(main())
