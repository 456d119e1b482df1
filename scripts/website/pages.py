"""The pages that are generated: lessons and their map, symbols, the API, results, references."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import nbformat

from benchmarks.record import stated
from musiclab.setup import welcome
from scripts import lesson_modules, notebook_reading
from scripts.website import course_map

COLUMNS = {
    "what": "what",
    "lesson": "lesson",
    "wall_s": "seconds",
    "cpu_s": "CPU seconds",
    "peak_mb": "memory, MB",
    "slowest_cell_s": "slowest cell, s",
    "import_s": "import, s",
    "test": "test, nats per frame",
    "valid": "valid",
    "test_clean": "test, clean pieces",
    "per_piece": "mean over pieces",
    "sd_seeds": "sd over seeds",
    "se_pieces": "se over pieces",
    "mp3_kb": "MP3, kB",
    "mp3_kb_max": "largest MP3, kB",
    "page_kb": "in a page, kB",
    "log_z_se": "se of ln Z",
    "rbm_cpu_s": "CPU s, RBM",
    "evaluation_cpu_s": "CPU s, evaluation",
    "cpu_ms": "CPU ms",
    "wall_ms": "ms",
    "s_each": "seconds each",
    "first_half_s": "first half, s",
    "second_half_s": "second half, s",
    "clean_nats": "nats per quarter, clean",
    "exactness": "exact?",
    "triads_and_sevenths": "triads and sevenths",
    "parallel_perfects": "parallels per 100 changes",
    "copied_run": "copied run, quarters",
    "rows_differ": "report rows that differ",
    "cpu_s_training": "CPU s, training",
    "cpu_s_16_bars": "CPU s, 16 bars",
}
EXERCISES = "exercises/index"
SELECTED = {  # tables too wide to show whole
    "every_model": (
        *("what", "lesson", "clean_nats", "exactness", "about", "triads_and_sevenths"),
        *("parallel_perfects", "fermata_cadences", "final_tonic", "copied_run", "diversity"),
        *("rows_differ", "parameters", "cpu_s_training", "cpu_s_16_bars"),
    )
}
FOUR_SETS = "Another of the four sets of 2012. Settings are those for the chorales, with fewer passes over more music."
BENCHMARKS = {
    "lessons": ("Lessons", "What each lesson costs from start to end, on a fresh kernel."),
    "sequence": (
        "Sequence models on the published benchmark",
        "Bach's chorales on quarter notes (Boulanger-Lewandowski and others 2012), in nats per frame; less is better. "
        "*Clean* pieces are those whose melody does not occur in training. *Weights* are those of a mixture's "
        "members, in the order of the rows, fitted on the validation pieces.",
    ),
    "sequence_Nottingham": ("The same command on Nottingham", FOUR_SETS),
    "sequence_MuseData": ("The same command on MuseData", FOUR_SETS),
    "sequence_Piano_midi": ("The same command on Piano-midi.de", FOUR_SETS),
    "every_model": (
        "Every model of the course",
        "All write for the same forms, with three seeds of writing (means). Nats are comparable only between rows that "
        "describe the same music; an empty cell has a reason, which the JSON file gives.",
    ),
    "energy": (
        "Energy models",
        "Boltzmann machines on the same benchmark, their speed beside scikit-learn's, and bars by a deep belief net.",
    ),
    "latent": (
        "Models with a latent space",
        "Models that write two bars from random numbers, and what they rebuild.",
    ),
    "speed": (
        "Two loops over time",
        "The course's own LSTM cell, forward and backward, beside Keras'; chords sampled in one graph and from Python.",
    ),
    "page": (
        "Front page, and the page that harmonises",
        "Lesson 16's network in a browser: medians of five visits, of which the first sound is counted from the click.",
    ),
    "grading": (
        "Grading",
        "A class graded by nbgrader alone and by `make grade`, which keeps students' code in a sandbox.",
    ),
    "grading_services": (
        "Grading with servers",
        "A class graded by Dask workers, one of which is killed; and a class on a JupyterHub, each step by all "
        "students at once. A note says so where other programs ran beside.",
    ),
    "data": (
        "Reading the music",
        "Why the course ships arrays: the same pieces, loaded and parsed.",
    ),
    "sound": ("Sound", "What a player in a page weighs, and how long it takes to make one."),
    "note_models": (
        "Models of notes",
        "Lesson 18's VAE and GAN of single notes, over three seeds.",
    ),
    "creating": (
        "Harmonising the test sopranos",
        "Lesson 16's network and lesson 09's models, by the same measures.",
    ),
    "control": (
        "What one asks, and what comes",
        "Lesson 16b: density, tension and mode asked of lesson 16's network. *In class* is the share of bars that are "
        "what was asked.",
    ),
    "transformer": (
        "The Transformer of four voices",
        "Lesson 15: nats per quarter, counterpoint, the cache of keys and values, a test of repetition.",
    ),
    "scaling": (
        "Scaling curves",
        "Lesson 19: held-out loss of the four-voice model against data, parameters and CPU time.",
    ),
    "shards": (
        "A large collection on disk",
        "Lesson 19: memory-mapped shards built, read in random order, and searched.",
    ),
}


def lesson_map(found: dict, folder: str = "") -> str:
    """The map of the lessons as HTML, for a page that finds theirs in a folder, such as "lessons/"."""
    titles = {number: title for number, (_, title) in found.items()}
    shipped = welcome.lessons(next(iter(found.values()))[0].parent)
    minutes = {lesson.number: lesson.minutes for lesson in shipped}
    pages = {number: f"{folder}{notebook.stem}.html" for number, (notebook, _) in found.items()}
    return course_map.draw(_needs(found), titles, minutes, pages)


def lesson_index(
    found: dict, summaries: dict[str, str], appendices: list[tuple[Path, str]], folder: Path
) -> None:
    """`lessons/index.md`: the map, its text form, the appendices."""
    needs = _needs(found)
    rows = ["| lesson | the question | needs | helps |", "|---|---|---|---|"]
    for number, (notebook, title) in found.items():
        links = [_links(sorted(numbers), found) for numbers in needs[number]]
        rows.append(
            f"| [{number} {title}]({notebook.stem}.ipynb) | {summaries[number]} | {links[0]} | {links[1]} |"
        )
    extra = [
        f"- [{title}]({notebook.stem}.ipynb): what the lessons take for granted, in cells to run."
        for notebook, title in appendices
    ]
    text = [
        "# Lessons",
        "",
        "An arrow leads from a lesson to those that build on it; a dotted one says that a lesson helps. The minutes",
        "are what it takes to work through a lesson. Begin at the top.",
        "",
        "```{raw} html",
        lesson_map(found),
        "```",
        "",
        "::::{div} by-lesson",
        *rows,
        "::::",
        "",
        "Each lesson has [exercises](exercises/index.md) that check themselves.",
        "",
        *(["## Appendix", "", *extra, ""] if appendices else []),
        *_toctree([notebook.stem for notebook, _ in [*found.values(), *appendices]] + [EXERCISES]),
    ]
    _write(folder / "index.md", text)


def exercise_index(found: dict, folder: Path) -> None:
    """`lessons/exercises/index.md`: the exercises that are there, with points and time."""
    rows = ["| exercises | points | time |", "|---|---:|---|"]
    there = [one for one in found.items() if (folder / one[1][0].name).is_file()]
    for number, (notebook, title) in there:
        header = nbformat.read(folder / notebook.name, as_version=4).cells[0].source
        points = re.search(r"\*\*Points:\*\* (\d+)", header)
        time = re.search(r"\*\*Time:\*\* (?:about )?([^.*]+)\.", header)
        said = [" ".join(one[1].split()) if one else "" for one in (points, time)]
        rows += [f"| [{number} {title}]({notebook.stem}.ipynb) | {said[0]} | {said[1]} |"]
    text = [
        "# Exercises",
        "",
        "Statements, code to complete and the calls of the checks, to be read here and solved in JupyterLab.",
        "`make lab` opens the course; the notebooks are in the folder `exercises`, and `make progress` says",
        "what is solved.",
        "",
        "::::{div} by-lesson",
        *rows,
        "::::",
        "",
        *_toctree([notebook.stem for _, (notebook, _) in there]),
    ]
    _write(folder / "index.md", text)


def question(notebook: Path) -> str:
    """The question that a lesson begins with."""
    first = nbformat.read(notebook, as_version=4).cells[0].source
    found = re.search(r"\*\*(.+?\?)\*\*", first, re.S)
    return " ".join(found[1].split()) if found else ""


def symbols(found: dict, file: Path) -> None:
    """The symbol tables of all lessons on one page, before the glossary."""
    text = [
        "# Symbols",
        "",
        "Each lesson says what its symbols mean before it uses them. Here are all of them,",
        "",
    ]
    text[-2] += " lesson by lesson; words are in the [glossary](glossary.md)."
    for number, (notebook, title) in found.items():
        tables = [
            "\n".join(table)
            for _, cell in notebook_reading.cells(nbformat.read(notebook, as_version=4), "markdown")
            for table in _tables(cell.source)
            if table[0].lower().replace(" ", "").startswith("|symbol|")
        ]
        if tables:
            text += [
                f"## [{number} {title}](../lessons/{notebook.stem}.ipynb)",
                "",
                *"\n\n".join(tables).split("\n"),
                "",
            ]
    _write(file, text)


def api(root: Path, folder: Path) -> list[str]:
    """One page for each public module of musiclab; the modules' names."""
    names, groups, used = [], {}, lesson_modules.by_module(root)
    for path in sorted((root / "musiclab").rglob("*.py")):
        if path.name == "__init__.py" or path.name.startswith("_") or path.parent.name == "jupyter":
            continue
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        says = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[
            0
        ]
        text = [name, "=" * len(name), "", f".. automodule:: {name}", "   :members:", ""]
        _write(folder / f"{name}.rst", text)
        names.append(name)
        says = re.sub(
            r":\w+:`([^`]+)`", r"\1", says
        )  # a role of these pages means nothing in Markdown
        groups.setdefault(name.rpartition(".")[0], []).append((name, " ".join(says.split())))
    text = [
        "# musiclab, module by module",
        "",
        "What the lessons import, from the docstrings. Functions that compute a",
    ]
    text += ["numbered equation link to it, and each [equation](../equations.md) links back.", ""]
    for group, members in groups.items():
        text += [f"## {group}", "", "| module | what it holds | lessons |", "|---|---|---|"]
        text += [
            f"| [{name.rpartition('.')[2]}]({name}.rst) | {_cell(says)} "
            f"| {', '.join(used[name]) or 'internal'} |"
            for name, says in members
        ]
        text += [""]
    text += ["## Lessons and what they import", "", "| lesson | modules |", "|---|---|"]
    for number, modules in lesson_modules.by_lesson(root).items():
        links = ", ".join(f"[{name.removeprefix('musiclab.')}]({name}.rst)" for name in modules)
        text += [f"| {number} | {links} |"]
    text += [""]
    _write(folder / "index.md", text + _toctree(names))
    return names


