"""Run the lessons for the website: each in a kernel of its own, once for each state of what it depends on.

After a lesson's last cell its extra, `site/extras/NN.py`, runs in the same kernel, if there is one.
It hands over what the website shows beyond the lesson: pieces for the gallery, pairs for the
listening test, stops for the sliders.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from musiclab.setup import machine

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ROOT / "site" / "extras"
MIME = "application/vnd.musiclab.site+json"
MATTERS = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "numpy",
    "matplotlib",
    "music21",
    "verovio",
    "pretty_midi",
)
MATTERS += ("soundfile", "ipywidgets", "scipy")  # versions that a lesson's outputs depend on
LESSON_GB = 2.0  # a lesson takes at most 1.5; the rest is for its extra
CELL_SECONDS = 300  # for a busy machine


def key(notebook: Path) -> str:
    """A checksum of all that a lesson's outputs depend on: its cells, its extra, musiclab, the data, versions."""
    text = notebook.read_text(encoding="utf-8")
    files = [*sorted((ROOT / "musiclab").rglob("*.py")), ROOT / "data" / "SHA256SUMS"]
    files += [EXTRAS / "prelude.py", extra_of(notebook)]
    files += (
        sorted((ROOT / "benchmarks" / "results").glob("*.json")) if "benchmarks" in text else []
    )
    digest = hashlib.sha256(repr(_versions()).encode("utf-8"))
    digest.update(
        json.dumps([(c["cell_type"], c["source"]) for c in json.loads(text)["cells"]]).encode(
            "utf-8"
        )
    )
    for file in filter(Path.is_file, files):
        digest.update(file.relative_to(ROOT).as_posix().encode("utf-8"))
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def extra_of(notebook: Path) -> Path:
    """Where a lesson's extra is, whether it has one or not."""
    return EXTRAS / f"{notebook.stem.partition('_')[0]}.py"


def run_all(notebooks: list[Path], cache: Path, at_once: int | None = None) -> dict[Path, Path]:
    """Run those lessons that the cache lacks, as many at once as cores and memory allow.

    Returns:
      For each notebook its executed form, a file of the cache.

    Raises:
      RuntimeError: a cell failed; the message says which, and shows its error.
    """
    if at_once is None:
        free = machine.free_memory_gb() or LESSON_GB
        at_once = max(1, min(4, os.cpu_count() or 1, int(free // LESSON_GB)))
    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip(notebooks, pool.map(lambda notebook: run(notebook, cache), notebooks)))


def run(notebook: Path, cache: Path) -> Path:
    """The executed form of one lesson, from the cache if nothing that matters has changed."""
    file = cache / f"{notebook.stem}-{key(notebook)[:16]}.ipynb"
    if file.is_file():
        return file
    print(f"running {notebook.stem} ...", flush=True)
    lesson = nbformat.read(notebook, as_version=4)
    extra = extra_of(notebook)
    if extra.is_file():
        lesson.cells.append(
            nbformat.v4.new_code_cell(extra_source(extra), metadata={"tags": ["site-extra"]})
        )
    client = NotebookClient(
        lesson,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        store_widget_state=True,  # else an output that a widget captures may be looked up in vain
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise RuntimeError(
            f"{notebook.name} can't be shown on the website, a cell failed:\n{error}"
        ) from None
    lesson.metadata.pop("widgets", None)
    for old in cache.glob(f"{notebook.stem}-*.ipynb"):
        old.unlink()
    cache.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".part")  # a run that is interrupted leaves nothing that looks whole
    nbformat.write(lesson, half)
    half.replace(file)
    return file


def newest(notebook: Path, cache: Path) -> Path | None:
    """A lesson's last run, whatever has changed since; None if it never ran."""
    found = sorted(cache.glob(f"{notebook.stem}-*.ipynb"), key=lambda file: file.stat().st_mtime)
    return found[-1] if found else None


def extra_source(extra: Path) -> str:
    """An extra between the tools that all of them use and the line that hands the result over."""
    parts = [(EXTRAS / "prelude.py").read_text(encoding="utf-8"), extra.read_text(encoding="utf-8")]
    return "\n".join([*parts, f"display({{{MIME!r}: site_found}}, raw=True)"])


def take_extra(lesson) -> dict:
    """Take the extra's cell out of an executed lesson; what it found."""
    found = {"gallery": [], "rounds": [], "sliders": []}
    for cell in [cell for cell in lesson.cells if "site-extra" in cell.metadata.get("tags", [])]:
        lesson.cells.remove(cell)
        for output in cell.outputs:
            found.update(output.get("data", {}).get(MIME, {}))
    return found


def _versions():
    found = {"python": platform.python_version_tuple()[:2]}
    for name in MATTERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # one of tensorflow and tensorflow-cpu is installed
    return found
