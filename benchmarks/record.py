"""Results of benchmarks: measured rows with date, machine and versions, stored; and the page of all results."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from musiclab.data import write_whole
from musiclab.setup.machine import installed

__all__ = [
    "NO_GIT",
    "PAGE",
    "RESULTS",
    "ROOT",
    "RUN",
    "machine",
    "page",
    "record",
    "stated",
    "store",
    "table",
]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PAGE = (
    "lessons",
    "data",
    "sound",
    "speed",
    "latent",
    "page",
    "grading",
    "grading_services",
)  # its sections, in this order
NO_GIT = "not from git"
PACKAGES = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "numpy",
    "music21",
    "pretty-midi",
    "soundfile",
    "verovio",
    "ipykernel",
    "nbgrader",
)
MEASURED = (
    "musiclab",
    "notebooks",
    "data",
    "benchmarks",
    "instructor",
    "requirements.txt",
    "constraints.txt",
    ":!benchmarks/results",  # what a run writes is no change of what it measures
)
RUN = ("command", "date", "commit", "uncommitted_changes", "machine", "versions")


def machine() -> dict:
    """What this was measured on: nothing that names the machine or its owner."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def record(name: str, rows: list[dict]) -> dict:
    """Rows with all that is needed to measure them again."""
    have = installed()
    return {
        "benchmark": name,
        "command": f"python -m benchmarks.run --only {name}",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _git("rev-parse", "HEAD") or NO_GIT,
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", *MEASURED)),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: have[name] for name in PACKAGES if name in have},
        },
        "seed": {row["lesson"]: row["seed"] for row in rows} if name == "lessons" else None,
        "rows": rows,
    }


def store(
    name: str,
    rows: list[dict],
    folder: Path | None = None,
    *,
    file: str = "",
    key: tuple[str, ...] = ("what",),
    keep: bool = False,
    order: Sequence[str] | None = None,
    complete: Callable[[dict], None] | None = None,
    **more,
) -> dict:
    """Write what a benchmark has measured to its file, and the page of all results beside it.

    Args:
      name: of the benchmark. rows: as measured now.
      folder: where to; :data:`RESULTS` by default. file: its name without ".json", if not ``name``.
      key: the columns that name a row, as far as it has them.
      keep: leave stored rows that were not measured now as they are. Those of another run than this
        one are listed under "earlier" with the date, commit and machine of theirs.
      order: names of all rows that the benchmark has, as they shall stand; kept rows of other names
        go. By default rows stay where they are, and new ones follow.
      complete: writes into each row, kept ones too, what follows from elsewhere in the file.
      **more: what else the file shall say.

    Returns:
      What was written.
    """
    folder = folder or RESULTS
    target = folder / f"{file or name}.json"
    before = json.loads(target.read_text(encoding="utf-8")) if keep and target.exists() else {}
    now = _named(rows, key)
    known = _named(before.get("rows", []), key) | now
    order = list(known) if order is None else [one for one in order if one in known]
    for row in known.values() if complete else ():
        complete(row)
    made = before | record(name, [known[one] for one in order]) | more
    left = [one for one in order if one not in now]
    made["earlier"] = [
        run | {"rows": those}
        for run in _runs(before, key)
        if (those := [one for one in run["rows"] if one in left]) and not _same_run(run, made)
    ]
    if not made["earlier"]:
        del made["earlier"]
    write_whole(target, (json.dumps(made, indent=1) + "\n").encode("utf-8"))
    if target.stem in PAGE:
        write_whole(folder / "README.md", page(folder).encode("utf-8"))
    return made


def _named(rows, key):
    """Rows by name; names that are not told apart would replace each other."""
    named = {", ".join(str(row[column]) for column in key if column in row): row for row in rows}
    if len(named) < len(rows):
        raise ValueError(f"two rows have the same {', '.join(key)}")
    return named


def _runs(result, key):
    """The runs whose rows a result holds, each with the names of its rows."""
    earlier = result.get("earlier", [])
    theirs = {one for run in earlier for one in run["rows"]}
    last = [one for one in _named(result.get("rows", []), key) if one not in theirs]
    return [*earlier, {one: result[one] for one in RUN if one in result} | {"rows": last}]


def _same_run(one, other):
    return all(one[column] == other[column] for column in RUN)


def stated(result: dict) -> str:
    """When and where a result was measured, in a line: its rows that are older by themselves."""
    on = result["machine"]
    where = f"{on['cores_used']} of {on['cores']} cores, {on['cpu']}, {on['memory_gb']} GB"
    python = f"Python {result['versions']['python']}"
    said = f"`{result['command']}`, {_when(result)}; {where}, {on['system']}, {python}."
    for run in result.get("earlier", []):
        said += f" Earlier, by `{run['command']}`, {_when(run)}: {', '.join(run['rows'])}."
    return said


def _when(run):
    changed = " with uncommitted changes" if run["uncommitted_changes"] else ""
    return f"{run['date']}, commit {run['commit'][:10]}{changed}"


def table(results: list[dict]) -> str:
    """All results as one Markdown page."""
    parts = [
        "# What was measured\n\nWritten by `make bench`; the JSON files here hold the same and the versions.\n"
    ]
    for result in results:
        columns = [key for key in result["rows"][0] if key != "seed"]
        title = result["benchmark"].capitalize().replace("_", " ")
        parts.append(f"## {title}\n\n{stated(result)}\n")
        lines = [
            columns,
            ["---" if isinstance(result["rows"][0][key], str) else "---:" for key in columns],
        ]
        lines += [[str(row[key]) for key in columns] for row in result["rows"]]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    return "\n".join(parts)


def page(folder: Path = RESULTS) -> str:
    """The page of all results in a folder that have the form of :func:`record`, whoever can measure them here."""
    written = [folder / f"{name}.json" for name in PAGE if (folder / f"{name}.json").exists()]
    return table([json.loads(file.read_text(encoding="utf-8")) for file in written])


def _cpu() -> str:
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return names[0] if names else platform.machine()
    if sys.platform == "darwin":
        return subprocess.check_output(
            ["sysctl", "-n", "machdep.cpu.brand_string"], text=True
        ).strip()
    return platform.processor()


def _git(*arguments) -> str:
    if not (
        ROOT / ".git"
    ).exists():  # unpacked from a zip; a repository around it would say something else
        return ""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
