"""Which function of musiclab computes which numbered equation, and which tests hold it: the page of them all."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from scripts import equations
from scripts.reset_lesson import lessons as shipped_lessons

_FORMULA = re.compile(r"\$\$(.*?)\$\$", re.S)
_TAG = re.compile(r"\\tag\{(\d+\.\d+)\}")


@dataclass
class Equation:
    """One numbered equation: its formula, its lesson, what computes it, the tests that name it."""

    number: str
    formula: str = ""
    lesson: str = ""  # the notebook's name without its ending
    code: list = field(
        default_factory=list
    )  # names in the API, such as musiclab.models.autoencoders.numpy_autoencoder.forward
    tests: list = field(
        default_factory=list
    )  # such as tests/models/autoencoders/test_numpy_autoencoder.py::test_by_hand


def collect(root: Path) -> dict[str, Equation]:
    """Every equation of the lessons there are, by number, in order."""
    found = {}
    for notebook in shipped_lessons(root / "notebooks"):
        for cell in nbformat.read(notebook, as_version=4).cells:
            for formula in _FORMULA.findall(cell.source) if cell.cell_type == "markdown" else ():
                for number in _TAG.findall(formula):
                    plain = " ".join(re.sub(r"\\tag\{[^}]*\}", "", formula).split())
                    found[number] = Equation(number, plain, notebook.stem)
    for path in sorted((root / "musiclab").rglob("*.py")):
        for name, docstring in documented(path, root):
            for line in re.findall(r"^\s*Equations?: (.*)$", docstring, re.M):
                for number in re.findall(r"\d+\.\d+", line):
                    if number in found:
                        found[number].code += [name] if name not in found[number].code else []
    tests = equations.collect(root).test
    for number, equation in found.items():
        equation.tests = sorted(tests.get(number, []))
    return dict(sorted(found.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def documented(path: Path, root: Path):
    """(name, docstring) of a module's public functions, classes and their methods: what the API pages show."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    public = next((ast.literal_eval(n.value) for n in tree.body if _assigns_all(n)), [])
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in public:
            yield f"{module}.{node.name}", ast.get_docstring(node) or ""
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(
                    inner, ast.FunctionDef
                ):  # what a private method computes, its class does
                    name = "" if inner.name.startswith("_") else f".{inner.name}"
                    yield f"{module}.{node.name}{name}", ast.get_docstring(inner) or ""


def write(equations: dict[str, Equation], names: dict[str, str], file: Path) -> None:
    """The page: for each lesson a list of formulas, each with its functions and tests."""
    lines = [
        "# Equations",
        "",
        "Every numbered formula of the lessons, the function that computes it, and the tests",
    ]
    lines += [
        "that hold it. The number leads to the place in the lesson where it is explained.",
        "",
    ]
    lesson = None
    for number, equation in equations.items():
        if equation.lesson != lesson:
            lesson = equation.lesson
            of = lesson.partition("_")[0]
            lines += [f"## Lesson {of} · {names[of]}", ""]
        code = ", ".join(f"{{py:obj}}`{name}`" for name in equation.code) or "in the lesson alone"
        tests = ", ".join(f"`{test.rpartition('::')[2]}`" for test in equation.tests)
        place = f"[({number})](#eq-{number.replace('.', '-')})"
        lines += ["::::{div} eq-row", "", place, "", f"$${equation.formula}$$", ""]
        lines += [f"Code: {code}", "", f"Tests: {tests}", "", "::::", ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def _assigns_all(node):
    return isinstance(node, ast.Assign) and any(
        getattr(target, "id", "") == "__all__" for target in node.targets
    )
