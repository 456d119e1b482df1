"""Attacks on the grading: none changes a mark, reads a secret, or leaves a right answer ungraded."""

import json
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import nbformat
import pytest

from instructor.grading import (
    autograde,
    kernel,
    master_notebook,
    sandbox,
    submission_report,
    suspicious_code,
    syscall_filter,
)
from instructor.settings import ANSWERS, masters
from tests.instructor import small_course as small

box = pytest.mark.usefixtures("box")
FULL = {"add-test": 2, "twice-test": 3, "why": None}
NO_ADD = {"add-test": 0, "twice-test": 3, "why": None}
NOTHING = {"add-test": 0, "twice-test": 0, "why": None}
ADD = small.RIGHT["add"] + "\n"
SHELL = "shell, core = get_ipython(), get_ipython().kernel\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return small.make(tmp_path_factory.mktemp("course"))


@pytest.fixture
def grade(course, tmp_path):
    """Grade the right answers with some replaced: the marks, what `add` printed, and the notebook."""

    def graded(files=None, attachments=None, **answers):
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        notebook = small.filled(course, **{**small.RIGHT, **answers})
        small.find(notebook, "why").attachments = nbformat.from_dict(attachments or {})
        wanted = master_notebook.load(course / "source", small.NAME)
        marked, shown = autograde.mark(
            small.content(notebook), tmp_path, wanted, autograde.config_of(course)
        )
        said = "".join(output.get("text", "") for output in small.find(shown, "add").outputs)
        return marked, said, shown

    return graded


def points(marked):
    return {name: cell["auto"] for name, cell in marked.cells.items()}


def flags(marked):
    return [note["text"] for note in marked.notes if note["review"]]


# points for nothing

FORGERIES = {
    "a displayed result before the test fails": (
        "def add(a, b):\n    get_ipython().displayhook('x')\n    raise ValueError",
        NO_ADD,
    ),
    "a published result": (
        "def add(a, b):\n    get_ipython().display_pub.publish({'text/plain': '100'})\n    raise ValueError",
        NO_ADD,
    ),
    "outputs cleared": (
        "def add(a, b):\n    from IPython.display import clear_output\n    clear_output()\n    return 0",
        NO_ADD,
    ),
    "tests never run": (
        SHELL + "real = core.do_execute\n"
        "async def fake(code, *words, **more):\n"
        "    if 'checks.call' in code:\n"
        "        return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "    return await real(code, *words, **more)\n"
        "core.do_execute = fake",
        NOTHING,
    ),
    "only the tests' last lines run": (
        SHELL + "real = core.do_execute\n"
        "async def fake(code, *words, **more):\n"
        "    if 'checks.call' in code:\n        code = code.strip().splitlines()[-1]\n"
        "    return await real(code, *words, **more)\n"
        "core.do_execute = fake",
        NOTHING,
    ),
    "the class of the kernel changed": (
        SHELL + "real = type(core).do_execute\n"
        "async def fake(self, code, *words, **more):\n"
        "    if 'checks.call' in code:\n        code = code.strip().splitlines()[-1]\n"
        "    return await real(self, code, *words, **more)\n"
        "type(core).do_execute = fake",
        NOTHING,
    ),
    "code changed before it is compiled": (
        SHELL + "def only_the_end(lines):\n"
        "    return lines[-1:] if any('checks.call' in line for line in lines) else lines\n"
        "shell.input_transformers_post.append(only_the_end)",
        NOTHING,
    ),
    "the code of a check exchanged": (
        "checks.number.__code__ = (lambda actual, expected, what, see=None, likely=None, rtol=0, atol=0:"
        " None).__code__\ndef add(a, b):\n    return 11",
        NOTHING,
    ),
    "a tolerance of a check changed": (
        "checks.number.__defaults__ = (None, None, 1e9, 1e9)\ndef add(a, b):\n    return 11",
        NOTHING,
    ),
    "the check of a lesson exchanged": (
        "from musiclab.checks import lesson_00\nlesson_00.note_at = print\ndef add(a, b):\n    return 11",
        NOTHING,
    ),
    "a helper of a lesson's checks exchanged": (
        "from musiclab.checks import lesson_00\n"
        "lesson_00.check_notes.__code__ = (lambda *words: None).__code__\ndef add(a, b):\n    return 11",
        NOTHING,
    ),
    "the points of all lessons for nothing": (
        "from musiclab.checks.exercises import Lesson\nLesson.exercise = lambda *words: print\n"
        "def add(a, b):\n    return 11",
        NOTHING,
    ),
    "NumPy's comparison exchanged": (
        "import numpy as np\nnp.allclose = lambda *a, **k: True\ndef add(a, b):\n    return 11",
        NOTHING,
    ),
    "a tracing function": (
        "import sys\nsys.settrace(lambda *words: None)\ndef add(a, b):\n    return 3",
        NOTHING,
    ),
    "an object that equals everything": (
        "class All:\n    def __eq__(self, other):\n        return True\n"
        "    def __array__(self, *words, **more):\n        import numpy\n        return numpy.array(3)\n"
        "def add(a, b):\n    return All()",
        NO_ADD,
    ),
    "the observer silenced": (
        "def add(a, b):\n"
        "    for number in range(3, 200):\n"
        "        try:\n"
        "            if 'report' in os.readlink(f'/proc/self/fd/{number}'):\n"
        "                os.close(number)\n"
        "        except OSError:\n            pass\n"
        "    return a + b",
        NOTHING,
    ),
    "a forged reply": (
        SHELL + "def add(a, b):\n"
        "    reply = {'status': 'ok', 'execution_count': 9, 'payload': [], 'user_expressions': {}}\n"
        "    parent = core.get_parent('shell')\n"
        "    core.session.send(core.shell_streams[0] if getattr(core, 'shell_streams', None) else core.shell_stream,"
        " 'execute_reply', reply, parent, ident=core.get_parent('shell').get('idents'))\n"
        "    raise ValueError",
        NO_ADD,
    ),
}


