"""One package per family of models, in the order of the lessons; only those that need TensorFlow load it."""
