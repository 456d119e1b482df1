"""Generators of single notes as sound: conditional VAE on harmonics, conditional GAN on spectrograms."""
