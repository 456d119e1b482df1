"""Music to engraved scores: inline SVG that needs nothing from outside, in two widths, without ids.

Lessons: all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from xml.etree import ElementTree

from musiclab.data.piece import STEPS_PER_QUARTER, Piece
from musiclab.show.html import Shown, as_piece, captioned, named

__all__ = ["score"]

_WIDE, _NARROW = 820, 340  # CSS pixels of a full system; staff lines are 6.5 px apart in both
_SCALE = 36  # verovio's per cent that makes it so
_MARK = "#d55e00"  # vermilion: told apart on white and on black, by colour-blind readers too
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE = (
    "<style>.musiclab-score{container-type:inline-size}"
    "@container (max-width:540px){.musiclab-score>.musiclab-wide{display:none!important}"
    ".musiclab-score>.musiclab-narrow{display:block!important}}</style>"
)
_CLASSES = {
    "accid",
    "clef",
    "fermata",
    "keySig",
    "measure",
    "note",
    "rest",
    "staff",
    "system",
    "tie",
}  # kept in the SVG
_STEPS, _SEMITONES = "FCGDAEB", {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def score(x, highlight: Iterable[tuple[int, int]] = (), title: str | None = None, max_bars: int | None = None) -> Shown:
    """Engrave music: bars, keys, right spelling, fermatas, ties.

    It is engraved twice, for a wide and for a narrow place, and the page shows the one that fits; it takes the
    page's text colour, so it reads on dark pages too. No element has an id, so any number of scores share a page.

    Lesson: 00

    Args:
      x: a Piece, a voices array (T, V), a piano roll (T, 88), or a music21 stream.
      highlight: notes to ring and colour, as (step, voice): the note that sounds there, with all it is tied to.
        Voice 0 is the top staff.
      title: a line above the score.
      max_bars: show only so many bars from the start (a pickup is no bar).

    Returns:
      What a notebook cell shows when it ends with it.

    Raises:
      ValueError: if ``x`` is no music, ``max_bars`` is below 1, or no note sounds at a highlighted place.

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
    text = _describe(piece, document, heads, total, title, len({heads[i].note for i in marked}))
    xml = ElementTree.tostring(document, encoding="unicode")
    drawings = [_engrave(xml, width, heads, marked) for width in (_WIDE, _NARROW)]
    wide, narrow = (
        f'<div class="musiclab-{name}" style="display:{shown};{size}">{svg}</div>'
        for name, shown, size, svg in (
            ("wide", "block", f"max-width:{drawings[0][1]}px", drawings[0][0]),
            ("narrow", "none", f"width:{min(100, 100 * drawings[1][1] / _NARROW):.0f}%", drawings[1][0]),
        )
    )
    body = (
        f'{_STYLE}<div class="musiclab-score" role="img" aria-label="{escape(text)}" '
        f'style="width:100%;color:var(--jp-content-font-color1,inherit)">{wide}{narrow}</div>'
    )
    return Shown(captioned(body, title), text)


@dataclass(frozen=True)
class _Head:
    """One notehead: where it stands (steps), its staff, its pitch, and which note it is part of."""

    start: Fraction
    stop: Fraction
    voice: int
    pitch: int
    note: int


def _musicxml(x) -> bytes:
    if isinstance(x, Piece):
        from musiclab.data.musicxml import musicxml_bytes

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
        bars = [m for m in part.findall("measure") if m.get("implicit") != "yes" and m.get("number") != "0"]
        total = max(total, len(bars))
        if max_bars is not None and len(bars) > max_bars:
            measures = part.findall("measure")
            for measure in measures[measures.index(bars[max_bars]) :]:
                part.remove(measure)
    return total


def _label(document):
    """Give every notehead of a MusicXML document an id that counts from n0, and say what each is."""
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
                        element.set("id", f"n{len(heads)}")
                        heads.append(_Head(start, start + long, voice, pitch, note))
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
            raise ValueError(f"highlight ({step}, {voice}): no note sounds in voice {voice} at step {step}")
        wanted |= found
    return {i for i, head in enumerate(heads) if head.note in wanted}


def _describe(piece, document, heads, total, title, n_marked):
    """The score in words, for those who can't see it."""
    words = [
        title
        or (
            named(piece, None)
            if piece
            else document.findtext("movement-title") or document.findtext("work/work-title") or "untitled music"
        )
    ]
    if piece and piece.key_method != "unknown":
        words.append(f"{_tonic(piece)} {piece.mode}")
    if time := document.find("part/measure/attributes/time"):
        words.append(f"{time.findtext('beats')}/{time.findtext('beat-type')}")
    shown = _cut(document, None)
    words.append(f"{shown} bar{'s' * (shown != 1)}" if shown == total else f"first {shown} of {total} bars")
    n = len(document.findall("part"))
    words.append(f"{n} voice{'s' * (n != 1)}")
    low, high = (f(heads, key=lambda h: h.pitch, default=None) for f in (min, max))
    words.append(f"{_name(low.pitch)} to {_name(high.pitch)}" if low else "rests only")
    if n_marked:
        words.append(f"{n_marked} note{'s' * (n_marked != 1)} marked")
    return "score: " + ", ".join(words)


