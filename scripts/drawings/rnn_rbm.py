"""Lesson 14: an RNN-RBM unrolled over four frames, with the numbers of the lesson's example by hand."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "14_rnn_rbm"
FRAMES, BIASES = ("C E", "D F", "C E", "C E"), ("0", "−4.82", "+4.82", "−4.82")
STATES = ("0", "0.96", "−0.96", "0.96")  # before each frame
LEFT, APART = 92, 126  # middle of the first frame; from frame to frame


def draw() -> Drawing:
    """Stage 1 an RBM for each frame and the network; stage 2 the numbers; stage 3 the gradient."""
    picture = Drawing(520, 346, "An RNN-RBM unrolled over four frames")
    for t in range(4):
        x = LEFT + APART * t
        hidden = picture.circle(x, 66, 21, f"h_{t + 1}", ORANGE)
        visible = picture.box(x - 32, 130, 64, 50, colour=BLUE)
        picture.text(x, 147, f"v_{t + 1}", bold=True)
        picture.line(hidden.bottom, visible.top)
        picture.text(x + 15, 108, "W")
        picture.box(x - 88, 240, 50, 46, colour=GREEN)
        picture.text(x - 63, 255, f"u_{t}", bold=True)
        picture.arrow((x - 68, 240), (x - 68, 66), (x - 22, 66), colour=PURPLE)
        picture.arrow((x - 54, 240), (x - 54, 155), (x - 33, 155), colour=PURPLE)
        if t == 0:
            picture.text(x - 46, 50, "W_{ub}", colour=PURPLE)
            picture.text(x - 28, 202, "W_{ua}", colour=PURPLE)
        if t < 3:
            picture.arrow((x, 180), (x, 254), (x + 37, 254), "W_{vu}", at=(x + 24, 216))
            picture.arrow((x - 38, 274), (x + 37, 274), "W_{uu}", at=(x - 8, 288))
    picture.stage(2)
    for t in range(4):
        x = LEFT + APART * t
        picture.text(x, 24, f"b_{t + 1} = {BIASES[t]}", colour=PURPLE)
        picture.text(x, 166, FRAMES[t], size=13)
        picture.text(x - 63, 273, STATES[t], size=13)
    picture.stage(3)
    for t in range(4):
        x = LEFT + APART * t
        picture.arrow((x - 81, 66), (x - 81, 238), colour=GREY, dashed=True)
        if t < 3:
            picture.arrow((x + 37, 304), (x - 62, 304), colour=GREY, dashed=True)
    picture.text(260, 330, "gradient: from the biases into the states, and back in time")
    return picture
