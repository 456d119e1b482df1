"""The music that ships: what is in it, how it is split, and how fast it loads."""

import re
import time

import numpy as np
import pytest

from musiclab.data import (
    Chorale,
    DataError,
    Piece,
    load_chorales,
    load_tunes,
    melody_runs,
    pack,
    path,
    save_arrays,
    sha256,
    unpack,
)
from musiclab.data.files import storage


@pytest.fixture(scope="module")
def chorales():
    return load_chorales()


def test_every_piece_passes_the_checks_that_loading_skips(chorales):
    for piece in [*chorales, *load_tunes()]:
        again = piece.with_()
        for name in ("voices", "onsets", "spelling", "downbeats", "beat", "fermatas"):
            ours, checked = getattr(piece, name), getattr(again, name)
            assert ours.dtype == checked.dtype
            np.testing.assert_array_equal(ours, checked)


def test_chorales_are_four_voices_in_vocal_ranges(chorales):
    voices = np.concatenate([c.voices for c in chorales])
    assert voices.shape[1] == 4
    for voice, (low, high) in enumerate([(57, 81), (53, 74), (48, 69), (36, 64)]):
        sounding = voices[:, voice][voices[:, voice] >= 0]
        assert low <= sounding.min()
        assert sounding.max() <= high


def test_the_opening_of_bwv_66_6(chorales):
    """Read off a printed score: F sharp minor, a pickup of one quarter, soprano C#5 B4 | A4 B4 C#5."""
    piece = next(c for c in chorales if c.bwv == "bwv66.6")
    assert (piece.key_signature, piece.tonic, piece.mode, piece.time_signature) == (
        3,
        6,
        "minor",
        "4/4",
    )
    assert piece.pickup == 4
    soprano = piece.voices[piece.onsets[:, 0], 0][:5].tolist()
    assert soprano == [73, 71, 69, 71, 73]
    assert piece.voices[0].tolist() == [73, 64, 57, 57] or piece.voices[0].tolist()[0] == 73


def test_spellings_name_their_pitches(chorales):
    for piece in [*chorales, *load_tunes()]:
        sounding = piece.voices >= 0
        assert (piece.spelling[sounding] != -128).all()
        assert (piece.spelling[~sounding] == -128).all()
        np.testing.assert_array_equal(
            piece.spelling[sounding].astype(int) * 7 % 12, piece.voices[sounding] % 12
        )


def test_downbeats_are_beat_zero_and_most_pieces_have_a_pickup(chorales):
    for piece in chorales:
        assert (piece.beat[piece.downbeats] == 0).all()
        if piece.pickup:
            assert np.flatnonzero(piece.downbeats)[0] == piece.pickup
    share = np.mean([c.pickup > 0 for c in chorales])
    assert 0.6 < share < 0.8


def test_fermatas_stand_where_phrases_end(chorales):
    with_some = [c for c in chorales if c.fermatas.any()]
    assert len(with_some) > 0.9 * len(chorales)
    for piece in with_some:
        assert piece.onsets[piece.fermatas].any()


def test_splits_are_disjoint_and_complete(chorales):
    for by in ("benchmark", "melody"):
        parts = {
            split: {c.bwv for c in load_chorales(split, by)} for split in ("train", "valid", "test")
        }
        assert (
            sum(len(p) for p in parts.values())
            == len(chorales)
            == len(set().union(*parts.values()))
        )


def test_no_melody_crosses_split_melody_but_many_cross_the_benchmark():
    def leaking(by):
        known = {run for c in load_chorales("train", by) for run in melody_runs(c)}
        return sum(bool(melody_runs(c) & known) for c in load_chorales("test", by))

    assert leaking("melody") == 0
    assert leaking("benchmark") > 30


def test_excluded_pieces_never_come_out(chorales):
    everything = unpack("chorales.npz", Chorale, ("bwv", "split", "melody", "split_melody"), 4)
    assert any(c.split == "excluded" for c in everything)
    assert all(c.split != "excluded" for c in chorales)


def test_what_is_held_out_by_melody_is_held_out_by_the_benchmark_or_not_in_it():
    benchmark = {
        line.split(",")[0]: line.split(",")[1]
        for line in path("jsb_split.csv").read_text().splitlines()[1:]
    }
    for chorale in load_chorales("test", by="melody"):
        assert benchmark.get(chorale.bwv, "held out") != "train"


@pytest.mark.parametrize("options", [{"split": "dev"}, {"by": "composer"}])
def test_unknown_splits_are_refused(options):
    with pytest.raises(ValueError, match="split is one of"):
        load_chorales(**options)


def test_tunes_by_dance():
    jigs = [tune for tune in load_tunes() if tune.dance == "jig"]
    assert len(jigs) > 100
    assert np.mean([t.time_signature == "6/8" for t in jigs]) > 0.8


def test_only_triplets_were_rounded():
    assert {round(t.rounded * 12, 4) for t in load_tunes()} == {0, 1}


def test_loading_takes_a_twentieth_of_a_second():
    times = []
    for _ in range(5):
        start = time.process_time()
        load_chorales(), load_tunes()
        times.append(time.process_time() - start)
    assert min(times) < 0.05


def test_packing_and_unpacking(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jsb_split.csv").touch()
    monkeypatch.setattr(storage, "_HERE", tmp_path / "musiclab" / "data" / "files" / "storage.py")
    pieces = [
        Piece([[60], [62]], name="a"),
        Piece([[-1], [70], [70]], [[0], [1], [1]], name="b", pickup=1),
    ]
    file = tmp_path / "data" / "some.npz"
    save_arrays(file, pack(pieces, ()))
    storage.record_checksum(file)
    back = unpack("some.npz", Piece, (), 1)
    assert [p.name for p in back] == ["a", "b"]
    for one, other in zip(pieces, back):
        np.testing.assert_array_equal(one.voices, other.voices)
        np.testing.assert_array_equal(one.onsets, other.onsets)
        assert one.pickup == other.pickup
        with pytest.raises(ValueError, match="read-only"):
            other.voices[0] = 1
    with pytest.raises(DataError, match="voices should be"):
        unpack("some.npz", Piece, (), 4)
    with pytest.raises(DataError, match="lacks bwv"):
        unpack("some.npz", Chorale, ("bwv",), 1)
    with pytest.raises(ValueError, match="no piece"):
        pack([], ())


def test_every_data_file_has_its_row_and_its_checksum():
    root = path("jsb_split.csv").parent
    files = {
        f.relative_to(root).as_posix(): sha256(f)
        for f in root.rglob("*")
        if f.is_file()
        and f.name not in ("README.md", "SHA256SUMS")
        and "own" not in f.relative_to(root).parts
    }
    listed = {
        line.split()[1]: line.split()[0] for line in (root / "SHA256SUMS").read_text().splitlines()
    }
    row = re.compile(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|[^|]+\|[^|]+\|[^|]+\|$", re.MULTILINE)
    rows = dict(row.findall((root / "README.md").read_text(encoding="utf-8")))
    assert files == listed == rows
