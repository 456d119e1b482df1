"""JavaScript that notebooks and the website share: sound, player, piano roll, the engine of the networks."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["FOLDER", "bundle", "script"]

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


def script(name: str) -> str:
    """A module of this folder that imports nothing, for a ``<script>`` in any page: no exports, no comments.

    >>> "export" in script("player"), "// " in script("player")
    (False, False)
    """
    text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    text = re.sub(r"^export ", "", text, flags=re.M)
    return "(() => {\n" + re.sub(r" *// .*|^\s+", "", text, flags=re.M) + "})();"
