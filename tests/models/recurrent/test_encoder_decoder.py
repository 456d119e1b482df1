"""Encoder-decoder and frame-aligned model: chain rule, causality, beam search, and the input of each."""

import itertools

import keras
import numpy as np
import pytest

from musiclab.data import Piece, load_chorales
from musiclab.data.encodings.eighth_grid import STEPS_PER_FRAME, replace_voice
from musiclab.metrics import parallel_perfects
from musiclab.models.recurrent.encoder_decoder import ORDER, EncoderDecoder, FrameAligned, harmonise
from musiclab.models.recurrent.sequence_model import pad
from musiclab.training import load_model, save_model

KINDS = (EncoderDecoder, FrameAligned)
LOW, HIGH = 60, 61  # four tokens: rest, hold, two pitches


def tiny(kind, sharp=3.0, **settings):
    """A small model; weights blown up, so that its probabilities are far from equal."""
    keras.utils.set_random_seed(3)
    model = kind(**{"encoder_units": 3, "decoder_units": 4, "low": LOW, "high": HIGH, **settings})
    model.set_weights([sharp * w for w in model.get_weights()])
    return model


def duet(tokens, soprano=(60, 61, 61, 60), n_voices=4):
    """A soprano and a bass of the given tokens, one per 8th; the middle voices rest."""
    voices = np.full((len(soprano) * STEPS_PER_FRAME, n_voices), -1)
    voices[:, 0] = np.repeat(soprano, STEPS_PER_FRAME)
    return replace_voice(Piece(voices), 3, np.asarray(tokens), LOW)


@pytest.fixture(scope="module")
def chorales():
    return load_chorales("train", by="melody")[:1]


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    return tiny(request.param)


