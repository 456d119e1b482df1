"""How long loading the course's music takes, against parsing the same pieces with music21.

python -m benchmarks.data                           # a collection of 10,000 files, 10^8 notes streamed

writes ``results/shards.json``: building shards from a folder, streaming their notes, and searching
the fragments nearest to given ones, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

__all__ = ["main", "rows", "scale_rows"]

TIMES = 5
XML = 10  # one file in so many is MusicXML, the others MIDI

LOAD = """
import json, time
start = time.perf_counter()
from musiclab.data import load_chorales, load_tunes
imported = time.perf_counter()
pieces = load_chorales() + load_tunes()
print(json.dumps({"pieces": len(pieces), "import_s": imported - start, "wall_s": time.perf_counter() - imported}))
"""

# forceSource: music21 keeps what it has parsed, and would otherwise only read it back
PARSE = """
import json, time
from musiclab.data import load_chorales, load_tunes
names = [f"bach/{piece.bwv}" for piece in load_chorales()] + [f"ryansMammoth/{piece.name}" for piece in load_tunes()]
start = time.perf_counter()
from music21 import corpus
imported = time.perf_counter()
for name in names:
    corpus.parse(name, forceSource=True)
print(json.dumps({"pieces": len(names), "import_s": imported - start, "wall_s": time.perf_counter() - imported}))
"""


def rows() -> list[dict]:
    """Measure both, each in fresh processes: loading several times, of which the median counts, parsing once.

    Returns:
      Rows with ``what``, ``pieces``, ``runs``, ``import_s`` and ``wall_s``.
    """
    loads = [_fresh(LOAD) for _ in range(TIMES)]
    parsed = _fresh(PARSE)
    return [
        {
            "what": "load chorales.npz and tunes.npz",
            "pieces": loads[0]["pieces"],
            "runs": TIMES,
            "import_s": round(median(load["import_s"] for load in loads), 3),
            "wall_s": round(median(load["wall_s"] for load in loads), 4),
        },
        {
            "what": "parse the same pieces with music21",
            "pieces": parsed["pieces"],
            "runs": 1,
            "import_s": round(parsed["import_s"], 3),
            "wall_s": round(parsed["wall_s"], 1),
        },
    ]


def scale_rows(files: int, notes: int) -> list[dict]:
    """Build, stream and search a collection made of the course's own pieces.

    Args:
      files: files to build from, the course's chorales and tunes over and over, each time in
        another key; one in ten is MusicXML.
      notes: notes to stream; the shards are repeated until there are as many.

    Returns:
      Rows with ``what``, ``amount``, ``unit``, ``wall_s``, ``per_s`` and ``peak_mb``; of building,
      the memory of the parent process and of its largest worker are rows of their own.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_files(folder / "files", files)
        built = _fresh(BUILD, folder / "files", folder / "shards")
        repeat_shards(folder / "shards", notes)
        streamed = _fresh(STREAM, folder / "shards")
        few, many = (_fresh(SEARCH, folder / "shards", n) for n in (25, 100))
    found = [
        ("build shards, the parent process", built["pieces"], "files", built),
        ("build shards, its largest worker", built["pieces"], "files", built | built["worker"]),
        ("stream shuffled blocks of notes", streamed["notes"], "notes", streamed),
        ("nearest fragments of 25 pieces in 25", few["fragments"], "fragments", few),
        ("nearest fragments of 100 pieces in 100", many["fragments"], "fragments", many),
    ]
    return [
        {
            "what": what,
            "amount": amount,
            "unit": unit,
            "wall_s": round(took["wall_s"], 1),
            "per_s": round(amount / took["wall_s"]),
            "peak_mb": round(took["peak_mb"]),
        }
        for what, amount, unit, took in found
    ]


def make_files(folder: Path, files: int) -> None:
    """Write the course's pieces as music files, over and over, in other keys."""
    from musiclab.data import load_chorales, load_tunes, transpose, write_midi, write_musicxml

    pieces = [piece for pair in zip(load_chorales(), load_tunes()) for piece in pair]
    folder.mkdir()
    for i in range(files):
        piece = transpose(pieces[i % len(pieces)], i // len(pieces) % 7 - 3)
        if i % XML:
            write_midi(piece, folder / f"{i:06}.mid")
        elif i < XML * 20:
            write_musicxml(piece, folder / f"{i:06}.musicxml")
        else:  # writing MusicXML is slow: twenty of them over and over
            shutil.copy(folder / f"{i % (XML * 20):06}.musicxml", folder / f"{i:06}.musicxml")


def repeat_shards(folder: Path, notes: int) -> None:
    """Copy shards until they hold as many notes."""
    from musiclab.data.corpora.shards import Shards

    have = sorted(folder.glob("shard-*"))
    for n in range(len(have), len(have) * -(-notes // Shards(folder).notes)):
        shutil.copytree(have[n % len(have)], folder / f"shard-{n:05}")


MEMORY = """
import json, resource, sys, time
from pathlib import Path
def peak(who=resource.RUSAGE_SELF):
    return resource.getrusage(who).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
"""

BUILD = (
    MEMORY
    + """
from musiclab.data.corpora.shards import build_shards
start = time.perf_counter()
made = build_shards(Path(sys.argv[1]), Path(sys.argv[2]))
assert not made.refused, made.refused[:3]
worker = {"peak_mb": peak(resource.RUSAGE_CHILDREN)}
print(json.dumps({"pieces": len(made), "wall_s": time.perf_counter() - start, "peak_mb": peak(), "worker": worker}))
"""
)

STREAM = (
    MEMORY
    + """
from musiclab.data.corpora.shards import Shards
made = Shards(Path(sys.argv[1]))
start, notes, highest = time.perf_counter(), 0, 0
for block, counts in made.blocks(64, seed=0):
    notes += len(block)
    highest = max(highest, int(block[:, 2].max()))
print(json.dumps({"notes": notes, "wall_s": time.perf_counter() - start, "peak_mb": peak()}))
"""
)

SEARCH = (
    MEMORY
    + """
from musiclab.data.corpora.shards import Shards
from musiclab.metrics import nearest_distances
made = Shards(Path(sys.argv[1]))
pieces = [made[i] for i in range(min(int(sys.argv[2]), len(made)))]
start = time.perf_counter()
found = nearest_distances(pieces, pieces)
assert not found.any()
print(json.dumps({"fragments": len(found), "wall_s": time.perf_counter() - start, "peak_mb": peak()}))
"""
)


def _fresh(code, *arguments):
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return json.loads(said.splitlines()[-1])


def main(arguments: list[str] | None = None) -> int:
    from benchmarks.record import store

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.data", description="Measure a large collection."
    )
    parser.add_argument("--files", type=int, default=10_000, help="files to build shards from")
    parser.add_argument("--notes", type=int, default=10**8, help="notes to stream")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    found = scale_rows(options.files, options.notes)
    command = f"python -m benchmarks.data --files {options.files} --notes {options.notes}"
    store("shards", found, command=command)
    for row in found:
        print(row)
    print(f"{time.perf_counter() - start:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
