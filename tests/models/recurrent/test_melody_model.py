"""The melody model: its likelihood all at once, note by note and against a chain; melodies drawn and stored."""

import itertools

import keras
import numpy as np
import pytest
from scipy.stats import chisquare

from musiclab.data.encodings.note_sequence import note_vocabulary
from musiclab.models.markov import END, UNKNOWN, MarkovChain
from musiclab.models.recurrent.melody_model import UNIFORM_SHARE, MelodyModel
from musiclab.models.recurrent.sequence_model import pad
from musiclab.training import set_seed

NOTES = [(-1, 4), (60, 2), (60, 4), (62, 4)]
MELODIES = [[(60, 4), (62, 4), (60, 2)], [(62, 4)], [(60, 2), (60, 2), (-1, 4), (62, 4), (60, 4)]]


def model(cell="rnn", seed=0, **settings):
    """Random weights instead of fresh ones, so that nothing is nearly uniform."""
    set_seed(seed)
    made = MelodyModel(NOTES, cell, **{"units": 5, **settings})
    rng = np.random.default_rng(seed)
    made.set_weights(
        [1.5 * rng.normal(size=w.shape) / np.sqrt(w.shape[0]) for w in made.get_weights()]
    )
    return made


@pytest.mark.parametrize("cell", ["rnn", "lstm", "peephole", "gru"])
def test_note_by_note_is_all_at_once(cell):
    made = model(cell, layers=2)
    state, scores = made.initial_state(1), []
    for symbol in made.encode(MELODIES[2]):
        log_probs, recurrent = made.step(state)
        assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-5)
        scores.append(float(log_probs[0, symbol]))
        state = {"recurrent": recurrent, "last": np.array([symbol], np.int32)}
    np.testing.assert_allclose(made.log_likelihood([MELODIES[2]])[0], scores, rtol=1e-4, atol=1e-5)
    assert len(scores) == len(MELODIES[2]) + 1


def test_logits_by_hand(monkeypatch):
    """A rest, and any note of two steps: odds come from the symbol itself, its pitch and its length."""
    monkeypatch.setattr("musiclab.models.recurrent.melody_model.UNIFORM_SHARE", 0.0)
    made = model()
    made.set_weights([0 * w for w in made.get_weights()])
    made.recurrent.layers[0].cell.bias.assign(
        [10.0, 0, 0, 0, 0]
    )  # tanh 10 is 1: h = (1, 0, 0, 0, 0)
    made.symbol_logits.bias.assign(np.log([3.0, 1, 1, 1, 1, 1]))
    shared = np.zeros((5, 8), np.float32)
    shared[0, 1], shared[0, 3] = np.log(2), np.log(5)  # for h_0 = 1: pitch 60, length 2
    made.feature_logits.kernel.assign(shared)
    probs = np.exp(made.step(made.initial_state(1))[0][0])
    np.testing.assert_allclose(probs, np.array([3, 10, 2, 1, 1, 1]) / 18, rtol=1e-5)


def test_padding_changes_nothing():
    made = model()
    for melody, scores in zip(MELODIES, made.log_likelihood(MELODIES)):
        np.testing.assert_allclose(made.log_likelihood([melody])[0], scores, rtol=1e-4, atol=1e-5)
        assert (scores.shape, scores.dtype) == ((len(melody) + 1,), np.float64)


def test_no_note_knows_itself_or_what_comes():
    made = model()
    long = [NOTES[i % 4] for i in range(9)]
    changed = [*long[:5], (60, 4) if long[5] != (60, 4) else (62, 4), *long[6:]]
    before, after = made.log_likelihood([long])[0], made.log_likelihood([changed])[0]
    np.testing.assert_allclose(after[:5], before[:5], rtol=1e-5)
    assert (
        abs(after - before)[5:] > 1e-5
    ).all()  # a chain of order 3 would have forgotten at the end


def test_probabilities_of_all_short_melodies_sum_to_one():
    made = model()
    symbols = [*NOTES, (99, 99)]  # the last stands for UNKNOWN
    twos = [list(pair) for pair in itertools.product(symbols, repeat=2)]
    longer = sum(
        np.exp(scores[:2].sum()) for scores in made.log_likelihood(twos)
    )  # two notes, whatever follows
    shorter = sum(
        np.exp(scores.sum()) for scores in made.log_likelihood([[], *([s] for s in symbols)])
    )
    assert longer + shorter == pytest.approx(1, abs=1e-4)


