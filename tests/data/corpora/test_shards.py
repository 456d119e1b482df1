"""Collections in shards: the notes come back, a killed build goes on, bad files are listed."""

import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from musiclab.data import DataError, Piece, load_chorales, load_tunes, read_music, write_midi
from musiclab.data.corpora import shards
from musiclab.data.corpora.shards import Shards, build_shards
from musiclab.data.files.musicxml import write_musicxml

KEPT = ("voices", "onsets", "downbeats", "beat")


def fill(folder, n=12):
    """Chorales and one-voice tunes as files, in two folders."""
    folder.mkdir()
    (folder / "tunes").mkdir()
    pieces = load_chorales("test")[: n // 2] + load_tunes()[: n // 2]
    for i, piece in enumerate(pieces):
        place = folder / "tunes" if piece.voices.shape[1] == 1 else folder
        write_midi(piece, place / f"{i:02}.mid")
    return folder


def arrays(out):
    """All bytes of all shards, by path."""
    files = sorted(file for file in out.rglob("*") if file.is_file())
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("music") / "music")


@pytest.fixture(scope="module")
def whole(folder):
    return build_shards(folder, folder.parent / "whole", files=3)


def test_pieces_come_back_as_read(folder, whole):
    assert len(whole) == 12
    assert whole.refused == []
    assert {whole[i].voices.shape[1] for i in range(len(whole))} == {1, 4}
    for i in range(len(whole)):
        piece = whole[i]
        read = read_music(folder / f"{piece.name}.mid")
        for name in KEPT:
            np.testing.assert_array_equal(getattr(piece, name), getattr(read, name), err_msg=name)
        assert (piece.pickup, piece.time_signature) == (read.pickup, read.time_signature)
    with pytest.raises(IndexError, match="piece 12: there are 12"):
        whole[12]


def test_notes_by_hand():
    """C held for two steps, struck again, a rest; below it one long note."""
    piece = Piece(
        [[60, 48], [60, 48], [60, 48], [-1, 48]],
        onsets=[[True, True], [False, False], [True, False], [False, False]],
    )
    assert shards._to_notes(piece).tolist() == [[0, 2, 60, 0], [0, 4, 48, 1], [2, 1, 60, 0]]


def test_an_irregular_bar_keeps_its_beats():
    bars = np.isin(np.arange(44), [4, 20, 28])  # a pickup; the third bar is half as long
    first = np.maximum.accumulate(np.where(bars, np.arange(44), -12))
    piece = Piece([60] * 44, downbeats=bars, beat=(np.arange(44) - first) // 4, pickup=4)
    about = [*piece.voices.shape, 4, 7, 1, 1, 4, 4]
    made = shards._to_piece(
        shards._to_notes(piece), np.flatnonzero(bars), dict(zip(shards._PIECE, about)), "x"
    )
    for name in KEPT:
        np.testing.assert_array_equal(getattr(made, name), getattr(piece, name), err_msg=name)
    assert (made.tonic, made.mode, made.key_signature) == (7, "minor", 1)


def test_blocks_stream_every_note_once(whole):
    parts = list(whole.blocks(2))
    notes = np.concatenate([block for block, _ in parts])
    counts = np.concatenate([n for _, n in parts])
    assert len(notes) == counts.sum() == whole.notes
    assert counts.tolist() == [int(whole[i].onsets.sum()) for i in range(12)]
    shuffled = np.concatenate([block for block, _ in whole.blocks(2, seed=1)])
    assert not np.array_equal(shuffled, notes)
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(notes, axis=0))
    again = np.concatenate([block for block, _ in whole.blocks(2, seed=1)])
    np.testing.assert_array_equal(shuffled, again)
    with pytest.raises(ValueError, match="pieces=0"):
        next(whole.blocks(0))