def _tonic(piece):
    home = piece.key_signature + 3 * (piece.mode == "minor")
    fifths = min((f for f in range(-12, 16) if 7 * f % 12 == piece.tonic), key=lambda f: abs(f - home))
    sharps = (fifths + 1) // 7
    return _STEPS[(fifths + 1) % 7] + (" sharp" * sharps if sharps > 0 else " flat" * -sharps)


def _name(pitch):
    return ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")[pitch % 12] + str(pitch // 12 - 1)


def _engrave(xml, width, heads, marked):
    """MusicXML to (SVG, its natural width in pixels)."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(
        {
            "scale": _SCALE, "pageWidth": width * 100 // _SCALE, "pageHeight": 60000, "adjustPageHeight": True,
            "adjustPageWidth": True, "pageMarginLeft": 10, "pageMarginRight": 10, "pageMarginTop": 20,
            "pageMarginBottom": 20, "header": "none", "footer": "none", "svgViewBox": True, "svgFormatRaw": True,
            "svgRemoveXlink": True, "xmlIdSeed": zlib.crc32(xml.encode()) & 0x7FFFFFFF or 1,
        }
    )  # fmt: skip
    if not toolkit.loadData(xml):
        raise ValueError("verovio could not read this music: does it have notes in bars?")
    pages = [toolkit.renderToSVG(page + 1) for page in range(toolkit.getPageCount())]
    drawn = [_plain(ElementTree.fromstring(page), heads, marked) for page in pages]
    widest = max(float(svg.get("viewBox").split()[2]) for svg in drawn)
    return "".join(_markup(svg) for svg in drawn), round(widest)


def _plain(svg, heads, marked):
    """Rework verovio's SVG: no ids, no style sheet, the page's own colour; marked notes ringed; a third of the size."""
    glyphs = {g.get("id"): g.find(f"{_SVG}path").get("d") for g in svg.find(f"{_SVG}defs")}
    for tag in ("defs", "style", "desc"):
        svg.remove(svg.find(f"{_SVG}{tag}"))
    for element in list(svg.iter()):
        name = element.attrib.pop("id", "")
        if element.tag == f"{_SVG}use":
            # a shared glyph would need an id, and ids of two scores on a page could clash
            x, y, scale = re.findall(r"-?[\d.]+", element.get("transform"))[:3]
            glyph = {"transform": f"matrix({scale} 0 0 -{scale} {x} {y})", "d": glyphs[element.get("href")[1:]]}
            element.tag, element.attrib = f"{_SVG}path", glyph
        elif element.tag == f"{_SVG}text":
            element.set("stroke", "none")
        elif element.get("class") == "mNum":
            element.set("font-style", "italic")
        elif re.fullmatch(r"n\d+", name):
            element.set("data-at", f"{heads[int(name[1:])].start},{heads[int(name[1:])].voice}")
            if int(name[1:]) in marked:
                _ring(element, heads[int(name[1:])])
    svg.find(f"{_SVG}svg").attrib.update(dict.fromkeys(("color", "fill", "stroke"), "currentColor"))
    svg.set("style", "display:block;width:100%;height:auto")
    _slim(svg)
    return svg


def _ring(note, head):
    """Colour a note, and ring its head for those who don't see the colour."""
    note.attrib.update({"class": "note marked", "color": _MARK, "fill": _MARK, "stroke": _MARK})
    use = note.find(f"{_SVG}g[@class='notehead']/*")
    x, y = re.findall(r"-?\d+", use.get("transform"))[:2]
    size = {"cx": str(int(x) + 115), "cy": y, "rx": "260", "ry": "215", "fill": "none", "stroke-width": "45"}
    ElementTree.SubElement(note, f"{_SVG}ellipse", size)
    title = ElementTree.Element(f"{_SVG}title")
    title.text = f"marked: {_name(head.pitch)}, step {head.start}, voice {head.voice}"
    note.insert(0, title)


def _slim(parent):
    """Drop what is not drawn, groups that say nothing, and draw lines that lie together as one path."""
    kept = []
    for child in parent:
        _slim(child)
        kind = child.get("class", "").split()
        if child.tag == f"{_SVG}g" and ("placeholder" in kind or not len(child)):
            continue
        if kind and kind[0] not in _CLASSES:
            del child.attrib["class"]
        kept += list(child) if child.tag == f"{_SVG}g" and not child.attrib else [child]
    lines = {}
    for child in kept:
        if line := re.fullmatch(r"M(\S+) (\S+) L(\S+) (\S+)", child.get("d", "")):
            x, y, to_x, to_y = line.groups()
            path = f"M{x} {y}" + (f"H{to_x}" if y == to_y else f"V{to_y}" if x == to_x else f"L{to_x} {to_y}")
            first = lines.setdefault(tuple(v for k, v in child.items() if k != "d"), child)
            child.set("d", path if first is child else "")
            if first is not child:
                first.set("d", first.get("d") + path)
    parent[:] = [child for child in kept if child.get("d") != ""]


def _markup(svg):
    for element in svg.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return ElementTree.tostring(svg, encoding="unicode").replace(" />", "/>")
