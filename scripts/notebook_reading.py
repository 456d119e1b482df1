"""What can be read out of a notebook without running it: its code as syntax trees, its text as Markdown tokens."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import mistune

__all__ = [
    "argument",
    "at",
    "attribute",
    "blocks",
    "cells",
    "function_name",
    "headings",
    "nodes",
    "objectives",
    "stated_cost",
    "strings",
    "text_of",
    "tokens",
    "tree",
    "word_count",
]

# every rule reads the same cells
_markdown = functools.cache(mistune.create_markdown(renderer=None, plugins=["math", "table"]))
_COST = re.compile(
    r"run time:?\s*(?:about\s*)?(\d+(?:\.\d+)?)\s*s\b.{0,80}?memory:?\s*(?:about\s*)?(\d+(?:\.\d+)?)\s*(MB|GB)\b",
    re.I | re.S,
)


def at(index: int, cell) -> str:
    """How a problem says where it is."""
    return f"cell {index} ({(cell.source.strip().splitlines() or ['empty'])[0][:40]})"


def cells(nb, kind: str) -> list:
    """(position from 1, cell) of each cell of a kind, "code" or "markdown"."""
    return [(index, cell) for index, cell in enumerate(nb.cells, 1) if cell.cell_type == kind]


# Code


def tree(cell) -> ast.Module | None:
    """A code cell's syntax tree, None where it isn't Python."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return None


def nodes(nb, kind) -> Iterator:
    """(position, cell, node) of each node of a kind in the code cells that parse."""
    for index, cell in cells(nb, "code"):
        if (parsed := tree(cell)) is not None:
            yield from ((index, cell, node) for node in ast.walk(parsed) if isinstance(node, kind))


def strings(nb) -> Iterator:
    """(position, cell, text) of each string in the code, the plain parts of f-strings too."""
    return (
        (index, cell, node.value)
        for index, cell, node in nodes(nb, ast.Constant)
        if isinstance(node.value, str)
    )


def function_name(call: ast.Call) -> str:
    """The last part of what is called: ``load`` in ``np.load(x)``."""
    return ast.unparse(call.func).split(".")[-1]


def argument(call: ast.Call, position: int | None, name: str) -> str:
    """What an argument says, "" without it; an expression that isn't a plain string is taken to say enough."""
    given = [word.value for word in call.keywords if word.arg == name]
    given += [] if position is None else call.args[position : position + 1]
    value = given[0] if given else ast.Constant("")
    return str(value.value) if isinstance(value, ast.Constant) else "a computed text"


# Text


def blocks(nb, before_code: bool = False) -> list[tuple[int, object, dict]]:
    """(position, cell, token) of each outermost Markdown token, in order; of those before any code if so asked."""
    first = next((index for index, _ in cells(nb, "code")), len(nb.cells) + 1)
    wanted = [
        (index, cell) for index, cell in cells(nb, "markdown") if index < first or not before_code
    ]
    return [(index, cell, token) for index, cell in wanted for token in _markdown(cell.source)]


def tokens(nb, *kinds: str) -> Iterator:
    """(position, cell, token) of each Markdown token of a kind, however deep."""
    for index, cell, block in blocks(nb):
        yield from ((index, cell, token) for token in _walk(block) if token["type"] in kinds)


def text_of(token: dict, apart: str = "") -> str:
    """The plain text of a token; a formula or a piece of code is as good as one word."""
    if "children" in token:
        return apart.join(text_of(child, apart) for child in token["children"])
    kinds = {
        "text": token.get("raw", ""),
        "softbreak": " ",
        "linebreak": " ",
        "inline_math": "x",
        "codespan": "x",
    }
    return kinds.get(token["type"], "")


def headings(nb) -> list[tuple[int, object, int, str]]:
    """(position, cell, level, text) of each heading, in order."""
    return [
        (index, cell, token["attrs"]["level"], text_of(token))
        for index, cell, token in tokens(nb, "heading")
    ]


def word_count(nb) -> int:
    """Words a reader reads: no code blocks, no displayed formulas, no HTML tags."""
    text = " ".join(
        text_of(block, apart=" " if block["type"] in ("list", "table") else "")
        for *_, block in blocks(nb)
    )
    return len(re.findall(r"[^\W_]+(?:['’.,-][^\W_]+)*", text))


def objectives(nb) -> int:
    """How many items the first list after the word "objectives" has, before any code."""
    named = False
    for *_, block in blocks(nb, before_code=True):
        if block["type"] == "list" and named:
            return len(block["children"])
        named = named or "objectives" in text_of(block).lower()
    return 0


def stated_cost(nb) -> tuple[float, float] | None:
    """The run time in s and the memory in MB stated before any code, or None."""
    found = _COST.search(" ".join(text_of(block) for *_, block in blocks(nb, before_code=True)))
    return found and (float(found[1]), float(found[2]) * (1000 if found[3].upper() == "GB" else 1))


def attribute(tag: str, name: str) -> str:
    """An attribute of an HTML tag, "" without it."""
    found = re.search(rf"""\b{name}\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag, re.I)
    return (found[1] or found[2] or "") if found else ""


def _walk(token) -> Iterator[dict]:
    yield token
    for child in token.get("children", ()):
        yield from _walk(child)