@box
@pytest.mark.parametrize("kind", FORGERIES)
def test_no_points_for_nothing(grade, kind):
    code, most = FORGERIES[kind]
    marked, _, _ = grade(add=code)
    given = points(marked)
    assert marked.problem is None
    assert given["add-test"] == 0
    assert all(given[name] is None or given[name] in (0, worth) for name, worth in FULL.items())
    assert flags(marked) or most == NO_ADD
    if most == NOTHING:
        assert given == NOTHING
        assert any("tampered" in words for words in flags(marked))


READERS = {
    "frames": "def add(a, b):\n    return sys._getframe(1).f_locals.get('result', a + b)",
    "frames through inspect": "import inspect\ndef add(a, b):\n    inspect.currentframe()\n    return a + b",
    "frames of a traceback": (
        "def add(a, b):\n    try:\n        raise ValueError\n    except ValueError as error:\n"
        "        frame = getattr(error.__traceback__, 'tb_' + 'frame')\n    return a + b"
    ),
    "frames of a generator": (
        "def add(a, b):\n    numbers = (x for x in [1])\n    getattr(numbers, 'gi_' + 'frame')\n    return a + b"
    ),
    "objects of the collector": "import gc\ndef add(a, b):\n    gc.get_objects()\n    return a + b",
    "frames under a false name": (
        "look = getattr(sys, '_get' + 'frame')\ndef add(a, b):\n    look(1)\n    return a + b"
    ),
}


@box
@pytest.mark.parametrize("kind", READERS)
def test_looking_into_the_programs_that_test_is_flagged_in_source_and_while_it_runs(grade, kind):
    marked, _, _ = grade(add=READERS[kind])
    assert points(marked) == FULL
    assert any(words.startswith("add: to be looked at: its code") for words in flags(marked))
    assert any("the code reads the programs that run it" in words for words in flags(marked))


@pytest.mark.parametrize("path", masters(), ids=lambda path: path.stem)
def test_no_right_answer_and_no_solution_is_flagged(path):
    stored = tomllib.loads((ANSWERS / f"{path.stem}.toml").read_text(encoding="utf-8"))["answer"]
    codes = [one["code"] for one in stored if one["kind"] == "right"]
    codes += [
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and cell.metadata.nbgrader.get("solution")
    ]
    assert codes
    assert {
        code: suspicious_code.found(code) for code in codes if suspicious_code.found(code)
    } == {}


