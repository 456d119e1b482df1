"""Real music passes, and every impostor is found out."""

import functools

import numpy as np
import pytest

from musiclab.data.corpora.chorales import load_chorales
from musiclab.data.encodings.piano_roll import from_piano_roll, piano_roll
from musiclab.data.encodings.transposition import to_common_key, transpose
from musiclab.data.encodings.windows import windows
from musiclab.data.piece import Piece
from musiclab.metrics import looks_like_music

KINDS = ["whole chorales", "whole sopranos", "two-bar windows", "two-bar sopranos"]
N = 20


@functools.cache
def real_music(kind):
    """(training, valid, test) of a kind; melodies by the split that keeps their families apart."""
    by = "melody" if "sopranos" in kind else "benchmark"
    sets = []
    for split in ("train", "valid", "test"):
        pieces = [to_common_key(piece) for piece in load_chorales(split, by=by)]
        if "two-bar" in kind:
            pieces = [Piece(v, o) for v, o in zip(*windows(pieces))]
            if split != "train":
                pieces = pieces[:: len(pieces) // 120]
        if "sopranos" in kind:
            pieces = [
                Piece(p.voices[:, :1], p.onsets[:, :1], pickup=p.pickup, downbeats=p.downbeats)
                for p in pieces
            ]
        sets.append(
            pieces[: 1000 if "two-bar" in kind else 120]
        )  # enough to be copied from, and quicker
    return sets


def some(pieces, n=N, seed=0):
    picked = np.random.default_rng(seed).choice(len(pieces), min(n, len(pieces)), replace=False)
    return [pieces[i] for i in picked]


def uniform_noise(like, rng):
    return [Piece(rng.integers(36, 82, p.voices.shape)) for p in like]


def independent_cells(like, rng):
    often = np.concatenate([piano_roll(p) for p in like]).mean(axis=0)
    n_voices = like[0].voices.shape[1]
    return [
        from_piano_roll((rng.random((p.steps, 88)) < often).astype(float), n_voices=n_voices)
        for p in like
    ]


def silence(like, rng):
    return [Piece(np.full(p.voices.shape, -1)) for p in like]


def held_chord(like, rng):
    return [Piece(np.tile([72, 67, 64, 48][: p.voices.shape[1]], (p.steps, 1))) for p in like]


def shuffled_voices(like, rng):
    """Each voice real, each from another piece: only several voices together can give it away."""
    made = []
    for _ in like:
        parts = [like[i] for i in rng.choice(len(like), like[0].voices.shape[1])]
        steps = min(p.steps for p in parts)
        voices = np.stack([p.voices[:steps, v] for v, p in enumerate(parts)], axis=1)
        onsets = np.stack([p.onsets[:steps, v] for v, p in enumerate(parts)], axis=1)
        made.append(Piece(voices, onsets))
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_pieces_pass(kind):
    training, valid, test = real_music(kind)
    for generated, real, source in (
        (some(valid), test, training),
        (some(test, 10), valid, None),
        (valid, test, None),
    ):
        report = looks_like_music(generated, real, source)
        assert report.passed, f"{kind}\n{report}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("impostor", [uniform_noise, independent_cells, silence, held_chord])
def test_impostors_fail_without_a_look_at_training(kind, impostor):
    training, _, test = real_music(kind)
    rng = np.random.default_rng(1)
    for n in (10, 30):
        report = looks_like_music(impostor(some(training, n), rng), test)
        assert len(report.failed) >= 2, report


@pytest.mark.parametrize("kind", ["whole chorales", "two-bar windows"])
def test_real_voices_from_different_pieces_fail_by_what_they_do_together(kind):
    training, _, test = real_music(kind)
    report = looks_like_music(shuffled_voices(some(training), np.random.default_rng(2)), test)
    assert "dissonance" in report.failed
    assert not {"hold rate", "stepwise motion", "on the beat", "pitch range"} & set(report.failed)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_training_pieces_fail_only_where_copies_are_looked_for(kind):
    training, _, test = real_music(kind)
    copies = [transpose(piece, 2) for piece in some(training, seed=3)]
    assert looks_like_music(copies, test).passed
    report = looks_like_music(copies, test, training)
    assert "longest shared run" in report.failed
    assert set(report.failed) <= {"longest shared run", "nearest fragment", "most copied piece"}


@pytest.mark.parametrize("kind", ["whole chorales", "whole sopranos"])
def test_a_single_copy_fails_alone_and_among_real_pieces(kind):
    training, valid, test = real_music(kind)
    assert "most copied piece" in looks_like_music(training[0], test, training).failed
    assert looks_like_music([*test[:19], training[0]], valid, training).failed == [
        "most copied piece"
    ]


def test_one_piece_over_and_over_fails_by_its_lack_of_variety():
    _, valid, test = real_music("two-bar windows")
    assert "diversity" in looks_like_music([valid[5]] * N, test).failed


def test_a_leaking_split_is_said_rather_than_passed_off():
    training, _, test = real_music("whole sopranos")
    report = looks_like_music(some(training), [*test, *training[:10]], training)
    limits = {row.measure: row.high for row in report.rows}
    assert limits["most copied piece"] == np.inf
    assert "anything" in str(report)


def test_a_value_is_the_mean_over_pieces_and_the_range_surrounds_the_real_mean():
    from musiclab.metrics import hold_rate

    _, valid, test = real_music("whole chorales")
    row = looks_like_music(valid[:12], test).rows[0]
    assert row.measure == "hold rate"
    assert row.generated == pytest.approx(np.mean([hold_rate(p) for p in valid[:12]]))
    assert (row.low + row.high) / 2 == pytest.approx(np.mean([hold_rate(p) for p in test]))
    values = [hold_rate(p) for p in test]
    # five standard errors of a difference of means, as statistics books have it
    error = np.std(values) * np.sqrt(1 / 12 + 1 / len(values))
    assert row.high - row.low == pytest.approx(2 * 5 * error, rel=0.12)


def test_ranges_narrow_with_more_pieces_up_to_twenty():
    _, valid, test = real_music("whole chorales")
    widths = [
        np.subtract(*looks_like_music(valid[:n], test).rows[0][3:1:-1]) for n in (2, 10, 20, 40)
    ]
    assert widths[0] > 1.5 * widths[1] > 1.5 * widths[2]
    assert widths[3] == pytest.approx(widths[2])


def test_same_seed_same_report():
    _, valid, test = real_music("two-bar sopranos")
    assert str(looks_like_music(valid[:9], test, seed=4)) == str(
        looks_like_music(valid[:9], test, seed=4)
    )
    assert str(looks_like_music(valid[:9], test, seed=4)) != str(
        looks_like_music(valid[:9], test, seed=5)
    )


def test_the_report_reads_as_text_and_as_a_table():
    training, _, test = real_music("two-bar sopranos")
    report = looks_like_music(silence(some(training), None), test)
    text, page = str(report), report._repr_html_()
    assert "does not look like music: hold rate" in text
    assert "not compared with training pieces" in text
    for row in report.rows:
        assert row.measure in text
        assert f">{row.measure}<" in page
        assert f">{row.meaning}<" in page
    assert text.count("undefined") == sum(np.isnan(row.generated) for row in report.rows) > 0
    assert page.count("<tr>") == len(report.rows) + 1
    assert "<caption" in page


def test_one_voice_is_not_judged_on_counterpoint():
    names = {
        kind: {
            row.measure
            for row in looks_like_music(some(real_music(kind)[1]), real_music(kind)[2]).rows
        }
        for kind in ("whole chorales", "whole sopranos")
    }
    assert names["whole chorales"] - names["whole sopranos"] == {
        "dissonance",
        "parallel perfects",
        "voice crossings",
        "polyphony",
    }


def test_unlike_sets_are_refused():
    _, valid, test = real_music("whole chorales")
    short = real_music("two-bar windows")[1]
    with pytest.raises(ValueError, match="typically 32 steps long, real ones"):
        looks_like_music(short, test)
    with pytest.raises(ValueError, match="1 and 4 voices"):
        looks_like_music(valid, real_music("whole sopranos")[2])
    with pytest.raises(ValueError, match="two or more"):
        looks_like_music(valid, test[:1])
    with pytest.raises(ValueError, match="generated: there is none"):
        looks_like_music([], test)
