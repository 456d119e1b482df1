"""Claims: sentences of a lesson that state a result, each with an expression that must hold.

``tests/claims/NN_name.toml`` has them for ``notebooks/NN_name.ipynb``, and
``tests/claims/exercises/NN_name.toml`` for the exercises with their solutions. They run in the
lesson's own kernel, after its last cell, whenever nbval runs it.

    python -m scripts.claims 07                   # run lesson 07 and its claims
    python -m scripts.claims 07 --seed 101 102    # the same with other seeds in place of the lesson's
    python -m scripts.claims 07 --open            # list sentences that have neither claim nor reason

The format of a file::

    [[claim]]
    says = "Most of the cell survives."          # as it stands in the text, or an alt text
    holds = "kept[0] > 0.5 * c_prev[0]"          # over the lesson's variables, after its last cell
    fails = "kept = 0 * kept"                    # optional control, under which ``holds`` is false

    [unclaimed]                                  # sentences with a number or a comparison, but no result
    definition = ["A quarter has four steps"]    # by their first words

A control binds names anew, ``table = {**table, "x": 0}``: to change an object in place would change
it for the claims that follow.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat

__all__ = [
    "REASONS",
    "Claim",
    "Claims",
    "cells",
    "file_of",
    "load",
    "problems",
    "sentences",
    "stated",
]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "claims"
REASONS = {
    "definition": "says what a word, a symbol or an encoding means, or how something is built",
    "derivation": "a step of an argument, true by what stands before it",
    "shown": "a hand example or setting whose numbers stand, computed or asserted, in the cell beside it",
    "instruction": "tells the reader what to do, to expect or to look for",
    "question": "asks; the answer is claimed where it is given",
    "literature": "reports what a cited source says",
    "elsewhere": "announces or recalls another lesson, where it is claimed",
    "general": "common knowledge of music or computing, which no cell of the lesson measures",
}
# a number that counts something: no lesson, equation, year, or name such as BWV 269 or CD-10
_NAMED = re.compile(
    r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|\b[Ll]essons? \d+(?:(?:,| and| to|-) ?\d+)*|\(\d+\.\d+\)|\bEqs?\. ?\S+"
    r"|\b(?:1[5-9]|20)\d\d\b|\b(?:BWV|bwv|MIDI|CD-|Keras|section|article|exercise|step)s? ?\d[\d.]*"
    r"|\b\d+/\d+\b|\b\d+(?:th|st|nd|rd)s?\b"
)
_NO_TEXT = re.compile(r"^```.*?^```|\$\$.*?\$\$|<!--.*?-->|</?details>|</?summary>", re.S | re.M)
_NUMBER = re.compile(
    r"\d|\b(?:half|halves|twice|double|doubled|thrice|a third|two thirds|a quarter of)\b"
)
_COMPARES = re.compile(
    r"\b(?:than|more|less|fewer|better|best|worse|worst|most|least|higher|highest|lower|lowest|larger"
    r"|largest|smaller|smallest|longer|longest|shorter|shortest|faster|slower|closer|closest|nearer"
    r"|nearest|stronger|weaker|greater|beats?|wins?|loses|rises?|rose|falls?|fell|grows?|grew|shrinks?"
    r"|shrank|drops?|dropped|exceeds?|improves?|vanish(?:es)?)\b",
    re.I,
)


@dataclass(frozen=True)
class Claim:
    """A sentence and what must hold; ``fails`` is a control under which it must not."""

    says: str
    holds: str
    fails: str | None = None


@dataclass(frozen=True)
class Claims:
    """The claims of one notebook, and the sentences that need none, by reason."""

    claims: tuple[Claim, ...]
    unclaimed: dict[str, list[str]]


def file_of(notebook: Path) -> Path:
    """Where the claims of a lesson, or of a master of exercises, are stored."""
    lesson = notebook.resolve().parent.name == "notebooks"
    return FOLDER / ("" if lesson else "exercises") / f"{notebook.stem}.toml"


def load(file: Path) -> Claims:
    """Read a file of claims.

    Raises:
      ValueError: if it is no such file; the message names the entry.
    """
    try:
        stored = tomllib.loads(file.read_text(encoding="utf-8"))
        claims = tuple(Claim(**entry) for entry in stored.pop("claim", []))
        unclaimed = stored.pop("unclaimed", {})
        for claim in claims:
            ast.parse(claim.holds, mode="eval")
            ast.parse(claim.fails or "")
    except (tomllib.TOMLDecodeError, TypeError, SyntaxError) as error:
        raise ValueError(f"{file.name}: {error}") from None
    if unknown := (set(unclaimed) - set(REASONS)) | set(stored):
        raise ValueError(f"{file.name}: {sorted(unknown)}: reasons are {', '.join(REASONS)}")
    return Claims(claims, unclaimed)


def cells(claims: Claims) -> list[str]:
    """The code that checks each claim, to be run after the lesson's last cell."""
    return [_cell(claim) for claim in claims.claims]


def _cell(claim):
    lines = [f"assert ({claim.holds}), {'no longer true: ' + claim.says!r}"]
    if claim.fails:
        control = f"{claim.fails}\n_holds = bool({claim.holds})"
        lines += [
            "_control = dict(globals())",
            f"exec({control!r}, _control)",
            f"assert not _control['_holds'], {'holds for its control too: ' + claim.says!r}",
        ]
    return "\n".join(lines)


