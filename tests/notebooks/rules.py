"""The rules a lesson keeps: each a function of a notebook and its path that yields what is wrong, in words.

Nothing here runs a lesson; these rules hold for what is stored. `problems` applies them all.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from statistics import median

import nbformat

from scripts.clean_notebooks import clean, prefix
from scripts.notebook_reading import (
    argument,
    at,
    attribute,
    blocks,
    cells,
    function_name,
    headings,
    nodes,
    objectives,
    stated_cost,
    strings,
    text_of,
    tokens,
    tree,
    word_count,
)

CODE_CELLS, WORDS = range(12, 29), range(1200, 2801)
MEDIAN_LINES, MOST_LINES = 6, 20
SECONDS, MEGABYTES = 60, 1500

FOREIGN = re.compile(
    r"(urllib3?|requests|httpx?|aiohttp|socket|ftplib|wget|gdown|kagglehub|huggingface_hub|datasets|tensorflow_datasets"
    r"|subprocess|webbrowser|pip|(tensorflow\.)?keras\.(datasets|applications))(\.|$)"
)
FOREIGN_CALLS = {
    "get_file": "downloads",
    "from_pretrained": "downloads",
    "system": "runs another program",
    "popen": "runs another program",
}
LOADS = re.compile(
    r"""<(img|audio|video|source|iframe|embed|object|link)\b[^>]*=\s*["']?(https?:)?//|<script\b|url\(\s*["']?(https?:)?//""",
    re.I,
)
DRAWS = re.compile(
    r"plt\.(?!(close|rc|rcParams|style|colormaps)\b)|show\.(piano_roll|compare|loss_curves)$|(fig|ax(es|s|_\w+|\d+)?)\b.*\."
)
ROOTS = "home|Users|root|tmp|var|opt|usr|mnt|media|etc|work|content|private|Volumes"
ABSOLUTE = re.compile(
    rf"^/({ROOTS})(/|$)|^/[\w.-]+/[\w./-]+$|^~(/|$)|^[A-Za-z]:[\\/]|^\\\\\w|/(home|Users)/\w"
)
ABSOLUTE_IN_TEXT = re.compile(rf"(?<![\w.:/])/({ROOTS})/\w|\b[A-Z]:\\\w")


def problems(nb, path: Path) -> list[str]:
    """Everything that is wrong with a lesson."""
    return [problem for rule in RULES for problem in rule(nb, path)]


# What is stored


def clean_as_stored(nb, path):
    """No outputs, no counts, stable ids, minimal metadata: what scripts/clean_notebooks.py would write."""
    for index, cell in cells(nb, "code"):
        if cell.get("outputs"):
            yield f"{at(index, cell)} has outputs stored"
        if cell.get("execution_count") is not None:
            yield f"{at(index, cell)} has an execution count"
    text = nbformat.v4.writes(nb).rstrip("\n") + "\n"
    if clean(text, prefix(path)) != text:
        yield "is not as it should be stored: run python scripts/clean_notebooks.py"


def file_name(nb, path):
    """NN_words.ipynb."""
    if not re.fullmatch(r"\d\d[a-z]?(_[a-z0-9]+)+\.ipynb", path.name):
        yield f"is called {path.name}: call it NN_words.ipynb, small letters and underscores"


# How much


def code_lengths(nb, path):
    """12 to 28 code cells of at most 20 lines, half of them at most 6."""
    lines = [len(cell.source.splitlines()) for _, cell in cells(nb, "code")]
    if len(lines) not in CODE_CELLS:
        yield f"has {len(lines)} code cells: {CODE_CELLS[0]} to {CODE_CELLS[-1]} fit a lesson"
    if lines and median(lines) > MEDIAN_LINES:
        yield f"has code cells of {median(lines):g} lines in the median: at most {MEDIAN_LINES}"
    for index, cell in cells(nb, "code"):
        if not cell.source.strip():
            yield f"{at(index, cell)} has no code"
        if len(cell.source.splitlines()) > MOST_LINES:
            yield f"{at(index, cell)} has {len(cell.source.splitlines())} lines: at most {MOST_LINES}"


