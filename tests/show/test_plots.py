"""Piano rolls are read back from their shapes; figures get into a lesson with words or not at all."""

import base64
import io
import re
from html import unescape

import matplotlib.colors
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from PIL import Image

from musiclab import show
from musiclab.data import Piece, piano_roll
from musiclab.show.html import notes


@pytest.fixture(autouse=True)
def _close_all():
    yield
    plt.close("all")


def drawn(ax):
    """The notes of a piano roll as drawn: (start, row, colour, height), and the steps at which an edge is dark."""
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    found = sorted(
        (box.get_x(), round(box.get_y() + box.get_height() / 2), box.get_facecolor())
        for box in boxes
    )
    edges = sorted((segment[0][0], round(segment[:, 1].mean())) for lines in ax.collections
                   for segment in lines.get_segments())  # fmt: skip
    return found, edges


def picture(shown):
    return base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', shown.html)[1])


def test_a_roll_shows_every_note_and_where_it_is_struck(chorales):
    found, edges = drawn(show.piano_roll(chorales[0]))
    expected = sorted(
        (s, p, matplotlib.colors.to_rgba(show.COLOURS[v])) for s, _, p, v in notes(chorales[0])
    )
    assert found == expected
    assert edges == [box[:2] for box in expected]


def test_held_and_repeated_notes_look_different():
    held, struck = (show.piano_roll(Piece([[60]] * 4, [[1], [k], [0], [0]])) for k in (0, 1))
    assert drawn(held)[1] == [(0, 60)]
    assert drawn(struck)[1] == [(0, 60), (1, 60)]
    for box in struck.patches:
        assert box.get_width() < 3  # a gap before what follows


def test_voices_in_unison_share_the_row():
    ax = show.piano_roll([[60, 60]] * 4)
    low, high = sorted((box.get_y(), box.get_y() + box.get_height()) for box in ax.patches)
    assert low[0] >= 59.5
    assert low[1] == pytest.approx(high[0])
    assert high[1] <= 60.5


def test_voices_differ_by_colour_and_by_pattern():
    ax = show.piano_roll([[72, 67, 64, 48]] * 4)
    assert len({box.get_facecolor() for box in ax.patches}) == 4
    assert len({box.get_hatch() for box in ax.patches}) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "soprano",
        "alto",
        "tenor",
        "bass",
    ]


def test_a_piano_roll_array_has_no_voices():
    ax = show.piano_roll(piano_roll(np.array([[72, 67]] * 4)))
    assert {box.get_facecolor() for box in ax.patches} == {
        matplotlib.colors.to_rgba(show.COLOURS[0])
    }
    assert ax.get_legend() is None


def test_axes_say_bars_and_pitches(small):
    ax = show.piano_roll(small, title="Small")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("bar", "pitch", "Small")
    assert [
        (tick, label.get_text()) for tick, label in zip(ax.get_xticks(), ax.get_xticklabels())
    ] == [
        (4, "1"),
        (20, "2"),
    ]
    bars = [line.get_xdata()[0] for line in ax.lines]
    assert bars == [4, 20]
    names = dict(zip(ax.get_yticks(), (label.get_text() for label in ax.get_yticklabels())))
    assert names[60] == "C4"
    assert names[67] == "G4"
    assert ax.get_ylim() == (47 - 1.5, 74 + 1.5)


def test_music_without_bar_lines_counts_quarters():
    ax = show.piano_roll(Piece([[60]] * 8, downbeats=[False] * 8))
    assert ax.get_xlabel() == "quarter"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]


def test_a_given_axis_is_used_and_what_is_on_it_kept():
    _, ax = plt.subplots()
    ax.plot([0, 1], [60, 61])
    assert show.piano_roll([60] * 4, ax=ax) is ax
    assert len(ax.lines) == 2  # the line and the bar line


def test_silence_is_drawn_as_an_empty_grid():
    ax = show.piano_roll([-1] * 8)
    assert not ax.patches
    assert ax.get_xlim() == (-0.5, 8.5)


def test_two_rolls_are_compared_on_the_same_scales(small):
    left, right = show.compare(small, np.full(48, 40), titles=("Bach", "Model"))
    assert left.get_xlim() == right.get_xlim() == (-0.5, 48.5)
    assert left.get_ylim() == right.get_ylim() == (40 - 1.5, 74 + 1.5)
    assert (left.get_title(), right.get_title()) == ("Bach", "Model")
    assert left.figure is right.figure
    assert "figure: both" in repr(show.figure(left, alt="both"))


