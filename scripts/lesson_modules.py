"""Which lesson imports which module of musiclab: the table in `musiclab/models/__init__.py`.

    python -m scripts.lesson_modules            # write the table
    python -m scripts.lesson_modules --check    # exit 1 if it is not as it should be

A name that a package passes on (``from musiclab.data import load_chorales``) counts for the module
that defines it. Modules that no lesson imports are internal: the table says so.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import textwrap
from pathlib import Path

import nbformat

from scripts.reset_lesson import lessons, number_of

__all__ = ["by_lesson", "by_module", "docstring", "main", "public_modules"]

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "musiclab" / "models" / "__init__.py"
FIRST = "Models by family, in the order of the lessons; only those that need TensorFlow load it."


def public_modules(root: Path = ROOT) -> list[str]:
    """Dotted names of the modules of musiclab, packages and private ones left out."""
    files = sorted((root / "musiclab").rglob("*.py"))
    files = [file for file in files if not file.name.startswith("_")]
    return [".".join(file.relative_to(root).with_suffix("").parts) for file in files]


def by_lesson(root: Path = ROOT) -> dict[str, list[str]]:
    """The modules that each lesson's code imports, by its number."""
    modules = set(public_modules(root))
    home = {
        (_package(module), name): module for module in modules for name in _exports(root, module)
    }
    found = {}
    for notebook in lessons(root / "notebooks"):
        cells = nbformat.read(notebook, as_version=4).cells
        trees = [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]
        used = {module for tree in trees for module in _used(tree, trees, modules, home)}
        found[number_of(notebook)] = sorted(used)
    return found


def by_module(root: Path = ROOT) -> dict[str, list[str]]:
    """The lessons that import each module; an empty list where none does."""
    found = {module: [] for module in public_modules(root)}
    for number, modules in by_lesson(root).items():
        for module in modules:
            found[module].append(number)
    return found


def docstring(root: Path = ROOT) -> str:
    """The docstring of ``musiclab.models``: lesson to modules, module to lessons, internal ones."""
    models = "musiclab.models."
    lines = [FIRST, "", "Lesson to modules, written by ``python -m scripts.lesson_modules``::", ""]
    for number, modules in by_lesson(root).items():
        named = [module.removeprefix(models) for module in modules if module.startswith(models)]
        lines += textwrap.wrap(
            f"{number}  {', '.join(named) or 'none'}",
            width=92,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_long_words=False,
        )
    used = {module: n for module, n in by_module(root).items() if module.startswith(models)}
    lines += ["", "Module to lessons::", ""]
    width = max(len(module) for module in used) - len(models)
    lines += [
        f"    {module.removeprefix(models):{width}}  {', '.join(numbers)}"
        for module, numbers in used.items()
        if numbers
    ]
    internal = [module.removeprefix(models) for module, numbers in used.items() if not numbers]
    lines += ["", "Internal, imported by no lesson::", ""]
    return "\n".join(lines + [f"    {module}" for module in internal]) + "\n"


def _package(module):
    """The package whose ``__init__`` passes a module's names on: ``musiclab.data`` for all under it."""
    return ".".join(module.split(".")[:2])


def _exports(root, module):
    tree = ast.parse((root / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def _used(tree, trees, modules, home):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("musiclab"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in modules:
                    yield whole
                elif node.module in modules:
                    yield node.module
                elif (node.module, alias.name) in home:
                    yield home[node.module, alias.name]
                else:  # a package: what is taken from it
                    yield from _attributes(alias.asname or alias.name, whole, trees, home)


def _attributes(name, package, trees, home):
    for node in (node for tree in trees for node in ast.walk(tree)):
        taken = isinstance(node, ast.Attribute) and ast.unparse(node.value) == name
        if taken and (package, node.attr) in home:
            yield home[package, node.attr]


def main(arguments: list[str] | None = None) -> int:
    """Write the table, or check it; 1 if the check fails."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(arguments)
    old = FILE.read_text(encoding="utf-8")
    new = re.sub(r'\A""".*?"""\n', lambda _: f'"""{docstring()}"""\n', old, flags=re.S)
    if options.check:
        return int(new != old)
    FILE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
