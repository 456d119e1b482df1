"""Write every drawing, or check that each stored one is what its module draws."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from scripts import drawings

FOLDER = Path(__file__).resolve().parents[2] / "notebooks" / "figures"


def drawn() -> dict[str, str]:
    """Each drawing as SVG, by the name of its file."""
    names = [one.name for one in pkgutil.iter_modules(drawings.__path__) if one.name != "__main__"]
    modules = [importlib.import_module(f"scripts.drawings.{name}") for name in sorted(names)]
    return {f"{module.NAME}.svg": module.draw().svg() for module in modules}


def main() -> int:
    """Write the drawings; with ``--check`` only say which differ."""
    wanted, check = drawn(), "--check" in sys.argv[1:]
    stored = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.svg")}
    differing = sorted(name for name in {*wanted, *stored} if wanted.get(name) != stored.get(name))
    if check:
        print("\n".join(f"{name} differs from what its module draws" for name in differing))
        return int(bool(differing))
    for name in differing:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