def results(folder: Path, file: Path) -> None:
    """The benchmark tables, from the JSON files that `make bench` writes."""
    text = [
        "# Results",
        "",
        "What was measured, on which machine, and by which command: nothing here is typed by hand.",
        "",
    ]
    order = {name: i for i, name in enumerate(BENCHMARKS)}
    for source in sorted(
        folder.glob("*.json"), key=lambda f: (order.get(f.stem, len(order)), f.stem)
    ):
        found = json.loads(source.read_text(encoding="utf-8"))
        title, says = BENCHMARKS.get(source.stem, (source.stem.replace("_", " ").capitalize(), ""))
        text += [f"## {title}", "", says, ""]
        columns = SELECTED.get(source.stem)
        rows = found["rows"]
        if columns:
            rows = [{name: row.get(name) for name in columns} for row in rows]
        text += ["::::{div} results"]
        for part in _alike(rows):
            text += _table(part)
        text += ["::::", ""]
        text += ["```{div} measured", f"Measured by {stated(found)}", "```", ""]
    _write(file, text)


def references(found: dict, reading_lists: dict[str, list[str]], file: Path) -> None:
    """What each lesson leads on to, and the list of all."""
    text = ["# References", "", "The papers and books behind each lesson.", ""]
    for number, (notebook, title) in found.items():
        if keys := reading_lists.get(number):
            cited = "; ".join(f"{{cite:t}}`{key}`" for key in keys)
            text += [f"**[{number} {title}](../lessons/{notebook.stem}.ipynb):** {cited}.", ""]
    _write(file, [*text, "## All of them", "", "```{bibliography}", ":all:", "```", ""])


