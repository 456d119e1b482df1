"""musiclab: how neural networks generate music, in small tested pieces.

``musiclab.data`` turns music into numbers, ``musiclab.models`` learns from the
numbers, ``musiclab.metrics`` judges them, ``musiclab.show`` turns them back
into something to see and hear. The lessons in ``notebooks/`` import all four.
"""

import os

# TensorFlow reads these once, when it is first imported: a student's first cell
# must not open with thirty lines about CPU instructions. setdefault: whoever
# wants the log can still ask for it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"
