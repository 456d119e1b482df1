"""Pieces to arrays and back: piano rolls, tokens, windows, keys, melodies, two bars, the eighth grid, conditioning."""
