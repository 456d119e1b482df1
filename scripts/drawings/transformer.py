"""Lesson 15: a Transformer block, and the decoder over the tokens of four voices."""

from scripts.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, Drawing

NAME = "15_transformer"
VOICES = ("soprano", "bass", "alto", "tenor")


def draw() -> Drawing:
    """Stage 1 the block with its two residual paths; stage 2 the tokens that come in and the logits that go out."""
    picture = Drawing(520, 514, "A Transformer block and the decoder of four voices")
    _block(picture)
    picture.stage(2)
    _decoder(picture)
    return picture


def _block(picture):
    """x + attention(norm(x)), then + feed-forward(norm(.)), from bottom to top."""
    picture.box(140, 168, 240, 236, colour=GREY, dashed=True)
    norms = [picture.box(176, y, 168, 30, "layer norm", "", ORANGE) for y in (362, 246)]
    heads = picture.box(176, 316, 168, 32, "attention, H heads", "", BLUE)
    wide = picture.box(176, 202, 168, 32, "feed-forward", "", GREEN)
    plus = [picture.circle(260, y, 10, "+", PURPLE) for y in (294, 184)]
    picture.arrow((260, 426), (260, 394))
    picture.arrow(norms[0].top, heads.bottom)
    picture.arrow(heads.top, plus[0].bottom)
    picture.arrow(plus[0].top, norms[1].bottom)
    picture.arrow(norms[1].top, wide.bottom)
    picture.arrow(wide.top, plus[1].bottom)
    picture.arrow((260, 411), (156, 411), (156, 294), (248, 294), colour=PURPLE)
    picture.arrow((260, 280), (364, 280), (364, 184), (272, 184), colour=PURPLE)
    picture.arrow((260, 174), (260, 150))
    picture.text(282, 418, "x", bold=True)
    picture.text(280, 160, "z", bold=True)


def _decoder(picture):
    """The places of one step's tokens, what each knows, the way past the block, and the logits."""
    hidden = picture.box(140, 112, 240, 32, "hidden layer", "", ORANGE)
    picture.line(hidden.top, (260, 100), colour=GREY)
    picture.arrow((106, 426), (106, 128), hidden.left, colour=PURPLE)
    picture.text(54, 284, "the inputs", size=13)
    picture.text(54, 302, "also pass the", size=13)
    picture.text(54, 320, "block by", size=13)
    picture.text(446, 284, "keys and values", size=13)
    picture.text(446, 302, "of all places", size=13)
    picture.text(446, 320, "before", size=13)
    picture.arrow((402, 332), (346, 332), colour=BLUE)
    for i, voice in enumerate(VOICES):
        x = 14 + 126 * i
        picture.box(x, 434, 114, 46, voice, "", BLUE)
        picture.box(x, 50, 114, 40, f"p({voice})", "", GREEN)
        picture.line((x + 57, 434), (x + 57, 426), colour=GREY)
        picture.line((x + 57, 100), (x + 57, 90), colour=GREY)
        if i:
            picture.arrow((x - 12, 457), (x - 1, 457), colour=GREY)
    picture.line((71, 426), (449, 426), colour=GREY)
    picture.line((71, 100), (449, 100), colour=GREY)
    picture.text(260, 498, "what sounds, metre, fermata; the tokens of this step so far", size=13)
    picture.text(260, 26, "logits of each voice + counterpoint table (8.8), softmax", size=13)
    return picture
