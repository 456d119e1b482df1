"""Lesson 09: an encoder and a decoder, joined by one vector or at every step, with the hand example's numbers."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "09_encoder_decoder"
# one unit in each direction with w = 0.5, u = 1: the numbers of the lesson's example
INPUTS = ("1", "0", "−1")
FORWARD, BACKWARD = ("0.762", "0.363", "−0.674"), ("0.674", "−0.363", "−0.762")
COLUMNS = (80, 206, 332)  # left edges of the boxes


def draw() -> Drawing:
    """Stage 1 the encoder and its vector c; stage 2 the decoder that reads c; stage 3 one c_t per step."""
    picture = Drawing(520, 428, "Encoder, decoder and what the one hands to the other")
    _encoder(picture)
    picture.stage(2)
    _decoder(picture)
    picture.stage(3)
    for t, x in enumerate(COLUMNS, start=1):
        picture.line((x, 352), (x - 9, 352), (x - 9, 232), colour=GREEN)
        picture.line((x, 280), (x - 9, 280), colour=GREEN)
        picture.arrow((x - 9, 280), (x - 9, 232), (x + 14, 232), (x + 14, 142), colour=GREEN)
        picture.text(x + 2, 168, f"c_{t}", colour=GREEN)
    picture.text(460, 50, "green: c_t,", colour=GREEN, size=13)
    picture.text(460, 68, "one per 8th", colour=GREEN, size=13)
    return picture


def _encoder(picture):
    """Inputs, both directions, the vector of their last states, and the place of the decoder."""
    for t, x in enumerate(COLUMNS, start=1):
        picture.text(x + 45, 410, f"x_{t} = {INPUTS[t - 1]}")
        picture.box(x, 318, 90, 44, f"h_{t} →", FORWARD[t - 1], colour=BLUE)
        picture.box(x, 246, 90, 44, f"h_{t} ←", BACKWARD[t - 1], colour=PURPLE)
        picture.arrow((x + 45, 398), (x + 45, 364))
        picture.line((x + 45, 386), (x + 102, 386), (x + 102, 268))
        picture.arrow((x + 102, 268), (x + 92, 268))
    for x in COLUMNS[:2]:
        picture.arrow((x + 90, 340), (x + 126, 340), colour=BLUE)
        picture.arrow((x + 126, 256), (x + 90, 256), colour=PURPLE)
    picture.text(36, 340, "forward", size=13, colour=BLUE)
    picture.text(36, 268, "backward", size=13, colour=PURPLE)
    picture.box(414, 176, 102, 50, "c", "−0.674, 0.674", colour=ORANGE)
    picture.arrow((422, 340), (465, 340), (465, 228), colour=ORANGE)
    picture.arrow((125, 246), (125, 212), (412, 212), colour=ORANGE)
    picture.box(68, 84, 366, 68, colour=GREY, dashed=True)
    picture.text(35, 118, "decoder", size=13, colour=GREY)
    picture.arrow((465, 176), (465, 118), (436, 118), colour=ORANGE)


def _decoder(picture):
    """The decoder's states, the tokens that they emit and receive, and c at every step."""
    picture.line((414, 190), (125, 190), colour=ORANGE)
    for t, x in enumerate(COLUMNS, start=1):
        picture.box(x, 96, 90, 44, f"s_{t}", colour=GREY)
        picture.arrow((x + 45, 190), (x + 45, 142), colour=ORANGE)
        picture.arrow((x + 45, 96), (x + 45, 48))
        picture.text(x + 45, 32, f"p(y_{t} | …)")
        before = f"y_{t - 1}" if t > 1 else "start"
        picture.text(x + 72, 168, before, size=13)
        picture.arrow((x + 72, 158), (x + 72, 142))
    for x in COLUMNS[:2]:
        picture.arrow((x + 90, 118), (x + 126, 118))
