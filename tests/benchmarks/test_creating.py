"""The table of harmonisations: agreement by hand."""

import numpy as np
import pytest

from benchmarks import creating
from musiclab.data import Piece


def test_agreement_counts_the_lower_voices():
    real = Piece(np.array([[72, 67, 64, 48]] * 4))
    other = Piece(np.array([[70, 67, 64, 50]] * 2 + [[72, 65, 64, 48]] * 2))
    assert creating.agreement([other], [real]) == pytest.approx(2 / 3)
