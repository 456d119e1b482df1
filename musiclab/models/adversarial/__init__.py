"""Lessons 10 and 11: losses, divergences, a GAN on a ring of Gaussians, and GANs that write two bars."""
