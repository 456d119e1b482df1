"""Engraving of MusicXML with verovio, its SVG reworked so that one page can hold several."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from xml.etree import ElementTree

__all__ = ["Head", "engrave", "pitch_name"]

_SCALE = 36  # verovio's per cent: staff lines are 6.5 CSS pixels apart
_MARK = "#d55e00"  # vermilion: told apart on white and on black, by colour-blind readers too
_SVG = "{http://www.w3.org/2000/svg}"
_GLYPH_SCALE = "0.72"  # verovio's, of all but small notes
_CLASSES = frozenset(
    "accid clef fermata keySig measure note rest staff system tie".split()
)  # kept in the SVG


@dataclass(frozen=True)
class Head:
    """One notehead: where it stands (steps), its staff, its pitch, and which note it is part of."""

    start: Fraction
    stop: Fraction
    voice: int
    pitch: int
    note: int


def pitch_name(pitch: int) -> str:
    """Name of a MIDI pitch in its common spelling.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'B♭4')
    """
    return ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")[pitch % 12] + str(
        pitch // 12 - 1
    )


def engrave(xml: str, width: int, heads: Sequence[Head], marked: set[int]) -> tuple[str, int]:
    """Engrave MusicXML.

    Args:
      xml: a MusicXML document whose notes have the ids "head-0", "head-1"... in the order of
        ``heads``.
      width: of a full system, in CSS pixels.
      heads: what each of these noteheads is.
      marked: indices of the heads to ring and colour.

    Returns:
      One or more ``<svg>``, and the width in CSS pixels at which they are to be seen.

    Raises:
      ValueError: if verovio can't read the document.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(
        {
            "scale": _SCALE, "pageWidth": width * 100 // _SCALE, "pageHeight": 60000, "adjustPageHeight": True,
            "adjustPageWidth": True, "pageMarginLeft": 10, "pageMarginRight": 10, "pageMarginTop": 20,
            "pageMarginBottom": 20, "header": "none", "footer": "none", "svgViewBox": True, "svgFormatRaw": True,
            "svgRemoveXlink": True, "xmlIdSeed": zlib.crc32(xml.encode()) & 0x7FFFFFFF or 1,
            "svgBoundingBoxes": True,
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
    glyphs = {
        g.get("id"): _upright(g.find(f"{_SVG}path").get("d")) for g in svg.find(f"{_SVG}defs")
    }
    for tag in ("defs", "style", "desc"):
        svg.remove(svg.find(f"{_SVG}{tag}"))
    _fit_labels(svg)
    for element in list(svg.iter()):
        name = element.attrib.pop("id", "")
        if element.tag == f"{_SVG}use":
            # a shared glyph would need an id, and ids of two scores on a page could clash
            x, y, scale = re.findall(r"-?[\d.]+", element.get("transform"))[:3]
            small = (
                "" if scale == _GLYPH_SCALE else f" scale({float(scale) / float(_GLYPH_SCALE):.3g})"
            )  # grace notes
            glyph = {
                "transform": f"translate({x} {y}){small}",
                "d": glyphs[element.get("href")[1:]],
            }
            element.tag, element.attrib = f"{_SVG}path", glyph
        elif element.tag == f"{_SVG}text":
            element.set("stroke", "none")
        elif element.get("class") == "mNum":
            element.set("font-style", "italic")
        elif name.startswith("head-"):  # as labelled; verovio's own ids have no hyphen
            index = int(name.removeprefix("head-"))
            element.set("data-at", f"{heads[index].start},{heads[index].voice}")
            if index in marked:
                _ring(element, heads[index])
    svg.find(f"{_SVG}svg").attrib.update(dict.fromkeys(("color", "fill", "stroke"), "currentColor"))
    svg.set("style", "display:block;width:100%;height:auto")
    _slim(svg)
    return svg


def _fit_labels(svg):
    """Set the names of the staves to the width that verovio left for them, in any font; drop all bounding boxes."""
    for label in svg.iterfind(f".//{_SVG}g"):
        if label.get("class") in ("label", "labelAbbr"):
            text, box = label.find(f"{_SVG}text"), label.find(f".//{_SVG}rect")
            if text is not None and box is not None:
                width = {"textLength": box.get("width"), "lengthAdjust": "spacingAndGlyphs"}
                text.attrib.update(width)
    for parent in list(svg.iter()):
        for child in list(parent):
            if "bounding-box" in child.get("class", "").split():
                parent.remove(child)


@cache
def _upright(outline):
    """A glyph's outline as verovio places it, scaled and right way up, in whole units: that is a fifth of the page."""
    drawn, axes, turn = [], "", 0
    for token in re.findall(r"[A-Za-z]|-?[\d.]+", outline):
        if token.isalpha():
            drawn.append(token)
            axes, turn = {"H": "x", "V": "y"}.get(token.upper(), "xy"), 0
            continue
        number = round(
            float(token) * float(_GLYPH_SCALE) * (1 if axes[turn % len(axes)] == "x" else -1)
        )
        drawn.append(f"{'' if number < 0 or not turn else ' '}{number}")
        turn += 1
    return "".join(drawn)


def _ring(note, head):
    """Colour a note, and ring its head for those who don't see the colour."""
    note.attrib.update({"class": "note marked", "color": _MARK, "fill": _MARK, "stroke": _MARK})
    use = note.find(f"{_SVG}g[@class='notehead']/*")
    x, y = (int(n) for n in re.findall(r"-?\d+", use.get("transform"))[:2])
    accidental = note.find(f"{_SVG}g[@class='accid']/*")  # inside the ring, or nobody can read it
    left = (
        x - 145
        if accidental is None
        else int(re.findall(r"-?\d+", accidental.get("transform"))[0]) - 120
    )
    size = {
        "cx": f"{(left + x + 375) / 2:.0f}",
        "cy": f"{y}",
        "rx": f"{(x + 375 - left) / 2:.0f}",
        "ry": "215",
    }
    ElementTree.SubElement(note, f"{_SVG}ellipse", size | {"fill": "none", "stroke-width": "45"})
    title = ElementTree.Element(f"{_SVG}title")
    title.text = f"marked: {pitch_name(head.pitch)}, step {head.start}, voice {head.voice}"
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
            path = f"M{x} {y}" + (
                f"H{to_x}" if y == to_y else f"V{to_y}" if x == to_x else f"L{to_x} {to_y}"
            )
            first = lines.setdefault(tuple(v for k, v in child.items() if k != "d"), child)
            child.set("d", path if first is child else "")
            if first is not child:
                first.set("d", first.get("d") + path)
    parent[:] = [child for child in kept if child.get("d") != ""]


def _markup(svg):
    for element in svg.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return ElementTree.tostring(svg, encoding="unicode").replace(" />", "/>")
