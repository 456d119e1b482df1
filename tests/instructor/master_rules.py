"""The rules a master keeps: each a function of a master and its path that yields what is wrong, in words.

Nothing here runs a notebook; `python -m instructor.answers` does. `problems` applies all rules.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import runpy
import symtable
from pathlib import Path

import nbformat
from nbgrader.preprocessors import CheckCellMetadata

from instructor.settings import BEGIN_HIDDEN, BEGIN_SOLUTION, LESSONS, STUDENTS
from musiclab import checks
from scripts.notebook_reading import cells, objectives, strings, tree
from scripts.reset_lesson import number_of
from tests.notebooks import rules as lesson_rules

KINDS = {"derive", "compute", "implement", "find the fault", "listen", "explain"}
SHORT, EXERCISES = {"00", "01"}, range(3, 7)  # the first two lessons may have two exercises
MOST_POINTS, POINTS = 20, range(2, 6)
HEAD = re.compile(
    r"\*\*Kind:\*\* (?P<kind>[^*]+?)\. \*\*Points:\*\* (?P<points>\d+)\. "
    r"\*\*Time:\*\* about (?P<minutes>\d+) minutes\. \*\*Objective:\*\* (?P<objective>\d), \S.+\."
)
TOTAL = re.compile(r"\*\*Points:\*\* (\d+)\. \*\*Time:\*\* about (\d+) minutes\.")
CHECKS = Path(checks.__file__).parent
SEE = re.compile(r"lesson (\d\d[a-z]?), section '")


def problems(nb, path: Path) -> list[str]:
    """Everything that is wrong with a master."""
    return [problem for rule in RULES for problem in rule(nb, path)]


# How it is stored


def nothing_beside(nb, path):
    """The master is alone in its folder, and named as its lesson: nbgrader would release anything beside it."""
    if beside := sorted(other.name for other in path.parent.iterdir() if other.name != path.name):
        yield f"is not alone: nbgrader would release {', '.join(beside)} with it, solutions and all"
    if path.stem != path.parent.name or not (LESSONS / path.name).is_file():
        yield f"is not source/NN_name/NN_name.ipynb with the name of a lesson: {path.parent.name}/{path.name}"


def nothing_stored(nb, path):
    """No outputs, no counts, no metadata but nbgrader's, and that a test cell is shown collapsed."""
    for index, cell in enumerate(nb.cells, 1):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"cell {index} has outputs or a count stored"
        if is_test(cell) != (cell.metadata.get("jupyter") == {"source_hidden": True}):
            yield f"cell {index} ({cell.id}): a test cell is collapsed (source_hidden), and no other"
        if extra := set(cell.metadata) - {"nbgrader", "jupyter"}:
            yield f"cell {index} has metadata that no cell needs: {', '.join(sorted(extra))}"
        if cell.get("attachments"):
            yield f"cell {index} has a picture pasted in: draw it in code"


def nbgrader_agrees(nb, path):
    """nbgrader's own check of the cells' metadata, and cell ids that say which cell it is."""
    try:
        CheckCellMetadata().preprocess(nb, {})
    except Exception as error:  # of several kinds
        yield f"nbgrader says: {error}"
    for index, cell in enumerate(nb.cells, 1):
        marks = cell.metadata.get("nbgrader")
        if not marks:
            yield f"cell {index} has no nbgrader metadata: students could change or delete it"
        elif cell.id != marks.get("grade_id") or not re.fullmatch(r"[a-z0-9-]{1,64}", cell.id):
            yield f"cell {index} is {cell.id} and has the grade id {marks.get('grade_id')}: one lower-case name, please"
        elif not (marks.get("locked") or marks.get("solution")):
            yield f"cell {index} ({cell.id}) is not locked"
    ids = [cell.id for cell in nb.cells]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"has two cells with the id {name}"


# What it says


def title(nb, path):
    """The first cell: a title, that it is practice, the lesson's link, and totals that the exercises add up to."""
    first = nb.cells[0].source
    if not re.match(rf"# .*\b{number_of(path)}\b", first):
        yield f"does not begin with '# ' and a title that names lesson {number_of(path)}"
    if "practice" not in first.lower() or "public" not in first:
        yield "does not say in its first cell that it is practice, its solutions being public"
    if f"(../{path.name})" not in first:
        yield f"does not link its lesson, (../{path.name}), in its first cell"
    if (total := TOTAL.search(first)) is None:
        yield "does not give its totals in the first cell: '**Points:** 12. **Time:** about 45 minutes.'"
        return
    heads = [head for _, _, head in exercises(nb) if head]
    for name, said in zip(("points", "minutes"), total.groups()):
        if (added := sum(int(head[name]) for head in heads)) != int(said):
            yield f"promises {said} {name} in its title, and its exercises have {added}"