def test_a_figure_is_embedded_with_its_words_and_closed():
    ax = show.piano_roll([60, 62])
    shown = show.figure(ax, alt='C4 <then> "D4"\n   rising')
    assert not plt.fignum_exists(ax.figure.number)
    assert unescape(re.search(r'alt="([^"]*)"', shown.html)[1]) == 'C4 <then> "D4" rising'
    with Image.open(io.BytesIO(picture(shown))) as image:
        assert image.size[0] > 300
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
    # the voice's blue survives the smaller palette
    wanted = np.array(matplotlib.colors.to_rgb(show.COLOURS[0])) * 255
    assert min(np.abs(np.array(colour) - wanted).max() for colour in colours) < 8


def test_a_figure_has_the_same_bytes_each_time():
    first, second = (picture(show.figure(show.piano_roll([60, 62]), alt="x")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_a_figure_without_words_is_refused_and_still_closed(alt):
    ax = show.piano_roll([60])
    with pytest.raises(ValueError, match="alt is empty"):
        show.figure(ax, alt=alt)
    assert not plt.fignum_exists(ax.figure.number)


@pytest.mark.parametrize(("axis", "other"), [("x", "y"), ("y", "x")])
def test_a_figure_without_a_label_is_refused(axis, other):
    fig, ax = plt.subplots()
    ax.set(**{f"{other}label": "something (unit)"})
    with pytest.raises(ValueError, match=f"axis 1 .* has no {axis} label"):
        show.figure(fig, alt="words")


def test_labels_may_be_shared_and_axes_turned_off():
    fig, (left, right) = plt.subplots(1, 2, sharey=True)
    left.set(xlabel="time (s)", ylabel="level (dB)")
    right.set(xlabel="time (s)")
    assert show.figure(fig, alt="two levels").html
    fig, ax = plt.subplots()
    ax.axis("off")
    assert show.figure(ax, alt="a drawing").html


def test_a_colour_bar_needs_one_label():
    for label in ("probability", ""):
        fig, ax = plt.subplots()
        ax.set(xlabel="step", ylabel="pitch")
        fig.colorbar(ax.imshow(np.eye(3)), label=label)
        if label:
            assert show.figure(fig, alt="a diagonal").html
        else:
            with pytest.raises(ValueError, match="colour bar has no label"):
                show.figure(fig, alt="a diagonal")


@pytest.mark.parametrize("wrong", [None, "ax", 3, plt.Figure()])
def test_what_is_no_figure_is_refused(wrong):
    with pytest.raises(ValueError, match="figure"):
        show.figure(wrong, alt="words")


def test_loss_curves_draw_what_was_measured():
    ax = show.loss_curves(
        {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.0]},
        {"chance": 4.0},
        unit="nats per note",
    )
    training, held_out, chance = ax.lines
    assert training.get_ydata().tolist() == [3, 2, 1]
    assert training.get_xdata().tolist() == [1, 2, 3]
    assert held_out.get_ydata().tolist() == [3.5, 2.5, 2]
    assert set(chance.get_ydata()) == {4}
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats per note)")


def test_loss_curves_take_a_keras_history_and_an_axis():
    class History:
        history = {"loss": [1.0]}  # noqa: RUF012

    _, ax = plt.subplots()
    assert show.loss_curves(History(), ax=ax) is ax
    assert len(ax.lines) == 1


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ({}, 'no "loss"'),
        ([1, 2], 'no "loss"'),
        ({"loss": []}, 'no "loss"'),
        ({"loss": [1, np.nan]}, "epoch 2 is not finite"),
    ],
)
def test_loss_curves_refuse_what_shows_nothing(history, words):
    with pytest.raises(ValueError, match=words):
        show.loss_curves(history)


@pytest.mark.parametrize(
    "seen",  # Machado, Oliveira and Fernandes 2009, severity 1: protanopia, deuteranopia
    [
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ],
)
def test_colours_are_told_apart_by_colour_blind_readers(seen):
    linear = np.array([matplotlib.colors.to_rgb(colour) for colour in show.COLOURS]) ** 2.2
    as_seen = np.clip(linear @ np.array(seen).T, 0, 1) ** (1 / 2.2)
    apart = np.linalg.norm(as_seen[:, None] - as_seen, axis=-1) + 9 * np.eye(len(as_seen))
    assert apart.min() > 0.15


def test_patterns_differ():
    assert len(set(show.HATCHES)) == len(show.HATCHES)