def all_voices(model, piece):
    """Every sequence of tokens there is for a piece's bass, and its log-likelihood: brute force."""
    rows = model.encode(piece)
    voices = list(itertools.product(range(4), repeat=len(rows)))
    batch = np.repeat(rows[None], len(voices), axis=0)
    for one, tokens in zip(batch, voices):
        sounding = 0
        for t, token in enumerate(tokens):
            sounding = sounding if token == 1 else max(token - 1, 0)
            one[t, -2:] = sounding, token
    return voices, np.asarray(model(batch), np.float64).sum(axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_all_voices_sum_to_one(kind):
    """Eq. (9.2): the chain rule over every sequence of tokens, also those that hold a rest."""
    nats = all_voices(tiny(kind), duet((2, 1, 3), soprano=(60, 61, 60)))[1]
    assert np.exp(nats).sum() == pytest.approx(1, abs=1e-5)
    assert nats.max() - nats.min() > 1  # and they are not all alike


def test_likelihood_is_the_product_of_the_steps(model):
    """Eq. (9.2): teacher forcing over a whole voice, against the decoder's steps, one 8th at a time."""
    piece = duet((2, 1, 0, 3))
    rows = model.encode(piece)[None]
    given = model._given(rows)
    state, nats = model._initial_state(1), []
    for t, token in enumerate(rows[0, :, -1]):
        logits, state = model._step(*(part[:, t] for part in given), state)
        logits = np.asarray(logits, np.float64)[0]
        nats.append(logits[token] - np.log(np.exp(logits).sum()))
        state = model._next_state(state, np.array([token]))
    np.testing.assert_allclose(model.log_likelihood(piece)[0], nats, rtol=1e-4)


def test_loss_is_the_mean_over_frames(model):
    """Eq. (9.3): pieces of different lengths; padding does not count."""
    pieces = [duet((2, 1, 0, 3)), duet((3, 3), soprano=(61, 60))]
    batch = pad([model.encode(piece) for piece in pieces])
    loss = float(model.compute_loss(x=batch, y_pred=model(batch)))
    assert loss == pytest.approx(-np.concatenate(model.log_likelihood(pieces)).mean(), rel=1e-5)


@pytest.mark.parametrize(("target", "given"), ORDER)
def test_the_table_alone_decides_where_all_else_is_zero(target, given):
    """Each given voice adds the logit of its own pair; the upper voice of a pair comes first."""
    model = FrameAligned(target, given, encoder_units=2, decoder_units=2, low=60, high=71)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    rng = np.random.default_rng(len(given))
    table = rng.normal(size=(len(given), 12, 12, 3)).astype(np.float32)
    model.counterpoint.set_weights([table])
    before, now = rng.integers(60, 72, (2, 4))
    voices = np.repeat([before, now], STEPS_PER_FRAME, axis=0)
    onsets = np.tile([[True] * 4, [False] * 4], (2, 1))  # all strike at both 8ths
    logits = np.zeros(14)  # a rest, a hold, 12 pitches
    for token in range(1, 14):
        goes_to = before[target] if token == 1 else token + 58
        for i, other in enumerate(given):
            was, would = before[target] - before[other], goes_to - now[other]
            sign = 1 if target < other else -1
            motion = np.sign((goes_to - before[target]) * (now[other] - before[other])) + 1
            logits[token] += table[i, sign * was % 12, sign * would % 12, motion]
    wanted = logits[now[target] - 58] - np.log(np.exp(logits).sum())
    found = model.log_likelihood(Piece(voices, onsets))[0]
    np.testing.assert_allclose(found, [-np.log(14), wanted], rtol=1e-4)


def test_without_a_table_the_soprano_acts_through_the_context_alone():
    """Eq. (9.1): with equal contexts, the logits of different sopranos are equal; with a table not."""
    for table in (True, False):
        model = tiny(EncoderDecoder, table=table)
        if table:
            shape = model.counterpoint.table.shape
            model.counterpoint.set_weights([np.random.default_rng(1).normal(size=shape)])
        context, clock, moves = model._given(model.encode(duet((2, 1, 3, 3)))[None])
        state = model._next_state(model._initial_state(1), np.array([2]))
        logits = [
            model._step(context[:, 1], clock[:, 1], move, state)[0]
            for move in (moves[:, 1], moves[:, 1, ::-1])  # the soprano rises or falls
        ]
        assert np.array_equal(*logits) == (not table)


def test_padding_changes_nothing(model):
    short, long = (
        duet((2, 1), soprano=(60, 61)),
        duet((2, 1, 0, 3, 2, 2), soprano=(60, 61, 61, 60, 60, 61)),
    )
    np.testing.assert_allclose(
        model.log_likelihood([short, long])[0], model.log_likelihood(short)[0], rtol=1e-4
    )


def test_the_future_of_the_voice_is_not_seen(model):
    before = model.log_likelihood(duet((2, 1, 3, 3)))[0]
    after = model.log_likelihood(duet((2, 1, 3, 0)))[0]
    np.testing.assert_allclose(after[:3], before[:3], rtol=1e-5)
    assert abs(after[3] - before[3]) > 1e-3


def test_the_whole_soprano_is_known_at_once(model):
    """The end of the given voice changes the first 8th of the new one: it is read in both directions."""
    before = model.log_likelihood(duet((2, 1, 3, 3), soprano=(60, 61, 61, 60)))[0]
    after = model.log_likelihood(duet((2, 1, 3, 3), soprano=(60, 61, 61, 61)))[0]
    assert abs(after[0] - before[0]) > 1e-5


def test_one_vector_for_all_frames():
    """Eq. (9.1): where the forward direction ended and the backward one ended, at every frame; by Keras' own layers."""
    model = tiny(EncoderDecoder)
    rows = model.encode(duet((2, 1, 3, 3)))[None]
    context = np.asarray(model._given(rows)[0])
    every = np.asarray(tiny(FrameAligned)._given(rows)[0])  # the same weights, frame by frame
    ends = np.concatenate([every[:, -1, :3], every[:, 0, 3:]], axis=1)
    assert context.shape == (1, 4, 6)
    for t in range(4):
        np.testing.assert_allclose(context[:, t], ends, rtol=1e-5)


def test_the_bottleneck_does_not_widen():
    """Eq. (9.1): however long the piece, the decoder receives 2H numbers."""
    model = tiny(EncoderDecoder)
    for length in (2, 7):
        context = np.asarray(
            model._given(model.encode(duet([2] * length, [60] * length))[None])[0]
        )[0]
        assert len(np.unique(context.round(6), axis=0)) == 1


def test_aligned_context_is_the_encoder_there():
    """Eq. (9.5): forward up to t, backward from t; a change of the soprano at t is told from both sides."""
    model = tiny(FrameAligned)

    def told(soprano):
        return np.asarray(model._given(model.encode(duet((2, 1, 3, 3), soprano))[None])[0])[0]

    before, after = (
        told((60, 61, 61, 60)),
        told((60, 60, 61, 60)),
    )  # other at frame 1, and at 2: 61 held, 61 struck
    changed = np.abs(after - before) > 1e-6
    assert not changed[:1, :3].any()
    assert changed[1:, :3].all()
    assert changed[:3, 3:].all()
    assert not changed[3:, 3:].any()


def score(model, piece):
    return float(model.log_likelihood(piece)[0].sum())


@pytest.mark.parametrize("kind", KINDS)
def test_a_wide_beam_finds_the_best_of_all_voices(kind):
    """Eq. (9.4): as many beginnings as there are prefixes lose nothing, so it must be brute force's best."""
    model = tiny(kind, sharp=2.0)
    voices, nats = all_voices(model, duet((0, 0, 0, 0)))
    expected, found = duet(voices[nats.argmax()]), model.beam_search(duet((0, 0, 0, 0)), width=64)
    np.testing.assert_array_equal(found.voices, expected.voices)
    np.testing.assert_array_equal(found.onsets, expected.onsets)
    assert score(model, model.beam_search(duet((0, 0, 0, 0)), width=1)) <= nats.max() + 1e-5


def test_width_one_takes_the_likeliest_each_time(model):
    """Eq. (9.4) with one beginning is the greedy choice."""
    found = model.beam_search(duet((0, 0, 0, 0)), width=1)
    given = model._given(model.encode(duet((0, 0, 0, 0)))[None])
    state, tokens = model._initial_state(1), []
    for t in range(4):
        logits, state = model._step(*(part[:, t] for part in given), state)
        tokens.append(int(np.argmax(logits)))
        state = model._next_state(state, np.array(tokens[-1:]))
    np.testing.assert_array_equal(found.voices[:, 3], duet(tokens).voices[:, 3])


def test_sampling_respects_its_seed(model):
    pieces = [duet((0,) * 12, [60, 61] * 6)] * 3
    same, again, other = (model.sample(pieces, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(same, again):
        np.testing.assert_array_equal(one.voices, two.voices)
        np.testing.assert_array_equal(one.onsets, two.onsets)
    assert any((one.voices != two.voices).any() for one, two in zip(same, other))
    assert (same[0].voices != same[1].voices).any()  # each draws numbers of its own


def test_one_graph_writes_pieces_of_any_number_and_length():
    """Making a graph takes seconds, so new lengths, seeds, temperatures and rules must not make another."""
    model = tiny(FrameAligned)
    for n, length in ((1, 3), (2, 5), (4, 7)):
        pieces = [duet((0,) * length, [60, 61, 60, 61, 60, 61, 60][:length])] * n
        model.sample(pieces, seed=n, temperature=n / 2, parallels=n == 1)
        model.beam_search(pieces[0], width=2)
    for name in ("_generate", "_given", "_step"):
        assert model.__dict__["_graphs"][name].experimental_get_tracing_count() == 1, name


def test_samples_come_as_often_as_their_probability(model):
    pieces = model.sample([duet((0, 0), (60, 61))] * 1000, seed=5)
    for tokens in ((2, 1), (3, 2), (2, 3)):
        wanted = np.exp(score(model, duet(tokens, (60, 61))))
        like = duet(tokens, (60, 61))
        share = np.mean(
            [(p.voices == like.voices).all() and (p.onsets == like.onsets).all() for p in pieces]
        )
        assert share == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 1000) + 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_parallels_can_be_forbidden(kind):
    model = tiny(kind, sharp=1.0, low=50, high=75)
    voices = np.full((96, 4), -1)
    voices[:, 0] = np.repeat(
        np.tile([60, 62, 64, 65, 67, 64], 8), 2
    )  # moves on every 8th: no move can be missed
    free, strict = (model.sample([Piece(voices)] * 20, seed=1, parallels=p) for p in (True, False))
    assert parallel_perfects(free) > 0.2
    assert parallel_perfects(strict) == 0


def test_a_low_temperature_is_the_greedy_choice(model):
    piece = duet((0, 0, 0, 0))
    cold, greedy = model.sample(piece, seed=0, temperature=1e-4), model.beam_search(piece, width=1)
    np.testing.assert_array_equal(cold.voices, greedy.voices)


def test_the_target_voice_has_no_influence(model):
    one, two = (model.sample(duet(tokens), seed=4) for tokens in ((2, 1, 3, 3), (0, 0, 0, 0)))
    np.testing.assert_array_equal(one.voices, two.voices)
    one, two = (model.beam_search(duet(tokens), width=3) for tokens in ((2, 1, 3, 3), (0, 0, 0, 0)))
    np.testing.assert_array_equal(one.voices, two.voices)


def test_training_learns_to_double_the_soprano():
    model, rng = (
        tiny(FrameAligned, sharp=1.0, encoder_units=8, decoder_units=16, dropout=0.0),
        np.random.default_rng(0),
    )
    pieces = [duet(s - LOW + 2, s) for s in rng.integers(LOW, HIGH + 1, (160, 3))]
    before = np.concatenate(model.log_likelihood(pieces)).mean()
    model.fit(pieces, epochs=6, batch_size=20, verbose=0)
    assert np.concatenate(model.log_likelihood(pieces)).mean() > before + 0.3


def test_a_saved_model_is_the_same_model(model, tmp_path):
    save_model(model, tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", like=tiny(type(model)))
    np.testing.assert_allclose(
        again.log_likelihood(duet((2, 1, 3, 3)))[0], model.log_likelihood(duet((2, 1, 3, 3)))[0]
    )


def test_harmonising_writes_three_voices_to_a_soprano_alone(chorales):
    models = [
        FrameAligned(target, given, encoder_units=4, decoder_units=6) for target, given in ORDER
    ]
    soprano = chorales[0].with_(
        voices=chorales[0].voices[:, :1],
        onsets=chorales[0].onsets[:, :1],
        spelling=chorales[0].spelling[:, :1],
    )
    written, with_bach_below = (
        harmonise(models, soprano, seed=2),
        harmonise(models, chorales[0], seed=2),
    )
    np.testing.assert_array_equal(written.voices[:, 0], chorales[0].voices[:, 0])
    np.testing.assert_array_equal(
        written.voices, with_bach_below.voices
    )  # Bach's lower voices are not looked at
    assert written.voices.shape == chorales[0].voices.shape
    assert (written.voices[:, 1:] >= 0).any()
    assert written.key_signature == chorales[0].key_signature
    with pytest.raises(ValueError, match="need"):
        harmonise(models[::-1], soprano, seed=2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"target": 0}, "different voices"),
        ({"target": 4}, "different voices"),
        ({"given": ()}, "different voices"),
        ({"given": (0, 0)}, "different voices"),
        ({"encoder_units": 0}, "got 0"),
        ({"low": 70}, "units=-6"),
    ],
)
def test_settings_that_make_no_model_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        tiny(FrameAligned, **settings)


def test_bad_input_is_named(model):
    piece = duet((2, 1, 3, 3))
    with pytest.raises(ValueError, match="temperature 0"):
        model.sample(piece, seed=0, temperature=0)
    with pytest.raises(ValueError, match="width 0"):
        model.beam_search(piece, width=0)
    with pytest.raises(ValueError, match="no piece"):
        model.sample([], seed=0)
    with pytest.raises(ValueError, match="1 voices"):
        model.sample(Piece([60] * 4), seed=0)
    with pytest.raises(ValueError, match="outside 60-61"):
        model.log_likelihood(duet((2, 1, 3, 3), soprano=(60, 72, 60, 60)))
