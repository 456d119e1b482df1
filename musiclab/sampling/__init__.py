"""From logits to notes: temperature, top-k, nucleus, ancestral sampling, beam search, constraints."""

from musiclab.sampling.ancestral import *
from musiclab.sampling.distributions import *
