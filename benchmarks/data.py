"""How long loading the course's music takes, against parsing the same pieces with music21."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

__all__ = ["rows"]

TIMES = 5

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


def _fresh(code):
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    ).stdout
    return json.loads(said.splitlines()[-1])
