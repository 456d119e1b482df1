"""JavaScript that notebooks and the website share: sound, player, piano roll, the engine of the networks."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["FOLDER", "bundle"]

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import \* as (\w+) from "\./(\w+)\.js";$', re.M)
_EXPORT = re.compile(r"^export (?:async )?(?:const |class |function\*? )(\w+)", re.M)


def bundle(name: str) -> str:
    """A module of this folder with the modules that it imports as ``* as name``, as one that imports nothing.

    >>> "import " in bundle("roll"), "export default" in bundle("roll")
    (False, True)
    """

    def inline(found):
        text = (FOLDER / f"{found[2]}.js").read_text(encoding="utf-8")
        names = ", ".join(_EXPORT.findall(text))
        body = re.sub(r"^export ", "", text, flags=re.M)
        return f"const {found[1]} = (() => {{\n{body}\nreturn {{ {names} }};\n}})();"

    return _IMPORT.sub(inline, (FOLDER / f"{name}.js").read_text(encoding="utf-8"))
