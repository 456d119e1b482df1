"""Observer inside a student's kernel: reports over a pipe which tests reached their end, and signs of tampering.

Its source is the first thing that a kernel runs; nothing of it is imported by the grader but
`source` and the names of its messages. A program in the same process can silence or imitate it: it
notices, it does not prevent.
"""

from __future__ import annotations

import inspect

__all__ = ["CHANGED", "PASSED", "READ", "check", "passed", "source"]

PASSED, CHANGED, READ, INTACT = "passed", "changed", "read", "intact"


def source(pipe: str, token: str) -> str:
    """The code that installs the observer in a kernel.

    Args:
        pipe: path of a named pipe that the grader reads.
        token: begins each message.
    """
    return f"{inspect.getsource(_install)}\n_install({pipe!r}, {token!r})\ndel _install\n"


def passed(name: str) -> str:
    """The line behind a test, which reports that it was reached."""
    return f"__import__('sys').audit('musiclab.passed', {name!r})\n"


def check(name: str) -> str:
    """A line on which the observer compares what runs the tests with what it was in the beginning."""
    return f"__import__('sys').audit('musiclab.check', {name!r})\n"


def _install(pipe, token):
    import builtins
    import contextlib
    import copy
    import inspect
    import math
    import os
    import sys
    from pathlib import Path

    import numpy as np
    from ipykernel.compiler import get_tmp_directory
    from IPython import get_ipython

    import musiclab.checks
    import musiclab.checks.exercises

    shell = get_ipython()
    kernel, home, write, frame_at = shell.kernel, str(Path.cwd()), os.write, sys._getframe
    fd = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    own = (get_tmp_directory() + os.sep, home + os.sep)  # where cells and the student's files are
    attributes = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
    readers = {
        "sys._getframe",
        "sys._current_frames",
        "gc.get_objects",
        "gc.get_referrers",
        "gc.get_referents",
        "sys.settrace",
        "sys.setprofile",
        "sys.monitoring.register_callback",
        "sys.addaudithook",
        "code.__new__",
        "function.__new__",
        "ctypes.dlopen",
        "ctypes.dlsym",
        "object.__getattr__",
    }
    said, busy, stored = set(), [], {}
    # what the decorator Lesson.exercise puts around each check
    decorate = next(
        filter(inspect.iscode, musiclab.checks.exercises.Lesson.exercise.__code__.co_consts)
    )
    run = next(filter(inspect.iscode, decorate.co_consts))

    def say(kind, what):
        line = f"{token} {kind} {what}\n".encode(errors="replace")[:400]
        if (kind, what) not in said and len(said) < 500:
            said.add((kind, what))
            with contextlib.suppress(OSError):
                write(fd, line)

    def functions():
        """(name, the namespace it is in, key, the function and its code) of what runs and judges the tests."""
        for thing in (kernel, shell, shell.compile, shell.displayhook, kernel.session):
            for owner in type(thing).__mro__:
                if owner.__module__.split(".")[0] in ("ipykernel", "IPython", "jupyter_client"):
                    for key, value in vars(owner).items():
                        if inspect.isfunction(value):
                            yield f"{owner.__name__}.{key}", owner.__dict__, key, value
        for name, module in (
            ("checks", musiclab.checks),
            ("exercises", musiclab.checks.exercises),
            ("copy", copy),
            ("inspect", inspect),
            ("math", math),
            ("np", np),
            ("builtins", builtins),
        ):
            for key, value in vars(module).items():
                if callable(value) and not key.startswith("__"):
                    yield f"{name}.{key}", module.__dict__, key, value
        for owner in (musiclab.checks.NotYet, musiclab.checks.exercises.Lesson):
            for key, value in vars(owner).items():
                yield f"{owner.__name__}.{key}", owner.__dict__, key, value

    def code_of(value):
        code = getattr(value, "__code__", None)
        return code, getattr(value, "__defaults__", None), getattr(value, "__kwdefaults__", None)

    known = [(name, space, key, value, code_of(value)) for name, space, key, value in functions()]
    known = [one for one in known if one[0] not in ("builtins._", "builtins.input")]
    plain = [(thing, set(vars(thing))) for thing in (kernel, shell, shell.compile, kernel.session)]
    hook_of_display, missing = sys.displayhook, object()
    lists = [
        ("ast_transformers", lambda: shell.ast_transformers),
        ("cleanup_transforms", lambda: shell.input_transformer_manager.cleanup_transforms),
        ("line_transforms", lambda: shell.input_transformer_manager.line_transforms),
        ("token_transformers", lambda: shell.input_transformer_manager.token_transformers),
        ("input_transformers_post", lambda: shell.input_transformers_post),
        ("custom_exceptions", lambda: shell.custom_exceptions),
        ("shell_handlers", lambda: sorted(map(repr, kernel.shell_handlers.items()))),
    ]
    lists = [(name, get, list(get())) for name, get in lists]

    def lesson_changes():
        """Functions of a lesson's checks, a module that the notebook imports later, unlike its file."""
        for name, module in list(sys.modules.items()):
            if name.startswith("musiclab.checks.lesson_"):
                if name not in stored:
                    file = Path(musiclab.checks.__file__).with_name(name.rpartition(".")[2] + ".py")
                    code = compile(file.read_bytes(), str(file), "exec")
                    parts = [one for one in code.co_consts if inspect.iscode(one)]
                    stored[name] = {one.co_name: one for one in parts}
                for key, code in stored[name].items():
                    now = vars(module).get(key)
                    plain = getattr(now, "__wrapped__", now)
                    wrapper = getattr(now, "__code__", None) if plain is not now else run
                    if getattr(plain, "__code__", None) != code or wrapper not in (run, None):
                        yield f"{name.rpartition('.')[2]}.{key}"

    def changes():
        yield from lesson_changes()
        for name, space, key, value, code in known:
            now = space.get(key, missing)
            if now is not value or any(a is not b for a, b in zip(code_of(now), code)):
                yield name
        for thing, before in plain:
            for key in set(vars(thing)) - before:
                if callable(getattr(type(thing), key, None)):
                    yield f"{type(thing).__name__}.{key}"
        for name, get, before in lists:
            if list(get()) != before:
                yield name
        for name, function in (("sys.settrace", sys.gettrace), ("sys.setprofile", sys.getprofile)):
            if function() is not None:
                yield name
        if sys.displayhook is not hook_of_display and sys.displayhook is not shell.displayhook:
            yield "sys.displayhook"

    def caller():
        """Whether the student's own code asked, perhaps through `inspect`."""
        frame = frame_at(2)
        while frame is not None and frame.f_code.co_filename == inspect.__file__:
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith(own)

    def hook(event, arguments):
        if event == "musiclab.passed":
            said.discard(("passed", arguments[0]))
            say("passed", arguments[0])
        elif event == "musiclab.check":
            for name in changes():
                say("changed", name)
            say("intact", arguments[0])
        elif event in readers and not busy:
            busy.append(event)
            try:
                if event == "object.__getattr__" and arguments[1] not in attributes:
                    return
                if caller():
                    what = arguments[1] if event == "object.__getattr__" else event
                    say("read", what)
            finally:
                busy.clear()

    sys.addaudithook(hook)
