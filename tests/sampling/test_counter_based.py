"""Counter-based random numbers: published answers, independence of order, and draws by inverse CDF."""

import numpy as np
import pytest

from musiclab.sampling.counter_based import inverse_cdf, threefry, uniforms


@pytest.mark.parametrize(
    ("key", "counter", "answer"),
    [  # known answers of the authors' Random123 library, threefry2x32 with 20 rounds
        ((0, 0), (0, 0), "6b200159 99ba4efe"),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, "1cb996fc bb002be7"),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), "c4923a9c 483df7a0"),
    ],
)
def test_published_answers(key, counter, answer):
    assert " ".join(f"{int(word):08x}" for word in threefry(key, counter)) == answer


def test_a_draw_depends_on_its_counters_alone():
    whole = uniforms(5, np.arange(100)[:, None], np.arange(7))
    np.testing.assert_array_equal(whole[0][42, 3], uniforms(5, 42, 3)[0])
    assert abs(whole[0].mean() - 0.5) < 0.05
    assert (uniforms(5, np.arange(9), 0, stream=1)[1] != uniforms(5, np.arange(9), 0)[1]).all()


def test_inverse_cdf_takes_the_first_symbol_beyond_u():
    logits = np.log([0.25, 0.5, 0.25])
    u = np.array([0.0, 0.2, 0.3, 0.74, 0.76, 0.999])
    drawn = inverse_cdf(np.tile(logits, (6, 1)), u).numpy()
    assert drawn.tolist() == np.searchsorted([0.25, 0.75, 1.0], u, side="right").tolist()
    assert inverse_cdf(np.array([[-np.inf, 0.0, -np.inf]]), np.array([0.0])).numpy() == [1]
