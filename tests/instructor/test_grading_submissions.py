"""What students' code does while it is graded: it costs its own points, is named, and reaches nothing."""

import socket
import threading

import psutil
import pytest
from nbconvert.exporters import HTMLExporter

from instructor.grading import autograde, master_notebook
from tests.instructor import small_course as small

pytestmark = pytest.mark.usefixtures("box")
FULL = {"add-test": 2, "twice-test": 3, "why": None}
NO_ADD = {"add-test": 0, "twice-test": 3, "why": None}
ADD = small.RIGHT["add"] + "\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return small.make(tmp_path_factory.mktemp("course"))


def graded(course, folder, **answers):
    """Grade the right answers with some replaced; the marks, and the notebook as the instructor sees it."""
    notebook = small.filled(course, **{**small.RIGHT, **answers})
    wanted = master_notebook.load(course / "source", small.NAME)
    return autograde.mark(small.content(notebook), folder, wanted, autograde.config_of(course))


def points(marked):
    return {name: cell["auto"] for name, cell in marked.cells.items()}


def printed(notebook, name="add"):
    return "".join(output.get("text", "") for output in small.find(notebook, name).outputs)


CODE = {
    "perfect": ({}, FULL, None),
    "partly right": ({"twice": "def twice(a):\n    return 3 * a"}, {**FULL, "twice-test": 0}, None),
    "right only for the visible case": ({"add": "def add(a, b):\n    return 3"}, NO_ADD, None),
    "syntax error": ({"add": "def add(a, b:\n    return"}, NO_ADD, None),
    "endless loop": (
        {"add": "def add(a, b):\n    while True: pass"},
        NO_ADD,
        "add-test: took longer than 3 s",
    ),
    "loop that swallows interrupts": (
        {
            "add": "import signal\ndef add(a, b):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "    while True: pass"
        },
        NO_ADD,
        "add-test: the code could not be interrupted",
    ),
    "kernel exit": ({"add": ADD + "os._exit(0)"}, NO_ADD, "add: the kernel died"),
    "polite exit": ({"add": ADD + "exit()"}, NO_ADD, "add: the code ended the kernel"),
    "kernel exit in a test": (
        {"add": "def add(a, b):\n    os._exit(0)"},
        NO_ADD,
        "add-test: the kernel died",
    ),
    "memory hog": (
        {"add": ADD + "hog = bytearray(b'x') * 10**9"},
        NO_ADD,
        "add: more than 600 MB of memory",
    ),
    "warning on stderr": (
        {
            "add": "import warnings\ndef add(a, b):\n    warnings.warn('deprecated')\n    return a + b"
        },
        FULL,
        "add-test: wrote to stderr",
    ),
    "errors not shown": (
        {"add": "get_ipython().showtraceback = lambda *a, **k: None\ndef add(a, b):\n    return 0"},
        {**NO_ADD, "twice-test": 0},
        "add-test: the tests were tampered with",
    ),
    "asserts taken out": (
        {
            "add": "import ast\nclass Out(ast.NodeTransformer):\n"
            "    def visit_Assert(self, node):\n        return ast.Pass()\n"
            "get_ipython().ast_transformers.append(Out())\ndef add(a, b):\n    return 3"
        },
        {**NO_ADD, "twice-test": 0},
        "add-test: the tests were tampered with",
    ),
    "checks that check nothing": (
        {
            "add": "checks.number = checks.array = lambda *a, **k: None\ndef add(a, b):\n    return 11"
        },
        {**NO_ADD, "twice-test": 0},
        "add-test: the tests were tampered with",
    ),
    "a result of its own making": (
        {
            "twice": "def twice(a):\n    from IPython.core.displayhook import DisplayHook\n"
            "    get_ipython().displayhook(10**6)\n    return 8"
        },
        FULL,  # what is displayed decides nothing
        "twice: to be looked at: its code uses displayhook",
    ),
}


