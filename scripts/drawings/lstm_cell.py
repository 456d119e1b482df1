"""Lesson 07: one step of an LSTM cell with peepholes, with the numbers of the hand example."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "07_lstm_cell"
BELT, SHOWN, GATES, INPUTS = 62, 168, 236, 330  # heights: cell state, hidden state, gates, inputs


def draw() -> Drawing:
    """Stage 1 the input gate; 2 the forget gate; 3 candidate and cell; 4 what leaves the cell."""
    picture = Drawing(520, 352, "One step of an LSTM cell: what is kept, added and shown")
    _inputs_and_input_gate(picture)
    picture.stage(2)
    _forget_gate(picture)
    picture.stage(3)
    _candidate_and_cell(picture)
    picture.stage(4)
    _output(picture)
    return picture


def _inputs_and_input_gate(picture):
    picture.text(30, BELT - 14, "c_{t-1}", bold=True)
    picture.text(30, BELT + 16, "2.00")
    picture.text(12, INPUTS - 14, "x_t , h_{t-1}", bold=True, anchor="start")
    picture.line((12, INPUTS), (230, INPUTS))
    gate = picture.box(196, GATES, 68, 46, "σ", "input i_t", colour=GREEN)
    picture.arrow((230, INPUTS), gate.bottom)
    picture.line(gate.top, (230, SHOWN - 34))
    picture.text(212, 190, "0.41")
    picture.line((62, BELT), (62, GATES + 66), (210, GATES + 66), colour=GREY, dashed=True)
    picture.line(
        (210, GATES + 66), (210, GATES + 46), colour=GREY, dashed=True, arrow=True
    )  # peephole
    picture.line((12, BELT), (62, BELT), width=4, colour=BLUE)


def _forget_gate(picture):
    gate = picture.box(94, GATES, 72, 46, "σ", "forget f_t", colour=ORANGE)
    picture.arrow((130, INPUTS), gate.bottom)
    picture.line((62, GATES + 23), (94, GATES + 23), colour=GREY, dashed=True, arrow=True)
    keep = picture.circle(130, BELT, 14, "×", colour=ORANGE, size=18)
    picture.arrow(gate.top, keep.bottom, "0.90", at=(150, 160))
    picture.line((62, BELT), keep.left, width=4, colour=BLUE)
    picture.line(keep.right, (206, BELT), width=4, colour=BLUE)
    picture.text(196, BELT - 16, "kept 1.80")


def _candidate_and_cell(picture):
    candidate = picture.box(279, GATES, 96, 46, "tanh", "candidate c̃_t", colour=PURPLE)
    picture.line((230, INPUTS), (327, INPUTS))
    picture.arrow((327, INPUTS), candidate.bottom)
    write = picture.circle(270, SHOWN - 34, 14, "×", colour=GREEN, size=18)
    picture.line((230, SHOWN - 34), write.left, arrow=True)
    picture.line((327, GATES), (327, SHOWN - 34), write.right, arrow=True)
    picture.text(301, 190, "−0.54")
    add = picture.circle(270, BELT, 14, "+", colour=BLUE, size=18)
    picture.arrow(write.top, add.bottom, "−0.22", at=(297, 98))
    picture.line((206, BELT), add.left, width=4, colour=BLUE)
    picture.line(add.right, (480, BELT), width=4, colour=BLUE)
    picture.arrow((478, BELT), (512, BELT), colour=BLUE)
    picture.text(494, BELT - 16, "c_t", bold=True)
    picture.text(498, BELT + 18, "1.58")


def _output(picture):
    gate = picture.box(390, GATES, 72, 46, "σ", "output o_t", colour=GREEN)
    picture.line((327, INPUTS), (426, INPUTS))
    picture.arrow((426, INPUTS), gate.bottom)
    squash = picture.box(401, BELT + 24, 50, 28, "tanh", colour=GREY)
    show = picture.circle(426, SHOWN, 14, "×", colour=GREEN, size=18)
    picture.arrow((426, BELT), squash.top)
    picture.arrow(squash.bottom, show.top, "0.92", at=(404, 135))
    picture.arrow(gate.top, show.bottom, "0.66", at=(404, 208))
    picture.arrow(show.right, (512, SHOWN))
    picture.text(494, SHOWN - 16, "h_t", bold=True)
    picture.text(498, SHOWN + 18, "0.61")
    picture.line(
        (474, BELT), (474, GATES + 23), (462, GATES + 23), colour=GREY, dashed=True, arrow=True
    )