def heads(nb, path):
    """Each exercise begins with its number, kind, points, time, and an objective that its lesson has."""
    found, lesson = exercises(nb), LESSONS / path.name
    most = objectives(nbformat.read(lesson, as_version=4)) if lesson.is_file() else 9
    fewest = 2 if number_of(path) in SHORT else EXERCISES[0]
    if not fewest <= len(found) <= EXERCISES[-1]:
        yield f"has {len(found)} exercises: {fewest} to {EXERCISES[-1]}"
    for number, (cell, members, head) in enumerate(found, 1):
        if not re.match(rf"## Exercise {number}: \S", cell.source):
            yield f"{cell.id}: expected '## Exercise {number}: ' and a title"
        if head is None:
            yield f"{cell.id}: no '**Kind:** k. **Points:** n. **Time:** about m minutes. **Objective:** k, words.'"
            continue
        if unknown := set(re.split(", | or ", head["kind"])) - KINDS:
            yield f"{cell.id}: is of kind {', '.join(unknown)}: one of {', '.join(sorted(KINDS))}"
        if not 1 <= int(head["objective"]) <= most:
            yield f"{cell.id}: serves objective {head['objective']}, and the lesson has {most}"
        given = sum(member.metadata.nbgrader.get("points", 0) for member in members)
        if given != int(head["points"]):
            yield f"{cell.id}: promises {head['points']} points, and its cells give {given:g}"
        if given not in POINTS:
            yield f"{cell.id}: gives {given:g} points: {POINTS[0]} to {POINTS[-1]}"
    if (total := sum(cell.metadata.nbgrader.get("points", 0) for cell in nb.cells)) > MOST_POINTS:
        yield f"has {total:g} points: at most {MOST_POINTS}"


def sections(nb, path):
    """Where the checks say "read again", the lesson has that section; each exercise's check says it somewhere."""
    module = path_of_checks(path)
    inside = tree(nbformat.from_dict({"source": module.read_text(encoding="utf-8")}))
    texts = [(f"{module.name}", text) for text in _strings(inside)]
    texts += [(cell.id, text) for _, cell, text in strings(nb)]
    for place, text in texts:
        for found in SEE.finditer(text):
            names = [
                f"{name}'"
                for file in sorted(LESSONS.glob(f"{found[1]}_*.ipynb"))
                for name in _headings(file)
            ]
            if not text[found.end() :].startswith(tuple(names)):
                yield f"{place}: {text[found.start() :]!r:.90}: lesson {found[1]} has no such section"
    if not any(SEE.search(text) for _, text in texts):
        yield f"tells nowhere to read again: \"lesson {number_of(path)}, section '...'\""


# What its cells are


def first_code(nb, path):
    """The first code cell is locked and imports musiclab before anything else, which keeps TensorFlow quiet."""
    cell = next((cell for _, cell in cells(nb, "code")), None)
    if (
        cell is None
        or cell.metadata.nbgrader.get("solution")
        or not cell.metadata.nbgrader.get("locked")
    ):
        yield "does not begin its code with a locked cell of imports"
    elif not re.match(r"(#.*\n|\s)*(import|from) musiclab\b", cell.source):
        yield f"{cell.id}: does not import musiclab first"


def answers_and_tests(nb, path):
    """An answer cell keeps something and is tested; a test cell has a visible part and a hidden one."""
    for place, cell in enumerate(nb.cells):
        if is_answer(cell):
            if BEGIN_SOLUTION not in cell.source:
                yield f"{cell.id}: has no ### {BEGIN_SOLUTION}: all of it would be taken out"
            after = next(
                (other for other in nb.cells[place + 1 :] if is_answer(other) or is_test(other)),
                cell,
            )
            if not is_test(after):
                yield f"{cell.id}: has no test cell"
        if is_test(cell):
            visible, _, hidden = cell.source.partition(BEGIN_HIDDEN)
            yield from _visible_problems(cell, visible.rstrip("# \n"), path)
            yield from _hidden_problems(cell, hidden.partition("\n")[2])


def _visible_problems(cell, visible, path):
    """The visible check is a call of the lesson's module with the answers, imported afresh."""
    module = path_of_checks(path).stem
    body = (_parsed(visible) or ast.Module([], [])).body
    first = ast.unparse(body[0]) if body else ""
    if first != f"from musiclab.checks import {module}":
        yield f"{cell.id}: does not begin with 'from musiclab.checks import {module}'"
    calls = [statement.value for statement in body[1:] if isinstance(statement, ast.Expr)]
    if len(calls) != len(body) - 1 or not calls:
        yield f"{cell.id}: has more than a call of {module} in its visible part, or none"
    for call in calls:
        handed = [*getattr(call, "args", []), *(k.value for k in getattr(call, "keywords", []))]
        if not ast.unparse(call).startswith(f"{module}.") or not all(
            isinstance(one, ast.Name) for one in handed
        ):
            yield f"{cell.id}: its visible part hands names of the notebook to a function of {module}, no more"


