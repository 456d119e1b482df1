"""Lessons 12 to 14: restricted Boltzmann machines, partition functions, deep belief network, RNN-RBM."""
