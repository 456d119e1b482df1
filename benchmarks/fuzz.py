"""Mutate music and data files and read them: ``python -m benchmarks.fuzz --n 10000 --seed 0``.

A reader may give a result or raise ``DataError``. Every other exception, a killed process, over 5 s
of CPU time, over 500 MB of memory, text of a parser in the message, or anything printed is a fault.
A music file that is read must also be written, as MIDI and (when short) as MusicXML.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import pickle
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

__all__ = ["KINDS", "main", "mutated", "originals", "run"]

KINDS = ("mid", "musicxml", "mxl", "abc", "npz", "json", "pickle", "mat")
_CPU, _MEMORY, _PATIENCE = 5.0, 500, 60.0  # seconds, MB, seconds by the clock
_PARSER_TEXT = re.compile(
    r"\w+(Error|Exception|Warning)\b|not well-formed|codec can't|invalid literal|list index|object has no|"
    r"unsupported operand|Traceback|\bb'\\x|\\x[0-9a-f]{2}|<class|at 0x"
)
_CONTAINER = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
_ABC = """X:1
T:Air
M:4/4
L:1/8
K:Ador
V:1
A|ABcd e2e2|{g}f2 ^g2 [ac]4|(3abc z2 "Am"a>b .c'2:|
"""


def originals() -> dict[str, list[bytes]]:
    """Small good files of each kind, which the mutations start from."""
    from scipy.io import savemat

    from musiclab.data import Piece, excerpt, load_chorales, midi_bytes, musicxml_bytes

    chorale = excerpt(load_chorales("train")[0], 0, 32)
    melody = Piece([60, 60, 62, -1, 64, 64, 65, 67], velocity=[[90]] * 3 + [[0]] + [[70]] * 4)
    xml = musicxml_bytes(chorale)
    chord = b"<note><chord/><pitch><step>C</step><octave>3</octave></pitch><duration>10080</duration></note>"
    rich = xml.replace(b"</measure>", chord + b"</measure>", 1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("score.xml", xml)
    arrays, mat = io.BytesIO(), io.BytesIO()
    np.savez(arrays, voices=chorale.voices, onsets=chorale.onsets)
    sets = {split: [[[60, 64], [62]], [[59]]] for split in ("train", "valid", "test")}
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.eye(4, 88), np.eye(2, 88)
    savemat(mat, {f"{split}data": cells for split in sets}, do_compression=False)
    return {
        "mid": [midi_bytes(chorale), midi_bytes(melody), _played()],
        "musicxml": [xml, rich, musicxml_bytes(melody)],
        "mxl": [packed.getvalue()],
        "abc": [_ABC.encode()],
        "npz": [arrays.getvalue()],
        "json": [json.dumps(sets).encode()],
        "pickle": [pickle.dumps(sets, protocol) for protocol in (0, 2, 4)],
        "mat": [mat.getvalue()],
    }


def _played() -> bytes:
    """Chords played unevenly, with a sustain pedal, in one track."""
    from mido import Message, MidiFile, MidiTrack

    track = MidiTrack([Message("control_change", control=64, value=127)])
    for pitches in ((60, 64, 67), (59, 65, 67), (60, 64, 72)):
        track += [Message("note_on", note=p, velocity=p, time=7) for p in pitches]
        track += [Message("note_off", note=p, time=151) for p in pitches]
    track.append(Message("control_change", control=64, value=0, time=60))
    buffer = io.BytesIO()
    MidiFile(tracks=[track], ticks_per_beat=480).save(file=buffer)
    return buffer.getvalue()


def mutated(kind: str, number: int, seed: int, files: dict[str, list[bytes]]) -> bytes:
    """Mutation ``number`` of a file of this kind, the same each time."""
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    raw = bytearray(files[kind][number % len(files[kind])])
    if kind in ("mxl", "npz") and rng.random() < 0.6:
        return _repacked(raw, rng)
    _damage(raw, rng, text=kind in ("musicxml", "abc", "json"))
    return bytes(raw)


def _repacked(raw: bytes, rng) -> bytes:
    """A zip archive in order, with one damaged file in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(packed, "w") as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            content = bytearray(old.read(name))
            if name == chosen:
                _damage(content, rng, text=name.endswith("xml"))
            new.writestr(name, bytes(content))
    return packed.getvalue()


def _damage(raw: bytearray, rng, text: bool) -> None:
    """Change bytes; cut, double, move or drop a stretch; in texts, change numbers as well."""
    for _ in range(int(rng.integers(1, 4))):
        at, length = int(rng.integers(len(raw) + 1)), int(rng.integers(1, 40))
        what = rng.random()
        if text and what < 0.6:
            _change_number(raw, rng)
        elif what < 0.75:
            raw[at : at + 1] = bytes([rng.integers(256)])
        elif what < 0.85:
            raw[at : at + 1] = bytes([(raw[at : at + 1] or b"\0")[0] ^ 1 << int(rng.integers(8))])
        elif what < 0.89:
            del raw[at : at + length]
        elif what < 0.93:
            raw[at:at] = raw[at : at + length] * int(rng.integers(1, 4))
        elif what < 0.97:
            raw[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            del raw[at:]


def _change_number(raw: bytearray, rng) -> None:
    numbers = list(re.finditer(rb"\d+", raw))
    if numbers:
        place = numbers[int(rng.integers(len(numbers)))]
        values = (b"0", b"-1", b"7", b"64", b"65", b"1000", b"99999999", b"1e9", b"0.3", b"x")
        raw[slice(*place.span())] = values[int(rng.integers(len(values)))]


def run(n: int, seed: int = 0, kinds: tuple[str, ...] = KINDS, workers: int = 2) -> dict:
    """Read ``n`` mutated files.

    Returns:
      "read" and "refused" (how many, by kind), "faults" (kind, number, what), the longest CPU time
      and the most memory.
    """
    cases = [(kinds[i % len(kinds)], i // len(kinds)) for i in range(n)]
    bar = tqdm(total=n, desc="files", disable=None)
    with ThreadPoolExecutor(workers) as pool:
        shares = [cases[worker::workers] for worker in range(workers)]
        outcomes = [
            o for part in pool.map(lambda share: _attend(share, seed, bar), shares) for o in part
        ]
    bar.close()
    return {
        "read": dict(Counter(o["kind"] for o in outcomes if o["what"] == "read")),
        "refused": dict(Counter(o["kind"] for o in outcomes if o["what"] == "refused")),
        "faults": [(o["kind"], o["number"], o["fault"]) for o in outcomes if o["fault"]],
        "cpu": max((o["cpu"] for o in outcomes), default=0.0),
        "memory": max((o["memory"] for o in outcomes), default=0.0),
    }


def _attend(cases: list[tuple[str, int]], seed: int, bar) -> list[dict]:
    """Give cases to a process, one by one; start another where it dies or hangs."""
    outcomes, process, pipe = [], None, None
    for kind, number in cases:
        if process is None:
            pipe, end = get_context("spawn").Pipe()
            process = get_context("spawn").Process(target=_work, args=(end, seed), daemon=False)
            process.start()
            end.close()
        outcome = {"kind": kind, "number": number, "what": "fault", "cpu": 0.0, "memory": 0.0}
        try:
            pipe.send((kind, number))
            outcome |= pipe.recv() if pipe.poll(_PATIENCE) else {"fault": "hangs"}
        except (EOFError, OSError):
            outcome["fault"] = "the process was killed"
        if outcome["fault"] in ("hangs", "the process was killed"):
            process.kill()
            process = None
        outcomes.append(outcome)
        bar.update()
    if process is not None:
        pipe.send(None)
        process.join()
    return outcomes


def _work(pipe, seed: int) -> None:
    """Read what is asked for until None comes."""
    import musiclab.data
    from musiclab.data import read_music

    files = originals()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("mid", "musicxml", "abc"):  # what is imported on first use is no file's memory
            file = Path(folder, f"first.{kind}")
            file.write_bytes(files[kind][0])
            musiclab.data.musicxml_bytes(read_music(file))
        before = _peak()
        while (case := pipe.recv()) is not None:
            kind, number = case
            file = Path(folder, f"case.{kind}")
            file.write_bytes(mutated(kind, number, seed, files))
            pipe.send(_outcome(kind, file, before))


def _outcome(kind: str, file: Path, before: float) -> dict:
    """What came of one file."""
    from musiclab.data import DataError

    printed = io.StringIO()
    what, fault, started = "read", None, time.process_time()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            _read(kind, file)
    except DataError as error:
        what = "refused"
        if len(str(error)) > 400 or _PARSER_TEXT.search(str(error)):
            fault = f"a parser's text: {error}"
    except Exception as error:
        what, fault = "fault", f"{type(error).__name__}: {error}"
    cpu, memory = time.process_time() - started, _peak() - before
    if printed.getvalue():
        fault = f"printed: {printed.getvalue()[:200]}"
    if cpu > _CPU or memory > _MEMORY:
        fault = f"{cpu:.1f} s of CPU time, {memory:.0f} MB"
    return {"what": what, "fault": fault, "cpu": cpu, "memory": memory}


def _read(kind: str, file: Path) -> None:
    from musiclab.data import load_arrays, midi_bytes, musicxml_bytes, read_music
    from musiclab.data.corpora.benchmark import load_benchmark

    if kind == "npz":
        load_arrays(file)
    elif kind in ("json", "pickle", "mat"):
        load_benchmark(file)
    else:
        piece = read_music(file)
        midi_bytes(piece)
        if piece.voices.size < 2000:
            musicxml_bytes(piece)


def _peak() -> float:
    """The most memory that this process or one it started ever took, in MB; 0 where that is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return (
        max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        / unit
    )


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit status 1 if there is a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--n", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only files of this kind")
    options = parser.parse_args(arguments)
    found = run(options.n, options.seed, tuple(options.kind or KINDS))
    print(f"read: {found['read']}\nrefused: {found['refused']}")
    print(f"longest: {found['cpu']:.1f} s of CPU time; most memory: {found['memory']:.0f} MB")
    for kind, number, fault in found["faults"]:
        print(f"FAULT {kind} {number}: {fault}")
    print(f"{len(found['faults'])} faults in {options.n} files, seed {options.seed}")
    return int(bool(found["faults"]))


if __name__ == "__main__":
    sys.exit(main())
