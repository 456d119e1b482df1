"""Lesson 05: the variational autoencoder, from a window to a distribution, a code and a window again."""

from scripts.drawings import GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "05_encoder_sample_decoder"


def draw() -> Drawing:
    """Stage 1 encoder and posterior; stage 2 the code; stage 3 the decoder; stage 4 the loss.

    The numbers are those of the lesson's example by hand, with Z = 2.
    """
    picture = Drawing(520, 300, "A variational autoencoder: encoder, sample, decoder, and its loss")
    x = picture.box(4, 112, 58, 56, "x", "(32, 4)", GREY)
    encoder = picture.box(78, 98, 76, 84, "encoder", "96 units")
    picture.arrow(x.right, encoder.left)
    mu = picture.box(174, 84, 80, 48, "μ  (Z,)", "1.0, 0.0", PURPLE)
    sigma = picture.box(174, 150, 80, 48, "σ  (Z,)", "0.5, 1.0", PURPLE)
    picture.arrow((154, 124), (164, 124), (164, 108), mu.left)
    picture.arrow((154, 156), (164, 156), (164, 174), sigma.left)
    picture.text(214, 66, "q(z | x)", colour=PURPLE)
    picture.stage(2)
    epsilon = picture.box(174, 236, 80, 48, "ε  (Z,)", "2.0, −1.0", GREY, dashed=True)
    picture.text(106, 252, "random,")
    picture.text(106, 270, "from N(0, 1)")
    z = picture.box(288, 112, 80, 56, "z  (Z,)", "2.0, −1.0", ORANGE)
    times = picture.circle(272, 206, 12, "⊙")
    picture.line(sigma.right, (272, 174), (272, 194))
    picture.line(epsilon.right, (272, 260), (272, 218))
    picture.arrow(times.right, (328, 206), z.bottom)
    picture.arrow(mu.right, (270, 108), (270, 132), (287, 132))
    picture.stage(3)
    decoder = picture.box(382, 98, 72, 84, "decoder", "96 units")
    picture.arrow(z.right, decoder.left)
    output = picture.box(466, 112, 50, 56, "p(x|z)", "", GREY)
    picture.arrow(decoder.right, output.left)
    picture.text(472, 196, "(32, 4, 50)", size=13)
    picture.stage(4)
    picture.arrow((214, 54), (214, 36), colour=GREEN)
    picture.text(214, 20, "KL(q ‖ p): distance from the prior", colour=GREEN)
    picture.arrow(output.top, (491, 36), colour=GREEN)
    picture.text(460, 20, "− ln p(x | z)", colour=GREEN)
    return picture
