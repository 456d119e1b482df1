"""Lesson 10: generator and discriminator, their two losses, and the update of each side in one training step."""

from scripts.drawings import BLUE, GREY, ORANGE, Drawing

NAME = "10_gan_loop"
REAL, FAKE = 88, 214  # heights of the two rows: real samples, generated samples


def draw() -> Drawing:
    """Stage 1 the two networks; 2 the loss and update of D; 3 the loss and update of G.

    The numbers are those of the lesson's example by hand: two real and two generated samples.
    """
    picture = Drawing(520, 320, "A GAN: two networks, two losses, two updates in each step")
    _networks(picture)
    picture.stage(2)
    _update_of_discriminator(picture)
    picture.stage(3)
    _update_of_generator(picture)
    return picture


def _networks(picture):
    x = picture.box(142, REAL - 26, 80, 52, "x", "real", GREY)
    z = picture.box(4, FAKE - 26, 52, 52, "z", "noise", GREY)
    generator = picture.box(70, FAKE - 34, 58, 68, "G", "", ORANGE)
    fake = picture.box(142, FAKE - 26, 80, 52, "G(z)", "generated", GREY)
    picture.box(238, REAL - 34, 58, FAKE - REAL + 68, "D", "", BLUE)
    picture.arrow(z.right, generator.left)
    picture.arrow(generator.right, fake.left)
    picture.arrow(x.right, (238, REAL))
    picture.arrow(fake.right, (238, FAKE))
    for height, logits, probabilities in (
        (REAL, "s = 2, 0", "D = .88, .50"),
        (FAKE, "s = −1, −3", "D = .27, .05"),
    ):
        picture.arrow((296, height), (412 if height == FAKE else 429, height))
        picture.text(350, height - 14, logits)
        picture.text(350, height + 15, probabilities)


def _update_of_discriminator(picture):
    picture.box(430, REAL - 26, 80, 52, "L_D", "0.591", BLUE)
    picture.line((412, FAKE), (412, REAL + 16), (429, REAL + 16), arrow=True)
    path = (470, REAL - 26), (470, 36), (267, 36), (267, REAL - 35)
    picture.line(*path, colour=BLUE, dashed=True, arrow=True)
    picture.text(368, 20, "1. update D; G stays fixed", colour=BLUE)


def _update_of_generator(picture):
    picture.box(430, FAKE - 26, 80, 52, "L_G", "2.181", ORANGE)
    picture.arrow((412, FAKE), (429, FAKE))
    into = (470, FAKE + 26), (470, 272), (280, 272), (280, FAKE + 35)
    out = (254, FAKE + 34), (254, 272), (99, 272), (99, FAKE + 35)
    for path in (into, out):
        picture.line(*path, colour=ORANGE, dashed=True, arrow=True)
    picture.text(278, 294, "2. update G, with the gradient through D; D stays fixed", colour=ORANGE)