@pytest.mark.parametrize("kind", CODE)
def test_code(course, tmp_path, kind):
    answers, expected, note = CODE[kind]
    marked, _ = graded(course, tmp_path, **answers)
    assert marked.problem is None
    assert points(marked) == expected
    said = [one["text"] for one in marked.notes]
    assert any(note in one for one in said) if note else said == []
    if note and "tampered" in note:
        assert any(one["review"] for one in marked.notes)


def test_a_blank_notebook_gets_zero_and_says_so(course, tmp_path):
    wanted = master_notebook.load(course / "source", small.NAME)
    marked, _ = autograde.mark(
        small.content(wanted.released), tmp_path, wanted, autograde.config_of(course)
    )
    assert points(marked) == {"add-test": 0, "twice-test": 0, "why": 0}
    assert marked.cells["why"]["comment"] == "No response."
    assert "not written yet" in marked.cells["add-test"]["message"]
    assert marked.answers is None


def test_a_fork_bomb_is_bounded(course, tmp_path):
    code = (
        "started = 0\nwhile started < 400:\n    try:\n        child = os.fork()\n    except OSError:\n        break\n"
        "    if child == 0:\n        time.sleep(600)\n    started += 1\nprint(started)"
    )
    marked, notebook = graded(course, tmp_path, add=ADD + code)
    assert points(marked) == FULL
    assert 10 < int(printed(notebook)) < 100  # the limit counts the kernel's threads too


def test_200_mb_in_one_line(course, tmp_path):
    marked, notebook = graded(
        course, tmp_path, add=ADD + "for _ in range(200):\n    print('x' * 10**6, end='')"
    )
    assert points(marked)["twice-test"] == 3
    # on a slow machine the cell runs into its time limit; then this is said
    assert points(marked)["add-test"] == 2 or any(
        note["text"].startswith("add: ") for note in marked.notes
    )
    assert len(small.content(notebook)) < 10**6


def test_output_is_bounded(course, tmp_path):
    _, notebook = graded(
        course, tmp_path, add=ADD + "for i in range(10**4):\n    print('x' * 10**4)"
    )
    assert len(small.content(notebook)) < 10**6
    assert "more output was cut" in printed(notebook)


@pytest.fixture
def listener():
    """A port of this machine, and a list that fills when someone knocks."""
    server, visitors = socket.create_server(("127.0.0.1", 0)), []

    def wait():
        try:
            visitors.append(server.accept())
        except OSError:
            return

    threading.Thread(target=wait, daemon=True).start()
    yield server.getsockname()[1], visitors
    server.close()


def test_the_network_is_out_of_reach(course, tmp_path, listener):
    port, visitors = listener
    code = f"import socket\ntry:\n    socket.create_connection(('127.0.0.1', {port}), 1)\n"
    code += "except OSError as no:\n    print(no)"
    marked, notebook = graded(course, tmp_path, add=ADD + code)
    assert points(marked) == FULL
    assert "refused" in printed(notebook)
    assert visitors == []
    socket.create_connection(("127.0.0.1", port), 1).close()  # the listener listens