def words(nb, path):
    """1,200 to 2,800 words, not counting code and displayed formulas."""
    if word_count(nb) not in WORDS:
        yield f"has {word_count(nb)} words: {WORDS[0]} to {WORDS[-1]} fit a lesson"


# What the code does


def plain_python(nb, path):
    """Every cell is Python that parses: no magic, no shell, no waiting for someone to type."""
    for index, cell in cells(nb, "code"):
        magic = re.search(r"^\s*[%!?].*|^\s*\w+\s*=\s*[%!].*|^\s*[\w.]+\?+\s*$", cell.source, re.M)
        if tree(cell) is None:
            yield f"{at(index, cell)} " + (
                f"uses magic: {magic[0].strip()}" if magic else "does not parse"
            )
    for index, cell, node in nodes(nb, ast.Call):
        if function_name(node) == "get_ipython":
            yield f"{at(index, cell)} calls get_ipython(): magic by another name"
        if ast.unparse(node.func) == "input":
            yield f"{at(index, cell)} calls input(): nobody types when all cells run"


def no_bare_show(nb, path):
    """Neither music21's .show(), which needs MuseScore, nor plt.show(), which loses the alt text."""
    for index, cell, node in nodes(nb, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "show":
            yield f"{at(index, cell)} calls {ast.unparse(node.func)}(): use show.score, show.play or show.figure"


def nothing_fetched(nb, path):
    """No network and no other program, in code or in what a page would load by itself; a link to follow is fine."""
    for index, cell, node in nodes(nb, (ast.Import, ast.ImportFrom)):
        names = [alias.name for alias in node.names]
        names = (
            [f"{node.module}.{name}" for name in names]
            if isinstance(node, ast.ImportFrom)
            else names
        )
        yield from (
            f"{at(index, cell)} imports {name}: it reaches outside"
            for name in names
            if FOREIGN.match(name)
        )
    for index, cell, node in nodes(nb, ast.Call):
        if (name := function_name(node)) in FOREIGN_CALLS:
            yield f"{at(index, cell)} calls {name}(), which {FOREIGN_CALLS[name]}"
    for index, cell, node in nodes(nb, ast.Attribute):
        if re.fullmatch(r"(\w+\.)?keras\.(datasets|applications)", ast.unparse(node)):
            yield f"{at(index, cell)} uses {ast.unparse(node)}, which downloads"
    for index, cell, text in strings(nb):
        if re.search(r"\b(https?|ftp)://|//cdn\.", text):
            yield f"{at(index, cell)} has an address in its code: {text[:60]!r}"
    for index, cell, token in tokens(nb, "block_html", "inline_html"):
        if LOADS.search(token["raw"]):
            yield f"{at(index, cell)} would load something from outside: {token['raw'].strip()[:60]}"
    for index, cell, token in tokens(nb, "image"):
        if re.match(r"https?:|//", token["attrs"]["url"]):
            yield f"{at(index, cell)} would load a picture from outside: {token['attrs']['url']}"


def no_absolute_path(nb, path):
    """Nothing that exists on one machine only."""
    for index, cell, text in strings(nb):
        if ABSOLUTE.search(text):
            yield f"{at(index, cell)} has the absolute path {text[:60]!r}"
    for index, cell, node in nodes(nb, ast.Call):
        if function_name(node) in ("expanduser", "home"):
            yield f"{at(index, cell)} calls {function_name(node)}(): what is there differs between machines"
    for index, cell in cells(nb, "markdown"):
        if (found := ABSOLUTE_IN_TEXT.search(cell.source)) is not None:
            yield f"{at(index, cell)} names an absolute path: {found[0]}"


# What is seen


def ordered_headings(nb, path):
    """One H1, at the very start; no level skipped; none empty; all written with #."""
    found = headings(nb)
    if not nb.cells or not re.match(r"# \S", nb.cells[0].source):
        yield "does not begin with its title: '# ' and the title, first thing in the first cell"
    if (count := sum(level == 1 for *_, level, _ in found)) != 1:
        yield f"has {count} headings of level 1: exactly one"
    for before, (index, cell, level, text) in zip([0, *(level for *_, level, _ in found)], found):
        if level > before + 1:
            yield f"{at(index, cell)} jumps from heading level {before} to {level}: {text}"
        if not text.strip():
            yield f"{at(index, cell)} has a heading that says nothing"
    for index, cell, token in tokens(nb, "heading", "block_html", "inline_html", "paragraph"):
        underlined = token["type"] == "heading" and token["style"] != "atx"
        unspaced = token["type"] == "paragraph" and re.match(r"#+\w", text_of(token))
        if underlined or unspaced or re.search(r"<h[1-6]\b", token.get("raw", ""), re.I):
            yield f"{at(index, cell)} has a heading that isn't written as '## text'"


def alt_text(nb, path):
    """Every picture says in words what there is to see."""
    for index, cell, token in tokens(nb, "image"):
        if _says_little(text_of(token)):
            yield f"{at(index, cell)} has a picture without alt text: {token['attrs']['url']}"
    html = [
        (index, cell, token["raw"])
        for index, cell, token in tokens(nb, "block_html", "inline_html")
    ]
    for index, cell, text in [*html, *strings(nb)]:
        for tag in re.findall(r"<(?:img|svg)\b[^>]*", text, re.I):
            if _says_little(attribute(tag, "alt") or attribute(tag, "aria-label")):
                yield f"{at(index, cell)} has {tag[:4]}> without alt text"
    for index, cell, node in nodes(nb, ast.Call):
        if function_name(node) == "Image" and _says_little(argument(node, None, "alt")):
            yield f"{at(index, cell)} shows an Image without alt=..."
    for index, cell in cells(nb, "markdown"):
        if cell.get("attachments"):
            yield f"{at(index, cell)} has a picture pasted in: draw it in code"


def figures(nb, path):
    """A cell that draws has a show.figure(..., alt="..."), which also checks labels; what a cell shows is seen."""
    for index, cell in cells(nb, "code"):
        parsed = tree(cell) or ast.Module([], [])
        calls = [node for node in ast.walk(parsed) if isinstance(node, ast.Call)]
        shown = [call for call in calls if ast.unparse(call.func) == "show.figure"]
        drawing = [call for call in calls if DRAWS.match(ast.unparse(call.func))]
        drawing = [call for call in drawing if id(call) not in _on_an_axis_handed_in(parsed)]
        if drawing and not shown:
            yield f'{at(index, cell)} draws ({ast.unparse(drawing[0].func)}) but has no show.figure(..., alt="...")'
        for call in shown:
            if _says_little(argument(call, 1, "alt")):
                yield f'{at(index, cell)} calls show.figure without an alt="..." of three words or more'
        for node in ast.walk(parsed):
            if (
                isinstance(node, ast.Expr)
                and re.match(r"show\.\w+\(", ast.unparse(node))
                and node is not parsed.body[-1]
            ):
                name = ast.unparse(node.value.func)
                yield f"{at(index, cell)} calls {name} where nobody sees it: end the cell with it, or display(...) it"


# What a lesson is made of


def header(nb, path):
    """Before any code: the question, three or four objectives, prerequisites, measured run time and memory."""
    text = " ".join(text_of(block, apart=" ") for *_, block in blocks(nb, before_code=True))
    if "?" not in text:
        yield "asks no question before its first code"
    if objectives(nb) not in (3, 4):
        yield f"names {objectives(nb)} objectives: a list of three or four after a line that says 'objectives'"
    if "prerequisite" not in text.lower():
        yield "does not name its prerequisites before its first code"
    cost = stated_cost(nb)
    if cost is None:
        yield "does not state its measured cost before any code: 'Run time: 34 s on two cores; memory: 900 MB'"
    elif cost[0] > SECONDS or cost[1] > MEGABYTES:
        yield f"takes {cost[0]:g} s and {cost[1]:g} MB: at most {SECONDS} s and {MEGABYTES} MB"


def seed_set(nb, path):
    """The first code cell has the imports and ``seed = ...``; nothing seeds the whole process behind one's back."""
    first = [
        node
        for _, cell in cells(nb, "code")[:1]
        for node in ast.walk(tree(cell) or ast.Module([], []))
    ]
    if not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in first):
        yield "does not begin its code with the imports"
    if not any(
        isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "seed" for node in first
    ):
        yield "does not set seed = ... in the cell of its imports"
    for index, cell, node in nodes(nb, ast.Call):
        if ast.unparse(node.func) in ("np.random.seed", "random.seed"):
            yield f"{at(index, cell)} calls {ast.unparse(node.func)}: pass seed=... instead"


