"""Results of benchmarks: records with machine and versions, and the page of all results."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from musiclab.setup.machine import installed

__all__ = ["NO_GIT", "PAGE", "RESULTS", "ROOT", "machine", "page", "record", "table"]

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
)


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


def table(results: list[dict]) -> str:
    """All results as one Markdown page."""
    parts = [
        "# What was measured\n\nWritten by `make bench`; the JSON files here hold the same and the versions.\n"
    ]
    for result in results:
        on, columns = result["machine"], [key for key in result["rows"][0] if key != "seed"]
        changed = " with uncommitted changes" if result["uncommitted_changes"] else ""
        parts.append(
            f"## {result['benchmark'].capitalize().replace('_', ' ')}\n\n"
            f"`{result['command']}`, {result['date']}, commit "
            f"{result['commit'][:10]}{changed}; {on['cores_used']} of {on['cores']} cores, {on['cpu']}, "
            f"{on['memory_gb']} GB, {on['system']}, Python {result['versions']['python']}.\n"
        )
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
