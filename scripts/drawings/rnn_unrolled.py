"""Lesson 06: a recurrent network, folded and unrolled over three steps, with the hand example's numbers."""

from scripts.drawings import GREEN, GREY, ORANGE, Drawing

NAME = "06_rnn_unrolled"
# one unit with W_hh = 0.5 and W_xh = 1 that hears one note: the numbers of the lesson's scalar example
INPUTS, STATES, FACTORS = (1, 0, 0), (0.762, 0.363, 0.180), (0.434, 0.484)


def draw() -> Drawing:
    """Stage 1 the loop; stage 2 the network unrolled; stage 3 the loss and the way back."""
    picture = Drawing(520, 336, "A recurrent network, folded on the left and unrolled on the right")
    h = picture.box(18, 130, 70, 54, "h_t", "(H,)")
    picture.arrow((53, 246), h.bottom, "W_{xh}", at=(28, 216))
    picture.text(53, 260, "x_t")
    picture.text(53, 278, "(D,)", size=13)
    picture.arrow(h.top, (53, 74), "W_{hy}", at=(28, 100))
    picture.text(53, 60, "z_t")
    picture.text(53, 42, "(K,)", size=13)
    picture.arrow((88, 170), (110, 170), (110, 112), (74, 112), (74, 129), "W_{hh}", at=(112, 98))
    picture.stage(2)
    picture.text(146, 157, "=", size=22)
    before = (166, 148)
    picture.text(176, 126, "h_0 = 0", colour=GREY, size=13)
    for t in (1, 2, 3):
        x = 90 + 115 * t
        state = picture.box(x, 130, 70, 54, f"h_{t}", f"{STATES[t - 1]:.3f}")
        picture.arrow(before, (x, 148), "W_{hh}" if t > 1 else "", at=(x - 23, 131))
        picture.arrow((x + 35, 246), state.bottom, "W_{xh}", at=(x + 58, 224))
        picture.text(x + 35, 260, f"x_{t} = {INPUTS[t - 1]}")
        picture.arrow(state.top, (x + 35, 74), "W_{hy}", at=(x + 58, 100))
        picture.text(x + 35, 60, f"z_{t}")
        before = (x + 70, 148)
    picture.text(352, 286, "numbers: one unit, W_{hh} = 0.5, W_{xh} = 1", size=13, colour=GREY)
    picture.stage(3)
    for t in (1, 2, 3):
        picture.text(125 + 115 * t, 20, f"−ln p(y_{t})", colour=ORANGE)
        picture.arrow((125 + 115 * t, 50), (125 + 115 * t, 30), colour=ORANGE)
    for t in (1, 2):
        start, end = 205 + 115 * t, 160 + 115 * t
        picture.arrow((start, 168), (end, 168), colour=GREEN)
        picture.text((start + end) / 2, 196, f"× {FACTORS[t - 1]}", size=13, colour=GREEN)
    picture.text(352, 316, "gradient: one factor per step back", colour=GREEN)
    return picture
