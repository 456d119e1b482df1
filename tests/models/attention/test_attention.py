"""Attention: by hand, against Keras' own layers, its invariants, and the Keras block."""

import keras
import numpy as np
import pytest

from musiclab.models.attention.attention import (
    BlockWeights,
    attention,
    causal_mask,
    layer_norm,
    multi_head,
    relative_bias,
    rotate,
    sinusoids,
    transformer_block,
)
from musiclab.models.attention.transformer import TransformerBlock
from musiclab.training import set_seed

T, D, H = 6, 8, 2


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def block(positions="bias", window=T, seed=0, **settings):
    """A Keras block with random weights and norms."""
    set_seed(seed)
    made = TransformerBlock(D, H, window, positions, **settings)
    made.build((None, None, D))
    random = np.random.default_rng(seed)
    made.set_weights([random.normal(size=w.shape) for w in made.get_weights()])
    return made


def test_scores_by_hand():
    # Eq. (15.1): two units, q = (2, 0), keys (1, 5) and (0, 5): scores 2 / sqrt(2) and 0, so the
    # first key's weight is e^sqrt(2) times the second's
    weights = attention([[2.0, 0.0]], [[1.0, 5.0], [0.0, 5.0]], np.zeros((2, 1)))[1]
    assert weights[0, 0] / weights[0, 1] == pytest.approx(np.exp(np.sqrt(2)), rel=1e-12)


def test_weights_by_hand():
    # Eq. (15.2): scores ln 1, ln 3 and ln 4 from the bias alone
    bias = np.log([[1.0, 3.0, 4.0]])
    weights = attention(np.zeros((1, 2)), np.ones((3, 2)), np.zeros((3, 1)), bias=bias)[1]
    np.testing.assert_allclose(weights, [[1 / 8, 3 / 8, 4 / 8]], rtol=1e-12)


def test_outputs_by_hand():
    # Eq. (15.3): 1/4 of (8, 0) and 3/4 of (0, 4)
    bias = np.log([[1.0, 3.0]])
    out = attention(np.zeros((1, 1)), np.ones((2, 1)), [[8.0, 0.0], [0.0, 4.0]], bias=bias)[0]
    np.testing.assert_allclose(out, [[2.0, 3.0]], rtol=1e-12)


def test_the_causal_mask_hides_what_comes():
    # Eq. (15.4)
    q, k, v = values(3, T, D)
    out, weights = attention(q, k, v, causal_mask(T))
    assert (weights[np.triu_indices(T, 1)] == 0).all()
    np.testing.assert_allclose(out[0], v[0], rtol=1e-12)  # the first sees only itself
    v[4:], k[4:] = 100.0, -3.0
    np.testing.assert_array_equal(attention(q, k, v, causal_mask(T))[0][:4], out[:4])


