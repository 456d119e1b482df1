"""Engraved scores as inline SVG, in a wide and a narrow layout."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from html import escape
from xml.etree import ElementTree

from musiclab.data.piece import STEPS_PER_QUARTER, Piece
from musiclab.show.engraving import Head, engrave, pitch_name
from musiclab.show.html import Shown, as_piece, captioned, fingerprint, named

__all__ = ["score"]

_WIDE, _NARROW = 820, 340  # CSS pixels of a full system; staff lines are 6.5 px apart in both
_STYLE = (
    "<style>.musiclab-score{container-type:inline-size}"
    "@container (max-width:540px){.musiclab-score>.musiclab-wide{display:none!important}"
    ".musiclab-score>.musiclab-narrow{display:block!important}}</style>"
)
_STEPS, _SEMITONES = "FCGDAEB", {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def score(
    x,
    highlight: Iterable[tuple[int, int]] = (),
    title: str | None = None,
    max_bars: int | None = None,
) -> Shown:
    """Engrave music: bars, keys, right spelling, fermatas, ties.

    It is engraved twice, for a wide and for a narrow place, and the page shows the one that fits;
    it takes the page's text colour, so it reads on dark pages too. No element has an id, so any
    number of scores share a page.

    Args:
      x: a Piece, a voices array (T, V), a piano roll (T, 88), or a music21 stream.
      highlight: notes to ring and colour, as (step, voice): the note that sounds there, with all it
        is tied to. Voice 0 is the top staff.
      title: a line above the score.
      max_bars: show only so many bars from the start (a pickup is no bar).

    Returns:
      What a notebook cell shows when it ends with it.

    Raises:
      ValueError: if ``x`` is no music, ``max_bars`` is below 1, or no note sounds at a highlighted
        place.

    >>> score([60] * 16 + [62] * 16, title="Two notes")
    <score: Two notes, 4/4, 2 bars, 1 voice, C4 to D4>
    """
    piece = None if hasattr(x, "recurse") else as_piece(x)
    document = ElementTree.fromstring(_musicxml(x if piece is None else piece))
    if max_bars is not None and max_bars < 1:
        raise ValueError(f"max_bars is {max_bars}: show at least 1 bar, or leave it out for all")
    total = _cut(document, max_bars)
    heads = _label(document)
    marked = _marked(heads, highlight)
    end = max((head.stop for head in heads), default=0)
    facts = "" if piece is None else f'data-music="{fingerprint(piece)}" data-steps="{end}" '
    text = _describe(piece, document, heads, total, title, len({heads[i].note for i in marked}))
    xml = ElementTree.tostring(document, encoding="unicode")
    drawings = [engrave(xml, width, heads, marked) for width in (_WIDE, _NARROW)]
    wide, narrow = (
        f'<div class="musiclab-{name}" style="display:{shown};{size}">{svg}</div>'
        for name, shown, size, svg in (
            ("wide", "block", f"max-width:{drawings[0][1]}px", drawings[0][0]),
            (
                "narrow",
                "none",
                f"width:{min(100, 100 * drawings[1][1] / _NARROW):.0f}%",
                drawings[1][0],
            ),
        )
    )
    body = (
        f'{_STYLE}<div class="musiclab-score" role="img" aria-label="{escape(text)}" '
        f'{facts}style="position:relative;width:100%;color:var(--jp-content-font-color1,inherit)">{wide}{narrow}</div>'
    )
    return Shown(captioned(body, title), text)


def _musicxml(x) -> bytes:
    if isinstance(x, Piece):
        from musiclab.data.files.musicxml import musicxml_bytes

        return musicxml_bytes(x)
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    exporter = GeneralObjectExporter(x)
    # finished notation is left alone: making it again would fill a pickup bar with hidden rests
    exporter.makeNotation = not ("Score" in x.classes and x.isWellFormedNotation())
    return exporter.parse()


def _cut(document, max_bars):
    """Drop the bars after the first ``max_bars`` from every part; how many there were."""
    total = 0
    for part in document.findall("part"):
        bars = [
            m
            for m in part.findall("measure")
            if m.get("implicit") != "yes" and m.get("number") != "0"
        ]
        total = max(total, len(bars))
        if max_bars is not None and len(bars) > max_bars:
            measures = part.findall("measure")
            for measure in measures[measures.index(bars[max_bars]) :]:
                part.remove(measure)
    return total


def _label(document):
    """Give every notehead of a MusicXML document an id that counts from head-0, and say what each is."""
    heads, count = [], 0
    for voice, part in enumerate(document.findall("part")):
        bar_start, divisions, open_ties = Fraction(0), 1, {}
        for measure in part.findall("measure"):
            now = end = start = bar_start
            for element in measure:
                divisions = int(element.findtext("divisions") or divisions)
                long = Fraction(element.findtext("duration") or 0) / divisions * STEPS_PER_QUARTER
                if element.tag == "backup":
                    now -= long
                elif element.tag == "forward":
                    now += long
                elif element.tag == "note":
                    if element.find("chord") is None:
                        start, now = now, now + long
                    if element.find("pitch") is not None:
                        pitch = _midi(element.find("pitch"))
                        ties = {tie.get("type") for tie in element.findall("tie")}
                        note = open_ties.pop(pitch, count) if "stop" in ties else count
                        if "start" in ties:
                            open_ties[pitch] = note
                        element.set("id", f"head-{len(heads)}")
                        heads.append(Head(start, start + long, voice, pitch, note))
                        count += 1
                end = max(end, now)
            bar_start = end
    return heads


def _midi(pitch):
    alter = round(float(pitch.findtext("alter") or 0))
    return 12 * (int(pitch.findtext("octave")) + 1) + _SEMITONES[pitch.findtext("step")] + alter


def _marked(heads, highlight):
    """Indices of all noteheads of the notes that sound at the highlighted places."""
    wanted = set()
    for place in highlight:
        try:
            step, voice = (int(i) for i in place)
        except (TypeError, ValueError):
            raise ValueError(f"highlight holds {place!r}: each is a pair (step, voice)") from None
        found = {h.note for h in heads if h.voice == voice and h.start <= step < h.stop}
        if not found:
            raise ValueError(
                f"highlight ({step}, {voice}): no note sounds in voice {voice} at step {step}"
            )
        wanted |= found
    return {i for i, head in enumerate(heads) if head.note in wanted}


def _describe(piece, document, heads, total, title, n_marked):
    """The score in words, for those who can't see it."""
    words = [
        title
        or (
            named(piece, None)
            if piece
            else document.findtext("movement-title")
            or document.findtext("work/work-title")
            or "untitled music"
        )
    ]
    if piece and piece.key_method != "unknown":
        words.append(f"{_tonic(piece)} {piece.mode}")
    if time := document.find("part/measure/attributes/time"):
        words.append(f"{time.findtext('beats')}/{time.findtext('beat-type')}")
    shown = _cut(document, None)
    words.append(
        f"{shown} bar{'s' * (shown != 1)}" if shown == total else f"first {shown} of {total} bars"
    )
    n = len(document.findall("part"))
    words.append(f"{n} voice{'s' * (n != 1)}")
    low, high = (f(heads, key=lambda h: h.pitch, default=None) for f in (min, max))
    words.append(f"{pitch_name(low.pitch)} to {pitch_name(high.pitch)}" if low else "rests only")
    if n_marked:
        words.append(f"{n_marked} note{'s' * (n_marked != 1)} marked")
    return "score: " + ", ".join(words)


def _tonic(piece):
    home = piece.key_signature + 3 * (piece.mode == "minor")
    fifths = min(
        (f for f in range(-12, 16) if 7 * f % 12 == piece.tonic), key=lambda f: abs(f - home)
    )
    sharps = (fifths + 1) // 7
    return _STEPS[(fifths + 1) % 7] + (" sharp" * sharps if sharps > 0 else " flat" * -sharps)
