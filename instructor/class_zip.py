"""Course and packages in one zip file, for a class without a network.

    python -m instructor.class_zip          # dist/musiclab-class-<system>-py<version>.zip

The packages are wheels for the machine and the Python that run this command: run it, with a network,
on a machine like those of the class. Unpacked, `make lab` (or `python scripts/environment.py`) installs
from the folder `wheels` alone.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from instructor import student_edition
from instructor.settings import ROOT
from scripts.environment import WHEELS

__all__ = ["main", "pack"]


def pack(target: Path, root: Path = ROOT) -> int:
    """Write the student edition with its packages, whole or not at all; returns the number of wheels.

    Raises:
        LookupError: as :func:`student_edition.files`.
        subprocess.CalledProcessError: if pip can't get a package.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".wheels")
    student_edition.pack(part, root)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    # hatchling asks for `editables` only while it installs the course, as an editable package
    building = [*project["build-system"]["requires"], "editables"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            words = [
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--disable-pip-version-check",
                "--no-input",
            ]
            words += ["--wheel-dir", folder, "-r", "requirements.txt", *building]
            subprocess.run(words, cwd=root, check=True)
            wheels = sorted(Path(folder).glob("*.whl"))
            with zipfile.ZipFile(part, "a", zipfile.ZIP_STORED) as archive:  # wheels are zip files
                for wheel in wheels:
                    archive.write(wheel, f"{student_edition.TOP}/{WHEELS.name}/{wheel.name}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return len(wheels)


def main() -> int:
    """Pack for this machine's system and Python; 1 with the reason if that fails."""
    system = f"{platform.system()}-{platform.machine()}".lower()
    name = f"musiclab-class-{system}-py{sys.version_info.major}.{sys.version_info.minor}.zip"
    target = ROOT / "dist" / name
    try:
        count = pack(target)
    except LookupError as error:
        print(error)
        return 1
    except subprocess.CalledProcessError:
        print("pip could not get every package (see above): this command needs a network")
        return 1
    size = target.stat().st_size / 1e6
    print(f"{target.relative_to(ROOT).as_posix()}: the course and {count} wheels, {size:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