def proof(nb, path):
    """At least one cell proves something, and no comparison stands where nobody looks at its answer."""
    calls = [node for *_, node in nodes(nb, ast.Call) if function_name(node).startswith("assert_")]
    if not calls and not list(nodes(nb, ast.Assert)):
        yield "proves nothing: no assert, no np.testing.assert_..."
    for index, cell in cells(nb, "code"):
        for node in (tree(cell) or ast.Module([], [])).body[:-1]:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare):
                yield f"{at(index, cell)} compares without assert: {ast.unparse(node)}"


def symbol_table(nb, path):
    """A lesson with numbered equations has a table of symbols: symbol, meaning, shape, name in code."""
    heads = [
        [text_of(one).lower() for one in token["children"]]
        for *_, token in tokens(nb, "table_head")
    ]
    numbered = any(re.search(r"\\tag\{\d", cell.source) for _, cell in cells(nb, "markdown"))
    if numbered and not any(
        head[:3] == ["symbol", "meaning", "shape"] and "code" in head[-1] for head in heads
    ):
        yield "has numbered equations but no table | symbol | meaning | shape | in code |"


def links(nb, path):
    """Every link inside the course leads to a file that exists."""
    found = [
        (index, cell, token["attrs"]["url"]) for index, cell, token in tokens(nb, "link", "image")
    ]
    for index, cell, token in tokens(nb, "block_html", "inline_html"):
        found += [(index, cell, attribute(token["raw"], name)) for name in ("href", "src")]
    for index, cell, target in found:
        file = re.split(r"[#?]", target)[0].replace("%20", " ")
        if file and not re.match(r"[a-z]+:|//", target) and not (path.parent / file).exists():
            yield f"{at(index, cell)} links to {target}, which does not exist"
    for index, cell, token in tokens(nb, "paragraph"):
        if (
            left := re.search(r"\[[^\]]+\]\[[^\]]*\]|\[[^\]]+\]\([^)]*$", text_of(token))
        ) is not None:
            yield f"{at(index, cell)} has a link that leads nowhere: {left[0]}"


