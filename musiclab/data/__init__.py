"""Music to numbers: pieces, the corpus, encodings, files."""

from musiclab.data.corpora.analysis import *
from musiclab.data.corpora.chorales import *
from musiclab.data.corpora.tunes import *
from musiclab.data.encodings.encoding import *
from musiclab.data.encodings.melody import *
from musiclab.data.files.midi import *
from musiclab.data.files.musicxml import *
from musiclab.data.files.reading import *
from musiclab.data.files.scores import *
from musiclab.data.files.storage import *
from musiclab.data.piece import *
