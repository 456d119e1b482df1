"""One module per family of models, imported by its own name: only those that need it load TensorFlow."""
