"""Lesson 18: the conditional VAE of a note's harmonics."""

from scripts.drawings import GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "18_note_vae"


def draw() -> Drawing:
    """Levels and key to a code of two numbers; code and key to expected levels."""
    picture = Drawing(520, 152, "Conditional variational autoencoder of a note")
    x = picture.box(8, 20, 92, 48, "levels x", "(16, 24)")
    encoder = picture.box(124, 20, 84, 48, "encoder", "", ORANGE)
    z = picture.box(232, 20, 56, 48, "z", "(2)", PURPLE)
    decoder = picture.box(312, 20, 84, 48, "decoder", "", ORANGE)
    y = picture.box(420, 20, 92, 48, "levels y", "(16, 24)", GREEN)
    for a, b in ((x, encoder), (encoder, z), (z, decoder), (decoder, y)):
        picture.arrow(a.right, b.left)
    key = picture.box(222, 104, 76, 40, "key c", "", GREY)
    picture.arrow(key.left, (166, 124), (166, 70))
    picture.arrow(key.right, (354, 124), (354, 70))
    picture.arrow((466, 70), (466, 112))
    picture.text(466, 124, "(18.2): sound", size=13)
    picture.text(54, 92, "of a note", size=13)
    return picture
