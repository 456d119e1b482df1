"""Slides of a lesson by rule, shown by reveal.js through nbconvert.

The rule: a `##` heading begins a slide to the right; what follows it goes below, as much as fits on
one slide at a time. A long paragraph is cut to its first sentence and those that define a term (in
bold); whole, it stands in the speaker's notes. Code is shown if it is short or computes a numbered
equation, and results always. What comes before the first heading is left out, except the lesson's
question and objectives and what has a result. Code that only shows something is left out.
"""

from __future__ import annotations

import copy
import functools
import re
from pathlib import Path

import nbformat

from scripts.website import media

LINES = 15  # of text on a slide
WIDTH = 84  # characters in such a line
CODE_LINES = 9  # code up to here is shown
SMALL = 0.75  # height of a line of code in those of text
WORDS = 34  # a paragraph up to here stays whole
_HEADING = re.compile(r"^(#{1,3}) +(.*)$")
_KEPT = re.compile(r"\$\$.*?\$\$|`[^`]*`|\$[^$\n]+\$|\[[^\]]*\]\([^)]*\)", re.S)
_END = re.compile(r"[.?!:](?:\*\*|[\"”)*])?(?=\s+[A-Z*$`\[\x00“\"])")
_NOT_THE_END = re.compile(r"(?:\bEqs?|\bvs|\bcf|\bNo|e\.g|i\.e)\.$")
_EQUATION = re.compile(r"# Eqs?\. \(")

# a slide is as wide on every screen: of a score's two drawings it shows the wide one
_WIDE_ALONE = re.compile(
    r'<style>\.musiclab-score\{.*?</style>|<div class="musiclab-narrow".*?</svg></div>', re.S
)


def write(lesson, title: str, file: Path, media_folder: Path) -> None:
    """Write the slides of an executed lesson; sound and pictures go to the folder of the pages' own."""
    deck = Deck(lesson).notebook
    deck.metadata["title"] = title
    html = _exporter().from_notebook_node(deck)[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    html = _WIDE_ALONE.sub("", html)
    file.write_text(media.as_files(html, media_folder, "../_media"), encoding="utf-8")


@functools.cache
def _exporter():
    from nbconvert import SlidesExporter

    return SlidesExporter(
        template_name="course",
        extra_template_basedirs=[str(Path(__file__).with_name("nbconvert"))],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )


class Deck:
    """The notebook that nbconvert makes slides of: cells cut to fit, each with its slide type.

    Attributes:
      notebook: with the metadata ``slideshow`` of Jupyter's own slides.
    """

    def __init__(self, lesson):
        self.notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(lesson.metadata))
        self.notebook.metadata.pop("widgets", None)
        self.section, self.used, self.notes, self.shown = "", 0.0, [], False
        for i, cell in enumerate(lesson.cells):
            if cell.cell_type == "markdown":
                for heading, blocks in by_heading(cell.source):
                    if heading or self.section:
                        self._text(heading, header(blocks) if i == 0 else blocks)
            elif cell.cell_type == "code":
                self._code(cell)
        self._end()

    def _text(self, heading, blocks):
        """Blocks where there is room; the notes hold what was cut."""
        if heading.startswith("## "):
            self.section = heading.removeprefix("## ")
        if heading:
            self._begin(heading, "subslide" if heading.startswith("###") else "slide")
        elif self.shown:  # what comes after a result is a new thought
            self._begin()
        for block in blocks:
            brief = shortened(block)
            self._place(lines_of(brief))
            self._markdown(brief)
            if brief != block:
                self.notes.append(block)

    def _code(self, cell):
        """Code, if it is to be shown, and its outputs."""
        outputs = [o for o in cell.get("outputs", []) if o.get("name") != "stderr" and shows(o)]
        lines = cell.source.rstrip().count("\n") + 1
        computes = lines <= CODE_LINES and not cell.source.startswith("show.")
        if self.section and (computes or _EQUATION.search(cell.source)):
            self._place(SMALL * lines + 0.5)
            self._cell(cell, [], source=True)
        for output in outputs:
            self._place(min(height(output), LINES))
            self._cell(cell, [output], source=False)
            self.shown = True

    def _place(self, lines):
        """Go on below unless there is room for so many lines."""
        if not self.notebook.cells or (self.used > 1.6 and self.used + lines > LINES):
            self._begin()
        self.used += lines

    def _begin(self, heading="", slide_type="subslide"):
        """Begin a slide with a heading, or with the name of the section that it continues."""
        self._end()
        name = f'<p class="kicker">{self.section}</p>' if self.section else ""
        self._markdown(heading or name, slide_type)
        self.used, self.shown = (1.6 if heading else 1.0), False

    def _end(self):
        if self.notes:
            self._markdown("\n\n".join(self.notes), "notes")
            self.notes = []

    def _markdown(self, text, slide_type="-"):
        metadata = {"slideshow": {"slide_type": slide_type}}
        cell = nbformat.v4.new_markdown_cell(_links(text), metadata=metadata, id=self._id())
        self.notebook.cells.append(cell)

    def _cell(self, cell, outputs, source):
        new = nbformat.v4.new_code_cell(cell.source.rstrip(), outputs=outputs, id=self._id())
        new.metadata = {
            "slideshow": {"slide_type": "-"},
            "transient": {"remove_source": not source},
        }
        self.notebook.cells.append(new)

    def _id(self):
        return f"part-{len(self.notebook.cells)}"