def test_nll_is_pooled_as_the_chains():
    """A model that knows nothing gives each of K symbols 1/K, as does a chain that lets nothing be learnt."""
    made = model()
    made.set_weights([0 * w for w in made.get_weights()])
    chain = MarkovChain(order=0, smoothing=1e12).fit(MELODIES)
    assert made.symbols == chain.symbols
    assert made.nll(MELODIES) == pytest.approx(np.log(6), rel=1e-5)
    assert made.nll(MELODIES) == pytest.approx(chain.nll(MELODIES), rel=1e-5)
    sums = [scores.sum() for scores in made.log_likelihood(MELODIES)]
    np.testing.assert_allclose(sums, chain.log_likelihood(MELODIES), rtol=1e-5)


def test_the_uniform_share_bounds_the_cost_of_a_note():
    """However sure the network is, an unknown note costs at most ln(K / share)."""
    made = model()
    sure = [0 * w for w in made.get_weights()]
    made.set_weights(sure)
    made.symbol_logits.bias.assign([50.0, 0, 0, 0, 0, 0])
    scores = made.log_likelihood([[(99, 1)]])[0]
    np.testing.assert_allclose(scores, np.log(UNIFORM_SHARE / 6), rtol=1e-5)


def test_what_is_drawn_is_as_likely_as_it_says():
    made = model()
    first = [melody[0] if melody else END for melody in made.sample(4000, seed=3, max_length=1)]
    probs = np.exp(np.asarray(made.step(made.initial_state(1))[0], np.float64))[0]
    expected = np.delete(probs, made.symbols.index(UNKNOWN))  # can't be sung
    counts = [first.count(symbol) for symbol in made.symbols if symbol != UNKNOWN]
    assert chisquare(counts, expected / expected.sum() * 4000).pvalue > 1e-3


def test_sampling():
    made = model()
    melodies = made.sample(6, seed=1, max_length=12)
    assert melodies == made.sample(6, seed=1, max_length=12)
    assert melodies != made.sample(6, seed=2, max_length=12)
    assert all(note in NOTES for melody in melodies for note in melody)
    assert max(map(len, melodies)) <= 12
    assert len({len(melody) for melody in melodies}) > 1  # some end by themselves
    cold = made.sample(3, seed=1, temperature=1e-3, max_length=12)
    assert cold[0] == cold[1] == cold[2]


def test_it_learns_a_tune_by_heart():
    tune = [(60, 4), (60, 4), (62, 4), (60, 2), (-1, 4), (62, 4), (62, 4), (60, 4)]
    set_seed(0)
    made = MelodyModel(note_vocabulary([tune]), units=16, dropout=0.0)
    before = made.nll([tune])
    history = made.fit([tune] * 200, epochs=2, batch_size=4, verbose=0, validation_data=[tune])
    assert made.nll([tune]) < 0.3 < before
    assert history.history["val_loss"][-1] == pytest.approx(made.nll([tune]), rel=1e-3)
    assert made.sample(1, seed=0, temperature=0.1) == [tune]


def test_the_training_step_written_out_is_that_of_keras():
    batch = (pad([model().encode(melody) for melody in MELODIES]),)
    ours, keras_s = model(dropout=0.0), model(dropout=0.0)
    for _ in range(3):
        result = ours.train_step(batch)
        wanted = super(MelodyModel, keras_s).train_step(batch)
    assert float(result["loss"]) == pytest.approx(float(wanted["loss"]), rel=1e-6)
    for mine, theirs, before in zip(
        ours.get_weights(), keras_s.get_weights(), model().get_weights()
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
        assert abs(mine - before).max() > 1e-4


def test_saved_and_loaded_it_is_the_same(tmp_path):
    made = model("peephole", layers=2, dropout=0.4)
    made.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False, safe_mode=True)
    assert again.get_config() == made.get_config()
    assert again.nll(MELODIES) == made.nll(MELODIES)
    assert again.sample(2, seed=0) == made.sample(2, seed=0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MelodyModel([]), "0 notes"),
        (lambda: MelodyModel([(60, 4), (60, 4)]), "each once"),
        (lambda: model("tape"), "cell 'tape'"),
        (lambda: model(units=0), "0 units"),
        (lambda: model(dropout=1.1), "between 0 and 1"),
        (lambda: model().fit([], verbose=0), "no piece"),
        (lambda: model().nll([]), "no piece"),
        (lambda: model().nll(MELODIES[0]), r"\(60, 4\) instead of a melody"),
        (lambda: model().nll(["abc"]), "'abc' instead of a melody"),
        (lambda: model().sample(0, seed=0), "n=0"),
        (lambda: model().sample(1, seed=0, max_length=0), "max_length=0"),
        (lambda: model().sample(1, seed=0, temperature=0.0), "temperature 0.0"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
