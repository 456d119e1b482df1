"""Lesson 15: a Transformer block, and the decoder over the tokens of four voices."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "15_transformer"
VOICES = ("soprano", "bass", "alto", "tenor")


def draw() -> Drawing:
    """Stage 1 the block with its two residual paths; stage 2 the tokens that come in and the logits that go out."""
    picture = Drawing(520, 470, "A Transformer block and the decoder of four voices")
    _block(picture)
    picture.stage(2)
    _decoder(picture)
    return picture


def _block(picture):
    """x + attention(norm(x)), then + feed-forward(norm(.)), from bottom to top."""
    picture.box(140, 124, 240, 236, colour=GREY, dashed=True)
    norms = [picture.box(176, y, 168, 30, "layer norm", "", ORANGE) for y in (318, 202)]
    heads = picture.box(176, 272, 168, 32, "attention, H heads", "", BLUE)
    wide = picture.box(176, 158, 168, 32, "feed-forward", "", GREEN)
    plus = [picture.circle(260, y, 10, "+", PURPLE) for y in (250, 140)]
    picture.arrow((260, 382), (260, 350))
    picture.arrow(norms[0].top, heads.bottom)
    picture.arrow(heads.top, plus[0].bottom)
    picture.arrow(plus[0].top, norms[1].bottom)
    picture.arrow(norms[1].top, wide.bottom)
    picture.arrow(wide.top, plus[1].bottom)
    picture.arrow((260, 367), (156, 367), (156, 250), (248, 250), colour=PURPLE)
    picture.arrow((260, 236), (364, 236), (364, 140), (272, 140), colour=PURPLE)
    picture.arrow((260, 130), (260, 106))
    picture.text(282, 374, "x", bold=True)
    picture.text(280, 116, "z", bold=True)


def _decoder(picture):
    """The places of one step's tokens, what each knows, and its logits with the table's."""
    picture.text(72, 240, "3 blocks,", size=13)
    picture.text(72, 258, "one on top", size=13)
    picture.text(72, 276, "of the other", size=13)
    picture.text(446, 240, "keys and values", size=13)
    picture.text(446, 258, "of all places", size=13)
    picture.text(446, 276, "before", size=13)
    picture.arrow((402, 288), (346, 288), colour=BLUE)
    for i, voice in enumerate(VOICES):
        x = 14 + 126 * i
        picture.box(x, 390, 114, 46, voice, "", BLUE)
        picture.box(x, 50, 114, 40, f"p({voice})", "", GREEN)
        picture.line((x + 57, 390), (x + 57, 382), colour=GREY)
        picture.line((x + 57, 100), (x + 57, 90), colour=GREY)
        if i:
            picture.arrow((x - 12, 413), (x - 1, 413), colour=GREY)
    picture.line((71, 382), (449, 382), colour=GREY)
    picture.line((71, 100), (449, 100), colour=GREY)
    picture.text(260, 454, "what sounds, metre, fermata; the tokens of this step so far", size=13)
    picture.text(260, 26, "logits of each voice + counterpoint table (8.8), softmax", size=13)
    return picture
