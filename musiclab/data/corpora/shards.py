"""Large collections: a folder of music files as memory-mapped shards of notes, built and read piece by piece.

A **shard** is a folder of ``.npy`` arrays that hold some hundred pieces end to end, with the offsets
at which each begins. Arrays are memory-mapped: only what is used is read from the disk, so that the
memory needed does not grow with the collection.

Lesson: 19.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from musiclab.data.corpora.build import end_with_parent, music_files, named, own_items
from musiclab.data.files.abc import parse_tune
from musiclab.data.files.note_grid import to_grid
from musiclab.data.files.reading import read_music
from musiclab.data.files.storage import DataError
from musiclab.data.piece import REST, Piece

__all__ = ["NOTE", "Shards", "build_shards"]

NOTE = ("start", "length", "pitch", "voice")
"""Columns of a note, uint16: first step and number of steps, MIDI pitch, voice from the top."""

_PIECE = ("steps", "voices", "pickup", "tonic", "minor", "key_signature", "beats", "beat_type")
_LONGEST = np.iinfo(np.uint16).max
_FORM = 1  # counted up when the arrays change, so that old shards are built anew


def build_shards(folder: Path, out: Path, files: int = 500) -> Shards:
    """Read every MIDI, MusicXML and ABC file of a folder into shards, on all cores.

    Any number of voices is accepted; chords are split and onsets rounded to 16ths as by
    :func:`musiclab.data.read_music`. A file that can't be read is listed in ``refused`` and stops
    nothing. A shard appears whole or not at all: after an interruption the same call goes on with
    the shards that are missing, and after a change of files it rebuilds those concerned.

    Lesson: 19

    Args:
      folder: searched with its subfolders; files of other kinds are passed over.
      out: where the shards go; other files there are left alone.
      files: music files in a shard.

    Returns:
      The collection, in the order of the files' names.

    Raises:
      ValueError: if ``files`` is below 1.
      DataError: if there is no such folder or no music file in it, or a process that reads files
        ended (the shards finished until then stay).
    """
    if files < 1:
        raise ValueError(f"files={files}: a shard holds at least one file")
    folder, out = Path(folder), Path(out)
    found = music_files(folder)
    if not found:
        raise DataError(f"{folder} holds no .mid, .musicxml, .mxl or .abc file")
    parts = [found[i : i + files] for i in range(0, len(found), files)]
    out.mkdir(parents=True, exist_ok=True)
    for shard in sorted(out.glob("shard-*")):  # of a larger collection that was here before
        if int(shard.name.removeprefix("shard-")) >= len(parts):
            shutil.rmtree(shard)
    wanted = {_place(out, i): part for i, part in enumerate(parts)}
    missing = {s: p for s, p in wanted.items() if _stored(s).get("source") != _source(folder, p)}
    try:
        # spawn: a process forked from one that runs TensorFlow's threads may hang
        with ProcessPoolExecutor(
            os.cpu_count(), get_context("spawn"), initializer=end_with_parent
        ) as pool:
            tasks = [pool.submit(_build, folder, part, shard) for shard, part in missing.items()]
            done, quick = as_completed(tasks), len(tasks) < 3
            for task in tqdm(done, folder.name, len(tasks), unit="shard", disable=quick):
                task.result()
    except BrokenProcessPool:
        raise DataError(
            f"a process that reads {folder.name} ended, perhaps for want of memory: the shards "
            "finished so far are kept, and the same call goes on from there"
        ) from None
    return Shards(out)


class Shards:
    """A collection built by :func:`build_shards`: a sequence of pieces, and a stream of their notes.

    Lesson: 19

    Args:
      folder: where the shards are.

    Attributes:
      notes: number of notes in all.
      refused: (name, reason) of each file left out.

    Raises:
      DataError: if there is no shard, or one is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        count = len(list(self.folder.glob("shard-*")))
        stored = [_stored(_place(self.folder, i)) for i in range(count)]
        if not stored or not all(stored):
            raise DataError(
                f"{self.folder} holds no shards, or damaged ones: build_shards makes them"
            )
        self._first = np.cumsum([0] + [one["pieces"] for one in stored])  # piece of each shard
        self.notes = sum(one["notes"] for one in stored)
        self.refused = [tuple(row) for one in stored for row in one["refused"]]

    def __len__(self):
        return int(self._first[-1])

    def __repr__(self):
        return (
            f"Shards({self.folder.name!r}: {len(self):,} pieces, {self.notes:,} notes; "
            f"shards: {len(self._first) - 1}, files left out: {len(self.refused):,})"
        )

    def __getitem__(self, index: int) -> Piece:
        """Piece by its number: notes, bars, key, time signature and name."""
        if not 0 <= index < len(self):
            raise IndexError(f"piece {index}: there are {len(self)}")
        shard = int(np.searchsorted(self._first, index, side="right")) - 1
        i = index - int(self._first[shard])

        def ragged(name):
            start, stop = self._array(shard, f"{name}_offsets")[i : i + 2]
            return self._array(shard, name)[start:stop]

        about = dict(zip(_PIECE, self._array(shard, "pieces")[i].tolist(), strict=True))
        name = str(self._array(shard, "names")[i])
        return _to_piece(ragged("notes"), ragged("downbeats"), about, name)

    def blocks(self, pieces: int = 64, seed: int | None = None) -> Iterator[tuple]:
        """Stream the collection in blocks of neighbouring pieces; memory holds one block.

        Args:
          pieces: in a block; the last of each shard may be smaller.
          seed: shuffles the order of the blocks; None keeps the order of the pieces.

        Yields:
          notes uint16 (m, 4), columns as :data:`NOTE`; counts int64 (pieces,), notes of each piece.

        Raises:
          ValueError: if ``pieces`` is below 1.
        """
        if pieces < 1:
            raise ValueError(f"pieces={pieces}: a block holds at least one")
        sizes = np.diff(self._first).tolist()
        blocks = [(shard, i) for shard, n in enumerate(sizes) for i in range(0, n, pieces)]
        if seed is not None:
            np.random.default_rng(seed).shuffle(blocks)
        for shard, i in blocks:
            offsets = np.array(self._array(shard, "notes_offsets")[i : i + pieces + 1])
            yield (
                np.array(self._array(shard, "notes")[offsets[0] : offsets[-1]]),
                np.diff(offsets),
            )

    def _array(self, shard, name):
        # opened anew each time: an open map would keep the pages it has read in memory
        return np.load(_place(self.folder, shard) / f"{name}.npy", mmap_mode="r")


