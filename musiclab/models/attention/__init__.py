"""Lessons 15 and 16: attention, the Transformer, masked inpainting."""
