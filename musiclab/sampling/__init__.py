"""Turning logits into notes: distributions reshaped, sequences drawn, beams searched, rules obeyed."""

from musiclab.sampling.distributions import *