@pytest.mark.parametrize(
    "code",
    [
        "checks.number = print",
        "lesson_06.forward = print",
        "lesson_06 = None",
        "from musiclab.checks import exercises\nexercises.ALLOWED = True",
        "np.allclose = lambda *a: True",
        "setattr(checks, 'number', print)",
        "x = getattr(object, '__sub' + 'classes__')",
        "exec('1')",
        "import ctypes",
        "from inspect import stack",
        "import builtins as b",
        "x = vars(checks)['number']",
        "T = type('T', (), {'__eq__': lambda s, o: True})",
        "for checks.number in [print]: pass",
        "%%time\nsys._getframe()",
        "In[-1]",
        "import __main__",
        "sys.modules['musiclab']",
        "names = [x.__dict__ for x in y]",
        "seen = dir()",
        "x = 1" + "+1" * 200_000,
    ],
)
def test_code_that_is_flagged(code):
    assert suspicious_code.found(code)


@pytest.mark.parametrize(
    "code",
    [
        "x[0] = np.zeros(3)[1]",
        "np.asarray(x)[:] = 0",
        "from IPython.display import Audio",
        "self.units = 3",
        "%matplotlib inline\nx = 1",
        "getattr(model, 'units')",
    ],
)
def test_code_that_is_not_flagged(code):
    assert suspicious_code.found(code) == []


# right answers that other programs stumbled over

HARMLESS = {
    "a live display": (
        "from IPython.display import display\nhandle = display('a', display_id=True)\n"
        "def add(a, b):\n    handle.update('b')\n    other = display('c', display_id=True)\n"
        "    other.update('d')\n    return a + b"
    ),
    "a display with a widget's message": (
        SHELL
        + "core.session.send(core.iopub_socket, 'comm_open', {'comm_id': 'x', 'data': {'state': {}},"
        " 'target_name': 'jupyter.widget'}, core.get_parent())\n" + ADD
    ),
    "a message that no kernel sends": (
        SHELL
        + "for kind in ('stream', 'display_data', 'update_display_data', 'error', 'status', 'clear_output'):\n"
        "    core.session.send(core.iopub_socket, kind, {'transient': {'display_id': 'x'}}, core.get_parent())\n"
        + ADD
    ),
    "threads": "import concurrent.futures as f\n"
    + ADD
    + "list(f.ThreadPoolExecutor(8).map(print, range(8)))",
    "a child process": "import subprocess\n"
    + ADD
    + "print(subprocess.run(['echo', 'x'], capture_output=True).stdout)",
    "a pool of processes": "import multiprocessing\n"
    + ADD
    + "print(multiprocessing.Pool(2).map(abs, [-1, -2]))",
    "a caught traceback": ADD
    + "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    "a module changed as its manual says": "import numpy as np\nnp.set_printoptions(3)\nnp.random.seed(1)\n"
    + ADD,
}


@box
@pytest.mark.parametrize("kind", HARMLESS)
def test_right_answers_get_their_points(grade, kind):
    marked, _, _ = grade(add=HARMLESS[kind])
    assert marked.state == "graded"
    assert points(marked) == FULL
    assert not any("tampered" in words or "reads the programs" in words for words in flags(marked))


@box
def test_a_file_with_the_name_of_a_library_is_left_out_and_named(grade):
    marked, said, _ = grade(
        files={"numpy.py": "raise SystemExit", "helper.py": "x = 7"},
        add=ADD + "import helper\nprint(helper.x)",
    )
    assert points(marked) == FULL
    assert said == "7\n"
    assert any(words.startswith("numpy.py: was left out") for words in flags(marked))


@box
def test_threads_of_the_same_user_outside_do_not_count(grade):
    over = threading.Event()
    idle = [threading.Thread(target=over.wait, daemon=True) for _ in range(300)]
    for one in idle:
        one.start()
    try:
        marked, _, _ = grade()
        assert points(marked) == FULL
    finally:
        over.set()


