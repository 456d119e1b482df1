"""Music to numbers: pieces, the corpus, encodings, files."""

from musiclab.data.analysis import *
from musiclab.data.chorales import *
from musiclab.data.encoding import *
from musiclab.data.melody import *
from musiclab.data.midi import *
from musiclab.data.musicxml import *
from musiclab.data.piece import *
from musiclab.data.reading import *
from musiclab.data.store import *
from musiclab.data.streams import *
from musiclab.data.tunes import *
