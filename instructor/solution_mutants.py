"""Mutate the exercises' solutions: each changed solution must lose points, each equal rewriting must not.

    python -m instructor.solution_mutants                        # every master
    python -m instructor.solution_mutants 06_recurrent_networks  # one, with each survivor

A mutant is the solution with one change: of an operator, a number, a keyword, a slice, arguments, a statement.
Where a change makes no difference on any input that the task allows, the mutant is named, with the reason, in
`equivalent_mutants.toml`. Every other one with full points is a survivor: a fault of the exercise's tests.
"""

from __future__ import annotations

import argparse
import ast
import copy
import dataclasses
import functools
import os
import random
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from instructor import answer_verdicts
from instructor.answer_verdicts import Answer, judged
from instructor.answers import AT_ONCE, apart, read
from instructor.settings import BEGIN_SOLUTION, END_SOLUTION, HERE, SOURCE, masters

EQUIVALENT = HERE / "equivalent_mutants.toml"
MOST = 40  # mutants of one answer cell; more are drawn from at random, the same ones each time
SECONDS = 6  # for a cell with a mutant, which may never end
LESSON_SECONDS = 900
SHARE = 0.02  # survivors of all mutants that are allowed

BINARY = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
NAMES = {
    "min": "max",
    "max": "min",
    "sum": "mean",
    "mean": "sum",
    "argmin": "argmax",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
    "round": "floor",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "exp": "expm1",
    "log": "log1p",
    "log1p": "log",
    "sin": "cos",
    "cos": "sin",
    "tanh": "sin",
    "maximum": "minimum",
    "minimum": "maximum",
    "cumsum": "cumprod",
    "cumprod": "cumsum",
    "std": "var",
    "var": "std",
    "sqrt": "square",
    "square": "abs",
    "vstack": "hstack",
    "reduce_sum": "reduce_mean",
    "reduce_mean": "reduce_sum",
    "reduce_max": "reduce_min",
    "less": "less_equal",
    "greater": "greater_equal",
    "reversed": "list",
    "sorted": "list",
}
DROPPED = {"copy", "astype", "clip", "round", "flatten"}  # x.copy() -> x
SYMMETRIC = {"max", "min", "maximum", "minimum", "add", "multiply", "logaddexp"}
UNWRAPPED = {"asarray", "array", "abs", "float", "int", "list", "sorted", "reversed", "round"}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A solution with one change: the line before, the line after, and the whole cell."""

    exercise: str
    before: str
    after: str
    code: str

    @property
    def name(self) -> str:
        """What tells it from the others of its cell."""
        return f"{self.before}  ->  {self.after}"


def mutants(cell, most: int | None = MOST) -> list[Mutant]:
    """The mutants of an answer cell.

    Args:
        cell: of a master.
        most: how many at most, drawn by a seed that is the cell's id; None for all.
    """
    tree = ast.parse(cell.source)
    original, found = ast.unparse(tree), {}
    for change in _changes(tree, _solved_lines(cell.source)):
        with change:
            code = ast.unparse(ast.fix_missing_locations(tree))
        if code != original and code not in found:
            found[code] = Mutant(cell.id, *_difference(original, code), code)
    every = list(found.values())
    random.Random(cell.id).shuffle(every)
    return every if most is None else every[:most]


def rewritings(cell, names: set[str]) -> list[Answer]:
    """Equal answers: the solution's own variables renamed; the names that tests use given to other things."""
    tree = ast.parse(cell.source)
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            own = {
                node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            } - given
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and node.id in own:
                    node.id = f"{node.id}_of_mine"
    own = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    taken = "".join(f"{name} = None\n" for name in sorted(names - own))
    return [
        Answer(cell.id, "right", "other names for its variables", ast.unparse(tree)),
        Answer(cell.id, "right", "names of the tests in use", taken + cell.source),
    ]


def names_of_tests(master, name: str) -> set[str]:
    """Every name that the tests of a lesson give to something."""
    from musiclab import checks

    module = Path(checks.__file__).parent / f"lesson_{name.partition('_')[0]}.py"
    sources = [cell.source for cell in master.cells if answer_verdicts.role(cell) == "test"]
    given = {
        one.id
        for cell in master.cells
        if cell.cell_type == "code" and answer_verdicts.role(cell) != "test"
        for one in ast.walk(ast.parse(cell.source))
        if isinstance(one, ast.Name)
    }
    found = set()
    for source in [*sources, module.read_text(encoding="utf-8")]:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
    return found - given


def equivalent() -> dict[tuple[str, str], str]:
    """(answer cell, mutant's name) -> why it makes no difference.

    Raises:
        ValueError: if an entry lacks its reason.
    """
    stored = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    for entry in stored:
        if entry.keys() != {"lesson", "exercise", "before", "after", "reason"}:
            raise ValueError(
                f"{EQUIVALENT.name}: {entry} needs lesson, exercise, before, after, reason"
            )
    return {
        (f"{e['lesson']} {e['exercise']}", f"{e['before']}  ->  {e['after']}"): e["reason"]
        for e in stored
    }