def _place(out, index):
    return out / f"shard-{index:05}"


def _stored(shard):
    """What a finished shard says of itself; nothing if there is none."""
    try:
        return json.loads((shard / "shard.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _source(folder, part):
    """A digest of names, sizes and times of files: what a shard was built from."""
    lines = [str(_FORM)]
    for file in part:
        stat = file.stat()
        lines.append(f"{file.relative_to(folder).as_posix()} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _build(folder, part, shard):
    """Write one shard into a folder beside it, then give that its name."""
    source = _source(folder, part)
    notes, bars, rows, names, refused = [], [], [], [], []
    for name, piece in _read(folder, part):
        try:
            if isinstance(piece, str):
                raise DataError(piece)
            notes.append(_to_notes(piece))
        except DataError as error:
            refused.append((name, str(error)))
            continue
        bars.append(np.flatnonzero(piece.downbeats).astype(np.uint16))
        metre = [int(number) for number in piece.time_signature.split("/")]
        key = [piece.tonic, piece.mode == "minor", piece.key_signature]
        rows.append([*piece.voices.shape, piece.pickup, *key, *metre])
        names.append(piece.name)
    arrays = {
        "notes": np.concatenate([np.zeros((0, len(NOTE)), np.uint16), *notes]),
        "downbeats": np.concatenate([np.zeros(0, np.uint16), *bars]),
        "pieces": np.array(rows, np.int32).reshape(-1, len(_PIECE)),
        "names": np.array(names, np.str_),
    }
    for name, parts in (("notes", notes), ("downbeats", bars)):
        arrays[f"{name}_offsets"] = np.cumsum([0] + [len(one) for one in parts], dtype=np.int64)
    about = {"pieces": len(rows), "notes": len(arrays["notes"]), "refused": refused}
    unfinished = shard.with_name(f".{shard.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, array in arrays.items():
        np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
    text = json.dumps({"source": source, **about})
    (unfinished / "shard.json").write_text(text, encoding="utf-8")
    shutil.rmtree(shard, ignore_errors=True)  # built from other files
    unfinished.replace(shard)


def _read(folder, part):
    """The name of each file or tune, with its piece, or with why it can't be read."""
    for file in part:
        try:
            items = own_items(folder, file)
        except Exception as error:  # whatever one file does must not cost the others
            items = [(file.relative_to(folder).as_posix(), error)]
        for name, source in items:
            try:
                if isinstance(source, Exception):
                    raise source
                piece = (
                    read_music(source)
                    if isinstance(source, Path)
                    else to_grid(parse_tune(source), "voices", "round")
                )
                yield name, named(piece, name)
            except DataError as error:
                yield name, str(error)
            except Exception as error:
                yield name, f"it can't be read ({type(error).__name__})"


def _to_notes(piece):
    """The notes of a piece in order of time, uint16 (n, 4)."""
    edges = piece.onsets | (piece.voices == REST)
    following = np.where(edges, np.arange(piece.steps)[:, None], piece.steps)
    following = np.minimum.accumulate(following[::-1])[::-1]  # first edge from each step on
    stop = np.vstack([following[1:], np.full_like(following[:1], piece.steps)])
    start, voice = np.nonzero(piece.onsets)
    length = stop[start, voice] - start
    if piece.steps > _LONGEST:
        raise DataError(f"it has {piece.steps} steps: at most {_LONGEST}")
    return np.stack([start, length, piece.voices[start, voice], voice], axis=1).astype(np.uint16)


def _to_piece(notes, downbeats, about, name):
    start, length, pitch, voice = notes.astype(np.int64).T
    steps = about["steps"]
    voices = np.full((steps, about["voices"]), REST)
    onsets = np.zeros(voices.shape, bool)
    begins = np.cumsum(length) - length
    step = np.arange(length.sum()) + np.repeat(start - begins, length)
    voices[step, np.repeat(voice, length)] = np.repeat(pitch, length)
    onsets[start, voice] = True
    bars = np.isin(np.arange(steps), downbeats)
    first = np.maximum.accumulate(np.where(bars, np.arange(steps), -1))  # each step's downbeat
    signature = f"{about['beats']}/{about['beat_type']}"
    piece = Piece(voices, onsets, pickup=about["pickup"], time_signature=signature, name=name)
    beat = np.where(first < 0, piece.beat, (np.arange(steps) - first) * about["beat_type"] // 16)
    return piece.with_(
        downbeats=bars,
        beat=beat,
        tonic=about["tonic"],
        mode="minor" if about["minor"] else "major",
        key_signature=about["key_signature"],
    )