def test_no_file_but_its_own_is_seen_or_changed(course, tmp_path):
    own = tmp_path / "submitted" / "ada" / small.NAME
    own.mkdir(parents=True)
    (own / "notes.txt").write_text("mine", encoding="utf-8")
    (own / f"{small.NAME}.ipynb").write_text(small.SECRET, encoding="utf-8")
    other = tmp_path / "submitted" / "bob" / small.NAME / "answer.txt"
    other.parent.mkdir(parents=True)
    other.write_text("another student's", encoding="utf-8")
    book = tmp_path / "gradebook.db"
    book.write_bytes(b"marks")
    master_file = course / "source" / small.NAME / f"{small.NAME}.ipynb"
    places = [
        str(one) for one in (other, book, master_file, small.ROOT / "instructor" / "settings.py")
    ]
    places += ["/etc/passwd", f"{small.NAME}.ipynb", "/root/.bashrc", str(small.ROOT / "tests")]
    targets = [str(book), str(tmp_path / "new"), str(other), "/tmp/../new", "notes.txt"]
    targets += [str(small.ROOT / "musiclab" / "new.py"), "/usr/new", "/dev/new"]
    code = (
        f"seen = [place for place in {places} if os.path.exists(place)]\nwritten = []\n"
        f"for place in {targets}:\n    try:\n        open(place, 'a').write('x')\n        written.append(place)\n"
        "    except OSError:\n        pass\n"
        "print(os.getuid(), sorted(os.listdir('.')), open('notes.txt').read(), seen, written)\nopen('free.txt', 'w')"
    )
    marked, notebook = graded(course, own, add=ADD + code)
    assert points(marked) == FULL
    uid, rest = printed(notebook).split(" ", 1)
    assert int(uid) > 0
    assert rest == "['notes.txt'] mine [] []\n"
    assert book.read_bytes() == b"marks"
    assert other.read_text(encoding="utf-8") == "another student's"
    assert sorted(one.name for one in own.iterdir()) == [f"{small.NAME}.ipynb", "notes.txt"]
    assert not (tmp_path / "new").exists()


def test_files_are_bounded(course, tmp_path):
    code = "try:\n    for i in range(9):\n        open(f'{i}', 'wb').write(bytes(40 * 10**6))\n"
    code += "except OSError as no:\n    print(no)"
    marked, notebook = graded(course, tmp_path, add=ADD + code)
    assert points(marked) == FULL
    assert "No space left" in printed(notebook)


def test_nothing_runs_on_afterwards(course, tmp_path):
    code = "import subprocess\nsubprocess.Popen(['sleep', '98765'], start_new_session=True)"
    marked, _ = graded(course, tmp_path, add=ADD + code)
    assert points(marked) == FULL
    running = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    assert not any("98765" in words for words in running)


SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1)) [b](JaVaScRiPt&#58;alert(1)) [c](java&#115;cript&colon;alert(1))",
    "$$\\href{javascript:alert(1)}{x}$$ and $a<b$",
    "<svg/onload=alert(1)> <iframe srcdoc='<script>alert(1)</script>'></iframe>",
]


def test_no_script_reaches_the_instructors_browser(course, tmp_path):
    code = (
        "from IPython.display import HTML, Javascript, SVG, Markdown, display\n"
        "display(HTML('<script>alert(2)</script>'), Javascript('alert(2)'), Markdown('<script>alert(2)</script>'))\n"
        "display({'image/svg+xml': '<svg onload=\"alert(2)\"/>'}, {'text/latex': '<script>alert(2)'}, raw=True)\n"
        "print('<script>alert(2)</script>')\nraise ValueError('<script>alert(2)</script>')"
    )
    marked, notebook = graded(course, tmp_path, add=ADD + code, why="\n\n".join(SCRIPTS))
    assert points(marked)["twice-test"] == 3
    page, _ = HTMLExporter().from_notebook_node(notebook)
    links = scripts_and_links(page)
    assert links
    assert not [one for one in links if one.startswith(("javascript", "vbscript"))]
    assert not [one for one in links if "alert" in one]
    assert "a&lt; b" in page or "a< b" in page  # a formula stays a formula


def scripts_and_links(page):
    """What a browser would run or follow: the text of scripts, the values of handlers and of addresses."""
    from bs4 import BeautifulSoup

    parsed, found = BeautifulSoup(page, "html.parser"), []
    for element in parsed.find_all(True):
        if element.name == "script":
            found.append(" ".join(element.get_text().split()).lower() or element.get("src", ""))
        for name, value in element.attrs.items():
            if name.startswith("on") or name in ("href", "src", "srcdoc", "action"):
                found.append("".join(str(value).split()).lower())
    return found