def recap(nb, path):
    """Near the end: limits, and a recap that comes back to each objective."""
    found = headings(nb)
    if not any("limit" in text.lower() for *_, text in found):
        yield "has no section on its limits: a heading with 'limits'"
    if not any("recap" in text.lower() for *_, text in found[-3:]):
        yield "has no recap: one of its last three headings says 'Recap'"
        return
    items, inside = 0, False
    for *_, block in blocks(nb):
        inside = "recap" in text_of(block).lower() if block["type"] == "heading" else inside
        items += len(block["children"]) if inside and block["type"] == "list" else 0
    if items < objectives(nb):
        yield f"recaps {items} of its {objectives(nb)} objectives: one list item for each"


RULES = (
    clean_as_stored,
    file_name,
    code_lengths,
    words,
    plain_python,
    no_bare_show,
    nothing_fetched,
    no_absolute_path,
    ordered_headings,
    alt_text,
    figures,
    header,
    seed_set,
    proof,
    symbol_table,
    links,
    recap,
)
OF_LESSONS = (file_name, header, seed_set, symbol_table, recap)  # not of an appendix


def _says_little(alt: str) -> bool:
    return len(re.findall(r"\w+", alt)) < 3


def _on_an_axis_handed_in(parsed) -> set[int]:
    """Calls inside a function on one of its own arguments: whoever hands it the axis shows the figure."""
    found = set()
    for function in ast.walk(parsed):
        if isinstance(function, (ast.FunctionDef, ast.Lambda)):
            names = {argument.arg for argument in function.args.args + function.args.kwonlyargs}
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            found |= {
                id(call) for call in calls if re.split(r"\W", ast.unparse(call.func))[0] in names
            }
    return found