# out of the sandbox


@box
def test_the_instructors_environment_is_not_in_the_sandbox(grade, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_INSTRUCTOR", "a-very-secret-token")
    code = (
        "import glob\nfor path in glob.glob('/proc/[0-9]*/environ') + ['/proc/self/environ']:\n"
        "    try:\n        print(path, open(path).read())\n    except OSError as no:\n        print(path, no)\n"
    )
    marked, said, _ = grade(add=ADD + code)
    assert points(marked) == FULL
    assert "MPLBACKEND" in said  # its own
    assert "secret" not in said


SYSTEM_CALLS = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def tried(name, *words):
    ctypes.set_errno(0)
    done = getattr(libc, name)(*words)
    return name + " " + ("done" if done != -1 else errno.errorcode[ctypes.get_errno()])
print(tried("unshare", 0x10000000), tried("memfd_create", b"x", 0), tried("shmget", 0, 4096, 0o1600))
print(tried("msgget", 0, 0o1600), tried("semget", 0, 1, 0o1600), tried("ptrace", 16, 1, 0, 0))
print(tried("mount", b"x", b"/tmp", b"tmpfs", 0, 0), tried("prctl", 1, 0), tried("prctl", 4, 0))
print(tried("socket", 40, 1, 0), tried("socket", 38, 5, 0))
for number in (1, 2, 10):
    socket.socket(number).close()
try:
    open("/proc/1/mem", "r+b") if os.getpid() != 1 else None
    print("mem open")
except OSError as no:
    print("mem", no.errno)
"""


@box
def test_system_calls_that_lead_out_are_refused(grade):
    marked, said, _ = grade(add=ADD + SYSTEM_CALLS)
    assert points(marked) == FULL
    done = [words for words in said.replace("\n", " ").split(" ") if words]
    results = dict(zip(done[::2], done[1::2]))
    assert "done" not in said
    assert results["memfd_create"] == "ENOSYS"
    assert (
        results["unshare"] == results["shmget"] == results["msgget"] == results["ptrace"] == "EPERM"
    )
    assert said.count("EPERM") >= 10


def test_the_filter_is_for_known_machines_and_jumps_stay_inside():
    assert syscall_filter.program("riscv64") == b""
    for machine in ("x86_64", "aarch64"):
        code = syscall_filter.program(machine)
        steps = [code[start : start + 8] for start in range(0, len(code), 8)]
        assert len(code) % 8 == 0
        assert len(steps) < 4096
        for place, step in enumerate(steps):
            if step[0] & 7 == 5:  # a jump
                assert place + 1 + max(step[2], step[3]) < len(steps)
        assert int.from_bytes(steps[-1][4:], sys.byteorder) == syscall_filter.ALLOW


MEMORY = {
    "memory files": (
        "files = []\nfor _ in range(14):\n    files.append(os.memfd_create('x'))\n"
        "    os.write(files[-1], bytes(49 * 10**6))"
    ),
    "open files that have no name": (
        "files = []\nfor place in ('/tmp', '/dev/shm', '.') * 5:\n"
        "    files.append(os.open(place, os.O_TMPFILE | os.O_RDWR, 0o600))\n"
        "    os.write(files[-1], bytes(49 * 10**6))"
    ),
    "several processes": (
        "for _ in range(8):\n    if os.fork() == 0:\n        x = bytearray(os.urandom(1000) * 150_000)\n"
        "        time.sleep(60)\ntime.sleep(2)"
    ),
    "a shared mapping": (
        "import mmap\nx = mmap.mmap(-1, 10**9)\nfor i in range(0, 10**9, 4096):\n    x[i] = 1"
    ),
    "another user namespace": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.unshare(0x10020000) == 0\n"
        "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)\n"
        "for i in range(20):\n    open(f'/tmp/{i}', 'wb').write(bytes(49 * 10**6))"
    ),
    "files without content": ("for i in range(10**6):\n    open(f'/tmp/{i}', 'w').close()"),
    "sockets that are full": (
        "import socket\npairs = []\n"
        "for child in range(8):\n    if os.fork() == 0:\n"
        "        for i in range(480):\n            pairs.append(socket.socketpair())\n"
        "            pairs[-1][0].setblocking(False)\n"
        "            try:\n                while True: pairs[-1][0].send(bytes(60_000))\n"
        "            except OSError: pass\n"
        "        time.sleep(60)\ntime.sleep(30)"
    ),
}


@box
@pytest.mark.parametrize("kind", MEMORY)
def test_memory_is_bounded_whichever_way_it_is_taken(grade, kind, monkeypatch):
    seen = []
    real = kernel.Watch._excess

    def excess(self):
        seen.append(_used(self.process.pid))
        return real(self)

    monkeypatch.setattr(kernel.Watch, "_excess", excess)
    marked, _, shown = grade(add=ADD + MEMORY[kind])
    assert points(marked)["twice-test"] == 3
    assert max(seen) < 1200  # MB; the limit is 600, looked at five times a second
    errors = [one.ename for one in small.find(shown, "add").outputs if one.output_type == "error"]
    assert errors


def _used(pid):
    """MB that a sandbox takes, in processes and in its folders in memory."""
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    kept, _ = kernel._in_memory_folders(tree)
    return (sum(map(kernel._own_share, tree)) + kept) / 1e6


@box
def test_the_kernel_is_gone_also_where_it_does_not_die_with_its_parent(grade):
    code = "import ctypes\nctypes.CDLL(None).prctl(1, 0)\nimport subprocess\nsubprocess.Popen(['sleep', '98766'])"
    marked, _, _ = grade(add=ADD + code)
    assert points(marked) == FULL
    found = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=False
    ).stdout
    assert "sleep 98766" not in found


@box
def test_where_namespaces_are_forbidden_one_sentence_names_the_remedy(tmp_path):
    """Run in a user namespace in which no other may be made."""
    words = ["bwrap", "--unshare-user", "--disable-userns", "--uid", "1234", "--bind", "/", "/"]
    words += ["--dev", "/dev", "--proc", "/proc", sys.executable, "-c"]
    code = "from instructor.grading import sandbox\nsandbox.demand(False)"
    done = subprocess.run(
        [*words, code], cwd=small.ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert "sudo sysctl kernel.unprivileged_userns_clone=1" in done.stderr.splitlines()[-1]
    assert "this system forbids ordinary users to make namespaces" in done.stderr.splitlines()[-1]


@box
def test_which_limits_hold_is_said():
    if not Path("/sys/fs/cgroup/cgroup.controllers").is_file():
        assert sandbox.in_force() == "set inside the namespace, memory watched from outside"
    assert "inside the namespace" in sandbox.in_force()


@box
def test_control_groups_bound_processes_where_systemd_gives_them(tmp_path):
    if not sandbox._scopes_work():
        pytest.skip("no control groups: systemd gives this user none")
    inside = tmp_path / "k"
    inside.mkdir()
    limits = sandbox.Limits(processes=50)
    code = "print(open('/proc/self/cgroup').read())"
    words = sandbox.command(
        inside, [], limits, sandbox.Nowhere.choose(), [sys.executable, "-c", code]
    )
    done = subprocess.run(
        words, env=sandbox.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert words[0].endswith("systemd-run")
    assert "TasksMax=60" in words


# files that keep the grader busy


def stored(**changes):
    """A notebook's bytes, whatever it holds."""
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []} | changes
    ).encode()


