"""Signs, in a student's source code, of looking into or changing the programs that test it.

No exercise needs any of this. What is found is for a person to look at; it costs no points by
itself.
"""

from __future__ import annotations

import ast
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import musiclab

__all__ = ["found", "shadows"]

ATTRIBUTES = {
    "f_back",
    "f_locals",
    "f_globals",
    "f_builtins",
    "f_code",
    "f_trace",
    "tb_frame",
    "tb_next",
    "gi_frame",
    "cr_frame",
    "ag_frame",
    "__code__",
    "__globals__",
    "__closure__",
    "__subclasses__",
    "__getattribute__",
    "__builtins__",
    "__import__",
    "_getframe",
    "_current_frames",
    "currentframe",
    "getouterframes",
    "getinnerframes",
    "getsource",
    "get_objects",
    "get_referrers",
    "get_referents",
    "settrace",
    "setprofile",
    "addaudithook",
    "audit",
    "do_execute",
    "execute_request",
    "run_cell",
    "run_cell_async",
    "run_ast_nodes",
    "run_code",
    "showtraceback",
    "displayhook",
    "excepthook",
    "ast_transformers",
    "input_transformers_post",
    "input_transformers_cleanup",
    "history_manager",
    "input_hist_raw",
    "set_custom_exc",
    "shell_stream",
    "iopub_socket",
    "execute_reply",
    "_render_traceback_",
    "user_ns_hidden",
    "register_magic_function",
    "set_hook",
    "getblocks",
    "linecache",
    "__dict__",
    "user_ns",
    "user_global_ns",
    "modules",
    "__main__",
    "__traceback__",
    "NotYet",
}
CALLS = {"exec", "eval", "compile", "__import__", "get_ipython", "globals", "breakpoint"}
MODULES = {
    "gc",
    "ctypes",
    "cffi",
    "inspect",
    "linecache",
    "dis",
    "bdb",
    "pdb",
    "trace",
    "tracemalloc",
    "importlib",
    "builtins",
    "marshal",
    "ipykernel",
    "IPython",
    "zmq",
    "atexit",
    "faulthandler",
    "code",
    "codeop",
    "imp",
    "runpy",
    "signal",
    "threading",
    "_thread",
    "mmap",
    "unittest",
    "__main__",
}
METHODS = {
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__complex__",
    "__array__",
    "__array_ufunc__",
    "__array_function__",
    "__array_interface__",
    "__array_finalize__",
    "__instancecheck__",
    "__subclasscheck__",
    "__class__",
    "__getattr__",
    "__getattribute__",
    "__deepcopy__",
    "__reduce__",
    "__reduce_ex__",
    "__del__",
    "__hash__",
    "__iter__",
    "__len__",
    "__getitem__",
}
FOREIGN = {
    "checks",
    "np",
    "numpy",
    "builtins",
    "sys",
    "copy",
    "math",
    "musiclab",
    "NotYet",
    "keras",
    "tf",
}
NAMED = ATTRIBUTES - {"modules", "audit"} | {"exec", "eval"}  # also as strings, for getattr
MOST_CHARACTERS = 200_000
CHECKS = re.compile(r"checks|lesson_\d\d|exercises|apart")
HISTORY = re.compile(r"_i{1,3}|_i\d+|In|_ih")
OWN_DISPLAY = {"IPython.display"}


def found(source: str) -> list[str]:
    """What in a cell, or in a file, is to be looked at, in words; each once.

    Args:
        source: code as a student wrote it, IPython's magic commands included.

    >>> found("def add(a, b):\\n    return a + b")
    []
    >>> found("import gc\\nobjects = gc.get_objects()")
    ['imports gc (line 1)', 'uses get_objects (line 2)']
    """
    if len(source) > MOST_CHARACTERS:
        return [f"has more than {MOST_CHARACTERS} characters"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _found_in_text(source)
    try:
        notes = [(node.lineno, words) for node in ast.walk(tree) for words in _signs(node)]
    except RecursionError:
        return ["is nested too deeply to be read"]
    words = [f"{what} (line {line})" for line, what in sorted(notes)]
    return list(dict.fromkeys(words))[:10]


def shadows(name: str) -> bool:
    """Whether a file beside the notebook would be imported in place of a library.

    >>> shadows("numpy.py"), shadows("my_helpers.py"), shadows("notes.txt")
    (True, False, False)
    >>> shadows("musiclab.py"), shadows("tests.py")
    (True, False)
    """
    module, _, ending = name.partition(".")
    if ending.rpartition(".")[2] not in ("py", "pyc", "so", "pyd"):
        return False
    if module in sys.stdlib_module_names:
        return True
    try:
        place = find_spec(module)
    except (ImportError, ValueError):
        return False
    origin = Path((place and place.origin) or "/nowhere")
    library = (Path(sys.prefix), Path(sys.base_prefix), Path(musiclab.__file__).parent)
    return any(origin.is_relative_to(folder) for folder in library)


def _found_in_text(source):
    """For code with IPython's magic commands, or code that does not parse: names alone."""
    names = set(re.findall(r"\w+", source))
    used = sorted(names & (ATTRIBUTES | {"exec", "eval", "get_ipython", "ctypes", "gc"}))
    return [f"uses {name}" for name in used][:10]


def _signs(node):
    if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
        yield f"uses {node.attr}"
    elif isinstance(node, ast.Name):
        if node.id in ATTRIBUTES or HISTORY.fullmatch(node.id):
            yield f"uses {node.id}"
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _imports(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if node.name in METHODS:
            yield f"defines {node.name}"
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.For)):
        yield from _assignments(node)
    elif isinstance(node, ast.Constant) and node.value in NAMED:
        yield f"names {node.value!r}"


def _imports(node):
    names = [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module in OWN_DISPLAY:
            return
        names = [module] + [name for name in names if name in ATTRIBUTES]
    for name in names:
        if name.split(".")[0] in MODULES and name not in OWN_DISPLAY:
            yield f"imports {name}"


def _calls(node):
    name = node.func.id if isinstance(node.func, ast.Name) else None
    if name in CALLS:
        yield f"calls {name}"
    if name in ("getattr", "setattr", "delattr") and len(node.args) > 1:
        if not isinstance(node.args[1], ast.Constant):
            yield f"calls {name} with a computed name"
        elif name != "getattr" and _is_foreign(_root(node.args[0])):
            yield f"changes {_root(node.args[0])}"
    if name in ("vars", "locals", "dir") and not node.args:
        yield f"calls {name}()"
    if name == "vars" and node.args and _is_foreign(_root(node.args[0])):
        yield f"calls vars({_root(node.args[0])})"
    if name == "type" and len(node.args) == 3:
        yield "makes a class with type(...)"


def _assignments(node):
    targets = list(getattr(node, "targets", None) or [node.target])
    while targets:
        target = targets.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            targets += target.elts
        elif isinstance(target, ast.Starred):
            targets.append(target.value)
        elif isinstance(target, (ast.Attribute, ast.Subscript)) and _is_foreign(_root(target)):
            yield f"changes {_root(target)}"
        elif isinstance(target, ast.Attribute) and target.attr == "__class__":
            yield "changes __class__"
        elif isinstance(target, ast.Name) and CHECKS.fullmatch(target.id):
            yield f"gives the name {target.id} to something else"


def _is_foreign(name):
    return name in FOREIGN or (name is not None and CHECKS.fullmatch(name) is not None)


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
