"""Where each numbered equation stands: in a lesson's text and code, in a docstring and a line of musiclab, in a test.

The number is a promise: `\\tag{3.1}` in lesson 03 says that the equation is implemented, and all
these are there:

- lesson 03: the formula with ``\\tag{3.1}`` in a text cell, and the line that computes it, marked
``# Eq. (3.1)``;
- musiclab: ``Equation: (3.1)`` in a docstring (several: ``Equations: (3.1), (3.2)``), and the line,
marked likewise;
- tests: ``Eq. (3.1)`` in a test function, in its docstring or a comment;
- tests/mutations.toml: at least one way to get it wrong, and that test, which must notice.

A formula that is only a step on the way, or that nothing can compute, stays unnumbered; if the text
needs to point at it, a letter will do: ``\\tag{a}``. What musiclab has before its lesson is written
needs all but the lesson.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from scripts.reset_lesson import lessons, number_of

NUMBER = r"\(\d+\.\d+\)"
MARK = re.compile(rf"\bEqs?\. ({NUMBER}(?:(?:, | and ){NUMBER})*)")


@dataclass
class Registry:
    """Places by equation, such as {"3.1": ["03_autoencoder.ipynb"]}; and what could not be read."""

    text: dict = field(default_factory=dict)
    cell: dict = field(default_factory=dict)
    docstring: dict = field(default_factory=dict)
    line: dict = field(default_factory=dict)
    test: dict = field(default_factory=dict)
    lessons: set = field(default_factory=set)
    problems: list = field(default_factory=list)


def collect(root: Path) -> Registry:
    """Read a whole repository."""
    registry = Registry()
    for path in lessons(root / "notebooks"):
        _read_lesson(registry, path)
    for path in sorted((root / "musiclab").rglob("*.py")):
        _read_module(registry, path, path.relative_to(root).as_posix())
    for path in sorted((root / "tests").rglob("test_*.py")):
        if path.parent != root / "tests" / "equations":  # these speak of equations in examples
            _read_test(registry, path, path.relative_to(root).as_posix())
    return registry


def problems(registry: Registry) -> list[str]:
    """What is missing, in words; an equation in a lesson's code may also be an earlier lesson's."""
    found = list(registry.problems)
    known = {
        **registry.text,
        **registry.docstring,
        **registry.line,
        **registry.test,
        **registry.cell,
    }
    for number in sorted(known, key=lambda n: [int(part) for part in n.split(".")]):
        lesson = int(number.split(".")[0])
        in_lesson = {
            f"\\tag{{{number}}} in a text cell of lesson {lesson:02}": registry.text,
            f"# Eq. ({number}) in a code cell of lesson {lesson:02}": registry.cell,
        }
        in_code = {
            f"'Equation: ({number})' in a docstring of musiclab": registry.docstring,
            f"# Eq. ({number}) at a line of musiclab": registry.line,
            f"Eq. ({number}) in a test": registry.test,
        }
        places = {**(in_lesson if lesson in registry.lessons else {}), **in_code}
        missing = [
            words for words, place in places.items() if not _own(place.get(number, []), lesson)
        ]
        if missing:
            found.append(
                f"equation ({number}), named in {known[number][0]}, lacks {'; '.join(missing)}"
            )
    for number, files in registry.docstring.items():
        for file in sorted(set(files) - set(registry.line.get(number, []))):
            found.append(
                f"{file} has Equation: ({number}) in a docstring but no line marked # Eq. ({number})"
            )
    for number, files in registry.line.items():
        for file in sorted(set(files) - set(registry.docstring.get(number, []))):
            found.append(
                f"{file} has a line marked # Eq. ({number}) but no docstring with Equation: ({number})"
            )
    return found


def numbers_in(text: str) -> list[str]:
    """Equation numbers of the marks in a text.

    >>> numbers_in("x = 1  # Eq. (3.1)"), numbers_in("see Eqs. (3.1), (3.2) and (4.10)"), numbers_in("Eq. 3.1")
    (['3.1'], ['3.1', '3.2', '4.10'], [])
    """
    return [
        number.strip("()") for mark in MARK.findall(text) for number in re.findall(NUMBER, mark)
    ]


def _own(places, lesson):
    """Places that count: any file of code, but of lessons only the equation's own."""
    return [place for place in places if not place.endswith(".ipynb") or int(place[:2]) == lesson]


def _add(registry, kind, number, place):
    getattr(registry, kind).setdefault(number, []).append(place)


def _read_lesson(registry, path):
    lesson = int(path.name[:2])
    if number_of(path).isdigit():  # the second notebook of a lesson may stand before the first
        registry.lessons.add(lesson)
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            for number in numbers_in(" ".join(_comments(cell.source))):
                _add(registry, "cell", number, path.name)
            continue
        for tag in re.findall(r"\\tag\*?\{([^}]*)\}", cell.source):
            if re.fullmatch(r"\d+\.\d+", tag):
                _add(registry, "text", tag, path.name)
                if int(tag.split(".")[0]) != lesson:
                    registry.problems.append(
                        f"{path.name} numbers an equation ({tag}): its own begin with {lesson}."
                    )
                if registry.text[tag].count(path.name) == 2:
                    registry.problems.append(f"{path.name} has two equations ({tag})")
            elif not re.fullmatch(r"[a-z]'?", tag):
                registry.problems.append(
                    f"{path.name} has \\tag{{{tag}}}: {lesson}.1, or a letter for a mere step"
                )


def _read_module(registry, path, name):
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            for line in re.findall(
                r"^\s*(Equations?:?\s.*\d.*)$", ast.get_docstring(node) or "", re.M
            ):
                if not re.fullmatch(rf"Equations?: {NUMBER}(?:(?:, | and ){NUMBER})*\.?", line):
                    registry.problems.append(
                        f"{name} has {line!r}: write 'Equations: (3.1), (3.2)', each by its number"
                    )
                for number in re.findall(NUMBER, line):
                    _add(registry, "docstring", number.strip("()"), name)
    for number in numbers_in(" ".join(_comments(source))):
        _add(registry, "line", number, name)


def _read_test(registry, path, name):
    for test, source in test_functions(path).items():
        for number in numbers_in(source):
            _add(registry, "test", number, f"{name}::{test}")


def test_functions(path: Path) -> dict[str, str]:
    """The source of each test function of a file, by its name in pytest's form (``TestX::test_y`` in a class)."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()  # whole lines: a comment after the last statement counts
    scopes = [("", node) for node in ast.parse(source).body]
    scopes += [
        (f"{node.name}::", inner)
        for _, node in scopes
        if isinstance(node, ast.ClassDef)
        for inner in node.body
    ]
    return {
        prefix + node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for prefix, node in scopes
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    }


test_functions.__test__ = False  # a reader of tests, not one of them


def _comments(source):
    """The comments of Python source; of a notebook cell with a syntax error, which another test reports, none."""
    try:
        return [
            token.string
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        return []
