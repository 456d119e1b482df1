"""Lesson 18: the conditional GAN of note spectrograms."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "18_note_gan"


def draw() -> Drawing:
    """Noise and key to a spectrogram; the discriminator sees it, or a real one, with the key."""
    picture = Drawing(520, 224, "Conditional generative adversarial network of note spectrograms")
    noise = picture.box(8, 20, 72, 48, "noise", "(8)", PURPLE)
    generator = picture.box(104, 20, 96, 48, "generator", "", ORANGE)
    fake = picture.box(222, 20, 116, 48, "spectrogram", "(16, 256)", GREEN)
    discriminator = picture.box(360, 54, 120, 48, "discriminator", "", ORANGE)
    real = picture.box(222, 88, 116, 48, "real note", "(16, 256)", BLUE)
    picture.arrow(noise.right, generator.left)
    picture.arrow(generator.right, fake.left)
    picture.arrow(fake.right, (358, 66))
    picture.arrow(real.right, (358, 90))
    picture.arrow(discriminator.right, (512, 78))
    picture.text(499, 62, "real?", size=13)
    key = picture.box(114, 156, 76, 40, "key c", "", GREY)
    picture.arrow(key.top, generator.bottom)
    picture.arrow(key.right, (420, 176), (420, 104))
    picture.text(280, 208, "to hear it: phases by fast Griffin-Lim", size=13)
    return picture
