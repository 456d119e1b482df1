"""Music to numbers: pieces, the corpus, encodings, files."""

from musiclab.data.corpora.chorales import *
from musiclab.data.corpora.keys import *
from musiclab.data.corpora.melody_families import *
from musiclab.data.corpora.tunes import *
from musiclab.data.encodings.note_sequence import *
from musiclab.data.encodings.piano_roll import *
from musiclab.data.encodings.scaling import *
from musiclab.data.encodings.tokens import *
from musiclab.data.encodings.transposition import *
from musiclab.data.encodings.windows import *
from musiclab.data.files.midi import *
from musiclab.data.files.musicxml import *
from musiclab.data.files.reading import *
from musiclab.data.files.scores import *
from musiclab.data.files.storage import *
from musiclab.data.piece import *