def by_heading(source: str) -> list[tuple[str, list[str]]]:
    """Headings of Markdown, "" for what stands before the first, each with its blocks.

    >>> by_heading("a\\n\\n## b\\nc\\n\\n$$\\n\\nd\\n$$")
    [('', ['a']), ('## b', ['c', '$$\\n\\nd\\n$$'])]
    """
    parts, block, inside = [("", [])], [], False
    for line in [*source.split("\n"), ""]:
        found = None if inside else _HEADING.match(line)
        if (found or not line.strip()) and block and not inside:
            parts[-1][1].append("\n".join(block))
            block = []
        if found:
            parts.append((line, []))
        elif line.strip() or inside:
            block.append(line)
            if line.startswith("```") or line.count("$$") % 2:
                inside = not inside
    if block:
        parts[-1][1].append("\n".join(block))
    return [part for part in parts if part[0] or part[1]]


def header(blocks: list[str]) -> list[str]:
    """Of a lesson's first cell: the question, and the objectives."""
    question = re.search(r"\*\*(.+?\?)\*\*", blocks[0], re.S) if blocks else None
    lists = [block for block in blocks if re.match(r"(?:1\.|-) ", block)]
    return [*([question[1].replace("\n", " ")] if question else []), *lists[:1]]


def shortened(paragraph: str) -> str:
    """A paragraph's first sentence and those that define a term; the whole, if it is short or no prose.

    >>> long = "One $a. B$ here. Two two. A **term** is it. " + "More of it. " * 9
    >>> shortened(long)
    'One $a. B$ here. A **term** is it.'
    """
    prose = not re.match(r"\||- |\d+\. |```|\$\$|<|>", paragraph)
    if not prose or len(paragraph.split()) <= WORDS:
        return paragraph
    kept = []

    def hide(found):
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    text, start, sentences = _KEPT.sub(hide, paragraph), 0, []
    for end in _END.finditer(text):
        if end[0][0] != ":" and not _NOT_THE_END.search(text[start : end.start() + 1]):
            sentences.append(text[start : end.end()].strip())
            start = end.end()
    sentences.append(text[start:].strip())
    label = re.fullmatch(r"\*\*[^*]+\*\*\W?", sentences[0]) is not None  # "**Proof.**"
    chosen = [s for i, s in enumerate(sentences) if i <= label or s.count("**") >= 2]
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], " ".join(chosen))


def lines_of(block: str) -> float:
    """About how many lines of a slide a block of Markdown takes."""
    rows = block.split("\n")
    if block.startswith("|"):
        return 0.9 * len(rows)
    if block.startswith("$$"):
        return 2.5 + block.count(r"\\")
    if block.startswith("```"):
        return len(rows)
    items = re.split(r"\n(?=- |\d+\. )", block)
    return sum(1 + len(re.sub(r"\s+", " ", item)) // WIDTH for item in items) + 0.5


def shows(output) -> bool:
    """Whether an output can be shown on a slide: widgets need a kernel."""
    data = output.get("data", {})
    return output.output_type == "stream" or "text/html" in data or set(data) == {"text/plain"}


def height(output) -> float:
    """About how many lines of a slide an output takes."""
    html = output.get("data", {}).get("text/html")
    if html is None:
        text = output.get("text", output.get("data", {}).get("text/plain", ""))
        return SMALL * (text.count("\n") + 1)
    html = re.sub(r"<script>.*?</script>", "", html, flags=re.S)
    if "<table" in html:
        return 0.9 * html.count("<tr") + 1
    if "<svg" in html or "<img" in html:
        box = re.search(r'viewBox="0 0 (\d+)\S* (\d+)', html)
        return min(11, max(3, 20 * int(box[2]) / int(box[1]))) if box else 11
    return 5 * max(1, html.count("<audio"))


def _links(text):
    """Links as the folder of the slides sees them."""
    text = re.sub(r"\]\(\.\./site/([^)#]+)\.md", r"](../\1.html", text)
    return re.sub(r"\]\((?:\./)?((?:exercises/)?\w+)\.ipynb", r"](../lessons/\1.html", text)