def report(name: str, most: int | None = MOST) -> int:
    """Try one lesson's mutants in this process and print what became of them; 0 if none survives."""
    begin, master, known = time.monotonic(), read(SOURCE / name / f"{name}.ipynb"), equivalent()
    answer_verdicts.ANSWER_SECONDS = SECONDS
    cells = [cell for cell in master.cells if answer_verdicts.role(cell) == "answer"]
    tried = [mutant for cell in cells for mutant in mutants(cell, most)]
    same = [one for one in tried if (f"{name.partition('_')[0]} {one.exercise}", one.name) in known]
    cases = [Answer(m.exercise, "wrong", m.name, m.code) for m in tried if m not in same]
    taken = names_of_tests(master, name)
    cases += [right for cell in cells for right in rewritings(cell, taken)]
    verdicts, problems = judged(master, cases)
    survivors = [v for v in verdicts if v.answer.kind == "wrong" and v.points == v.most]
    refused = [v for v in verdicts if v.answer.kind == "right" and v.points < v.most]
    print(
        f"{name}: {len(tried)} mutants, {len(same)} equal to the solution, {len(survivors)} survive; "
        f"{2 * len(cells) - len(refused)} of {2 * len(cells)} rewritings pass; {time.monotonic() - begin:.0f} s"
    )
    for verdict in survivors:
        print(f"  survives in {verdict.answer.exercise}: {verdict.answer.name}")
    for verdict in refused:
        print(f"  !! refused in {verdict.answer.exercise}: {verdict.answer.name}: {verdict.words}")
    for problem in problems:
        print(f"  !! {problem}")
    sys.stdout.flush()
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()
    too_many = len(survivors) > SHARE * max(len(tried) - len(same), 1)
    return int(bool(refused or problems or too_many))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Mutate the exercises' solutions.")
    parser.add_argument("names", nargs="*", metavar="NN_name", help="default: every master")
    parser.add_argument("--most", type=int, default=MOST, help="mutants of an answer cell; 0: all")
    parser.add_argument("--here", action="store_true", help="in this process, one after another")
    options = parser.parse_args(arguments)
    names = options.names or [path.stem for path in masters()]
    if options.here:
        os.environ.setdefault("MPLBACKEND", "agg")
        return max([report(name, options.most or None) for name in names], default=0)
    words = ["instructor.solution_mutants", "--most", str(options.most), "--here"]
    one = functools.partial(apart, words=words, seconds=LESSON_SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = []
        for result in pool.map(lambda name: one([name]), names):
            results.append(result)
            print(result[1], flush=True)
    return max((status for status, _ in results), default=0)


# The changes


@dataclasses.dataclass
class _Change:
    """A part of a tree replaced while a `with` block lasts."""

    node: ast.AST
    field: str
    new: object

    def __enter__(self):
        self.old = getattr(self.node, self.field)
        setattr(self.node, self.field, self.new)

    def __exit__(self, *error):
        setattr(self.node, self.field, self.old)


def _solved_lines(source):
    lines, inside = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        if BEGIN_SOLUTION in line:
            inside = True
        elif END_SOLUTION in line:
            inside = False
        elif inside:
            lines.add(number)
    return lines


def _changes(tree, lines) -> Iterator[_Change]:
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.AST) and getattr(value, "lineno", 0) in lines:
                yield from (_Change(node, field, new) for new in _instead(value))
            elif isinstance(value, list):
                for place, part in enumerate(value):
                    if getattr(part, "lineno", 0) in lines:
                        around = value[:place], value[place + 1 :]
                        for new in _instead(part):
                            yield _Change(node, field, [*around[0], new, *around[1]])
                        if isinstance(part, ast.stmt) and not isinstance(part, ast.Return):
                            dropped = [*around[0], ast.Pass(), *around[1]]
                            yield _Change(node, field, dropped)


def _instead(node) -> Iterator[ast.AST]:
    """What may stand in a node's place, each with one change."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in BINARY:
        yield _with(node, op=BINARY[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in COMPARED:
                new = [*node.ops[:place], COMPARED[type(operator)](), *node.ops[place + 1 :]]
                yield _with(node, ops=new)
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Attribute):
        if node.attr == "T":
            yield node.value
        elif node.attr in NAMES:
            yield _with(node, attr=NAMES[node.attr])
    elif isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield _with(node, id=NAMES[node.id] if NAMES[node.id] != "mean" else "len")
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield _with(node, **{end: None})
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.If):
        yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield _with(node, elts=node.elts[::-1])


def _binary(node):
    if type(node.op) in BINARY:
        yield _with(node, op=BINARY[type(node.op)]())
    if isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div)):
        yield _with(node, left=node.right, right=node.left)
    yield from (node.left, node.right)


def _constants(node):
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
    elif isinstance(node.value, float):
        yield from (ast.Constant(node.value * 1.1 or 0.1), ast.Constant(-node.value or 1.0))


def _calls(node):
    for place in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])
    symmetric = getattr(node.func, "attr", getattr(node.func, "id", None)) in SYMMETRIC
    if len(node.args) == 2 and not symmetric:
        yield _with(node, args=node.args[::-1])
    if len(node.args) > 2:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in DROPPED:
        yield function.value
    name = getattr(function, "attr", getattr(function, "id", None))
    if name in UNWRAPPED and node.args:
        yield node.args[0]


def _with(node, **fields):
    new = copy.copy(node)
    for field, value in fields.items():
        setattr(new, field, value)
    return new


def _difference(before, after):
    """The first line that differs, as it was and as it is."""
    old, new = before.splitlines(), after.splitlines()
    place = next((i for i, pair in enumerate(zip(old, new)) if pair[0] != pair[1]), 0)
    return old[place].strip(), new[place].strip()


if __name__ == "__main__":
    sys.exit(main())
