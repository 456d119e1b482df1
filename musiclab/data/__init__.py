"""Music to numbers: pieces, the corpus, encodings, files."""

from musiclab.data.analysis import *
from musiclab.data.chorales import *
from musiclab.data.encoding import *
from musiclab.data.piece import *
from musiclab.data.store import *
from musiclab.data.tunes import *
