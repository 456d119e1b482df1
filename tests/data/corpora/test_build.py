"""Building data from a corpus and from a folder of one's own."""

import csv
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from musiclab.data import Piece, load_chorales, load_tunes, path
from musiclab.data.corpora import build
from musiclab.data.files import storage
from musiclab.data.files.midi import write_midi
from musiclab.data.files.musicxml import write_musicxml


def tune(seed, name, shift=0):
    soprano = np.repeat(np.random.default_rng(seed).integers(60, 76, 24), 4)
    voices = np.stack([soprano, soprano - 5, soprano - 9, soprano - 16], axis=1) + shift
    return Piece(voices, name=name)


def test_splits_by_hand():
    """a trains; b has a's tune but is held out; x is new with b's tune; y is new and alone; c is held out and alone."""
    pieces = [tune(1, "a"), tune(1, "b", 2), tune(1, "x"), tune(2, "y"), tune(3, "c"), tune(4, "v")]
    made = build.assign_splits(pieces, {"a": "train", "b": "test", "c": "test", "v": "valid"})
    assert [c.split for c in made] == ["train", "test", "excluded", "train", "test", "valid"]
    assert [c.melody for c in made] == ["a", "a", "a", "y", "c", "v"]
    assert [c.split_melody for c in made] == ["train", "train", "train", "train", "test", "valid"]


def test_silent_bars_are_cut_and_bar_lines_stay():
    line = np.full((4 + 16 * 4 + 12, 2), -1)
    line[:20, 0] = 60  # the pickup and the first bar
    line[52:56, 1] = 50  # one quarter in the fourth; the second, third and last are silent
    piece = Piece(line, pickup=4, fermatas=np.arange(len(line)) == 52)
    cut = build.without_silent_bars(piece)
    np.testing.assert_array_equal(cut.voices, line[[*range(20), *range(52, 68)]])
    assert np.flatnonzero(cut.downbeats).tolist() == [4, 20]


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jsb_split.csv").write_bytes(path("jsb_split.csv").read_bytes())
    monkeypatch.setattr(storage, "_HERE", tmp_path / "musiclab" / "data" / "files" / "storage.py")
    return tmp_path


def test_an_instructors_folder_becomes_a_set_that_lessons_accept(home, capsys):
    folder = home / "hymns"
    (folder / "sub").mkdir(parents=True)
    for seed in range(4):
        write_midi(tune(seed, f"m{seed}"), folder / f"m{seed}.mid")
    write_musicxml(tune(9, "x"), folder / "sub" / "x.musicxml")
    write_midi(Piece([[60, 55]] * 16), folder / "duet.mid")
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "notes.txt").write_text("not music", encoding="utf-8")
    assert build.main(["--music", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert 'MUSIC = "own/hymns.npz"' in printed
    assert "1: it has 2 voices; the lessons need four, one per track or staff: duet" in printed
    assert "broken" in printed
    pieces = load_chorales(music="own/hymns.npz")
    assert sorted(p.bwv for p in pieces) == ["m0", "m1", "m2", "m3", "sub/x"]
    np.testing.assert_array_equal(
        next(p for p in pieces if p.bwv == "m2").voices, tune(2, "").voices
    )


def test_a_collection_gives_each_of_its_tunes(home, capsys):
    folder = home / "hymns"
    folder.mkdir()
    four = "".join(
        f"[V:{v}]{notes}|\n" for v, notes in enumerate(("c2d2", "G2G2", "E2D2", "C2B,2"))
    )
    tunes = [f"X:{n}\nT:Hymn\nM:4/4\nL:1/4\nK:C\n{four}" for n in (3, 8)]
    tunes += [f"X:{n}\nT:Air\nK:C\nCDE\n" for n in (9, 10)] + ["X:11\nT:Slip\nK:C\nC}D\n"]
    (folder / "book.abc").write_text("\n".join(tunes), encoding="utf-8")
    assert build.main(["--music", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "hymns.npz: 2 pieces, 3 left out" in printed
    assert "2: it has 1 voice;" in printed
    assert "book/9, book/10" in printed
    assert "'}D' is not ABC: book/11 (line" in printed
    assert [p.bwv for p in load_chorales(music="own/hymns.npz")] == ["book/3", "book/8"]


KILLED = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from musiclab.data.corpora import build

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=build.end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="asks for a process by its number, as POSIX does")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)  # it is there
        parent.kill()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail(f"worker {worker} still runs 10 s after its parent was killed")


def test_a_folder_without_music_says_why(home, capsys):
    (home / "empty").mkdir()
    (home / "empty" / "bad.mid").write_bytes(b"nothing")
    assert build.main(["--music", str(home / "empty")]) == 1
    assert "bad" in capsys.readouterr().err
    assert build.main(["--music", str(home / "nowhere")]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_chorales_from_the_corpus_are_those_that_ship(monkeypatch):
    """Three works read anew: one with pickup, one in 3/4, one with instruments beside its voices."""
    names = ["bwv66.6", "bwv17.7", "bwv1.6"]
    shipped = {c.bwv: c for c in load_chorales()}
    files = {file.name.split(".mxl")[0]: file for file in build._corpus("bach")}
    for name in names:
        piece = build._read_chorale((name, files[name]))
        for field in ("voices", "onsets", "spelling", "downbeats", "beat", "fermatas"):
            np.testing.assert_array_equal(
                getattr(piece, field), getattr(shipped[name], field), err_msg=name
            )
        assert (piece.tonic, piece.mode, piece.pickup) == tuple(
            getattr(shipped[name], field) for field in ("tonic", "mode", "pickup")
        )


def test_tunes_from_the_corpus_are_those_that_ship():
    shipped = {t.name: t for t in load_tunes()}
    files = {file.stem: file for file in build._corpus("ryansMammoth")}
    chosen = [
        next(n for n, t in shipped.items() if (t.rounded > 0) == rounded)
        for rounded in (True, False)
    ]
    for name in chosen:
        tune_ = build._read_tune((name, files[name]))
        np.testing.assert_array_equal(tune_.voices, shipped[name].voices)
        np.testing.assert_array_equal(tune_.onsets, shipped[name].onsets)
        assert (tune_.dance, tune_.rounded) == (shipped[name].dance, shipped[name].rounded)


def test_a_tune_in_32nds_is_left_out_in_words():
    files = {file.stem: file for file in build._corpus("ryansMammoth")}
    assert "shorter than a 16th" in build._try(
        build._read_tune, ("AcaciaReel", files["AcaciaReel"])
    )


def test_the_catalogues_order():
    names = ["bwv10.7", "bwv2.6", "bwv248.64-s", "bwv248.9-1", "bwv1.6"]
    assert sorted(names, key=build._catalogue) == [
        "bwv1.6",
        "bwv2.6",
        "bwv10.7",
        "bwv248.9-1",
        "bwv248.64-s",
    ]


def test_every_row_of_the_benchmark_is_a_known_split():
    with path("jsb_split.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 371
    assert {row["split"] for row in rows} == {"train", "valid", "test"}
