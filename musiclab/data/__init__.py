"""Music to numbers."""
from musiclab.data.piece import *
from musiclab.data.store import *
