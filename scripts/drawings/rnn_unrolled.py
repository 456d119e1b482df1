"""Lesson 06: a recurrent network, folded and unrolled over three steps."""

from scripts.drawings import GREEN, GREY, ORANGE, Drawing

NAME = "06_rnn_unrolled"


def draw() -> Drawing:
    """Stage 1 the loop; stage 2 the network unrolled; stage 3 the loss and the way back."""
    picture = Drawing(520, 290, "A recurrent network, folded on the left and unrolled on the right")
    h = picture.box(20, 120, 70, 46, "h_t", "(H,)")
    picture.arrow((55, 220), h.bottom, "W_{xh}", at=(32, 194))
    picture.text(55, 234, "x_t")
    picture.arrow(h.top, (55, 66), "W_{hy}", at=(32, 92))
    picture.text(55, 52, "logits z_t")
    picture.arrow((90, 152), (112, 152), (112, 105), (78, 105), (78, 119), "W_{hh}", at=(122, 92))
    picture.stage(2)
    picture.text(150, 143, "=", size=22)
    before = (172, 143)
    picture.text(176, 112, "h_0 = 0", colour=GREY)
    for t in (1, 2, 3):
        x = 88 + 116 * t
        state = picture.box(x, 120, 70, 46, f"h_{t}", "(H,)")
        picture.arrow(before, state.left, "W_{hh}" if t > 1 else "", above=True)
        picture.arrow((x + 35, 220), state.bottom, "W_{xh}", at=(x + 56, 194))
        picture.text(x + 35, 234, f"x_{t}")
        picture.arrow(state.top, (x + 35, 66), "W_{hy}", at=(x + 57, 92))
        picture.text(x + 35, 52, f"z_{t}")
        before = state.right
    picture.stage(3)
    for t in (1, 2, 3):
        x = 123 + 116 * t
        picture.text(x, 24, f"−ln p(y_{t})", colour=ORANGE)
    picture.arrow((452, 262), (244, 262), colour=GREEN)
    picture.text(348, 278, "gradient: one factor W_{hh}^T per step", colour=GREEN)
    return picture