CODE_CELL = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "source": "1"}
HEAVY = {
    "many cells": stored(cells=[CODE_CELL | {"outputs": []}] * 100_000),
    "deep lists": b'{"cells":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "cells that are no cells": stored(cells=["x"] * 900),
    "worksheets that are none": stored(worksheets=3),
    "a number for a source": stored(cells=[CODE_CELL | {"outputs": [], "source": {"a": 1}}]),
}


@pytest.mark.parametrize("kind", HEAVY)
def test_files_that_keep_the_grader_busy_are_refused_soon(kind, course, tmp_path):
    began = time.monotonic()
    wanted = master_notebook.load(course / "source", small.NAME)
    marked, shown = autograde.mark(HEAVY[kind], tmp_path, wanted, autograde.config_of(course))
    assert (marked.state, shown) == ("not gradable", None)
    assert time.monotonic() - began < 20


@box
def test_outputs_that_were_handed_in_are_not_looked_at(course, tmp_path):
    notebook = small.filled(course, **small.RIGHT)
    text = {"output_type": "stream", "name": "stdout", "text": "x"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(text)] * 50_000
    wanted = master_notebook.load(course / "source", small.NAME)
    began = time.monotonic()
    marked, _ = autograde.mark(
        json.dumps(notebook).encode(), tmp_path, wanted, autograde.config_of(course)
    )
    assert points(marked) == FULL
    assert time.monotonic() - began < 30