def test_several_heads_are_keras_multi_head_attention():
    """Eq. (15.5), with random weights that both share."""
    theirs = keras.layers.MultiHeadAttention(H, D // H, use_bias=False, dtype="float64")
    x = values(T, D)
    theirs.build((1, T, D), (1, T, D))
    random = [values(*w.shape, seed=i) for i, w in enumerate(theirs.get_weights())]
    theirs.set_weights(random)
    W_q, W_k, W_v, W_o = random  # (D, H, D/H) three times, (H, D/H, D)
    ours = np.concatenate([W_q, W_k, W_v], axis=-1).reshape(D, 3 * D)
    weights = BlockWeights(ours, W_o.reshape(D, D), np.zeros(D), *[None] * 8)
    out, maps = multi_head(x, weights, H, causal_mask(T))
    wanted, scores = theirs(
        x[None], x[None], use_causal_mask=True, return_attention_scores=True, training=False
    )
    np.testing.assert_allclose(out, wanted[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(maps, scores[0], rtol=1e-5, atol=1e-6)


def test_sinusoids_by_hand():
    # Eq. (15.6): four columns; the second pair turns by 1000^(-1/2) radians per position
    slow = 3 / np.sqrt(1000)
    wanted = [[np.sin(3), np.sin(slow), np.cos(3), np.cos(slow)]]
    np.testing.assert_allclose(sinusoids([3], 4), wanted, rtol=1e-12)


def test_rotated_scores_know_only_the_distance():
    # Eq. (15.7): by hand, a quarter turn; then q at 7 and k at 4 as at 103 and 100
    np.testing.assert_allclose(rotate([[0.0, 2.0]], [np.pi / 2]), [[-2.0, 0.0]], atol=1e-12)
    q, k = values(2, 1, D)
    near = rotate(q, [7]) @ rotate(k, [4]).T
    np.testing.assert_allclose(rotate(q, [103]) @ rotate(k, [100]).T, near, rtol=1e-9)
    assert abs(rotate(q, [8]) @ rotate(k, [4]).T - near) > 1e-3
    np.testing.assert_allclose(np.linalg.norm(rotate(q, [7])), np.linalg.norm(q), rtol=1e-12)


def test_the_bias_is_read_by_distance():
    # Eq. (15.8)
    bias = relative_bias([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 9.0]], 4)
    assert bias.shape == (2, 4, 4)
    assert (bias[0, 2] == [3, 2, 1, 0]).all()
    assert bias[1].sum() == 9
    assert bias[1, 3, 0] == 9


def test_layer_norm_is_by_hand_and_keras():
    # Eq. (15.9): (1, 2, 6) has mean 3 and variance 14/3
    found = layer_norm([1.0, 2.0, 6.0], np.array([1.0, 2.0, 1.0]), np.ones(3), epsilon=0)
    scale = np.sqrt(14 / 3)
    np.testing.assert_allclose(found, [1 - 2 / scale, 1 - 2 / scale, 1 + 3 / scale], rtol=1e-12)
    theirs = keras.layers.LayerNormalization(epsilon=1e-5, dtype="float64")
    theirs.build((None, D))
    gain, shift, x = values(D, seed=1), values(D, seed=2), values(T, D)
    theirs.set_weights([gain, shift])
    np.testing.assert_allclose(layer_norm(x, gain, shift), theirs(x), rtol=1e-5, atol=1e-6)


def test_a_block_whose_branches_are_zero_passes_its_input_on():
    """Eq. (15.10): what is left is x."""
    zeros = BlockWeights.from_keras(block())._replace(
        W_O=np.zeros((D, D)), b_O=np.zeros(D), W_2=np.zeros((2 * D, D)), b_2=np.zeros(D)
    )
    x = values(T, D)
    np.testing.assert_array_equal(transformer_block(x, zeros, H)[0], x)


@pytest.mark.parametrize("positions", ["none", "bias"])
def test_the_keras_block_is_the_numpy_block(positions):
    """Eqs. (15.8) and (15.10), and with them the others that the block computes."""
    made, x = block(positions), values(T, D)
    bias = relative_bias(np.array(made.bias), T) if positions == "bias" else 0.0
    wanted, maps = transformer_block(x, BlockWeights.from_keras(made), H, causal_mask(T), bias)
    np.testing.assert_allclose(made(x[None])[0], wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(made.maps(x[None])[0], maps, rtol=1e-5, atol=1e-5)


def test_the_keras_block_turns_queries_and_keys():
    """Eq. (15.7) in Keras: its attention weights are those of rotated queries and keys."""
    made, x = block("rotary"), values(T, D)
    weights = BlockWeights.from_keras(made)
    parts = layer_norm(x, weights.gain_1, weights.shift_1) @ weights.W_QKV
    q, k, v = np.split(parts.reshape(T, H, -1).swapaxes(0, 1), 3, axis=-1)
    places = np.arange(T)
    maps = attention(rotate(q, places), rotate(k, places), v, causal_mask(T))[1]
    np.testing.assert_allclose(made.maps(x[None])[0], maps, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("positions", ["none", "rotary", "bias"])
@pytest.mark.parametrize("window", [3, 10])
def test_one_token_at_a_time_is_all_at_once(positions, window):
    made, x = block(positions, window, kinds=2), values(3, 7, D)
    whole, cache = made(x).numpy(), made.empty_cache(3)
    for n in range(7):
        out, cache = made.step(x[:, n].astype("float32"), cache, n, kind=n % 2)
        np.testing.assert_allclose(out, whole[:, n], rtol=1e-4, atol=1e-4)


def test_a_window_hides_what_lies_further_back():
    """Eq. (15.4), with a window."""
    made, x = block(window=3), values(1, T, D)
    before = made(x).numpy()
    x[0, 0] = 50.0
    after = made(x).numpy()
    assert (abs(after - before)[0, 1:3] > 1e-3).any(axis=1).all()
    np.testing.assert_allclose(after[0, 3:], before[0, 3:], atol=1e-5)


def test_without_positions_the_order_of_the_past_does_not_matter():
    made, x = block("none"), values(1, T, D)
    turned = x.copy()
    turned[0, :-1] = turned[0, -2::-1]
    np.testing.assert_allclose(made(turned)[0, -1], made(x)[0, -1], rtol=1e-4, atol=1e-4)
    for positions in ("bias", "rotary"):
        ordered = block(positions)
        assert abs(ordered(turned)[0, -1] - ordered(x)[0, -1]).numpy().max() > 1e-2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: attention(np.ones((1, 2)), np.ones((3, 3)), np.ones((3, 1))),
            "same number of col",
        ),
        (
            lambda: attention(np.ones((1, 2)), np.ones((3, 2)), np.ones((2, 1))),
            "same number of rows",
        ),
        (
            lambda: attention(np.ones((1, 2)), np.ones((3, 2)), np.ones((3, 1)), [[False] * 3]),
            "leaves a query no key",
        ),
        (lambda: rotate(np.ones((2, 3)), [0, 1]), "3 columns"),
        (lambda: sinusoids([0], 5), "5 columns"),
        (lambda: relative_bias([1.0, 2.0], 3), "3 positions, but a table of 2"),
        (lambda: multi_head(np.ones((2, 6)), BlockWeights.from_keras(block()), 2), "width 6"),
        (lambda: multi_head(np.ones((2, 8)), BlockWeights.from_keras(block()), 3), "3 heads"),
        (lambda: TransformerBlock(8, 3), "8 units, 3 heads"),
        (lambda: TransformerBlock(8, 2, positions="learned"), "'learned'"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
