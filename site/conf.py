"""Sphinx settings of the course's website; `scripts/build_site.py` puts its sources together and calls it."""

import os
import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes

# the sources are built two folders below the repository, or wherever a test puts them
ROOT = Path(os.environ.get("MUSICLAB_ROOT", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT))

from musiclab import training  # noqa: E402, F401  (first of all: it keeps TensorFlow's start quiet)

_project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_CODE = re.compile(r"(``.*?``|`[^`]*`)")

project = "musiclab"
author = "The authors of musiclab"
copyright = "2026, the authors of musiclab. Text CC BY 4.0, code MIT"
release = version = _project["version"]
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
]
exclude_patterns = ["_extra", "_static", "**/README.md"]
html_extra_path = ["_extra"]

# lessons arrive executed
nb_execution_mode = "off"
nb_merge_streams = True
# widgets would load their code from another host; the pages have sliders of their own
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {
    "options": {"enableMenu": False},  # its extras would be loaded from files that are not here
    "svg": {"fontCache": "local"},
}

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature shows them less readably than the docstring says them
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # else "W, a, b: of one machine" is read as b, of the type "W, a,"
napoleon_custom_sections = [("Fields", "params_style")]
toc_object_entries_show_parents = "hide"
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = "musiclab"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = [("player.js", {"defer": "defer"}), ("course.js", {"defer": "defer"})]
html_js_files += [("play/toys.js", {"type": "module"})]
html_show_sourcelink = False
html_copy_source = False
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "logo": {"text": "musiclab"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
}
html_context = {"default_mode": "auto"}
# the list of all modules on each of their pages would be three megabytes
html_sidebars = {"index": [], "start": [], "reference/api/musiclab*": []}


def rework_docstring(app, what, name, obj, options, lines):
    """Docstrings are prose with a few lines of facts: `Lesson: 07` and `Equation: (7.2)` become links to the lesson."""
    there = {
        Path(doc).name.partition("_")[0]: doc
        for doc in app.env.found_docs
        if re.fullmatch(r"lessons/\d\d[a-z]?_\w+", doc)
    }
    example = fact = False
    for i, line in enumerate(lines):
        example = line.strip() != "" and (example or line.lstrip().startswith(">>>"))
        if example:
            continue
        if line.strip() == "Attributes:":  # would describe the fields of a named tuple twice
            line = line.replace("Attributes", "Fields")
        line = "".join(
            part if k % 2 else re.sub(r"([*|])", r"\\\1", part)
            for k, part in enumerate(_CODE.split(line))
        )
        found = re.match(r"(Equation|Lesson|Source)s?: ", line)
        fact = bool(found) or (fact and line.startswith("  "))
        if found and found[1] == "Equation":
            line = re.sub(r"\((\d+)\.(\d+)\)", lambda m: _equation(m, there), line)
        elif found and found[1] == "Lesson":
            line = re.sub(
                r"\b\d\d[a-z]?\b",
                lambda m: f":doc:`{m[0]} </{there[m[0]]}>`" if m[0] in there else m[0],
                line,
            )
        lines[i] = ("| " if found else "  " if fact else "") + line


def skip_fields(app, what, name, obj, skip, options):
    """Fields of a named tuple are in its docstring; their own say only "Alias for field number 0"."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field") else None


def formulas_as_written(app, doctree):
    r"""Sphinx would wrap a formula of several lines in `split`, where a `\tag` is not allowed."""
    for node in doctree.findall(nodes.math_block):
        formula = f"\\[{node.astext()}\\]"
        node["no-wrap"] = node["nowrap"] = True
        node[:] = [nodes.Text(formula)]


def list_of_references(app, page, template, context, doctree):
    """The bibliography is a list; the role its entries come with belongs to no list, and is out of date."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def _equation(found, there):
    lesson, number = found.groups()
    return (
        f":ref:`({lesson}.{number}) <eq-{lesson}-{number}>`"
        if f"{int(lesson):02}" in there
        else found[0]
    )


def setup(app):
    """Connect before napoleon, which reads the docstrings at 500."""
    app.connect("autodoc-process-docstring", rework_docstring, priority=400)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", formulas_as_written)
    app.connect("html-page-context", list_of_references)
