"""The house: which way imports run, and how much one opens to understand a model."""

import ast
from pathlib import Path

import pytest

from scripts.lesson_modules import public_modules

ROOT = Path(__file__).resolve().parents[1]
FILES, LINES = 4, 650  # of musiclab.models and musiclab.sampling, the model's own module included


def file_of(name):
    path = ROOT / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(file):
    """Names of the modules that a file imports, of this repository or not."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and not node.level:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in whole if file_of(name).is_file()}
            found |= modules or {node.module}
    return found


def opened(module):
    """The modules of models and sampling that one reads to understand a module, itself included."""
    found, left = set(), [module]
    while left:
        name = left.pop()
        if name not in found and name.startswith(("musiclab.models.", "musiclab.sampling.")):
            found.add(name)
            left += imported(file_of(name))
        elif name == "musiclab.sampling":  # passes names on: the modules behind it are opened
            left += imported(file_of(name))
    return found


@pytest.mark.parametrize(
    "module",
    [
        "musiclab.models.autoencoders.vae",
        "musiclab.models.adversarial.gan",
        "musiclab.models.energy.rbm",
        "musiclab.models.recurrent.melody_model",
    ],
)
def test_a_model_is_understood_from_one_screen(module):
    files = [file_of(name) for name in opened(module)]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(files) <= FILES, sorted(opened(module))
    assert lines <= LINES


ARROWS = {  # what may not import what
    "musiclab/data": (
        "musiclab.models",
        "musiclab.show",
        "musiclab.metrics",
        "keras",
        "tensorflow",
    ),
    "musiclab/metrics": ("musiclab.models", "keras", "tensorflow"),
    "musiclab/show": ("musiclab.models", "keras", "tensorflow"),
    "musiclab/models": ("musiclab.show", "matplotlib"),
    "musiclab/sampling": ("musiclab.models", "musiclab.show"),
}


@pytest.mark.parametrize("folder", ARROWS)
def test_arrows_run_one_way(folder):
    for file in sorted((ROOT / folder).rglob("*.py")):
        wrong = {name for name in imported(file) if name.startswith(ARROWS[folder])}
        assert wrong == set(), f"{file.relative_to(ROOT)} imports {wrong}"


def test_nothing_outside_tests_imports_from_tests():
    for folder in ("musiclab", "scripts", "benchmarks", "training", "instructor", "site"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            assert not any(name.split(".")[0] == "tests" for name in imported(file)), (
                f"{file.relative_to(ROOT)} imports from tests"
            )


def test_no_import_goes_in_a_circle():
    graph = {name: imported(file_of(name)) & set(public_modules()) for name in public_modules()}
    while graph:
        free = {name for name, needs in graph.items() if not needs & set(graph)}
        assert free, f"these import one another: {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in free}