def _hidden_problems(cell, hidden):
    """Hidden tests are one function with names of its own, called with the answers."""
    body = (_parsed(hidden) or ast.Module([], [])).body
    if not body:
        yield f"{cell.id}: has no hidden tests"
        return
    kinds = [type(statement) for statement in body]
    if kinds != [ast.ImportFrom, ast.FunctionDef, ast.Expr] or [
        ast.unparse(one) for one in body[1].decorator_list
    ] != ["apart"]:
        yield f"{cell.id}: its hidden tests are not one function '@apart def _hidden(...)' and a call of it"
        return
    table = symtable.symtable(hidden, cell.id, "exec")
    for inner in _tables(table.get_children()[0]):
        for symbol in inner.get_symbols():
            if symbol.is_global() and symbol.get_name() not in dir(builtins):
                yield f"{cell.id}: its hidden tests use {symbol.get_name()}, a name of the notebook"


def _tables(table):
    yield table
    for child in table.get_children():
        yield from _tables(child)


def points_agree(nb, path):
    """The points that a check says aloud are those that its cell gives."""
    lesson = runpy.run_path(str(path_of_checks(path)))["lesson"]
    for cell in nb.cells:
        if is_test(cell):
            called = re.findall(rf"^{path_of_checks(path).stem}\.(\w+)\(", cell.source, re.M)
            given = cell.metadata.nbgrader.get("points")
            if (total := sum(lesson.points.get(name, 0) for name in called)) != given:
                yield f"{cell.id}: gives {given} points, and its check says {total}"
    by_hand = sum(
        cell.metadata.nbgrader.get("points", 0)
        for cell in nb.cells
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")
    )
    if by_hand != lesson.written:
        yield f"has {by_hand} points for written answers, and its checks say {lesson.written}"
    if lesson.name != path.stem:
        yield f"is {path.stem}, and its checks say {lesson.name}"


def written(nb, path):
    """A cell marked by hand holds, beside a model answer, a guide to marking."""
    for cell in nb.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade") and marks.get("solution"):
            model, *guide = re.split("marking guide", cell.source, maxsplit=1, flags=re.I)
            if not guide or min(len(model.split()), len(guide[0].split())) < 10:
                yield f"{cell.id}: needs a model answer and then a **Marking guide.**, of ten words or more each"


def as_in_lessons(nb, path):
    """What also holds for lessons: plain Python, nothing from outside, headings, alternative texts, links."""
    for rule in (
        lesson_rules.plain_python,
        lesson_rules.no_bare_show,
        lesson_rules.nothing_fetched,
        lesson_rules.no_absolute_path,
        lesson_rules.ordered_headings,
        lesson_rules.alt_text,
        lesson_rules.figures,
        lesson_rules.links,
    ):
        yield from rule(nb, STUDENTS / path.name)  # links are followed from where students open it


RULES = (
    nothing_beside,
    nothing_stored,
    nbgrader_agrees,
    title,
    heads,
    sections,
    first_code,
    answers_and_tests,
    points_agree,
    written,
    as_in_lessons,
)


def exercises(nb) -> list:
    """(its first cell, all its cells, what its head says or None) of each exercise."""
    starts = [place for place, cell in enumerate(nb.cells) if re.match(r"## Exercise", cell.source)]
    spans = [nb.cells[start:stop] for start, stop in zip(starts, [*starts[1:], len(nb.cells)])]
    return [(span[0], span, HEAD.search(span[0].source)) for span in spans]


def is_answer(cell) -> bool:
    """Whether students write code here."""
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("solution"))


def is_test(cell) -> bool:
    """Whether this cell gives points by itself."""
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("grade"))


@functools.cache
def _headings(file):
    cells = nbformat.read(file, as_version=4).cells
    return [
        heading
        for cell in cells
        if cell.cell_type == "markdown"
        for heading in re.findall(r"^#+ (.*?)\s*$", cell.source, re.M)
    ]


def path_of_checks(path: Path) -> Path:
    """The module with the checks of a master's lesson."""
    return CHECKS / f"lesson_{number_of(path)}.py"


def _strings(parsed):
    """The text of all strings in a module."""
    return [
        node.value
        for node in ast.walk(parsed)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _parsed(source):
    return tree(nbformat.from_dict({"source": source}))
