"""Measures of music and of models: NumPy only, no TensorFlow.

Measures take one piece or a list of pieces. :func:`looks_like_music` takes them all together.
"""

from musiclab.metrics.counterpoint import *
from musiclab.metrics.distribution import *
from musiclab.metrics.harmony import *
from musiclab.metrics.likelihood import *
from musiclab.metrics.listening import *
from musiclab.metrics.listening_answers import *
from musiclab.metrics.matched import *
from musiclab.metrics.pitch import *
from musiclab.metrics.power_law import *
from musiclab.metrics.report import *
from musiclab.metrics.retrieval import *
from musiclab.metrics.rhythm import *
from musiclab.metrics.sets import *
from musiclab.metrics.similarity import *