def _needs(found):
    return {number: course_map.prerequisites(notebook) for number, (notebook, _) in found.items()}


def _links(numbers, found):
    return ", ".join(f"[{n}]({found[n][0].stem}.ipynb)" if n in found else n for n in numbers)


def _tables(source: str) -> Iterable[list[str]]:
    table = []
    for line in [*source.split("\n"), ""]:
        if line.startswith("|"):
            table.append(line)
        elif table:
            yield table
            table = []


def _alike(rows):
    """Rows with the same columns, together, in the order they come; where a table is mixed, it is several."""
    groups = []
    for row in rows:
        if not groups or list(groups[-1][0]) != list(row):
            groups.append([])
        groups[-1].append(row)
    return groups


def _table(rows):
    columns = [
        name
        for name in rows[0]
        if name != "seed" and any(row[name] not in ("", None) for row in rows)
    ]
    first = {n: next(row[n] for row in rows if row[n] not in ("", None)) for n in columns}
    align = ["---" if isinstance(first[name], str) else "---:" for name in columns]
    lines = [[COLUMNS.get(name, name.replace("_", " ")) for name in columns], align]
    lines += [
        ["" if row[name] is None else _cell(str(row[name])) for name in columns] for row in rows
    ]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _cell(text):
    return text.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")


def _toctree(names):
    return ["```{toctree}", ":hidden:", "", *names, "```", ""]


def _write(file, lines):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines), encoding="utf-8")


def reading_lists(file: Path) -> dict[str, list[str]]:
    """Keys of the bibliography by number of the lesson."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def data_page(readme: Path) -> str:
    """`data/README.md` as a page, without the column of checksums, which only a program reads."""
    text = readme.read_text(encoding="utf-8").replace("# The data", "# Data and licences", 1)
    text = re.sub(r"((?:^\|.*\n)+)", r"::::{div} data-table\n\1::::\n", text, count=1, flags=re.M)
    return re.sub(r"^(\|[^|]*)\|(?: SHA-256 |---| `[0-9a-f]{64}` )(?=\|)", r"\1", text, flags=re.M)
