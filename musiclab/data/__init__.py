"""Music to numbers: pieces, the corpus, encodings, files."""

from musiclab.data.encoding import *
from musiclab.data.piece import *
from musiclab.data.store import *
