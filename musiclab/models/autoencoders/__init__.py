"""Lessons 03 to 05: the autoencoder in NumPy and Keras, optimisers, the variational autoencoder and its ELBO."""
