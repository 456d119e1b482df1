"""How good, how varied, how lawful and how copied a piece of music is: NumPy only, no TensorFlow.

Measures take one piece or a list of pieces.
"""

from musiclab.metrics.counterpoint import *
from musiclab.metrics.likelihood import *
from musiclab.metrics.pitch import *
from musiclab.metrics.quality import *
from musiclab.metrics.report import *
from musiclab.metrics.sets import *
from musiclab.metrics.similarity import *
from musiclab.metrics.verdict import *
