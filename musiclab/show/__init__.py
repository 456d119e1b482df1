"""Players, scores, plots and tables: ``from musiclab import show``, then ``show.score(piece)``, ``show.play(piece)``.

Each function takes a piece, a voices array or a piano roll. What a cell ends with is shown; every
picture has words.
"""

from musiclab.show.audio import *
from musiclab.show.composer import *
from musiclab.show.drawings import *
from musiclab.show.figures import *
from musiclab.show.frames import *
from musiclab.show.html import Shown as Shown
from musiclab.show.notation import *
from musiclab.show.pad import *
from musiclab.show.plots import *
from musiclab.show.roll import *
from musiclab.show.sound import *
from musiclab.show.table import *
