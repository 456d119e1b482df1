"""Student edition: a zip file of the course without the instructors' files.

    python -m instructor.student_edition          # dist/musiclab-students.zip

The same files give the same bytes, wherever and whenever they are packed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from instructor.settings import ROOT
from instructor.student_versions import main as check_students

OUT = (
    "instructor/",
    "tests/instructor/",
    "tests/services/",
    "benchmarks/grading",  # what was measured with it stays: it stands on the page of results
    "tests/benchmarks/test_grading",
)
TOP = "musiclab"  # the one folder in the archive
DAY = (2020, 1, 1, 0, 0, 0)


def files(root: Path = ROOT) -> dict[str, bool]:
    """What students get: {path under `root`, with /: whether it can be run}, in order.

    Raises:
        LookupError: if git can't say, or a file that it knows is not there.
    """
    words = ["git", "-c", f"safe.directory={root.as_posix()}", "ls-files", "--stage", "-z"]
    try:
        done = subprocess.run(words, cwd=root, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LookupError(f"git can't list the files of the course: {error}") from None
    entries = [entry.split("\t") for entry in done.stdout.split("\0") if entry]
    found = {name: mode.startswith("100755") for mode, name in entries if not name.startswith(OUT)}
    if lost := [name for name in found if not (root / name).is_file()]:
        raise LookupError(f"git knows these files, but they are not there: {', '.join(lost)}")
    return dict(sorted(found.items()))


def pack(target: Path, root: Path = ROOT) -> int:
    """Write the student edition, whole or not at all; returns the number of files in it.

    Raises:
        LookupError: as `files`.
    """
    chosen = files(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, runs in chosen.items():
            entry = zipfile.ZipInfo(f"{TOP}/{name}", DAY)
            entry.create_system = 3  # Unix, also where it is packed on Windows
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            archive.writestr(entry, (root / name).read_bytes(), zipfile.ZIP_DEFLATED)
    part.replace(target)
    return len(chosen)


def main() -> int:
    if check_students(
        ["--check"]
    ):  # no version goes out that differs from its master, or gives something away
        return 1
    target = ROOT / "dist" / "musiclab-students.zip"
    try:
        count = pack(target)
    except LookupError as error:
        print(error)
        return 1
    print(
        f"{target.relative_to(ROOT).as_posix()}: {count} files, {target.stat().st_size / 1e6:.1f} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