@box
def test_text_that_is_no_unicode_is_graded(course, tmp_path):
    strange = "\ud800\x00\x1b[2K"
    notebook = small.filled(course, **{**small.RIGHT, "why": strange, "add": ADD + "x = '\ud800'"})
    small.find(notebook, "add-test").metadata.nbgrader.points = 10**400
    wanted = master_notebook.load(course / "source", small.NAME)
    marked, shown = autograde.mark(
        json.dumps(notebook).encode(), tmp_path, wanted, autograde.config_of(course)
    )
    assert points(marked) == FULL
    assert small.content(shown)
    assert marked.state == "graded after repair"


@box
def test_answers_that_take_long_to_read_do_not(grade):
    began = time.monotonic()
    marked, _, _ = grade(why="![" * 300_000, add=ADD + "x = " + "+".join(["1"] * 150_000))
    assert points(marked)["twice-test"] == 3
    assert time.monotonic() - began < 60


@box
def test_many_large_messages_are_not_kept_by_the_grader(grade):
    import psutil

    before = psutil.Process().memory_info().rss
    show = "display({'text/plain': 'x' * 9 * 10**6}, raw=True)"
    code = f"from IPython.display import display\nfor _ in range(150):\n    {show}"
    marked, _, _ = grade(add=ADD + code)
    assert points(marked)["twice-test"] == 3
    assert psutil.Process().memory_info().rss - before < 1e9


# what is told to people


def test_control_characters_are_shown_and_not_sent():
    nb = nbformat.v4.new_notebook()
    submission_report.add(nb, "a\x1b[2K\x1b[1Ab\u202e\r\nc" + "x" * 10**6)
    text = submission_report.of(nb)[0]["text"]
    assert text.startswith(r"a\x1b[2K\x1b[1Ab\u202e c")
    assert len(text) < 400
    assert text.isprintable()


@box
def test_messages_have_a_limit(grade):
    marked, _, shown = grade(
        add="def add(a, b):\n    raise ValueError('\\x1b[2K' + 'x' * 10**6)",
        twice="raise ValueError('y' * 3 * 10**6)",
    )
    assert points(marked) == NOTHING
    assert len(marked.cells["add-test"]["message"]) <= autograde.MOST_MESSAGE
    assert len(small.content(shown)) < 300_000


@box
def test_no_picture_is_asked_from_another_host(grade):
    pictures = [
        "![x](http://example.org/a.png)",
        "![x][y]\n\n[y]: https://example.org/b.png",
        "![](//example.org/c.png)",
        "<img src='http://example.org/d.png'>",
        r"$$\style{background:url(http://example.org/e.png)}{x}$$",
        "![mine](attachment:a.png)",
    ]
    from nbconvert.exporters import HTMLExporter

    pasted = {"a.png": {"image/png": "AA=="}}
    _, _, shown = grade(attachments=pasted, why="\n\n".join([*pictures, "![](attachment:b.png)"]))
    page, _ = HTMLExporter().from_notebook_node(shown)
    from bs4 import BeautifulSoup

    sources = [
        str(image.get("src")) for image in BeautifulSoup(page, "html.parser").find_all("img")
    ]
    assert not [source for source in sources if "example.org" in source]
    assert r"\style" not in small.find(shown, "why").source
    assert "](attachment:a.png)" in small.find(shown, "why").source
