"""The inpainting network: a NumPy twin from its file, masks, sampling, and the notes the page must write."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from musiclab.data import DataError, Piece, load_chorales
from musiclab.data.encodings.cells import PITCHES, encode_cells, encode_form, told_mood
from musiclab.data.files.float16 import read_float16, write_float16
from musiclab.models.attention import inpainting
from musiclab.models.attention.inpainting import Inpainting

FIXTURE = Path(__file__).parents[2] / "fixtures" / "16_inpainting.json"


@pytest.fixture(scope="module")
def model():
    return Inpainting.from_file()


@pytest.fixture(scope="module")
def chorale():
    return load_chorales("valid", by="melody")[0]


def norm(x, scale):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * (1 + scale)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def twin(cells, visible, form, mood, strictness):
    """Logits (T, 4, 123) in NumPy, read off the file and its metadata alone, cell by cell."""
    w, said = read_float16("weights/16_inpainting.safetensors")
    P, steps = int(said["pitches"]), len(cells)
    note = np.where(cells > P, cells - P, cells)
    pitch, strike = np.where(visible, note, P + 1), np.where(visible, cells > P, 2)
    h = sum(w["pitch"][v, pitch[:, v]] + w["strike"][v, strike[:, v]] for v in range(4))
    for name, columns in (("form", form), ("mood", mood)):
        start = 0
        for i, size in enumerate(said[f"{name}_sizes"].split()):
            h = h + w[name][start + columns[:, i]]
            start += int(size)
    for k, dilation in enumerate(map(int, said["dilations"].split())):
        x = norm(h, w[f"block{k}.scale"])
        padded = np.pad(x, ((dilation, dilation), (0, 0)))
        three = np.hstack([padded[:steps], x, padded[2 * dilation :]])
        a, b = np.split(three @ w[f"block{k}.kernel"] + w[f"block{k}.bias"], 2, axis=1)
        h = h + (a * sigmoid(a) * sigmoid(b)) @ w[f"block{k}.out"]  # Eq. (16.3)
    h = norm(h, w["scale"])
    z = np.stack([h @ w["kernel"][v] + w["bias"][v] for v in range(4)], axis=1)
    known = np.pad(np.where(visible, note, -1), ((1, 1), (0, 0)), constant_values=-1)
    pairs, (least, most) = said["pairs"].split(), map(int, said["interval_range"].split())
    for t in range(steps):
        for v in range(4):
            for c in range(1, P + 1):
                more = 0.0
                for o in range(4):
                    there = known[t + 1, o]
                    if o == v or there <= 0:
                        continue
                    pair, sign = pairs.index(f"{min(v, o)}{max(v, o)}"), 1 if v < o else -1
                    interval = sign * (c - there)
                    more += w["interval"][pair, np.clip(interval, least, most) - least]
                    for mine, theirs, arrives in (
                        (known[t, v], known[t, o], True),
                        (known[t + 2, v], known[t + 2, o], False),
                    ):
                        if mine > 0 and theirs > 0:
                            motion = np.sign((c - mine) * (there - theirs)) + 1
                            beside = sign * (mine - theirs) % 12, interval % 12
                            index = beside if arrives else beside[::-1]
                            factor = strictness if motion == 2 else 1.0
                            more += factor * w["table"][pair, *index, motion]  # Eq. (16.5)
                z[t, v, c] += more
                z[t, v, P + c] += more
                if t == 0 or (known[t, v] >= 0 and known[t, v] != c):
                    z[t, v, c] = -1e9
    return z


def test_logits_are_those_of_a_twin_that_reads_the_file(model, chorale):
    """Eqs. (16.3) and (16.5)."""
    cells, form = encode_cells(chorale)[:12], encode_form(chorale)[:12]
    rng = np.random.default_rng(0)
    visible, mood = rng.random(cells.shape) < 0.6, told_mood(form, density=2, mode="minor")
    batch = [one[None] for one in (cells, visible, form, mood)]
    found = model.logits(*batch, strictness=tf.constant(3.0)).numpy()[0]
    np.testing.assert_allclose(found, twin(cells, visible, form, mood, 3.0), atol=2e-4)


def test_padding_changes_nothing(model, chorale):
    cells, form = encode_cells(chorale)[None, :20], encode_form(chorale)[None, :20]
    visible, mood = np.zeros(cells.shape, bool), np.zeros((1, 20, 3), np.int32)
    grow = [(0, 0), (0, 9), (0, 0)]
    more = [np.pad(cells, grow), np.pad(visible, grow), np.pad(form, grow, constant_values=-1)]
    padded = model.logits(*more, np.pad(mood, grow))[:, :20]
    np.testing.assert_allclose(model.logits(cells, visible, form, mood), padded, atol=1e-5)


def test_likelihood_weights_by_the_number_of_hidden_cells():
    """Eq. (16.1): with a network of equal logits every estimate is D ln K, whatever is hidden."""
    model = Inpainting(units=4, dilations=(1,))
    model.kernel.assign(tf.zeros_like(model.kernel))
    piece = Piece(np.full((8, 4), 60))
    found = model.log_likelihood([piece], given=(), orders=6)
    # without what can't be held: 8 voices x 8ths; the first 8th and unequal neighbours have fewer
    assert found.shape == (1, 6)
    assert (found <= -16 * np.log(PITCHES + 1) + 1e-3).all()
    assert (found >= -16 * np.log(2 * PITCHES + 1) - 1e-3).all()


def test_loss_is_a_mean_of_means():
    """Eq. (16.2): an excerpt with one hidden cell counts as much as one with four."""
    x = np.zeros((2, 2, 17), np.int32)
    x[0, 0, 4] = x[1, :, 4:6] = 1
    nats = np.zeros((2, 2, 4), np.float32)
    nats[0, 0, 0], nats[1, :, :2] = 3.0, 1.0
    loss = Inpainting(units=4, dilations=(1,)).compute_loss(
        tf.constant(x), y_pred=tf.constant(nats)
    )
    assert float(loss) == pytest.approx((3.0 + 1.0) / 2)


def test_masks_are_annealed():
    """Eq. (16.4): all cells, then fewer, at last one in twenty."""
    free = np.ones((500, 4), bool)
    hidden, _ = inpainting.annealed_masks(free, 8, seed=3)
    wanted = np.maximum(0.05, 1 - np.arange(8) / 6)
    np.testing.assert_allclose(hidden.mean(axis=(1, 2)), wanted, atol=0.04)
    assert not inpainting.annealed_masks(~free, 2, 0)[0].any()


def test_numbers_of_hidden_cells_are_even():
    """Eq. (16.1)."""
    rng, free = np.random.default_rng(0), np.array([False, True, True, False])
    masks = np.stack([inpainting.draw_masks(rng, 2, free) for _ in range(4000)])
    counts = np.bincount(masks.sum(axis=(1, 2)), minlength=5)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:] / 4000, 0.25, atol=0.03)
    assert not masks[..., [0, 3]].any()


def test_guidance_moves_away_from_the_untold(model, chorale):
    """Eq. (16.6): logits + g (logits - untold) against two calls."""
    cells, form = encode_cells(chorale)[None, :8], encode_form(chorale)[None, :8]
    hidden, mood = np.ones((1, 1, 8, 4), bool), told_mood(form[0], density=4)[None]
    told, untold = (
        model.logits(cells, ~hidden[0], form, m, tf.constant(1.0)) for m in (mood, 0 * mood)
    )
    u = np.random.default_rng(1).random((1, 1, 8, 4))
    wanted = inpainting.inverse_cdf((told + 2.0 * (told - untold)) / 0.7, u[0])
    settings = [tf.constant(one, tf.float32) for one in (0.7, 1.0, 2.0)]
    found = model._generate(cells, form, mood, tf.constant(hidden), tf.constant(u), *settings)
    np.testing.assert_array_equal(found[0], wanted)


def parallels(cells):
    """Places (t, upper, lower) where two voices arrive in parallel perfects, by the rule in words."""
    pitch = np.where(cells > PITCHES, cells - PITCHES, cells)
    found = set()
    for t in range(1, len(pitch)):
        for v in range(4):
            for w in range(v + 1, 4):
                a, b, c, d = (int(pitch[s, o]) for s, o in ((t - 1, v), (t - 1, w), (t, v), (t, w)))
                perfect = abs(a - b) % 12 in (0, 7) and abs(c - d) % 12 == abs(a - b) % 12
                if min(a, b, c, d) > 0 and perfect and (c - a) * (d - b) > 0:
                    found.add((t, v, w))
    return found


def test_the_pitches_that_make_parallels():
    rng = np.random.default_rng(0)
    for _ in range(20):
        cells = rng.choice([0, 20, 27, 32, 34, 39, 41], size=(3, 4)) + 0
        t, v = int(rng.integers(3)), int(rng.integers(4))
        wanted = []
        for pitch in range(PITCHES + 1):
            changed = cells.copy()
            changed[t, v] = pitch
            wanted.append(any(v in (a, b) and s in (t, t + 1) for s, a, b in parallels(changed)))
        found = inpainting.parallel_pitches(cells, t, v)
        np.testing.assert_array_equal(found, wanted)
        assert not found[0]


def test_forbidden_parallels_are_gone(model):
    """With the table switched off there would be many; those between given cells stay."""
    told = json.loads(FIXTURE.read_text(encoding="utf-8"))
    melody = Piece(np.repeat(told["melody"], 2)[:, None])
    settings = {"strictness": 0.0, "temperature": 1.3, "sweeps": 12}
    without = 0
    for seed in range(2):
        written = model.sample(melody, seed, **settings)
        without += len(parallels(encode_cells(written)))
        written = model.sample(melody, seed, forbid_parallels=True, **settings)
        assert parallels(encode_cells(written)) == set()
    assert without >= 2
    given = Piece([[72, 65, 57, 50]] * 2 + [[74, 67, 59, 52]] * 30)
    free = np.zeros((16, 4), bool)
    free[1:, 3] = True
    written = model.sample(given, 0, free=free, forbid_parallels=True, **settings)
    np.testing.assert_array_equal(written.voices[:, :3], given.voices[:, :3])
    assert {(v, w) for _, v, w in parallels(encode_cells(written))} == {(0, 1)}


def test_locked_cells_stay_and_batches_change_nothing(model, chorale):
    free = np.zeros((len(encode_cells(chorale)), 4), bool)
    free[8:16, 1:3] = True
    written = model.sample(chorale, seed=4, free=free, sweeps=8)
    steps = np.repeat(free, 2, axis=0)
    np.testing.assert_array_equal(written.voices[~steps], chorale.voices[~steps])
    assert (written.voices[steps] != chorale.voices[steps]).any()
    melody = chorale.with_(
        voices=chorale.voices[:, :1], onsets=chorale.onsets[:, :1], spelling=None
    )
    other = load_chorales("valid", by="melody")[1]
    alone, together = model.sample(melody, 5, sweeps=6), model.sample([melody, other], 5, sweeps=6)
    assert (alone.voices == together[0].voices).mean() > 0.99  # sums may round differently


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strictness": 21}, "strictness 21"),
        ({"guidance": -1}, "guidance -1"),
        ({"temperature": 0}, "temperature 0"),
        ({"sweeps": 0}, "0 sweeps"),
        ({"free": np.zeros((4, 4))}, "every cell is locked"),
        ({"free": np.ones((3, 4))}, r"need \(4, 4\)"),
        ({"mood": np.full((4, 3), 9)}, "outside"),
    ],
)
def test_bad_input_is_named(model, change, message):
    with pytest.raises(ValueError, match=message):
        model.sample(Piece([[67]] * 8), seed=0, **change)


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "own.safetensors"
    write_float16(file, {"a": np.ones(2)}, {"version": "0"})
    with pytest.raises(DataError, match="no inpainting network"):
        Inpainting.from_file(file)
    file.write_bytes(b"12345678{")
    with pytest.raises(DataError, match="damaged"):
        Inpainting.from_file(file)


def test_the_notes_of_a_seed(model):
    """The page has to write the same: a melody, seeds, and Python's cells."""
    told = json.loads(FIXTURE.read_text(encoding="utf-8"))
    for case in told["cases"]:
        melody = Piece(
            np.repeat(told["melody"], 2)[:, None], fermatas=np.repeat(told["fermatas"], 2)
        )
        form = encode_form(melody)
        mood = told_mood(form, **case["mood"])
        written = model.sample(melody, case["seed"], mood=mood, **case["settings"])
        assert encode_cells(written).tolist() == case["cells"]
