"""Stored ways to get an equation wrong, and the test that must notice each.

    python -m tests.equations.mutations         # all of tests/mutations.toml
    python -m tests.equations.mutations 3.1     # those of one equation

Everything runs on a copy of the repository in a temporary folder, in one other process (see `child.py`), so that
TensorFlow is imported once and nothing here is ever changed.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "tests" / "mutations.toml"
CHILD = Path(__file__).with_name("child.py")
SECONDS = 60  # a test that takes longer under a mutation hangs


@dataclass(frozen=True)
class Mutation:
    """One entry of the store: ``find`` stands once in ``file``; with ``replace`` in its place, ``test`` must fail."""

    equation: str
    file: str
    find: str
    replace: str
    test: str


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation: "noticed", "survived" (the test passes nevertheless) or "error" (can't be judged)."""

    verdict: str
    why: str
    seconds: float


def load(store: Path = STORE) -> list[Mutation]:
    """The stored mutations.

    Raises:
      ValueError: if the store is no TOML, or an entry lacks a key or has one too many.
    """
    try:
        entries = tomllib.loads(store.read_text(encoding="utf-8")).get("mutation", [])
        return [Mutation(**entry) for entry in entries]
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ValueError(f"{store.name}: {error}") from None


def fault(mutation: Mutation, root: Path = ROOT) -> str | None:
    """Why a mutation can't be made, or None: its text must stand exactly once, change something, and stay Python."""
    path = root / mutation.file
    if not path.is_file():
        return f"there is no file {mutation.file}"
    source = path.read_text(encoding="utf-8")
    if (count := source.count(mutation.find)) != 1:
        return f"{mutation.find!r} stands {count} times in {mutation.file}, not once"
    try:
        before, after = (
            ast.parse(source),
            ast.parse(source.replace(mutation.find, mutation.replace)),
        )
    except SyntaxError as error:
        return f"{mutation.file} would be no Python any more: {error}"
    if ast.dump(before) == ast.dump(after):
        return f"{mutation.replace!r} changes nothing that runs"
    if not (root / mutation.test.split("::")[0]).is_file():
        return f"there is no test file {mutation.test.split('::')[0]}"
    return None


def changed(mutations: list[Mutation], root: Path = ROOT) -> list[Mutation]:
    """The mutations whose file or test differs from the branch that was cloned, or from the last commit.

    Without git all of them: nothing says what has changed.
    """
    git = ["git", "-c", f"safe.directory={root.as_posix()}", "-C", str(root)]
    for base in ("@{upstream}", "HEAD"):
        words = [*git, "diff", "--name-only", "--relative", base]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            break
        if done.returncode == 0:
            files = set(done.stdout.splitlines())
            return [one for one in mutations if {one.file, one.test.split("::")[0]} & files]
    return mutations


def run(mutations: list[Mutation], root: Path = ROOT, seconds: float = SECONDS) -> list[Outcome]:
    """Try each mutation; its test is first run without it, and must pass.

    Args:
      mutations: what to try, in this order.
      root: a repository with musiclab, tests and pyproject.toml.
      seconds: limit for one test.

    Returns:
      An outcome per mutation.
    """
    outcomes = {
        m: Outcome("error", why, 0.0) for m in mutations if (why := fault(m, root)) is not None
    }
    left = [mutation for mutation in mutations if mutation not in outcomes]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Path(folder) / "copy"
        if left:
            _copy(root, copy)
        while left:
            done, said = _run_child(left, copy, seconds)
            outcomes |= dict(zip(left, done))
            left = left[len(done) :]
            if left:  # the child died over the next one
                outcomes[left.pop(0)] = Outcome(
                    "error", f"its test hangs or ends the process: {_last_words(said)}", seconds
                )
    return [outcomes[mutation] for mutation in mutations]


def _copy(root, copy):
    # data too: the package looks for it beside itself
    for name in ("musiclab", "tests", "data", "scripts"):
        if (root / name).is_dir():
            shutil.copytree(
                root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
            )
    copy.mkdir(exist_ok=True)
    shutil.copy(root / "pyproject.toml", copy)


def _run_child(mutations, copy, seconds):
    # the same few settings wherever this is started from, also inside pytest
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHONPATH"))
    }
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # none is needed, and some are slow to load
    results = copy.parent / "results"
    results.write_text("", encoding="utf-8")
    job = json.dumps(
        {"mutations": [asdict(m) for m in mutations], "seconds": seconds, "results": str(results)}
    )
    child = subprocess.run(
        [sys.executable, "-B", str(CHILD)],
        input=job,
        cwd=copy,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    lines = results.read_text(encoding="utf-8").splitlines()
    return [Outcome(**json.loads(line)) for line in lines], child.stderr


def _last_words(said):
    """The watchdog's list of calls has the innermost first; any other end says it last."""
    start = said.rfind("Timeout (")
    return said[start : start + 500] if start >= 0 else said[-500:]


def main(equations: list[str]) -> int:
    chosen = [mutation for mutation in load() if mutation.equation in equations or not equations]
    outcomes = run(chosen)
    for mutation, outcome in zip(chosen, outcomes):
        print(
            f"({mutation.equation}) {outcome.verdict:8} {outcome.seconds:5.1f} s  {mutation.replace!r}: {outcome.why}"
        )
    return int(any(outcome.verdict != "noticed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
