"""Attention in NumPy, a Transformer of four voices, and masked inpainting."""