def sentences(nb) -> list[str]:
    """Sentences of a notebook's text and alt texts, white space folded, in order."""
    found = []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            found += _sentences(cell.source)
        else:
            found += [_folded(alt) for alt in _alt_texts(cell.source)]
    return found


def stated(sentence: str) -> bool:
    """Whether a sentence has a number or a comparison, so that it may state a result.

    >>> stated("It needs 12 s."), stated("See lesson 07, Eq. (7.2)."), stated("Chains are shorter.")
    (True, False, True)
    >>> stated("Is it more than 12?")
    False
    """
    if sentence.rstrip("*_)").endswith("?") or "**Run time:**" in sentence:
        return False  # a question states nothing; the run time is measured by make bench
    plain = _NAMED.sub(" ", sentence)
    return bool(_NUMBER.search(plain) or _COMPARES.search(plain))


def problems(nb, claims: Claims) -> list[str]:
    """What is wrong between a notebook's text and its claims, in words."""
    text = "\n".join(sentences(nb))
    alts = {
        _folded(alt)
        for cell in nb.cells
        if cell.cell_type == "code"
        for alt in _alt_texts(cell.source)
    }
    found = [
        f"no such sentence in the notebook (did it change without its claim?): {claim.says!r}"
        for claim in claims.claims
        if _folded(claim.says) not in text
    ]
    if claims.claims and not any(claim.fails for claim in claims.claims):
        found.append("no claim has a control (fails = ...) under which it must be false")
    starts = {
        _folded(start): reason for reason, begun in claims.unclaimed.items() for start in begun
    }
    claimed, used = [_folded(claim.says) for claim in claims.claims], set()
    for sentence in sentences(nb):
        if not (stated(sentence) or sentence in alts):
            continue
        reason = next((start for start in starts if sentence.startswith(start)), None)
        if reason is not None:
            used.add(reason)
        elif not any(said in sentence or sentence in said for said in claimed):
            found.append(f"states a result but has neither claim nor reason: {sentence!r}")
    found += [
        f"a reason for a sentence that is not there or states nothing: {start!r}"
        for start in starts
        if start not in used
    ]
    return found


def _sentences(source):
    source = re.sub(
        r"^```.*?^```|\$\$.*?\$\$|<!--.*?-->|<details>|</?summary>|</details>",
        "\n\n",
        source,
        flags=re.S | re.M,
    )
    source = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", source)  # a picture's alt text is text
    source = re.sub(r"^#+ .*$|^\|[\s:|-]+\|$", "", source, flags=re.M)
    paragraphs = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.) |\|)", source)
    found = []
    for paragraph in paragraphs:
        plain = _folded(re.sub(r"^\s*(?:[-*+]|\d+\.) |^\s*>\s?", "", paragraph, flags=re.M))
        parts = [cell.strip() for cell in plain.split("|")] if plain.startswith("|") else [plain]
        for part in parts:
            found += [
                one
                for one in re.split(r"(?<=[.!?])[*_)\"]*\s+(?=[*_(\"\[`$]*[A-Z0-9$`])", part)
                if one
            ]
    return found


def _alt_texts(source):
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return []
    words = [word.value for call in calls for word in call.keywords if word.arg == "alt"]
    return [value.value for value in words if isinstance(value, ast.Constant)]


def _folded(text):
    return " ".join(text.split())


def _run(notebook: Path, claims: Claims, seed: int | None) -> list[str]:
    """Run a notebook and its claims; those that do not hold, in words."""
    from nbclient import NotebookClient

    nb = nbformat.read(notebook, as_version=4)
    if seed is not None:
        for cell in nb.cells:
            cell.source = re.sub(r"^seed = \d+", f"seed = {seed}", cell.source, flags=re.M)
    own = len(nb.cells)
    nb.cells += [nbformat.v4.new_code_cell(source) for source in cells(claims)]
    place = {"metadata": {"path": str(notebook.parent)}}
    NotebookClient(nb, timeout=300, allow_errors=True, resources=place).execute()
    found = []
    for index, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                where = "claim" if index >= own else f"cell {index}"
                found.append(f"{where}: {output.ename}: {output.evalue}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run lessons with their claims, or list what has none; 0 if all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.claims", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "lesson", help="number of a lesson, such as 07; 07x for its exercises; or mathematics"
    )
    parser.add_argument("--seed", type=int, nargs="*", help="seeds in place of the lesson's own")
    parser.add_argument(
        "--open", action="store_true", help="only list what has neither claim nor reason"
    )
    options = parser.parse_args(arguments)
    pattern = (
        "instructor/source/{0}_*/{0}_*.ipynb"
        if options.lesson.endswith("x")
        else "notebooks/{0}*.ipynb"
    )
    notebook = min(ROOT.glob(pattern.format(options.lesson.rstrip("x"))))
    file = file_of(notebook)
    claims = load(file) if file.is_file() else Claims((), {})
    found = problems(nbformat.read(notebook, as_version=4), claims)
    if not options.open:
        for seed in options.seed or [None]:
            said = _run(notebook, claims, seed)
            found += [f"seed {seed}: {one}" if seed is not None else one for one in said]
    print("\n".join(found) or f"{notebook.stem}: {len(claims.claims)} claims hold")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