def test_killed_half_way_and_resumed_gives_identical_arrays(tmp_path, folder, whole):
    out = tmp_path / "out"
    code = (
        "import sys; from pathlib import Path\n"
        "from musiclab.data.corpora import shards\n"
        "if __name__ == '__main__':\n"
        "    shards.build_shards(Path(sys.argv[1]), Path(sys.argv[2]), files=3)\n"
    )
    script = tmp_path / "build.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(shards.__file__).resolve().parents[3])}
    child = subprocess.Popen(
        [sys.executable, str(script), str(folder), str(out)],
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    until = time.monotonic() + 100
    while not (out / "shard-00000").exists() and time.monotonic() < until:
        time.sleep(0.005)
    child.kill()
    child.wait()
    time.sleep(1)  # its workers end when they find that it is gone
    shutil.rmtree(out / "shard-00001", ignore_errors=True)
    (out / ".shard-00001").mkdir(exist_ok=True)  # what a kill in the middle of a shard leaves
    (out / ".shard-00001" / "notes.npy").write_bytes(b"half")
    kept = {file: file.stat().st_mtime_ns for file in out.glob("shard-*/notes.npy")}
    assert kept
    build_shards(folder, out, files=3)
    assert arrays(out) == arrays(whole.folder)
    assert all(file.stat().st_mtime_ns == time_ns for file, time_ns in kept.items())


def test_a_changed_file_rebuilds_its_shard_and_a_smaller_folder_loses_some(tmp_path, whole, folder):
    copied, out = tmp_path / "music", tmp_path / "out"
    shutil.copytree(folder, copied)
    build_shards(copied, out, files=3)
    before = arrays(out)
    write_midi(Piece([60] * 16), copied / "04.mid")
    build_shards(copied, out, files=3)
    changed = {name.split("/")[0] for name, raw in arrays(out).items() if before[name] != raw}
    assert changed == {"shard-00001"}
    shutil.rmtree(copied / "tunes")
    assert len(build_shards(copied, out, files=3)) == 6
    assert sorted(file.name for file in out.iterdir()) == ["shard-00000", "shard-00001"]


def test_a_bad_file_is_reported_and_not_fatal(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    write_midi(Piece([[60, 55]] * 16), folder / "duet.mid")
    write_musicxml(Piece([[60, 64, 67]] * 16), folder / "trio.musicxml")
    (folder / "book.abc").write_text(
        "X:1\nT:one\nM:4/4\nL:1/4\nK:C\nCDEF|\n\nX:2\nT:two\nM:4/4\nL:1/4\nK:C\nGFED|\n",
        encoding="utf-8",
    )
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "empty.abc").write_bytes(b"")
    (folder / "readme.txt").write_text("no music", encoding="utf-8")
    made = build_shards(folder, tmp_path / "out")
    assert [made[i].name for i in range(len(made))] == ["book/1", "book/2", "duet", "trio"]
    assert [made[i].voices.shape[1] for i in range(len(made))] == [1, 1, 2, 3]
    assert [name for name, _ in made.refused] == ["broken", "empty"]
    assert all(reason for _, reason in made.refused)
    assert "files left out: 2)" in repr(made)


def test_a_shard_of_bad_files_alone(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "a.mid").write_bytes(b"MThd")
    write_midi(Piece([60] * 16), folder / "b.mid")
    made = build_shards(folder, tmp_path / "out", files=1)
    assert [len(made), made[0].name, len(list(made.blocks()))] == [1, "b", 1]


def test_bad_input(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        build_shards(tmp_path / "none", tmp_path / "out")
    with pytest.raises(DataError, match=r"holds no \.mid"):
        build_shards(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match="files=0"):
        build_shards(tmp_path, tmp_path / "out", files=0)
    with pytest.raises(DataError, match="holds no shards"):
        Shards(tmp_path)


def test_streaming_holds_one_block(whole):
    list(whole.blocks(1))
    tracemalloc.start()
    for notes, _ in whole.blocks(1):
        biggest = notes.nbytes
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert biggest < peak < 300_000
